"""Show the tokens of a text, turn ids back into text, or learn a tokenizer from a text of your own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmcourse.commands.errors import PACKAGE, CommandError

if TYPE_CHECKING:
    import tiktoken

    from llmcourse.tokenizers import Tokenizer

MODELS = PACKAGE / "hub" / "bundled"
KINDS = ("bpe", "wordpiece", "unigram")
Say = Callable[[str], None]


def tokenize_text(
    text: str | None,
    *,
    tokenizer: str = "microworld-small",
    file: Path | None = None,
    for_model: bool = False,
    only_ids: bool = False,
    say: Say = print,
) -> None:
    """Say each token of the text, or of the file, with its id, and how many bytes a token covers.

    Raises: CommandError where there is not exactly one text, ValueError for a tokenizer that is not there or damaged.
    """
    if (text is None) == (file is None):
        raise CommandError('Give one text: llmcourse tokenize "the cat sat", or --file with the path of a text.')
    content = text if text is not None else _read(file)
    known = find_tokenizer(tokenizer)
    ids = _ids(known, content, for_model)
    if only_ids:
        say(" ".join(map(str, ids)))
        return
    width = len(str(max(ids, default=0)))
    for number in ids:
        say(f"{number:>{width}}  {visible(known, number)}")
    n_bytes = len(content.encode("utf-8", errors="surrogatepass"))
    each = f", {n_bytes / len(ids):.2f} bytes to a token" if ids else ""
    say(f"{len(ids)} tokens for {len(content)} characters, {n_bytes} bytes{each}.")


def decode_ids(ids: str, tokenizer: str = "microworld-small", say: Say = print) -> None:
    """Say the text that the ids stand for, given as numbers between spaces or commas.

    Raises: CommandError for what is no number, ValueError for an id that the tokenizer does not have.
    """
    words = ids.replace(",", " ").split()
    for word in words:
        if not word.isdecimal():
            raise CommandError(f"Ids are whole numbers, for example --decode '17 4 256'; got {word!r}.")
    known, numbers = find_tokenizer(tokenizer), [int(word) for word in words]
    for number in numbers:
        visible(known, number)  # tiktoken's own error for an id that is not there is a bare KeyError
    say(known.decode(numbers))


def train_tokenizer(source: Path, *, kind: str, vocab_size: int, out: Path, say: Say = print) -> None:
    """Learn a tokenizer from a text file and write it as `tokenizer.json`.

    Raises: CommandError for an unknown kind, ValueError when `vocab_size` is too small for the text.
    """
    from llmcourse import tokenizers

    texts = [_read(source)]
    if kind == "bpe":
        learned = tokenizers.from_byte_bpe(tokenizers.ByteBPE.train(texts, vocab_size, ["<|end|>"]))
    elif kind == "wordpiece":
        learned = tokenizers.train_wordpiece(texts, vocab_size)
    elif kind == "unigram":
        learned = tokenizers.train_unigram(texts, vocab_size)
    else:
        raise CommandError(f"The kinds of tokenizer are {', '.join(KINDS)}; got {kind!r}.")
    tokenizers.write_tokenizer_json(out, learned)
    say(f"Learned {learned.vocab_size} tokens from {source}. They are in {out}.")
    say(f'Try them: llmcourse tokenize --tokenizer {out} "some text"')


def find_tokenizer(name: str) -> "Tokenizer | tiktoken.Encoding":
    """The tokenizer in a file or folder, or of a model of the course, or a published encoding such as gpt2.

    Raises: CommandError that lists the names, ValueError for a damaged file, ConnectionError when offline.
    """
    import tiktoken

    from llmcourse.tokenizers import public_encoding, read_tokenizer

    # `llmcourse train --out runs/mine` leaves the tokenizer in runs/mine/model
    for place in (Path(name) / "model", Path(name), MODELS / name):
        if place.is_file() or (place / "tokenizer.json").is_file():
            return read_tokenizer(place)
    if Path(name).is_dir():
        return read_tokenizer(name)
    published = tiktoken.list_encoding_names()
    if name in published:
        return public_encoding(name)
    models = sorted(path.parent.name for path in MODELS.glob("*/tokenizer.json"))
    raise CommandError(
        f"No tokenizer {name!r}: it is neither a file nor one of the course ({', '.join(models)}) "
        f"or of the published ({', '.join(sorted(published))})."
    )


def visible(tokenizer: "Tokenizer | tiktoken.Encoding", number: int) -> str:
    """One token between quotes; as bytes where it is a part of a character.

    Raises: CommandError for an id that is not in the vocabulary.
    """
    from llmcourse.tokenizers import Tokenizer
    from llmcourse.tokenizers.alphabet import unspell
    from llmcourse.tokenizers.decoders import ByteLevelDecoder

    if isinstance(tokenizer, Tokenizer):
        token = tokenizer.tokens([number])[0]
        if not isinstance(tokenizer.decoder, ByteLevelDecoder):
            return repr(token)
        content = unspell(token)
    else:
        try:
            content = tokenizer.decode_single_token_bytes(number)
        except KeyError:
            raise CommandError(f"No token has the id {number}; {tokenizer.name} has {tokenizer.n_vocab}.") from None
    try:
        return repr(content.decode("utf-8"))
    except UnicodeDecodeError:
        return repr(content)


def _ids(tokenizer: "Tokenizer | tiktoken.Encoding", text: str, for_model: bool) -> Sequence[int]:
    from llmcourse.tokenizers import Tokenizer

    if isinstance(tokenizer, Tokenizer):
        return tokenizer.encode_for_model(text).ids if for_model else tokenizer.encode(text)
    return tokenizer.encode(text, disallowed_special=())


def _read(path: Path | None) -> str:
    return "" if path is None else path.read_bytes().decode("utf-8")
