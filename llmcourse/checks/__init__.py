"""Checks that exercises call: seeded, named, and worded so that a failure teaches."""

from llmcourse.checks.core import CheckFailed
from llmcourse.checks.seeds import secret_seed, secret_seeds

__all__ = ["CheckFailed", "secret_seed", "secret_seeds"]
