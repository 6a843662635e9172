"""Llama, and Mixtral, which is Llama with a mixture of feed-forward networks."""

from collections.abc import Mapping
from typing import Any

from llmcourse.hub.family import (
    ACTIVATIONS,
    LAST_TOKEN_LABELS,
    LM,
    PUBLISHED_ACTIVATIONS,
    TOKEN_LABELS,
    VECTORS,
    Family,
)
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both, each
from llmcourse.model import Experts, Rotary, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    n_heads = published.size("num_attention_heads")
    with_bias = published.flag("attention_bias", False)
    published.require(mlp_bias=with_bias, sliding_window=None)
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": published.size("hidden_size"),
        "d_ff": published.size("intermediate_size"),
        "n_decoder_layers": published.size("num_hidden_layers"),
        "n_heads": n_heads,
        "n_kv_heads": published.size("num_key_value_heads", default=n_heads),
        "d_head": published.size("head_dim", default=None),
        "position": _rotary(published),
        "activation": published.choice("hidden_act", ACTIVATIONS, "silu"),
        "gated": True,
        "norm": "rms",
        "norm_eps": published.number("rms_norm_eps", default=1e-6),
        "bias": with_bias,
        "tie_embeddings": published.flag("tie_word_embeddings", False),
    }


def _rotary(published: Fields) -> Rotary:
    """Version 5 of the library keeps all of it in one dictionary; before, the base stood beside the scaling."""
    rope = Fields(published.take("rope_parameters", "rope_scaling", kind=Mapping, default={}))
    kind = rope.take("rope_type", "type", kind=str, default="default")
    if kind not in ("default", "linear"):
        raise ValueError(f"rope_type={kind!r} is not supported; known are default, linear.")
    theta = rope.number("rope_theta", default=published.number("rope_theta", default=10_000.0))
    scaling = rope.number("factor") if kind == "linear" else None
    rope.require(partial_rotary_factor=1.0, factor=scaling)
    rope.refuse_the_rest(())
    return Rotary(theta, scaling)


def _write(config: TransformerConfig) -> dict[str, Any]:
    assert isinstance(config.position, Rotary)
    rope: dict[str, Any] = {"rope_type": "default", "rope_theta": config.position.theta}
    if config.position.scaling is not None:
        rope |= {"rope_type": "linear", "factor": config.position.scaling}
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_ff,
        "num_hidden_layers": config.n_decoder_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_width,
        "rope_parameters": rope,
        "hidden_act": PUBLISHED_ACTIVATIONS[config.activation],
        "rms_norm_eps": config.norm_eps,
        "attention_bias": config.bias,
        "mlp_bias": config.bias,
        "tie_word_embeddings": config.tie_embeddings,
    }


def _read_mixtral(published: Fields) -> dict[str, Any]:
    experts = Experts(published.size("num_local_experts"), published.size("num_experts_per_tok"))
    return {**_read(published), "experts": experts}


def _write_mixtral(config: TransformerConfig) -> dict[str, Any]:
    written = _write(config)
    if config.experts is not None:
        written |= {"num_local_experts": config.experts.n_experts, "num_experts_per_tok": config.experts.n_chosen}
    return {name: value for name, value in written.items() if name not in ("attention_bias", "mlp_bias")}


_LAYER, _BLOCK = "model.layers.{i}", "decoder.blocks.{i}"
_EXPERT, _OUR_EXPERT = f"{_LAYER}.block_sparse_moe.experts.{{e}}", f"{_BLOCK}.feedforward.experts.{{e}}"

_SHARED = (
    Rule("model.embed_tokens.weight", ("tokens.weight",)),
    *both(f"{_LAYER}.input_layernorm", f"{_BLOCK}.attention_norm"),
    *each(
        f"{_LAYER}.self_attn",
        f"{_BLOCK}.attention",
        {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "output"},
    ),
    *both(f"{_LAYER}.post_attention_layernorm", f"{_BLOCK}.feedforward_norm"),
    *both("model.norm", "decoder.final_norm"),
    Rule("lm_head.weight", ("unembed.weight",)),
)

LLAMA = Family(
    model_type="llama",
    position=Rotary,
    heads={
        "LlamaForCausalLM": LM,
        "LlamaModel": VECTORS,
        "LlamaForSequenceClassification": LAST_TOKEN_LABELS,
        "LlamaForTokenClassification": TOKEN_LABELS,
    },
    read=_read,
    write=_write,
    rules=(
        *_SHARED,
        *each(
            f"{_LAYER}.mlp",
            f"{_BLOCK}.feedforward",
            {"gate_proj": "gate", "up_proj": "up", "down_proj": "down"},
        ),
        Rule("score.weight", ("head.labels.weight",)),
        *both("score", "head"),
    ),
    prefix="model.",
    copies={"lm_head.weight": "model.embed_tokens.weight"},
    left_out=r"(model\.)?layers\.\d+\.self_attn\.rotary_emb\.inv_freq",
    no_effect=("max_position_embeddings", "pretraining_tp"),
)

MIXTRAL = Family(
    model_type="mixtral",
    position=Rotary,
    heads={
        "MixtralForCausalLM": LM,
        "MixtralModel": VECTORS,
        "MixtralForSequenceClassification": LAST_TOKEN_LABELS,
        "MixtralForTokenClassification": TOKEN_LABELS,
    },
    read=_read_mixtral,
    write=_write_mixtral,
    rules=(
        *_SHARED,
        Rule(f"{_LAYER}.block_sparse_moe.gate.weight", (f"{_BLOCK}.feedforward.router.weight",)),
        *each(_EXPERT, _OUR_EXPERT, {"w1": "gate", "w3": "up", "w2": "down"}),
        Rule("score.weight", ("head.labels.weight",)),
        *both("score", "head"),
    ),
    prefix="model.",
    copies={"lm_head.weight": "model.embed_tokens.weight"},
    no_effect=("max_position_embeddings", "output_router_logits", "router_aux_loss_coef", "router_jitter_noise"),
)
