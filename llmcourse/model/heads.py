"""What is read off the last vectors where it is not simply a score for every token."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from llmcourse.model.block import make_norm
from llmcourse.model.config import TransformerConfig
from llmcourse.model.feedforward import ACTIVATIONS


class MaskedHead(nn.Module):
    """One more layer before a vector is compared with the tokens' vectors. Source: Devlin et al. 2019, its code."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.d_model, config.d_model)
        self.activation = ACTIVATIONS[config.activation]
        self.norm = make_norm(config)

    def forward(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        return self.norm(self.activation(self.dense(vectors)))


class TextHead(nn.Module):
    """One vector for the whole text, or the scores of its labels.

    With a pooler the text's vector passes one more layer; labels read straight off it have no bias, as decoders
    publish them.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.pool = config.pool
        self.pooler = nn.Linear(config.d_model, config.d_model) if config.pooler else None
        n_labels = config.n_labels
        self.labels = nn.Linear(config.d_model, n_labels, bias=config.pooler) if n_labels else None

    def forward(self, vectors: Float[Tensor, "B T D"], is_real: Bool[Tensor, "B T"]) -> Float[Tensor, "B width"]:
        text = pooled(vectors, is_real, self.pool)
        if self.pooler is not None:
            text = self.pooler(text).tanh()
        return text if self.labels is None else self.labels(text)


def pooled(vectors: Float[Tensor, "B T D"], is_real: Bool[Tensor, "B T"], pool: str) -> Float[Tensor, "B D"]:
    """The vector of each row's first or last real token, or the mean over all real ones, wherever the padding is."""
    if pool == "mean":
        real = is_real[..., None].to(vectors.dtype)
        return (vectors * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)
    places = torch.arange(is_real.shape[1], device=is_real.device)
    if pool == "first":
        place = torch.where(is_real, places, is_real.shape[1] - 1).amin(dim=1)
    else:
        place = torch.where(is_real, places, 0).amax(dim=1)
    return vectors[torch.arange(len(vectors), device=vectors.device), place]


def make_head(config: TransformerConfig) -> nn.Module | None:
    """The module for a head that has weights of its own, and None for one that has not."""
    match config.head:
        case "mlm":
            return MaskedHead(config)
        case "classify" | "embed":
            return TextHead(config)
        case "classify_tokens":
            return nn.Linear(config.d_model, config.n_labels)
        case "lm" | "none":
            return None
