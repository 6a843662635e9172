"""Seeds for hidden tests that differ from class to class, so that no answer can be copied from another year."""

import hashlib
import os

VARIABLE = "LLMCOURSE_CLASS_SECRET"
DEFAULT = "no class secret is set"


def secret_seed(name: str, index: int = 0) -> int:
    """A seed for the hidden test of that name, from the class secret in the environment.

    Without `LLMCOURSE_CLASS_SECRET` a fixed, public secret stands in: tests still work, and hide nothing.
    """
    secret = os.environ.get(VARIABLE) or DEFAULT
    digest = hashlib.sha256(f"{secret}\0{name}\0{index}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


def secret_seeds(name: str, count: int = 3) -> list[int]:
    """`count` different seeds for one hidden test."""
    return [secret_seed(name, index) for index in range(count)]
