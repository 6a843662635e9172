"""Tasks in general: streams, determinism and clear errors; and the tasks that are reckoned, not told."""

import hashlib
import operator
import os
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields

import pytest

import llmcourse.world
from llmcourse.world import MoodRecord, World, cook
from llmcourse.world.tasks import TASKS
from llmcourse.world.weights import stable_random


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


@pytest.mark.parametrize("task", TASKS)
def test_fewer_records_are_the_first_of_more(world: World, task: str) -> None:
    assert world.task(task, 0) == []
    assert world.task(task, 3) == world.task(task, 8)[:3]


@pytest.mark.parametrize("task", TASKS)
def test_each_split_and_seed_is_a_stream_of_its_own(world: World, task: str) -> None:
    streams = [tuple(world.task(task, 8, split, seed)) for split in ("train", "valid", "test") for seed in (0, 1)]
    assert len({record for stream in streams for record in stream}) > 40


@pytest.mark.parametrize("task", TASKS)
def test_records_are_frozen_plain_ascii_and_exported(world: World, task: str) -> None:
    record = world.task(task, 1)[0]
    assert getattr(llmcourse.world, type(record).__name__) is type(record)
    assert repr(record).isascii()
    with pytest.raises(FrozenInstanceError):
        setattr(record, fields(record)[0].name, "")


@pytest.mark.slow
def test_records_are_the_same_in_every_process_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib; from llmcourse.world import World; from llmcourse.world.tasks import TASKS; w = World(7);"
        "print(hashlib.sha256(repr([w.task(t, 20, 'test', 5) for t in TASKS]).encode()).hexdigest())"
    )
    digests = set()
    for hash_seed in ("0", "1", "random"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        digests.add(
            subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        )
    here = World(7)
    records = [here.task(task, 20, "test", 5) for task in TASKS]
    assert digests == {hashlib.sha256(repr(records).encode()).hexdigest() + "\n"}


@pytest.mark.parametrize("plot", World().dials.plots)
def test_every_task_can_be_made_of_any_single_plot_in_the_smallest_world(plot: str) -> None:
    world = World(3, n_people=6, hops=6, plots=(plot,))
    for task in TASKS:
        assert len(set(world.task(task, 12))) > 1


def test_the_stream_of_moods_is_that_of_the_stories_drawn_from_it(world: World) -> None:
    random = stable_random("task", "mood", 0, "valid", 4)
    documents = [world.draw(random) for _ in range(5)]
    assert world.task("mood", 5, "valid", 4) == [MoodRecord(d.text, d.labels["mood"]) for d in documents]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.task("poems", 3), "chat.*'poems'"),
        (lambda w: w.task("chat", -1), "n=-1"),
        (lambda w: w.task("chat", 1, "dev"), "train, valid, test.*'dev'"),
    ],
)
def test_bad_input_is_one_clear_line(world: World, call, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        call(world)
    assert "\n" not in str(error.value)


# -- arithmetic ------------------------------------------------------------------------------------------------------
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv}


def test_each_step_is_right_and_the_last_one_gives_the_answer(world: World) -> None:
    for record in world.task("arithmetic", 300):
        for step in record.steps:
            left, sign, right, equals, result = step.split(" ")
            assert equals == "="
            assert OPERATIONS[sign](int(left), int(right)) == int(result) >= 0
        assert int(result) == record.answer
        assert record.solution == f"{'. '.join(record.steps)}. Answer: {record.answer}"


def read_basket(question: str) -> int:
    have, *changes = re.findall(r"(had|gave|ate|brought) (\d+)", question)
    return int(have[1]) + sum(int(n) if verb == "brought" else -int(n) for verb, n in changes)


def read_purse(question: str) -> int:
    purse, n, price = map(int, re.findall(r"\d+", question))
    return purse - n * price


def read_rumour(question: str) -> int:
    return int(re.search(r"\d+", question)[0]) * 2 ** question.count("twice as many")


def read_votes(question: str) -> int:
    numbers = [int(n) for n in re.findall(r"\d+", question)]
    return sum(numbers) if question.endswith("voted?") else numbers[0] - sum(numbers[1:])


def read_share(question: str) -> int:
    each, rest = divmod(*map(int, re.findall(r"\d+", question)))
    return each if question.endswith("each guest get?") else rest


def test_the_answer_is_what_the_question_asks_for(world: World) -> None:
    readers = {
        "basket": read_basket,
        "purse": read_purse,
        "rumour": read_rumour,
        "votes": read_votes,
        "share": read_share,
    }
    records = world.task("arithmetic", 400, "test")
    assert {record.kind for record in records} == set(readers)
    for record in records:
        assert readers[record.kind](record.question) == record.answer, record


def test_one_is_singular_in_questions_and_answers(world: World) -> None:
    texts = [record.question for record in world.task("arithmetic", 600)]
    texts += [f"{record.recipe}, {record.answer}" for record in world.task("recipes", 300)]
    counted = re.findall(r"\b(\d+) (eggs?|apples?|coins?|plums?|geese|goose|cups?|pies?)\b", " ".join(texts))
    assert {n == "1" for n, _ in counted} == {True, False}
    assert all((n == "1") == (noun != "geese" and not noun.endswith("s")) for n, noun in counted)


# -- recipes ---------------------------------------------------------------------------------------------------------
LINES = [
    (r"take (\d+) (\w+)", r"pot['\2'] += \1"),
    (r"drop (\d+) (\w+)", r"pot['\2'] -= min(\1, pot['\2'])"),
    (r"double (\w+)", r"pot['\1'] *= 2"),
    (r"swap (\w+) and (\w+)", r"pot['\1'], pot['\2'] = pot['\2'], pot['\1']"),
    (r"repeat (\d+):", r"for _ in range(\1):"),
    (r"if more than (\d+) (\w+):", r"if pot['\2'] > \1:"),
    (r"if (\w+):", r"if weather == '\1':"),
    (r"otherwise:", r"else:"),
    (r"weather (\w+)", r"weather = '\1'"),
]
PLURALS = ("eggs", "apples", "buttons", "candles", "plums", "onions", "cups", "pies", "turnips", "biscuits")


def cooked_by_python(recipe: str) -> dict[str, int]:
    """The pot after the recipe, which is turned into Python line by line and run."""
    program = []
    for line in recipe.split("\n"):
        text = line.strip()
        (python,) = [re.sub(p, r, text) for p, r in LINES if re.fullmatch(p, text)][:1]
        program.append(" " * (len(line) - len(text)) + python)
    pot = dict.fromkeys(PLURALS, 0)
    code = re.sub(r"\['(\w+?)s?'\]", r"['\1s']", "\n".join(program))
    exec(code, {"pot": pot})
    return {plural[:-1]: n for plural, n in pot.items() if n}


def test_python_cooks_the_same_as_the_cook(world: World) -> None:
    recipes = world.task("recipes", 300)
    for record in recipes:
        pot = cooked_by_python(record.recipe)
        assert cook(record.recipe) == pot
        parts = [f"{n} {one if n == 1 else one + 's'}" for one, n in sorted(pot.items())]
        assert record.answer == (", ".join(parts) or "nothing")
    words = " ".join(record.recipe for record in recipes)
    assert all(word in words for word in ("repeat", "if more", "otherwise", "double", "swap", "drop"))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("take 1 egg", "line 1 tells the weather"),
        ("weather purple\ntake 1 egg", "line 1 tells the weather"),
        ("weather rainy\nfry 1 egg", "line 2 is no step: 'fry 1 egg'"),
        ("weather rainy\ntake egg", "line 2 is no step"),
        ("weather rainy\ntake 1 goat", "line 2: items are .*'goat'"),
        ("weather rainy\n    take 1 egg", "line 2 must be indented by four spaces"),
        ("weather rainy\n  take 1 egg", "line 2 must be indented by four spaces"),
        ("weather rainy\ntake 1 egg\n    take 1 egg", "line 2, 'take 1 egg', has lines below it, but no colon"),
        ("weather rainy\nrepeat 2:\ntake 1 egg", "line 2, 'repeat 2:', needs lines below it"),
        ("weather rainy\nrepeat two:\n    take 1 egg", "line 2 is no step"),
        ("weather rainy\nif purple:\n    take 1 egg", "line 2 is no step"),
        ("weather rainy\notherwise:\n    take 1 egg", "line 2, 'otherwise:', needs an `if`"),
        ("weather rainy\nif foggy:\n    take 1 egg\notherwise:", "line 4, 'otherwise:', needs an `if`"),
        ("weather rainy\nif foggy:\n    fly", "line 3 is no step"),
    ],
)
def test_a_bad_recipe_is_one_clear_line(recipe: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        cook(recipe)
    assert "\n" not in str(error.value)
