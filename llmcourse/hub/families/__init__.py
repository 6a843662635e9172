"""The families whose published files we read and write, one module of data each."""

from collections.abc import Mapping
from typing import Any

from llmcourse.hub.families.bart import BART
from llmcourse.hub.families.bert import BERT
from llmcourse.hub.families.bloom import BLOOM
from llmcourse.hub.families.gpt2 import GPT2
from llmcourse.hub.families.llama import LLAMA, MIXTRAL
from llmcourse.hub.families.opt import OPT
from llmcourse.hub.families.t5 import T5
from llmcourse.hub.family import Family, weights_to_ours, weights_to_theirs
from llmcourse.model import TransformerConfig

__all__ = [
    "BART",
    "BERT",
    "BLOOM",
    "FAMILIES",
    "GPT2",
    "LLAMA",
    "MIXTRAL",
    "OPT",
    "T5",
    "Family",
    "family_for",
    "family_of",
    "weights_to_ours",
    "weights_to_theirs",
]

FAMILIES: dict[str, Family] = {
    family.model_type: family for family in (GPT2, LLAMA, BERT, T5, BART, BLOOM, OPT, MIXTRAL)
}


def family_of(published: Mapping[str, Any]) -> Family:
    """The family that a published config.json belongs to.

    Raises: ValueError that lists the known families.
    """
    kind = published.get("model_type")
    if kind not in FAMILIES:
        raise ValueError(f"Unknown model_type {kind!r}; known are {', '.join(FAMILIES)}.")
    return FAMILIES[kind]


def family_for(config: TransformerConfig) -> Family:
    """The first family whose files can express the config.

    Raises: ValueError that says for each family what it cannot express.
    """
    complaints = []
    for family in FAMILIES.values():
        try:
            family.publish(config)
        except ValueError as error:
            complaints.append(str(error))
        else:
            return family
    raise ValueError("No known family has files for this model. " + " ".join(complaints))
