"""The lock installs everywhere and holds everything that pyproject.toml asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from llmcourse.commands import lock
from llmcourse.commands.errors import CommandError

SOLVED = """\
--index-url https://example.org/simple
numpy==2.4.1 ; python_full_version >= '3.12'
    # via torch
nvidia-cublas==13.0 ; sys_platform == 'linux'
cuda-toolkit==13.0 ; sys_platform == 'linux'
torch==2.13.0
triton==3.9 ; sys_platform == 'linux'
"""


def test_comments_options_and_gpu_packages_leave_the_lock():
    assert lock.clean(SOLVED) == (lock.HEADER + "numpy==2.4.1 ; python_full_version >= '3.12'\ntorch==2.13.0\n")


def test_the_committed_lock_is_what_the_command_would_write(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert lock.clean(text) == text
    assert lock.TORCH in text.splitlines()


def test_the_lock_meets_every_requirement_of_the_project(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    asked += [Requirement(line) for extra in project["optional-dependencies"].values() for line in extra]
    lines = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = [Requirement(line) for line in lines if not line.startswith("#")]
    for want in asked:
        if want.name == "llmcourse":
            continue
        versions = [
            re.sub("^==", "", str(have.specifier))
            for have in locked
            if canonicalize_name(have.name) == canonicalize_name(want.name)
        ]
        assert versions, f"{want.name} is not in the lock: run `llmcourse lock`"
        assert all(want.specifier.contains(version) for version in versions), want


def test_without_uv_the_message_says_how_to_get_it(monkeypatch, root):
    monkeypatch.setattr(lock.shutil, "which", lambda _: None)
    with pytest.raises(CommandError, match="pip install uv"):
        lock.write_lock(root)
