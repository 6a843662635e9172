"""Where something could make the fused decoder differ from the model, the model is run as it is."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from llmcourse.inference import fuse, quantize
from llmcourse.model import Experts, Learned, Transformer, TransformerConfig, attend, fused_attend
from tests.model.conftest import SIZES, lively

CONFIG = TransformerConfig(**SIZES, position=Learned(32), dropout=0.1)


class Loud(nn.Linear):
    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(vectors)


class Own(Transformer):
    pass


def _hook(model: Transformer) -> None:
    model.decoder.blocks[1].attention.attend.softmax.register_forward_hook(lambda *_: None)


def _pre_hook(model: Transformer) -> None:
    model.decoder.blocks[0].attention.output.register_forward_pre_hook(lambda *_: None)


def _hook_on_the_model(model: Transformer) -> None:
    model.register_forward_hook(lambda *_: None)


def _patch(model: Transformer) -> None:
    model.decoder.blocks[0].forward = lambda vectors, *_, **__: vectors


def _replace(model: Transformer) -> None:
    model.decoder.blocks[0].feedforward.up = Loud(24, 40)


def _reparametrise(model: Transformer) -> None:
    parametrizations.weight_norm(model.decoder.blocks[0].feedforward.up)


def _half(model: Transformer) -> None:
    model.bfloat16()


def _mixed_types(model: Transformer) -> None:
    model.decoder.double()


CHANGES = [_hook, _pre_hook, _hook_on_the_model, _patch, _replace, _reparametrise, _half, _mixed_types]


@pytest.mark.parametrize("change", [*CHANGES, nn.Module.train])
def test_whatever_may_change_the_answer_keeps_the_model(change):
    model = lively(Transformer(CONFIG))
    assert fuse(model) is not None
    change(model)
    assert fuse(model) is None


@pytest.mark.parametrize(
    "model",
    [
        Transformer(TransformerConfig(**SIZES, experts=Experts(3))),
        Transformer(TransformerConfig(**SIZES, head="none")),
        Transformer(TransformerConfig(**{**SIZES, "n_decoder_layers": 0}, n_encoder_layers=1)),
        Transformer(TransformerConfig(**SIZES, n_encoder_layers=1)),  # without the memory that it reads
        quantize(Transformer(CONFIG).eval()),
        Own(CONFIG).eval(),
        Transformer(CONFIG, attend=lambda query, key, value, bias: value).eval(),
        nn.Linear(2, 2),
        lambda ids: ids,
    ],
)
def test_other_models_are_left_alone(model):
    assert fuse(model) is None


def test_autocast_keeps_the_model():
    with torch.autocast("cpu", torch.bfloat16):
        assert fuse(lively(Transformer(CONFIG))) is None


@pytest.mark.parametrize("own", [None, attend, fused_attend])
def test_the_attentions_of_the_package_are_one(own):
    assert fuse(Transformer(CONFIG, attend=own).eval()) is not None


def test_a_hook_on_the_encoder_has_had_its_say():
    model = Transformer(TransformerConfig(**SIZES, n_encoder_layers=1)).eval()
    model.encoder.register_forward_hook(lambda *_: None)
    assert fuse(model, torch.zeros(1, 4, 24)) is not None


def test_training_without_dropout_changes_nothing():
    assert fuse(Transformer(TransformerConfig(**SIZES)).train()) is not None
