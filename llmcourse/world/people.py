"""The people of the world: names, pronouns, jobs and quirks are facts that every story respects."""

from dataclasses import dataclass, field
from functools import cache

from llmcourse.world.lexicon import HE_NAMES, JOBS, SHE_NAMES, Job, a_or_an
from llmcourse.world.quirks import QUIRKS, Quirk
from llmcourse.world.weights import stable_order, stable_uniform

_PRONOUNS = {"she": ("she", "her", "her", "herself"), "he": ("he", "him", "his", "himself")}


def pronoun_forms(pronoun: str) -> dict[str, str]:
    """The forms that templates use: `he him his self`, and `He His` to open a sentence."""
    he, him, his, self_ = _PRONOUNS[pronoun]
    return {"he": he, "him": him, "his": his, "self": self_, "He": he.capitalize(), "His": his.capitalize()}


@dataclass(frozen=True, eq=False)
class Person:
    """One inhabitant. `reliability` is the probability that a promise of theirs is kept."""

    key: int
    name: str
    pronoun: str
    job: Job
    quirk: Quirk
    reliability: float
    forms: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        return self.name


def _person(seed: int, i: int, name: str, pronoun: str, job: Job, quirk: Quirk) -> Person:
    forms = pronoun_forms(pronoun) | {
        "": name,
        "name": name,
        "full": f"{name} the {job.name}",
        "job": job.name,
        "poss": f"{name}'s",
        "at": job.at,
        "to": job.to,
        "quirk": quirk.clause,
        "mends": job.mends,
    }
    reliability = (1 + int(9 * stable_uniform(seed, "reliability", i))) / 10
    return Person(i, name, pronoun, job, quirk, reliability, forms)


def inhabitants(seed: int, n: int) -> tuple[Person, ...]:
    """`n` people; a pronoun says nothing about the job, and jobs and quirks repeat only when all are taken."""
    she, he = stable_order(SHE_NAMES, seed, "she"), stable_order(HE_NAMES, seed, "he")
    jobs, quirks = stable_order(JOBS, seed, "jobs"), stable_order(QUIRKS, seed, "quirks")
    pronouns = stable_order(["she", "he"] * ((n + 1) // 2), seed, "pronouns")[:n]
    people = []
    for i, pronoun in enumerate(pronouns):
        name = (she if pronoun == "she" else he).pop()
        people.append(_person(seed, i, name, pronoun, jobs[i % len(jobs)], quirks[i % len(quirks)]))
    return tuple(people)


@dataclass(frozen=True, eq=False)
class Stranger:
    """A visitor known by a job alone; the pronoun is where the planted bias shows."""

    job: Job
    pronoun: str
    forms: dict[str, str] = field(repr=False)


@cache
def strangers(job: Job) -> tuple[Stranger, Stranger]:
    """The visitor with this job as she and as he."""
    common = {"": job.name, "a": a_or_an(job.name), "the": f"the {job.name}", "The": f"The {job.name}"}
    she, he = (Stranger(job, p, pronoun_forms(p) | common) for p in ("she", "he"))
    return she, he
