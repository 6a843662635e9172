"""`tokenizer.json`, the file in which the tokenizers library keeps all four steps of a tokenizer."""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any, TypeVar

from llmcourse.tokenizers.added import AddedToken
from llmcourse.tokenizers.alphabet import BYTES
from llmcourse.tokenizers.bpe_model import BPE
from llmcourse.tokenizers.files import read_json, write_json
from llmcourse.tokenizers.json_parts import read_part, write_part
from llmcourse.tokenizers.json_template import read_template, write_template
from llmcourse.tokenizers.pipeline import Model, Tokenizer
from llmcourse.tokenizers.unigram import Unigram
from llmcourse.tokenizers.wordpiece import WordPiece

T = TypeVar("T")

# ways of encoding that this package does not have: a file that uses one would get other ids here
UNSUPPORTED = ("dropout", "continuing_subword_prefix", "end_of_word_suffix")


def read_tokenizer_json(path: str | Path) -> Tokenizer:
    """The tokenizer in the file. Raises: ValueError naming the file and the part that is wrong or not supported."""
    content = read_json(path)
    if "model" not in content:
        raise ValueError(
            f"{path} is no tokenizer.json: it has no `model`, only {', '.join(sorted(content)) or 'nothing'}."
        )
    try:
        return from_json(content)
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error


def write_tokenizer_json(path: str | Path, tokenizer: Tokenizer) -> None:
    """Write the tokenizer to the file, all or nothing. Raises: ValueError for what the file cannot express."""
    write_json(path, to_json(tokenizer))


def from_json(content: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer that the content of a file describes. Raises: ValueError naming the part."""
    for field in ("truncation", "padding"):
        if content.get(field) is not None:
            raise ValueError(f"`{field}` in the file is not supported.")
    added = [_read_added(token) for token in _typed(content, "added_tokens", list, [])]
    model = _read_model(_typed(content, "model", dict), {token.content: token.id for token in added if token.special})
    ids = dict(model.vocabulary) | {token.content: token.id for token in added}
    return Tokenizer(
        model,
        normalizer=read_part(content.get("normalizer"), "normalizer"),
        splitter=read_part(content.get("pre_tokenizer"), "pre_tokenizer"),
        template=read_template(content.get("post_processor"), ids),
        decoder=read_part(content.get("decoder"), "decoder"),
        added=added,
    )


def to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """What the file holds. Raises: ValueError for what the file cannot express."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_write_added(token) for token in sorted(tokenizer.added, key=lambda token: token.id)],
        "normalizer": write_part(tokenizer.normalizer, "normalizer"),
        "pre_tokenizer": write_part(tokenizer.splitter, "pre_tokenizer"),
        "post_processor": write_template(tokenizer.template, tokenizer.special_id),
        "decoder": write_part(tokenizer.decoder, "decoder"),
        "model": _write_model(tokenizer.model, tokenizer.vocabulary),
    }


def _read_model(content: dict[str, Any], specials: Mapping[str, int]) -> Model:
    """The model, with the specials hidden from it: a text may not spell them where they are not allowed."""
    kind = content.get("type", "BPE" if "merges" in content else None)  # files from before 2020 do not say
    for field in UNSUPPORTED if kind == "BPE" else ():
        if content.get(field):
            raise ValueError(f"The model BPE with {field}={content[field]!r} is not supported.")
    if kind == "BPE":
        merges = [_pair(merge) for merge in _typed(content, "merges", list)]
        used = {token for pair in merges for token in (*pair, "".join(pair))} | {content.get("unk_token"), *BYTES}
        return BPE(
            _vocabulary(content, specials.keys() - used),
            merges,
            unknown=_optional(content, "unk_token", str),
            fuse_unknown=bool(content.get("fuse_unk")),
            byte_fallback=bool(content.get("byte_fallback")),
            whole_first=bool(content.get("ignore_merges")),
        )
    if kind == "WordPiece":
        return WordPiece(
            _vocabulary(content, specials.keys() - {content.get("unk_token")}),
            unknown=_typed(content, "unk_token", str),
            prefix=_typed(content, "continuing_subword_prefix", str),
            max_letters=_typed(content, "max_input_chars_per_word", int),
        )
    if kind == "Unigram":
        return Unigram(
            [_scored(token) for token in _typed(content, "vocab", list)],
            unknown_id=_optional(content, "unk_id", int),
            byte_fallback=bool(content.get("byte_fallback")),
            hidden=set(specials),
        )
    raise ValueError(f"The model {kind!r} is not supported; known are BPE, WordPiece, Unigram.")


def _write_model(model: Model, vocabulary: Mapping[str, int]) -> dict[str, Any]:
    # added tokens stand in the vocabulary too: a reader that does not find them there gives them ids of its own
    if isinstance(model, BPE):
        return {
            "type": "BPE",
            "dropout": None,
            "unk_token": model.unknown,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": model.fuse_unknown,
            "byte_fallback": model.byte_fallback,
            "ignore_merges": model.whole_first,
            "vocab": _in_order(vocabulary),
            "merges": [list(pair) for pair in model.merges],
        }
    if isinstance(model, WordPiece):
        return {
            "type": "WordPiece",
            "unk_token": model.unknown,
            "continuing_subword_prefix": model.prefix,
            "max_input_chars_per_word": model.max_letters,
            "vocab": _in_order(vocabulary),
        }
    later = [token for token in _in_order(vocabulary) if token not in model.vocabulary]
    if [vocabulary[token] for token in later] != list(range(len(model.tokens), len(vocabulary))):
        raise ValueError(f"Added tokens must follow the {len(model.tokens)} of the model, got ids for {later}.")
    return {
        "type": "Unigram",
        "unk_id": model.unknown_id,
        "vocab": [[token, score] for token, score in model.tokens],
        "byte_fallback": model.byte_fallback,
    }


def _read_added(content: object) -> AddedToken:
    if not isinstance(content, dict):
        raise ValueError(f"An added token is an object, got {content!r}.")
    if content.get("single_word"):
        raise ValueError(f"The added token {content.get('content')!r} with single_word=True is not supported.")
    flags = {name: bool(content.get(name, False)) for name in ("special", "lstrip", "rstrip", "normalized")}
    return AddedToken(_typed(content, "content", str), _typed(content, "id", int), **flags)


def _write_added(token: AddedToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "content": token.content,
        "single_word": False,
        "lstrip": token.lstrip,
        "rstrip": token.rstrip,
        "normalized": token.normalized,
        "special": token.special,
    }


def _vocabulary(content: dict[str, Any], hidden: Set[str]) -> dict[str, int]:
    vocabulary = _typed(content, "vocab", dict)
    for token, number in vocabulary.items():
        if type(number) is not int or number < 0:
            raise ValueError(f"Every id is a whole number from 0 on, but {token!r} has {number!r}.")
    return {token: number for token, number in vocabulary.items() if token not in hidden}


def _in_order(vocabulary: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(vocabulary.items(), key=lambda item: item[1]))


def _pair(merge: object) -> tuple[str, str]:
    halves = merge.split(" ") if isinstance(merge, str) else merge
    match halves:
        case [str(left), str(right)]:
            return left, right
    raise ValueError(f"A merge is two tokens, got {merge!r}.")


def _scored(token: object) -> tuple[str, float]:
    match token:
        case [str(name), float() | int() as score]:
            return name, float(score)
    raise ValueError(f"A Unigram token is a name and a score, got {token!r}.")


def _typed(content: Mapping[str, Any], field: str, kind: type[T], default: T | None = None) -> T:
    value = content.get(field, default)
    if type(value) is not kind:
        raise ValueError(f"`{field}` must be of type {kind.__name__}, got {json.dumps(value)[:60]}.")
    return value


def _optional(content: Mapping[str, Any], field: str, kind: type[T]) -> T | None:
    return None if content.get(field) is None else _typed(content, field, kind)
