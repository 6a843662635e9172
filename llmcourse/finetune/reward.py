"""A model of what is preferred: one number for an answer, learned from pairs of which one answer is the better."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.data import Batch
from llmcourse.finetune.classify import is_real_in, label_batch
from llmcourse.finetune.examples import Accuracy, ExampleBatches
from llmcourse.finetune.pairs import Preference, bradley_terry_nats, encode_pair
from llmcourse.finetune.rehead import with_head
from llmcourse.finetune.sft import ChatExample, ChatTemplate
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode

CHOSEN, REJECTED = 1, 0
Pair = tuple[ChatExample, ChatExample]


def reward_model(base: Transformer, attend: Attend | None = None) -> Transformer:
    """A copy of the layers of `base` under a head that reads one number off a chat's last token: its reward.

    All answers start equally good. It is saved and loaded like any other model.
    Source: Christiano et al. 2017; for language models Ouyang et al. 2022.
    """
    model = with_head(base, attend, head="classify", n_labels=1, pool="last", pooler=False)
    for name, weight in model.named_parameters():
        if name.startswith("head."):
            nn.init.zeros_(weight)
    return model


def reward_batch(pairs: Sequence[Pair]) -> Batch:
    """Whole chats, the chosen and the rejected one of each pair in turn, labelled at the last token of each."""
    labelled = zip((CHOSEN, REJECTED) * len(pairs), (chat for pair in pairs for chat in pair), strict=True)
    return label_batch([(chat.ids, label) for label, chat in labelled])


def reward_batches(
    records: Sequence[Preference],
    tokenizer: ByteBPE,
    batch_size: int = 8,
    seed: int = 0,
    template: ChatTemplate | None = None,
) -> ExampleBatches[Pair]:
    """Batches of pairs; `batch_size` counts pairs."""
    return ExampleBatches([encode_pair(r, tokenizer, template) for r in records], reward_batch, batch_size, seed)


def pair_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B 1"]:
    """What reward training minimises: each pair's surprise at its preference, in nats. Pass it as `objective`.

    Both rows of a pair carry it, so that the mean over rows is the mean over pairs.
    """
    better, worse = pair_rewards(model, batch).unbind(dim=1)
    return bradley_terry_nats(better, worse).repeat_interleave(2)[:, None]


def pair_rewards(model: nn.Module, batch: Batch) -> Float[Tensor, "pairs 2"]:
    """The rewards of each pair's chosen and rejected answer. Raises: ValueError unless the rows come in such pairs."""
    labels = batch.targets[batch.is_target].tolist()
    if labels != [CHOSEN, REJECTED] * (len(labels) // 2):
        raise ValueError(f"Rows come in pairs, the chosen answer first, labelled 1 and 0; these are {labels[:8]}.")
    rewards: Tensor = model(batch.inputs, is_real=is_real_in(batch))
    return rewards.view(-1, 2)


def margins(
    model: Transformer,
    tokenizer: ByteBPE,
    records: Sequence[Preference],
    template: ChatTemplate | None = None,
    batch_size: int = 16,
) -> Float[Tensor, " pairs"]:
    """By how much each chosen answer is worth more than the rejected one, with dropout off."""
    device = next(model.parameters()).device
    found = []
    with evaluation_mode(model), torch.no_grad():
        for batch in reward_batches(records, tokenizer, batch_size, template=template).in_order():
            rewards = pair_rewards(model, batch.to(device))
            found.append(rewards[:, 0] - rewards[:, 1])
    return torch.cat(found).cpu()


def margin_accuracy(margins: Float[Tensor, " pairs"]) -> Accuracy:
    """How many of the pairs are ranked as they were given; a tie ranks nothing, and counts as wrong."""
    return Accuracy(int((margins > 0).sum()), len(margins))


@dataclass(frozen=True)
class Bin:
    """Pairs of which the model is about equally sure."""

    n: int
    claimed: float  # how sure it is on average that its choice is the preferred one
    right: float  # how often it is


def calibration(margins: Float[Tensor, " pairs"], n_bins: int = 5) -> list[Bin]:
    """The pairs by how sure the model is of its own choice, from 1/2 to 1 in equal steps; empty steps are left out.

    Source: Guo et al. 2017.
    """
    if n_bins < 1 or not len(margins):
        raise ValueError(f"Calibration needs pairs and at least 1 bin, not {len(margins)} and {n_bins}.")
    sure = margins.double().abs().sigmoid()
    number = ((sure - 0.5) * 2 * n_bins).long().clamp(max=n_bins - 1)
    bins = []
    for here in (number == place for place in range(n_bins)):
        if here.any():
            bins.append(Bin(int(here.sum()), float(sure[here].mean()), float((margins[here] > 0).double().mean())))
    return bins


def calibration_gap(bins: Sequence[Bin]) -> float:
    """The mean distance between how sure the model is and how often it is right, weighted by the pairs in each bin.

    Source: Guo et al. 2017, who call it the expected calibration error.
    """
    return math.fsum(each.n * abs(each.claimed - each.right) for each in bins) / sum(each.n for each in bins)
