"""Search by meaning: the texts whose vectors point most nearly where the question's does."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from llmcourse.data import atomic_path


@dataclass(frozen=True)
class Hit:
    """A text that was found, and the cosine between its vector and the question's."""

    text: str
    cosine: float


class Index:
    """Texts and their vectors, to be searched in full: no text that is nearer is ever missed.

    Raises: ValueError for another number of vectors than texts, for none, or for a vector without a direction.
    """

    def __init__(self, texts: Sequence[str], vectors: Float[Tensor, "texts D"]) -> None:
        if len(texts) != len(vectors) or not texts:
            raise ValueError(f"Each text needs its vector: {len(texts)} texts, {len(vectors)} vectors.")
        lengths = vectors.norm(dim=1)
        if not (lengths.isfinite() & (lengths > 0)).all():
            row = int((lengths.isfinite() & (lengths > 0)).int().argmin())
            raise ValueError(f"A vector needs a direction; that of text {row} has length {float(lengths[row])}.")
        self.texts = tuple(texts)
        self.vectors = F.normalize(vectors, dim=1)

    def cosines(self, queries: Float[Tensor, "queries D"]) -> Float[Tensor, "queries texts"]:
        """How nearly each text points where each question does, from -1 to 1."""
        return F.normalize(queries, dim=1) @ self.vectors.T

    def search(self, queries: Float[Tensor, "queries D"], k: int = 5) -> list[list[Hit]]:
        """The `k` nearest texts to each question, the nearest first; of equals, those that stand first.

        Raises: ValueError for k below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}.")
        cosines, places = self.cosines(queries).sort(dim=1, descending=True, stable=True)
        both = zip(places[:, :k].tolist(), cosines[:, :k].tolist(), strict=True)
        return [[Hit(self.texts[i], cosine) for i, cosine in zip(*row, strict=True)] for row in both]

    def ranks(self, queries: Float[Tensor, "queries D"], wanted: Int[Tensor, " queries"]) -> Int[Tensor, " queries"]:
        """At which place, from 1 up, `search` would show each question the text at the place that is wanted."""
        cosines = self.cosines(queries)
        own = cosines.gather(1, wanted[:, None])
        stands_first = torch.arange(len(self.texts)) < wanted[:, None]
        return 1 + ((cosines > own) | ((cosines == own) & stands_first)).sum(dim=1)

    def save(self, path: str | Path) -> None:
        """Writes the index as one file, whole or not at all."""
        content = save({"vectors": self.vectors.contiguous()}, {"texts": json.dumps(self.texts, ensure_ascii=False)})
        with atomic_path(path) as scratch:
            scratch.write_bytes(content)

    @classmethod
    def load(cls, path: str | Path) -> "Index":
        """The index in a file. Raises: ValueError with one line for a file that is missing, damaged or no index."""
        path = Path(path)
        if not path.is_file():
            raise ValueError(f"There is no index {path}; check its name, or make it anew with Index.save.")
        try:
            with safe_open(path, framework="pt") as file:
                return cls(json.loads(file.metadata()["texts"]), file.get_tensor("vectors"))
        except (SafetensorError, KeyError, TypeError, ValueError):
            raise ValueError(f"{path} is damaged, or no index; make it anew with Index.save.") from None


def recall_at(ranks: Int[Tensor, " queries"], k: int) -> float:
    """The share of questions whose text is among the first `k`."""
    return float((ranks <= k).double().mean())


def mean_reciprocal_rank(ranks: Int[Tensor, " queries"]) -> float:
    """The mean of 1 by the place of what was wanted: 1 where it always comes first."""
    return float((1 / ranks.double()).mean())


class BagOfWords:
    """A baseline without any network: the words of a text, counted, rare ones weighing more.

    A word counts for the logarithm of one in how many texts it is. Source: Manning, Raghavan and Schütze 2008.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        n_with = Counter(word for text in texts for word in set(text.split()))
        if not n_with:
            raise ValueError("There are no words to count.")
        self.weights = {word: math.log((1 + len(texts)) / n) for word, n in sorted(n_with.items())}
        self._places = {word: place for place, word in enumerate(self.weights)}

    def vectors(self, texts: Sequence[str]) -> Float[Tensor, "texts words"]:
        """A vector of length 1 for each text; words that no text held at the start are passed over."""
        vectors = torch.zeros(len(texts), len(self.weights))
        for row, text in enumerate(texts):
            for word, n in Counter(text.split()).items():
                if word in self._places:
                    vectors[row, self._places[word]] = n * self.weights[word]
        return F.normalize(vectors, dim=1)
