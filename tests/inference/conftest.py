"""The models of tests/model serve here too."""

from tests.model.conftest import decoder, ids

__all__ = ["decoder", "ids"]
