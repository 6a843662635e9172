"""Unigram: every token has a probability, and of all cuts of a text the likeliest is taken."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

ScoredToken = tuple[str, float]

UNKNOWN_PENALTY = 10.0  # how far below the rarest token a character that is no token scores, in nats


class _Step(NamedTuple):
    """The best way to one place of a text: its score, where its last token begins and which id that has."""

    score: float
    start: int
    token: int


class Unigram:
    """The likeliest cut, by Viterbi's algorithm. Source: Kudo 2018."""

    def __init__(
        self,
        tokens: Sequence[ScoredToken],
        unknown_id: int | None = 0,
        byte_fallback: bool = False,
        hidden: Collection[str] = (),
    ) -> None:
        """A model with these tokens, in the order of their ids, each with the logarithm of its probability.

        A run of characters that are no tokens becomes its bytes, tokens such as `<0xE7>`, under `byte_fallback`, or
        else one `unknown_id`. No text spells a `hidden` token.
        Raises: ValueError when a token repeats or the unknown one is not there.
        """
        self.tokens = list(tokens)
        self.vocabulary = {token: number for number, (token, _) in enumerate(self.tokens)}
        self.unknown_id, self.byte_fallback = unknown_id, byte_fallback
        if len(self.vocabulary) != len(self.tokens):
            raise ValueError("A token may occur only once in the vocabulary.")
        if unknown_id is not None and not 0 <= unknown_id < len(self.tokens):
            raise ValueError(f"unknown_id={unknown_id} is no token: ids go from 0 to {len(self.tokens) - 1}.")
        self._spelled = {token: number for token, number in self.vocabulary.items() if token not in hidden}
        self._longest = max(map(len, self._spelled), default=0)
        self._unknown_score = min((score for _, score in self.tokens), default=0.0) - UNKNOWN_PENALTY

    def encode(self, piece: str) -> list[int]:
        """The ids of the likeliest cut; of equal ones, the one with the longest last token.

        Raises: ValueError for a character that is no token when there is none for unknown.
        """
        ids: list[int] = []
        for token, is_unknown in self._cut(piece):
            # an unknown run may spell a token all the same, as `<unk>` does
            ids.extend(self._in_bytes(token) if is_unknown and token not in self._spelled else [self.vocabulary[token]])
        return ids

    def best(self, text: str) -> tuple[list[str], float]:
        """The tokens of the likeliest cut, and the logarithm of its probability."""
        return [token for token, _ in self._cut(text)], self._steps(text)[-1].score

    def _steps(self, text: str) -> list[_Step]:
        """The best way to each place of the text, found from left to right."""
        steps = [_Step(0.0, 0, -1)] + [_Step(float("-inf"), 0, -1)] * len(text)
        for start in range(len(text)):
            so_far = steps[start].score
            for end in range(start + 1, min(start + self._longest, len(text)) + 1):
                token = self._spelled.get(text[start:end])
                if token is not None and (score := self.tokens[token][1] + so_far) > steps[end].score:
                    steps[end] = _Step(score, start, token)
            if text[start] not in self._spelled and (score := self._unknown_score + so_far) > steps[start + 1].score:
                steps[start + 1] = _Step(score, start, -1)
        return steps

    def _cut(self, text: str) -> list[tuple[str, bool]]:
        """The tokens of the best way, each with whether it is unknown; neighbours that are unknown are one."""
        steps, end = self._steps(text), len(text)
        tokens: list[tuple[str, bool]] = []
        while end > 0:
            step = steps[end]
            token, is_unknown = text[step.start : end], step.token in (-1, self.unknown_id)
            if is_unknown and tokens and tokens[-1][1]:
                tokens[-1] = (token + tokens[-1][0], True)
            else:
                tokens.append((token, is_unknown))
            end = step.start
        return tokens[::-1]

    def _in_bytes(self, run: str) -> list[int]:
        in_bytes = [f"<0x{byte:02X}>" for byte in run.encode("utf-8", errors="surrogatepass")]
        if self.byte_fallback and all(token in self.vocabulary for token in in_bytes):
            return [self.vocabulary[token] for token in in_bytes]
        if self.unknown_id is None:
            raise ValueError(f"The vocabulary has no tokens for {run!r}, and none for what is unknown.")
        return [self.unknown_id]
