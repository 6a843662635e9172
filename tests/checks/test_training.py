"""The checks of training agree with the course's own training code, on every seed."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from llmcourse import training
from llmcourse.checks import CheckFailed
from llmcourse.checks import training as check
from llmcourse.checks.batches import Windows
from llmcourse.checks.steps import Step
from llmcourse.checks.tiny import TinyModel, mean_nats, uneven_batches
from llmcourse.data import IGNORE, Batch

SEEDS = range(40)


def rate(step: int, peak: float, final: float, warmup: int, steps: int) -> float:
    return training.warmup_cosine(step, training.TrainConfig(steps=steps, lr=peak, final_lr=final, warmup=warmup))


def evaluate(model: nn.Module, batches: list[Batch], loss: object) -> float:
    return training.evaluate(model, batches).nats_per_token


def step(model, optimizer, batches, max_norm, loss, clip) -> float:
    optimizer.zero_grad()
    mean, _ = training.accumulate_gradients(model, batches, training.next_token_nats)
    training.clip_gradients(model.parameters(), max_norm)
    optimizer.step()
    return mean


def loop(model, batches_of, n_steps, schedule, update) -> Iterator[float]:
    optimizer = training.make_optimizer(model, training.TrainConfig(steps=n_steps))
    for number in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(number)
        model.train()
        yield update(model, optimizer, batches_of(number))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_courses_own_functions_pass(seed: int) -> None:
    check.check_loss(training.cross_entropy, seed)
    check.check_evaluate(evaluate, seed)
    check.check_schedule(rate, seed)
    check.check_clip(training.clip_gradients, seed)
    check.check_step(step, seed)
    check.check_train(loop, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_batches_are_uneven_enough_to_tell_means_apart(seed: int) -> None:
    batches = uneven_batches(seed, 7)
    model = TinyModel(7, seed).eval()
    losses = [mean_nats(model(batch.inputs), batch.targets).item() for batch in batches]
    by_token = sum(loss * batch.n_targets for loss, batch in zip(losses, batches, strict=True))
    by_token /= sum(batch.n_targets for batch in batches)
    assert abs(by_token - sum(losses) / len(losses)) > 1e-3
    assert all(batch.n_targets < batch.targets.numel() for batch in batches)
    assert all(int((batch.targets == 0).sum()) for batch in batches), "token 0 must be among the targets"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_mistake_of_a_step_moves_the_weights_elsewhere(seed: int) -> None:
    # without clipping: a clipped gradient has the same length whatever it was, which hides a missing division
    case = Step(seed, 4.0)
    for mistake in case.wrong_moves():
        if mistake.code != "training.clip-each-batch":
            assert not torch.allclose(mistake.result(), case.mean, rtol=1e-3), mistake.code


@pytest.mark.parametrize("seed", SEEDS)
def test_clipping_each_batch_moves_the_weights_elsewhere(seed: int) -> None:
    case = Step(seed, 0.3)
    assert not torch.allclose(case.clipped_each(), case.shortened(case.mean), rtol=1e-3)


def test_a_batch_without_padding_hides_what_padding_does() -> None:
    """Why the checks pad: on full rows the careless loss is right."""

    def careless(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(logits.flatten(0, 1), targets.clamp(min=0).flatten())

    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[0, 1, 2], [3, 4, 0]])
    torch.testing.assert_close(careless(logits, targets), training.cross_entropy(logits, targets))
    targets[1, 1:] = IGNORE
    assert abs(careless(logits, targets) - training.cross_entropy(logits, targets)) > 0.01
    with pytest.raises(CheckFailed, match="scored as token 0"):
        check.check_loss(careless)


def sloppy_starts(ids: torch.Tensor, batch_size: int, context: int, generator: torch.Generator) -> Batch:
    starts = torch.randint(len(ids) - context + 1, (batch_size,), generator=generator)
    places = starts[:, None] + torch.arange(context + 1)
    return Batch(ids[places[:, :-1]], ids[places[:, 1:]])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_start_that_is_one_too_far_is_caught_on_every_seed(seed: int) -> None:
    with pytest.raises(CheckFailed) as caught:
        check.check_windows(sloppy_starts, seed)
    assert caught.value.code == "training.start-range"


def test_the_places_of_windows_are_read_off_their_ids() -> None:
    def first_two(ids: torch.Tensor, batch_size: int, context: int, generator: torch.Generator) -> Batch:
        places = torch.arange(batch_size)[:, None] + torch.arange(context)
        return Batch(ids[places], ids[places + 1])

    windows = Windows(first_two, 3, n_ids=30, n_rows=4, context=5)
    assert windows.starts().tolist() == [0, 1, 2, 3]
    windows.judge_targets()


def test_a_number_is_taken_from_a_graph_without_a_warning() -> None:
    """nbgrader takes all points of a cell that writes to stderr, and torch warns there."""
    check.check_loss(lambda logits, targets: mean_nats(logits, targets))


@pytest.mark.parametrize("what", ["weights", "targets", "list"])
def test_an_evaluation_is_judged_by_what_it_was_given_and_not_by_what_it_left(what: str) -> None:
    def easy(model: TinyModel, batches: list[Batch], loss: object) -> float:
        was_training = model.training
        model.eval()
        with torch.no_grad():
            if what == "weights":
                model.embedding.zero_()  # each token is then as likely as any other
            for batch in batches:
                if what == "targets":
                    batch.targets[:, 1:] = IGNORE
            if what == "list":
                del batches[1:]
            losses = [mean_nats(model(batch.inputs), batch.targets) * batch.n_targets for batch in batches]
        model.train(was_training)
        return float(sum(losses)) / sum(batch.n_targets for batch in batches)

    with pytest.raises(CheckFailed):
        check.check_evaluate(easy, 3)
