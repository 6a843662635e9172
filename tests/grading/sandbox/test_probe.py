"""The probe finds out by trying, says why, and refuses where there is no sandbox."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llmcourse.grading.sandbox import (
    Bubble,
    Report,
    SandboxUnavailable,
    Tier,
    bubblewrap,
    bubblewrap_command,
    doctor,
    probe,
    python_places,
    require,
)

BEST = Report(Tier.ONE, 7, Bubble(), "", "")
TWO = replace(BEST, tier=Tier.TWO, why_not_one="bwrap: setting up uid map: Permission denied")


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were a Mac."""
    monkeypatch.setattr("llmcourse.grading.sandbox.probing.machine", lambda: "")
    monkeypatch.setattr(sys, "platform", "darwin")


def test_elsewhere_than_linux_the_way_out_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere(monkeypatch)
    report = probe()
    assert report.tier is Tier.NONE
    with pytest.raises(
        SandboxUnavailable, match=r"this is darwin.*Linux 5\.13.*--no-sandbox in so many words"
    ) as error:
        require(report)
    assert "\n" not in str(error.value)
    assert "--no-sandbox" in doctor(report)
    assert doctor(report).startswith("No sandbox")


def test_a_report_of_a_working_tier_is_accepted() -> None:
    assert require(BEST) is Tier.ONE
    assert require(TWO) is Tier.TWO


def test_the_doctor_says_the_tier_why_and_what_would_raise_it() -> None:
    assert doctor(BEST).startswith("Tier one")
    assert "apparmor_restrict_unprivileged_userns" in doctor(TWO)
    assert "Permission denied" in doctor(TWO)
    missing = replace(TWO, why_not_one="There is no bubblewrap (bwrap) on PATH: install it.")
    assert "install the package `bubblewrap`" in doctor(missing)
    assert "signals and abstract sockets" in doctor(replace(BEST, landlock=5))
    assert "signals" not in doctor(BEST)
    assert "a new /proc is refused" in doctor(replace(BEST, bubble=Bubble(new_proc=False)))


def test_without_bubblewrap_the_command_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    with pytest.raises(SandboxUnavailable, match="no bubblewrap"):
        bubblewrap_command(["true"], readable=[], scratch=tmp_path)


def test_a_trial_that_gets_out_costs_the_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    def escaped(command: list[str], **rest: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, '{"verdict": "opening a socket was not stopped"}', "")

    monkeypatch.setattr("llmcourse.grading.sandbox.probing.machine", lambda: "x86_64")
    monkeypatch.setattr("llmcourse.grading.sandbox.probing.landlock.version", lambda: 7)
    monkeypatch.setattr(subprocess, "run", escaped)
    report = probe()
    assert (report.tier, report.why_not_two) == (Tier.NONE, "opening a socket was not stopped")


def test_an_old_kernel_gives_no_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmcourse.grading.sandbox.probing.machine", lambda: "x86_64")
    monkeypatch.setattr("llmcourse.grading.sandbox.probing.landlock.version", lambda: 0)
    report = probe()
    assert report.tier is Tier.NONE
    assert "no Landlock" in report.why_not_two


def test_python_reads_its_libraries_and_the_package_but_not_the_course() -> None:
    places = python_places()
    package = Path(bubblewrap.__file__).parents[2]
    assert package in places
    assert package.parent not in places
    assert Path(sys.prefix) not in places
    assert Path.home() not in places
