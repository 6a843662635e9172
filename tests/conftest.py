"""What every test gets: checked shapes, one thread, fixed randomness, no network, and no silent skip in CI."""

import os
import re

# before anything imports torch: two test processes share two cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

import tests.typechecker  # noqa: F401  (the hook below finds it by name)

ROOT = Path(__file__).resolve().parent.parent

# a busy machine is no mistake of the code
settings.register_profile("course", deadline=None)
settings.load_profile("course")

# Every public tensor's shape is checked by beartype, in tests only. Left out: packages that hold no tensors, where
# checking small inner functions would make sampling several times slower; and configs, which refuse bad values
# themselves with a message that tests read.
UNCHECKED = {"world", "tokenizers", "book", "grading", "commands"}


def _checked_modules() -> Iterator[str]:
    for path in (ROOT / "llmcourse").glob("*/**/*.py"):
        package, *inner = path.relative_to(ROOT / "llmcourse").with_suffix("").parts
        if package not in UNCHECKED and inner[-1] not in {"__init__", "config"}:
            yield ".".join(["llmcourse", package, *inner])


install_import_hook(list(_checked_modules()), "tests.typechecker.check")

# A shell that starts the tests in the background makes them deaf to Ctrl-C, and with them every program that they
# start; tests of Ctrl-C need ears.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Reasons, word for word as they begin, for which a test may be skipped even in CI. Each says why CI cannot run it.
ALLOWED_SKIPS: tuple[str, ...] = ()


class NetworkBlocked(OSError):
    """A test reached for another machine."""


def _is_here(host: Any) -> bool:
    return host in (None, "", b"", "localhost", b"localhost", "127.0.0.1", b"127.0.0.1", "::1", b"::1", "0.0.0.0")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection and look-up that leaves this machine; browsers and kernels on it still work."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise NetworkBlocked(f"tests stay offline, but one connects to {address[0]}")
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        if not _is_here(host):
            raise NetworkBlocked(f"tests stay offline, but one looks up {host}")
        return look_up(host, *rest, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(autouse=True)
def fixed_randomness() -> None:
    """Start every test from the same global random state, whatever ran before it."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's folder."""
    return ROOT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium-based browser."""
    from llmcourse.commands.system import NEEDS, find_chromium, install_command

    path = find_chromium()
    if path is None:
        pytest.skip(f"needs Chromium: {install_command(NEEDS[0].packages)}")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A running Chromium (playwright's `Browser`) that calls nobody by itself."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"]
    alone = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=[*quiet, *alone])
        yield running
        running.close()


ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a test whose name holds an address: two processes that share the tests would know it by two names."""
    if ADDRESS.search(item.nodeid):
        raise pytest.UsageError(f"Give this test's parameters names (ids=…): {item.nodeid}")


skipped: list[tuple[str, str]] = []


def _note_skip(report: Any) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        skipped.append((report.nodeid, reason.removeprefix("Skipped: ")))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember every skipped test."""
    _note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember every file that was skipped as a whole."""
    _note_skip(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI, turn a pass with an unforeseen skip into a failure."""
    if _unforeseen_skips() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which skips failed the run."""
    for test, reason in _unforeseen_skips():
        terminalreporter.write_line(f"CI must run what it skipped: {test} ({reason})", red=True)


def _unforeseen_skips() -> list[tuple[str, str]]:
    from llmcourse.commands.places import in_ci

    return [skip for skip in skipped if in_ci() and not skip[1].startswith(ALLOWED_SKIPS)]
