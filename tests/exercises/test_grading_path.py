"""The whole way through nbgrader's own commands: points of every test cell, and what students are told."""

import pytest

from llmcourse.grading.fixtures import Fixture, graded_points
from tests.exercises.harness import EXERCISES, Scores, case_id, cases, fixtures, grade_class, made_up_class, solution

pytestmark = pytest.mark.grading


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory):
    """A function from an exercise to the scores of its made-up class, which is graded once, even where that fails."""
    results: dict[str, Scores | Exception] = {}

    def grade(exercise: str) -> Scores:
        if exercise not in results:
            everyone = [*fixtures(exercise, "mutants"), *fixtures(exercise, "alternatives")]
            try:
                results[exercise] = grade_class(
                    exercise, tmp_path_factory.mktemp(exercise), made_up_class(exercise, everyone)
                )
            except Exception as error:
                results[exercise] = error
        result = results[exercise]
        if isinstance(result, Exception):
            raise result
        return result

    return grade


def points(scores: Scores, student: str, exercise: str) -> dict[str, float | None]:
    return {name: scores[student][name].points for name in graded_points(solution(exercise))}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("exercise", "fixture"), [*cases("mutants"), *cases("alternatives")], ids=case_id)
def test_points_of_every_test_cell_are_as_expected(exercise: str, fixture: Fixture, graded) -> None:
    expected = {n: 0.0 if n in fixture.loses else p for n, p in graded_points(solution(exercise)).items()}
    assert points(graded(exercise), fixture.name, exercise) == expected


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("exercise", "mutant"), cases("mutants"), ids=case_id)
def test_what_the_student_reads_names_the_mistake(exercise: str, mutant: Fixture, graded) -> None:
    for name in mutant.loses:
        printed = " ".join(graded(exercise)[mutant.name][name].output.split())
        assert any(code in printed for code in mutant.codes), printed
        assert any(words in printed for words in mutant.says), printed


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_gets_all_points_and_the_release_none(exercise: str, graded) -> None:
    assert points(graded(exercise), "perfect", exercise) == graded_points(solution(exercise))
    assert set(points(graded(exercise), "untouched", exercise).values()) == {0.0}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_in_words_waits_for_a_person_and_an_untouched_one_gets_nothing(exercise: str, graded) -> None:
    in_words = set(graded(exercise)["perfect"]) - set(graded_points(solution(exercise)))
    assert in_words
    for name in in_words:
        assert graded(exercise)["perfect"][name].points is None
        assert graded(exercise)["untouched"][name].points == 0.0
