"""Published configurations by name."""

import dataclasses

from llmcourse.model.config import Alibi, Bucketed, Experts, Learned, Rotary, TransformerConfig


def gpt2(
    n_layers: int, d_model: int, n_heads: int, *, vocab_size: int = 50_257, context: int = 1024
) -> TransformerConfig:
    """A GPT-2 of the given size. Source: Radford et al. 2019, table 2, and the published checkpoints' configs.

    GPT-3 keeps the shape (Brown et al. 2020, table 2.1), and so does MT-NLG (Smith et al. 2022).
    """
    return TransformerConfig(
        vocab_size=vocab_size,
        d_model=d_model,
        d_ff=4 * d_model,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        position=Learned(context),
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
    """A Llama of the given size.

    Source: Touvron et al. 2023, section 2.2; Llama 3: Dubey et al. 2024, table 3; the published checkpoints' configs.
    """
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


def t5(n_layers: int, d_model: int, d_ff: int, n_heads: int, d_head: int = 64) -> TransformerConfig:
    """A T5 of the given size. Source: Raffel et al. 2020, section 2.1, and the published checkpoints' configs."""
    return TransformerConfig(
        vocab_size=32_128,
        d_model=d_model,
        d_ff=d_ff,
        n_encoder_layers=n_layers,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        d_head=d_head,
        scale_scores=False,
        position=Bucketed(),
        activation="relu",
        norm="rms",
        norm_eps=1e-6,
        bias=False,
        scale_logits=True,
    )


def bart(n_layers: int, d_model: int, n_heads: int) -> TransformerConfig:
    """A BART of the given size. Source: Lewis et al. 2020, section 2.1, and the published checkpoints' configs."""
    return TransformerConfig(
        vocab_size=50_265,
        d_model=d_model,
        d_ff=4 * d_model,
        n_encoder_layers=n_layers,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        position=Learned(1024, offset=2),
        norm_first=False,
        embed_norm=True,
        logits_bias=True,
    )


def bert(n_layers: int, d_model: int, n_heads: int) -> TransformerConfig:
    """A BERT of the given size, whose pooler makes one vector of a text.

    Source: Devlin et al. 2019, section 3, and the published checkpoints' configs.
    """
    return TransformerConfig(
        vocab_size=30_522,
        d_model=d_model,
        d_ff=4 * d_model,
        n_encoder_layers=n_layers,
        n_heads=n_heads,
        position=Learned(512),
        norm_first=False,
        norm_eps=1e-12,
        n_segments=2,
        embed_norm=True,
        head="embed",
        pool="first",
        pooler=True,
    )


def masked(bert: TransformerConfig) -> TransformerConfig:
    """The same BERT as a masked language model, which has no pooler."""
    return dataclasses.replace(bert, head="mlm", pool="last", pooler=False)


def lamda() -> TransformerConfig:
    """The largest LaMDA, of 137 billion parameters without the tokens' vectors.

    Positions as in T5, gated feed-forward networks and 32 thousand tokens are published; what is not is T5's here.
    Source: Thoppilan et al. 2022, section 3.
    """
    return TransformerConfig(
        vocab_size=32_000,
        d_model=8192,
        d_ff=65_536,
        n_decoder_layers=64,
        n_heads=128,
        d_head=128,
        position=Bucketed(),
        activation="gelu_tanh",
        gated=True,
        norm="rms",
        norm_eps=1e-6,
        bias=False,
    )


def bloom(n_layers: int, d_model: int, n_heads: int) -> TransformerConfig:
    """A BLOOM of the given size. Source: Le Scao et al. 2022, and the published checkpoints' configs."""
    return TransformerConfig(
        vocab_size=250_880,
        d_model=d_model,
        d_ff=4 * d_model,
        n_decoder_layers=n_layers,
        n_heads=n_heads,
        position=Alibi(),
        activation="gelu_tanh",
        embed_norm=True,
    )


PRESETS: dict[str, TransformerConfig] = {
    "gpt2": gpt2(12, 768, 12),
    "gpt2-medium": gpt2(24, 1024, 16),
    "gpt2-large": gpt2(36, 1280, 20),
    "gpt2-xl": gpt2(48, 1600, 25),
    "gpt3": gpt2(96, 12_288, 96, context=2048),
    "mt-nlg": gpt2(105, 20_480, 128, vocab_size=51_200, context=2048),
    "lamda": lamda(),
    "dialogpt-small": gpt2(12, 768, 12),  # Zhang et al. 2020 keep GPT-2's architecture
    "dialogpt-medium": gpt2(24, 1024, 16),
    "dialogpt-large": gpt2(36, 1280, 20),
    "bert-base": bert(12, 768, 12),
    "bert-large": bert(24, 1024, 16),
    "bert-base-mlm": masked(bert(12, 768, 12)),
    "bert-large-mlm": masked(bert(24, 1024, 16)),
    "t5-small": t5(6, 512, 2048, 8),
    "t5-base": t5(12, 768, 3072, 12),
    "t5-large": t5(24, 1024, 4096, 16),
    "t5-3b": t5(24, 1024, 16_384, 32, d_head=128),
    "t5-11b": t5(24, 1024, 65_536, 128, d_head=128),
    "bart-base": bart(6, 768, 12),
    "bart-large": bart(12, 1024, 16),
    "bloom-560m": bloom(24, 1024, 16),
    "bloom": bloom(70, 14_336, 112),
    "llama-2-7b": llama(32, 4096, 11_008, 32),
    "llama-2-13b": llama(40, 5120, 13_824, 40),
    "llama-2-70b": llama(80, 8192, 28_672, 64, n_kv_heads=8),
    "llama-3-8b": llama(32, 4096, 14_336, 32, n_kv_heads=8, vocab_size=128_256, theta=500_000.0),
    # Jiang et al. 2024, table 1; theta from the published checkpoint's config
    "mixtral-8x7b": dataclasses.replace(llama(32, 4096, 14_336, 32, n_kv_heads=8, theta=1e6), experts=Experts(8, 2)),
    "llama-3-70b": llama(80, 8192, 28_672, 64, n_kv_heads=8, vocab_size=128_256, theta=500_000.0),
}


def preset(name: str) -> TransformerConfig:
    """The published configuration of that name.

    Raises: ValueError that lists the known names.
    """
    if name not in PRESETS:
        raise ValueError(f"Unknown preset {name!r}; known are {', '.join(PRESETS)}.")
    return PRESETS[name]
