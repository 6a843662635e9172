"""T5: an encoder and a decoder whose positions are buckets of distance."""

from typing import Any

from llmcourse.hub.family import LM, VECTORS, Family
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both, each
from llmcourse.model import Bucketed, TransformerConfig

# gated-gelu means the tanh one, though gelu alone is exact
_NETWORKS: dict[str, tuple[str, bool]] = {
    "relu": ("relu", False),
    "gelu": ("gelu", False),
    "gelu_new": ("gelu_tanh", False),
    "silu": ("silu", False),
    "gated-gelu": ("gelu_tanh", True),
    "gated-relu": ("relu", True),
    "gated-silu": ("silu", True),
}


def _read(published: Fields) -> dict[str, Any]:
    activation, gated = published.choice("feed_forward_proj", _NETWORKS, "relu")
    tied = published.flag("tie_word_embeddings", True)
    n_layers = published.size("num_layers")
    buckets = published.size("relative_attention_num_buckets", default=32)
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": published.size("d_model"),
        "d_ff": published.size("d_ff"),
        "n_encoder_layers": n_layers,
        "n_decoder_layers": published.size("num_decoder_layers", default=n_layers),
        "n_heads": published.size("num_heads"),
        "d_head": published.size("d_kv"),
        "scale_scores": False,
        "position": Bucketed(buckets, published.size("relative_attention_max_distance", default=128)),
        "activation": activation,
        "gated": gated,
        "norm": "rms",
        "norm_eps": published.number("layer_norm_epsilon", default=1e-6),
        "bias": False,
        "dropout": published.number("dropout_rate", default=0.1),
        "tie_embeddings": tied,
        "scale_logits": published.flag("scale_decoder_outputs", tied),
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    assert isinstance(config.position, Bucketed)
    spelling = {network: name for name, network in _NETWORKS.items()}
    return {
        "vocab_size": config.vocab_size,
        "d_model": config.d_model,
        "d_ff": config.d_ff,
        "num_layers": config.n_encoder_layers,
        "num_decoder_layers": config.n_decoder_layers,
        "num_heads": config.n_heads,
        "d_kv": config.head_width,
        "relative_attention_num_buckets": config.position.n_buckets,
        "relative_attention_max_distance": config.position.max_distance,
        "feed_forward_proj": spelling.get((config.activation, config.gated)),
        "layer_norm_epsilon": config.norm_eps,
        "dropout_rate": config.dropout,
        "tie_word_embeddings": config.tie_embeddings,
        "scale_decoder_outputs": config.scale_logits,
        "is_encoder_decoder": True,
    }


_ATTENTION = {"q": "query", "k": "key", "v": "value", "o": "output"}


def _stack(stack: str, network_layer: int) -> tuple[Rule, ...]:
    layer, block = f"{stack}.block.{{i}}.layer", f"{stack}.blocks.{{i}}"
    up, gate = f"{block}.feedforward.up.weight", f"{block}.feedforward.gate.weight"
    network = f"{layer}.{network_layer}.DenseReluDense"
    table = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"  # in the first block only
    return (
        Rule(table, (f"{stack}.position.table.weight",)),
        *both(f"{layer}.0.layer_norm", f"{block}.attention_norm"),
        *each(f"{layer}.0.SelfAttention", f"{block}.attention", _ATTENTION),
        *both(f"{layer}.{network_layer}.layer_norm", f"{block}.feedforward_norm"),
        Rule(f"{network}.wi.weight", (up,), without=gate),
        Rule(f"{network}.wi_1.weight", (up,), beside=gate),
        Rule(f"{network}.wi_0.weight", (gate,)),
        *both(f"{network}.wo", f"{block}.feedforward.down"),
        *both(f"{stack}.final_layer_norm", f"{stack}.final_norm"),
    )


T5 = Family(
    model_type="t5",
    position=Bucketed,
    heads={"T5ForConditionalGeneration": LM, "T5Model": VECTORS},
    read=_read,
    write=_write,
    rules=(
        Rule("shared.weight", ("tokens.weight",)),
        *_stack("encoder", 1),
        *_stack("decoder", 2),
        *both("decoder.block.{i}.layer.1.layer_norm", "decoder.blocks.{i}.cross_norm"),
        *each("decoder.block.{i}.layer.1.EncDecAttention", "decoder.blocks.{i}.cross_attention", _ATTENTION),
        Rule("lm_head.weight", ("unembed.weight",)),
    ),
    copies=dict.fromkeys(
        ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"), "shared.weight"
    ),
    # old files carry a table for attention to the encoder, which nothing reads
    left_out=r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight",
    no_effect=("n_positions", "dense_act_fn", "is_gated_act", "is_decoder"),
)
