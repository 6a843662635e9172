"""One job, two jobs and a cluster of two workers grade a class for real, and export the same bytes."""

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from distributed import Client
from nbgrader.api import Gradebook

from llmcourse.commands.export import export_grades
from llmcourse.commands.grade import grade_class
from llmcourse.grading.course import Course
from llmcourse.grading.demo import GRADEBOOK, Demo, grade_by_hand, write_gradebook
from llmcourse.grading.fixtures import points_in_words, release_notebook, solution_notebook
from llmcourse.grading.intake.ledger import Entry, write_ledger
from llmcourse.grading.madeup import Student, make_class
from tests.grading.classes import make_course
from tests.grading.clusters import Cluster, two_workers

pytestmark = [pytest.mark.grading, pytest.mark.timeout(600)]
EXERCISE = "06-attention"
WORKSHEET = "worksheet.csv"  # as Moodle gives it
BROKEN = "hal"  # who hands in a notebook that is none
ONE, TWO, CLUSTER = WAYS = ("one job", "two jobs", "cluster")
PLATFORMS = {"csv": None, "canvas": GRADEBOOK, "moodle": WORKSHEET}


@dataclass(frozen=True)
class Graded:
    """What one way of grading left: the exported files, the notebooks without their times, and what was printed."""

    exports: dict[str, bytes]
    notebooks: dict[str, str]
    printed: str


@pytest.fixture(scope="module")
def students(root: Path) -> list[Student]:
    """Right, partly right, wrong, unusual, late, untouched, missing and broken."""
    students = [*make_class(root, EXERCISE), Student(BROKEN, "a file that is no notebook", (), 0, 0)]
    (late,) = [each for each in students if each.penalty]
    # whose answers are another's too, so that no result is computed for both at once
    late.handed_in[-1][1].cells.append(nbformat.v4.new_code_cell("mine = 'late'"))
    return students


@pytest.fixture(scope="module")
def collected(root: Path, students: list[Student], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which the class has handed in, and nothing is graded."""
    source, release = solution_notebook(root, EXERCISE), release_notebook(root, EXERCISE)
    made = Course(make_course(root, tmp_path_factory.mktemp("fresh") / "course", EXERCISE, source, release))
    with Gradebook(made.database, "llmcourse") as gradebook:
        for student in students:
            gradebook.add_student(student.name, first_name=student.name.title(), last_name="Made-up")
    for student in students:
        for moment, notebook in student.handed_in[-1:]:
            made.hand_in(student.name, EXERCISE, notebook)
            write_ledger(made.folder, EXERCISE, {student.name: Entry(moment.isoformat())})
    made.hand_in(BROKEN, EXERCISE, nbformat.v4.new_notebook()).write_bytes(b"{'cells': [")
    write_gradebook(made.folder / GRADEBOOK, EXERCISE, students)
    with (made.folder / WORKSHEET).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Identifier", "Full name", "ID number", "Grade", "Maximum Grade", "Feedback comments"])
        rows.writerows([f"Participant {n}", s.name.title(), s.name, "", "100.00", ""] for n, s in enumerate(students))
    return made.folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with two_workers(tmp_path_factory.mktemp("keys")) as made:
        yield made


@pytest.fixture(scope="module")
def graded(
    root: Path, collected: Path, students: list[Student], cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Graded]:
    """The same class graded in each way by the course's own commands, each in a folder of its own."""
    on_cluster = {"scheduler": cluster.address, "tls": (cluster.ca_file, cluster.cert, cluster.key)}
    words = points_in_words(solution_notebook(root, EXERCISE))
    found = {}
    for way, options in {ONE: {"n_jobs": 1}, TWO: {"n_jobs": 2}, CLUSTER: on_cluster}.items():
        made = Course(Path(shutil.copytree(collected, tmp_path_factory.mktemp("way") / "course")))
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            grade_class(made.folder, EXERCISE, **options)
            grade_by_hand(Demo(made, lambda line: None), EXERCISE, students, words)
            exported = {platform: export(made.folder, platform) for platform in PLATFORMS}
        found[way] = Graded(exported, notebooks(made.folder), printed.getvalue())
    return found


def export(folder: Path, platform: str) -> bytes:
    """What `llmcourse export` writes for a platform."""
    out, fills = folder / f"{platform}.csv", PLATFORMS[platform]
    export_grades(folder, EXERCISE, platform, file=folder / fills if fills else None, out=out, column=None)
    return out.read_bytes()


def notebooks(folder: Path) -> dict[str, str]:
    """The graded notebooks by student, without the seconds that each cell took."""
    found = {}
    for path in sorted((folder / "autograded").rglob("*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for cell in content["cells"]:
            cell["metadata"].pop("llmcourse", None)
        found[path.parents[1].name] = json.dumps(content, indent=1)
    return found


def test_each_way_runs_every_submission_itself(graded: dict[str, Graded]) -> None:
    for way in WAYS:
        assert "7 submissions: 7 run, 0 known from before." in graded[way].printed, way


def test_both_workers_of_the_cluster_take_part(graded: dict[str, Graded], cluster: Cluster) -> None:
    with Client(cluster.address, security=cluster.security, set_as_default=False) as client:
        assert list(client.run(has_run_a_submission).values()) == [True, True]


def has_run_a_submission() -> bool:
    """Whether this process has looked for its sandbox."""
    from llmcourse.grading.split.pair import report

    return report.cache_info().currsize > 0


def test_the_exports_are_equal_byte_for_byte(graded: dict[str, Graded]) -> None:
    assert sorted(graded) == sorted(WAYS)
    assert sorted(graded[ONE].exports) == ["canvas", "csv", "moodle"]
    for way in (TWO, CLUSTER):
        assert graded[way].exports == graded[ONE].exports, way


def test_the_exports_hold_every_student_and_what_each_deserves(
    graded: dict[str, Graded], students: list[Student]
) -> None:
    table = {name: list(csv.reader(content.decode().splitlines())) for name, content in graded[ONE].exports.items()}
    assert {name: len(rows) for name, rows in table.items()} == {"csv": 1 + 8, "canvas": 2 + 8, "moodle": 1 + 8}
    by_student = {"csv": (1, 6), "canvas": (2, 4), "moodle": (2, 3)}
    points = {name: {row[who]: row[what] for row in table[name]} for name, (who, what) in by_student.items()}
    # nobody has looked at the broken one yet, so its rows are as they were
    assert [points[name].pop(BROKEN) for name in PLATFORMS] == ["", "", ""]
    for student in students[:-1]:
        total, percent = student.total, 100 * student.total / students[0].total
        exported = [float(points[name][student.name]) for name in PLATFORMS]
        assert exported == pytest.approx([total, total, percent], abs=1e-4), student.name
    assert len({points["csv"][student.name] for student in students[:-1]}) >= 5


def test_the_graded_notebooks_are_equal_but_for_the_seconds_that_they_took(graded: dict[str, Graded]) -> None:
    assert sorted(graded[ONE].notebooks) == ["ada", "ben", "cem", "dora", "eli", "flo", "hal"]
    for way in (TWO, CLUSTER):
        assert graded[way].notebooks == graded[ONE].notebooks, way
