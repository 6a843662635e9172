"""Every known mistake loses exactly its own points, with a message that names it; every right answer keeps all."""

import pytest

from llmcourse.checks import CheckFailed
from llmcourse.grading.fixtures import Fixture, answers, graded_points
from tests.exercises.harness import EXERCISES, case_id, cases, fixtures, run_here, solution


@pytest.mark.parametrize(("exercise", "mutant"), cases("mutants"), ids=case_id)
def test_a_mutant_fails_exactly_its_own_tests(exercise: str, mutant: Fixture) -> None:
    raised = run_here(exercise, mutant.replaces)
    assert {name for name, error in raised.items() if error} == mutant.loses
    errors = [raised[name] for name in mutant.loses]
    failures = [error for error in errors if isinstance(error, CheckFailed)]
    assert failures == errors, "a test stopped with an error that teaches nothing"
    assert {failure.code for failure in failures} == set(mutant.codes)
    for failure in failures:
        assert any(words in failure.message for words in mutant.says), failure.message
    for words in mutant.says:
        assert any(words in failure.message for failure in failures), words


@pytest.mark.parametrize(("exercise", "alternative"), cases("alternatives"), ids=case_id)
def test_an_unusual_right_answer_passes_every_test(exercise: str, alternative: Fixture) -> None:
    raised = run_here(exercise, alternative.replaces)
    assert set(raised) == set(graded_points(solution(exercise)))
    assert not any(raised.values())


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_passes_every_test(exercise: str) -> None:
    assert not any(run_here(exercise, {}).values())


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_test_cell_is_failed_by_some_mutant(exercise: str) -> None:
    broken = {name for mutant in fixtures(exercise, "mutants") for name in mutant.loses}
    assert broken == set(graded_points(solution(exercise)))


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_answer_in_code_has_an_accepted_alternative(exercise: str) -> None:
    in_code = {
        c.metadata.nbgrader.grade_id
        for c in solution(exercise).cells
        if c.cell_type == "code" and c.metadata.get("nbgrader", {}).get("solution")
    }
    assert in_code <= set(answers(solution(exercise)))
    assert in_code == {name for fixture in fixtures(exercise, "alternatives") for name in fixture.replaces}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_alternative_loses_points(exercise: str) -> None:
    assert not any(alternative.loses for alternative in fixtures(exercise, "alternatives"))
    assert all(mutant.loses for mutant in fixtures(exercise, "mutants"))
