"""Gradients across the wire: an answer's tensors hang on a graph here, and the way back is asked for over there."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from llmcourse.grading.split.proxies import Remote


class Graph:
    """Where the tensors of an answer come from: the leaves that the other side knows, and those that it does not."""

    def __init__(self, outputs: list[Tensor], is_known: Callable[[Tensor], Any]) -> None:
        self.outputs = outputs
        self.leaves: list[Tensor] = []
        self.own: list[Tensor] = []
        for leaf in leaves_of(outputs):
            (self.leaves if is_known(leaf) else self.own).append(leaf)

    def gradients(self, grads: list[Tensor | None], keep: bool) -> list[Tensor | None]:
        """Gradients of the leaves that the other side knows."""
        pairs = [(output, grad) for output, grad in zip(self.outputs, grads, strict=True) if grad is not None]
        leaves = [*self.leaves, *self.own]
        if not pairs or not leaves:
            return [None] * len(self.leaves)
        ends, starts = zip(*pairs, strict=True)
        found = torch.autograd.grad(ends, leaves, starts, retain_graph=bool(keep), allow_unused=True)
        for leaf, grad in zip(self.own, found[len(self.leaves) :], strict=True):
            if grad is not None:  # nobody over there knows this leaf, and `backward` reaches it all the same
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad
        return list(found[: len(self.leaves)])


def leaves_of(outputs: list[Tensor]) -> list[Tensor]:
    """The leaves that these tensors depend on, in a fixed order."""
    found: dict[int, Tensor] = {}
    seen, waiting = set(), [output.grad_fn for output in reversed(outputs)]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor):
            found.setdefault(id(variable), variable)
        waiting.extend(each for each, _ in reversed(node.next_functions))
    return list(found.values())


def hang(graph: Remote, outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """The tensors of an answer, as results of these leaves by a graph of the other side."""
    with torch.enable_grad():
        return list(Bridge.apply(graph, outputs, torch.empty(0, requires_grad=True), *leaves))


class Bridge(torch.autograd.Function):
    """Tensors from the other side, whose gradients are asked for over there."""

    @staticmethod
    def forward(ctx: Any, graph: Remote, outputs: list[Tensor], anchor: Tensor, *leaves: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.graph = graph
        ctx.like = [(leaf.shape, leaf.dtype) for leaf in leaves]
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
        keep = torch._C._autograd._get_current_graph_task_keep_graph()
        peer, _ = ctx.graph._link
        found = peer.request("vjp", ctx.graph, list(grads), keep)
        if type(found) is not list or len(found) != len(ctx.like):
            raise peer.channel.fail("it sent other gradients than it was asked for")
        for grad, (shape, dtype) in zip(found, ctx.like, strict=True):
            if grad is not None and (not isinstance(grad, Tensor) or grad.shape != shape or grad.dtype != dtype):
                raise peer.channel.fail("it sent gradients of another shape")
        return (None, None, None, *found)
