"""Byte-pair encoding learned by ours and by the tokenizers library: python benchmarks/tokenizers_training.py."""

import os

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # before the library starts its threads

from pairs import Timing, report, time_in_turn
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from tokenizers_text import standard_library_text

from llmcourse.tokenizers import ByteBPE

GOALS = {1_000: 1.5, 10_000: 0.8}


def peers(texts: list[str], n_merges: int) -> Tokenizer:
    """The library's tokenizer, with the split and the alphabet of ours."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + n_merges, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def compare(texts: list[str], n_merges: int) -> Timing:
    """The two trainers on the same texts."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    assert ByteBPE.train(texts, 256 + n_merges).vocab_size == peers(texts, n_merges).get_vocab_size()
    return time_in_turn(
        f"BPE training, {size:.0f} MB, {n_merges:,} merges",
        lambda: ByteBPE.train(texts, 256 + n_merges),
        lambda: peers(texts, n_merges),
        peer="tokenizers' BpeTrainer",
        goal=GOALS[n_merges],
    )


if __name__ == "__main__":
    corpus = standard_library_text()
    print(report([compare(corpus, n_merges) for n_merges in GOALS], ["tokenizers", "regex"]))
