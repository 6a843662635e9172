"""Beam search: follow several continuations at once, and keep those with the highest total log-probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.decoding.reading import LanguageModel, Reader, bind
from llmcourse.decoding.stopping import Ending
from llmcourse.decoding.transforms import LogitTransform


@dataclass(frozen=True)
class Hypothesis:
    """A continuation and its log-probability given the prompt, in nats; `ended` when it met an end."""

    ids: tuple[int, ...]
    log_prob: float
    ended: bool

    def score(self, length_penalty: float) -> float:
        """Log-probability over length to the power of `length_penalty` (Wu et al. 2016, section 7, simplified)."""
        return self.log_prob / len(self.ids) ** length_penalty


def beam_search(
    model: LanguageModel,
    prompt: Int[Tensor, " T"],
    max_new_tokens: int,
    n_beams: int,
    *,
    n_best: int | None = None,
    eos: Sequence[int] = (),
    stop: Sequence[Sequence[int]] = (),
    length_penalty: float = 0.0,
    early_stopping: bool = False,
    transform: LogitTransform | None = None,
    source: Int[Tensor, "1 M"] | None = None,
    source_is_real: Bool[Tensor, "1 M"] | None = None,
) -> list[Hypothesis]:
    """The `n_best` best continuations found, best first: at most `n_beams`, and not always the best there are.

    The search goes on while anything better may come; with `early_stopping` only until `n_beams` have ended, or the
    limit of `stream` is reached. Log-probabilities are those after the `transform`.
    An encoder-decoder reads `source`, and its prompt is what the target begins with.
    Raises: ValueError for a prompt that `stream` would refuse, no beams, more best than beams, a negative penalty.
    Source: Sutskever et al. 2014, section 3.2.
    """
    n_best = n_beams if n_best is None else n_best
    if not 1 <= n_best <= n_beams or length_penalty < 0:
        raise ValueError(
            "Beam search needs n_beams >= 1, n_best between 1 and n_beams, and length_penalty >= 0; "
            f"got {n_beams}, {n_best} and {length_penalty}."
        )
    reader = Reader(bind(model, source, source_is_real), is_tree=True)
    room = reader.check(prompt[None], max_new_tokens)
    ending = Ending.of(eos, stop)
    live = [Hypothesis((), 0.0, False)]
    done: list[Hypothesis] = []
    ids = prompt[None]
    for _ in range(room):
        logits = reader.logits(ids)[:, -1]
        log_probs = (logits if transform is None else transform(logits, ids)).log_softmax(dim=-1)
        rows, live, ended = _grow(live, log_probs, n_beams, ending)
        done = _best(done + ended, n_beams, length_penalty)
        if not live:
            break
        if len(done) == n_beams and (early_stopping or _is_settled(live, done, room, length_penalty)):
            return done[:n_best]
        reader.reorder(order := torch.tensor(rows, device=ids.device))
        newest = ids.new_tensor([[beam.ids[-1]] for beam in live])
        ids = torch.cat((ids.index_select(0, order), newest), dim=-1)
    return _best(done + live, n_best, length_penalty)


def _grow(
    live: list[Hypothesis], log_probs: Float[Tensor, "B V"], n_beams: int, ending: Ending
) -> tuple[list[int], list[Hypothesis], list[Hypothesis]]:
    """The best `n_beams` that go on, after the rows that they come from, and those that ended on the way."""
    totals = log_probs + log_probs.new_tensor([beam.log_prob for beam in live])[:, None]
    # enough candidates that n_beams go on even if each beam's every end is among the best
    n_ends = len(ending.eos) + len(ending.stop)
    best, where = totals.flatten().topk(min(totals.numel(), n_beams * (n_ends + 1)))
    rows: list[int] = []
    grown: list[Hypothesis] = []
    ended: list[Hypothesis] = []
    for log_prob, index in zip(best.tolist(), where.tolist(), strict=True):
        if log_prob == float("-inf"):  # what cannot be said
            break
        row, token = divmod(index, totals.shape[-1])
        ids = (*live[row].ids, token)
        if ending.met_by(ids):
            ended.append(Hypothesis(ids, log_prob, True))
        elif len(grown) < n_beams:
            rows.append(row)
            grown.append(Hypothesis(ids, log_prob, False))
    return rows, grown, ended


def _best(hypotheses: list[Hypothesis], n: int, length_penalty: float) -> list[Hypothesis]:
    return sorted(hypotheses, key=lambda h: -h.score(length_penalty))[:n]


def _is_settled(live: list[Hypothesis], done: list[Hypothesis], max_new_tokens: int, length_penalty: float) -> bool:
    """True once no live beam can still overtake the worst ended one: growing only lowers a log-probability."""
    ceiling = max(beam.log_prob for beam in live) / max_new_tokens**length_penalty
    return done[-1].score(length_penalty) >= ceiling
