"""A class on a JupyterHub: an instructor and two students, each in a browser, from release to feedback."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import TimeoutError

from llmcourse.grading.fixtures import answers, graded_points, release_notebook, solution_notebook, submission
from tests.browser.hub import PASSWORDS, STUDENTS, TEACHER, Hub, number_of, running_hub

EXERCISE = "06-attention"
WAIT = 90_000  # milliseconds: a server starts, and JupyterLab with it
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make a hub's users"),
]


@pytest.fixture(scope="module")
def hub(root: Path) -> Iterator[Hub]:
    folder = Path(tempfile.mkdtemp(prefix="hub-"))
    folder.chmod(0o755)
    try:
        with running_hub(folder, root) as hub:
            release(hub, root)
            yield hub
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def release(hub: Hub, root: Path) -> None:
    """The instructor's course, as a clone of this one would be, with the exercise in the exchange."""
    course = hub.home(TEACHER) / "llmcourse"
    course.mkdir()
    shutil.copy(root / "nbgrader_config.py", course)
    shutil.copytree(root / "solutions" / EXERCISE, course / "solutions" / EXERCISE)
    own(course, TEACHER)
    nbgrader(hub, "generate_assignment", EXERCISE)
    nbgrader(hub, "release_assignment", EXERCISE)


def own(folder: Path, user: str) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, number_of(user), number_of(user))


def nbgrader(hub: Hub, *arguments: str) -> str:
    return hub.run(TEACHER, "python", "-m", "nbgrader", *arguments, cwd=hub.home(TEACHER) / "llmcourse")


@contextmanager
def lab(browser: Any, hub: Hub, user: str) -> Iterator[Any]:
    """The user's JupyterLab, after signing in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{hub.address}/hub/login")
    page.fill("#username_input", user)
    page.fill("#password_input", PASSWORDS[user])
    page.click("#login_submit")
    page.wait_for_selector("#jp-top-panel", timeout=WAIT)
    page.wait_for_selector(".lm-MenuBar-itemLabel:has-text('Nbgrader')", timeout=WAIT)
    yield page
    context.close()


def menu(page: Any) -> list[str]:
    """What the menu Nbgrader offers; it stays open. Until JupyterLab has settled, a click may open nothing."""
    first = page.locator(".lm-Menu-itemLabel:text-is('Assignment List')")
    for _ in range(20):
        page.keyboard.press("Escape")
        page.click(".lm-MenuBar-itemLabel:has-text('Nbgrader')")
        try:
            first.wait_for(timeout=3_000)
            break
        except TimeoutError:
            continue
    return [item.inner_text() for item in page.query_selector_all(".lm-Menu-itemLabel") if item.inner_text()]


def choose(page: Any, entry: str) -> None:
    menu(page)
    page.click(f".lm-Menu-itemLabel:text-is('{entry}')")


def press(page: Any, part: str, button: str) -> None:
    page.click(f"#{part}_assignments_list button:text-is('{button}')", timeout=WAIT)


def hand_in(browser: Any, hub: Hub, user: str, notebook: str | None) -> None:
    with lab(browser, hub, user) as page:
        assert menu(page) == ["Assignment List"]  # nothing that is for instructors
        page.keyboard.press("Escape")
        choose(page, "Assignment List")
        press(page, "released", "Fetch")
        page.wait_for_selector("#fetched_assignments_list button:text-is('Submit')", timeout=WAIT)
        if notebook is not None:
            path = hub.home(user) / EXERCISE / f"{EXERCISE}.ipynb"
            path.write_text(notebook, encoding="utf-8")
        press(page, "fetched", "Submit")
        page.wait_for_selector(f"#submitted_assignments_list:has-text('{EXERCISE}')", timeout=WAIT)


def test_a_class_on_a_hub_from_release_to_feedback(browser, hub, root):
    source = solution_notebook(root, EXERCISE)
    done = submission(release_notebook(root, EXERCISE), answers(source))
    ada, ben = STUDENTS
    hand_in(browser, hub, ada, nbformat.writes(done))
    hand_in(browser, hub, ben, None)  # as it was released

    assert "2 students handed in" in nbgrader(hub, "collect", EXERCISE)
    hub.run(TEACHER, "python", "-m", "llmcourse.cli", "grade", EXERCISE, cwd=hub.home(TEACHER) / "llmcourse")
    nbgrader(hub, "export", "--to=grades.csv")
    table = (hub.home(TEACHER) / "llmcourse" / "grades.csv").read_text(encoding="utf-8").splitlines()
    rows = [dict(zip(table[0].split(","), line.split(","), strict=True)) for line in table[1:]]
    scores = {row["student_id"]: float(row["raw_score"]) for row in rows}
    assert scores == {ada: sum(graded_points(source).values()), ben: 0.0}  # points for words wait for a person

    with lab(browser, hub, TEACHER) as page:
        choose(page, "Formgrader")
        inside = page.frame_locator("iframe").first
        inside.locator(f"text={EXERCISE}").first.wait_for(timeout=WAIT)

    nbgrader(hub, "generate_feedback", EXERCISE)
    nbgrader(hub, "release_feedback", EXERCISE)
    with lab(browser, hub, ben) as page:
        choose(page, "Assignment List")
        press(page, "submitted", "Fetch Feedback")
        feedback = await_feedback(hub.home(ben) / EXERCISE)
    assert "secret_seeds(" not in feedback.read_text(encoding="utf-8")


def await_feedback(folder: Path) -> Path:
    """The page that a student's server fetches."""
    end = time.monotonic() + WAIT / 1000
    while not (pages := list(folder.rglob("*.html"))):
        assert time.monotonic() < end, sorted(folder.rglob("*"))
        time.sleep(0.2)
    return pages[0]


def test_students_see_neither_each_others_work_nor_the_instructors(hub):
    ada, ben = STUDENTS
    for path in (hub.home(ben), hub.home(TEACHER), hub.folder / "exchange" / "llmcourse" / "inbound"):
        with pytest.raises(AssertionError, match="Permission denied"):
            hub.run(ada, "ls", str(path))
    assert subprocess.run(["id", ada], capture_output=True).returncode != 0  # the machine knows no such user
