"""The letters that name tensor dimensions, the same in code, prose and figures.

An annotation such as `Float[Tensor, "B T D"]` reads: a float tensor of batch x time x model width.
"""

LETTERS: dict[str, str] = {
    "B": "batch: how many sequences are worked on side by side",
    "T": "time: positions that ask (queries), or that are predicted (targets)",
    "N": "new: positions that are handed in, where T and S already mean something else",
    "S": "source time: positions that answer (keys and values)",
    "M": "memory: positions of the encoder that a decoder reads",
    "D": "model width: the length of the vector that stands for one token",
    "H": "heads: how many attention patterns run side by side",
    "K": "head width: the length of one head's query, key or value",
    "F": "feed-forward width: hidden units of the feed-forward layer",
    "V": "vocabulary: how many tokens the model can tell apart",
}
