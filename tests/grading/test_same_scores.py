"""`llmcourse grade`, `nbgrader autograde` with our settings and stock nbgrader give an honest class the same scores."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from llmcourse.grading.course import CommandFailed, Course
from llmcourse.grading.intake.ledger import Entry, ledger_path, write_ledger
from tests.grading.classes import WORK, instructors, scores

pytestmark = [pytest.mark.grading, pytest.mark.timeout(1200)]
STOCK = """
import os, sys
from pathlib import Path
c = get_config()
c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
c.AssignLatePenalties.plugin_class = "llmcourse.grading.late.TenthPerDay"
"""
ANSWERS = {
    "ada": "right = 1",
    "ben": "right = 2",  # passes what is shown, and not what is hidden
    "cem": "right = 0",
    "dora": "raise ValueError('no')",
    "eli": "right = 1 + 0",  # two days late
    "flo": None,  # as it was released
}
# what ada sends along, what the instructor has beside the notebook, and what both become
SENT = {
    "table.csv": "1,2\n",
    "data/deep/notes.txt": "mine",
    "helper.py": "right = 1  # my own",
    ".hidden": "x",
    "my own.ipynb": "{}",
    "__pycache__/helper.pyc": "x",
    "feedback/old.html": "x",
    ".ipynb_checkpoints/area-checkpoint.ipynb": "{}",
    "submission_secret.txt": "known to the exchange",
}
GIVEN = {"helper.py": "wrong = 0", "data/words.txt": "the cat", "old.pyc": "x"}
BESIDE = {name: SENT[name] for name in ("table.csv", "data/deep/notes.txt", ".hidden", "submission_secret.txt")}
BESIDE |= {name: GIVEN[name] for name in ("helper.py", "data/words.txt")}
LATE, EARLY = "2026-10-02T18:00:00+00:00", "2026-10-01T11:00:00+00:00"


def work(release: NotebookNode, answer: str | None) -> NotebookNode:
    """The release with an answer, and with words where there is one."""
    notebook = nbformat.from_dict(release)
    for cell in notebook.cells:
        if cell.metadata.nbgrader.solution and answer is not None:
            cell.source = answer if cell.cell_type == "code" else "I think so."
    return notebook


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def read_files(folder: Path) -> dict[str, str]:
    """All files below a folder but notebooks, and their text by name."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".ipynb"]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


@pytest.fixture(scope="module")
def fresh(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with a release and a class that has handed in."""
    top = tmp_path_factory.mktemp("same")
    (top / "root" / "solutions" / WORK).mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", top / "root")
    source = instructors()
    source.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(source, top / "root" / "solutions" / WORK / f"{WORK}.ipynb")
    write_files(top / "root" / "solutions" / WORK, GIVEN)
    course = Course.create(top / "course", top / "root", [WORK])
    course.nbgrader("generate_assignment", WORK, "--force")
    course.nbgrader("db", "assignment", "add", WORK, "--duedate=2026-10-01 12:00 UTC")
    release = nbformat.read(course.folder / "exercises" / WORK / f"{WORK}.ipynb", as_version=4)
    for student, answer in ANSWERS.items():
        path = course.hand_in(student, WORK, work(release, answer))
        moment = LATE if student == "eli" else EARLY
        (path.parent / "timestamp.txt").write_text(
            moment.replace("T", " ").replace("+00:00", " UTC\n"), encoding="utf-8"
        )
        write_ledger(course.folder, WORK, {student: Entry(moment)})
    write_files(course.folder / "submitted" / "ada" / WORK, SENT)
    return course.folder


@pytest.fixture
def course(fresh: Path, tmp_path: Path) -> Course:
    return Course(Path(shutil.copytree(fresh, tmp_path / "course")))


def test_three_ways_of_grading_an_honest_class_give_the_same_scores(fresh: Path, tmp_path: Path) -> None:
    found, beside = {}, {}
    for way in ("ours", "nbgrader", "stock"):
        course = Course(Path(shutil.copytree(fresh, tmp_path / way)))
        if way == "stock":
            (course.folder / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
        if way == "ours":
            assert "6 submissions: 6 run" in course.llmcourse("grade", WORK, "--jobs", "1")
        else:
            course.nbgrader("autograde", WORK)
        found[way] = scores(course.folder)
        beside[way] = {who: read_files(course.folder / "autograded" / who / WORK) for who in ANSWERS}
    assert found["ours"] == found["nbgrader"] == found["stock"]
    assert beside["ours"] == beside["nbgrader"] == beside["stock"]
    assert beside["ours"]["ada"] == {**BESIDE, "timestamp.txt": "2026-10-01 11:00:00 UTC\n"}
    ours = found["ours"]
    assert [ours[who]["area_test"] for who in ANSWERS] == [
        (2, False),
        (0, False),
        (0, False),
        (0, False),
        (2, False),
        (0, False),
    ]
    assert [ours[who]["area_check"] for who in ANSWERS][:4] == [(1, False), (1, False), (0, False), (0, False)]
    assert ours["eli"]["late"] == pytest.approx(0.6)
    assert (ours["flo"]["why"], ours["ada"]["why"]) == ((0, False), (None, True))
    assert ours["flo"]["comment area"] == "No response."


def test_bad_submissions_stop_no_batch_of_stock_autograde_and_a_failed_regrade_leaves_no_old_score(
    course: Course,
) -> None:
    submitted = course.folder / "submitted"
    course.nbgrader("autograde", WORK, "--student=ada")
    assert scores(course.folder)["ada"]["area_test"] == (2, False)
    (submitted / "ada" / WORK / f"{WORK}.ipynb").write_bytes(b"{'not': 'json'}")
    (submitted / "ben" / WORK / "timestamp.txt").write_text("soon", encoding="utf-8")
    cem = submitted / "cem" / WORK / f"{WORK}.ipynb"
    notebook = nbformat.read(cem, as_version=4)
    copied = nbformat.from_dict(notebook.cells[1])
    copied.id = "copied"
    copied.metadata.nbgrader.schema_version = 1  # of which a whole stock batch dies
    notebook.cells.append(copied)
    nbformat.write(notebook, cem)
    dora = submitted / "dora" / WORK / f"{WORK}.ipynb"
    dora.unlink()
    dora.symlink_to(submitted / "eli" / WORK / f"{WORK}.ipynb")
    (dora.parent / "mine.ipynb").write_bytes((submitted / "flo" / WORK / f"{WORK}.ipynb").read_bytes())
    course.nbgrader("autograde", WORK, "--force")
    found = scores(course.folder)
    assert sorted(found) == sorted(ANSWERS)
    assert found["ada"]["area_test"] == found["ada"]["area_check"] == (0, False)
    assert found["ben"]["area_check"] == (1, False)
    assert found["cem"]["area_check"] == (0, False)
    assert found["dora"]["area_test"] == (0, False)
    assert found["eli"]["area_test"] == (2, False)
    assert dora.is_file()
    assert not dora.is_symlink()


def test_a_later_submission_without_a_notebook_leaves_no_old_score_on_either_way(
    course: Course, tmp_path: Path
) -> None:
    course.nbgrader("autograde", WORK)
    before = scores(course.folder)
    assert [before[who]["area_check"] for who in ("ada", "ben", "eli", "flo")] == [(1, False)] * 3 + [(0, False)]
    folder = {who: course.folder / "submitted" / who / WORK for who in ANSWERS}
    for who in ("ada", "ben"):
        for notebook in folder[who].glob("*.ipynb"):
            notebook.unlink()
    (folder["ada"] / "essay.txt").write_text("I have no notebook.", encoding="utf-8")
    for name in ("one.ipynb", "two.ipynb"):
        shutil.copy(folder["eli"] / f"{WORK}.ipynb", folder["ben"] / name)
    shutil.rmtree(folder["flo"])
    folder["flo"].symlink_to(folder["eli"], target_is_directory=True)
    other = Course(Path(shutil.copytree(course.folder, tmp_path / "other", symlinks=True)))
    with pytest.raises(CommandFailed, match="No notebooks were matched"):  # nbgrader stops before it asks anybody
        course.nbgrader("autograde", WORK, "--force", "--student=ada")
    course.nbgrader("autograde", WORK, "--force")
    other.llmcourse("grade", WORK, "--jobs", "1")
    found = scores(course.folder)
    assert found == scores(other.folder)
    for who in ("ada", "ben", "flo"):
        assert found[who]["area_check"] == found[who]["area_test"] == (0, False)
        assert "could not be read" in course.autograded(who, WORK).cells[0].source
    assert found["eli"] == before["eli"]
    assert sorted(path.name for path in folder["eli"].iterdir()) == [f"{WORK}.ipynb", "timestamp.txt"]


def test_where_nothing_can_be_made_plain_nothing_is_graded_and_no_old_score_stays(course: Course) -> None:
    course.nbgrader("autograde", WORK, "--student=ada")
    assert scores(course.folder)["ada"]["area_test"] == (2, False)
    ledger_path(course.folder, WORK).write_text("damaged", encoding="utf-8")
    with pytest.raises(CommandFailed, match="error processing assignment 'area' for student 'ada'"):
        course.nbgrader("autograde", WORK, "--student=ada", "--force")
    assert scores(course.folder)["ada"]["area_test"] == scores(course.folder)["ada"]["area_check"] == (None, True)
    assert not (course.folder / "autograded" / "ada" / WORK).exists()


def test_a_flood_of_output_is_cut_alike_on_both_ways_and_costs_no_point(course: Course, tmp_path: Path) -> None:
    for who in ANSWERS:
        shutil.rmtree(course.folder / "submitted" / who)
    release = nbformat.read(course.folder / "exercises" / WORK / f"{WORK}.ipynb", as_version=4)
    course.hand_in("gus", WORK, work(release, "right = 1\nfor n in range(3000):\n    print(n)"))
    flood = work(release, "right = 1\nprint('x' * 10**8)")
    show = "from IPython.display import display\nfor n in range(3):\n    display('x' * 2_000_000)"
    flood.cells += [nbformat.v4.new_code_cell(show) for _ in range(20)]  # 120 MB in all
    course.hand_in("hal", WORK, flood)
    other = Course(Path(shutil.copytree(course.folder, tmp_path / "other")))
    course.llmcourse("grade", WORK, "--jobs", "1")
    other.nbgrader("autograde", WORK)
    assert scores(course.folder) == scores(other.folder)
    for who in ("gus", "hal"):
        assert scores(course.folder)[who]["area_test"] == (2, False)
        ours, theirs = ([cell.get("outputs") for cell in each.autograded(who, WORK).cells] for each in (course, other))
        assert ours == theirs
        for each in (course, other):
            path = each.folder / "autograded" / who / WORK / f"{WORK}.ipynb"
            assert path.stat().st_size < 22 * 2**20
    lines = course.autograded("gus", WORK).cells[0].outputs[0].text.splitlines()
    assert lines == [*map(str, range(999)), "... Output truncated ..."]
    shown = [cell.outputs for cell in course.autograded("hal", WORK).cells if cell.cell_type == "code"]
    assert [len(outputs) for outputs in shown].count(3) == 3
    assert "left out here" in shown[-1][-1].text
