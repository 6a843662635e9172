"""Every attack, in every tier: none gains a point, learns a hidden test, stays, or touches anything outside."""

import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from llmcourse.grading.fixtures import answers, release_notebook, solution_notebook, submission
from llmcourse.grading.split import close, execute
from tests.grading.attacks import suite

pytestmark = [pytest.mark.grading, pytest.mark.timeout(300)]
ATTACKS = suite.attacks()
GRADEBOOK = "the gradebook"
OTHERS = "the work of somebody else"
HARMLESS = {"text/plain", "image/png", "image/jpeg"}


@dataclass
class Course:
    """A tier, the instructor's notebook in two parts, and a folder outside that attacks would like to reach."""

    root: Path
    tier: str
    outside: Path
    sources: dict[bool, NotebookNode]
    honest: dict[bool, dict[str, float]] = field(default_factory=dict)
    full: dict[bool, dict[str, float]] = field(default_factory=dict)

    def grade(self, layer: bool, handed_in: NotebookNode) -> NotebookNode:
        """The graded notebook of that part."""
        return execute(self.sources[layer], handed_in, suite.options(self.tier))

    def marks(self, layer: bool, handed_in: NotebookNode) -> dict[str, float]:
        """The points of that part, by test."""
        return suite.points(self.sources[layer], self.grade(layer, handed_in))

    def right_answers(self) -> dict[bool, dict[str, float]]:
        """What a perfect submission gets now."""
        given = answers(solution_notebook(self.root, suite.EXERCISE))
        perfect = submission(release_notebook(self.root, suite.EXERCISE), given)
        return {layer: self.marks(layer, suite.part(copy.deepcopy(perfect), layer)) for layer in self.sources}


@pytest.fixture(scope="module", params=["one", "two"], ids=["tier-one", "tier-two"])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Course]:
    """A course in one tier, with what honest notebooks get."""
    outside = tmp_path_factory.mktemp("course").resolve()
    (outside / "gradebook.db").write_text(GRADEBOOK, encoding="utf-8")
    (outside / "neighbour.ipynb").write_text(OTHERS, encoding="utf-8")
    sources = {layer: suite.instructors_notebook(root, layer) for layer in (False, True)}
    made = Course(root, request.param, outside, sources)
    made.honest = {layer: made.marks(layer, suite.wrong_notebook(root, layer)) for layer in sources}
    made.full = made.right_answers()
    yield made
    close()


def processes() -> set[int]:
    """All processes below this one that still run, but for the grader's warm parents and what is about to be reaped."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(folder.name)] = int(parent)
    below = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return below


def places() -> set[Path]:
    """Where attacks leave things, as far as they have left any."""
    import llmcourse

    package = Path(llmcourse.__file__).parent
    folders = [Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.home(), Path.cwd(), package, package.parent]
    folders += [
        Path(os.__file__).parent,
        Path(pytest.__file__).parents[1],
        Path.home() / ".ipython",
        Path("/etc/jupyter"),
    ]
    names = (suite.LEFT_BEHIND, f"{suite.LEFT_BEHIND}.pth", "sitecustomize.py", "usercustomize.py")
    return {folder / name for folder in folders for name in names if (folder / name).exists()}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gains_nothing(course: Course, attack: suite.Attack) -> None:
    before, running = places(), processes()
    graded = course.grade(attack.layer, suite.wrong_notebook(course.root, attack.layer, attack, course.outside))
    marks, source = suite.points(course.sources[attack.layer], graded), course.sources[attack.layer]
    gained = {name: got for name, got in marks.items() if got > course.honest[attack.layer][name]}
    assert not gained
    for text in suite.told(source, graded):
        assert suite.CANARY not in text
        assert suite.SECRET not in text
    shown = [output.get("data", {}) for cell in graded.cells for output in cell.get("outputs", [])]
    assert {kind for data in shown for kind in data} <= HARMLESS
    nbformat.validate(graded)
    assert processes() <= running
    assert places() == before
    left = {path.name: path.read_text(encoding="utf-8") for path in course.outside.iterdir()}
    assert left == {"gradebook.db": GRADEBOOK, "neighbour.ipynb": OTHERS}


def test_an_honest_neighbour_scores_the_same_after_all_attacks(course: Course) -> None:
    assert course.right_answers() == course.full
    for layer, source in course.sources.items():
        assert course.full[layer] == suite.graded_points(source)
        assert 0 <= sum(course.honest[layer].values()) < sum(course.full[layer].values())


def test_there_are_sixty_mechanisms_and_each_says_what_it_tries() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack.tries for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.tries.endswith(".") and "\n" not in attack.tries for attack in ATTACKS)
