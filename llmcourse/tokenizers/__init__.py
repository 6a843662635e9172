"""Tokenizers turn text into numbers and back, and learn from text which pieces are worth a number."""

from llmcourse.tokenizers.added import AddedToken
from llmcourse.tokenizers.bpe import ByteBPE
from llmcourse.tokenizers.bpe_model import BPE
from llmcourse.tokenizers.bridge import public_encoding
from llmcourse.tokenizers.families import bert, byte_level, from_byte_bpe, train_unigram, train_wordpiece, unigram
from llmcourse.tokenizers.json_file import from_json, read_tokenizer_json, to_json, write_tokenizer_json
from llmcourse.tokenizers.pairs import apply_merges, count_pairs, learn_merges_slowly, merge_pair
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.pretokenize import (
    CL100K_PATTERN,
    GPT2_PATTERN,
    O200K_PATTERN,
    pretokenize,
    split_specials,
)
from llmcourse.tokenizers.read import read_tokenizer
from llmcourse.tokenizers.stream import StreamEncoder
from llmcourse.tokenizers.template import TEMPLATES, Encoded, Template
from llmcourse.tokenizers.trainer import learn_merges
from llmcourse.tokenizers.unigram import Unigram
from llmcourse.tokenizers.vocab_files import (
    read_tiktoken,
    read_unigram_vocab,
    read_vocab_and_merges,
    read_vocab_txt,
    write_tiktoken,
    write_unigram_vocab,
    write_vocab_and_merges,
    write_vocab_txt,
)
from llmcourse.tokenizers.wordpiece import WordPiece

__all__ = [
    "BPE",
    "CL100K_PATTERN",
    "GPT2_PATTERN",
    "O200K_PATTERN",
    "TEMPLATES",
    "AddedToken",
    "ByteBPE",
    "Encoded",
    "StreamEncoder",
    "Template",
    "Tokenizer",
    "Unigram",
    "WordPiece",
    "apply_merges",
    "bert",
    "byte_level",
    "count_pairs",
    "from_byte_bpe",
    "from_json",
    "learn_merges",
    "learn_merges_slowly",
    "merge_pair",
    "pretokenize",
    "public_encoding",
    "read_tiktoken",
    "read_tokenizer",
    "read_tokenizer_json",
    "read_unigram_vocab",
    "read_vocab_and_merges",
    "read_vocab_txt",
    "split_specials",
    "to_json",
    "train_unigram",
    "train_wordpiece",
    "unigram",
    "write_tiktoken",
    "write_tokenizer_json",
    "write_unigram_vocab",
    "write_vocab_and_merges",
    "write_vocab_txt",
]
