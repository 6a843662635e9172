"""Learning from a reward that can be checked: of several answers of its own, a model repeats the better ones."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from llmcourse.data import Batch
from llmcourse.data.batching import permutation
from llmcourse.finetune.rollouts import draw_answers, spoken
from llmcourse.finetune.sft import ChatTemplate, Instruction, Turn, encode_prompt, sft_batch
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import Objective, evaluation_mode, next_token_nats

Reward = Callable[[Instruction, str], float]


@dataclass(frozen=True, kw_only=True)
class GrpoConfig:
    """How a model draws answers, and how far one update may move it. Raises: ValueError that names the rule."""

    n_prompts: int = 8  # in each batch
    n_samples: int = 8  # answers to each prompt: a group
    max_new_tokens: int = 24
    updates: int = 1  # steps that learn from the same answers before new ones are drawn
    clip: float = 0.2  # how far a token's odds against those that it was drawn with may count
    beta: float = 0.04  # weight of the KL divergence from the reference
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_prompts", 1), ("n_samples", 2), ("max_new_tokens", 1), ("updates", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}.")
        if not 0 < self.clip < 1 or self.beta < 0:
            raise ValueError(f"Need 0 < clip < 1 and beta >= 0, not clip={self.clip}, beta={self.beta}.")


@dataclass(frozen=True)
class RolloutBatch(Batch):
    """Answers that the model drew, all answers to a prompt together, with what they are worth.

    It counts answers, not tokens: a long answer weighs no more than a short one.
    """

    drawn_with: Float[Tensor, "B T"]  # log-probabilities under the model that drew them
    reference: Float[Tensor, "B T"]  # and under the reference
    advantages: Float[Tensor, " B"]

    @cached_property
    def n_targets(self) -> int:
        return len(self.inputs)

    def to(self, device: torch.device) -> "RolloutBatch":
        rest = (self.drawn_with.to(device), self.reference.to(device), self.advantages.to(device))
        return RolloutBatch(self.inputs.to(device), self.targets.to(device), *rest)


def is_right(record: Instruction, said: str) -> float:
    """The reward that can be checked: 1 for the true answer, letter by letter, and 0 for any other."""
    return float(said == record.answer)


def group_advantages(rewards: Float[Tensor, "groups samples"]) -> Float[Tensor, "groups samples"]:
    """By how many standard deviations of its group each reward exceeds the group's mean.

    All 0 in a group whose rewards are equal: such a group tells nothing.
    Source: Shao et al. 2024. The deviation is that of the group as a whole, divided by its size.
    """
    from_mean = rewards - rewards.mean(dim=1, keepdim=True)
    spread = rewards.std(dim=1, correction=0, keepdim=True)
    is_level = rewards.amax(dim=1, keepdim=True) == rewards.amin(dim=1, keepdim=True)
    return torch.where(is_level, 0.0, from_mean / torch.where(is_level, 1.0, spread))


def k3(log_probs: Float[Tensor, "*rows"], reference: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows"]:
    """An estimate of the KL divergence from the reference at tokens that the model drew, in nats; never below 0.

    Its mean is the divergence. Source: Schulman 2020, whose third estimator it is.
    """
    log_odds = reference - log_probs
    return log_odds.expm1() - log_odds


def grpo_loss(
    log_probs: Float[Tensor, "B T"],
    drawn_with: Float[Tensor, "B T"],
    reference: Float[Tensor, "B T"],
    advantages: Float[Tensor, " B"],
    is_answer: Bool[Tensor, "B T"],
    *,
    clip: float = 0.2,
    beta: float = 0.04,
) -> Float[Tensor, " B"]:
    """Each answer's loss: the mean over its tokens of the clipped gain with its sign turned, and the KL's share.

    Source: Shao et al. 2024; the clipping from Schulman et al. 2017.
    """
    ratio = (log_probs - drawn_with).exp()
    gain = advantages[:, None] * ratio
    clipped = advantages[:, None] * ratio.clamp(1 - clip, 1 + clip)
    each = beta * k3(log_probs, reference) - torch.minimum(gain, clipped)
    return torch.where(is_answer, each, 0.0).sum(dim=1) / is_answer.sum(dim=1)


def grpo_objective(config: GrpoConfig) -> Objective:
    """What GRPO minimises, for `train`. The objective raises ValueError for batches that are none of rollouts."""

    def objective(model: nn.Module, batch: Batch) -> Float[Tensor, "B 1"]:
        if not isinstance(batch, RolloutBatch):
            raise ValueError(f"GRPO trains on the batches of Rollouts, not on {type(batch).__name__}.")
        log_probs = -next_token_nats(model, batch)
        old, reference, is_answer = batch.drawn_with, batch.reference, batch.is_target
        limits = {"clip": config.clip, "beta": config.beta}
        return grpo_loss(log_probs, old, reference, batch.advantages, is_answer, **limits)[:, None]

    return objective


@dataclass(frozen=True)
class RolloutRecord:
    """What one drawing of answers gave."""

    step: int  # the first that learns from it
    reward: float  # mean over all answers
    n_telling: int  # groups whose rewards differ, which alone teach anything but to stay near the reference
    n_tokens: float  # mean length of an answer, with its end
    kl: float  # mean k3 per answer, in nats


class Rollouts:
    """Batches for `train` that the model in training draws itself, and a reward rates; `log` tells of each drawing.

    What is drawn at a step depends on the step and on the model's weights alone, so a resumed run draws the same;
    with more than one update per drawing, if it is resumed where a drawing begins.
    """

    def __init__(
        self,
        model: Transformer,
        reference: Transformer,
        records: Sequence[Instruction],
        tokenizer: ByteBPE,
        config: GrpoConfig,
        *,
        reward: Reward = is_right,
        template: ChatTemplate | None = None,
    ) -> None:
        if not records:
            raise ValueError("There are no questions to draw answers to.")
        self.model, self.reference, self.records, self.tokenizer = model, reference, records, tokenizer
        self.config, self.reward, self.template = config, reward, template or ChatTemplate()
        self.prompts = [encode_prompt([Turn("user", each.text)], tokenizer, self.template) for each in records]
        self.log: list[RolloutRecord] = []
        self._drawn: tuple[int, RolloutBatch] | None = None

    def batch(self, step: int) -> RolloutBatch:
        """The answers that this step learns from."""
        turn = step // self.config.updates
        if self._drawn is None or self._drawn[0] != turn:
            self._drawn = (turn, self._draw(turn))
        return self._drawn[1]

    def _draw(self, turn: int) -> RolloutBatch:
        config = self.config
        asked = [self._question(turn * config.n_prompts + i) for i in range(config.n_prompts)]
        device = next(self.model.parameters()).device
        generator = torch.Generator(device).manual_seed(random.Random(f"rollouts {config.seed} {turn}").getrandbits(63))
        answers = draw_answers(
            self.model,
            [self.prompts[i] for i in asked],
            self.tokenizer.special_id(self.template.end),
            n_samples=config.n_samples,
            max_new_tokens=config.max_new_tokens,
            generator=generator,
        )
        questions = [self.records[i] for i in asked for _ in range(config.n_samples)]
        said = [spoken(answer, self.tokenizer, self.template) for answer in answers]
        rewards = torch.tensor([self.reward(*both) for both in zip(questions, said, strict=True)])
        rewards = rewards.view(-1, config.n_samples)
        rows = sft_batch(answers)
        old, reference = (self._log_probs(model, rows.to(device)) for model in (self.model, self.reference))
        kl = torch.where(rows.is_target, k3(old, reference), 0.0).sum(dim=1)
        n_telling = int((rewards.amax(dim=1) > rewards.amin(dim=1)).sum())
        n_tokens = rows.n_targets / len(answers)
        step = turn * config.updates
        self.log.append(RolloutRecord(step, float(rewards.mean()), n_telling, n_tokens, float(kl.mean())))
        return RolloutBatch(rows.inputs, rows.targets, old, reference, group_advantages(rewards).flatten())

    def _log_probs(self, model: Transformer, batch: Batch) -> Float[Tensor, "B T"]:
        with evaluation_mode(model), torch.no_grad():
            return -next_token_nats(model, batch).cpu()

    def _question(self, index: int) -> int:
        epoch, place = divmod(index, len(self.records))
        return permutation(len(self.records), self.config.seed, epoch)[place]
