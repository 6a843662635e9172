"""Pairs of submissions whose code is nearly the same, by the fingerprints of its tokens.

Runs of tokens are hashed and the smallest of each window is kept, so that a shared passage is found wherever it stands:
winnowing, of Schleimer, Wilkerson and Aiken 2003. Comments, layout and the names of things do not count. What the
instructor gave out, or many students share, says nothing about two of them.
"""

import hashlib
import io
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

GRAM = 9  # tokens
WINDOW = 5
LEAST = 12  # fingerprints that a submission must have of its own, to be compared at all
SHARED_BY = 4  # a fingerprint that more students have is the task's
NEAR = 0.6


@dataclass(frozen=True)
class Pair:
    """Two students, and the share of their own fingerprints that they have in common."""

    first: str
    second: str
    share: float


def tokens(code: str) -> list[str]:
    """The code's tokens, with every name that is not a keyword as `n`, every text as `s`; as far as it can be read."""
    found: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NAME:
                found.append(token.string if keyword.iskeyword(token.string) else "n")
            elif token.type == tokenize.STRING:
                found.append("s")
            elif token.type in (tokenize.OP, tokenize.NUMBER):
                found.append(token.string)
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what came before still counts
    return found


def fingerprints(code: str) -> set[str]:
    """The winnowed hashes of a program."""
    words = tokens(code)
    grams = [" ".join(words[at : at + GRAM]) for at in range(len(words) - GRAM + 1)]
    hashes = [hashlib.blake2b(gram.encode(), digest_size=8).hexdigest() for gram in grams]
    return {min(hashes[at : at + WINDOW]) for at in range(max(1, len(hashes) - WINDOW + 1))} if hashes else set()


def similar_pairs(programs: Mapping[str, str], given: Iterable[str] = ()) -> list[Pair]:
    """The pairs that are nearly the same, the nearest first; `given` is code that everybody was handed."""
    known = set().union(*(fingerprints(code) for code in given))
    marks = {who: fingerprints(code) - known for who, code in programs.items()}
    spread = Counter(mark for found in marks.values() for mark in found)
    own = {who: {mark for mark in found if spread[mark] <= SHARED_BY} for who, found in marks.items()}
    owners: dict[str, list[str]] = defaultdict(list)
    for who in sorted(own):
        for mark in own[who]:
            owners[mark].append(who)
    together = Counter(pair for several in owners.values() for pair in combinations(several, 2))
    pairs = []
    for (first, second), count in together.items():
        least, most = sorted((len(own[first]), len(own[second])))
        if least >= LEAST and count / most >= NEAR:
            pairs.append(Pair(first, second, count / most))
    return sorted(pairs, key=lambda pair: (-pair.share, pair.first, pair.second))
