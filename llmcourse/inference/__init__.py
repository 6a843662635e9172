"""The same model for use alone, without training: smaller and faster, with the same answers."""

from llmcourse.inference.quantize import n_bytes, quantize

__all__ = ["n_bytes", "quantize"]
