"""What a family of published models is to us: two translations of its config, and rename rules for its weights."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from llmcourse.hub.fields import Fields
from llmcourse.hub.rules import Rule
from llmcourse.model import Transformer, TransformerConfig

Weights = dict[str, Tensor]
Head = dict[str, Any]  # the config's fields that say what is read off the vectors

ACTIVATIONS = {
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}
PUBLISHED_ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "gelu_tanh": "gelu_new", "silu": "silu"}

LM, VECTORS = {"head": "lm"}, {"head": "none"}
LAST_TOKEN_LABELS, TOKEN_LABELS = {"head": "classify", "pool": "last"}, {"head": "classify_tokens"}
HEAD_WEIGHTS = ("head.", "unembed.", "logits_bias")


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family's files in both directions.

    `heads` gives what each published class reads off; the first is meant where a config names none. `copies` are
    tensors that repeat another one, `may_lack` those that count as zero where a file lacks them, `spellings` older
    names, `prefix` what files of the bare model leave out, and `left_out` matches tensors that hold nothing learned, or
    heads that we have no place for.
    """

    model_type: str
    position: type
    heads: Mapping[str, Head]
    read: Callable[[Fields], dict[str, Any]]
    write: Callable[[TransformerConfig], dict[str, Any]]
    rules: tuple[Rule, ...]
    prefix: str = ""
    may_lack: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    spellings: tuple[tuple[str, str], ...] = ()
    left_out: str = r"(?!)"
    no_effect: tuple[str, ...] = ()

    def config(self, published: Mapping[str, Any]) -> TransformerConfig:
        """Our config for a published one.

        Raises: ValueError that names the field which is missing, wrong or not supported.
        """
        source = Fields(published)
        settings = self.read(source) | self._head(published)
        if settings.get("d_head") == settings["d_model"] / settings["n_heads"]:
            settings["d_head"] = None  # one way to say one thing
        if settings.get("n_kv_heads") == settings["n_heads"]:
            settings["n_kv_heads"] = None
        source.refuse_the_rest(self.no_effect)
        return TransformerConfig(**settings)

    def publish(self, config: TransformerConfig) -> dict[str, Any]:
        """The published config for one of ours.

        Raises: ValueError that names the fields which this family's files cannot express.
        """
        differing = ["position"]
        if isinstance(config.position, self.position):
            head = {name: getattr(config, name) for name in ("head", "pool", "pooler")}
            published = {
                "model_type": self.model_type,
                "architectures": [self._architecture(head)],
                **self.write(config),
            }
            if config.head == "embed":  # the library has no name for it
                published["llmcourse_head"] = head
            if config.n_labels:
                published["id2label"] = {str(i): f"LABEL_{i}" for i in range(config.n_labels)}
                published["label2id"] = {f"LABEL_{i}": i for i in range(config.n_labels)}
            differing = self._lost(config, published)
            if not differing:
                return published
        raise ValueError(f"The files of {self.model_type} cannot express this model's {', '.join(differing)}.")

    def rules_for(self, config: TransformerConfig, shapes: Mapping[str, Tensor]) -> list[Rule]:
        """The rules with every layer spelled out, as far as the model has what they rename."""
        return [rule for rule in self._spelled_out(config) if rule.fits(shapes)]

    def renamed(self, theirs: Mapping[str, Tensor], config: TransformerConfig) -> Weights:
        """The tensors of a file under the names that the rules use, without what is left out."""
        known = {rule.theirs for rule in self._spelled_out(config)} | set(self.copies)
        renamed: Weights = {}
        for published_name, tensor in theirs.items():
            name = published_name
            for old, new in self.spellings:
                name = name.replace(old, new)
            if name not in known and self.prefix + name in known:
                name = self.prefix + name
            if not re.fullmatch(self.left_out, name):
                renamed[name] = tensor
        return renamed

    def other_heads(self, config: TransformerConfig) -> set[str]:
        """The names of tensors that only other heads of this family have."""
        heads = (rule for rule in self._spelled_out(config) if rule.ours[0].startswith(HEAD_WEIGHTS))
        return {rule.theirs for rule in heads}

    def _spelled_out(self, config: TransformerConfig) -> list[Rule]:
        n_experts = 0 if config.experts is None else config.experts.n_experts
        layers = {True: config.n_encoder_layers, False: config.n_decoder_layers}
        return [
            one
            for rule in self.rules
            for one in rule.spelled_out(layers[rule.ours[0].startswith("encoder.")], n_experts)
        ]

    def _head(self, published: Mapping[str, Any]) -> Head:
        named = published.get("architectures") or [next(iter(self.heads))]
        if named[0] not in self.heads:
            known = ", ".join(self.heads)
            raise ValueError(f"architectures={named!r} is not supported; known for {self.model_type} are {known}.")
        head = dict(self.heads[named[0]])
        if head == VECTORS:
            head |= Fields(published.get("llmcourse_head") or {}).only("head", "pool", "pooler")
        if head["head"].startswith("classify"):
            head["n_labels"] = published.get("num_labels") or len(published.get("id2label") or "ab")
        return head

    def _architecture(self, head: Head) -> str:
        kinds = {settings["head"]: architecture for architecture, settings in self.heads.items()}
        kind = "none" if head["head"] == "embed" else head["head"]
        if kind not in kinds:
            raise ValueError(f"The files of {self.model_type} have no head {kind!r}; they have {', '.join(kinds)}.")
        return kinds[kind]

    def _lost(self, config: TransformerConfig, published: Mapping[str, Any]) -> list[str]:
        """The fields of our config that do not survive the way there and back, or whose weights have no name."""
        try:
            back = self.config(published)
        except ValueError as error:
            return [f"settings ({error})"]
        settled = {"d_head": "head_width", "n_kv_heads": "kv_heads"}  # what None stands for
        names = [settled.get(f.name, f.name) for f in fields(config)]
        lost = [name for name in names if getattr(config, name) != getattr(back, name)]
        if not config.logits_bias and "logits_bias" in lost:
            lost.remove("logits_bias")  # a bias of zero is none
        shapes = shapes_of(config)
        named = {name for rule in self.rules_for(config, shapes) for name in rule.ours}
        return lost or [f"weights {name}" for name in shapes if name not in named][:1]


def shapes_of(config: TransformerConfig) -> Weights:
    """The tensors of such a model by name, without their numbers."""
    with torch.device("meta"):
        return dict(Transformer(config).state_dict())


def weights_to_ours(family: Family, config: TransformerConfig, theirs: Mapping[str, Tensor]) -> Weights:
    """Our names and layouts for a published set of weights.

    Raises: ValueError that names the first tensor that is missing, misshapen, unexpected or not the copy it should be.
    """
    shapes = shapes_of(config)
    rest = family.renamed(theirs, config)
    rules = family.rules_for(config, shapes)
    wanted = {rule.theirs for rule in rules}
    others = family.other_heads(config) if not config.tie_embeddings else set()
    for copy, original in family.copies.items():
        if copy in rest and copy not in wanted | others:
            tensor = rest.pop(copy)
            if original in wanted and not torch.equal(rest.setdefault(original, tensor), tensor):
                raise ValueError(f"The tensor {copy!r} should repeat {original!r}, as the config ties them.")
    ours: Weights = {}
    for rule in rules:
        expected = rule.to_theirs(tuple(shapes[name] for name in rule.ours), config.n_heads).shape
        if rule.theirs not in rest and rule.theirs not in family.may_lack:
            raise ValueError(f"The weights lack {rule.theirs!r}; is the file complete, and of this family?")
        tensor = rest.pop(rule.theirs) if rule.theirs in rest else torch.zeros(expected)
        if tensor.shape != expected:
            raise ValueError(
                f"The tensor {rule.theirs!r} is {list(tensor.shape)}; the config asks for {list(expected)}."
            )
        parts = rule.to_ours(tensor, config.n_heads)
        ours |= zip(rule.ours, (part.contiguous() for part in parts), strict=True)
    unexpected = sorted(rest.keys() - family.other_heads(config))
    if unexpected:
        raise ValueError(f"The weights hold {unexpected[0]!r}, for which a model of this config has no place.")
    return ours


def weights_to_theirs(family: Family, config: TransformerConfig, ours: Mapping[str, Tensor]) -> Weights:
    """The published names and layouts for our weights."""
    return {
        rule.theirs: rule.to_theirs(tuple(ours[name] for name in rule.ours), config.n_heads).contiguous()
        for rule in family.rules_for(config, ours)
    }
