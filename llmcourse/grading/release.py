"""Releases: what students get, made from the solutions by nbgrader itself."""

import shutil
import tempfile
from pathlib import Path

from llmcourse.grading.course import Course


def exercise_names(root: Path) -> list[str]:
    """The exercises of the course, in order."""
    return sorted(path.stem for path in (root / "solutions").glob("*/*.ipynb") if path.stem == path.parent.name)


def generate(root: Path, destination: Path | None = None) -> list[Path]:
    """Write every release anew, under `exercises/` unless told otherwise, and return the notebooks' paths.

    The same solutions give the same bytes. The gradebook that nbgrader needs for it is thrown away.
    """
    destination = root / "exercises" if destination is None else destination
    names = exercise_names(root)
    with tempfile.TemporaryDirectory() as scratch:
        course = Course.create(Path(scratch) / "course", root, names)
        for name in names:
            course.nbgrader("generate_assignment", name, "--force")
        if destination.exists():
            shutil.rmtree(destination)
        shutil.copytree(course.folder / "exercises", destination)
    return [destination / name / f"{name}.ipynb" for name in names]
