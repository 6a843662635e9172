import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from llmcourse.data import Batch
from llmcourse.training import LostProcess, Team, load_checkpoint, team_from_environment, train, whole
from llmcourse.training.distributed import split_like
from tests.training import teamwork

ROOT = Path(__file__).resolve().parents[2]


def torchrun(out: Path, **choices) -> subprocess.CompletedProcess[str]:
    """Two processes on this machine, as a user starts them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "tests.training.teamwork"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, str(out), json.dumps(choices)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def alone(**fields):
    model = teamwork.model()
    records = list(train(model, teamwork.batches(), teamwork.recipe(**fields), progress=False))
    return model, records


def curve(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    "choices",
    [
        {"optimizer": "adamw"},
        {"optimizer": "muon", "sharded": True},
        {"optimizer": "adamw", "fused": True},
        {"optimizer": "adamw", "fused": True, "sharded": True},
    ],
    ids=["shared", "sharded", "shared and fused", "sharded and fused"],
)
def test_two_processes_give_the_curve_and_the_weights_of_one(tmp_path, choices):
    done = torchrun(tmp_path, **choices)
    assert done.returncode == 0, done.stderr
    model, records = alone(optimizer=choices["optimizer"])
    rows = curve(tmp_path / "run.jsonl")
    assert [row["loss"] for row in rows] == pytest.approx([record.loss for record in records], abs=1e-6)
    assert [row["grad_norm"] for row in rows] == pytest.approx([r.grad_norm for r in records], rel=1e-5)
    assert [row["tokens"] for row in rows] == [record.tokens for record in records]
    for rank in range(2):
        ours = torch.load(tmp_path / f"weights-{rank}.pt", weights_only=True)
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(ours[name], weight, rtol=0, atol=1e-5)  # the order of additions differs
    saved = load_checkpoint(tmp_path / "run.pt")  # whole tensors, which one process can go on from
    longer = teamwork.model()
    options = {"resume_from": tmp_path / "run.pt", "progress": False}
    assert len(list(train(longer, teamwork.batches(), teamwork.recipe(steps=9, **_only(choices)), **options))) == 1
    assert saved.step == 8


def _only(choices):
    return {"optimizer": choices["optimizer"]}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("sharded", [False, True], ids=["shared", "sharded"])
def test_a_lost_process_ends_the_run_in_one_line_and_the_checkpoint_is_good(tmp_path, sharded):
    done = torchrun(tmp_path, lose_at=5, sharded=sharded)
    assert done.returncode != 0
    message = (tmp_path / "lost-0.txt").read_text(encoding="utf-8")
    assert "\n" not in message
    assert f"{tmp_path / 'run.pt'} keeps the run as it was after step 3." in message
    assert load_checkpoint(tmp_path / "run.pt").step == 3
    assert not (tmp_path / "weights-0.pt").exists()
    again = torchrun(tmp_path, resume=True, sharded=sharded)
    assert again.returncode == 0, again.stderr
    _, records = alone()
    rows = curve(tmp_path / "run.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 9))
    assert [row["loss"] for row in rows] == pytest.approx([record.loss for record in records], abs=1e-6)


def test_a_batch_with_fewer_rows_than_processes_is_refused():
    batch = Batch(torch.zeros(2, 4, dtype=torch.long), torch.ones(2, 4, dtype=torch.long))
    with pytest.raises(ValueError, match="A batch of 2 rows is too small for 3 processes to share"):
        Team(0, 3).share(batch)
    assert Team().share(batch) is batch


def test_without_torchrun_a_process_is_alone_and_cannot_shard():
    with team_from_environment(environment={}) as team:
        assert (team.rank, team.size, team.is_first) == (0, 1, True)
    with pytest.raises(ValueError, match="A sharded run needs several processes: torchrun"):
        with team_from_environment(sharded=True, environment={"WORLD_SIZE": "1"}):
            pass


def test_processes_that_write_nothing_draw_other_numbers_and_the_same_ones_again():
    seeds = {Team(rank, 4).seed(seed, step) for rank in range(1, 4) for seed in range(3) for step in range(3)}
    assert len(seeds) == 27
    assert Team(1, 4).seed(0, 5) == Team(1, 2).seed(0, 5)


class Broken:
    """A backend whose other end is gone."""

    def __call__(self, *args):
        raise RuntimeError("Connection closed by peer [127.0.0.1]:4711")


def test_a_broken_connection_is_a_lost_process(monkeypatch):
    monkeypatch.setattr("torch.distributed.all_reduce", Broken())
    monkeypatch.setattr("torch.distributed.get_backend", lambda: "gloo")
    layer = nn.Linear(2, 2)
    layer(torch.ones(1, 2)).sum().backward()
    with pytest.raises(LostProcess, match="Another process of the run was lost"):
        Team(0, 2).sum_gradients(list(layer.parameters()), 1.0)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to itself")
def test_the_signal_that_stops_a_run_is_a_lost_process_and_leaves_the_handler_as_it_was():
    from llmcourse.training.distributed import _told_to_stop

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(LostProcess, match="told to stop"):
        with _told_to_stop():
            os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_gradients_are_summed_where_any_process_has_one_and_stay_none_where_no_process_has(monkeypatch):
    first, second = [torch.ones(2), None, None], [torch.full((2,), 2.0), torch.full((3,), 5.0), None]
    weights = [nn.Parameter(torch.zeros(n)) for n in (2, 3, 4)]
    sent = []

    def other_process_adds(tensor: torch.Tensor) -> None:
        sent.append(tensor.clone())
        if len(sent) == 2:
            tensor += sent[0]

    monkeypatch.setattr("torch.distributed.all_reduce", other_process_adds)
    monkeypatch.setattr("torch.distributed.get_backend", lambda: "gloo")
    for gradients, loss in ((first, 0.25), (second, 0.5)):
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        total = Team(0, 2).sum_gradients(weights, loss)
    assert total == 0.75
    assert weights[0].grad.tolist() == [3.0, 3.0]
    assert weights[1].grad.tolist() == [5.0] * 3
    assert weights[2].grad is None


def test_what_is_not_sharded_is_whole_as_it_is():
    weight = torch.ones(3)
    assert whole({"a": [weight, 2]})["a"][0] is weight
    assert split_like(weight, torch.zeros(3)) is weight
