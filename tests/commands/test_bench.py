"""`llmcourse bench` runs scripts and passes on how they end."""

from pathlib import Path

import pytest

from llmcourse.commands.bench import benchmarks, run_benchmarks
from llmcourse.commands.errors import CommandError, RunFailed

MAIN = 'if __name__ == "__main__":\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "benchmarks").mkdir()
    for name, body in {
        "helper": "X = 1\n",
        "fine": f"import helper, os\n{MAIN}    open('seen', 'w').write(os.environ['OMP_NUM_THREADS'])\n",
        "broken": f"{MAIN}    raise SystemExit(3)\n",
    }.items():
        (tmp_path / "benchmarks" / f"{name}.py").write_text(body, encoding="utf-8")
    return tmp_path


def test_helpers_are_no_benchmarks_and_each_runs_on_one_thread(folder: Path) -> None:
    assert list(benchmarks(folder)) == ["broken", "fine"]
    run_benchmarks(folder, ["fine"])
    assert (folder / "seen").read_text(encoding="utf-8") == "1"


def test_a_failure_is_named_after_the_others_have_run(folder: Path) -> None:
    with pytest.raises(RunFailed, match=r"Benchmarks failed: broken\."):
        run_benchmarks(folder)
    assert (folder / "seen").exists()


def test_an_unknown_name_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no benchmark 'speed'; there are broken, fine\."):
        run_benchmarks(folder, ["speed"])


def test_the_course_has_benchmarks_and_each_says_how_it_is_run(root: Path) -> None:
    known = benchmarks(root)
    assert {"tokenizers_encoding", "tokenizers_training"} <= set(known)
    for name, path in known.items():
        assert f"python benchmarks/{name}.py" in path.read_text(encoding="utf-8")
