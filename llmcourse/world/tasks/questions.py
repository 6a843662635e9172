"""Questions about a story, those that it settles and those that it does not."""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.people import Person
from llmcourse.world.story import Question, Story
from llmcourse.world.tasks.records import QuestionRecord
from llmcourse.world.tasks.telling import newcomers, pick, tell
from llmcourse.world.template import number_word

if TYPE_CHECKING:
    from llmcourse.world.world import World

NOT_SAID = "The story does not say."


def question_record(world: "World", random: Random) -> QuestionRecord:
    """One story and a question about it; one in five is a question that the story leaves open.

    Such a question is mostly one that it settles for somebody else, asked of a person who is not in it, and sometimes
    how old somebody is, which no story tells. Its answer is "The story does not say."
    """
    story = tell(world, random)
    if int(random.random() * 5):
        asked = pick(random, story.questions)
        return QuestionRecord(story.text, asked.question, asked.answer, asked.kind, True)
    asked = left_open(world, random, story)
    return QuestionRecord(story.text, asked.question, NOT_SAID, asked.kind, False)


def left_open(world: "World", random: Random, story: Story) -> Question:
    """A question that the story does not settle, with an answer that would be right for somebody else."""
    named, absent = by_name(story), newcomers(world, story)
    if not named or not absent or not int(random.random() * 5):
        age = number_word(20 + int(random.random() * 60))
        return Question("how many", f"How old is {pick(random, story.cast or world.people)}?", age)
    asked, person = pick(random, named)
    other = pick(random, absent)
    words = [_renamed(word, person.name, other.name) for word in asked.question.split(" ")]
    return Question(asked.kind, " ".join(words), asked.answer)


def by_name(story: Story) -> list[tuple[Question, Person]]:
    """The questions that a story settles and that name somebody of its cast, each with who that is."""
    return [(q, p) for q in story.questions for p in story.cast if p.name in names_in(q.question)]


def _renamed(word: str, name: str, other: str) -> str:
    return word.replace(name, other) if _bare(word) == name else word


def _bare(word: str) -> str:
    return word.strip("?,").removesuffix("'s")


def names_in(question: str) -> set[str]:
    """The words of a question without the marks that touch them, names among them."""
    return {_bare(word) for word in question.split(" ")}
