"""BERT."""

from typing import Any

from llmcourse.hub.family import ACTIVATIONS, PUBLISHED_ACTIVATIONS, TOKEN_LABELS, VECTORS, Family
from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule, both, each
from llmcourse.model import Learned, TransformerConfig


def _read(published: Fields) -> dict[str, Any]:
    published.require(position_embedding_type="absolute", is_decoder=False, add_cross_attention=False)
    return {
        "vocab_size": published.size("vocab_size"),
        "d_model": published.size("hidden_size"),
        "d_ff": published.size("intermediate_size"),
        "n_encoder_layers": published.size("num_hidden_layers"),
        "n_heads": published.size("num_attention_heads"),
        "position": Learned(published.size("max_position_embeddings")),
        "activation": published.choice("hidden_act", ACTIVATIONS, "gelu"),
        "norm_first": False,
        "norm_eps": published.number("layer_norm_eps", default=1e-12),
        "dropout": published.number("hidden_dropout_prob", default=0.1),
        "n_segments": published.size("type_vocab_size", default=2),
        "embed_norm": True,
        "tie_embeddings": published.flag("tie_word_embeddings", True),
    }


def _write(config: TransformerConfig) -> dict[str, Any]:
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "intermediate_size": config.d_ff,
        "num_hidden_layers": config.n_encoder_layers,
        "num_attention_heads": config.n_heads,
        "max_position_embeddings": config.context,
        "hidden_act": PUBLISHED_ACTIVATIONS[config.activation],
        "layer_norm_eps": config.norm_eps,
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": 0.0,
        "type_vocab_size": config.n_segments,
        "tie_word_embeddings": config.tie_embeddings,
    }


_LAYER, _BLOCK = "bert.encoder.layer.{i}", "encoder.blocks.{i}"
_EMBEDDINGS, _PREDICTIONS = "bert.embeddings", "cls.predictions"

BERT = Family(
    model_type="bert",
    position=Learned,
    heads={
        "BertForMaskedLM": {"head": "mlm"},
        "BertForPreTraining": {"head": "mlm"},
        "BertModel": VECTORS,
        "BertForSequenceClassification": {"head": "classify", "pool": "first", "pooler": True},
        "BertForTokenClassification": TOKEN_LABELS,
    },
    read=_read,
    write=_write,
    rules=(
        Rule(f"{_EMBEDDINGS}.word_embeddings.weight", ("tokens.weight",)),
        Rule(f"{_EMBEDDINGS}.token_type_embeddings.weight", ("segments.weight",)),
        Rule(f"{_EMBEDDINGS}.position_embeddings.weight", ("encoder.position.table.weight",)),
        *both(f"{_EMBEDDINGS}.LayerNorm", "encoder.embed_norm"),
        *each(
            f"{_LAYER}.attention",
            f"{_BLOCK}.attention",
            {"self.query": "query", "self.key": "key", "self.value": "value", "output.dense": "output"},
        ),
        *both(f"{_LAYER}.attention.output.LayerNorm", f"{_BLOCK}.attention_norm"),
        *both(f"{_LAYER}.intermediate.dense", f"{_BLOCK}.feedforward.up"),
        *both(f"{_LAYER}.output.dense", f"{_BLOCK}.feedforward.down"),
        *both(f"{_LAYER}.output.LayerNorm", f"{_BLOCK}.feedforward_norm"),
        *both(f"{_PREDICTIONS}.transform.dense", "head.dense"),
        *both(f"{_PREDICTIONS}.transform.LayerNorm", "head.norm"),
        Rule(f"{_PREDICTIONS}.bias", ("logits_bias",)),
        Rule(f"{_PREDICTIONS}.decoder.weight", ("unembed.weight",)),
        *both("bert.pooler.dense", "head.pooler"),
        *both("classifier", "head.labels"),
        *both("classifier", "head"),
    ),
    prefix="bert.",
    copies={
        f"{_PREDICTIONS}.decoder.weight": f"{_EMBEDDINGS}.word_embeddings.weight",
        f"{_PREDICTIONS}.decoder.bias": f"{_PREDICTIONS}.bias",
    },
    spellings=(("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")),
    left_out=r"(bert\.)?embeddings\.position_ids|cls\.seq_relationship\.(weight|bias)",
    no_effect=(
        "attention_probs_dropout_prob",
        "directionality",
        "pooler_fc_size",
        "pooler_num_attention_heads",
        "pooler_num_fc_layers",
        "pooler_size_per_head",
        "pooler_type",
    ),
)
