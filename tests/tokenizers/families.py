"""One small tokenizer of each family, learned from the same texts, and the library that they are compared with."""

import json
import unicodedata
from functools import cache

import tokenizers
from hypothesis import strategies as st

from llmcourse.tokenizers import (
    CL100K_PATTERN,
    O200K_PATTERN,
    TEMPLATES,
    ByteBPE,
    Tokenizer,
    from_byte_bpe,
    to_json,
    train_unigram,
    train_wordpiece,
)
from tests.tokenizers.hard_texts import TRAINING_TEXTS

FAMILIES = ["gpt2", "cl100k", "o200k", "bart", "llama", "bert", "bert cased", "t5"]
PATTERNS = {"cl100k": CL100K_PATTERN, "o200k": O200K_PATTERN}


@cache
def family(name: str) -> Tokenizer:
    """The tokenizer of that family."""
    if name.startswith("bert"):
        return train_wordpiece(TRAINING_TEXTS, 160, lowercase=name == "bert")
    if name == "t5":
        return train_unigram(TRAINING_TEXTS, 140)
    template = TEMPLATES.get(name, TEMPLATES["gpt2"])
    specials = ["<|end|>", "<|end|><|user|>", *template.specials]
    pattern = {"pattern": PATTERNS[name]} if name in PATTERNS else {}
    return from_byte_bpe(ByteBPE.train(TRAINING_TEXTS, 420, specials, **pattern), template)


def hugging_face(tokenizer: Tokenizer) -> tokenizers.Tokenizer:
    """The same tokenizer, run by the tokenizers library."""
    return tokenizers.Tokenizer.from_str(json.dumps(to_json(tokenizer)))


def _is_old(letter: str) -> bool:
    # the library's tables of Unicode are older than Python's: only characters that never changed compare
    return unicodedata.ucd_3_2_0.category(letter) == unicodedata.category(letter) != "Cn"


OLD_TEXT = st.text(alphabet=st.characters(codec="utf-8").filter(_is_old), max_size=12)
TRICKY_TEXT = st.text(alphabet="at heAT\n\r\t .,'sſK0½aé\u0301Σ🙂\u200d日ש\u00a0\x1c\x85▁#[]<>|/", max_size=30)
WORDS = st.sampled_from([
    "the", " cat", "low", "newest", "widest", " ", "  ", "\n", "[MASK]", "[CLS]", "<|end|>", "<|user|>", "</s>", "<s>",
    "'ll", "'", "日本", "é", "e\u0301", "def f(x):", "1999", "!", "▁",
])  # fmt: skip
ANY_TEXT = OLD_TEXT | TRICKY_TEXT | st.lists(WORDS, max_size=8).map("".join)
