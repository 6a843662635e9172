"""The same model for use alone, without training: smaller and faster, with the same answers."""

from llmcourse.inference.cache import InPlaceCache
from llmcourse.inference.choice import can_fuse, fuse
from llmcourse.inference.fused import FusedDecoder
from llmcourse.inference.quantize import n_bytes, quantize
from llmcourse.inference.tree import TreeCache

__all__ = ["FusedDecoder", "InPlaceCache", "TreeCache", "can_fuse", "fuse", "n_bytes", "quantize"]
