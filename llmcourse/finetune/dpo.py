"""Direct preference optimisation: learn from pairs of answers with no reward model in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.data import Batch
from llmcourse.finetune.examples import ExampleBatches
from llmcourse.finetune.pairs import Preference, answer_log_probs, bradley_terry_nats, encode_pair
from llmcourse.finetune.sft import ChatExample, ChatTemplate, sft_batch
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import Objective, evaluation_mode, next_token_nats


@dataclass(frozen=True)
class DpoPair:
    """The two chats of a pair, and how likely the reference is to give either answer, in nats."""

    chosen: ChatExample
    rejected: ChatExample
    reference: tuple[float, float]


@dataclass(frozen=True)
class PairBatch(Batch):
    """The chosen and the rejected answer of each pair in turn, with the reference's log-probability of each row.

    It counts pairs, not tokens: a long answer weighs no more than a short one.
    """

    reference: Float[Tensor, " B"]

    @cached_property
    def n_targets(self) -> int:
        return len(self.inputs) // 2

    def to(self, device: torch.device) -> "PairBatch":
        return PairBatch(self.inputs.to(device), self.targets.to(device), self.reference.to(device))


def dpo_pairs(
    records: Sequence[Preference], reference: Transformer, tokenizer: ByteBPE, template: ChatTemplate | None = None
) -> list[DpoPair]:
    """The records as chats. The reference never changes, so it reads each of them once, here."""
    pairs = [encode_pair(record, tokenizer, template) for record in records]
    log_probs = answer_log_probs(reference, [chat for pair in pairs for chat in pair]).view(-1, 2).tolist()
    return [DpoPair(*pair, reference=tuple(both)) for pair, both in zip(pairs, log_probs, strict=True)]


def dpo_batch(pairs: Sequence[DpoPair]) -> PairBatch:
    """Pairs padded on the right; targets are the tokens of the answers and their ends."""
    rows = sft_batch([chat for pair in pairs for chat in (pair.chosen, pair.rejected)])
    return PairBatch(rows.inputs, rows.targets, torch.tensor([each for pair in pairs for each in pair.reference]))


def dpo_batches(pairs: Sequence[DpoPair], batch_size: int = 8, seed: int = 0) -> ExampleBatches[DpoPair]:
    """Batches of pairs for `train`; `batch_size` counts pairs."""
    return ExampleBatches(pairs, dpo_batch, batch_size, seed)


def implicit_rewards(
    log_probs: Float[Tensor, "*rows"], reference: Float[Tensor, "*rows"], beta: float
) -> Float[Tensor, "*rows"]:
    """The reward for which the tuned model would be the best one: `beta` times its log-odds against the reference.

    It leaves out a part that depends on the prompt alone, and cancels between two answers.
    """
    return beta * (log_probs - reference)


def dpo_nats(
    log_probs: Float[Tensor, "pairs 2"], reference: Float[Tensor, "pairs 2"], beta: float
) -> Float[Tensor, " pairs"]:
    """The surprise at each preference, in nats, where implicit rewards decide; the chosen answer stands first.

    Source: Rafailov et al. 2023.
    """
    better, worse = implicit_rewards(log_probs, reference, beta).unbind(dim=1)
    return bradley_terry_nats(better, worse)


def dpo_objective(beta: float = 0.1) -> Objective:
    """What DPO minimises, for `train`: the higher `beta`, the closer the model stays to the reference.

    Raises: ValueError unless beta > 0; and from the objective, for batches that are none of pairs.
    """
    if not beta > 0:
        raise ValueError(f"beta must be positive, not {beta}.")

    def objective(model: nn.Module, batch: Batch) -> Float[Tensor, "pairs 1"]:
        if not isinstance(batch, PairBatch):
            raise ValueError(f"DPO trains on batches of pairs, which dpo_batches gives, not on {type(batch).__name__}.")
        log_probs = -next_token_nats(model, batch).sum(dim=1)
        return dpo_nats(log_probs.view(-1, 2), batch.reference.view(-1, 2), beta)[:, None]

    return objective


def implicit_margins(
    model: Transformer, pairs: Sequence[DpoPair], beta: float, batch_size: int = 16
) -> Float[Tensor, " pairs"]:
    """By how much the implicit reward of each chosen answer exceeds that of the rejected one, with dropout off."""
    device = next(model.parameters()).device
    found = []
    with evaluation_mode(model), torch.no_grad():
        for first in range(0, len(pairs), batch_size):
            batch = dpo_batch(pairs[first : first + batch_size]).to(device)
            log_probs = -next_token_nats(model, batch).sum(dim=1)
            rewards = implicit_rewards(log_probs, batch.reference, beta).view(-1, 2)
            found.append(rewards[:, 0] - rewards[:, 1])
    return torch.cat(found).cpu()
