"""Byte-pair encoding in four short functions: count neighbours, merge one pair, learn merges, apply them."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

Word = tuple[int, ...]
Pair = tuple[int, int]
Symbol = TypeVar("Symbol")

N_BYTES = 256


def count_pairs(words: Mapping[tuple[Symbol, ...], int]) -> Counter[tuple[Symbol, Symbol]]:
    """How often each two neighbours stand side by side, given how often each word occurs.

    Overlapping occurrences all count: `aaa` holds the pair `aa` twice.
    """
    counts: Counter[tuple[Symbol, Symbol]] = Counter()
    for word, frequency in words.items():
        for pair in pairwise(word):
            counts[pair] += frequency
    return counts


def merge_pair(
    word: tuple[Symbol, ...],
    pair: tuple[Symbol, Symbol],
    merged: Symbol,
) -> tuple[Symbol, ...]:
    """The word with every occurrence of the pair, from the left, made `merged`."""
    result: list[Symbol] = []
    position = 0
    while position < len(word):
        if word[position : position + 2] == pair:
            result.append(merged)
            position += 2  # both are used up: in `aaa` only the first two merge
        else:
            result.append(word[position])
            position += 1
    return tuple(result)


def learn_merges_slowly(words: Mapping[Word, int], n_merges: int) -> list[Pair]:
    """The first `n_merges` merges, or fewer when no pair is left.

    The commonest pair merges first; equal counts go to the smallest pair of ids.
    Merge number `i`, counted from 0, makes the id `256 + i`.
    Source: Sennrich et al. 2016, section 3.2.
    """
    merges: list[Pair] = []
    while len(merges) < n_merges and (counts := count_pairs(words)):
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        new_id = N_BYTES + len(merges)
        words = {merge_pair(word, best, new_id): n for word, n in words.items()}
        merges.append(best)
    return merges


def apply_merges(word: Word, new_ids: Mapping[Pair, int]) -> Word:
    """The word after all merges that fit it, earliest learned first.

    `new_ids` gives the id that each pair becomes; a lower id was learned earlier.
    """
    while candidates := [pair for pair in pairwise(word) if pair in new_ids]:
        first = min(candidates, key=new_ids.__getitem__)
        word = merge_pair(word, first, new_ids[first])
    return word
