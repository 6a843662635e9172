"""The cache of a tree lets each row read, to the bit, what a cache that concatenates would hold of it."""

from random import Random

import pytest
import torch
from torch import Tensor

from llmcourse.inference import InPlaceCache, TreeCache
from tests.inference.test_cache import HEADS, LAYERS, WIDTH, Concatenated


@pytest.fixture(autouse=True)
def as_the_decoder_runs():
    with torch.inference_mode():
        yield


def tree() -> TreeCache:
    return TreeCache(InPlaceCache(LAYERS, HEADS, WIDTH))


def written(cache: TreeCache, new: Tensor) -> tuple[Tensor, Tensor]:
    """All keys and values once the new ones are written, and which of them each new token may read."""
    _, _, n_rows, _, n_new, _ = new.shape
    positions = torch.arange(len(cache), len(cache) + n_new).expand(n_rows, -1)
    may_read = cache.begin(positions, new)
    lines = new.permute(0, 1, 3, 2, 4, 5).reshape(LAYERS, 2, 1, HEADS, n_rows * n_new, WIDTH)
    return torch.stack([torch.stack(cache.tokens.write(layer, piece)) for layer, piece in enumerate(lines)]), may_read


def random_rows(random: Random, n_rows: int) -> Tensor:
    return torch.tensor([random.randrange(n_rows) for _ in range(random.randint(1, 4))])


@pytest.mark.parametrize("seed", range(20))
def test_each_row_of_a_tree_reads_its_own(seed):
    random = Random(seed)
    cache, plain, n_rows = tree(), Concatenated(), random.choice([1, 1, 3])
    for _ in range(60):
        match random.choice(["write", "write", "write", "reorder", "reorder", "truncate"]):
            case "write":
                n_new = random.choice([1, 1, 1, 5])
                new = torch.randn(LAYERS, 2, n_rows, HEADS, n_new, WIDTH)
                plain.write(new)
                whole, may_read = written(cache, new)
                for row, reads in enumerate(may_read.unflatten(0, (n_rows, n_new))):
                    for token, own in enumerate(reads):
                        n_before = n_new - 1 - token
                        expected = plain.whole[:, :, row, :, : len(cache) - n_before]
                        assert torch.equal(whole[..., own, :], expected)
            case "reorder" if len(cache):
                rows = random_rows(random, n_rows)
                n_rows = len(rows)
                cache.reorder(rows)
                plain.reorder(rows)
            case "truncate" if random.random() < 0.3:
                length = random.randint(0, len(cache) + 1)
                cache.truncate(length)
                plain.truncate(length)
        assert len(cache) == plain.whole.shape[-2]


def test_what_rows_have_in_common_is_kept_once_and_what_none_reads_not_for_long():
    cache, new = tree(), torch.zeros(LAYERS, 2, 4, HEADS, 1, WIDTH)
    written(cache, torch.zeros(LAYERS, 2, 1, HEADS, 50, WIDTH))
    cache.reorder(torch.zeros(4, dtype=torch.long))
    for _ in range(50):
        written(cache, new)
        cache.reorder(torch.full((4,), 2))
    assert 100 <= len(cache.tokens) < 140  # and not 4 times 100
    assert len(cache) == 100
