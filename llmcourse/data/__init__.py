"""From text to batches: reading, cutting and ordering what a model trains on, and counting it as a baseline."""

from llmcourse.data.batching import (
    IGNORE,
    Batch,
    DocumentBatches,
    WindowBatches,
    encode_documents,
    in_order,
    pad_documents,
)
from llmcourse.data.files import atomic_path, read_text
from llmcourse.data.ngram import NGram

__all__ = [
    "IGNORE",
    "Batch",
    "DocumentBatches",
    "NGram",
    "WindowBatches",
    "atomic_path",
    "encode_documents",
    "in_order",
    "pad_documents",
    "read_text",
]
