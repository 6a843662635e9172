import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llmcourse.training import load_checkpoint, train
from tests.training.runs import make_batches, make_config, make_model


@pytest.fixture
def path(tmp_path):
    """A finished run's checkpoint."""
    path = tmp_path / "run.pt"
    list(train(make_model(), make_batches(), make_config(), checkpoint_path=path, extra={"who": "me"}, progress=False))
    return path


def resume(path, model=None, **fields):
    model = make_model() if model is None else model
    return list(train(model, make_batches(), make_config(**fields), resume_from=path, progress=False))


def one_line(error: pytest.ExceptionInfo, path: Path) -> bool:
    return str(path) in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 300


def test_a_checkpoint_holds_the_run_and_the_caller_s_notes(path):
    checkpoint = load_checkpoint(path)
    assert checkpoint.step == 12
    assert checkpoint.config == make_config()
    assert checkpoint.extra == {"who": "me"}
    assert resume(path) == []  # nothing is left to do


def test_a_finished_run_can_be_made_longer(path):
    assert [record.step for record in resume(path, steps=15)] == [13, 14, 15]


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"There is no checkpoint .*gone\.pt"):
        load_checkpoint(tmp_path / "gone.pt")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_gets_one_line(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="damaged") as error:
        load_checkpoint(path)
    assert one_line(error, path)


def test_a_flipped_byte_gets_one_line_or_was_padding(path):
    content = path.read_bytes()
    model = load_checkpoint(path).model
    noticed = 0
    for place in random.Random(0).sample(range(len(content)), 60):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            found = load_checkpoint(path).model
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome may come
            noticed += 1
        else:
            assert all(torch.equal(found[name], model[name]) for name in model)
    assert noticed > 20


class Payload:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return (Path.touch, (self.witness,))


def foreign_files(path: Path, witness: Path):
    yield lambda: path.write_text("no checkpoint at all")
    yield lambda: torch.save({"weights": torch.ones(2)}, path)
    yield lambda: torch.save([1, 2], path)
    yield lambda: torch.save(Payload(witness), path)


@pytest.mark.parametrize("which", range(4))
def test_a_foreign_file_gets_one_line_and_runs_no_code(tmp_path, which):
    path, witness = tmp_path / "run.pt", tmp_path / "witness"
    list(foreign_files(path, witness))[which]()
    with pytest.raises(ValueError, match="checkpoint") as error:
        load_checkpoint(path)
    assert one_line(error, path)
    assert not witness.exists()


def test_another_model_s_checkpoint_is_refused_and_changes_nothing(path):
    model = make_model()
    model[4] = torch.nn.Linear(8, 12)
    before = model[0].weight.detach().clone()
    with pytest.raises(ValueError, match=r"holds another model: 4\.weight has shape \(11, 8\) there and \(12, 8\)"):
        resume(path, model)
    assert torch.equal(model[0].weight, before)


def test_another_optimiser_s_checkpoint_is_refused(path):
    with pytest.raises(ValueError, match="was trained with optimizer='adamw', not 'muon'"):
        resume(path, optimizer="muon")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_killed_at_random_steps_ends_as_if_nothing_had_happened(tmp_path, optimizer):
    program = [sys.executable, str(Path(__file__).with_name("runs.py"))]
    chance = random.Random(optimizer)
    lives = []
    path = tmp_path / "run.pt"
    for kill_at in (chance.randrange(2, 10), chance.randrange(12, 25), None):
        child = subprocess.Popen([*program, str(path), optimizer], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        steps = []
        for line in child.stdout:
            steps.append(int(line))
            if kill_at is not None and steps[-1] >= kill_at:
                child.send_signal(signal.SIGKILL)
                break
        child.stdout.close()
        child.wait()
        lives.append(steps)
    whole = tmp_path / "whole.pt"
    subprocess.run([*program, str(whole), optimizer], check=True, stdout=subprocess.DEVNULL)
    assert lives[1][0] > 1  # it went on, and did not start again
    assert lives[2][-1] == 30
    ended, expected = load_checkpoint(path), load_checkpoint(whole)
    assert ended.step == expected.step == 30
    assert all(torch.equal(ended.model[name], expected.model[name]) for name in expected.model)
