"""The post-processor of a `tokenizer.json`: what stands around a text, read as a template whatever its spelling."""

from collections.abc import Callable, Mapping
from typing import Any

from llmcourse.tokenizers.template import FIRST, SECOND, Slot, Template

SEQUENCES = {"A": FIRST, "B": SECOND}


def read_template(content: object, ids: Mapping[str, int]) -> Template:
    """The template that a post-processor fills; `ids` are those of all tokens.

    Raises: ValueError that names the post-processor which is not supported, or the token that does not fit.
    """
    match content:
        case None | {"type": "ByteLevel"}:  # the latter changes only which characters a token counts as its own
            return Template()
        case {"type": "TemplateProcessing", "single": list(single), "pair": list(pair), "special_tokens": dict(tokens)}:
            for name, token in tokens.items():
                _check(name, token.get("ids") if isinstance(token, dict) else token, ids)
            return Template(tuple(map(_slot, single)), tuple(map(_slot, pair)))
        case {"type": "BertProcessing", "cls": [str(start), start_id], "sep": [str(end), end_id]}:
            _check(start, [start_id], ids)
            _check(end, [end_id], ids)
            return Template.parse(f"{start} $A {end}", f"{start} $A {end} $B:1 {end}:1")
        case {"type": "RobertaProcessing", "cls": [str(start), start_id], "sep": [str(end), end_id]}:
            _check(start, [start_id], ids)
            _check(end, [end_id], ids)
            return Template.parse(f"{start} $A {end}", f"{start} $A {end} {end} $B {end}")
        case {"type": "Sequence", "processors": list(processors)}:
            templates = [template for part in processors if (template := read_template(part, ids)) != Template()]
            if len(templates) > 1:
                raise ValueError("A post_processor of several templates is not supported.")
            return templates[0] if templates else Template()
    name = content.get("type") if isinstance(content, dict) else content
    raise ValueError(f"The post_processor {name!r} is not supported, or lacks a field.")


def write_template(template: Template, special_id: Callable[[str], int]) -> dict[str, Any] | None:
    """The post-processor that fills the template; None where nothing stands around a text."""
    if template == Template():
        return None
    return {
        "type": "TemplateProcessing",
        "single": [_write_slot(slot) for slot in template.single],
        "pair": [_write_slot(slot) for slot in template.pair],
        "special_tokens": {
            name: {"id": name, "ids": [special_id(name)], "tokens": [name]} for name in template.specials
        },
    }


def _slot(content: object) -> Slot:
    match content:
        case {"Sequence": {"id": ("A" | "B") as name, "type_id": int(segment)}}:
            return Slot(SEQUENCES[name], segment)
        case {"SpecialToken": {"id": str(name), "type_id": int(segment)}}:
            return Slot(name, segment)
    raise ValueError(f"A place in a template is a Sequence or a SpecialToken, got {content!r}.")


def _write_slot(slot: Slot) -> dict[str, Any]:
    if slot.is_text:
        return {"Sequence": {"id": slot.name.removeprefix("$"), "type_id": slot.segment}}
    return {"SpecialToken": {"id": slot.name, "type_id": slot.segment}}


def _check(name: str, found: object, ids: Mapping[str, int]) -> None:
    if name not in ids or found != [ids[name]]:
        raise ValueError(f"The post_processor takes {name!r} for {found}, the vocabulary for {ids.get(name)}.")
