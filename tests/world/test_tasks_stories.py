"""Tasks about stories: what records say is what the world finds when it reads their texts."""

import re
from collections import Counter
from functools import cache

import pytest

from llmcourse.world import ChatTurn, EntityRecord, Span, World
from llmcourse.world.lexicon import DAYS, ITEMS, JOBS, PLACES, THINGS, WEATHERS, quantity
from llmcourse.world.people import strangers
from llmcourse.world.tasks.entities import named, spans
from llmcourse.world.tasks.preferences import REASONS
from llmcourse.world.template import number_word, render

NOT_SAID = "The story does not say."
NUMBERS = {number_word(n) for n in range(1, 100)}
WORDS = {
    "job": {job.name for job in JOBS},
    "place": {*PLACES, *(job.at.split(" ", 2)[2] for job in JOBS)},
    "day": set(DAYS),
    "weather": set(WEATHERS),
    "number": NUMBERS,
    "thing": {thing.key for thing in THINGS}
    | {word for item in ITEMS for word in (item.one, item.many)}
    | {job.mends for job in JOBS if job.mends}
    | {"coin", "coins", "geese", "wolves", "bears", "ghosts"},
}


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


@cache
def answers(world: World, story: str) -> dict[str, str]:
    """What the world answers to each question that it finds settled in a text."""
    return {question: answer for _, question, answer in world.parse(story).labels["questions"]}


def split_prompt(prompt: str) -> tuple[str, str]:
    """The story and the question after it."""
    story, question = re.fullmatch(r'(?:(.*[.?!"]) )?([A-Z][^.?!"]*\?)', prompt).groups()
    return story or "", question


def as_sentence(answer: str) -> str:
    return f"{answer[0].upper()}{answer[1:]}."


# -- entities --------------------------------------------------------------------------------------------------------
def test_spans_are_the_entities_own_words_in_order(world: World) -> None:
    known = WORDS | {"person": {person.name for person in world.people}}
    kinds: Counter[str] = Counter()
    for record in world.task("entities", 300):
        end = -1
        for span in record.spans:
            words = span.of(record.text)
            assert words in known[span.kind] or words.lower() in known[span.kind], span
            assert span.start > end
            assert not re.search(r"\w$", record.text[: span.start])
            assert not re.match(r"\w", record.text[span.end :])
            end = span.end
            kinds[span.kind] += 1
    assert set(kinds) == set(known)


def test_every_mention_of_a_person_is_found_and_nothing_else_is_one(world: World) -> None:
    names = re.compile(rf"\b({'|'.join(person.name for person in world.people)})\b")
    for record in world.task("entities", 300, "test"):
        by_name = [match.span() for match in names.finditer(record.text)]
        assert [(s.start, s.end) for s in record.spans if s.kind == "person"] == by_name


def test_reading_a_text_finds_the_same_entities_as_telling_it(world: World) -> None:
    for record in world.task("entities", 40, "valid"):
        readings = {spans(record.text, story.mentions) for _, _, story in world._derivations(record.text)}
        assert record.spans in readings


def test_each_form_names_what_it_says(world: World) -> None:
    mara = next(person for person in world.people if person.job.mends)
    job = mara.job
    cases = [
        (mara, "full", [mara.name, job.name]),
        (mara, "poss", [mara.name]),
        (mara, "", [mara.name]),
        (mara, "he", []),
        (mara, "quirk", []),
        (mara, "at", [job.at.split(" ", 2)[2]]),
        (mara, "to", [job.at.split(" ", 2)[2]]),
        (mara, "mends", [job.mends]),
        (strangers(job)[0], "The", [job.name]),
        (strangers(job)[0], "him", []),
        (job, "a", [job.name]),
        (quantity(21, ITEMS[0]), "Cap", ["Twenty-one", "eggs"]),
        (quantity(21, ITEMS[0]), "was", []),
        (THINGS[1], "a", ["umbrella"]),
        (ITEMS[4], "one", ["plum"]),
        (PLACES[8], "", ["old tower"]),
        (7, "Cap", ["Seven"]),
        ("Friday", "", ["Friday"]),
        ("a friend", "", []),
    ]
    for value, form, words in cases:
        text = render(value, form)
        assert [text[at : at + n] for _, at, n in named(value, form)] == words


def test_tags_mark_where_an_entity_opens_and_goes_on() -> None:
    text = 'Then "Mara the clockmaker" saw the old tower.'
    record = EntityRecord(text, (Span(6, 10, "person"), Span(15, 25, "job"), Span(35, 44, "place")))
    tags = ["O", "B-person", "O", "B-job", "O", "O", "B-place", "I-place"]
    assert record.tags() == list(zip(text.split(" "), tags, strict=True))


# -- questions and chats ---------------------------------------------------------------------------------------------
def is_open(world: World, story: str, question: str) -> bool:
    """Whether a story says nothing about a question: it asks of somebody who is not in it, or how old somebody is."""
    names = [person.name for person in world.people if re.search(rf"\b{person.name}\b", question)]
    return question.startswith("How old is") or any(not re.search(rf"\b{name}\b", story) for name in names)


def test_questions_have_the_answers_that_the_world_reads_in_the_story(world: World) -> None:
    counts: Counter[bool] = Counter()
    for record in world.task("questions", 100):
        counts[record.is_answerable] += 1
        settled = answers(world, record.context)
        if record.is_answerable:
            assert settled[record.question] == record.answer
        else:
            assert record.answer == NOT_SAID
            assert record.question not in settled
            assert is_open(world, record.context, record.question)
    assert counts[False] > 8


def said_of(world: World, subject: str, person) -> dict[str, str]:
    """The questions about a person, put to `subject`, with their true answers."""
    he = subject if subject == person.name else subject.lower()
    return {
        f"What does {he} do for a living?": f"{subject} is {person.job.forms['a']}.",
        f"Where does {he} work?": f"{subject} works {person.job.at}.",
        f"What is {he} known for?": f"{subject} is the one {person.quirk.clause}.",
    }


def check_exchange(world: World, story: str, last, said: str, answer: str) -> None:
    """That an answer is true, where `last` is the person whom a pronoun means."""
    job = re.fullmatch(r"Is (\w+) an? (\w+) too\?", said)
    facts = said_of(world, last.forms["He"], last) | said_of(world, last.name, last) if last else {}
    if said == "Thank you.":
        assert answer == "You are welcome."
    elif job:
        asked = next(person for person in world.people if person.name == job[1])
        assert answer.startswith("Yes" if asked.job.name == job[2] else "No")
        assert f"{asked} is {asked.job.forms['a']}" in answer
    elif said in facts:
        assert answer == facts[said]
    elif answer == NOT_SAID:
        assert said not in answers(world, story)
        assert is_open(world, story, said)
    else:
        assert answer == as_sentence(answers(world, story)[said])


def test_every_answer_of_a_chat_is_true(world: World) -> None:
    by_name = {person.name: person for person in world.people}
    seen: Counter[str] = Counter()
    for record in world.task("chat", 60):
        texts = [turn.text for turn in record.turns]
        assert [turn.role for turn in record.turns] == ["user", "assistant"] * (len(texts) // 2)
        if record.context:
            assert texts[0].startswith(f"{record.context} ")
            texts[0] = texts[0].removeprefix(f"{record.context} ")
        last = None if record.context else by_name[re.search(r"\b(?:does|is) (\w+)", texts[0])[1]]
        for said, answer in zip(texts[::2], texts[1::2], strict=True):
            check_exchange(world, record.context, last, said, answer)
            last = by_name.get(answer.removesuffix("."), last)
            seen["pronoun"] += bool(re.search(r"\b(he|she)\b", said))
            seen["not said"] += answer == NOT_SAID
            seen["thanks"] += said == "Thank you."
            seen["too"] += said.endswith("too?")
    assert min(seen[what] for what in ("pronoun", "not said", "thanks", "too")) > 0


def test_chats_are_made_of_turns_by_role(world: World) -> None:
    for record in world.task("chat", 50, "test"):
        assert all(isinstance(turn, ChatTurn) and turn.text for turn in record.turns)


# -- preferences -----------------------------------------------------------------------------------------------------
FALSE_KINDS = {
    "wrong number": NUMBERS,
    "wrong day": set(DAYS),
    "the opposite": {"yes", "no"},
}


def check_pair(world: World, story: str, question: str, chosen: str, rejected: str, reason: str) -> None:
    settled = answers(world, story)
    if reason == "made up":
        assert chosen == NOT_SAID
        assert is_open(world, story, question)
        # who is not in the story did not do it either: "no" would be true
        assert rejected != "No."
        return
    assert chosen == as_sentence(settled[question])
    if reason == "withheld":
        assert rejected == NOT_SAID
        assert not is_open(world, story, question)
        return
    bare = rejected.removesuffix(".")
    if reason in FALSE_KINDS:
        assert bare.lower() in {word.lower() for word in FALSE_KINDS[reason]}
    elif reason == "wrong person":
        assert bare in {person.name for person in world.people}
        # each person through whose hands a thing went had it at some time
        assert not question.startswith("Who had") or bare not in story
    elif reason == "off topic":
        assert rejected in {as_sentence(answer) for other, answer in settled.items() if other != question}
    else:
        assert reason in ("wrong place", "wrong thing")


@pytest.mark.parametrize(("seed", "n"), [(0, 80), (1, 40), (2, 40), (3, 40), (4, 40)])
def test_the_chosen_answer_is_true_and_the_rejected_one_false_as_it_says(seed: int, n: int) -> None:
    world = World(seed)
    by_name = {person.name: person for person in world.people}
    for record in world.task("preferences", n, seed=seed):
        story, question = split_prompt(record.prompt)
        assert record.chosen != record.rejected
        if story:
            check_pair(world, story, question, record.chosen, record.rejected, record.reason)
        else:
            assert record.reason == "contradicts a fact"
            name = re.search(r"\b(?:does|is) (\w+)", question)[1]
            facts = said_of(world, name, by_name[name])
            assert record.chosen == facts[question]
            assert record.rejected not in facts.values()
            assert record.rejected.startswith(f"{name} ")


def test_every_reason_to_reject_comes_up(world: World) -> None:
    counts = Counter(record.reason for record in world.task("preferences", 3000))
    assert set(counts) == set(REASONS)


def kind_of_answer(world: World, answer: str) -> str:
    bare = answer.removesuffix(".")
    if answer in (NOT_SAID, "Yes.", "No."):
        return bare
    if bare.lower() in NUMBERS:
        return "a number"
    if bare in {person.name for person in world.people}:
        return "a person"
    return "a fact" if " is " in bare or " works " in bare else "a day, a place or a thing"


@pytest.mark.parametrize("seed", range(8))
def test_no_kind_of_answer_tells_by_itself_whether_it_is_the_chosen_one(seed: int) -> None:
    world = World(seed)
    chosen, rejected = Counter[str](), Counter[str]()
    for record in world.task("preferences", 500, seed=seed):
        chosen[kind_of_answer(world, record.chosen)] += 1
        rejected[kind_of_answer(world, record.rejected)] += 1
    assert set(chosen) == set(rejected)
    assert len(chosen) == 7
    for kind in chosen:
        n = chosen[kind] + rejected[kind]
        # four standard errors of a fair coin, and a little for kinds that the world asks after more often
        assert abs(chosen[kind] / n - 0.5) < 2 / n**0.5 + 0.07, (kind, chosen[kind], rejected[kind])
