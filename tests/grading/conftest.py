"""A course folder for each test, copied from one that is made once; and what runs only where a sandbox can be had."""

import shutil
from pathlib import Path

import pytest

from llmcourse.commands.system import NEEDS, find_bubblewrap, install_command
from tests.grading.classes import make_course


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the first tier, and pass over them where bubblewrap is missing."""
    command = install_command(NEEDS[1].packages)
    missing = pytest.mark.skipif(find_bubblewrap() is None, reason=f"needs bubblewrap: {command}")
    for item in items:
        if "tier-one" in item.name and "grading" in item.path.parts:
            item.add_marker(pytest.mark.tier_one)
            item.add_marker(missing)


@pytest.fixture(scope="session")
def fresh_course(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder whose gradebook knows one exercise, to copy."""
    return make_course(root, tmp_path_factory.mktemp("fresh") / "course")


@pytest.fixture
def course(fresh_course: Path, tmp_path: Path) -> Path:
    """A course folder whose gradebook knows one exercise."""
    return Path(shutil.copytree(fresh_course, tmp_path / "course"))
