"""How each family's published files say what our one config and one set of weight names say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llmcourse.model import Learned, Rotary, TransformerConfig

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Rule:
    """One published tensor and the tensors of ours that it holds; `{i}` stands for the layer.

    `transposed` is for weights kept as input x output. Several names of ours mean that theirs lie end to end along
    the output axis.
    """

    theirs: str
    ours: tuple[str, ...]
    transposed: bool = False

    def to_ours(self, tensor: Tensor) -> tuple[Tensor, ...]:
        return (tensor.T if self.transposed else tensor).chunk(len(self.ours))

    def to_theirs(self, tensors: tuple[Tensor, ...]) -> Tensor:
        joined = torch.cat(tensors)
        return joined.T if self.transposed else joined

    def at_layer(self, index: int) -> "Rule":
        return Rule(self.theirs.format(i=index), tuple(n.format(i=index) for n in self.ours), self.transposed)


@dataclass(frozen=True)
class Family:
    """A config translation and the rename rules of one family."""

    config: Callable[[Mapping[str, Any]], TransformerConfig]
    rules: tuple[Rule, ...]

    def rules_for(self, config: TransformerConfig) -> list[Rule]:
        """The rules with every layer spelled out; the untied output matrix only where there is one."""
        expanded: list[Rule] = []
        for rule in self.rules:
            if rule.ours == ("unembed.weight",) and config.tie_embeddings:
                continue
            layers = config.n_decoder_layers if "{i}" in rule.theirs else 1
            expanded += [rule.at_layer(i) for i in range(layers)]
        return expanded


def weights_to_ours(family: Family, config: TransformerConfig, theirs: Mapping[str, Tensor]) -> Weights:
    """Our names and layouts for a published set of weights.

    Raises: ValueError that names the first tensor that is missing.
    """
    ours: Weights = {}
    for rule in family.rules_for(config):
        if rule.theirs not in theirs:
            raise ValueError(f"The weights lack {rule.theirs!r}; is the file complete, and of this family?")
        ours |= zip(rule.ours, (part.contiguous() for part in rule.to_ours(theirs[rule.theirs])), strict=True)
    return ours


def weights_to_theirs(family: Family, config: TransformerConfig, ours: Mapping[str, Tensor]) -> Weights:
    """The published names and layouts for our weights."""
    rules = family.rules_for(config)
    return {rule.theirs: rule.to_theirs(tuple(ours[name] for name in rule.ours)).contiguous() for rule in rules}


def family_of(published: Mapping[str, Any]) -> Family:
    """The family that a published config.json belongs to.

    Raises: ValueError that lists the known families.
    """
    kind = published.get("model_type")
    if kind not in FAMILIES:
        raise ValueError(f"Unknown model_type {kind!r}; known are {', '.join(FAMILIES)}.")
    return FAMILIES[kind]


def _both(theirs: str, *ours: str, transposed: bool = False) -> tuple[Rule, Rule]:
    """The rules for a layer's weight and its bias; a bias has no axes to transpose."""
    weight = Rule(f"{theirs}.weight", tuple(f"{n}.weight" for n in ours), transposed)
    return weight, Rule(f"{theirs}.bias", tuple(f"{n}.bias" for n in ours))


def _require(published: Mapping[str, Any], **expected: Any) -> None:
    for name, value in expected.items():
        if published.get(name, value) != value:
            raise ValueError(f"{name}={published[name]!r} is not supported; only {value!r} is.")


def _gpt2_config(published: Mapping[str, Any]) -> TransformerConfig:
    _require(published, activation_function="gelu_new", scale_attn_weights=True, reorder_and_upcast_attn=False)
    _require(published, scale_attn_by_inverse_layer_idx=False, add_cross_attention=False)
    return TransformerConfig(
        vocab_size=published["vocab_size"],
        d_model=published["n_embd"],
        d_ff=published.get("n_inner") or 4 * published["n_embd"],
        n_decoder_layers=published["n_layer"],
        n_heads=published["n_head"],
        position=Learned(published["n_positions"]),
        activation="gelu_tanh",
        norm_eps=published["layer_norm_epsilon"],
        tie_embeddings=published.get("tie_word_embeddings", True),
    )


def _llama_config(published: Mapping[str, Any]) -> TransformerConfig:
    _require(published, hidden_act="silu", attention_bias=False, mlp_bias=False)
    rope = published.get("rope_parameters") or {}  # version 5 of the library moved theta into a dict
    _require(rope, rope_type="default")
    return TransformerConfig(
        vocab_size=published["vocab_size"],
        d_model=published["hidden_size"],
        d_ff=published["intermediate_size"],
        n_decoder_layers=published["num_hidden_layers"],
        n_heads=published["num_attention_heads"],
        n_kv_heads=published["num_key_value_heads"],
        d_head=published.get("head_dim"),
        position=Rotary(float(rope.get("rope_theta", published.get("rope_theta", 10_000.0)))),
        activation="silu",
        gated=True,
        norm="rms",
        norm_eps=published["rms_norm_eps"],
        bias=False,
        tie_embeddings=published.get("tie_word_embeddings", False),
    )


_ATTENTION = "decoder.blocks.{i}.attention"
_FEEDFORWARD = "decoder.blocks.{i}.feedforward"
_QKV = tuple(f"{_ATTENTION}.{part}" for part in ("query", "key", "value"))

GPT2 = Family(
    _gpt2_config,
    (
        Rule("transformer.wte.weight", ("tokens.weight",)),
        Rule("transformer.wpe.weight", ("decoder.position.table.weight",)),
        *_both("transformer.h.{i}.ln_1", "decoder.blocks.{i}.attention_norm"),
        *_both("transformer.h.{i}.attn.c_attn", *_QKV, transposed=True),
        *_both("transformer.h.{i}.attn.c_proj", f"{_ATTENTION}.output", transposed=True),
        *_both("transformer.h.{i}.ln_2", "decoder.blocks.{i}.feedforward_norm"),
        *_both("transformer.h.{i}.mlp.c_fc", f"{_FEEDFORWARD}.up", transposed=True),
        *_both("transformer.h.{i}.mlp.c_proj", f"{_FEEDFORWARD}.down", transposed=True),
        *_both("transformer.ln_f", "decoder.final_norm"),
        Rule("lm_head.weight", ("unembed.weight",)),
    ),
)

LLAMA = Family(
    _llama_config,
    (
        Rule("model.embed_tokens.weight", ("tokens.weight",)),
        Rule("model.layers.{i}.input_layernorm.weight", ("decoder.blocks.{i}.attention_norm.weight",)),
        Rule("model.layers.{i}.self_attn.q_proj.weight", (f"{_ATTENTION}.query.weight",)),
        Rule("model.layers.{i}.self_attn.k_proj.weight", (f"{_ATTENTION}.key.weight",)),
        Rule("model.layers.{i}.self_attn.v_proj.weight", (f"{_ATTENTION}.value.weight",)),
        Rule("model.layers.{i}.self_attn.o_proj.weight", (f"{_ATTENTION}.output.weight",)),
        Rule("model.layers.{i}.post_attention_layernorm.weight", ("decoder.blocks.{i}.feedforward_norm.weight",)),
        Rule("model.layers.{i}.mlp.gate_proj.weight", (f"{_FEEDFORWARD}.gate.weight",)),
        Rule("model.layers.{i}.mlp.up_proj.weight", (f"{_FEEDFORWARD}.up.weight",)),
        Rule("model.layers.{i}.mlp.down_proj.weight", (f"{_FEEDFORWARD}.down.weight",)),
        Rule("model.norm.weight", ("decoder.final_norm.weight",)),
        Rule("lm_head.weight", ("unembed.weight",)),
    ),
)

FAMILIES: dict[str, Family] = {"gpt2": GPT2, "llama": LLAMA}
