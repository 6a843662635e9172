"""The parts of a `tokenizer.json`: each is an object whose `type` names a class here and whose fields are its own."""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, get_args, get_origin

import regex

from llmcourse.tokenizers import decoders, normalize, splits
from llmcourse.tokenizers.normalize import Literally, Regex, UnicodeForm

GREEDY_REPEAT = regex.compile(r"\{\d*,?\d*\}\+")

Kinds = Mapping[str, type[Any]]

FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")
NORMALIZERS: Kinds = {
    "BertNormalizer": normalize.BertNormalizer,
    "Lowercase": normalize.Lowercase,
    "StripAccents": normalize.StripAccents,
    "Replace": normalize.Replace,
    "Prepend": normalize.Prepend,
    "Sequence": normalize.NormalizerSequence,
    **dict.fromkeys(FORMS, UnicodeForm),
}
SPLITTERS: Kinds = {
    "ByteLevel": splits.ByteLevel,
    "Split": splits.Split,
    "BertPreTokenizer": splits.BertPreTokenizer,
    "WhitespaceSplit": splits.WhitespaceSplit,
    "Metaspace": splits.Metaspace,
    "Sequence": splits.SplitSequence,
}
DECODERS: Kinds = {
    "ByteLevel": decoders.ByteLevelDecoder,
    "WordPiece": decoders.WordPieceDecoder,
    "Metaspace": decoders.MetaspaceDecoder,
    "ByteFallback": decoders.ByteFallbackDecoder,
    "Replace": decoders.ReplaceDecoder,
    "Strip": decoders.StripDecoder,
    "Fuse": decoders.FuseDecoder,
    "Sequence": decoders.DecoderSequence,
}
PARTS = {"normalizer": NORMALIZERS, "pre_tokenizer": SPLITTERS, "decoder": DECODERS}
# fields that the file must hold and that change no id and no text here
FILLERS: dict[type[Any], dict[str, Any]] = {
    splits.ByteLevel: {"trim_offsets": True},
    decoders.ByteLevelDecoder: {"add_prefix_space": True, "trim_offsets": True, "use_regex": True},
}
# fields that this package knows with one value only
FIXED: dict[type[Any], dict[str, Any]] = {splits.Split: {"invert": False}}


def read_part(content: object, where: str) -> Any:
    """The normaliser, splitter or decoder that the object describes; `where` is the field of the file it stands in.

    Raises: ValueError that names the part which is not supported, or the field that is wrong.
    """
    if content is None:
        return None
    kinds = PARTS[where]
    name = content.get("type") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(name, str) or name not in kinds:
        raise ValueError(f"The {where} {name!r} is not supported; known are {', '.join(kinds)}.")
    for form in FORMS:
        if name == form:
            return UnicodeForm(form)
    kind, values = kinds[name], _modern(content)
    annotations = {field.name: field.type for field in dataclasses.fields(kind)}
    for field in [field for field in values if field not in annotations]:
        value, fixed = values.pop(field), FIXED.get(kind, {})
        if not (field in FILLERS.get(kind, {}) or (field in fixed and value == fixed[field])):
            raise ValueError(f"The {where} {name} with {field}={value!r} is not supported.")
    for field, value in values.items():
        if field == "pattern":
            values[field] = _read_pattern(value)
        elif field in ("normalizers", "pretokenizers", "decoders"):
            values[field] = tuple(read_part(part, where) for part in _list(value, field))
        elif not _fits(value, annotations[field]):
            raise ValueError(f"The {where} {name} with {field}={value!r} is not supported.")
    try:
        return kind(**values)
    except TypeError:
        raise ValueError(f"The {where} {name} lacks a field; it holds {', '.join(values) or 'none'}.") from None


def write_part(part: Any, where: str) -> dict[str, Any] | None:
    """The object that describes the part; `read_part` undoes it."""
    if part is None:
        return None
    if isinstance(part, UnicodeForm):
        return {"type": part.form}
    kind = type(part)
    name = next(name for name, known in PARTS[where].items() if known is kind)
    values: dict[str, Any] = {"type": name}
    for field in dataclasses.fields(kind):
        value = getattr(part, field.name)
        if isinstance(value, Regex | Literally):
            value = {"Regex" if isinstance(value, Regex) else "String": _portable(value.source)}
        elif isinstance(value, tuple):
            value = [write_part(inner, where) for inner in value]
        values[field.name] = value
    return values | FILLERS.get(kind, {}) | FIXED.get(kind, {})


def _modern(content: dict[str, Any]) -> dict[str, Any]:
    """The fields, with those that older files spell otherwise as they are spelled now."""
    values = {field: value for field, value in content.items() if field not in ("type", "str_rep")}
    if content["type"] == "Metaspace" and "add_prefix_space" in values:
        prefix = values.pop("add_prefix_space")
        values.setdefault("prepend_scheme", "always" if prefix else "never")
    return values


def _read_pattern(value: object) -> Regex | Literally:
    match value:
        case {"Regex": str(source), **rest} if not rest:
            pattern = Regex(_portable(source))
            pattern.compiled()
            return pattern
        case {"String": str(source), **rest} if not rest:
            return Literally(source)
    raise ValueError(f"A pattern is one Regex or one String, got {value!r}.")


def _portable(source: str) -> str:
    # other engines read `x{1,3}+` as a repeat of the repeat, this one as a repeat that gives nothing back
    if GREEDY_REPEAT.search(source):
        raise ValueError(f"A count with a plus, as in x{{1,3}}+, is not read alike by all libraries: {source!r}.")
    return source


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"`{field}` must be a list, got {value!r}.")
    return value


def _fits(value: object, annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if isinstance(annotation, UnionType):
        return any(_fits(value, option) for option in get_args(annotation))
    return value is None if annotation is type(None) else type(value) is annotation
