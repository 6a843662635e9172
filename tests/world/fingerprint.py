"""Digests of some worlds, the same on every machine, in `fingerprints.json`: `python -m tests.world.fingerprint`."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmcourse.world import World
from llmcourse.world.tasks import TASKS

KEPT = Path(__file__).with_name("fingerprints.json")
COMMAND = "python -m tests.world.fingerprint"
WORLDS: dict[str, tuple[int, dict[str, Any]]] = {
    "the world of the shipped checkpoints": (0, {}),
    "a larger world": (7, {"n_people": 30, "hops": 4}),
    "a world with noise and held-out pairs": (3, {"noise": 0.2, "held_out": 0.3}),
}


def sha256(lines: Iterable[str]) -> str:
    """The digest of some lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fingerprint(world: World) -> dict[str, str]:
    """Digests of documents, of probabilities, and of each task's records.

    Probabilities are rounded, for logarithms differ in the last bit.
    """
    texts = [document.text for document in world.documents(200)]
    prefixes = [" ".join(texts[0].split(" ")[:n]) for n in range(0, 60, 6)]
    following = [sorted(world.next_word_probs(prefix).items()) for prefix in prefixes]
    return {
        "documents": sha256(texts),
        "log_probs": sha256(f"{world.training.log_prob(text):.6f}" for text in texts[:20]),
        "next_words": sha256(f"{word} {p:.9f}" for probs in following for word, p in probs),
    } | {f"task {name}": sha256(map(repr, world.task(name, 20))) for name in TASKS}


def fingerprints() -> dict[str, dict[str, str]]:
    """The digests of each of `WORLDS`."""
    return {name: fingerprint(World(seed, **dials)) for name, (seed, dials) in WORLDS.items()}


if __name__ == "__main__":
    KEPT.write_text(json.dumps(fingerprints(), indent=1) + "\n", encoding="utf-8")
