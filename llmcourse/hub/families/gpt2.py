"""GPT-2, and DialoGPT, which is GPT-2 trained on conversations."""

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
from llmcourse.hub.rules import Rule, both
from llmcourse.model import Learned, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    published.require(scale_attn_weights=True, scale_attn_by_inverse_layer_idx=False)
    published.require(reorder_and_upcast_attn=False, add_cross_attention=False)
    d_model = published.size("n_embd", "hidden_size")
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": d_model,
        "d_ff": published.size("n_inner", default=4 * d_model),
        "n_decoder_layers": published.size("n_layer", "num_hidden_layers"),
        "n_heads": published.size("n_head", "num_attention_heads"),
        "position": Learned(published.size("n_positions", "max_position_embeddings")),
        "activation": published.choice("activation_function", ACTIVATIONS, "gelu_new"),
        "norm_eps": published.number("layer_norm_epsilon", default=1e-5),
        "dropout": published.number("resid_pdrop", default=0.1),
        "tie_embeddings": published.flag("tie_word_embeddings", True),
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "n_embd": config.d_model,
        "n_inner": config.d_ff,
        "n_layer": config.n_decoder_layers,
        "n_head": config.n_heads,
        "n_positions": config.context,
        "activation_function": PUBLISHED_ACTIVATIONS[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "resid_pdrop": config.dropout,
        "embd_pdrop": config.dropout,
        "attn_pdrop": 0.0,
        "tie_word_embeddings": config.tie_embeddings,
    }


_LAYER, _BLOCK = "transformer.h.{i}", "decoder.blocks.{i}"

GPT2 = Family(
    model_type="gpt2",
    position=Learned,
    heads={
        "GPT2LMHeadModel": LM,
        "GPT2Model": VECTORS,
        "GPT2ForSequenceClassification": LAST_TOKEN_LABELS,
        "GPT2ForTokenClassification": TOKEN_LABELS,
    },
    read=_read,
    write=_write,
    rules=(
        Rule("transformer.wte.weight", ("tokens.weight",)),
        Rule("transformer.wpe.weight", ("decoder.position.table.weight",)),
        *both(f"{_LAYER}.ln_1", f"{_BLOCK}.attention_norm"),
        *both(
            f"{_LAYER}.attn.c_attn",
            *(f"{_BLOCK}.attention.{part}" for part in ("query", "key", "value")),
            transposed=True,
        ),
        *both(f"{_LAYER}.attn.c_proj", f"{_BLOCK}.attention.output", transposed=True),
        *both(f"{_LAYER}.ln_2", f"{_BLOCK}.feedforward_norm"),
        *both(f"{_LAYER}.mlp.c_fc", f"{_BLOCK}.feedforward.up", transposed=True),
        *both(f"{_LAYER}.mlp.c_proj", f"{_BLOCK}.feedforward.down", transposed=True),
        *both("transformer.ln_f", "decoder.final_norm"),
        Rule("lm_head.weight", ("unembed.weight",)),
        Rule("score.weight", ("head.labels.weight",)),
        *both("classifier", "head"),
    ),
    prefix="transformer.",
    copies={"lm_head.weight": "transformer.wte.weight"},
    left_out=r"(transformer\.)?h\.\d+\.attn\.(masked_)?bias",
    no_effect=(
        "n_ctx",
        "embd_pdrop",
        "attn_pdrop",
        "summary_type",
        "summary_use_proj",
        "summary_activation",
        "summary_proj_to_labels",
        "summary_first_dropout",
    ),
)
