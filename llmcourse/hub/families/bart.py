"""BART: an encoder and a decoder with learned positions and the norm last."""

from typing import Any

from llmcourse.hub.family import ACTIVATIONS, LM, PUBLISHED_ACTIVATIONS, VECTORS, Family
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both, each
from llmcourse.model import Learned, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    n_heads, d_ff = published.size("encoder_attention_heads"), published.size("encoder_ffn_dim")
    published.require(decoder_attention_heads=n_heads, decoder_ffn_dim=d_ff, scale_embedding=False)
    published.require(add_bias_logits=False, add_final_layer_norm=False, normalize_before=False)
    published.require(normalize_embedding=True, static_position_embeddings=False, extra_pos_embeddings=2)
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": published.size("d_model"),
        "d_ff": d_ff,
        "n_encoder_layers": published.size("encoder_layers"),
        "n_decoder_layers": published.size("decoder_layers"),
        "n_heads": n_heads,
        "position": Learned(published.size("max_position_embeddings"), offset=2),
        "activation": published.choice("activation_function", ACTIVATIONS, "gelu"),
        "norm_first": False,
        "dropout": published.number("dropout", default=0.1),
        "embed_norm": True,
        "tie_embeddings": published.flag("tie_word_embeddings", True),
        "logits_bias": True,
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "d_model": config.d_model,
        "encoder_ffn_dim": config.d_ff,
        "decoder_ffn_dim": config.d_ff,
        "encoder_layers": config.n_encoder_layers,
        "decoder_layers": config.n_decoder_layers,
        "encoder_attention_heads": config.n_heads,
        "decoder_attention_heads": config.n_heads,
        "max_position_embeddings": config.context,
        "activation_function": PUBLISHED_ACTIVATIONS[config.activation],
        "dropout": config.dropout,
        "tie_word_embeddings": config.tie_embeddings,
        "is_encoder_decoder": True,
    }


def _stack(stack: str) -> tuple[Rule, ...]:
    layer, block = f"model.{stack}.layers.{{i}}", f"{stack}.blocks.{{i}}"
    return (
        Rule(f"model.{stack}.embed_positions.weight", (f"{stack}.position.table.weight",)),
        *both(f"model.{stack}.layernorm_embedding", f"{stack}.embed_norm"),
        *each(f"{layer}.self_attn", f"{block}.attention", _ATTENTION),
        *both(f"{layer}.self_attn_layer_norm", f"{block}.attention_norm"),
        *both(f"{layer}.fc1", f"{block}.feedforward.up"),
        *both(f"{layer}.fc2", f"{block}.feedforward.down"),
        *both(f"{layer}.final_layer_norm", f"{block}.feedforward_norm"),
    )


_ATTENTION = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "output"}
_LAYER, _BLOCK = "model.decoder.layers.{i}", "decoder.blocks.{i}"

BART = Family(
    model_type="bart",
    position=Learned,
    heads={
        "BartForConditionalGeneration": LM,
        "BartModel": VECTORS,
        "BartForSequenceClassification": {"head": "classify", "pool": "last", "pooler": True},
    },
    read=_read,
    write=_write,
    rules=(
        Rule("model.shared.weight", ("tokens.weight",)),
        *_stack("encoder"),
        *_stack("decoder"),
        *each(f"{_LAYER}.encoder_attn", f"{_BLOCK}.cross_attention", _ATTENTION),
        *both(f"{_LAYER}.encoder_attn_layer_norm", f"{_BLOCK}.cross_norm"),
        Rule("lm_head.weight", ("unembed.weight",)),
        Rule("final_logits_bias", ("logits_bias",)),
        *both("classification_head.dense", "head.pooler"),
        *both("classification_head.out_proj", "head.labels"),
    ),
    prefix="model.",
    copies=dict.fromkeys(
        ("model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"),
        "model.shared.weight",
    ),
    may_lack=("final_logits_bias",),
    no_effect=("num_hidden_layers", "is_decoder"),
)
