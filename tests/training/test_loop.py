import contextlib
import copy
import json
import math
import os
import signal
import threading

import pytest
import torch
from torch import nn

from llmcourse.data import DocumentBatches
from llmcourse.training import NonFiniteLoss, load_checkpoint, next_token_nats, train
from tests.training.runs import V, make_batches, make_config, make_model


def same_weights(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def plain_loop(model: nn.Module, config) -> list[tuple[float, float]]:
    """The same training in the plainest words, with the library's parts."""
    batches = make_batches()
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    vectors = [weight for weight in model.parameters() if weight.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}], betas=(0.9, 0.95)
    )
    log = []
    model.eval()  # no dropout, so that both loops see the same network
    for step in range(config.steps):
        parts = [batches.batch(2 * step), batches.batch(2 * step + 1)]
        surprises = []
        for part in parts:
            probs = torch.softmax(model(part.inputs), dim=-1)
            for row, column in (part.targets != -100).nonzero().tolist():
                surprises.append(-probs[row, column, part.targets[row, column]].log())
        loss = torch.stack(surprises).mean()
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        for weight, gradient in zip(model.parameters(), gradients, strict=True):
            weight.grad = gradient
        norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
        rise = min(1, (step + 1) / (config.warmup + 1))
        fall = (1 + math.cos(math.pi * max(0, step - config.warmup) / (config.steps - config.warmup))) / 2
        for group in optimizer.param_groups:
            group["lr"] = config.lr * rise * fall
        optimizer.step()
        log.append((loss.item(), norm.item()))
    return log


def test_the_loop_does_what_the_plain_words_say():
    config = make_config(clip=0.4)  # shorter than many of the gradients, longer than others
    ours = make_model().double()
    ours[2].p = 0.0
    theirs = copy.deepcopy(ours)
    records = list(train(ours, make_batches(), config, progress=False))
    log = plain_loop(theirs, config)
    assert [record.loss for record in records] == pytest.approx([loss for loss, _ in log], rel=1e-6)
    assert [record.grad_norm for record in records] == pytest.approx([norm for _, norm in log], rel=1e-6)
    assert any(norm > 0.4 for _, norm in log)
    assert any(norm < 0.4 for _, norm in log)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_model_learns_what_can_be_learned(optimizer):
    batches = DocumentBatches([[0, *range(1, V), 0]], 2)
    model = make_model()
    model[2].p = 0.0
    records = list(train(model, batches, make_config(optimizer, steps=100, lr=0.1), progress=False))
    assert records[0].loss > 0.9 * math.log(V)
    model.eval()
    assert next_token_nats(model, batches.batch(0)).mean() < 0.1


def test_records_count_steps_from_1_and_the_targets_read():
    records = list(train(make_model(), make_batches(), make_config(), progress=False))
    batches = make_batches()
    read = [batches.batch(2 * step).n_targets + batches.batch(2 * step + 1).n_targets for step in range(12)]
    assert [record.step for record in records] == list(range(1, 13))
    assert [record.tokens for record in records] == [sum(read[: step + 1]) for step in range(12)]
    assert all(record.seconds > 0 for record in records)


def test_the_model_trains_in_training_mode_even_when_the_caller_evaluates_between_steps():
    plain, watched = make_model(), make_model()
    list(train(plain, make_batches(), make_config(), progress=False))
    for _ in train(watched, make_batches(), make_config(), progress=False):
        watched.eval()
    assert same_weights(plain, watched)


def test_what_the_caller_draws_between_steps_changes_nothing_and_is_not_changed():
    plain, disturbed = make_model(), make_model()
    list(train(plain, make_batches(), make_config(), progress=False))
    torch.manual_seed(1)
    drawn = [torch.rand(3) for _ in train(disturbed, make_batches(), make_config(), progress=False)]
    assert same_weights(plain, disturbed)
    torch.manual_seed(1)
    assert torch.equal(torch.stack(drawn), torch.stack([torch.rand(3) for _ in drawn]))


def test_the_seed_decides_the_dropout():
    models = [make_model() for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        list(train(model, make_batches(), make_config(seed=seed), progress=False))
    assert same_weights(models[0], models[1])
    assert not same_weights(models[0], models[2])


def take(n: int, run) -> list:
    with contextlib.closing(run):
        return [next(run) for _ in range(n)]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("left_after", [1, 5, 11])
def test_a_run_that_was_left_and_resumed_equals_one_that_was_not_bit_for_bit(tmp_path, optimizer, left_after):
    config, path = make_config(optimizer), tmp_path / "run.pt"
    whole = make_model()
    expected = list(train(whole, make_batches(), config, progress=False))
    first = take(left_after, train(make_model(), make_batches(), config, checkpoint_path=path, progress=False))
    resumed = make_model(seed=99)  # its weights come from the checkpoint
    rest = list(train(resumed, make_batches(), config, resume_from=path, progress=False))
    assert same_weights(resumed, whole)
    together = [(r.step, r.loss, r.lr, r.grad_norm, r.tokens) for r in [*first, *rest]]
    assert together == [(r.step, r.loss, r.lr, r.grad_norm, r.tokens) for r in expected]


def test_checkpoints_come_at_their_interval_and_at_the_end(tmp_path):
    path = tmp_path / "run.pt"
    steps = []
    config = make_config(checkpoint_every=5)
    for _ in train(make_model(), make_batches(), config, checkpoint_path=path, progress=False):
        steps.append(load_checkpoint(path).step if path.exists() else 0)
    assert steps == [0] * 4 + [5] * 5 + [10] * 2 + [12]


class Poisoned:
    """The batches of the run, of which one makes the loss undefined."""

    def __init__(self, model: nn.Module, step: int) -> None:
        self.model, self.step, self.batches = model, step, make_batches()

    def batch(self, step):
        if step == 2 * self.step:
            self.model[4].bias.data[0] = math.nan
        return self.batches.batch(step)


def test_an_undefined_loss_stops_the_run_names_the_step_and_keeps_the_last_good_checkpoint(tmp_path):
    path, model = tmp_path / "run.pt", make_model()
    run = train(model, Poisoned(model, 7), make_config(checkpoint_every=5), checkpoint_path=path, progress=False)
    assert [next(run).step for _ in range(7)] == list(range(1, 8))
    with pytest.raises(NonFiniteLoss, match=r"loss is nan at step 8.*run\.pt keeps the run .* after step 5") as error:
        next(run)
    assert "\n" not in str(error.value)
    assert load_checkpoint(path).step == 5
    assert all(weight.isfinite().all() for weight in load_checkpoint(path).model.values())


def test_without_a_checkpoint_the_message_promises_none():
    model = make_model()
    with pytest.raises(NonFiniteLoss, match=r"at step 1, .*no checkpoint was written"):
        list(train(model, Poisoned(model, 0), make_config(), progress=False))


class Interrupting:
    """The batches of the run; while one is made, the user presses Ctrl-C."""

    def __init__(self, step: int) -> None:
        self.step, self.batches = step, make_batches()

    def batch(self, step):
        if step == 2 * self.step:
            os.kill(os.getpid(), signal.SIGINT)
        return self.batches.batch(step)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to itself")
def test_ctrl_c_in_the_middle_of_a_step_ends_the_step_and_leaves_a_checkpoint(tmp_path):
    path, metrics, config = tmp_path / "run.pt", tmp_path / "run.jsonl", make_config()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(train(make_model(), Interrupting(4), config, checkpoint_path=path, metrics_path=metrics, progress=False))
    assert signal.getsignal(signal.SIGINT) is handler
    assert load_checkpoint(path).step == 5
    assert len(metrics.read_text().splitlines()) == 5
    whole, resumed = make_model(), make_model()
    list(train(whole, make_batches(), config, progress=False))
    list(train(resumed, make_batches(), config, resume_from=path, progress=False))
    assert same_weights(whole, resumed)


def test_training_runs_in_a_thread_too():
    model, done = make_model(), []
    thread = threading.Thread(
        target=lambda: done.append(list(train(model, make_batches(), make_config(), progress=False)))
    )
    thread.start()
    thread.join()
    assert len(done[0]) == 12


def test_metrics_hold_every_step_once_even_after_steps_that_were_lost(tmp_path):
    metrics, path = tmp_path / "logs" / "run.jsonl", tmp_path / "run.pt"
    config = make_config(checkpoint_every=4)
    run = train(make_model(), make_batches(), config, checkpoint_path=path, metrics_path=metrics, progress=False)
    for record in run:
        if record.step == 4:
            at_four = path.read_bytes()
        if record.step == 6:
            break
    run.close()
    path.write_bytes(at_four)  # as if the machine had gone down after step 6
    list(train(make_model(), make_batches(), config, resume_from=path, metrics_path=metrics, progress=False))
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 13))
    assert set(lines[0]) == {"step", "loss", "lr", "grad_norm", "tokens", "seconds"}


def test_the_progress_bar_goes_to_stderr_and_can_be_off(capsys):
    list(train(make_model(), make_batches(), make_config(), progress=False))
    assert capsys.readouterr() == ("", "")
    list(train(make_model(), make_batches(), make_config()))
    out, err = capsys.readouterr()
    assert out == ""
    assert "12/12" in err
    assert "loss=" in err
