"""The older files of each family: `vocab.json` with `merges.txt`, `vocab.txt`, `unigram.vocab`, and tiktoken's."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from llmcourse.tokenizers.alphabet import BYTES, spell, unspell
from llmcourse.tokenizers.bpe_model import BPE
from llmcourse.tokenizers.families import bert, byte_level, unigram
from llmcourse.tokenizers.files import read_json, read_text, write_json, write_text
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.pretokenize import GPT2_PATTERN
from llmcourse.tokenizers.unigram import Unigram

VOCAB_JSON, MERGES = "vocab.json", "merges.txt"


def write_vocab_and_merges(folder: str | Path, tokenizer: Tokenizer) -> None:
    """Write `vocab.json` and `merges.txt` into the folder. Raises: ValueError unless the model is BPE."""
    model = _bpe(tokenizer)
    for token in model.vocabulary:
        if any(blank in token for blank in " \n\r") and any(token in pair for pair in model.merges):
            raise ValueError(f"{MERGES} cannot hold a token with a blank in it: {token!r}.")
    write_json(Path(folder) / VOCAB_JSON, dict(sorted(tokenizer.vocabulary.items(), key=lambda item: item[1])))
    write_text(Path(folder) / MERGES, "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in model.merges))


def read_vocab_and_merges(folder: str | Path, pattern: str = GPT2_PATTERN) -> Tokenizer:
    """The byte-level tokenizer of the two files; tokens that no merge makes are its specials.

    Raises: ValueError naming the file and what is wrong with it.
    """
    vocab_path, merges_path = Path(folder) / VOCAB_JSON, Path(folder) / MERGES
    vocabulary = read_json(vocab_path)
    for token, number in vocabulary.items():
        if type(number) is not int or number < 0:
            raise ValueError(f"{vocab_path} is damaged: {token!r} has the id {number!r}.")
    lines = read_text(merges_path).split("\n")
    merges = [(place, line) for place, line in enumerate(lines, 1) if line and not line.startswith("#version")]
    pairs: list[tuple[str, str]] = []
    for place, line in merges:
        halves = line.split(" ")
        if len(halves) != 2:
            raise ValueError(f"{merges_path} is damaged: line {place} is not two tokens and a space: {line!r}.")
        pairs.append((halves[0], halves[1]))
    made = {left + right for left, right in pairs} | set(BYTES)
    specials = {token: number for token, number in vocabulary.items() if token not in made}
    try:
        model = BPE({token: number for token, number in vocabulary.items() if token in made}, pairs)
        return byte_level(model, pattern, specials)
    except ValueError as error:
        raise ValueError(f"{vocab_path} and {merges_path} do not fit together: {error}") from error


def write_vocab_txt(path: str | Path, tokenizer: Tokenizer) -> None:
    """Write one token to a line, in the order of their ids. Raises: ValueError when the ids have gaps."""
    tokens = sorted(tokenizer.vocabulary, key=tokenizer.vocabulary.__getitem__)
    if tokenizer.vocab_size != len(tokens):
        raise ValueError(f"A line is an id, so ids may have no gaps: {len(tokens)} tokens, {tokenizer.vocab_size} ids.")
    if any("\n" in token or "\r" in token for token in tokens):
        raise ValueError("A token with a line break in it cannot stand on one line.")
    write_text(path, "".join(f"{token}\n" for token in tokens))


def read_vocab_txt(path: str | Path, lowercase: bool = True) -> Tokenizer:
    """The BERT tokenizer of the file; tokens such as `[CLS]` are its specials.

    Raises: ValueError naming the file and what is wrong with it.
    """
    tokens = read_text(path).removesuffix("\n").split("\n")
    repeated = [token for token, count in Counter(tokens).items() if count > 1]
    if repeated:
        raise ValueError(f"{path} is damaged: {repeated[0]!r} stands on two lines.")
    try:
        return bert(tokens, lowercase)
    except ValueError as error:
        raise ValueError(f"{path} is no vocabulary of WordPiece: {error}") from error


def write_unigram_vocab(path: str | Path, tokenizer: Tokenizer) -> None:
    """Write a token, a tab and its score to each line, as SentencePiece does. Raises: ValueError unless Unigram."""
    model = tokenizer.model
    if not isinstance(model, Unigram):
        raise ValueError(f"A .vocab file holds a Unigram model, got {type(model).__name__}.")
    if any(letter in token for token, _ in model.tokens for letter in "\t\n\r"):
        raise ValueError("A token with a tab or a line break in it cannot stand in a .vocab file.")
    write_text(path, "".join(f"{token}\t{score!r}\n" for token, score in model.tokens))


def read_unigram_vocab(path: str | Path) -> Tokenizer:
    """The Unigram tokenizer of the file; tokens such as `</s>` that score 0 are its specials.

    Raises: ValueError naming the file and what is wrong with it.
    """
    tokens: list[tuple[str, float]] = []
    for place, line in enumerate(read_text(path).removesuffix("\n").split("\n"), 1):
        token, _, score = line.partition("\t")
        try:
            tokens.append((token, float(score)))
        except ValueError:
            raise ValueError(f"{path} is damaged: line {place} is no token, tab and score: {line!r}.") from None
    try:
        return unigram(tokens)
    except ValueError as error:
        raise ValueError(f"{path} is no vocabulary of Unigram: {error}") from error


def write_tiktoken(path: str | Path, tokenizer: Tokenizer) -> None:
    """Write each token's bytes in base64 and its id to a line, specials left out, as tiktoken wants it.

    Raises: ValueError unless the model is byte-level BPE and its ids stand in the order of its merges.
    """
    model = _bpe(tokenizer)
    ranks = {token: number for token, number in model.vocabulary.items() if token not in tokenizer.specials}
    made = [ranks["".join(pair)] for pair in model.merges]
    if made != sorted(made):
        raise ValueError("tiktoken merges in the order of the ids, so a later merge must make a greater id.")
    for token, number in ranks.items():
        # tiktoken merges whatever two tokens join to a token, so each must have one way only to arise
        if model.encode(token) != [number]:
            raise ValueError(f"No text can reach token {number}, {unspell(token)!r}: its merge comes too late.")
    in_order = sorted(ranks, key=ranks.__getitem__)
    write_text(path, "".join(f"{base64.b64encode(unspell(token)).decode()} {ranks[token]}\n" for token in in_order))


def read_tiktoken(path: str | Path, pattern: str, specials: Mapping[str, int] | None = None) -> Tokenizer:
    """The byte-level tokenizer of the file, which holds neither the pattern nor the specials.

    Raises: ValueError naming the file and what is wrong with it.
    """
    ranks: dict[str, int] = {}
    for place, line in enumerate(read_text(path).removesuffix("\n").split("\n"), 1):
        try:
            encoded, number = line.split(" ")
            token, rank = spell(base64.b64decode(encoded, validate=True)), int(number)
        except ValueError:
            raise ValueError(f"{path} is no tiktoken file: line {place} is no base64 and id: {line[:40]!r}.") from None
        if token in ranks:
            raise ValueError(f"{path} is damaged: line {place} repeats a token.")
        ranks[token] = rank
    try:
        return byte_level(BPE(ranks, _all_merges(ranks), whole_first=True), pattern, specials or {})
    except ValueError as error:
        raise ValueError(f"{path} cannot be used: {error}") from error


def _all_merges(ranks: Mapping[str, int]) -> Sequence[tuple[str, str]]:
    """Every way in which two tokens join to a third; the lowest third merges first."""
    pairs = [
        (token[:cut], token[cut:])
        for token in ranks
        for cut in range(1, len(token))
        if token[:cut] in ranks and token[cut:] in ranks
    ]
    return sorted(pairs, key=lambda pair: ranks["".join(pair)])


def _bpe(tokenizer: Tokenizer) -> BPE:
    if not isinstance(tokenizer.model, BPE):
        raise ValueError(f"The file holds a BPE model, got {type(tokenizer.model).__name__}.")
    return tokenizer.model
