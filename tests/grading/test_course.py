"""nbgrader with this course's settings: the traps that the settings are there for."""

import re
from pathlib import Path

import nbformat
import pytest

from llmcourse.grading.course import CommandFailed, Course
from llmcourse.grading.fixtures import answers, release_notebook, solution_notebook, submission

pytestmark = [pytest.mark.grading, pytest.mark.timeout(600)]
EXERCISE = "06-attention"
HOSTILE = "<script>alert('mine')</script><img src=x onerror=\"alert('mine')\">"


@pytest.fixture(scope="module")
def course(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of one, whose work holds HTML that runs, a changed test cell, an endless loop and words on stderr."""
    course = Course.create(tmp_path_factory.mktemp("course"), root, [EXERCISE])
    with (course.folder / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write("\nc.SplitExecute.seconds_per_cell = 20.0\n")  # two minutes are long in a test
    notebook = submission(release_notebook(root, EXERCISE), answers(solution_notebook(root, EXERCISE)))
    show = f"from IPython.display import HTML, display\ndisplay(HTML({HOSTILE!r}))"
    notebook.cells.append(nbformat.v4.new_code_cell(show))
    notebook.cells.append(nbformat.v4.new_markdown_cell(HOSTILE))
    for cell in notebook.cells:
        info = cell.metadata.get("nbgrader", {})
        if info.get("grade_id") == "attention_scores_check":
            cell.source = "pass  # nothing to see here"
        if info.get("grade_id") == "attention_scores":
            cell.source = "def attention_scores(query, key):\n    return None"
        if info.get("grade_id") == "merge_heads":
            cell.source = "def merge_heads(heads):\n    while True:\n        pass"
        if info.get("grade_id") == "read_values":
            cell.source = (
                "import sys\n\ndef read_values(weights, value):\n"
                "    print('a warning', file=sys.stderr)\n    return weights @ value"
            )
    course.nbgrader("generate_assignment", EXERCISE, "--force")
    course.hand_in("mallory", EXERCISE, notebook)
    course.nbgrader("autograde", EXERCISE)
    course.nbgrader("generate_feedback", EXERCISE)
    return course


def test_a_test_cell_that_the_student_changed_runs_as_the_instructor_wrote_it(course: Course) -> None:
    score = course.scores(EXERCISE)["mallory"]["attention_scores_check"]
    assert score.points == 0
    assert "attention.not-a-tensor" in score.output


def test_an_endless_loop_costs_its_own_points_and_not_the_batch(course: Course) -> None:
    scores = course.scores(EXERCISE)["mallory"]
    assert scores["merge_heads_check"].points == scores["merge_heads_test"].points == 0
    assert "was stopped" in scores["merge_heads_check"].output
    assert scores["split_heads_test"].points == 1
    assert scores["self_attention_test"].points == 2


def test_what_a_student_prints_as_a_warning_costs_nothing(course: Course) -> None:
    assert course.scores(EXERCISE)["mallory"]["read_values_check"].points == 1


def test_feedback_makes_a_students_html_harmless(course: Course) -> None:
    page = (course.folder / "feedback" / "mallory" / EXERCISE / f"{EXERCISE}.html").read_text(encoding="utf-8")
    assert page.count("&lt;script&gt;alert(") >= 2  # shown as text, from the output and from the Markdown
    assert "<script>alert" not in page
    assert not re.search(r"<img[^>]*onerror", page)


def test_a_command_that_fails_says_what_it_printed(course: Course) -> None:
    with pytest.raises(CommandFailed, match="no-such-exercise"):
        course.nbgrader("generate_assignment", "no-such-exercise")
