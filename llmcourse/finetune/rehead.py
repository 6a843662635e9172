"""The same layers under another head: what was learned from text, put to other work."""

import dataclasses
from typing import Any

from llmcourse.model import Transformer
from llmcourse.model.attention import Attend

OF_THE_HEAD = ("head.", "unembed.", "logits_bias")


def with_head(base: Transformer, attend: Attend | None = None, **choices: Any) -> Transformer:
    """A copy of the layers of `base` under the head that `choices` describe, as fields of a `TransformerConfig`.

    Raises: ValueError for a base with both stacks, whose texts would need two inputs.
    """
    if base.config.has_cross_attention:
        raise ValueError("A new head needs a base of one stack, an encoder or a decoder, not both.")
    model = Transformer(dataclasses.replace(base.config, **choices), attend=attend)
    layers = {name: weight for name, weight in base.state_dict().items() if not name.startswith(OF_THE_HEAD)}
    missing, unexpected = model.load_state_dict(layers, strict=False)
    assert not unexpected
    assert all(name.startswith(OF_THE_HEAD) for name in missing)
    return model.train(base.training)
