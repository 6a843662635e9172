"""The package's floors hold: import-linter's contracts, and what really gets imported."""

import subprocess
import sys

import pytest

from llmcourse.commands.check import CHECKS
from llmcourse.commands.places import environment, program

# each takes seconds to import, or must not be needed at all
HEAVY = ["torch", "matplotlib", "transformers", "nbgrader", "sphinx", "IPython", "jaxtyping"]


def loaded_after(code: str, names: list[str]) -> set[str]:
    """Those of `names` that a fresh Python has loaded after running `code`."""
    script = f"{code}\nimport sys\nprint(*(name for name in {names!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import llmcourse", [*HEAVY, "numpy"]),
        ("import llmcourse.world", [*HEAVY, "numpy"]),
        ("import llmcourse.tokenizers", HEAVY),
        ("import llmcourse.cli", [*HEAVY, "numpy"]),
        ("import llmcourse.model, llmcourse.training, llmcourse.decoding", ["matplotlib", "transformers", "nbgrader"]),
    ],
)
@pytest.mark.slow
def test_importing_a_part_loads_nothing_that_it_does_not_need(code, absent):
    assert loaded_after(code, absent) == set()


@pytest.mark.slow
def test_a_loaded_module_would_be_seen():
    assert loaded_after("import numpy, json", ["numpy", "json", "torch"]) == {"numpy", "json"}


@pytest.mark.slow
def test_every_import_points_down_the_layers(root):
    tool, *words = CHECKS["import-linter"]
    done = subprocess.run([program(tool), *words], cwd=root, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout
