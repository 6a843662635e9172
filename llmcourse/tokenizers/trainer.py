"""The same merges as the slow learner, found fast: only the words that a merge touches are counted again."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

from llmcourse.tokenizers.pairs import N_BYTES, Pair, Word, count_pairs, merge_pair


class PairIndex:
    """Words under merging, the count of every pair in them, and the words where each pair occurs."""

    def __init__(self, words: Mapping[Word, int]) -> None:
        self.words = list(words)
        self.frequencies = list(words.values())
        self.counts = count_pairs(words)
        self.places: defaultdict[Pair, set[int]] = defaultdict(set)
        for place, word in enumerate(self.words):
            for pair in pairwise(word):
                self.places[pair].add(place)
        self.queue = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.queue)

    def pop_commonest(self) -> Pair | None:
        """The pair of the highest count, then of the smallest ids; None when no pair is left."""
        while self.queue:
            negative_count, pair = heapq.heappop(self.queue)
            if self.counts[pair] == -negative_count > 0:  # else the entry is older than the pair's last change
                return pair
        return None

    def merge(self, pair: Pair, new_id: int) -> None:
        """Replace the pair by `new_id` in every word that holds it, and bring the counts up to date."""
        changes: Counter[Pair] = Counter()
        for place in self.places.pop(pair):
            before, frequency = self.words[place], self.frequencies[place]
            after = merge_pair(before, pair, new_id)
            for old in pairwise(before):
                changes[old] -= frequency
            for new in pairwise(after):
                changes[new] += frequency
                self.places[new].add(place)
            self.words[place] = after
        for changed, difference in changes.items():
            if difference:
                self.counts[changed] += difference
                heapq.heappush(self.queue, (-self.counts[changed], changed))


def learn_merges(words: Mapping[Word, int], n_merges: int) -> list[Pair]:
    """The first `n_merges` merges, or fewer when no pair is left; equal to `learn_merges_slowly`."""
    index = PairIndex(words)
    merges: list[Pair] = []
    while len(merges) < n_merges and (pair := index.pop_commonest()) is not None:
        index.merge(pair, N_BYTES + len(merges))
        merges.append(pair)
    return merges
