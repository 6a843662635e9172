"""What `nbgrader_config.py` says, read as nbgrader's own commands read it."""

from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIG = "nbgrader_config.py"


@dataclass(frozen=True)
class Settings:
    """A course folder, and nbgrader's view of it."""

    root: Path
    coursedir: Any
    penalties: Any  # nbgrader's AssignLatePenalties, with the plugin that the config names
    limit_output: Any  # nbgrader's LimitOutput
    options: Mapping[str, Any]  # of the split checker
    students_own: Mapping[str, Sequence[str]]  # by assignment, files that the instructor's do not take the place of

    @property
    def database(self) -> str:
        """The gradebook's address."""
        return str(self.coursedir.db_url)

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """A folder of one student's work: `submitted` or `autograded`."""
        name = getattr(self.coursedir, f"{step}_directory")
        return Path(self.coursedir.format_path(name, student, assignment))

    def source(self, assignment: str) -> Path:
        """The instructor's notebook."""
        name = self.coursedir.source_directory
        return Path(self.coursedir.format_path(name, ".", assignment)) / f"{assignment}.ipynb"


def course_folder(start: Path) -> Path:
    """The nearest folder, from `start` upwards, that nbgrader is set up for.

    Raises: ValueError where there is none.
    """
    for folder in [start, *start.parents]:
        if (folder / CONFIG).is_file():
            return folder
    raise ValueError(f"{start} is no course folder: there is no {CONFIG} here or above.")


def read_settings(root: Path) -> Settings:
    """The settings of the course folder `root`."""
    from nbgrader.apps import NbGrader
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import AssignLatePenalties, LimitOutput

    from llmcourse.grading.schedule.plugin import SplitExecute

    app = NbGrader()
    with chdir(root):
        app.load_config_file()
    coursedir = CourseDirectory(parent=app, root=str(root))
    penalties = AssignLatePenalties(parent=app)
    penalties.init_plugin()
    students_own = Autograde(coursedir=coursedir, parent=app).exclude_overwriting
    options = SplitExecute(parent=app).options()
    return Settings(root, coursedir, penalties, LimitOutput(parent=app), options, students_own)
