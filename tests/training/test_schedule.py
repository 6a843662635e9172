import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.training import TrainConfig, learning_rate

kinds = st.sampled_from(["cosine", "linear", "trapezoid", "constant"])


@st.composite
def recipes(draw):
    steps = draw(st.integers(1, 40))
    return TrainConfig(
        steps=steps,
        warmup=draw(st.integers(0, steps)),
        lr=0.5,
        final_lr=draw(st.sampled_from([0.0, 0.05])),
        schedule=draw(kinds),
        cooldown=draw(st.sampled_from([0.2, 0.5, 1.0])),
    )


@given(recipes())
def test_the_rate_rises_once_then_never_again_and_stays_between_its_bounds(config):
    rates = [learning_rate(step, config) for step in range(2 * config.steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)  # after the end too
    assert all(rate <= config.lr for rate in rates)
    assert all(rate >= config.final_lr for rate in rates[config.warmup :])
    assert all(rate > 0 for rate in rates[: config.steps])  # no step of the run is wasted, the first least of all


@pytest.mark.parametrize("schedule", ["cosine", "linear", "trapezoid"])
def test_the_rate_ends_at_the_final_rate_and_stays_there(schedule):
    config = TrainConfig(steps=20, warmup=4, lr=1.0, final_lr=0.1, schedule=schedule)
    assert [learning_rate(step, config) for step in (20, 21, 400)] == pytest.approx([0.1] * 3)


def test_warm_up_is_a_straight_line_that_reaches_the_full_rate():
    config = TrainConfig(steps=20, warmup=4, lr=1.0)
    assert [learning_rate(step, config) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_linear_rate_falls_by_the_same_amount_at_every_step():
    config = TrainConfig(steps=24, warmup=4, lr=1.0, final_lr=0.2, schedule="linear")
    assert learning_rate(14, config) == pytest.approx(0.6)
    rates = [learning_rate(step, config) for step in range(4, 25)]
    assert [a - b for a, b in itertools.pairwise(rates)] == pytest.approx([0.04] * 20)


def test_a_cosine_is_half_way_down_half_way_through():
    config = TrainConfig(steps=24, warmup=4, lr=1.0, final_lr=0.2)
    assert learning_rate(14, config) == pytest.approx(0.6)
    # slow at both ends, steep between: a straight line would lose a quarter by now
    assert learning_rate(9, config) > 0.6 + 0.2


def test_a_trapezoid_is_level_until_its_cooldown():
    config = TrainConfig(steps=20, warmup=2, lr=1.0, schedule="trapezoid", cooldown=0.25)
    assert [learning_rate(step, config) for step in range(2, 16)] == pytest.approx([1.0] * 14)
    assert [learning_rate(step, config) for step in (16, 17, 18, 19)] == pytest.approx([0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"warmup": 11}, "warmup must lie between 0 and steps=10, not 11"),
        ({"lr": 0.0}, "lr > 0"),
        ({"final_lr": 1.0}, "final_lr <= lr"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"accumulate": 0}, "accumulate must be at least 1"),
        ({"betas": (0.9, 1.0)}, "betas must lie in"),
        ({"weight_decay": -0.1}, "weight_decay must not be negative"),
        ({"cooldown": 0.0}, "cooldown must lie in"),
        ({"precision": "fp8"}, "precision must be one of float32, bf16, not 'fp8'"),
        ({"optimizer": "sgd"}, "optimizer must be one of adamw, muon, not 'sgd'"),
        ({"schedule": "square"}, "schedule must be one of cosine, linear, trapezoid, constant, not 'square'"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_with_its_rule(fields, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{"steps": 10, **fields})


def test_a_recipe_survives_its_way_through_json():
    config = TrainConfig(steps=7, betas=(0.8, 0.9), clip=None, optimizer="muon")
    assert TrainConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ValueError, match="Not a training recipe"):
        TrainConfig.from_dict({"steps": 7, "speed": 3})
