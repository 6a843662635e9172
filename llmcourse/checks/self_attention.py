"""Checks of a whole causal self-attention module, by laws first and then against its own layers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.checks.core import (
    CheckFailed,
    Function,
    Mistake,
    call,
    close,
    expect_shape,
    expect_tensor,
    judge,
    name_the_mistake,
    normal,
    sizes,
)

AREA = "attention"
NAME = "CausalSelfAttention"


@dataclass(frozen=True)
class Case:
    """One module with its sizes, its input, and the weights that it was given, by name.

    The right answer is worked out from those weights alone: layers of the module's own could say whatever suits it.
    """

    module: nn.Module
    vectors: Tensor
    n_heads: int
    d_out: int
    weights: dict[str, Tensor]

    @property
    def width(self) -> int:
        return self.d_out // self.n_heads

    def linear(self, name: str, inputs: Tensor) -> Tensor:
        """What the linear layer of that name makes of the inputs."""
        return F.linear(inputs, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def projections(self) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of every token, B T D, from separate layers or from a fused one."""
        if "qkv.weight" in self.weights:
            query, key, value = self.linear("qkv", self.vectors).chunk(3, dim=-1)
            return query, key, value
        if not all(f"{name}.weight" in self.weights for name in ("query", "key", "value")):
            message = (
                f"{NAME} needs linear layers with the names query, key and value (or one fused layer qkv, with their "
                "rows in that order), so that the check can find them."
            )
            raise CheckFailed("attention.layer-names", message)
        query, key, value = (self.linear(name, self.vectors) for name in ("query", "key", "value"))
        return query, key, value

    def output(self, merged: Tensor) -> Tensor:
        """The module's own output layer on the merged heads."""
        if "output.weight" not in self.weights:
            message = f"{NAME} has no layer `output`: after merging, one more Linear layer lets the heads be combined."
            raise CheckFailed("attention.no-output-projection", message)
        return self.linear("output", merged)


def make_case(
    module_class: Function, seed: int, *, dropout: float = 0.0, n_tokens: int | None = None, n_heads: int | None = None
) -> Case:
    """A module in eval mode, with weights that do not saturate the softmax, and an input wider than its output.

    With dropout or `n_tokens` the input is as wide as the output: wrong widths cost their own points elsewhere.
    """
    b, t, h, k = sizes(seed, 4)
    t = t if n_tokens is None else n_tokens
    h = h if n_heads is None else n_heads
    d_in, d_out = h * k + (2 if n_tokens is None and not dropout else 0), h * k
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)  # `torch.manual_seed` looks for GPUs each time
        module = call(AREA, module_class, d_in, d_out, h, dropout)
    if not isinstance(module, nn.Module):
        raise CheckFailed("attention.not-a-module", f"{NAME} should be an nn.Module, not {type(module).__name__}.")
    with torch.no_grad():
        for index, weight in enumerate(module.parameters()):
            spread = weight.shape[-1] ** -0.5 if weight.dim() > 1 else 0.3
            weight.copy_(normal(seed + 10 + index, *weight.shape) * spread)
    weights = {name: weight.detach().clone() for name, weight in module.named_parameters(remove_duplicate=False)}
    return Case(module.eval(), normal(seed + 1, b, t, d_in), h, d_out, weights)


def run(case: Case, vectors: Tensor, is_real: Tensor | None = None) -> Tensor:
    """What the module returns, once it is known to be a tensor of the right shape."""
    inputs = (vectors,) if is_real is None else (vectors, is_real)
    with torch.no_grad():
        result = expect_tensor(AREA, NAME, call(AREA, case.module, *inputs))
    expect_shape(AREA, NAME, result, (*vectors.shape[:2], case.d_out), "B T D")
    return result


def expected_output(
    case: Case,
    may_read: Tensor,
    *,
    scale: float | None = None,
    split_by_view: bool = False,
    merge_by_view: bool = False,
    project: bool = True,
    mask: str = "before",
    over: int = -1,
    swap: bool = False,
) -> Tensor:
    """Multi-head attention from the module's own layers; each keyword other than the defaults is a known mistake."""
    (b, t), h, k = case.vectors.shape[:2], case.n_heads, case.width

    def split(rows: Tensor) -> Tensor:
        return rows.reshape(b, h, t, k) if split_by_view else rows.reshape(b, t, h, k).transpose(1, 2)

    with torch.no_grad():
        query, key, value = (split(rows).double() for rows in case.projections())
        if swap:
            query, key = key, query
        scores = query @ key.mT / (k**0.5 if scale is None else scale)
        if mask == "before":
            scores = scores.masked_fill(~may_read, -torch.inf)
        elif mask == "zero":
            scores = scores.masked_fill(~may_read, 0)
        weights = scores.softmax(over)
        if mask == "after":
            weights = weights.masked_fill(~may_read, 0)
        heads = weights @ value
        merged = heads.reshape(b, t, h * k) if merge_by_view else heads.transpose(1, 2).reshape(b, t, h * k)
        return case.output(merged.float()) if project else merged.float()


def causal_mask(n_tokens: int) -> Tensor:
    return torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()


def check_self_attention(module_class: Function, seed: int = 0) -> None:
    """With its own weights, the module gives what the formula gives; its input may be wider than its output."""
    case = make_case(module_class, seed)
    may_read = causal_mask(case.vectors.shape[1])
    try:
        actual = run(case, case.vectors)
    except CheckFailed as failure:
        if failure.code == "attention.raises" and works_when_square(module_class, seed):
            message = (
                f"{NAME} works where d_in equals d_out, and fails where they differ: query, key and value take d_in "
                "numbers and give d_out; the output layer takes d_out."
            )
            raise CheckFailed("attention.widths-mixed", message) from failure
        raise
    expected = expected_output(case, may_read)
    if not close(actual, expected):
        name_the_mistake(actual, wrong_outputs(case, may_read))
        no_future(case)
    judge(AREA, NAME, actual, expected, "B T D")


def works_when_square(module_class: Function, seed: int) -> bool:
    """Whether the module runs where the input is as wide as the output."""
    b, t, h, k = sizes(seed, 4)
    try:
        module = module_class(h * k, h * k, h)
        return bool(module(normal(seed, b, t, h * k)).shape == (b, t, h * k))
    except Exception:
        return False


def wrong_outputs(case: Case, may_read: Tensor) -> list[Mistake]:
    """What the usual mistakes make of this module's weights."""
    h, k = case.n_heads, case.width
    everything = torch.ones_like(may_read)
    scale = "Divide the scores by the square root of the head width (d_out / n_heads): {}."
    cut = "The heads are cut with a bare view: (B, T, D) to (B, T, H, K) first, then swap T and H."
    glue = "The heads are merged without swapping H and T back: a token ends up with other tokens' numbers."
    late = "The mask comes after the softmax: the future still has a share in the sum that each weight is divided by."
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("no-scale", scale.format("yours are not scaled"), {"scale": 1.0}),
        (
            "scale-by-model-width",
            scale.format("you take the root of d_out, all heads together"),
            {"scale": (h * k) ** 0.5},
        ),
        ("scale-by-model-width", scale.format("you take the root of d_in"), {"scale": case.vectors.shape[2] ** 0.5}),
        ("scale-by-width", scale.format("you leave out the root"), {"scale": float(k)}),
        ("split-without-transpose", cut, {"split_by_view": True}),
        ("merge-without-permute", glue, {"merge_by_view": True}),
        ("split-without-transpose", cut + " And " + glue, {"split_by_view": True, "merge_by_view": True}),
        ("no-output-projection", "The merged heads must still go through the output layer.", {"project": False}),
        ("query-key-swapped", "Queries and keys are swapped: rows of the scores belong to queries.", {"swap": True}),
        ("mask-after-softmax", late, {"mask": "after"}),
        (
            "mask-zero",
            "Forbidden scores become 0, and exp(0) = 1 still counts: they must become -inf.",
            {"mask": "zero"},
        ),
        ("softmax-axis", "The softmax must run over the keys, the last dimension.", {"over": -2}),
        ("softmax-axis", "The softmax must run over the keys, not over the heads.", {"over": 1}),
    ]
    mistakes = [
        Mistake(f"attention.{code}", message, partial(expected_output, case, may_read, **wrong))
        for code, message, wrong in rows
    ]
    masks = [
        ("no-mask", "There is no causal mask: every token reads the whole sequence.", everything),
        ("mask-diagonal", "The diagonal is off by one: each token reads the next one too.", everything.tril(1)),
        (
            "mask-inverted",
            "The mask is upside down: tokens read their future in place of their past.",
            everything.triu(1),
        ),
        (
            "mask-inverted",
            "The mask is upside down: tokens read their future in place of their past.",
            everything.triu(),
        ),
    ]
    for code, message, mask in masks:
        mistakes.append(Mistake(f"attention.{code}", message, partial(expected_output, case, mask)))
    return mistakes


def check_no_future(module_class: Function, seed: int = 0) -> None:
    """Changing a token moves no output before it."""
    no_future(make_case(module_class, seed))


def no_future(case: Case) -> None:
    """Raises: CheckFailed naming a row that reads its future."""
    before = run(case, case.vectors)
    n_rows, n_tokens = case.vectors.shape[:2]
    for first in range(1, n_tokens, n_rows):
        # each row of the batch is changed at a position of its own, so that few calls see them all
        places = range(first, min(first + n_rows, n_tokens))
        moved = moves(case, before, range(len(places)), places)
        if any(row.nonzero()[:1].flatten().tolist() != [place] for place, row in zip(places, moved, strict=False)):
            return judge_moves(case, before)


def moves(case: Case, before: Tensor, rows: Sequence[int] | slice, places: Sequence[int] | int) -> Tensor:
    """Where the output moves, B T, when the input is changed in these rows, each at its place."""
    changed = case.vectors.clone()
    changed[rows, places] += 1.0
    return ~torch.isclose(run(case, changed), before, rtol=1e-4, atol=1e-5, equal_nan=True).all(dim=-1)


def judge_moves(case: Case, before: Tensor) -> None:
    """Raises: CheckFailed for the first position whose change, in all rows, moves what it must not or not itself."""
    for position in range(1, case.vectors.shape[1]):
        rows = moves(case, before, slice(None), position).any(dim=0).nonzero().flatten().tolist()
        if rows and rows[0] < position:
            message = (
                f"Row {rows[0]} reads position {position}, which is in its future. "
                "Is the mask applied before the softmax?"
            )
            raise CheckFailed("attention.future-leak", message)
        if position not in rows:
            message = f"Row {position} does not read its own position. Does the mask forbid its diagonal?"
            raise CheckFailed("attention.mask-diagonal", message)


def check_batch_rows_apart(module_class: Function, seed: int = 0) -> None:
    """The rows of a batch are strangers: turning them round turns the output round, and changes nothing else."""
    case = make_case(module_class, seed)
    if not close(run(case, case.vectors.flip(0)), run(case, case.vectors).flip(0)):
        message = (
            "The output of one sequence depends on the others of its batch. Which dimension does a view cut across?"
        )
        raise CheckFailed("attention.batch-mixed", message)


def check_dropout(module_class: Function, seed: int = 0) -> None:
    """Dropout shakes the output in training, and leaves it alone in eval mode."""
    case = make_case(module_class, seed, dropout=0.5)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        first, second = run(case, case.vectors), run(case, case.vectors)
        case.module.train()
        shaken, again = run(case, case.vectors), run(case, case.vectors)
    if not close(first, second):
        message = (
            "In eval mode two runs on the same input differ: dropout is still active. `F.dropout` and "
            "`scaled_dot_product_attention` need to be told (self.training); an nn.Dropout layer knows by itself."
        )
        raise CheckFailed("attention.dropout-in-eval", message)
    if close(shaken, again):
        raise CheckFailed(
            "attention.no-dropout", "In training, dropout=0.5 should drop weights at random; nothing is dropped."
        )
