"""The attention explorer: every head of a model on one text, and which tokens each token reads."""

import base64
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike

from llmcourse.insight import capture_attention
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.widgets.explorer import FOLDER, Explorer
from llmcourse.widgets.static import Cell, to_table

FULL = 255  # a weight of 1, in the one byte that each weight gets


class AttentionExplorer(Explorer):
    """Shows where each token reads, in each layer and head."""

    _esm = FOLDER / "attention.js"
    NAME = "attention"
    STATE: ClassVar[tuple[str, ...]] = ("tokens", "n_layers", "n_heads", "weights", "layer", "head", "token")

    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    n_layers = traitlets.Int().tag(sync=True)
    n_heads = traitlets.Int().tag(sync=True)
    weights = traitlets.Unicode(help="layer x head x reader x read, a byte each, as base64").tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)

    def __init__(self, tokens: Sequence[str], weights: ArrayLike, **settings: Any) -> None:
        """An explorer of weights, layer x head x reader x read; `settings` choose the first layer, head and token.

        Raises: ValueError when the weights do not fit the tokens, or do not lie between 0 and 1.
        """
        full = np.asarray(weights, dtype=float)
        if full.ndim != 4 or full.shape[2:] != (len(tokens), len(tokens)) or not full.size:
            n = len(tokens)
            raise ValueError(f"AttentionExplorer needs weights of layers x heads x {n} x {n}, not {full.shape}.")
        if not ((full >= -1e-6) & (full <= 1 + 1e-6)).all():
            raise ValueError("Attention weights lie between 0 and 1; were they taken before the softmax?")
        settings.setdefault("token", len(tokens) - 1)
        packed = np.rint(full.clip(0, 1) * FULL).astype(np.uint8)
        n_layers, n_heads = full.shape[:2]
        text = base64.b64encode(packed.tobytes()).decode("ascii")
        super().__init__(tokens=list(tokens), n_layers=n_layers, n_heads=n_heads, weights=text, **settings)
        self._full = full

    @classmethod
    def of(cls, model: Transformer, tokenizer: ByteBPE, text: str, **settings: Any) -> "AttentionExplorer":
        """An explorer of the model's own attention as it reads the text, which starts with `<|end|>`."""
        ids = [tokenizer.special_id("<|end|>"), *tokenizer.encode(text)]
        with torch.no_grad(), capture_attention(model.eval()) as captured:
            model(torch.tensor([ids]))
        weights = torch.stack(captured)[:, 0]  # L H T S
        tokens = [tokenizer.decode_bytes([i]).decode("utf-8", "backslashreplace") for i in ids]
        return cls(tokens, weights.double().numpy(), **settings)

    def fallback(self) -> str:
        """What each head does on the whole, and what the last token reads most."""
        rows: list[list[Cell]] = [
            [f"layer {layer}, head {head}", *_habits(self._full[layer, head]), self._reads_most(layer, head)]
            for layer in range(self.n_layers)
            for head in range(self.n_heads)
        ]
        columns = ["", "on itself", "on the token before", "on the first token", "the last token reads most"]
        caption = f"Mean weight of each head over the text “{''.join(self.tokens)}”"
        return to_table(caption, columns, rows)

    def _reads_most(self, layer: int, head: int) -> str:
        row = self._full[layer, head, -1]
        top = np.argsort(-row, kind="stable")[:3]
        return ", ".join(f"“{self.tokens[i]}” {row[i]:.2f}" for i in top)


def _habits(weights: np.ndarray) -> list[float]:
    """Mean weight that a token puts on itself, on the one before it, and on the first; the first reader is left out."""
    if len(weights) < 2:
        return [float(weights[0, 0]), 0.0, float(weights[0, 0])]
    return [float(np.mean(part)) for part in (np.diagonal(weights)[1:], np.diagonal(weights, -1), weights[1:, 0])]
