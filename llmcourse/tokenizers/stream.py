"""Encode a text that arrives in pieces: ids come out as soon as no later text can change them."""

from collections.abc import Callable, Iterable

import regex

from llmcourse.tokenizers.added import AddedToken, Finder
from llmcourse.tokenizers.bpe import ByteBPE
from llmcourse.tokenizers.normalize import Normalizer, NormalizerSequence, Prepend, Regex, Replace
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.pretokenize import CL100K_PATTERN, GPT2_PATTERN, O200K_PATTERN
from llmcourse.tokenizers.splits import (
    BertPreTokenizer,
    ByteLevel,
    Metaspace,
    Split,
    SplitSequence,
    Splitter,
    WhitespaceSplit,
)

# Places where a text is cut whatever follows, and where either side is cut as if the other were not there.
BEFORE_SPACE = regex.compile(r"(?<=\S)(?= )")
# No alternative of the three patterns goes on from a letter or digit to anything but these.
AFTER_WORD = regex.compile(r"(?<=\S)(?= )|(?<=[\p{L}\p{N}])(?=[^\p{L}\p{M}\p{N}'])")
WORD_PATTERNS = (GPT2_PATTERN, CL100K_PATTERN, CL100K_PATTERN.replace("{1,3}+", "{1,3}"), O200K_PATTERN)
BLANKS = (Regex(r"\s+"), Regex(" {2,}"))


class StreamEncoder:
    """The ids of a growing text, as `encode` gives them for the whole of it."""

    def __init__(self, tokenizer: ByteBPE | Tokenizer, allow_special: bool = False) -> None:
        """An encoder at the start of a text.

        Raises: ValueError for a tokenizer of which it is not known where it cuts whatever follows.
        """
        self._encode: Callable[[str], list[int]] = lambda text: tokenizer.encode(text, allow_special)
        self._cuts = _cuts(tokenizer)
        self._finder = Finder(_added(tokenizer, allow_special))
        self._markers = [token.content for token in self._finder.tokens]
        self._held = ""

    @property
    def held(self) -> str:
        """What has arrived and is not encoded yet: the last word with what follows it, or a special's beginning."""
        return self._held

    def feed(self, text: str) -> list[int]:
        """The ids that have become certain."""
        self._held += text
        end = self._last_cut()
        ready, self._held = self._held[:end], self._held[end:]
        return self._encode(ready)

    def finish(self) -> list[int]:
        """The ids of what is held; what is fed next begins a new text."""
        ready, self._held = self._held, ""
        return self._encode(ready)

    def _last_cut(self) -> int:
        held, limit = self._held, self._unfinished()
        spans = list(self._finder.spans(held, allow_special=True))
        places = [match.start() for match in self._cuts.finditer(held) if match.start() < limit]
        for place in reversed(places):
            if not any(start < place < end for start, end, _ in spans):
                return place
        return 0

    def _unfinished(self) -> int:
        """The first place from which the text might yet grow into an added token, or into a longer one."""
        longest = max(map(len, self._markers), default=1)
        for place in range(max(len(self._held) - longest + 1, 0), len(self._held)):
            rest = self._held[place:]
            if any(marker.startswith(rest) and marker != rest for marker in self._markers):
                return place
        return len(self._held)


def _added(tokenizer: ByteBPE | Tokenizer, allow_special: bool) -> list[AddedToken]:
    if isinstance(tokenizer, ByteBPE):
        added: Iterable[AddedToken] = [AddedToken(name, number) for name, number in tokenizer.specials.items()]
    else:
        added = tokenizer.added
    return [token for token in added if allow_special or not token.special]


def _cuts(tokenizer: ByteBPE | Tokenizer) -> "regex.Pattern[str]":
    if isinstance(tokenizer, ByteBPE):
        if tokenizer.pattern in WORD_PATTERNS:
            return AFTER_WORD
        raise ValueError(f"Streaming knows where three patterns cut; this is another one: {tokenizer.pattern!r}.")
    normalizer, splitter = tokenizer.normalizer, tokenizer.splitter
    late = [token.content for token in tokenizer.added if token.normalized]
    if any(" " in name for name in late):
        raise ValueError(f"Streaming needs added tokens without spaces once the text is normalised: {late}.")
    if not _keeps_spaces_apart(normalizer):
        raise ValueError(f"Streaming needs a normaliser that works word by word: {normalizer} may not.")
    if not late and normalizer is None and _cuts_after_words(splitter):
        return AFTER_WORD
    if not _cuts_before_spaces(splitter):
        raise ValueError(f"Streaming needs a splitter that cuts before every space: {splitter} may not.")
    return BEFORE_SPACE


def _cuts_after_words(splitter: Splitter | None) -> bool:
    match splitter:
        case ByteLevel(add_prefix_space=False, use_regex=True):
            return True
        case SplitSequence((Split(Regex(source), "Isolated"), ByteLevel(add_prefix_space=False, use_regex=False))):
            return source in WORD_PATTERNS
    return False


def _cuts_before_spaces(splitter: Splitter | None) -> bool:
    match splitter:
        case ByteLevel(use_regex=True) | Metaspace(split=True) | BertPreTokenizer() | WhitespaceSplit():
            return True
        case SplitSequence((first, *_)):
            return _cuts_before_spaces(first) or _cuts_after_words(splitter)
    return False


def _keeps_spaces_apart(normalizer: Normalizer | None) -> bool:
    match normalizer:
        case Prepend():
            return False
        case Replace(pattern):
            return pattern in BLANKS
        case NormalizerSequence(normalizers):
            return all(map(_keeps_spaces_apart, normalizers))
    return True
