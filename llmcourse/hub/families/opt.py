"""OPT: nothing but a config and rename rules, with no line of the model written for it."""

from typing import Any

from llmcourse.hub.family import ACTIVATIONS, LAST_TOKEN_LABELS, LM, PUBLISHED_ACTIVATIONS, VECTORS, Family
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both, each
from llmcourse.model import Learned, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    d_model = published.size("hidden_size")
    published.require(word_embed_proj_dim=d_model, do_layer_norm_before=True, _remove_final_layer_norm=False)
    published.require(layer_norm_elementwise_affine=True)
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": d_model,
        "d_ff": published.size("ffn_dim"),
        "n_decoder_layers": published.size("num_hidden_layers"),
        "n_heads": published.size("num_attention_heads"),
        "position": Learned(published.size("max_position_embeddings"), offset=2),
        "activation": published.choice("activation_function", ACTIVATIONS, "relu"),
        "bias": published.flag("enable_bias", True),
        "dropout": published.number("dropout", default=0.1),
        "tie_embeddings": published.flag("tie_word_embeddings", True),
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "word_embed_proj_dim": config.d_model,
        "ffn_dim": config.d_ff,
        "num_hidden_layers": config.n_decoder_layers,
        "num_attention_heads": config.n_heads,
        "max_position_embeddings": config.context,
        "activation_function": PUBLISHED_ACTIVATIONS[config.activation],
        "enable_bias": config.bias,
        "dropout": config.dropout,
        "tie_word_embeddings": config.tie_embeddings,
    }


_LAYER, _BLOCK = "model.decoder.layers.{i}", "decoder.blocks.{i}"

OPT = Family(
    model_type="opt",
    position=Learned,
    heads={"OPTForCausalLM": LM, "OPTModel": VECTORS, "OPTForSequenceClassification": LAST_TOKEN_LABELS},
    read=_read,
    write=_write,
    rules=(
        Rule("model.decoder.embed_tokens.weight", ("tokens.weight",)),
        Rule("model.decoder.embed_positions.weight", ("decoder.position.table.weight",)),
        *each(
            f"{_LAYER}.self_attn",
            f"{_BLOCK}.attention",
            {"q_proj": "query", "k_proj": "key", "v_proj": "value", "out_proj": "output"},
        ),
        *both(f"{_LAYER}.self_attn_layer_norm", f"{_BLOCK}.attention_norm"),
        *both(f"{_LAYER}.fc1", f"{_BLOCK}.feedforward.up"),
        *both(f"{_LAYER}.fc2", f"{_BLOCK}.feedforward.down"),
        *both(f"{_LAYER}.final_layer_norm", f"{_BLOCK}.feedforward_norm"),
        *both("model.decoder.final_layer_norm", "decoder.final_norm"),
        Rule("lm_head.weight", ("unembed.weight",)),
        Rule("score.weight", ("head.labels.weight",)),
    ),
    prefix="model.",
    copies={"lm_head.weight": "model.decoder.embed_tokens.weight"},
)
