"""New special tokens for a model that is trained already: its tables grow by a row for each."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.tokenizers import ByteBPE


def with_specials(
    model: Transformer, tokenizer: ByteBPE, specials: Sequence[str], attend: Attend | None = None
) -> tuple[Transformer, ByteBPE]:
    """A copy of the model and of its tokenizer that know these tokens too; all ids from before stay what they were.

    A new token starts with the mean of all tokens' vectors, so that it is neither likely nor odd.
    Raises: ValueError for a token that is there already, or a tokenizer of another model.
    """
    repeated = [name for name in specials if name in tokenizer.specials]
    if repeated:
        raise ValueError(f"New special tokens must be new: the tokenizer has {repeated[0]!r} already.")
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(f"The tokenizer has {tokenizer.vocab_size} tokens, the model {model.config.vocab_size}.")
    larger = ByteBPE(tokenizer.pairs, [*tokenizer.specials, *specials], tokenizer.pattern)
    grown = Transformer(replace(model.config, vocab_size=larger.vocab_size), attend=attend)
    weights = dict(model.state_dict())
    for name in ("tokens.weight", "unembed.weight"):
        if name in weights:
            table = weights[name]
            weights[name] = torch.cat((table, table.mean(dim=0).expand(len(specials), -1)))
    if "logits_bias" in weights:
        bias = weights["logits_bias"]
        weights["logits_bias"] = torch.cat((bias, bias.new_zeros(*bias.shape[:-1], len(specials))), dim=-1)
    grown.load_state_dict(weights)
    return grown.train(model.training), larger
