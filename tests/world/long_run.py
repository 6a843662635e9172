"""Counts 200,000 documents and keeps what they show in `long_run.json`: `python -m tests.world.long_run`."""

import datetime
import json
import platform
from pathlib import Path
from typing import Any

from llmcourse.world import World
from tests.world.planted import Draws, count, digest

LOG = Path(__file__).with_name("long_run.json")
COMMAND = "python -m tests.world.long_run"
N, WORLD_SEED, SPLIT, SEED = 200_000, 0, "test", 200
N_FIRST = 1_000


def first_documents(world: World) -> str:
    """Which documents the run begins with: another digest means another world, and the run is due again."""
    return digest(world.documents(N_FIRST, SPLIT, SEED))


def by_rule(draws: Draws) -> dict[str, Any]:
    """For each rule that has one distribution only, the distribution and its counts."""
    rules: dict[str, list[Any]] = {}
    for dist, seen in draws.items():
        rules.setdefault(dist.rule, []).append((dist, seen))
    return {rule: found[0] for rule, found in rules.items() if len(found) == 1 and len(found[0][1]) > 1}


def run() -> dict[str, Any]:
    """The whole run, as plain values."""
    world = World(WORLD_SEED)
    counts, draws = count(world, N, SPLIT, SEED)
    return {
        "command": COMMAND,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "world_seed": WORLD_SEED,
        "split": SPLIT,
        "seed": SEED,
        "documents": N,
        "first_documents": first_documents(world),
        "planted": {quantity: dict(sorted(seen.items())) for quantity, seen in sorted(counts.items())},
        "choices": {rule: seen for rule, (_, seen) in sorted(by_rule(draws).items())},
    }


def to_text(log: dict[str, Any]) -> str:
    """The log as JSON, a quantity or rule to a line."""
    lines = []
    for key, value in log.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    LOG.write_text(to_text(run()), encoding="utf-8")
