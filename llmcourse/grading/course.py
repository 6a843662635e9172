"""A folder in which nbgrader's own commands run, and the scores that they leave there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from llmcourse.grading.fixtures import grade_id

MADE_UP_SECRET = "a secret for made-up classes"


class CommandFailed(RuntimeError):
    """A command of nbgrader that ended with an error; the message holds the end of what it printed."""


@dataclass(frozen=True)
class CellScore:
    """What one cell of one submission brought: points (None until a person grades it) and what it printed."""

    points: float | None
    max_points: float
    output: str


class Course:
    """A course folder as nbgrader knows it; the commands are the stock ones, run as an instructor runs them."""

    def __init__(self, folder: Path, secret: str = MADE_UP_SECRET) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "LLMCOURSE_CLASS_SECRET": secret,
            # nobody's own settings: neither Jupyter's nor IPython's start-up files
            "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
            "IPYTHONDIR": str(folder / ".ipython"),
            "OMP_NUM_THREADS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    @classmethod
    def create(cls, folder: Path, root: Path, exercises: Sequence[str], secret: str = MADE_UP_SECRET) -> "Course":
        """A new course folder with the settings, solutions and releases of the repository at `root`."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / "nbgrader_config.py", folder)
        ignore = shutil.ignore_patterns(".ipynb_checkpoints")
        for path in [Path(kind) / exercise for kind in ("solutions", "exercises") for exercise in exercises]:
            if (root / path).is_dir():
                shutil.copytree(root / path, folder / path, ignore=ignore)
        return cls(folder, secret)

    def nbgrader(self, *arguments: str) -> str:
        """What the command prints.

        Raises: CommandFailed when it ends with an error.
        """
        return self._run("nbgrader", *arguments)

    def llmcourse(self, *arguments: str) -> str:
        """What the course's own command prints, run in this folder.

        Raises: CommandFailed when it ends with an error.
        """
        return self._run("llmcourse.cli", *arguments)

    def _run(self, module: str, *arguments: str) -> str:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, encoding="utf-8"
        )
        printed = done.stdout + done.stderr
        if done.returncode:
            tail = "\n".join(printed.splitlines()[-25:])
            name = module.removesuffix(".cli")
            raise CommandFailed(f"`{name} {' '.join(arguments)}` ended with {done.returncode}:\n{tail}")
        return printed

    def hand_in(self, student: str, exercise: str, notebook: NotebookNode) -> Path:
        """Put a submission where nbgrader looks for collected ones."""
        path = self.folder / "submitted" / student / exercise / f"{exercise}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
        return path

    @property
    def database(self) -> str:
        """The gradebook's address."""
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    def autograded(self, student: str, exercise: str) -> NotebookNode:
        """The executed notebook, with what its cells printed."""
        return nbformat.read(self.folder / "autograded" / student / exercise / f"{exercise}.ipynb", as_version=4)

    def scores(self, exercise: str) -> dict[str, dict[str, CellScore]]:
        """Scores by student, then by grade_id."""
        from nbgrader.api import Gradebook

        table: dict[str, dict[str, CellScore]] = {}
        with Gradebook(self.database) as gradebook:
            for handed_in in gradebook.assignment_submissions(exercise):
                student = handed_in.student.id
                printed = outputs(self.autograded(student, exercise))
                table[student] = {
                    grade.name: CellScore(
                        None if grade.needs_manual_grade else grade.score, grade.max_score, printed.get(grade.name, "")
                    )
                    for notebook in handed_in.notebooks
                    for grade in notebook.grades
                }
        return table

    def totals(self, exercise: str) -> Mapping[str, float]:
        """Each student's score after hand-grading and late penalties."""
        from nbgrader.api import Gradebook

        with Gradebook(self.database) as gradebook:
            return {
                each.student.id: max(0.0, each.score - each.late_submission_penalty)
                for each in gradebook.assignment_submissions(exercise)
            }


def outputs(notebook: NotebookNode) -> dict[str, str]:
    """All that each cell put out, errors included, by grade_id."""
    return {grade_id(cell): "\n".join(map(_text, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"}


def _text(output: NotebookNode) -> str:
    if output.output_type == "error":
        return "\n".join([f"{output.ename}: {output.evalue}", *output.traceback])
    if output.output_type == "stream":
        return str(output.text)
    return str(output.get("data", {}).get("text/plain", ""))
