"""The command line answers in time, in one line where the user is at fault, and in full where we are."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from llmcourse import cli
from llmcourse.commands import errors, places


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, [str(word) for word in words])


@pytest.fixture
def failing(monkeypatch):
    """Make the command `serve` raise a given error."""

    def arrange(error):
        def fail(*_):
            raise error

        monkeypatch.setattr("llmcourse.commands.serve.serve_book", fail)

    return arrange


def make_targets(root):
    """The Makefile's targets that call a command, with the command each calls."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):.*\n\t@\$\(RUN\) ([a-z-]+)", makefile, flags=re.MULTILINE))


def test_help_lists_every_command_of_the_makefile(run, root):
    text = run("--help").stdout
    targets = make_targets(root)
    assert {"book", "test", "lab", "check"} <= set(targets)
    assert [command for command in targets.values() if not re.search(rf"\b{command}\b", text)] == []


def test_make_targets_are_named_after_their_commands(root):
    assert {target: command for target, command in make_targets(root).items() if target != command} == {}


def test_make_help_shows_every_target(root):
    done = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True)
    shown = set(re.findall(r"^make ([a-z-]+)", done.stdout, flags=re.MULTILINE))
    assert set(make_targets(root)) | {"help", "setup", "clean"} == shown


def test_every_command_explains_itself(run):
    for command in cli.app.registered_commands:
        name = command.name or command.callback.__name__
        outcome = run(name, "--help")
        assert outcome.exit_code == 0, name
        assert len(outcome.stdout.split()) > 10, name


def test_an_unknown_command_is_refused(run):
    assert run("no-such-command").exit_code == 2


def test_a_mistake_of_the_user_gets_one_line_and_exit_code_2(run, failing, tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "gone.txt").read_text()
    for error in [errors.CommandError("Do this."), missing.value]:
        failing(error)
        outcome = run("serve")
        assert outcome.exit_code == 2
        assert outcome.stderr.count("\n") == 1
    assert "gone.txt" in outcome.stderr


def test_a_failed_run_has_exit_code_1(run, failing):
    failing(errors.RunFailed("2 tests failed."))
    outcome = run("serve")
    assert (outcome.exit_code, outcome.stderr) == (1, "llmcourse: 2 tests failed.\n")


def test_debug_shows_the_traceback_of_a_users_mistake_too(run, failing):
    failing(errors.CommandError("Do this."))
    assert isinstance(run("--debug", "serve").exception, errors.CommandError)


def test_our_own_mistakes_are_not_swallowed(run, failing):
    failing(KeyError("missing"))
    assert isinstance(run("serve").exception, KeyError)


def test_a_value_error_from_inside_a_library_is_our_mistake():
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("seven")
    assert errors.one_line(caught.value) is None


def test_a_value_error_that_the_package_raises_is_the_users():
    from llmcourse.tokenizers import ByteBPE

    with pytest.raises(ValueError, match="vocab_size") as caught:
        ByteBPE.train(["text"], vocab_size=3)
    assert "3" in errors.one_line(caught.value)


def test_text_that_is_not_utf8_is_named_by_its_byte():
    with pytest.raises(UnicodeDecodeError) as caught:
        b"\xc3\xa9t\xe9".decode()
    assert errors.one_line(caught.value) == "The text is not UTF-8: byte 3 is 0xe9. Save it as UTF-8."


def test_the_course_is_found_from_any_folder_inside_it(root):
    assert places.course_root(root / "llmcourse" / "model") == root


def test_outside_a_clone_the_installed_course_is_used(root, tmp_path):
    assert places.course_root(tmp_path) == root


def test_without_any_course_the_message_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "MARK", "no-such-file")
    with pytest.raises(errors.CommandError, match="Change into the clone"):
        places.course_root(tmp_path)


def test_a_missing_program_is_named_with_the_way_to_get_it():
    with pytest.raises(errors.CommandError, match=r"no-such-tool .* pip install"):
        places.program("no-such-tool")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_ci_is_told_by_its_variable(monkeypatch, value, expected):
    monkeypatch.setenv("CI", value)
    assert places.in_ci() is expected


@pytest.mark.slow
def test_the_module_runs_as_the_makefile_runs_it(root):
    command = [sys.executable, "-m", "llmcourse.cli", "--help"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
