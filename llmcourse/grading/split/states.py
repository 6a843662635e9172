"""What both sides hold and keep equal: a tensor's numbers and gradient, a module's mode, an optimizer's settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import PLAIN, Malformed, same

if TYPE_CHECKING:
    from llmcourse.grading.split.reading import Reader
    from llmcourse.grading.split.writing import Writer


class TensorState:
    """A leaf of the graph or a buffer: its numbers, its gradient, and whether it takes one."""

    def __init__(self, find: Callable[[], Tensor | None]) -> None:
        self.find = find
        self.remember()

    def remember(self) -> None:
        tensor = self.find()
        if tensor is not None:
            self.data, self.needs = tensor.detach().clone(), tensor.requires_grad
            self.grad: Tensor | None = None if tensor.grad is None else tensor.grad.detach().clone()

    def forget(self) -> None:
        """Take all for changed."""
        self.data = self.grad = torch.empty(0, dtype=torch.bool)

    def changes(self, writer: "Writer") -> list[Any] | None:
        """What has changed since both sides were equal."""
        tensor = self.find()
        if tensor is None:
            return None
        moved, grad_moved = not same(tensor, self.data), not same(tensor.grad, self.grad)
        if not moved and not grad_moved and tensor.requires_grad == self.needs:
            return None
        self.remember()
        grad = writer.plain(tensor.grad) if tensor.grad is not None and grad_moved else None
        return [writer.plain(tensor) if moved else None, grad_moved, grad, tensor.requires_grad]

    def apply(self, change: list[Any], reader: "Reader") -> None:
        """Take over what has changed on the other side."""
        data, grad_moved, grad, needs = change
        tensor = self.find()
        if tensor is None:
            raise Malformed("it changes a tensor that is gone")
        if data is not None:
            tensor.copy_(reader.like(data, tensor))
        if grad_moved is True:
            new = None if grad is None else reader.like(grad, tensor)
            if new is None or tensor.grad is None:
                tensor.grad = new
            else:
                tensor.grad.copy_(new)
        if type(needs) is not bool or (needs and not tensor.is_floating_point()):
            raise Malformed("only floats take gradients")
        if tensor.is_leaf:
            tensor.requires_grad_(needs)
        self.remember()


class ModuleState:
    """Whether a module trains."""

    def __init__(self, find: Callable[[], nn.Module | None]) -> None:
        self.find = find
        self.remember()

    def remember(self) -> None:
        module = self.find()
        self.last = module is not None and module.training

    def forget(self) -> None:
        """Take the mode for changed."""
        self.last = not self.last

    def changes(self, writer: "Writer") -> bool | None:
        """The new mode, where it is new."""
        module = self.find()
        if module is None or module.training is self.last:
            return None
        self.remember()
        return self.last

    def apply(self, change: Any, reader: "Reader") -> None:
        """Take over the mode, of this module alone."""
        module = self.find()
        if type(change) is not bool or module is None:
            raise Malformed("a mode is True or False")
        module.training = change
        self.remember()


class OptimizerState:
    """The numbers in an optimizer's groups, such as its rates."""

    def __init__(self, find: Callable[[], torch.optim.Optimizer | None]) -> None:
        self.find = find
        self.last = self.settings()

    def settings(self) -> list[dict[str, Any]]:
        optimizer = self.find()
        groups = [] if optimizer is None else optimizer.param_groups
        return [{k: v for k, v in group.items() if type(k) is str and type(v) in PLAIN} for group in groups]

    def forget(self) -> None:
        """Take the settings for changed."""
        self.last = []

    def changes(self, writer: "Writer") -> list[dict[str, Any]] | None:
        """All settings, where one is new."""
        now = self.settings()
        if now == self.last:
            return None
        self.last = now
        return now

    def apply(self, change: Any, reader: "Reader") -> None:
        """Take over the settings."""
        optimizer = self.find()
        if optimizer is None or type(change) is not list or len(change) != len(optimizer.param_groups):
            raise Malformed("settings belong to groups")
        for group, new in zip(optimizer.param_groups, change, strict=True):
            if type(new) is not dict or "params" in new or any(type(value) not in PLAIN for value in new.values()):
                raise Malformed("settings are plain")
            group.update(new)
        self.last = self.settings()


State = TensorState | ModuleState | OptimizerState
