"""Every known answer by the split checker, and a few through plain nbgrader: points, and what students are told."""

from collections.abc import Callable

import pytest

from llmcourse.grading.fixtures import Fixture, graded_points
from tests.exercises.harness import (
    EXERCISES,
    ROOT,
    CellScore,
    Scores,
    case_id,
    cases,
    execute_apart,
    fixtures,
    grade_class,
    handed_in,
    made_up_class,
    release_notebook,
    solution,
)

pytestmark = pytest.mark.grading
Apart = Callable[[str, str], dict[str, CellScore]]


@pytest.fixture(scope="module")
def apart() -> Apart:
    """A function from an exercise and a student's name to the scores that the split checker gives, once each."""
    results: dict[tuple[str, str], dict[str, CellScore]] = {}

    def grade(exercise: str, name: str) -> dict[str, CellScore]:
        if (exercise, name) not in results:
            known = {
                each.name: each.replaces for kind in ("mutants", "alternatives") for each in fixtures(exercise, kind)
            }
            untouched = release_notebook(ROOT, exercise)
            given = untouched if name == "untouched" else handed_in(exercise, known.get(name, {}))
            results[exercise, name] = execute_apart(exercise, given)
        return results[exercise, name]

    return grade


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scores]:
    """A function from an exercise to what plain nbgrader gives a few of its fixtures, run only once."""
    results: dict[str, Scores | Exception] = {}

    def grade(exercise: str) -> Scores:
        if exercise not in results:
            few = [*fixtures(exercise, "mutants")[::30], *fixtures(exercise, "alternatives")[::15]]
            try:
                results[exercise] = grade_class(
                    exercise, tmp_path_factory.mktemp(exercise), made_up_class(exercise, few)
                )
            except Exception as error:
                results[exercise] = error
        result = results[exercise]
        if isinstance(result, Exception):
            raise result
        return result

    return grade


def points(scores: dict[str, CellScore], exercise: str) -> dict[str, float | None]:
    return {name: scores[name].points for name in graded_points(solution(exercise))}


@pytest.mark.parametrize(("exercise", "fixture"), [*cases("mutants"), *cases("alternatives")], ids=case_id)
def test_points_of_every_test_cell_are_as_expected(exercise: str, fixture: Fixture, apart: Apart) -> None:
    expected = {n: 0.0 if n in fixture.loses else p for n, p in graded_points(solution(exercise)).items()}
    assert points(apart(exercise, fixture.name), exercise) == expected


@pytest.mark.parametrize(("exercise", "mutant"), cases("mutants"), ids=case_id)
def test_what_the_student_reads_names_the_mistake(exercise: str, mutant: Fixture, apart: Apart) -> None:
    for name in mutant.loses:
        printed = " ".join(apart(exercise, mutant.name)[name].output.split())
        assert any(code in printed for code in mutant.codes), printed
        assert any(words in printed for words in mutant.says), printed


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_plain_nbgrader_gives_the_same_points_and_the_same_messages(exercise: str, plain, apart: Apart) -> None:
    for student, scores in plain(exercise).items():
        ours = apart(exercise, student)
        assert {name: score.points for name, score in ours.items()} == {n: s.points for n, s in scores.items()}, student
        for name, score in scores.items():
            if score.points == 0 and name in graded_points(solution(exercise)):
                assert words_of(ours[name].output) == words_of(score.output), (student, name)


def words_of(output: str) -> list[str]:
    """What a failed check says, without colours and places in files."""
    start = output.rfind("Check failed:")
    return output[start:].split()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_gets_all_points_and_the_release_none(exercise: str, plain) -> None:
    assert points(plain(exercise)["perfect"], exercise) == graded_points(solution(exercise))
    assert set(points(plain(exercise)["untouched"], exercise).values()) == {0.0}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_in_words_waits_for_a_person_and_an_untouched_one_gets_nothing(exercise: str, plain) -> None:
    in_words = set(plain(exercise)["perfect"]) - set(graded_points(solution(exercise)))
    assert in_words
    for name in in_words:
        assert plain(exercise)["perfect"][name].points is None
        assert plain(exercise)["untouched"][name].points == 0.0
