"""A run's own stream of random numbers, apart from whatever its caller draws."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


class RandomStream:
    """The state of PyTorch's global generators, which dropout draws from, as one run sees it.

    Between steps the caller's own state is back in place, so what it draws there changes nothing in the run.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        with self._restored():
            torch.manual_seed(seed)
            self.state: Mapping[str, Tensor] = self._read()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Within the block, random numbers come from this stream."""
        with self._restored():
            self._write(self.state)
            try:
                yield
            finally:
                self.state = self._read()

    @contextmanager
    def _restored(self) -> Iterator[None]:
        outside = self._read()
        try:
            yield
        finally:
            self._write(outside)

    def _read(self) -> dict[str, Tensor]:
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def _write(self, state: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda" and "cuda" in state:
            torch.cuda.set_rng_state(state["cuda"], self.device)
