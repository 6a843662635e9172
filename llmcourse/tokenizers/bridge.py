"""The way to tiktoken, the fast tokenizer library: our merges run there, and public encodings come from there."""

import threading
from collections.abc import Mapping

import tiktoken


def build_encoding(
    name: str, pattern: str, ranks: Mapping[bytes, int], specials: Mapping[str, int]
) -> tiktoken.Encoding:
    """A tiktoken encoding with these tokens, which merge in the order of their ids."""
    return tiktoken.Encoding(
        name=name,
        pat_str=pattern,
        mergeable_ranks=dict(ranks),
        special_tokens=dict(specials),
        explicit_n_vocab=len(ranks) + len(specials),
    )


def public_encoding(name: str, timeout_s: float = 60.0) -> tiktoken.Encoding:
    """A published encoding such as "gpt2" or "o200k_base", from tiktoken's cache or the network.

    Raises: ValueError for an unknown name, ConnectionError when neither cache nor network has it in time.
    """
    known = tiktoken.list_encoding_names()
    if name not in known:
        raise ValueError(f"The public encodings are {', '.join(sorted(known))}; got {name!r}.")
    outcome: list[tiktoken.Encoding | Exception] = []

    def fetch() -> None:
        try:
            outcome.append(tiktoken.get_encoding(name))
        except Exception as error:  # handed to the caller below
            outcome.append(error)

    # tiktoken sets no time limit on its download: a daemon thread can be left behind when the network only stalls
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(timeout_s)
    result = outcome[0] if outcome else None
    if isinstance(result, tiktoken.Encoding):
        return result
    reason = type(result).__name__ if result is not None else f"no answer in {timeout_s:g} s"
    raise ConnectionError(
        f"The public encoding {name!r} is neither in tiktoken's cache nor could it be downloaded ({reason}). "
        "Go online once, or set TIKTOKEN_CACHE_DIR to a folder that holds it."
    ) from (result if result is not None else None)
