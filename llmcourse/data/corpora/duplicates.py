"""Texts that say the same again, found by the passages that they share."""

import re
from collections.abc import Iterator, Mapping

SHARE, N_WORDS = 0.5, 8
PASSAGE = 12  # words


def words(text: str) -> list[str]:
    """The words and numbers of a text in small letters, so that layout and punctuation hide no copy."""
    return re.findall(r"\w+", text.lower())


def passages(text: str, n_words: int) -> Iterator[str]:
    """Every run of `n_words` words; a shorter text is one passage, and a text without words has none."""
    found = words(text)
    for start in range(max(1, len(found) - n_words + 1) if found else 0):
        yield " ".join(found[start : start + n_words])


def without_near_duplicates(texts: Mapping[str, str], share: float = SHARE, n_words: int = N_WORDS) -> list[str]:
    """The names of the texts to keep: those of whose passages less than `share` stand in longer texts that are kept.

    No two texts that are kept have a Jaccard similarity of `share` or more: the longer ones come first, and what a
    text shares with one of them is at most what it shares with all. A text without words is not kept.
    Source: Broder 1997 for the passages ("shingles") and the similarity ("resemblance").
    Raises: ValueError unless 0 < share <= 1 and n_words >= 1.
    """
    if not 0 < share <= 1 or n_words < 1:
        raise ValueError(f"0 < share <= 1 and n_words >= 1, not {share} and {n_words}.")
    found = {name: set(passages(text, n_words)) for name, text in texts.items()}
    seen: set[str] = set()
    kept = []
    for name in sorted(found, key=lambda name: (-len(found[name]), name)):
        own = found[name]
        if own and len(own & seen) < share * len(own):
            kept.append(name)
            seen |= own
    return sorted(kept)


def clusters(texts: Mapping[str, str], n_words: int = PASSAGE) -> list[list[str]]:
    """The names in groups, such that texts of two groups share no passage of `n_words` words."""
    leader = {name: name for name in texts}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]  # the way is halved, or long chains take long each time
        return name

    first_in: dict[str, str] = {}
    for name in sorted(texts):
        for passage in passages(texts[name], n_words):
            other = first_in.setdefault(passage, name)
            if other != name:
                leader[find(name)] = find(other)
    groups: dict[str, list[str]] = {}
    for name in sorted(texts):
        groups.setdefault(find(name), []).append(name)
    return list(groups.values())
