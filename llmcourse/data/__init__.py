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
from llmcourse.data.corruption import (
    MaskedBatch,
    MaskedBatches,
    Masking,
    SpanBatch,
    SpanBatches,
    Spans,
    corrupt_spans,
    mask_tokens,
)
from llmcourse.data.files import atomic_path, read_text
from llmcourse.data.ngram import NGram

__all__ = [
    "IGNORE",
    "Batch",
    "DocumentBatches",
    "MaskedBatch",
    "MaskedBatches",
    "Masking",
    "NGram",
    "SpanBatch",
    "SpanBatches",
    "Spans",
    "WindowBatches",
    "atomic_path",
    "corrupt_spans",
    "encode_documents",
    "in_order",
    "mask_tokens",
    "pad_documents",
    "read_text",
]
