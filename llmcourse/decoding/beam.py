"""Beam search: follow several continuations at once, and keep those with the highest total log-probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from llmcourse.decoding.generate import reader
from llmcourse.model import Transformer


@dataclass(frozen=True)
class Hypothesis:
    """A continuation and its log-probability given the prompt, in nats; `ended` when it met an end token."""

    ids: tuple[int, ...]
    log_prob: float
    ended: bool

    def score(self, length_penalty: float) -> float:
        """Log-probability over length to the power of `length_penalty` (Wu et al. 2016, section 7, simplified)."""
        return self.log_prob / len(self.ids) ** length_penalty


@torch.no_grad()
def beam_search(
    model: Transformer,
    prompt: Int[Tensor, " T"],
    max_new_tokens: int,
    n_beams: int,
    *,
    eos: Sequence[int] = (),
    length_penalty: float = 0.0,
    source: Int[Tensor, "1 M"] | None = None,
    source_is_real: Bool[Tensor, "1 M"] | None = None,
) -> list[Hypothesis]:
    """The best continuations found, best first; at most `n_beams`, and not always the best there are.

    An encoder-decoder reads `source`, and its prompt is what the target begins with.
    Raises: ValueError for an empty prompt, no beams, or a negative length penalty.
    Source: Sutskever et al. 2014, section 3.2.
    """
    if len(prompt) == 0 or n_beams < 1 or max_new_tokens < 1 or length_penalty < 0:
        raise ValueError(
            "Beam search needs a prompt, n_beams >= 1, max_new_tokens >= 1 and length_penalty >= 0; "
            f"got {len(prompt)} tokens, {n_beams}, {max_new_tokens} and {length_penalty}."
        )
    next_logits = reader(model, source, source_is_real)
    cache = model.new_cache()
    live = [Hypothesis((), 0.0, False)]
    done: list[Hypothesis] = []
    unread = prompt[None]
    for _ in range(max_new_tokens):
        log_probs = next_logits(unread, cache=cache).log_softmax(dim=-1)
        totals = log_probs + log_probs.new_tensor([beam.log_prob for beam in live])[:, None]
        # enough candidates that n_beams go on even if each beam's every end token is among the best
        best, where = totals.flatten().topk(min(totals.numel(), n_beams * (len(eos) + 1)))
        rows: list[int] = []
        grown: list[Hypothesis] = []
        for log_prob, index in zip(best.tolist(), where.tolist(), strict=True):
            row, token = divmod(index, totals.shape[-1])
            hypothesis = Hypothesis((*live[row].ids, token), log_prob, token in eos)
            if hypothesis.ended:
                done.append(hypothesis)
            elif len(grown) < n_beams:
                rows.append(row)
                grown.append(hypothesis)
        live = grown
        done = _best(done, n_beams, length_penalty)
        if not live or _is_settled(live, done, n_beams, max_new_tokens, length_penalty):
            break
        cache.reorder(torch.tensor(rows))
        unread = prompt.new_tensor([[beam.ids[-1]] for beam in live])
    return _best(done + live, n_beams, length_penalty)


def _best(hypotheses: list[Hypothesis], n: int, length_penalty: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: -h.score(length_penalty))[:n]


def _is_settled(
    live: list[Hypothesis], done: list[Hypothesis], n_beams: int, max_new_tokens: int, length_penalty: float
) -> bool:
    """True once no live beam can still overtake the worst ended one: growing only lowers a log-probability."""
    ceiling = max(beam.log_prob for beam in live) / max_new_tokens**length_penalty
    return len(done) == n_beams and done[-1].score(length_penalty) >= ceiling
