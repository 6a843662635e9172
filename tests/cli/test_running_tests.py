"""`llmcourse test` runs each test once, and a skip cannot hide in CI."""

import itertools
import subprocess
import sys

import pytest

from llmcourse.commands import system
from llmcourse.commands import test as test_command
from llmcourse.commands.errors import RunFailed

MARKERS = ["slow", "book", "browser", "grading"]


@pytest.mark.parametrize("held", list(itertools.product([False, True], repeat=len(MARKERS))))
def test_every_test_falls_into_exactly_one_phase(held):
    marks = dict(zip(MARKERS, held, strict=True))
    chosen = [phase.name for phase in test_command.PHASES if eval(phase.select, {}, marks)]
    assert len(chosen) == 1


@pytest.fixture
def recorded(monkeypatch):
    """The commands that would have run; `fail` names words whose phase then fails."""
    calls, fail = [], set()

    def pretend(_, arguments):
        calls.append(list(arguments))
        return int(any(word in fail for word in arguments))

    monkeypatch.setattr(test_command, "_pytest", pretend)
    monkeypatch.setattr(test_command, "provide", list)
    return calls, fail


def test_without_arguments_every_phase_runs(recorded, root):
    test_command.run_tests(root)
    assert [call[1] for call in recorded[0]] == [phase.select for phase in test_command.PHASES]


def test_a_failed_phase_does_not_keep_the_others_from_running_but_fails_the_whole(recorded, root):
    calls, fail = recorded
    fail.add("grading")
    fail.add(test_command.PHASES[0].select)
    with pytest.raises(RunFailed, match=r"fast, grading"):
        test_command.run_tests(root)
    assert len(calls) == len(test_command.PHASES)


def test_arguments_go_to_one_plain_pytest(recorded, root):
    test_command.run_tests(root, ["tests/model", "-k", "cache"])
    assert recorded[0] == [["tests/model", "-k", "cache"]]


TWO_TESTS = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="no such machine")
def test_left_out():
    pass
"""
SKIPPED_FILE = "import pytest\npytest.skip('no such machine', allow_module_level=True)\n"


@pytest.mark.slow
@pytest.mark.parametrize("text", [TWO_TESTS, SKIPPED_FILE + TWO_TESTS], ids=["one test", "whole file"])
@pytest.mark.parametrize("spread", [[], ["-n", "1"]], ids=["one process", "xdist"])
def test_in_ci_a_skipped_test_fails_the_run(tmp_path, root, text, spread):
    (tmp_path / "conftest.py").write_bytes((root / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_one.py").write_text("def test_passes():\n    pass\n")
    (tmp_path / "test_two.py").write_text(text)
    statuses = []
    for ci in ["", "true"]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *spread, str(tmp_path)]
        variables = test_command.environment(CI=ci, PYTHONPATH=str(root))
        done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
        statuses.append(done.returncode)
    assert statuses == [0, 1], done.stdout
    assert "CI must run what it skipped" in done.stdout


NAMELESS = """
import pytest

@pytest.mark.parametrize("function", [lambda: 1], ids=str)
def test_has_an_address_for_a_name(function):
    pass
"""


@pytest.mark.slow
def test_a_test_whose_name_changes_with_each_process_stops_the_run(tmp_path, root):
    (tmp_path / "conftest.py").write_bytes((root / "tests" / "conftest.py").read_bytes())
    (tmp_path / "test_one.py").write_text(NAMELESS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    variables = test_command.environment(PYTHONPATH=str(root))
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "Give this test's parameters names" in done.stdout + done.stderr


def need(found: bool) -> system.Need:
    return system.Need("Thing", "browser", ("thing",), lambda: "thing" if found else None)


def test_what_is_there_is_not_installed(monkeypatch):
    monkeypatch.setattr(system, "_install", lambda *_: pytest.fail("installed"))
    assert system.provide([need(True)]) == []


def test_without_root_the_tests_left_out_and_the_command_are_named(monkeypatch):
    monkeypatch.setattr(system, "may_install", lambda: False)
    monkeypatch.setattr(system, "_install", lambda *_: pytest.fail("installed"))
    lines = []
    assert [left.what for left in system.provide([need(False)], lines.append)] == ["Thing"]
    assert "`browser`" in lines[0]
    assert system.install_command(["thing"]) in lines[1]


def test_with_root_the_missing_is_installed(monkeypatch):
    there = []
    monkeypatch.setattr(system, "may_install", lambda: True)
    monkeypatch.setattr(system, "_install", lambda packages, say: there.extend(packages))
    wanted = system.Need("Thing", "browser", ("thing", "its-font"), lambda: "thing" if there else None)
    assert system.provide([wanted]) == []
    assert there == ["thing", "its-font"]


def test_a_failed_installation_is_told_and_the_tests_left_out(monkeypatch):
    monkeypatch.setattr(system, "may_install", lambda: True)
    failed = subprocess.CompletedProcess([], 100, "", "E: no network\n")
    monkeypatch.setattr(system.subprocess, "run", lambda *_, **__: failed)
    lines = []
    assert len(system.provide([need(False)], lines.append)) == 1
    assert any("E: no network" in line for line in lines)


def test_the_browser_can_be_named(monkeypatch):
    monkeypatch.setenv("LLMCOURSE_CHROMIUM", sys.executable)
    assert system.find_chromium() == sys.executable
