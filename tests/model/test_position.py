"""Laws of the five position schemes."""

import pytest
import torch
from torch.testing import assert_close
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.t5.modeling_t5 import T5Attention

from llmcourse.model import Rotary
from llmcourse.model.position import (
    AlibiPosition,
    RotaryPosition,
    SinusoidalPosition,
    alibi_slopes,
    distance_buckets,
    rotate,
)


@pytest.fixture
def heads():
    return torch.randn(2, 3, 5, 8, generator=torch.Generator().manual_seed(5))


def test_rotation_keeps_lengths(heads):
    turned = rotate(heads, RotaryPosition(Rotary(), 8).rotation(torch.arange(5).expand(2, -1)))
    assert_close(turned.norm(dim=-1), heads.norm(dim=-1))
    assert (turned - heads)[:, :, 1:].abs().amax(dim=-1).min() > 0.1


def test_rotated_scores_depend_on_the_distance_alone(heads):
    scheme = RotaryPosition(Rotary(), 8)
    near = torch.arange(5).expand(2, -1)

    def scores(shift: int) -> torch.Tensor:
        turned = rotate(heads, scheme.rotation(near + shift))
        return turned @ turned.transpose(-2, -1)

    assert_close(scores(0), scores(100), rtol=1e-4, atol=1e-4)


def test_scaling_divides_the_positions(heads):
    positions = torch.arange(5).expand(2, -1)
    plain = RotaryPosition(Rotary(), 8).rotation(positions)
    stretched = RotaryPosition(Rotary(scaling=4.0), 8).rotation(positions * 4)
    assert_close(plain, stretched)


@pytest.mark.parametrize("n_heads", [1, 2, 3, 6, 8, 12, 16])
def test_alibi_slopes_equal_the_reference(n_heads):
    # the reference returns slope times position; at position 1 that is the slope
    theirs = build_alibi_tensor(torch.ones(1, 2, dtype=torch.long), n_heads, torch.float32)[:, 0, 1]
    assert_close(alibi_slopes(n_heads), theirs)


def test_alibi_penalises_distance():
    bias = AlibiPosition(4).bias(torch.tensor([[3]]), torch.tensor([[0, 1, 2, 3]]))
    assert_close(bias[0, :, 0], -alibi_slopes(4)[:, None] * torch.tensor([3.0, 2.0, 1.0, 0.0]))


@pytest.mark.parametrize("both_ways", [True, False])
def test_buckets_equal_the_reference(both_ways):
    ahead = torch.arange(-300, 300)
    theirs = T5Attention._relative_position_bucket(ahead, both_ways, 32, 128)
    assert torch.equal(distance_buckets(ahead, 32, 128, both_ways), theirs)


def test_sinusoids_follow_the_formula():
    waves = SinusoidalPosition(6).embed(torch.zeros(1, 9, 6), torch.arange(9)[None])[0]
    for position in range(9):
        for pair in range(3):
            angle = torch.tensor(position / 10_000 ** (2 * pair / 6))
            assert_close(waves[position, 2 * pair], angle.sin())
            assert_close(waves[position, 2 * pair + 1], angle.cos())
