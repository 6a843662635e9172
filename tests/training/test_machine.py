import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from llmcourse.training import choose_device, train
from llmcourse.training.machine import COMPILERS, devices, has_compiler
from tests.training import teamwork


def losses(**fields):
    model = teamwork.model()
    records = list(train(model, teamwork.batches(), teamwork.recipe(**fields), progress=False))
    return model, [record.loss for record in records]


def test_bf16_rounds_the_products_and_keeps_weights_and_averages_in_32_bits():
    plain, exact = losses()
    rounded, rough = losses(precision="bf16")
    assert rough != exact
    assert rough == pytest.approx(exact, rel=0.02)  # 8 bits of mantissa
    assert {weight.dtype for weight in rounded.parameters()} == {torch.float32}
    assert any(not torch.equal(a, b) for a, b in zip(plain.parameters(), rounded.parameters(), strict=True))


def test_the_objective_sees_bf16_inside_the_step_only():
    seen = []

    def objective(model, batch):
        logits = model(batch.inputs)
        seen.append(logits.dtype)
        return logits.float().square().sum(dim=-1) * batch.is_target

    for precision in ("float32", "bf16"):
        config = teamwork.recipe(steps=1, warmup=0, precision=precision)
        list(train(teamwork.model(), teamwork.batches(), config, objective=objective, progress=False))
    assert set(seen[:2]) == {torch.float32}
    assert set(seen[2:]) == {torch.bfloat16}
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize(
    "name", ["gpu", "cuda:99", "meta", "cuda"] if not torch.cuda.is_available() else ["gpu", "meta"]
)
def test_a_device_that_is_not_here_is_named_beside_those_that_are(name):
    with pytest.raises(ValueError, match=rf"device='{name}' cannot be used here, only cpu") as error:
        list(train(teamwork.model(), teamwork.batches(), teamwork.recipe(), device=name, progress=False))
    assert "\n" not in str(error.value)


def test_the_processor_is_always_a_device():
    assert devices()[0] == "cpu"
    assert choose_device("cpu") == torch.device("cpu")


def test_compiling_without_a_compiler_says_so_before_the_first_step(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"compile=True needs a C\+\+ compiler, but there is none of c\+\+"):
        next(train(teamwork.model(), teamwork.batches(), teamwork.recipe(compile=True), progress=False))


def compiles() -> bool:
    """Whether a compiler answers, asked in another way than the library does."""
    for name in COMPILERS:
        try:
            subprocess.run([name, "--version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return True
    return False


@pytest.mark.slow
def test_compiled_training_gives_the_same_curve_or_says_what_is_missing():
    assert has_compiler() == compiles()
    if not has_compiler():
        with pytest.raises(ValueError, match="needs a C"):
            losses(compile=True)
        return
    # in a process of its own: the checks of shapes that tests wrap around functions cannot be compiled
    program = [sys.executable, "-W", "ignore", "-m", "tests.training.compiled"]
    done = subprocess.run(program, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    plain, compiled, n_graphs = json.loads(done.stdout)
    assert compiled == pytest.approx(plain, abs=1e-5)
    assert n_graphs > 0
