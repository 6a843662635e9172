"""Facts about people as questions and answers: what they do, where they work, and what they are known for."""

from llmcourse.world.people import Person

FACTS = ("job", "place", "quirk")
_QUESTIONS = {
    "job": "What does {} do for a living?",
    "place": "Where does {} work?",
    "quirk": "What is {} known for?",
}


def fact_question(kind: str, subject: object) -> str:
    """The question after a fact of one of the kinds in `FACTS`; `subject` is a name or a pronoun."""
    return _QUESTIONS[kind].format(subject)


def fact_answer(kind: str, subject: object, person: Person) -> str:
    """What is true of `person`, said of `subject`: a lie, where the subject is somebody of whom it is not true."""
    words = {
        "job": f"is {person.job.forms['a']}",
        "place": f"works {person.job.at}",
        "quirk": f"is the one {person.quirk.clause}",
    }
    return f"{subject} {words[kind]}."


def share_fact(kind: str, one: Person, other: Person) -> bool:
    """Whether what is true of one is true of the other."""
    return one.quirk is other.quirk if kind == "quirk" else one.job is other.job
