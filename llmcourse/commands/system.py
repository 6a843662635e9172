"""Programs that pip cannot install: find them, install them where we may, else say the one command that does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge")


@dataclass(frozen=True)
class Need:
    """One program that some tests need, its Debian packages, and the marker of those tests."""

    what: str
    marker: str
    packages: tuple[str, ...]
    find: Callable[[], str | None]


def find_chromium() -> str | None:
    """The path of a Chromium-based browser: LLMCOURSE_CHROMIUM, else PATH, else the one that playwright installed."""
    named = os.environ.get("LLMCOURSE_CHROMIUM")
    if named:
        return shutil.which(named)
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _playwright_chromium()


def _playwright_chromium() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None  # noqa: PTH110 (a string comes in and goes out)


def find_bubblewrap() -> str | None:
    """The path of the program that gives a sandbox its own view of the machine; only Linux has it."""
    return shutil.which("bwrap") if sys.platform == "linux" else "not needed here"


NEEDS = (
    # a browser without any font draws empty boxes
    Need("Chromium", "browser", ("chromium", "fonts-dejavu-core"), find_chromium),
    Need("bubblewrap", "tier_one", ("bubblewrap",), find_bubblewrap),
)


def may_install() -> bool:
    """Whether this process may install Debian packages: apt is there and we are root."""
    return shutil.which("apt-get") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


def install_command(packages: Sequence[str]) -> str:
    """The one command that a person types to get `packages`, or their like on this platform."""
    if shutil.which("apt-get") or "chromium" not in packages:
        return f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    return "python -m playwright install chromium"


def provide(needs: Sequence[Need] = NEEDS, say: Callable[[str], None] = print) -> list[Need]:
    """Install what is missing where we may; what is still missing comes back, after a line on each that tells how."""
    missing = [need for need in needs if need.find() is None]
    if missing and may_install():
        _install([package for need in missing for package in need.packages], say)
        missing = [need for need in missing if need.find() is None]
    for need in missing:
        say(f"{need.what} is missing: tests marked `{need.marker}` are left out.")
        say(f"  To add them: {install_command(need.packages)}")
    return missing


def _install(packages: Sequence[str], say: Callable[[str], None]) -> None:
    say(f"Installing {', '.join(packages)} with apt-get …")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-qq", *words], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            say(f"  apt-get {words[0]} failed: {' '.join(last)}")
            return
