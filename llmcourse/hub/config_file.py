"""A configuration as plain JSON values, and back."""

import dataclasses
from typing import Any

from llmcourse.model import Alibi, Bucketed, Experts, Learned, Rotary, Sinusoidal, TransformerConfig

POSITIONS: dict[str, type] = {kind.__name__: kind for kind in (Sinusoidal, Learned, Rotary, Alibi, Bucketed)}


def config_to_dict(config: TransformerConfig) -> dict[str, Any]:
    """The fields as plain JSON values; the position scheme carries its name under `kind`."""
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    fields["position"] = {"kind": type(config.position).__name__, **dataclasses.asdict(config.position)}
    fields["experts"] = None if config.experts is None else dataclasses.asdict(config.experts)
    return fields


def config_from_dict(fields: dict[str, Any]) -> TransformerConfig:
    """The configuration that `config_to_dict` described.

    Raises: ValueError that names an unknown field or position scheme.
    """
    known = {field.name for field in dataclasses.fields(TransformerConfig)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"Unknown configuration field {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    values = dict(fields)
    try:
        if "position" in values:
            knobs = dict(values["position"])
            kind = knobs.pop("kind", None)
            if kind not in POSITIONS:
                raise ValueError(f"Unknown position scheme {kind!r}; known are {', '.join(POSITIONS)}.")
            values["position"] = POSITIONS[kind](**knobs)
        if values.get("experts") is not None:
            values["experts"] = Experts(**values["experts"])
        return TransformerConfig(**values)
    except TypeError as error:  # a required field is missing, or a scheme has no such knob
        raise ValueError(f"Incomplete configuration: {error}.") from None
