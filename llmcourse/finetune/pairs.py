"""A prompt with a better and a worse answer, as tokens."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from llmcourse.finetune.sft import ChatExample, ChatTemplate, chat_of, encode_chat, sft_batch
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode, next_token_nats


@runtime_checkable
class Preference(Protocol):
    """A prompt, the answer that is preferred, and the other one."""

    @property
    def prompt(self) -> str: ...

    @property
    def chosen(self) -> str: ...

    @property
    def rejected(self) -> str: ...


def encode_pair(
    record: Preference, tokenizer: ByteBPE, template: ChatTemplate | None = None
) -> tuple[ChatExample, ChatExample]:
    """The chat with the chosen answer, and the one with the rejected answer.

    Raises: ValueError where the answers are the same, or one is empty.
    """
    if record.chosen == record.rejected:
        raise ValueError(f"A pair needs two answers that differ; both are {record.chosen!r}.")
    chosen, rejected = (
        encode_chat(chat_of(record.prompt, answer), tokenizer, template) for answer in (record.chosen, record.rejected)
    )
    return chosen, rejected


def bradley_terry_nats(better: Float[Tensor, " pairs"], worse: Float[Tensor, " pairs"]) -> Float[Tensor, " pairs"]:
    """The surprise, in nats, that the better one is preferred, where the odds are e to the difference of the two.

    Source: Bradley and Terry 1952.
    """
    return -F.logsigmoid(better - worse)


def answer_log_probs(
    model: Transformer, examples: Sequence[ChatExample], batch_size: int = 32
) -> Float[Tensor, " examples"]:
    """How likely the model is to give each answer to its prompt: the sum over the answer's tokens, in nats.

    Without gradients, and with dropout off. Chats of like length are read side by side.
    """
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    log_probs = torch.zeros(len(examples))
    with evaluation_mode(model), torch.no_grad():
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            batch = sft_batch([examples[i] for i in rows]).to(device)
            log_probs[rows] = -next_token_nats(model, batch).sum(dim=1).cpu()
    return log_probs
