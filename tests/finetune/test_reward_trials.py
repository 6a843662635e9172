"""The experiments on preferences, rewards and search: what their log tells, and that it can be had again."""

import importlib
import json
import math
import statistics

import pytest


@pytest.fixture
def script(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks")
    return importlib.import_module("preferences")


@pytest.fixture
def trials(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks")
    return importlib.import_module("preference_trials")


@pytest.fixture
def runs(root):
    log = json.loads((root / "llmcourse" / "finetune" / "preferences.json").read_text(encoding="utf-8"))
    return {(each["trial"], each["seed"]): each for each in log["runs"]}


def results(runs, trial):
    return [each["result"] for (name, _), each in sorted(runs.items()) if name == trial]


def share(counted):
    return counted[0] / counted[1]


def clearly_positive(values):
    """Whether every seed gained, and the mean gain exceeds its standard error over the seeds."""
    return min(values) > 0 and statistics.fmean(values) > statistics.stdev(values) / math.sqrt(len(values))


def test_every_trial_was_run_with_three_seeds_and_each_run_says_how(runs, trials):
    assert set(runs) == {(trial, seed) for trial in trials.TRIALS for seed in (0, 1, 2)}
    for (trial, seed), each in runs.items():
        assert each["command"] == f"python benchmarks/preferences.py {trial} --seeds {seed}"
        assert {"date", "where", "cpu_seconds"} <= set(each)


def test_the_reward_model_knows_the_true_answer_more_often_than_not_and_how_sure_to_be(runs):
    for each in results(runs, "reward"):
        assert share(each["right"]) > 0.6
        assert each["calibration_gap"] < 0.1
        assert sum(n for n, _, _ in each["calibration"]) == each["right"][1]
        assert sum(n for _, n in each["by_reason"].values()) == each["right"][1]


KINDS = ("chosen", "shy")
ARMS = ("start", "chosen only", "dpo", "dpo without withheld")


def test_dpo_ranks_pairs_better_than_imitation_does_and_learns_the_short_cut_of_one_sided_pairs_only(runs):
    told = results(runs, "dpo")
    for each in told:
        assert each["dpo"]["implicit_right"][0] > each["chosen only"]["implicit_right"][0]
        assert each["dpo"]["kl"][0] > each["dpo"]["kl"][1]
        assert each["start"]["kl"][0] == pytest.approx(0, abs=1e-4)
        shy = {arm: each[arm]["said"]["shy"] for arm in ARMS}
        assert shy["dpo without withheld"] > 1.5 * max(shy["start"], shy["dpo"])
        for arm in ARMS:
            assert sum(each[arm]["said"].values()) == each[arm]["implicit_right"][1]
            assert each[arm]["said"]["chosen"] == sum(n for n, _ in each[arm]["chosen_by_reason"].values())
    said = {kind: [statistics.fmean(each[arm]["said"][kind] for each in told) for arm in ARMS] for kind in KINDS}
    start, chosen_only, dpo, one_sided = said["chosen"]
    assert one_sided < dpo < start < chosen_only  # to rank answers better is not to give better ones
    assert said["shy"][2] < said["shy"][0]


def test_a_refusal_is_shy_only_where_the_story_says_it_and_other_answers_are_what_they_are(trials):
    settled = trials.PreferenceRecord("Where?", "At the well.", trials.NOT_SAID, "withheld")
    left_open = trials.PreferenceRecord("Where?", trials.NOT_SAID, "At the well.", "made up")
    said = ("At the well.", trials.NOT_SAID, "At home.")
    assert [trials.kind_of(settled, each) for each in said] == ["chosen", "shy", "other"]
    assert [trials.kind_of(left_open, each) for each in said] == ["rejected", "chosen", "other"]


def test_the_results_page_has_the_tables_of_the_log(root, script, runs):
    page = (root / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    assert script.tables(list(runs.values())) in page
    assert script.over([1.0, 2.0, 3.0]) == "2.0 ± 1.0"


def test_answers_drawn_after_grpo_are_right_more_often_than_before_in_every_seed(runs):
    told = results(runs, "grpo")
    assert clearly_positive([each["all"]["gain"][0] for each in told])
    assert clearly_positive([each["kept back"]["gain"][0] for each in told])
    for each in told:
        assert each["all"]["gain"][0] > each["all"]["gain"][1]
        assert each["all"]["gain"][0] == pytest.approx(each["all"]["after"][0] - each["all"]["before"][0], abs=2e-4)


def test_trained_vectors_find_a_story_among_its_lookalikes_more_often_than_a_bag_of_words(runs):
    for each in results(runs, "search"):
        kinds = ("trained", "untrained", "bag of words")
        trained, untrained, words = (each[kind]["among lookalikes"]["recall@1"] for kind in kinds)
        assert trained > max(untrained, words)
        assert all(each[kind]["alone"]["recall@1"] >= each[kind]["among lookalikes"]["recall@1"] for kind in kinds)


@pytest.mark.slow
def test_the_bag_of_words_scores_again_what_the_log_tells(runs, trials):
    told = runs["search", 0]["result"]
    stories = trials.retold(trials.WORLD, told["stories"], seed=0)
    bag = trials.BagOfWords([text for each in stories for text in each])
    assert trials.found_by(bag.vectors) == told["bag of words"]


@pytest.mark.slow
def test_a_short_run_of_grpo_raises_the_reward_again_as_the_log_tells(runs, trials):
    told, again = runs["grpo", 0]["result"], trials.grpo_trial(0)
    assert again["all"]["gain"][0] > again["all"]["gain"][1]
    assert again["all"]["before"][0] == pytest.approx(told["all"]["before"][0], abs=0.02)
    # where one token falls the other way on another processor, all that is drawn later differs
    assert again["all"]["after"][0] == pytest.approx(told["all"]["after"][0], abs=3 * told["all"]["after"][1])
