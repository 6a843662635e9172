import errno
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from llmcourse.training import NotSaved, load_checkpoint, train
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


def scratch_file(path: Path) -> Path:
    """Where a checkpoint is written before it takes its name."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def a_full_disk(path: Path, patch: pytest.MonkeyPatch) -> None:
    """The next checkpoint meets a device that is always full."""
    scratch_file(path).symlink_to("/dev/full")


def a_failing_write(path: Path, patch: pytest.MonkeyPatch) -> None:
    """The next checkpoint meets the same error where the system has no such device."""

    def save(state, file):
        Path(file).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(torch, "save", save)


@pytest.mark.parametrize("disk", [a_full_disk, a_failing_write] if Path("/dev/full").exists() else [a_failing_write])
def test_a_full_disk_stops_the_run_says_so_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch, disk):
    path = tmp_path / "run.pt"
    config = make_config(checkpoint_every=3)
    run = train(make_model(), make_batches(), config, checkpoint_path=path, progress=False)
    assert [next(run).step for _ in range(5)] == [1, 2, 3, 4, 5]
    with monkeypatch.context() as patch:
        disk(path, patch)
        with pytest.raises(
            NotSaved, match=r"The checkpoint of step 6 could not be written .*is the disk full\?"
        ) as error:
            next(run)
    assert str(error.value).endswith(f"{path} keeps the run as it was after step 3.")
    assert "\n" not in str(error.value)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]  # and no half-written file is left
    assert load_checkpoint(path).step == 3
    assert resume(path, checkpoint_every=3)[-1].step == 12


KILLED_AMID_A_WRITE = """
import os, sys
from llmcourse.data import atomic_path
with atomic_path(sys.argv[1]) as scratch:
    scratch.write_bytes(b"half of it")
    os._exit(1)
"""


@pytest.mark.slow  # it starts a process that imports PyTorch
def test_a_resumed_run_clears_what_a_killed_one_left_half_written_and_nothing_else(path):
    subprocess.run([sys.executable, "-c", KILLED_AMID_A_WRITE, str(path)], check=False)
    (left,) = path.parent.glob(".run.pt.*.tmp")
    assert left.read_bytes() == b"half of it"
    others = [path.with_name(name) for name in (".run.pt.tmp", ".run.pt.x.tmp", ".other.run.pt.7.tmp", ".runxpt.7.tmp")]
    for file in others:
        file.touch()
    assert resume(path) == []
    assert left.exists()  # that run writes no checkpoints
    run = train(make_model(), make_batches(), make_config(), resume_from=path, checkpoint_path=path, progress=False)
    assert list(run) == []
    assert sorted(path.parent.iterdir()) == sorted([path, *others])


class FullDevice(io.RawIOBase):
    """A device that is always full."""

    name = "full"

    def writable(self) -> bool:
        return True

    def write(self, content) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_record_that_finds_the_disk_full_stops_the_run_in_one_line(tmp_path, monkeypatch):
    full = io.TextIOWrapper(io.BufferedWriter(FullDevice()), encoding="utf-8", line_buffering=True)
    full.mode = "a"  # as `open` notes it
    monkeypatch.setattr("llmcourse.training.loop.open_metrics", lambda path, step: full)
    with pytest.raises(NotSaved, match=r"record of step 1 could not be written \(No space left on device\)") as error:
        list(train(make_model(), make_batches(), make_config(), metrics_path=tmp_path / "run.jsonl", progress=False))
    assert str(error.value).endswith("no checkpoint was written.")


def curve(folder: Path) -> list[dict[str, float]]:
    """Each step's record, without the time that it took."""
    rows = [json.loads(line) for line in (folder / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_happened(tmp_path, optimizer):
    program = [sys.executable, str(Path(__file__).with_name("runs.py"))]
    chance = random.Random(optimizer)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    first_steps = []
    for life in range(4):
        child = subprocess.Popen([*program, str(killed), optimizer], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        kill_at = chance.randrange(40 * life + 3, 40 * life + 20) if life < 3 else 1_000
        for line in child.stdout:
            if int(line) >= kill_at:
                time.sleep(chance.uniform(0, 0.05))  # amid a step, a record or a checkpoint
                child.send_signal(signal.SIGKILL)
                break
            if len(first_steps) == life:
                first_steps.append(int(line))
        child.stdout.close()
        assert child.wait() == (-signal.SIGKILL if life < 3 else 0)
    subprocess.run([*program, str(whole), optimizer], check=True, stdout=subprocess.DEVNULL)
    assert first_steps[0] == 1 < first_steps[1] < first_steps[2] < first_steps[3]  # each life went on
    assert curve(killed) == curve(whole)
    assert [row["step"] for row in curve(killed)] == list(range(1, 151))
    ended, expected = load_checkpoint(killed / "run.pt"), load_checkpoint(whole / "run.pt")
    assert ended.step == expected.step == 150
    assert all(torch.equal(ended.model[name], expected.model[name]) for name in expected.model)
