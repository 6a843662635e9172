"""The same merges as the slow learner, found fast: only what stands beside a merged pair is counted again.

A word is a string here, each id one character of it, because Python finds a pair in a string without any loop of ours.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping

from llmcourse.tokenizers.pairs import N_BYTES, Pair, Word


class PairIndex:
    """Words under merging, the count of every pair in them, and the words where each pair may occur."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.words = list(words)
        self.frequencies = list(words.values())
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.places: defaultdict[str, set[int]] = defaultdict(set)
        for place, (word, frequency) in enumerate(words.items()):
            for pair in map(str.__add__, word, word[1:]):
                self.counts[pair] += frequency
                self.places[pair].add(place)

    def merge(self, pair: str, merged: str) -> tuple[int, list[str]]:
        """Replace the pair by `merged` in every word; how often that was done, and which pairs count for more now."""
        left, right = pair[0], pair[1]
        changes: defaultdict[str, int] = defaultdict(int)
        n_merged = 0
        for place in self.places.pop(pair):
            word, frequency = self.words[place], self.frequencies[place]
            at = word.find(pair)
            while at >= 0:
                for old, new in _beside(word, at, left, right, merged):
                    changes[old] -= frequency
                    changes[new] += frequency
                    self.places[new].add(place)
                word = word[:at] + merged + word[at + 2 :]
                n_merged += frequency
                at = word.find(pair, at + 1)
            self.words[place] = word
        del self.counts[pair]
        changes.pop(pair, None)  # in `aaa` the pair stands beside itself
        for changed, difference in changes.items():
            self.counts[changed] += difference
        return n_merged, [changed for changed, difference in changes.items() if difference > 0]


def _beside(word: str, at: int, left: str, right: str, merged: str) -> list[tuple[str, str]]:
    """What the two neighbours of the pair at this place are part of, before and after it merges."""
    beside = [(word[at - 1] + left, word[at - 1] + merged)] if at else []
    return [*beside, (right + word[at + 2], merged + word[at + 2])] if at + 2 < len(word) else beside


def learn_merges(words: Mapping[Word, int], n_merges: int) -> list[Pair]:
    """The first `n_merges` merges, or fewer when no pair is left; equal to `learn_merges_slowly`."""
    index = PairIndex({"".join(map(chr, word)): frequency for word, frequency in words.items()})
    queue = [(-count, pair) for pair, count in index.counts.items()]
    heapq.heapify(queue)
    merges: list[Pair] = []
    while queue and len(merges) < n_merges:
        negative_count, pair = heapq.heappop(queue)  # of equal counts, the smallest pair
        count = index.counts.get(pair, 0)
        if count == -negative_count:
            _, grown = index.merge(pair, chr(N_BYTES + len(merges)))
            merges.append((ord(pair[0]), ord(pair[1])))
            for other in grown:
                heapq.heappush(queue, (-index.counts[other], other))
        elif count > 0:  # it has shrunk since it was queued
            heapq.heappush(queue, (-count, pair))
    return merges
