"""Every attack, in every tier: none gains a point, learns a hidden test, stays, or touches anything outside."""

import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from llmcourse.grading.fixtures import answers, read_fixtures, release_notebook, solution_notebook, submission
from llmcourse.grading.madeup import one_per_answer
from llmcourse.grading.split import close, execute
from tests.grading.attacks import suite

pytestmark = [pytest.mark.grading, pytest.mark.timeout(300)]
ATTACKS = suite.attacks()
GRADEBOOK = "the gradebook"
OTHERS = "the work of somebody else"
ATTACK = "test_an_attack_gains_nothing"
Marks = dict[bool, dict[str, float]]  # by part of the exercise, then by test
HARMLESS = {"text/plain", "image/png", "image/jpeg"}


@dataclass
class Course:
    """A tier, the instructor's notebook in two parts, and a folder outside that attacks would like to reach."""

    root: Path
    tier: str
    outside: Path
    sources: dict[bool, NotebookNode]
    neighbours: dict[str, NotebookNode]  # honest ones: right, right in unusual ways, partly right, untouched
    before: dict[str, Marks] = field(default_factory=dict)  # what the neighbours get when nobody has attacked yet
    attacked: set[str] = field(default_factory=set)

    @property
    def honest(self) -> Marks:
        """What the wrong answers get that all attacks come with."""
        return self.before["partly right"]

    def grade(self, layer: bool, handed_in: NotebookNode) -> NotebookNode:
        """The graded notebook of that part."""
        return execute(self.sources[layer], handed_in, suite.options(self.tier))

    def marks(self, layer: bool, handed_in: NotebookNode) -> dict[str, float]:
        """The points of that part, by test."""
        return suite.points(self.sources[layer], self.grade(layer, handed_in))

    def marks_of_neighbours(self) -> dict[str, Marks]:
        """What each honest neighbour gets now, by part and by test."""
        found: dict[str, Marks] = {name: {} for name in self.neighbours}
        for layer in self.sources:  # outside: the two parts have not the same warm parents
            for name, notebook in self.neighbours.items():
                found[name][layer] = self.marks(layer, suite.part(copy.deepcopy(notebook), layer))
        return found


@pytest.fixture(scope="module", params=["one", "two"], ids=["tier-one", "tier-two"])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Course]:
    """A course in one tier, with what honest notebooks get."""
    outside = tmp_path_factory.mktemp("course").resolve()
    (outside / "gradebook.db").write_text(GRADEBOOK, encoding="utf-8")
    (outside / "neighbour.ipynb").write_text(OTHERS, encoding="utf-8")
    sources = {layer: suite.instructors_notebook(root, layer) for layer in (False, True)}
    made = Course(root, request.param, outside, sources, honest_notebooks(root))
    made.before = made.marks_of_neighbours()
    yield made
    close()


def honest_notebooks(root: Path) -> dict[str, NotebookNode]:
    """Four neighbours, by what they handed in."""
    release, right = release_notebook(root, suite.EXERCISE), answers(solution_notebook(root, suite.EXERCISE))
    known = one_per_answer(read_fixtures(root / "tests" / "exercises" / suite.EXERCISE / "alternatives"))
    unusual = {name: text for fixture in known.values() for name, text in fixture.replaces.items()}
    return {
        "right": submission(release, right),
        "unusual": submission(release, {**right, **unusual}),
        "partly right": suite.wrong_notebook(root),
        "untouched": release,
    }


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
    course.attacked.add(attack.name)
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


def test_honest_neighbours_score_the_same_before_and_after_all_attacks(
    course: Course, request: pytest.FixtureRequest
) -> None:
    chosen = [item.name for item in request.session.items if item.name.startswith(f"{ATTACK}[tier-{course.tier}-")]
    assert len(course.attacked) == len(chosen)  # all attacks, unless somebody asked for fewer
    assert course.marks_of_neighbours() == course.before
    for layer, source in course.sources.items():
        most = suite.graded_points(source)
        assert course.before["right"][layer] == course.before["unusual"][layer] == most
        assert course.before["untouched"][layer] == dict.fromkeys(most, 0.0)
        assert 0 <= sum(course.honest[layer].values()) < sum(most.values())
    assert sum(sum(marks.values()) for marks in course.honest.values()) > 0


def test_there_are_sixty_mechanisms_and_each_says_what_it_tries() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack.tries for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.tries.endswith(".") and "\n" not in attack.tries for attack in ATTACKS)
