"""The probabilities of the world: each rule's distribution, made once from the seed, and kept."""

from collections.abc import Mapping
from typing import Any

from llmcourse.world.held_out import held_out_pairs
from llmcourse.world.lexicon import JOBS, Job, Thing
from llmcourse.world.people import Person
from llmcourse.world.records import Dials
from llmcourse.world.tape import Distribution
from llmcourse.world.template import Piece, Trie, Wording, compile_template
from llmcourse.world.weights import normalised, stable_order, stable_uniform


class Chances:
    """The distributions that stories draw from. A key holds everything that its distribution reads."""

    keeps_apart = False
    """Whether held-out pairs never meet."""

    def __init__(self, seed: int, people: tuple[Person, ...], dials: Dials) -> None:
        self.seed, self.people, self.dials = seed, people, dials
        self._bias, self._noise = dials.bias, dials.noise
        self._held_out = frozenset(held_out_pairs(seed, people, dials.held_out))
        self._she_jobs = frozenset(stable_order(JOBS, seed, "bias")[: len(JOBS) // 2])
        self._distributions: dict[Any, Distribution] = {}
        self._people_but: dict[tuple[Person, ...], Distribution] = {}
        self._wordings: dict[str, tuple[tuple[str, ...], Distribution, Wording]] = {}
        self._groups: dict[Any, tuple[Distribution, Wording]] = {}
        self._apart: dict[tuple[Distribution, Any], Distribution] = {}

    def weight(self, rule: str, option: object) -> float:
        """The weight of one option, from 0.5 to 2; `option` is an id (a single word is its own)."""
        return 0.5 + 1.5 * stable_uniform(self.seed, "weight", rule, option)

    def distribution(self, rule: str, options: tuple[Any, ...], probs: tuple[float, ...] | None = None) -> Distribution:
        """The distribution of `rule` over `options`: with `probs`, or with the world's own weights for this rule."""
        key = (rule, options, probs)
        found = self._distributions.get(key)
        if found is None:
            weights = probs or [self.weight(rule, getattr(o, "key", o)) for o in options]
            found = self._distributions[key] = Distribution(rule, options, normalised(weights, self._noise))
        return found

    def exact(self, rule: str, options: tuple[Any, ...], probs: tuple[float, ...]) -> Distribution:
        """The distribution of `rule` with exactly these probabilities: noise is not added."""
        key = ("exact", rule, options, probs)
        found = self._distributions.get(key)
        if found is None:
            found = self._distributions[key] = Distribution(rule, options, probs)
        return found

    def people_but(self, cast: tuple[Person, ...]) -> Distribution:
        """The distribution over the people who are not in `cast`."""
        found = self._people_but.get(cast)
        if found is None:
            found = self._people_but[cast] = self.distribution("people", tuple(p for p in self.people if p not in cast))
        return found

    def is_held_out(self, person: Any, thing: Any) -> bool:
        """Whether no training document with this main person has this thing in it."""
        return (person, thing) in self._held_out

    def apart(self, dist: Distribution, other: Person | Thing) -> Distribution:
        """`dist` without what is never to meet `other`; the rest keep their odds."""
        found = self._apart.get((dist, other))
        if found is None:
            pairs = [(option, other) if isinstance(other, Thing) else (other, option) for option in dist.options]
            left = [0.0 if pair in self._held_out else p for pair, p in zip(pairs, dist.probs, strict=True)]
            assert any(left), f"rule {dist.rule} has no option that {other} may meet"
            found = dist if left == list(dist.probs) else Distribution(dist.rule, dist.options, normalised(left, 0.0))
            self._apart[dist, other] = found
        return found

    def wordings(self, rule: str, templates: tuple[str, ...]) -> tuple[Distribution, Wording]:
        """The distribution over the templates of `rule`, and the templates compiled."""
        found = self._wordings.get(rule)
        if found is None:
            places = range(len(templates))
            weights = [self.weight(rule, i) for i in places]
            compiled = tuple(compile_template(t) for t in templates)
            dist = Distribution(rule, places, normalised(weights, self._noise))
            found = self._wordings[rule] = templates, dist, Wording(compiled, tuple(places), Trie.of(compiled))
        assert found[0] == templates, f"rule {rule} is used for two sets of templates"
        return found[1], found[2]

    def grouped(
        self, rule: str, groups: Mapping[Any, tuple[str, ...]], probs: tuple[float, ...]
    ) -> tuple[Distribution, Wording]:
        """Templates in groups: a group by `probs`, then one of its templates by the world's weights."""
        key = (rule, tuple(groups.items()), probs)
        found = self._groups.get(key)
        if found is None:
            shares, labels, compiled = list[float](), list[Any](), tuple[tuple[Piece, ...], ...]()
            for (label, templates), p in zip(groups.items(), normalised(probs, self._noise), strict=True):
                inner, wording = self.wordings(f"{rule}.{label}", templates)
                shares += [p * q for q in inner.probs]
                labels += [label] * len(templates)
                compiled += wording.templates
            dist = Distribution(rule, labels, shares)
            found = self._groups[key] = dist, Wording(compiled, tuple(labels), Trie.of(compiled))
        return found

    def pronoun_probs(self, job: Job | str) -> dict[str, float]:
        """P(pronoun | job) of a stranger: the planted bias, exactly.

        Raises: ValueError for a job that is not in the world.
        """
        name = job if isinstance(job, str) else job.name
        lean = {j.name: "she" if j in self._she_jobs else "he" for j in JOBS}.get(name)
        if lean is None:
            raise ValueError(f"the jobs are {', '.join(j.name for j in JOBS)}: {name!r} is not one.")
        more = 0.5 + self._bias / 2
        probs = normalised([more, 1 - more] if lean == "she" else [1 - more, more], self._noise)
        return dict(zip(("she", "he"), probs, strict=True))
