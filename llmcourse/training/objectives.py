"""What encoders and encoder-decoders minimise in pretraining, beside the decoder's next token."""

from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.data import Batch, MaskedBatch, SpanBatch
from llmcourse.training.loss import token_nats


def masked_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """The surprise at each hidden token, read from both sides; 0 where none was hidden.

    Raises: ValueError for a batch in which nothing is masked.
    """
    if not isinstance(batch, MaskedBatch):
        raise ValueError(f"masked_nats needs what MaskedBatches gives, not a {type(batch).__name__}.")
    return token_nats(model(batch.inputs, is_real=batch.is_real), batch.targets)


def span_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """The surprise at each token of the hidden spans and their sentinels; 0 on padding.

    Raises: ValueError for a batch without spans.
    """
    if not isinstance(batch, SpanBatch):
        raise ValueError(f"span_nats needs what SpanBatches gives, not a {type(batch).__name__}.")
    return token_nats(model(batch.source, batch.inputs, is_real=batch.source_is_real), batch.targets)
