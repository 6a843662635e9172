"""What both sides hold and keep equal: a tensor's numbers and gradient, a module's mode, an optimizer's settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.optim import Optimizer

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
        """Take the tensor for what the other side has too."""
        tensor = self.find()
        if tensor is not None:
            self.data, self.needs = tensor.detach().clone(), tensor.requires_grad
            self.grad: Tensor | None = None if tensor.grad is None else tensor.grad.detach().clone()

    def changes(self, writer: "Writer") -> list[Any] | None:
        """What has changed since both sides were equal."""
        tensor = self.find()
        if tensor is None:
            return None
        moved, grad_moved = not same(tensor, self.data), not same(tensor.grad, self.grad)
        if not moved and not grad_moved and tensor.requires_grad == self.needs:
            return None
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


class SettingsState:
    """Whether a module trains, or the plain settings in an optimizer's groups, such as its rates."""

    def __init__(self, find: Callable[[], nn.Module | Optimizer | None]) -> None:
        self.find = find
        self.remember()

    def settings(self) -> Any:
        """What is set now."""
        thing = self.find()
        if isinstance(thing, nn.Module):
            return thing.training is True
        groups = [] if thing is None else thing.param_groups
        return [{k: v for k, v in group.items() if type(k) is str and type(v) in PLAIN} for group in groups]

    def remember(self) -> None:
        """Take the settings for what the other side has too."""
        self.last = self.settings()

    def changes(self, writer: "Writer") -> Any:
        """All settings, where one is new."""
        now = self.settings()
        return now if now != self.last and self.find() is not None else None

    def apply(self, change: Any, reader: "Reader") -> None:
        """Take over the settings."""
        thing = self.find()
        if isinstance(thing, nn.Module):
            if type(change) is not bool:
                raise Malformed("a mode is True or False")
            thing.training = change
        else:
            if thing is None or type(change) is not list or len(change) != len(thing.param_groups):
                raise Malformed("settings belong to groups")
            for group, new in zip(thing.param_groups, change, strict=True):
                if type(new) is not dict or "params" in new or any(type(value) not in PLAIN for value in new.values()):
                    raise Malformed("settings are plain")
                group.update(new)
        self.remember()


State = TensorState | SettingsState
