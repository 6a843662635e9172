"""Tokenizers turn text into numbers and back, and learn from text which pieces are worth a number."""

from llmcourse.tokenizers.bpe import ByteBPE
from llmcourse.tokenizers.bridge import public_encoding
from llmcourse.tokenizers.pairs import apply_merges, count_pairs, learn_merges_slowly, merge_pair
from llmcourse.tokenizers.pretokenize import (
    CL100K_PATTERN,
    GPT2_PATTERN,
    O200K_PATTERN,
    pretokenize,
    split_specials,
)
from llmcourse.tokenizers.trainer import learn_merges

__all__ = [
    "CL100K_PATTERN",
    "GPT2_PATTERN",
    "O200K_PATTERN",
    "ByteBPE",
    "apply_merges",
    "count_pairs",
    "learn_merges",
    "learn_merges_slowly",
    "merge_pair",
    "pretokenize",
    "public_encoding",
    "split_specials",
]
