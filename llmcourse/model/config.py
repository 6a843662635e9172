"""One frozen description of a Transformer: sizes and choices, and no family's name."""

import dataclasses
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Sinusoidal:
    """Fixed sines and cosines, added to the input (Vaswani et al. 2017, section 3.5)."""


@dataclass(frozen=True)
class Learned:
    """A trained vector for each of `max_len` positions, added to the input.

    `offset` rows at the front of the table are never used: BART keeps two.
    """

    max_len: int
    offset: int = 0


@dataclass(frozen=True)
class Rotary:
    """Queries and keys are turned by an angle that grows with the position (Su et al. 2021, section 3.2).

    `scaling` divides the positions, which stretches a trained context (Chen et al. 2023, section 2.3).
    """

    theta: float = 10_000.0
    scaling: float | None = None


@dataclass(frozen=True)
class Alibi:
    """A penalty on scores that grows with the distance, one slope per head (Press et al. 2022, section 3)."""


@dataclass(frozen=True)
class Bucketed:
    """A trained number on each score, one per head and bucket of distance (Raffel et al. 2020, section 2.1)."""

    n_buckets: int = 32
    max_distance: int = 128


@dataclass(frozen=True)
class Experts:
    """Of `n_experts` feed-forward networks each token asks `n_chosen` (Jiang et al. 2024, section 2.1)."""

    n_experts: int
    n_chosen: int = 2


Position = Sinusoidal | Learned | Rotary | Alibi | Bucketed
Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]
HeadKind = Literal["lm", "mlm", "classify", "classify_tokens", "embed", "none"]
Pool = Literal["first", "last", "mean"]

CHOICES: dict[str, tuple[str, ...]] = {
    "activation": ("relu", "gelu", "gelu_tanh", "silu"),
    "norm": ("layer", "rms"),
    "head": ("lm", "mlm", "classify", "classify_tokens", "embed", "none"),
    "pool": ("first", "last", "mean"),
}


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Everything that decides a Transformer's shape. What can be derived is a property, never a field.

    Raises: ValueError that names the rule, then the value.
    """

    vocab_size: int
    d_model: int
    d_ff: int
    n_encoder_layers: int = 0
    n_decoder_layers: int = 0

    n_heads: int
    n_kv_heads: int | None = None
    d_head: int | None = None
    scale_scores: bool = True
    position: Position = dataclasses.field(default_factory=lambda: Learned(1024))

    activation: Activation = "gelu"
    gated: bool = False
    experts: Experts | None = None
    norm: Literal["layer", "rms"] = "layer"
    norm_first: bool = True
    norm_eps: float = 1e-5
    bias: bool = True
    dropout: float = 0.0

    n_segments: int = 0
    mix_previous: bool = False
    embed_norm: bool = False
    head: HeadKind = "lm"
    tie_embeddings: bool = True
    scale_logits: bool = False
    logits_bias: bool = False
    n_labels: int = 0
    pool: Pool = "last"
    pooler: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "d_model", "d_ff", "n_heads", "kv_heads", "head_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if min(self.n_encoder_layers, self.n_decoder_layers) < 0 or not self.n_encoder_layers + self.n_decoder_layers:
            raise ValueError(
                "A Transformer needs at least one layer: "
                f"n_encoder_layers={self.n_encoder_layers}, n_decoder_layers={self.n_decoder_layers}."
            )
        if self.d_head is None and self.d_model % self.n_heads:
            raise ValueError(f"d_model={self.d_model} does not split into n_heads={self.n_heads}.")
        if self.n_heads % self.kv_heads:
            raise ValueError(f"n_heads={self.n_heads} is not a multiple of n_kv_heads={self.kv_heads}.")
        if isinstance(self.position, Rotary) and self.head_width % 2:
            raise ValueError(f"Rotary positions turn pairs, so the head width must be even, not {self.head_width}.")
        if isinstance(self.position, Sinusoidal) and self.d_model % 2:
            raise ValueError(f"Sinusoidal positions come in pairs, so d_model must be even, not {self.d_model}.")
        if self.experts is not None and not 1 <= self.experts.n_chosen <= self.experts.n_experts:
            raise ValueError(f"n_chosen must lie between 1 and n_experts, not in {self.experts}.")
        if (self.n_labels > 0) != self.head.startswith("classify"):
            raise ValueError(f"Heads that classify need labels, others have none: {self.head!r}, {self.n_labels}.")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), not {self.dropout}.")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}.")

    @property
    def kv_heads(self) -> int:
        """How many heads hold keys and values; fewer than `n_heads` means grouped queries."""
        return self.n_heads if self.n_kv_heads is None else self.n_kv_heads

    @property
    def head_width(self) -> int:
        return self.d_model // self.n_heads if self.d_head is None else self.d_head

    @property
    def has_cross_attention(self) -> bool:
        return self.n_encoder_layers > 0 and self.n_decoder_layers > 0

    @property
    def context(self) -> int | None:
        """The longest sequence that has positions, in tokens; None where the scheme itself sets no limit."""
        return self.position.max_len if isinstance(self.position, Learned) else None
