"""Checks of how surprise is measured: on one batch, and on a whole validation set."""

import copy
import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from llmcourse.checks.core import ATOL, RTOL, CheckFailed, Function, Mistake, call, name_the_mistake, normal, sizes
from llmcourse.checks.core import name_of as named
from llmcourse.checks.tiny import AREA, TinyModel, as_number, mean_nats, padded_batch, uneven_batches
from llmcourse.data import IGNORE


def check_loss(next_token_loss: Function, seed: int = 0) -> None:
    """The mean surprise over real targets, in nats, with the gradient that belongs to it, and no overflow."""
    b, t, v = sizes(seed, 3, low=4)
    lengths = [t, *(1 + (i + seed) % (t - 1) for i in range(b - 1))]
    targets = padded_batch(seed, v, lengths).targets
    logits = 1.5 * normal(seed + 1, b, t, v)
    loss_of(next_token_loss, logits, torch.where(targets == IGNORE, 1, targets), "full")
    loss_of(next_token_loss, logits, targets, "padded")
    # one logit far above the rest: its exponential is too large for a float, and the others' shares vanish
    loss_of(next_token_loss, logits + 300.0 * (torch.arange(v) == 1), targets, "large")


def loss_of(function: Function, logits: Tensor, targets: Tensor, case: str) -> None:
    """Raises: CheckFailed unless the loss of these logits and its gradient are right."""
    name, logits = named(function), logits.requires_grad_()
    try:
        value = call(AREA, function, logits, targets)
    except CheckFailed as failure:
        if failure.code == f"{AREA}.raises" and case == "padded":
            message = f"{name} works on full rows and stops on padding: targets of IGNORE ({IGNORE}) are no token ids."
            raise CheckFailed(f"{AREA}.padding-raises", f"{message} {failure.message}") from failure
        raise
    actual = as_number(name, value, "the mean loss")
    exact = logits.detach().double()
    expected = float(mean_nats(exact, targets))
    if not math.isclose(actual, expected, rel_tol=RTOL, abs_tol=ATOL):
        if case == "large" and not math.isfinite(actual):
            message = (
                f"With a logit of 300 the loss is {actual}: exp() overflows, or the log of a share of 0 is taken. "
                "Use log_softmax, logsumexp or F.cross_entropy, which subtract the largest logit first."
            )
            raise CheckFailed(f"{AREA}.overflow", message)
        name_the_mistake(torch.tensor(actual), wrong_losses(exact, targets))
        message = f"{name} gives {actual:.4f}, and the mean surprise is {expected:.4f} nats per real token."
        raise CheckFailed(f"{AREA}.values", message)
    if not isinstance(value, Tensor) or not value.requires_grad:
        message = f"{name} must return a tensor with its gradient: no `.item()`, `float()` or `.detach()` on the way."
        raise CheckFailed(f"{AREA}.no-gradient", message)
    (gradient,) = torch.autograd.grad(value.sum(), logits)
    wanted = (exact.softmax(-1) - torch.nn.functional.one_hot(targets.clamp(min=0), logits.shape[-1])).double()
    wanted = wanted * (targets != IGNORE)[..., None] / (targets != IGNORE).sum()
    if not torch.allclose(gradient.double(), wanted, rtol=RTOL, atol=ATOL):
        message = f"The loss is right and its gradient is not: is part of {name} detached from the graph?"
        raise CheckFailed(f"{AREA}.gradient", message)


def wrong_losses(logits: Tensor, targets: Tensor) -> list[Mistake]:
    """What the usual mistakes make of these logits."""
    real = targets != IGNORE
    filled = targets.masked_fill(~real, 0)
    nats = -logits.log_softmax(-1).gather(-1, filled[..., None])[..., 0]
    kept = nats.masked_fill(~real, 0)
    mean = mean_nats(logits, targets)
    probs = (
        "The loss is given probabilities in place of logits: cross-entropy applies its own softmax, "
        "so yours is one too many."
    )
    padding = "Padding counts: {}. Targets of IGNORE must leave both the sum and the number that it is divided by."
    zero = "Token 0 is left out of the loss: it is a token like any other, and only IGNORE marks padding."
    shift = "The loss shifts the targets once more: they are shifted already, targets[:, t] belongs to logits[:, t]."
    rows = "Each row gets the same weight, whatever its length: every real token of the batch should count the same."
    total = "This is the sum over the tokens, not their mean: divide by the number of real targets."
    axis = "The softmax runs over the wrong dimension: each position shares out its probability over the vocabulary."
    cut = (
        "The logits are reshaped where they should be transposed (or flattened): numbers of other tokens get mixed in."
    )
    rates: list[tuple[str, str, Any]] = [
        ("probabilities", probs, lambda: mean_nats(logits.softmax(-1), targets)),
        ("padding-counted", padding.format("the mean divides by all B * T positions"), lambda: kept.mean()),
        ("padding-counted", padding.format("its targets are scored as token 0"), lambda: nats.mean()),
        (
            "padding-counted",
            padding.format("its targets are scored"),
            lambda: -logits.log_softmax(-1).gather(-1, (targets % logits.shape[-1])[..., None]).mean(),
        ),
        ("padding-counted", padding.format("its surprise is in the sum"), lambda: nats.sum() / real.sum()),
        ("token-0-ignored", zero, lambda: nats[filled != 0].mean()),
        ("token-0-ignored", zero, lambda: nats.masked_fill(filled == 0, 0).sum() / real.sum()),
        ("shifted-twice", shift, lambda: mean_nats(logits[:, :-1], targets[:, 1:])),
        ("shifted-twice", shift, lambda: mean_nats(logits, targets.roll(-1, 1))),
        ("row-means", rows, lambda: (kept.sum(1) / real.sum(1)).mean()),
        ("sum", total, lambda: kept.sum()),
        ("sum", total, lambda: kept.sum() / len(kept)),
        ("bits", "The loss is in bits: use the natural logarithm, for nats.", lambda: mean / math.log(2)),
        ("sign", "The sign is turned: surprise is *minus* the log-probability.", lambda: -mean),
        ("perplexity", "This is the perplexity, exp(loss): return the loss itself.", lambda: mean.exp()),
        ("softmax-axis", axis, lambda: axis_nats(logits, filled, 1)[real].mean()),
        ("softmax-axis", axis, lambda: axis_nats(logits, filled, 0)[real].mean()),
        ("reshaped", cut, lambda: mean_nats(logits.reshape(len(logits), logits.shape[-1], -1).mT, targets)),
    ]
    return [Mistake(f"{AREA}.{code}", message, result) for code, message, result in rates]


def axis_nats(logits: Tensor, filled: Tensor, axis: int) -> Tensor:
    """Surprise under a softmax over the wrong dimension."""
    return -logits.log_softmax(axis).gather(-1, filled[..., None])[..., 0]


def check_evaluate(evaluate: Function, seed: int = 0) -> None:
    """Mean surprise over all batches, each real token alike; dropout off, no graph, and the mode as it was."""
    name, (n_vocab, _) = named(evaluate), sizes(seed, 2, low=5)
    for training in (True, False):
        model = TinyModel(n_vocab, seed, dropout=0.5).train(training)
        batches = uneven_batches(seed + 10, n_vocab)
        kept = copy.deepcopy((model, batches))  # nobody can change what the result is compared with
        with torch.random.fork_rng(devices=[]):
            value = call(AREA, evaluate, model, batches, mean_nats)
        number = as_number(name, value, "the mean loss")
        if any(in_training for in_training, _ in model.seen):
            message = "The model is in training mode while it is evaluated, so dropout shakes the result: model.eval()."
            raise CheckFailed(f"{AREA}.dropout-in-evaluation", message)
        if not model.seen:
            raise CheckFailed(f"{AREA}.model-unused", f"{name} never calls the model.")
        if any(gradients for _, gradients in model.seen):
            message = "Gradients are recorded, which costs memory and helps nobody: wrap the loop in torch.no_grad()."
            raise CheckFailed(f"{AREA}.graph-in-evaluation", message)
        judge_evaluation(name, number, *kept)
        if model.training is not training:
            was, now = ("training", "eval") if training else ("eval", "training")
            message = (
                f"The model came in {was} mode and is left in {now} mode. "
                "Note `model.training` first, and put the model back with model.train(...)."
            )
            raise CheckFailed(f"{AREA}.mode-not-restored", message)


def judge_evaluation(name: str, number: float, model: TinyModel, batches: list[Any]) -> None:
    """Raises: CheckFailed unless the number is the mean over all real tokens."""
    exact = TinyModel(1, 0).double().eval()
    exact.embedding, exact.logits = (torch.nn.Parameter(p.detach().double()) for p in (model.embedding, model.logits))
    with torch.no_grad():
        losses = torch.stack([mean_nats(exact(batch.inputs), batch.targets) for batch in batches])
    tokens = torch.tensor([batch.n_targets for batch in batches])
    expected = losses @ tokens.double() / tokens.sum()
    if math.isclose(number, float(expected), rel_tol=RTOL, abs_tol=ATOL):
        return
    means = (
        "This is a mean of the batches' means: {}. Multiply each batch's loss by its number of real targets, "
        "add up, and divide once by the number of them all."
    )

    def weighted(weights: list[int]) -> Tensor:
        share = torch.tensor(weights).double()
        return losses @ share / share.sum()

    total = losses @ tokens.double()
    cells, rows = [b.targets.numel() for b in batches], [len(b.targets) for b in batches]
    small = means.format("a batch with few tokens weighs as much as one with many")
    name_the_mistake(
        torch.tensor(number),
        [
            Mistake(f"{AREA}.mean-of-means", small, lambda: losses.mean()),
            Mistake(f"{AREA}.padding-counted", means.format("and padding has a say in it"), partial(weighted, cells)),
            Mistake(
                f"{AREA}.padding-counted",
                "The sum is divided by all positions, padding too.",
                lambda: total / sum(cells),
            ),
            Mistake(f"{AREA}.mean-of-means", means.format("each row weighs the same"), partial(weighted, rows)),
            Mistake(f"{AREA}.last-batch", "Only the last batch counts: add up over all of them.", lambda: losses[-1]),
            Mistake(
                f"{AREA}.sum", "This is a sum over batches: divide it by the number of tokens.", lambda: losses.sum()
            ),
            Mistake(f"{AREA}.sum", "This is a sum over tokens: divide it by their number.", lambda: total),
            Mistake(
                f"{AREA}.perplexity", "This is the perplexity, exp(loss): return the loss.", lambda: expected.exp()
            ),
        ],
    )
    message = f"{name} gives {number:.4f}, and the mean over all real tokens is {float(expected):.4f} nats."
    raise CheckFailed(f"{AREA}.values", message)
