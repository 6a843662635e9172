"""A world is the same in every process, on every system and under every version of Python."""

import json
import os
import subprocess
import sys

import pytest

from llmcourse.world import World
from tests.world.fingerprint import COMMAND, KEPT, WORLDS, fingerprint


@pytest.mark.parametrize("name", WORLDS)
def test_the_world_is_the_one_whose_fingerprint_is_kept(name: str) -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    seed, dials = WORLDS[name]
    # a change of wording is no error, but it means training the shipped checkpoints again
    assert fingerprint(World(seed, **dials)) == kept[name], f"the world has changed: run `{COMMAND}` and look why"


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_the_world_is_the_same_in_every_process_whatever_the_hash_seed(hash_seed: str) -> None:
    code = (
        "import json; from llmcourse.world import World; from tests.world.fingerprint import fingerprints;"
        "records = [repr(record) for record in World(7).task('instructions', 10)];"
        "print(json.dumps([fingerprints(), records]))"
    )
    env = os.environ | {"PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", code]
    prints, records = json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    assert prints == json.loads(KEPT.read_text(encoding="utf-8"))
    assert records == [repr(record) for record in World(7).task("instructions", 10)]


def test_the_world_needs_nothing_but_the_standard_library() -> None:
    code = "import sys; import llmcourse.world; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PATHS + code], capture_output=True, text=True, check=True
    )
    assert set(loaded.stdout.split()) - sys.stdlib_module_names - {"__main__", "llmcourse"} == set()


# without site-packages (-S), the package is found by its own folder alone
PATHS = f"import sys; sys.path.insert(0, {os.fspath(KEPT.parents[2])!r});"


@pytest.mark.parametrize("seed", [0, -3, 2**64, 10**60])
def test_any_whole_number_makes_a_world_of_its_own(seed: int) -> None:
    world, next_one = World(seed), World(seed + 1)
    text = world.documents(1)[0].text
    assert text == World(seed).documents(1)[0].text
    assert text != next_one.documents(1)[0].text
    assert [p.name for p in world.people] != [p.name for p in next_one.people]


@pytest.mark.parametrize("seed", ["7", 7.0, True, None, (1, 2)], ids=str)
def test_another_seed_is_one_clear_line(seed: object) -> None:
    for call in (
        World,
        lambda seed: World(0).documents(1, seed=seed),
        lambda seed: World(0).task("mood", 1, seed=seed),
    ):
        with pytest.raises(ValueError, match=r"^seed is a whole number: seed=") as error:
            call(seed)
        assert "\n" not in str(error.value)


@pytest.mark.slow  # the checks bring torch
def test_each_class_has_a_world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmcourse.checks.seeds import VARIABLE, secret_seed, secret_seeds

    worlds = {}
    for secret in ("spring", "autumn"):
        monkeypatch.setenv(VARIABLE, secret)
        worlds[secret] = [World(seed) for seed in secret_seeds("bigram", 2)]
        assert World(secret_seed("bigram")).documents(2)[1].text == worlds[secret][0].documents(2)[1].text
    texts = [world.documents(1)[0].text for made in worlds.values() for world in made]
    assert len(set(texts)) == 4
    # a stranger's answers fit no other class: its people are other people
    assert worlds["autumn"][0].log_prob(worlds["spring"][0].documents(1)[0].text) == float("-inf")
