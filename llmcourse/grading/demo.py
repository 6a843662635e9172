"""A made-up class graded from release to export, with the commands that an instructor uses."""

import csv
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from llmcourse.grading.course import Course
from llmcourse.grading.fixtures import points_in_words, solution_notebook
from llmcourse.grading.madeup import DUE, Student, make_class
from llmcourse.grading.release import exercise_names

GRADEBOOK = "gradebook.csv"  # as Canvas gives it


class UnexpectedScores(ValueError):
    """The made-up class got other scores than its answers deserve."""


@dataclass
class Demo:
    """One run: the course folder, where it tells what it does, and the commands so far."""

    course: Course
    say: Callable[[str], None]
    commands: list[str] = field(default_factory=list)

    def run(self, program: str, *arguments: str) -> str:
        """Run one command of nbgrader or of the course, and show it as an instructor would type it."""
        command = " ".join([program, *(f'"{a}"' if " " in a else a for a in arguments)])
        self.commands.append(command)
        self.say(f"$ {command}")
        return (self.course.nbgrader if program == "nbgrader" else self.course.llmcourse)(*arguments)


def run(root: Path, scratch: Path, exercises: Sequence[str] | None = None, say: Callable[[str], None] = print) -> Demo:
    """Grade a made-up class in the folder `scratch`, which is emptied first, and print its scores.

    Raises: UnexpectedScores when a score or a feedback page is not what it must be; ValueError for a folder that
    holds something else.
    """
    names = list(exercises) if exercises else exercise_names(root)
    empty(scratch)
    demo = Demo(Course.create(scratch, root, names), say)
    (scratch / MARK).touch()
    wrong = [line for name in names for line in grade(demo, root, name)]
    if wrong:
        raise UnexpectedScores("The grader and the made-up class disagree: " + "; ".join(wrong))
    say(f"All scores are as expected. Feedback, reports and grades are in {scratch}.")
    return demo


MARK = ".made-up-class"


def empty(scratch: Path) -> None:
    """Clear away an earlier run, and nothing else.

    Raises: ValueError for a folder that no earlier run made.
    """
    if scratch.exists() and any(scratch.iterdir()):
        if not (scratch / MARK).exists():
            raise ValueError(f"{scratch} holds other files. Choose an empty folder for the made-up class.")
        shutil.rmtree(scratch)


def grade(demo: Demo, root: Path, exercise: str) -> list[str]:
    """Take one exercise all the way, print the table, and return what is not as expected."""
    students = make_class(root, exercise)
    folder = demo.course.folder
    demo.run("nbgrader", "generate_assignment", exercise, "--force")
    demo.run("nbgrader", "db", "assignment", "add", exercise, f"--duedate={DUE:%Y-%m-%d %H:%M} UTC")
    write_class_list(folder / "students.csv", students)
    demo.run("nbgrader", "db", "student", "import", "students.csv")
    pack_download(folder / "downloaded" / exercise / "archive", exercise, students)
    demo.run("nbgrader", "zip_collect", exercise)
    demo.run("llmcourse", "grade", exercise)
    grade_by_hand(demo, exercise, students, points_in_words(solution_notebook(root, exercise)))
    demo.run("nbgrader", "generate_feedback", exercise)
    demo.run("llmcourse", "report", exercise)
    write_gradebook(folder / GRADEBOOK, exercise, students)
    demo.run("llmcourse", "export", exercise, "--to", "canvas", "--file", GRADEBOOK)
    demo.run("llmcourse", "export", exercise)
    return compare(demo, exercise, students) + check_feedback(folder / "feedback", exercise, students)


def write_gradebook(path: Path, exercise: str, students: Sequence[Student]) -> None:
    """A gradebook file as Canvas gives it, of two sections and with one assignment."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Student", "ID", "SIS Login ID", "Section", f"{exercise} (1)"])
        rows.writerow(["    Points Possible", "", "", "", f"{students[0].total:g}"])
        for number, student in enumerate(students):
            section = ("Monday", "Tuesday")[number % 2]
            rows.writerow([f"Made-up, {student.name.title()}", str(1000 + number), student.name, section, ""])


def write_class_list(path: Path, students: Sequence[Student]) -> None:
    """The class list as a table: one row per student, with the columns that nbgrader reads."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "first_name", "last_name", "email"])
        rows.writerows([s.name, s.name.title(), "Made-up", f"{s.name}@example.org"] for s in students)


def pack_download(folder: Path, exercise: str, students: Sequence[Student]) -> Path:
    """One zip file as a learning platform gives it: every file that was handed in, named by student and time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "download.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in students:
            for moment, notebook in student.handed_in:
                archive.writestr(f"{student.name}_{moment:%Y%m%dT%H%M%SZ}_{exercise}.ipynb", nbformat.writes(notebook))
    return path


def grade_by_hand(demo: Demo, exercise: str, students: Sequence[Student], words: dict[str, float]) -> None:
    """Give the points for answers in words, as a person does in the formgrader, with a comment."""
    from nbgrader.api import Gradebook

    demo.say("(answers in words: points and a comment through the gradebook, as the formgrader does it)")
    with Gradebook(demo.course.database) as gradebook:
        for student in students:
            if not student.handed_in:
                continue
            for name in words:
                mark = gradebook.find_grade(name, exercise, exercise, student.name)
                if mark.needs_manual_grade:
                    mark.manual_score, mark.needs_manual_grade = student.in_words / len(words), False
                    comment = gradebook.find_comment(name, exercise, exercise, student.name)
                    comment.manual_comment = f"{student.in_words:g} of {sum(words.values()):g} points, {student.name}."
        gradebook.db.commit()


def compare(demo: Demo, exercise: str, students: Sequence[Student]) -> list[str]:
    """Print the exported scores beside the expected ones, and return the rows that differ."""
    with (demo.course.folder / f"{exercise}-grades.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    with (demo.course.folder / "gradebook-filled.csv").open(newline="", encoding="utf-8") as file:
        filled = {row["SIS Login ID"]: row[f"{exercise} (1)"] for row in csv.DictReader(file)}
    demo.say(f"\n{exercise}\n{'student':9}{'handed in':36}{'late':>7}{'score':>7}{'expected':>10}")
    wrong = []
    for student in students:
        score, penalty = (float(rows[student.name][k]) for k in ("points", "late_penalty"))
        fits = abs(score - student.total) < 1e-4 and abs(penalty - student.penalty) < 1e-4
        fits = fits and abs(float(filled[student.name]) - student.total) < 1e-4
        line = f"{student.name:9}{student.story:36}{0 - penalty:7g}{score:7g}{student.total:10g}"
        demo.say(line if fits else line + "  <- differs")
        if not fits:
            wrong.append(f"{student.name} got {score:g} in {exercise}, not {student.total:g}")
    demo.say("")
    return wrong


def check_feedback(folder: Path, exercise: str, students: Sequence[Student]) -> list[str]:
    """What is wrong with the feedback pages: a page missing, or a hidden test that shows."""
    wrong = []
    for student in students:
        page = folder / student.name / exercise / f"{exercise}.html"
        if page.exists() is not bool(student.handed_in):
            wrong.append(f"the feedback page of {student.name} is {'there' if page.exists() else 'missing'}")
        elif page.exists() and "secret_seeds(" in page.read_text(encoding="utf-8"):
            wrong.append(f"the feedback page of {student.name} shows a hidden test")
    return wrong
