"""Activation patching: put what the model held in one run into another, and see what it changes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from llmcourse.insight.stream import last_stack
from llmcourse.model import Transformer
from llmcourse.training import evaluation_mode

# of a layer: what it reads, what its heads read together, what its two halves add, and what it passes on
PARTS = ("input", "heads", "attention", "feedforward", "output")
Site = tuple[int, str]  # a layer, and a part of it
Kept = Mapping[Site, Tensor]


@dataclass(frozen=True)
class Patch:
    """What is put in: a part of a layer, at some positions or all; of the heads, one or all."""

    layer: int
    part: str
    positions: Sequence[int] | None = None
    head: int | None = None

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise ValueError(f"A part is one of {', '.join(PARTS)}, not {self.part!r}.")
        if self.head is not None and self.part != "heads":
            raise ValueError(f'Only the part "heads" has heads to choose from, not {self.part!r}.')


def sites(model: Transformer) -> list[Site]:
    """Every part of every layer."""
    return [(layer, part) for layer in range(len(last_stack(model).blocks)) for part in PARTS]


def keep(model: Transformer, ids: Int[Tensor, "B T"]) -> tuple[Float[Tensor, "B T V"], dict[Site, Tensor]]:
    """The logits of a run, and what every part of every layer held in it."""
    kept: dict[Site, Tensor] = {}

    def keeper(site: Site) -> Callable[[Tensor], Tensor]:
        def note(held: Tensor) -> Tensor:
            kept[site] = held.detach().clone()
            return held

        return note

    with ExitStack() as hooks:
        for layer, part in sites(model):
            hooks.enter_context(_rewritten(model, layer, part, keeper((layer, part))))
        return _run(model, ids), kept


def run_patched(
    model: Transformer, ids: Int[Tensor, "B T"], kept: Kept, patches: Sequence[Patch]
) -> Float[Tensor, "B T V"]:
    """The logits for `ids` when some parts hold what was kept of another run.

    Raises: ValueError for a place that the model has not, or a run of another shape.
    """
    with ExitStack() as hooks:
        for patch in patches:
            if (patch.layer, patch.part) not in kept:
                raise ValueError(f"The layers are 0 to {len(last_stack(model).blocks) - 1}, not {patch.layer}.")
            held = kept[patch.layer, patch.part]
            if held.shape[:2] != ids.shape:
                raise ValueError(f"Both runs need one shape: {tuple(held.shape[:2])} was kept, not {tuple(ids.shape)}.")
            put = _putter(held, patch, model.config.n_heads)
            hooks.enter_context(_rewritten(model, patch.layer, patch.part, put))
        return _run(model, ids)


def logit_difference(
    logits: Float[Tensor, "B T V"], answers: Int[Tensor, " B"], others: Int[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """How far each row's answer is above its other one, at the last position, in nats.

    Zhang & Nanda 2024 recommend this measure over probabilities.
    """
    last = logits[:, -1]
    return (last.gather(-1, answers[:, None]) - last.gather(-1, others[:, None]))[:, 0]


@dataclass(frozen=True)
class Pair:
    """Two prompts, row by row of one length, that want different answers."""

    clean: Int[Tensor, "B T"]
    corrupted: Int[Tensor, "B _"]  # of the same length, which is checked below
    answers: Int[Tensor, " B"]  # what the clean prompts want
    others: Int[Tensor, " B"]  # what the corrupted ones want

    def __post_init__(self) -> None:
        if self.clean.shape != self.corrupted.shape:
            raise ValueError(
                f"Clean and corrupted prompts need one shape, not {tuple(self.clean.shape)} and "
                f"{tuple(self.corrupted.shape)}."
            )


def recovered(model: Transformer, pair: Pair, choices: Sequence[Sequence[Patch]]) -> Float[Tensor, "choices B"]:
    """For each choice of patches from the clean run, how much of the answer comes back in the corrupted one.

    0 is the corrupted run's difference of logits, 1 the clean run's; a part may bring back more than all.
    Raises: ValueError where both runs answer alike, so that nothing can come back.
    """
    logits, kept = keep(model, pair.clean)
    top = logit_difference(logits, pair.answers, pair.others)
    bottom = logit_difference(_run(model, pair.corrupted), pair.answers, pair.others)
    if (top == bottom).any():
        raise ValueError("Clean and corrupted prompts give the same answer, so there is nothing to bring back.")
    rows = [run_patched(model, pair.corrupted, kept, patches) for patches in choices]
    return torch.stack([(logit_difference(row, pair.answers, pair.others) - bottom) / (top - bottom) for row in rows])


def recovered_by_head(model: Transformer, pair: Pair) -> Float[Tensor, "layers H"]:
    """How much of the answer each head alone brings back, at all positions together, on average over the rows."""
    n_layers, n_heads = len(last_stack(model).blocks), model.config.n_heads
    choices = [[Patch(layer, "heads", head=head)] for layer in range(n_layers) for head in range(n_heads)]
    return recovered(model, pair, choices).mean(dim=1).view(n_layers, n_heads)


def recovered_by_position(model: Transformer, pair: Pair, part: str = "output") -> Float[Tensor, "layers T"]:
    """How much of the answer a part of each layer brings back at each position alone, on average over the rows."""
    n_layers, length = len(last_stack(model).blocks), pair.clean.shape[1]
    choices = [[Patch(layer, part, (place,))] for layer in range(n_layers) for place in range(length)]
    return recovered(model, pair, choices).mean(dim=1).view(n_layers, length)


def _run(model: Transformer, ids: Tensor) -> Tensor:
    if model.config.has_cross_attention:
        raise ValueError("Patching works on a model with one stack, and this one has an encoder and a decoder.")
    if model.config.head not in ("lm", "mlm"):
        raise ValueError(f"Patching compares scores of tokens, which a head of the kind {model.config.head!r} has not.")
    with evaluation_mode(model), torch.no_grad():
        return model(ids)


def _putter(held: Tensor, patch: Patch, n_heads: int) -> Callable[[Tensor], Tensor]:
    n_positions = held.shape[1]
    if patch.head is not None and not 0 <= patch.head < n_heads:
        raise ValueError(f"The heads are 0 to {n_heads - 1}, not {patch.head}.")
    places = list(range(n_positions)) if patch.positions is None else list(patch.positions)
    if any(not 0 <= place < n_positions for place in places):
        raise ValueError(f"The positions are 0 to {n_positions - 1}, not {patch.positions}.")
    width = held.shape[-1] // n_heads if patch.head is not None else held.shape[-1]
    first = 0 if patch.head is None else patch.head * width

    def put(now: Tensor) -> Tensor:
        mixed = now.clone()
        mixed[:, places, first : first + width] = held[:, places, first : first + width]
        return mixed

    return put


@contextmanager
def _rewritten(model: Transformer, layer: int, part: str, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within the block, what the part holds passes through `change`, by an ordinary hook."""
    block: Any = last_stack(model).blocks[layer]
    hook: RemovableHandle
    if part in ("input", "heads"):
        module: nn.Module = block if part == "input" else block.attention.output
        hook = module.register_forward_pre_hook(lambda _module, given: (change(given[0]), *given[1:]))
    else:
        module = block if part == "output" else getattr(block, part)
        hook = module.register_forward_hook(lambda _module, _given, out: change(out))
    try:
        yield
    finally:
        hook.remove()
