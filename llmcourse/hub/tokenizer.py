"""A tokenizer in a published folder: tokenizer.json, and beside it what the special tokens are for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmcourse.hub.download import TOKENIZER_CONFIG
from llmcourse.hub.files import TOKENIZER, read_json, write_json
from llmcourse.model import TransformerConfig
from llmcourse.tokenizers import ByteBPE
from llmcourse.tokenizers.families import from_byte_bpe
from llmcourse.tokenizers.files import FORMAT
from llmcourse.tokenizers.json_file import read_tokenizer_json, write_tokenizer_json
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.template import Template

# what special tokens are called where they have each role, the commonest name first
ROLES = {
    "bos_token": ("<s>", "<|endoftext|>", "<|end|>"),
    "eos_token": ("</s>", "<|endoftext|>", "<|end|>"),
    "pad_token": ("[PAD]", "<pad>", "</s>", "<|endoftext|>", "<|end|>"),
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]",),
    "sep_token": ("[SEP]",),
    "mask_token": ("[MASK]", "<mask>"),
}


def load_tokenizer_file(folder: Path) -> ByteBPE | Tokenizer:
    """The tokenizer in a folder, of this package's own format or of the tokenizers library's.

    Raises: ValueError that names the file and what is wrong with it.
    """
    path = folder / TOKENIZER
    content = read_json(path, "Fetch or save the folder again.")
    return ByteBPE.load(path) if content.get("format") == FORMAT else read_tokenizer_json(path)


def save_tokenizer_files(tokenizer: ByteBPE | Tokenizer, config: TransformerConfig, folder: Path) -> dict[str, Any]:
    """Writes the tokenizer's files, and gives back what the model's config.json says of special tokens.

    Raises: ValueError where the tokenizer has ids that the model does not know.
    """
    if isinstance(tokenizer, ByteBPE):
        tokenizer = from_byte_bpe(tokenizer, _template(roles_of(tokenizer.specials)))
    largest = max(tokenizer.vocabulary.values())
    if largest >= config.vocab_size:
        raise ValueError(f"The tokenizer has ids up to {largest}, but the model knows 0 to {config.vocab_size - 1}.")
    roles = roles_of(tokenizer.vocabulary)
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if config.n_segments else [])]
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        # a decoder writes on from its last token, which must not be padding
        "padding_side": "right" if config.n_encoder_layers or config.head != "lm" else "left",
        "model_input_names": inputs,
        **roles,
    }
    if config.context is not None:
        settings["model_max_length"] = config.context
    write_tokenizer_json(folder / TOKENIZER, tokenizer)
    write_json(folder / TOKENIZER_CONFIG, settings)
    return _ids(roles, tokenizer.vocabulary, config)


def roles_of(vocabulary: Mapping[str, int]) -> dict[str, str]:
    """The token that has each role, as far as the vocabulary holds one of the usual names."""
    found = {role: next((name for name in names if name in vocabulary), None) for role, names in ROLES.items()}
    return {role: name for role, name in found.items() if name is not None}


def _template(roles: Mapping[str, str]) -> Template | None:
    """What stands around a text where the tokenizer says nothing of it: a mark at its start, or at both ends."""
    if "cls_token" in roles and "sep_token" in roles:
        start, end = roles["cls_token"], roles["sep_token"]
        return Template.parse(f"{start} $A {end}", f"{start} $A {end} $B:1 {end}:1")
    if "bos_token" in roles:
        return Template.parse(f"{roles['bos_token']} $A", f"{roles['bos_token']} $A $B:1")
    return None


def _ids(roles: Mapping[str, str], vocabulary: Mapping[str, int], config: TransformerConfig) -> dict[str, Any]:
    ids: dict[str, Any] = {
        f"{role}_id": vocabulary[roles[role]] if role in roles else None
        for role in ("bos_token", "eos_token", "pad_token")
    }
    if config.has_cross_attention:
        start = ids["bos_token_id"] if ids["bos_token_id"] is not None else ids["pad_token_id"]
        ids |= {"decoder_start_token_id": start, "forced_eos_token_id": None}
    return ids
