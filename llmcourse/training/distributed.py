"""Several processes that train one model: each takes its share of every batch, and all make the same update."""

import os
import random
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from llmcourse.data import Batch

PATIENCE = timedelta(minutes=10)  # how long a process waits for the others before it takes them for lost


class LostProcess(ValueError):
    """Another process of the run ended or no longer answers."""


@dataclass(frozen=True)
class Team:
    """One of `size` processes. With `sharded`, each keeps only its part of every weight and of what belongs to it."""

    rank: int = 0
    size: int = 1
    sharded: bool = False

    @property
    def is_first(self) -> bool:
        """True in the one process that writes and speaks."""
        return self.rank == 0

    def share(self, batch: Batch) -> Batch:
        """This process's rows. Raises: ValueError where there are fewer rows than processes."""
        if self.size == 1:
            return batch
        if len(batch.inputs) < self.size:
            raise ValueError(f"A batch of {len(batch.inputs)} rows is too small for {self.size} processes to share.")
        return batch.share(self.rank, self.size)

    def align(self, model: nn.Module) -> None:
        """Gives every process the first one's weights."""
        if self.size > 1:
            with _heard():
                for tensor in model.state_dict().values():
                    dist.broadcast(tensor, 0)

    def sum_gradients(self, weights: Sequence[nn.Parameter], loss: float) -> float:
        """Puts the sum over all processes in place of each gradient, and gives back the sum of their losses.

        A weight that has no gradient in any process has none afterwards.
        """
        if self.size == 1:
            return loss
        if self.sharded:  # its hooks have averaged the gradients already
            for weight in weights:
                if weight.grad is not None:
                    weight.grad.mul_(self.size)
            return self._sum(torch.tensor([loss], dtype=torch.float64)).item()
        has = torch.tensor([weight.grad is not None for weight in weights])
        flat = [torch.zeros_like(w).flatten() if w.grad is None else w.grad.flatten() for w in weights]
        tail = torch.cat((has.float(), torch.tensor([loss]))).to(flat[0])
        *sums, last = self._sum(torch.cat((*flat, tail))).split([*(w.numel() for w in weights), len(tail)])
        for weight, total, n_have in zip(weights, sums, last[:-1].tolist(), strict=True):
            weight.grad = total.view_as(weight) if n_have else None
        return float(last[-1])

    def _sum(self, tensor: Tensor) -> Tensor:
        if dist.get_backend() == "nccl":
            tensor = tensor.cuda()
        with _heard():
            dist.all_reduce(tensor)
        return tensor

    def seed(self, seed: int, step: int) -> int:
        """The seed of this process's dropout at a step, from which it can resume without a state of its own."""
        return random.Random(f"process {self.rank} {seed} {step}").getrandbits(63)


ALONE = Team()


@contextmanager
def team_from_environment(sharded: bool = False, environment: Mapping[str, str] = os.environ) -> Iterator[Team]:
    """This process's place among those that `torchrun` started; alone where it started none.

    `torchrun` stops all processes when one is lost; within the block that is a LostProcess too, not a silent end.
    Raises: ValueError for a sharded run of a single process.
    """
    size = int(environment.get("WORLD_SIZE", "1"))
    if size == 1:
        if sharded:
            raise ValueError("A sharded run needs several processes: torchrun --nproc-per-node=2 -m llmcourse.cli ...")
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(environment.get("LOCAL_RANK", "0")))
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    try:
        with _told_to_stop():
            yield Team(dist.get_rank(), size, sharded)
    finally:
        dist.destroy_process_group()


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Turns the signal with which `torchrun` stops the rest of a run into a LostProcess."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise LostProcess("The run was told to stop, as it is when another of its processes is lost")

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _heard() -> Iterator[None]:
    """Turns a broken connection within the block into a LostProcess."""
    try:
        yield
    except RuntimeError as error:
        raise LostProcess("Another process of the run was lost") from error


@contextmanager
def answering(team: Team) -> Iterator[None]:
    """The same for a sharded model's own forward and backward, which talk to the other processes by themselves."""
    try:
        yield
    except RuntimeError as error:
        if not team.sharded or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        raise LostProcess("Another process of the run was lost") from error


def shard(model: nn.Module) -> None:
    """Leaves each process its part of every weight; a layer's weights come together only while it works.

    Source: Zhao et al. 2023; PyTorch's `fully_shard`.
    """
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    for layer in _layers(model):
        fully_shard(layer)
    fully_shard(model)
    for name in ("encode", "decode", "embed", "read_off"):  # parts of a model that are called by themselves
        if hasattr(model, name):
            register_fsdp_forward_method(model, name)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """The members of the outermost lists: lists within them may hold what not every process runs."""
    for child in module.children():
        yield from child if isinstance(child, nn.ModuleList) else _layers(child)


def whole(value: Any) -> Any:
    """The same tensors, mappings and lists with every sharded tensor put together; all processes must ask at once."""
    if isinstance(value, Tensor):
        return value.full_tensor() if hasattr(value, "full_tensor") else value
    if isinstance(value, Mapping):
        return {name: whole(each) for name, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


def split_like(value: Tensor, model: Tensor) -> Tensor:
    """`value` cut as `model` is, where `model` is sharded and of its shape."""
    if not hasattr(model, "full_tensor") or hasattr(value, "full_tensor") or value.shape != model.shape:
        return value  # without the import below, which takes time that a run of one process need not spend
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(model, DTensor)
    return distribute_tensor(value.to(model.device), model.device_mesh, model.placements)
