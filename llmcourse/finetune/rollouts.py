"""Answers that a model draws by itself, as chats to learn from or to measure by."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.data import Batch
from llmcourse.decoding import generate, temperature
from llmcourse.finetune.examples import pad_left
from llmcourse.finetune.sft import ChatExample, ChatTemplate, sft_batch
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode


def draw_answers(
    model: Transformer,
    prompts: Sequence[Sequence[int]],
    end: int,
    *,
    n_samples: int = 1,
    max_new_tokens: int = 24,
    generator: torch.Generator | None = None,
) -> list[ChatExample]:
    """`n_samples` answers to each prompt in turn, drawn from the model's own distribution, with dropout off.

    Targets are the answer's tokens up to the first `end`, and `end` itself; what is drawn after it is dropped.
    """
    device = next(model.parameters()).device
    repeated = [list(prompt) for prompt in prompts for _ in range(n_samples)]
    ids, is_real = pad_left(repeated)
    with evaluation_mode(model):
        new = generate(
            model,
            ids.to(device),
            max_new_tokens,
            transform=temperature(1.0),
            generator=generator,
            is_real=is_real.to(device),
            eos=(end,),
        )
    return [answered(prompt, tokens, end) for prompt, tokens in zip(repeated, new.tolist(), strict=True)]


def answered(prompt: Sequence[int], new: Sequence[int], end: int) -> ChatExample:
    """The prompt with the new tokens up to the first `end`, which alone are targets."""
    said = new[: list(new).index(end) + 1] if end in new else new
    return ChatExample((*prompt, *said), (*[False] * len(prompt), *[True] * len(said)))


def spoken(example: ChatExample, tokenizer: ByteBPE, template: ChatTemplate) -> str:
    """The answer in a chat of one answer, as text, without the token that ends it."""
    said = [token for token, counts in zip(example.ids, example.is_target, strict=True) if counts]
    end = tokenizer.special_id(template.end)
    return tokenizer.decode(said[:-1] if said[-1] == end else said).removeprefix(template.gap)


def next_token_kl(model: nn.Module, reference: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """How far the model's guess at each target is from the reference's: their KL divergence, in nats, 0 elsewhere."""
    ours = model(batch.inputs).float().log_softmax(dim=-1)
    theirs = reference(batch.inputs).float().log_softmax(dim=-1)
    kl = (ours.exp() * (ours - theirs)).sum(dim=-1)
    return torch.where(batch.is_target, kl, 0.0)


def answer_kl(
    model: Transformer, reference: Transformer, examples: Sequence[ChatExample], batch_size: int = 32
) -> Float[Tensor, " examples"]:
    """For answers that `model` has drawn: the KL of the model from the reference along each, in nats.

    Its mean over answers estimates the KL between the two distributions of whole answers, by the chain rule.
    """
    device = next(model.parameters()).device
    found = []
    with evaluation_mode(model), evaluation_mode(reference), torch.no_grad():
        for first in range(0, len(examples), batch_size):
            batch = sft_batch(examples[first : first + batch_size]).to(device)
            found.append(next_token_kl(model, reference, batch).sum(dim=1))
    return torch.cat(found).cpu()
