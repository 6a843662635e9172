"""BLOOM: a decoder whose heads penalise distance."""

from typing import Any

from llmcourse.hub.family import LAST_TOKEN_LABELS, LM, TOKEN_LABELS, VECTORS, Family
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both
from llmcourse.model import Alibi, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    published.require(apply_residual_connection_post_layernorm=False)
    d_model = published.size("hidden_size", "n_embed")
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": d_model,
        "d_ff": 4 * d_model,
        "n_decoder_layers": published.size("n_layer", "num_hidden_layers"),
        "n_heads": published.size("n_head", "num_attention_heads"),
        "position": Alibi(),
        "activation": "gelu_tanh",
        "norm_eps": published.number("layer_norm_epsilon", default=1e-5),
        "dropout": published.number("hidden_dropout", default=0.0),
        "embed_norm": True,
        "tie_embeddings": published.flag("tie_word_embeddings", True),
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "n_layer": config.n_decoder_layers,
        "n_head": config.n_heads,
        "layer_norm_epsilon": config.norm_eps,
        "hidden_dropout": config.dropout,
        "attention_dropout": 0.0,
        "tie_word_embeddings": config.tie_embeddings,
    }


_LAYER, _BLOCK = "transformer.h.{i}", "decoder.blocks.{i}"

BLOOM = Family(
    model_type="bloom",
    position=Alibi,
    heads={
        "BloomForCausalLM": LM,
        "BloomModel": VECTORS,
        "BloomForSequenceClassification": LAST_TOKEN_LABELS,
        "BloomForTokenClassification": TOKEN_LABELS,
    },
    read=_read,
    write=_write,
    rules=(
        Rule("transformer.word_embeddings.weight", ("tokens.weight",)),
        *both("transformer.word_embeddings_layernorm", "decoder.embed_norm"),
        *both(f"{_LAYER}.input_layernorm", f"{_BLOCK}.attention_norm"),
        *both(
            f"{_LAYER}.self_attention.query_key_value",
            *(f"{_BLOCK}.attention.{part}" for part in ("query", "key", "value")),
            by_head=True,
        ),
        *both(f"{_LAYER}.self_attention.dense", f"{_BLOCK}.attention.output"),
        *both(f"{_LAYER}.post_attention_layernorm", f"{_BLOCK}.feedforward_norm"),
        *both(f"{_LAYER}.mlp.dense_h_to_4h", f"{_BLOCK}.feedforward.up"),
        *both(f"{_LAYER}.mlp.dense_4h_to_h", f"{_BLOCK}.feedforward.down"),
        *both("transformer.ln_f", "decoder.final_norm"),
        Rule("lm_head.weight", ("unembed.weight",)),
        Rule("score.weight", ("head.labels.weight",)),
        *both("classifier", "head"),
    ),
    prefix="transformer.",
    copies={"lm_head.weight": "transformer.word_embeddings.weight"},
    no_effect=(
        "pretraining_tp",
        "slow_but_exact",
        "seq_length",
        "offset_alibi",
        "skip_bias_add",
        "skip_bias_add_qkv",
        "masked_softmax_fusion",
        "attention_softmax_in_fp32",
        "bias_dropout_fusion",
    ),
)
