"""A course folder for each test, copied from one that is made once."""

import shutil
from pathlib import Path

import pytest

from tests.grading.classes import make_course


@pytest.fixture(scope="session")
def fresh_course(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder whose gradebook knows one exercise, to copy."""
    return make_course(root, tmp_path_factory.mktemp("fresh") / "course")


@pytest.fixture
def course(fresh_course: Path, tmp_path: Path) -> Path:
    """A course folder whose gradebook knows one exercise."""
    return Path(shutil.copytree(fresh_course, tmp_path / "course"))
