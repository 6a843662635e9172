"""Counting as a language model: how often did each token follow the few tokens before it?"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Context = tuple[int, ...]


class NGram:
    """Predicts a token from the `order - 1` tokens before it, leaning on shorter contexts where counts are few.

    Interpolated Kneser-Ney: each count gives up a discount, which is shared out as the next shorter context says; and a
    shorter context counts in how many different company a token was seen, not how often.
    Source: Chen & Goodman 1999, section 2.7; the discount from their equation 18.
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        if order < 1 or vocab_size < 1:
            raise ValueError(f"order and vocab_size must be at least 1, not {order} and {vocab_size}.")
        self.order = order
        self.vocab_size = vocab_size
        # one table per context length: context -> what followed it, and how often
        self.tables: list[dict[Context, Counter[int]]] = [{} for _ in range(order)]
        self.totals: list[dict[Context, int]] = [{} for _ in range(order)]
        self.discounts = [0.0] * order

    def fit(self, sequences: Iterable[Sequence[int]], n_given: int = 0) -> "NGram":
        """Counts the sequences, forgetting what was counted before, and returns itself.

        The first `n_given` ids of each are contexts only: a mark that starts every document is never predicted.
        """
        self.tables = [defaultdict(Counter) for _ in range(self.order)]
        seen: list[set[Context]] = [set() for _ in range(self.order)]
        for sequence in sequences:
            ids = tuple(sequence)
            for end in range(n_given, len(ids)):
                self._count(ids, end, seen)
        self.totals = [{context: row.total() for context, row in table.items()} for table in self.tables]
        self.discounts = [_discount(table) for table in self.tables]
        return self

    def prob(self, token: int, context: Sequence[int] = ()) -> float:
        """The probability of `token` after `context`, of which only the last `order - 1` ids matter."""
        self._check(token)
        last = tuple(context[-(self.order - 1) :]) if self.order > 1 else ()
        chance = 1.0 / self.vocab_size
        for length in range(len(last) + 1):
            here = last[len(last) - length :]
            row = self.tables[length].get(here)
            if row is None:
                break  # then no longer context was seen either
            discount, total = self.discounts[length], self.totals[length][here]
            kept = max(row.get(token, 0) - discount, 0.0)
            chance = (kept + discount * len(row) * chance) / total
        return chance

    def next_probs(self, context: Sequence[int] = ()) -> Float[Tensor, " V"]:
        """The probability of every token after `context`, in double precision."""
        last = tuple(context[-(self.order - 1) :]) if self.order > 1 else ()
        probs = torch.full((self.vocab_size,), 1.0 / self.vocab_size, dtype=torch.float64)
        for length in range(len(last) + 1):
            here = last[len(last) - length :]
            row = self.tables[length].get(here)
            if row is None:
                break
            discount, total = self.discounts[length], self.totals[length][here]
            probs *= discount * len(row) / total
            tokens = torch.tensor(list(row.keys()))
            counts = torch.tensor(list(row.values()), dtype=torch.float64)
            probs[tokens] += (counts - discount).clamp(min=0.0) / total
        return probs

    def log_prob(self, sequence: Sequence[int], n_given: int = 0) -> float:
        """Nats of the sequence after its first `n_given` ids, each given all that come before it."""
        reach = self.order - 1
        return sum(
            math.log(self.prob(sequence[end], sequence[max(0, end - reach) : end]))
            for end in range(n_given, len(sequence))
        )

    def _count(self, ids: Context, end: int, seen: list[set[Context]]) -> None:
        token = ids[end]
        self._check(token)
        for length in range(min(self.order - 1, end), -1, -1):
            gram = ids[end - length : end + 1]
            self.tables[length][gram[:-1]][token] += 1
            if gram in seen[length]:
                return  # its shorter forms have met this company before
            seen[length].add(gram)

    def _check(self, token: int) -> None:
        if not 0 <= token < self.vocab_size:
            raise ValueError(f"Token id {token} lies outside the vocabulary of {self.vocab_size}.")


def _discount(table: dict[Context, Counter[int]]) -> float:
    """What each count gives up: n1 / (n1 + 2 n2), with n1 and n2 the numbers of counts that are 1 and 2."""
    sizes = Counter(count for row in table.values() for count in row.values())
    once, twice = sizes[1], sizes[2]
    # without a single count of 1 the formula gives up nothing, and a token never seen would be impossible
    return once / (once + 2 * twice) if once and twice else 0.5
