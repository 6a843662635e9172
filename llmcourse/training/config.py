"""What decides a training run, apart from the model and the data."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

ScheduleKind = Literal["cosine", "linear", "trapezoid", "constant"]
OptimizerKind = Literal["adamw", "muon"]
Precision = Literal["float32", "bf16"]
CHOICES = {"schedule": ScheduleKind, "optimizer": OptimizerKind, "precision": Precision}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training recipe. Raises: ValueError that names the rule, then the value."""

    steps: int
    lr: float = 3e-3  # the highest learning rate, reached after `warmup` steps
    final_lr: float = 0.0
    warmup: int = 0  # steps
    schedule: ScheduleKind = "cosine"
    cooldown: float = 0.3  # the share of the steps in which a trapezoid falls
    optimizer: OptimizerKind = "adamw"
    betas: tuple[float, float] = (0.9, 0.95)
    momentum: float = 0.95  # of Muon
    ns_steps: int = 5  # of Muon's Newton-Schulz iteration
    weight_decay: float = 0.1
    clip: float | None = 1.0  # the longest gradient, as one vector over all parameters; None leaves it as it is
    accumulate: int = 1  # batches per step
    checkpoint_every: int = 500  # steps between checkpoints, where a path is given
    seed: int = 0  # of dropout and whatever else the model draws
    precision: Precision = "float32"  # bf16: matrix products in 16 bits; weights and losses stay in 32
    compile: bool = False  # the model's forward and backward as generated code, made in the first steps

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "checkpoint_every", "ns_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(f"warmup must lie between 0 and steps={self.steps}, not {self.warmup}.")
        if not 0 <= self.final_lr <= self.lr or self.lr == 0:
            raise ValueError(f"Need 0 <= final_lr <= lr and lr > 0, not final_lr={self.final_lr}, lr={self.lr}.")
        if not 0 < self.cooldown <= 1:
            raise ValueError(f"cooldown must lie in (0, 1], not {self.cooldown}.")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must not be negative: {self.weight_decay}.")
        if self.clip is not None and self.clip <= 0:
            raise ValueError(f"clip must be positive, or None for no clipping, not {self.clip}.")
        for name in ("betas", "momentum"):
            value = getattr(self, name)
            if not all(0 <= each < 1 for each in (value if isinstance(value, tuple) else (value,))):
                raise ValueError(f"{name} must lie in [0, 1), not {value}.")
        for name, kind in CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}, not {getattr(self, name)!r}.")

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return {**dataclasses.asdict(self), "betas": list(self.betas)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TrainConfig":
        """The recipe that `to_dict` described. Raises: ValueError for an unknown or missing field."""
        values = dict(fields)
        if "betas" in values:
            values["betas"] = tuple(values["betas"])
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"Not a training recipe: {error}.") from None
