"""WordPiece learns merges as byte-pair encoding does, but of pairs that are less of a coincidence than others."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from llmcourse.tokenizers.pairs import Pair, Word, count_pairs, merge_pair
from llmcourse.tokenizers.trainer import PairIndex

RAREST = 2  # a pair that occurs once tells of its one word only


def split_word(word: str, prefix: str = "##") -> list[str]:
    """The word's characters as tokens: the first as it is, the others with the prefix."""
    return [prefix + letter if place else letter for place, letter in enumerate(word)]


def learn_wordpieces_slowly(words: Mapping[str, int], n_tokens: int, prefix: str = "##") -> list[str]:
    """At most `n_tokens` tokens, the characters first, and then the merges, given how often each word occurs.

    The pair merges first whose score is highest: count(pair) / (count(left) × count(right)). Pairs that occur once
    are left alone. Equal scores go to the smallest pair of places in the list, where characters stand by the alphabet.
    Source: Schuster and Nakajima 2012 add the unit that raises the likelihood most; the ratio is how the Hugging Face
    course writes that choice, whose original code was never published.
    """
    tokens = _alphabet(words, prefix)
    cut: Mapping[Word, int] = {
        tuple(map(tokens.index, split_word(word, prefix))): count for word, count in words.items()
    }
    while len(tokens) < n_tokens:
        pairs = count_pairs(cut)
        singles = Counter[int]()
        for word, count in cut.items():
            for token in word:
                singles[token] += count
        scores = {
            (left, right): count / (singles[left] * singles[right])
            for (left, right), count in pairs.items()
            if count >= RAREST
        }
        if not scores:
            break
        best = min(scores, key=lambda pair: (-scores[pair], pair))
        name = tokens[best[0]] + tokens[best[1]].removeprefix(prefix)
        if name not in tokens:
            tokens.append(name)
        cut = _recount({word: merge_pair(word, best, tokens.index(name)) for word in cut}, cut)
    return tokens


def learn_wordpieces(words: Mapping[str, int], n_tokens: int, prefix: str = "##") -> list[str]:
    """The same tokens, found faster: only the scores that a merge changes are computed again."""
    tokens = _alphabet(words, prefix)
    numbers = {token: number for number, token in enumerate(tokens)}
    scores = _Scores({"".join(chr(numbers[part]) for part in split_word(word, prefix)): n for word, n in words.items()})
    while len(tokens) < n_tokens and (pair := scores.pop_best()) is not None:
        name = tokens[pair[0]] + tokens[pair[1]].removeprefix(prefix)
        if name not in numbers:
            numbers[name] = len(tokens)
            tokens.append(name)
        scores.merge(pair, numbers[name])
    return tokens


class _Scores:
    """The pairs of the words, best score first."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.index = PairIndex(words)
        self.singles: Counter[str] = Counter()
        for word, count in words.items():
            for token in word:
                self.singles[token] += count
        self.with_token: defaultdict[str, set[str]] = defaultdict(set)
        self.queue: list[tuple[float, str]] = []
        self._note(self.index.counts)
        self._queue_all("".join(self.singles))

    def pop_best(self) -> Pair | None:
        """The pair of the highest score, then of the smallest numbers; None when no pair is left."""
        while self.queue:
            negative_score, pair = heapq.heappop(self.queue)
            current = self._score(pair)
            if current == -negative_score:
                return ord(pair[0]), ord(pair[1])
            if current > 0:  # it has changed since it was queued
                heapq.heappush(self.queue, (-current, pair))
        return None

    def merge(self, pair: Pair, number: int) -> None:
        """Replace the pair everywhere, and queue every pair whose score that has changed."""
        left, right, merged = map(chr, (*pair, number))
        n_merged, grown = self.index.merge(left + right, merged)
        for token, difference in ((left, -n_merged), (right, -n_merged), (merged, n_merged)):
            self.singles[token] += difference
        self._note(grown)
        self._queue_all(left + right + merged)

    def _score(self, pair: str) -> float:
        count = self.index.counts.get(pair, 0)
        return count / (self.singles[pair[0]] * self.singles[pair[1]]) if count >= RAREST else 0.0

    def _note(self, pairs: Iterable[str]) -> None:
        for pair in pairs:
            self.with_token[pair[0]].add(pair)
            self.with_token[pair[1]].add(pair)

    def _queue_all(self, tokens: str) -> None:
        for pair in set().union(*(self.with_token[token] for token in tokens)):
            if (score := self._score(pair)) > 0:
                heapq.heappush(self.queue, (-score, pair))


def _alphabet(words: Mapping[str, int], prefix: str) -> list[str]:
    return sorted({token for word in words for token in split_word(word, prefix)})


def _recount(after: Mapping[Word, Word], counts: Mapping[Word, int]) -> Mapping[Word, int]:
    merged: Counter[Word] = Counter()
    for before, count in counts.items():
        merged[after[before]] += count
    return merged
