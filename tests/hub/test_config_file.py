import json

import pytest

from llmcourse.hub.config_file import config_from_dict, config_to_dict
from llmcourse.model import Alibi, Bucketed, Experts, Learned, Rotary, Sinusoidal, TransformerConfig

SIZES = {"vocab_size": 37, "d_model": 24, "d_ff": 40, "n_decoder_layers": 2, "n_heads": 3}
SCHEMES = (Sinusoidal(), Learned(9, offset=2), Rotary(5e5, scaling=2.0), Alibi(), Bucketed(8, 40))


@pytest.mark.parametrize("position", SCHEMES, ids=[type(scheme).__name__ for scheme in SCHEMES])
@pytest.mark.parametrize("experts", [None, Experts(4, 1)], ids=["one", "mixture"])
def test_a_config_survives_json(position, experts):
    config = TransformerConfig(**SIZES, position=position, experts=experts, norm_eps=1e-6, gated=True)
    assert config_from_dict(json.loads(json.dumps(config_to_dict(config)))) == config


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"wings": 2}, "Unknown configuration field 'wings'"),
        ({"position": {"kind": "Spiral"}}, "Unknown position scheme 'Spiral'"),
        ({"vocab_size": 5}, "Incomplete configuration"),
        ({**SIZES, "position": {"kind": "Rotary", "turns": 3}}, "Incomplete configuration"),
    ],
)
def test_a_foreign_config_file_is_refused_by_field(fields, message):
    with pytest.raises(ValueError, match=message):
        config_from_dict(fields)
