"""Counting as a language model: how often did each token follow the few tokens before it?"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Context = tuple[int, ...]


class NGram:
    """Predicts a token from the `order - 1` tokens before it, leaning on shorter contexts where counts are few.

    Each context trusts its own counts the more, the more it has been seen and the fewer kinds of tokens followed it;
    the rest of its trust goes to the context that is one token shorter, and below the empty one all tokens are equal.
    Source: Witten & Bell 1991, method C; interpolated as in Chen & Goodman 1999.
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        if order < 1 or vocab_size < 1:
            raise ValueError(f"order and vocab_size must be at least 1, not {order} and {vocab_size}.")
        self.order = order
        self.vocab_size = vocab_size
        self.followers: dict[Context, Counter[int]] = {}
        self.totals: dict[Context, int] = {}

    def fit(self, sequences: Iterable[Sequence[int]], n_given: int = 0) -> "NGram":
        """Counts the sequences, forgetting what was counted before, and returns itself.

        The first `n_given` ids of each are contexts only: a mark that starts every document is never predicted.
        """
        followers: defaultdict[Context, Counter[int]] = defaultdict(Counter)
        for sequence in sequences:
            ids = tuple(sequence)
            for end in range(n_given, len(ids)):
                self._check(ids[end])
                for start in range(max(0, end - self.order + 1), end + 1):
                    followers[ids[start:end]][ids[end]] += 1
        self.followers = dict(followers)
        self.totals = {context: counts.total() for context, counts in followers.items()}
        return self

    def prob(self, token: int, context: Sequence[int] = ()) -> float:
        """The probability of `token` after `context`, of which only the last `order - 1` ids matter."""
        self._check(token)
        chance = 1 / self.vocab_size
        for counts, total in self._seen(context):
            chance = (counts[token] + len(counts) * chance) / (total + len(counts))
        return chance

    def next_probs(self, context: Sequence[int] = ()) -> Float[Tensor, " V"]:
        """The probability of every token after `context`, in double precision."""
        probs = torch.full((self.vocab_size,), 1 / self.vocab_size, dtype=torch.float64)
        for counts, total in self._seen(context):
            probs *= len(counts)
            probs[list(counts)] += torch.tensor(list(counts.values()), dtype=torch.float64)
            probs /= total + len(counts)
        return probs

    def log_prob(self, sequence: Sequence[int], n_given: int = 0) -> float:
        """Nats of the sequence after its first `n_given` ids, each given all that come before it."""
        reach = self.order - 1
        return sum(
            math.log(self.prob(sequence[end], sequence[max(0, end - reach) : end]))
            for end in range(n_given, len(sequence))
        )

    def _seen(self, context: Sequence[int]) -> Iterator[tuple[Counter[int], int]]:
        """What followed the ends of `context`, from the empty one to the longest that was seen."""
        for length in range(min(self.order - 1, len(context)) + 1):
            end = tuple(context[len(context) - length :])
            if end not in self.followers:
                return  # then no longer one was seen either
            yield self.followers[end], self.totals[end]

    def _check(self, token: int) -> None:
        if not 0 <= token < self.vocab_size:
            raise ValueError(f"Token id {token} lies outside the vocabulary of {self.vocab_size}.")
