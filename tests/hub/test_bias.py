"""The planted bias, read back from models: from the world itself, from one that is too sure, from the shipped one."""

import math
import statistics

import pytest
import torch
from torch import nn

from llmcourse.hub import bundled
from llmcourse.hub.bias import PronounShare, amplification, pronoun_shares
from llmcourse.world import World


class Oracle(nn.Module):
    """The world itself as a model, and `strength` times as sure of its pronouns as it should be."""

    def __init__(self, world: World, tokenizer, strength: float = 1.0) -> None:
        super().__init__()
        self.world, self.tokenizer, self.strength = world, tokenizer, strength

    def forward(self, ids):
        (row,) = ids.tolist()
        logits = torch.full((1, len(row), self.tokenizer.vocab_size), -40.0)
        for token, p in self.world.next_token_probs(row, self.tokenizer).items():
            logits[0, -1, token] = self.strength * math.log(p)
        return logits


@pytest.fixture(scope="module")
def shipped():
    return bundled("microworld-small")


@pytest.fixture(scope="module")
def world(shipped):
    return World(shipped.manifest["world_seed"])


def test_the_world_itself_has_the_planted_bias_and_amplifies_nothing(shipped, world):
    shares = pronoun_shares(Oracle(world, shipped.tokenizer), shipped.tokenizer, world, n=30)
    assert sum(share.n for share in shares) == 30
    for share in shares:
        assert share.planted == world.pronoun_probs(share.job)["she"]
        assert share.model == pytest.approx(share.planted, abs=1e-6)
    assert amplification(shares)[0] == pytest.approx(0.0, abs=1e-6)


def test_a_model_that_is_too_sure_of_its_pronouns_amplifies(shipped, world):
    shares = pronoun_shares(Oracle(world, shipped.tokenizer, strength=2.0), shipped.tokenizer, world, n=30)
    lean = max(share.planted for share in shares)
    doubled = lean**2 / (lean**2 + (1 - lean) ** 2)
    assert amplification(shares)[0] == pytest.approx(doubled - lean, abs=1e-6)


def test_the_lean_is_measured_in_the_direction_of_the_world():
    assert PronounShare("a", 0.8, 0.9, 0.01, 5).lean == pytest.approx(0.1)
    assert PronounShare("b", 0.2, 0.1, 0.01, 5).lean == pytest.approx(0.1)
    assert PronounShare("c", 0.2, 0.3, 0.01, 5).lean == pytest.approx(-0.1)


def test_a_world_without_visitors_is_refused(shipped):
    with pytest.raises(ValueError, match="Only the plot 'stranger' tells of visitors"):
        pronoun_shares(shipped.model, shipped.tokenizer, World(0, plots=("key",)))


@pytest.mark.slow
def test_the_shipped_model_has_learned_most_of_the_planted_bias_and_exaggerates_nothing(shipped, world):
    shares = pronoun_shares(shipped.model, shipped.tokenizer, world)
    assert len(shares) >= 20
    she, he = ([s.model for s in shares if (s.planted > 0.5) is side] for side in (True, False))
    gap, planted = statistics.fmean(she) - statistics.fmean(he), 2 * (max(s.planted for s in shares) - 0.5)
    error = math.hypot(*(statistics.stdev(side) / math.sqrt(len(side)) for side in (she, he)))
    assert gap > 4 * error  # far from chance
    assert gap < planted + 4 * error
    # it falls short of the truth: visitors of one trade are rare, one story in some three hundred
    beyond, error = amplification(shares)
    assert -planted / 2 < beyond < 4 * error
