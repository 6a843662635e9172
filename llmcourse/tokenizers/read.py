"""Any tokenizer file that the package knows, read by its name and content."""

from pathlib import Path

from llmcourse.tokenizers.bpe import ByteBPE
from llmcourse.tokenizers.families import from_byte_bpe
from llmcourse.tokenizers.files import FORMAT, read_json
from llmcourse.tokenizers.json_file import read_tokenizer_json
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.pretokenize import CL100K_PATTERN, O200K_PATTERN
from llmcourse.tokenizers.vocab_files import (
    MERGES,
    VOCAB_JSON,
    read_tiktoken,
    read_unigram_vocab,
    read_vocab_and_merges,
    read_vocab_txt,
)

KINDS = "tokenizer.json, vocab.json with merges.txt, vocab.txt, a .vocab file or a .tiktoken file"


def read_tokenizer(path: str | Path) -> Tokenizer:
    """The tokenizer in a file, or in a folder that holds one.

    A .tiktoken file does not say how to split a text: one whose name begins with o200k gets that pattern, any other
    the pattern of cl100k. Raises: ValueError naming the file and what is wrong with it.
    """
    path = Path(path)
    if path.is_dir():
        names = [name for name in ("tokenizer.json", VOCAB_JSON, "vocab.txt") if (path / name).is_file()]
        if not names:
            raise ValueError(f"{path} holds no tokenizer; known are {KINDS}.")
        path = path / names[0]
    if path.name in (VOCAB_JSON, MERGES):
        return read_vocab_and_merges(path.parent)
    if path.suffix == ".json":
        is_ours = read_json(path).get("format") == FORMAT
        return from_byte_bpe(ByteBPE.load(path)) if is_ours else read_tokenizer_json(path)
    if path.suffix == ".txt":
        return read_vocab_txt(path)
    if path.suffix == ".vocab":
        return read_unigram_vocab(path)
    if path.suffix == ".tiktoken":
        return read_tiktoken(path, O200K_PATTERN if path.name.startswith("o200k") else CL100K_PATTERN)
    raise ValueError(f"{path} is no tokenizer file; known are {KINDS}.")
