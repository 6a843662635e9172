"""The sampling explorer: sliders for temperature and cuts, against the true distribution of the microworld."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import traitlets
from numpy.typing import ArrayLike

from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.widgets.explorer import FOLDER, Explorer
from llmcourse.widgets.static import to_table
from llmcourse.world import World

MOST_TOKENS = 4096  # each step carries every logit, so that any temperature is exact
TABLE_ROWS = 8


@dataclass(frozen=True)
class Step:
    """One text so far, with the model's logits for every token that may come next and, if known, the truth."""

    context: str
    tokens: Sequence[str]
    logits: ArrayLike
    truth: ArrayLike | None = None


class SamplingExplorer(Explorer):
    """Shows what temperature, top-k, top-p and min-p do to the model's next token, beside the truth."""

    _esm = FOLDER / "sampling.js"
    NAME = "sampling"
    STATE: ClassVar[tuple[str, ...]] = ("tokens", "steps", "step", "temperature", "top_k", "top_p", "min_p", "seed")

    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    steps = traitlets.List(traitlets.Dict()).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    temperature = traitlets.Float(1.0, min=0.0).tag(sync=True)
    top_k = traitlets.Int(0, min=0, help="0 keeps all").tag(sync=True)
    top_p = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    min_p = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)

    def __init__(self, steps: Sequence[Step], **settings: Any) -> None:
        """An explorer of these steps; `settings` are the sliders' first values.

        Raises: ValueError when there is no step, or the steps do not share one list of tokens.
        """
        if not steps:
            raise ValueError("SamplingExplorer needs at least one step.")
        tokens = list(steps[0].tokens)
        if len(tokens) > MOST_TOKENS:
            raise ValueError(f"SamplingExplorer carries every logit: at most {MOST_TOKENS} tokens, not {len(tokens)}.")
        super().__init__(tokens=tokens, steps=[_plain(step, tokens) for step in steps], **settings)

    @classmethod
    def of(
        cls, model: Transformer, tokenizer: ByteBPE, world: World, contexts: Sequence[str], **settings: Any
    ) -> "SamplingExplorer":
        """An explorer of what the model and the world expect after each of these beginnings of a document.

        A context stops at the end of a word. The text that the model sees starts with `<|end|>`.
        """
        tokens = [tokenizer.decode_bytes([i]).decode("utf-8", "backslashreplace") for i in range(tokenizer.vocab_size)]
        steps = []
        for context in contexts:
            ids = torch.tensor([[tokenizer.special_id("<|end|>"), *tokenizer.encode(context)]])
            with torch.no_grad():
                logits = model.eval()(ids)[0, -1].double().numpy()
            steps.append(Step(context, tokens, logits, true_next_tokens(world, tokenizer, context)))
        return cls(steps, **settings)

    def fallback(self) -> str:
        """For each text, the likeliest tokens with the model's and the true probability."""
        return "".join(self._table(step) for step in self.steps)

    def _table(self, step: dict[str, Any]) -> str:
        powers = np.exp(np.array(step["logits"]) - max(step["logits"]))
        probs = powers / powers.sum()
        truth = step["truth"]
        true = np.zeros(len(probs))
        for index, value in (truth or {}).items():
            true[int(index)] = value
        top = np.argsort(-np.maximum(probs, true), kind="stable")[:TABLE_ROWS]
        rows = [[self.tokens[i], float(probs[i]), *([float(true[i])] if truth is not None else [])] for i in top]
        columns = ["next token", "model", *(["truth"] if truth is not None else [])]
        return to_table(f"After “{step['context'] or '(the beginning)'}”", columns, rows)


def _plain(step: Step, tokens: list[str]) -> dict[str, Any]:
    logits = np.asarray(step.logits, dtype=float)
    if list(step.tokens) != tokens:
        raise ValueError("All steps of a SamplingExplorer share one list of tokens.")
    if logits.shape != (len(tokens),) or not np.isfinite(logits).all():
        raise ValueError(f"A step needs one finite logit for each of {len(tokens)} tokens.")
    truth = None
    if step.truth is not None:
        probs = np.asarray(step.truth, dtype=float)
        if probs.shape != (len(tokens),) or abs(probs.sum() - 1) > 1e-6 or (probs < 0).any():
            raise ValueError(f"The truth of a step is a distribution over {len(tokens)} tokens.")
        # most tokens cannot come next: name only those that can
        truth = {str(i): float(f"{probs[i]:.8g}") for i in np.flatnonzero(probs)}
    return {"context": step.context, "logits": [round(float(x), 4) for x in logits], "truth": truth}


def true_next_tokens(world: World, tokenizer: ByteBPE, context: str) -> np.ndarray:
    """The world's exact distribution over the next token after `context`, which stops at the end of a word.

    Raises: ValueError when the tokenizer cuts the context differently once a word follows.
    """
    probs = np.zeros(tokenizer.vocab_size)
    before = tokenizer.encode(context)
    for word, probability in world.next_word_probs(context).items():
        if word == "":
            probs[tokenizer.special_id("<|end|>")] += probability
            continue
        ids = tokenizer.encode(f"{context} {word}" if context else word)
        if ids[: len(before)] != before or len(ids) == len(before):
            raise ValueError(
                f"The tokens of {context[-40:]!r} change when {word!r} follows; stop the context elsewhere."
            )
        probs[ids[len(before)]] += probability
    return probs
