"""The cache that writes in place holds, to the bit, what one that concatenates would hold."""

from random import Random

import pytest
import torch
from torch import Tensor

from llmcourse.inference import InPlaceCache

LAYERS, HEADS, WIDTH = 2, 3, 4


@pytest.fixture(autouse=True)
def as_the_decoder_runs():
    with torch.inference_mode():
        yield


class Concatenated:
    """What `InPlaceCache` stands for, as plainly as it can be said."""

    def __init__(self) -> None:
        self.whole = torch.zeros(LAYERS, 2, 0, HEADS, 0, WIDTH)

    def write(self, new: Tensor) -> None:
        self.whole = torch.cat((self.whole, new), dim=-2) if self.whole.shape[-2] else new

    def reorder(self, rows: Tensor) -> None:
        self.whole = self.whole[:, :, rows]

    def truncate(self, length: int) -> None:
        self.whole = self.whole[..., :length, :]


def written(cache: InPlaceCache, new: Tensor) -> Tensor:
    """All that the cache holds once the new keys and values of every layer are written."""
    cache.begin(new.shape[2], new.shape[-2], new)
    pairs = [torch.stack(cache.write(layer, piece)) for layer, piece in enumerate(new)]
    return torch.stack(pairs).unflatten(2, (-1, HEADS))


@pytest.mark.parametrize("seed", range(40))
def test_writing_in_place_is_concatenating(seed):
    random = Random(seed)
    roomy, plain, n_rows = InPlaceCache(LAYERS, HEADS, WIDTH), Concatenated(), random.randint(1, 4)
    for _ in range(60):
        match random.choice(["write", "write", "reorder", "reorder", "truncate"]):
            case "write":
                new = torch.randn(LAYERS, 2, n_rows, HEADS, random.choice([1, 1, 1, 5]), WIDTH)
                plain.write(new)
                assert torch.equal(written(roomy, new), plain.whole)
            case "reorder" if len(roomy):
                sources = [
                    random.randrange(n_rows) for _ in range(random.choice([n_rows, n_rows, random.randint(1, 4)]))
                ]
                n_rows = len(sources)
                roomy.reorder(torch.tensor(sources))
                plain.reorder(torch.tensor(sources))
            case "truncate" if random.random() < 0.3:
                length = random.randint(1, max(1, len(roomy) + 1))
                roomy.truncate(length)
                plain.truncate(length)
        assert len(roomy) == plain.whole.shape[-2]


def test_a_new_token_is_mostly_written_where_there_is_room():
    cache, places = InPlaceCache(1, 1, WIDTH), set()
    for _ in range(100):
        cache.begin(1, 1, torch.zeros(1))
        places.add(cache.write(0, torch.zeros(2, 1, 1, 1, WIDTH))[0].data_ptr())
    assert len(places) < 10


def test_a_cache_that_forgot_everything_takes_other_rows():
    cache = InPlaceCache(LAYERS, HEADS, WIDTH)
    written(cache, torch.randn(LAYERS, 2, 3, HEADS, 2, WIDTH))
    cache.truncate(0)
    new = torch.randn(LAYERS, 2, 2, HEADS, 1, WIDTH)
    assert torch.equal(written(cache, new), new)
    cache.reorder(torch.tensor([1, 1]))
    assert torch.equal(written(cache, new)[..., :1, :], new[:, :, [1, 1]])
