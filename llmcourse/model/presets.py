"""Published configurations by name."""

from llmcourse.model.config import Learned, Rotary, TransformerConfig


def gpt2(n_layers: int, d_model: int, n_heads: int) -> TransformerConfig:
    """A GPT-2 of the given size. Source: Radford et al. 2019, table 2, and the published checkpoints' configs."""
    return TransformerConfig(
        vocab_size=50_257,
        d_model=d_model,
        d_ff=4 * d_model,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        position=Learned(1024),
        activation="gelu_tanh",
    )


def llama(
    n_layers: int,
    d_model: int,
    d_ff: int,
    n_heads: int,
    *,
    n_kv_heads: int | None = None,
    vocab_size: int = 32_000,
    theta: float = 10_000.0,
    norm_eps: float = 1e-5,
) -> TransformerConfig:
    """A Llama of the given size. Source: Touvron et al. 2023, section 2.2; Llama 3: Dubey et al. 2024, table 3."""
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        d_ff=d_ff,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        n_kv_heads=n_kv_heads,
        position=Rotary(theta),
        activation="silu",
        gated=True,
        norm="rms",
        norm_eps=norm_eps,
        bias=False,
        tie_embeddings=False,
    )


PRESETS: dict[str, TransformerConfig] = {
    "gpt2": gpt2(12, 768, 12),
    "gpt2-medium": gpt2(24, 1024, 16),
    "gpt2-large": gpt2(36, 1280, 20),
    "gpt2-xl": gpt2(48, 1600, 25),
    "llama-2-7b": llama(32, 4096, 11_008, 32),
    "llama-2-13b": llama(40, 5120, 13_824, 40),
    "llama-2-70b": llama(80, 8192, 28_672, 64, n_kv_heads=8),
    "llama-3-8b": llama(32, 4096, 14_336, 32, n_kv_heads=8, vocab_size=128_256, theta=500_000.0),
    "llama-3-70b": llama(80, 8192, 28_672, 64, n_kv_heads=8, vocab_size=128_256, theta=500_000.0),
}


def preset(name: str) -> TransformerConfig:
    """The published configuration of that name.

    Raises: ValueError that lists the known names.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset {name!r}; known are {', '.join(PRESETS)}.")
    return PRESETS[name]
