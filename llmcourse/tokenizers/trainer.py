"""The same merges as the slow learner, found fast: only what stands beside a merged pair is counted again.

A word is a string here, each id one character of it, and words that occur equally often stand in one string, because
Python finds every place of a pair in a string without any loop of ours.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from llmcourse.tokenizers.pairs import N_BYTES, Pair, Word

EDGE = chr(0x10FFFF)  # stands between words, where no pair is
N_LETTERS = 500  # of words in one string: longer ones take longer to search, more of them take more steps of ours


class PairIndex:
    """Words under merging, the count of every pair in them, and the strings of words where each pair may occur."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.strings: list[str] = []
        self.frequencies: list[int] = []  # of each word in each string
        self.places: defaultdict[str, set[int]] = defaultdict(set)
        alike: defaultdict[int, list[str]] = defaultdict(list)
        for word, frequency in words.items():
            alike[frequency].append(word)
        for frequency, group in alike.items():
            for string in _strings(group):
                for pair, n in Counter(map(str.__add__, string, string[1:])).items():
                    if EDGE not in pair:
                        self.counts[pair] += n * frequency
                        self.places[pair].add(len(self.strings))
                self.strings.append(string)
                self.frequencies.append(frequency)

    def merge(self, pair: str, merged: str) -> tuple[int, list[str]]:
        """Replace the pair by `merged` in every word; how often that was done, and which pairs count for more now."""
        left, right = pair[0], pair[1]
        n_merged = 0
        before: defaultdict[str, list[int]] = defaultdict(list)  # each neighbour, and the places where it is one
        after: defaultdict[str, list[int]] = defaultdict(list)
        for place in self.places.pop(pair):
            parts = self.strings[place].split(pair)  # from the left, so that in `aaa` only the first two merge
            self.strings[place] = merged.join(parts)
            n_merged += (len(parts) - 1) * self.frequencies[place]
            for part, next_part in pairwise(parts):
                before[part[-1:]].append(place)
                after[next_part[:1]].append(place)
        after.pop("", None)  # of two that stand side by side, the second tells
        moved = [(right + left, merged + merged, places) for places in (before.pop("", None),) if places]
        moved += [(letter + left, letter + merged, places) for letter, places in before.items() if letter != EDGE]
        moved += [(right + letter, merged + letter, places) for letter, places in after.items() if letter != EDGE]
        return n_merged, self._count_again(pair, moved)

    def _count_again(self, merged_pair: str, moved: Iterable[tuple[str, str, list[int]]]) -> list[str]:
        """Counts what was one pair and is another now, once for each place; the pairs that count for more."""
        changes: defaultdict[str, int] = defaultdict(int)
        for old, new, places in moved:
            n = sum(map(self.frequencies.__getitem__, places))
            changes[old] -= n
            changes[new] += n
            self.places[new].update(places)
        del self.counts[merged_pair]
        changes.pop(merged_pair, None)  # in `aaa` the pair stands beside itself
        for pair, difference in changes.items():
            self.counts[pair] += difference
        return [pair for pair, difference in changes.items() if difference > 0]


def _strings(words: Iterable[str]) -> Iterator[str]:
    """The words in strings of about `N_LETTERS`, with an edge before and after each."""
    string = EDGE
    for word in words:
        string += word + EDGE
        if len(string) > N_LETTERS:
            yield string
            string = EDGE
    yield string


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
