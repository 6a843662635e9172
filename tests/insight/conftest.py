"""The models of tests/model serve here too; and what the course's own model is asked."""

import pytest

from llmcourse.hub import Bundle, bundled
from llmcourse.insight import KeyPrompt, key_prompts
from llmcourse.world import World
from tests.model.conftest import decoder, ids

__all__ = ["decoder", "ids"]


@pytest.fixture(scope="session")
def small() -> Bundle:
    return bundled("microworld-small")


@pytest.fixture(scope="session")
def world() -> World:
    return World(0, plots=("key",))


@pytest.fixture(scope="session")
def prompts(world: World) -> list[KeyPrompt]:
    return key_prompts(world, 60)
