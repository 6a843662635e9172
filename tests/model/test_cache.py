"""The cache that keeps room free is, to the bit, the one that concatenates."""

from random import Random

import pytest
import torch

from llmcourse.model.cache import Growing, KVCache


class Concatenated:
    """What `Growing` stands for, as plainly as it can be said."""

    def __init__(self) -> None:
        self.whole = None

    def append(self, new):
        self.whole = new if self.whole is None else torch.cat((self.whole, new), dim=-2)
        return self.whole

    def reorder(self, rows):
        self.whole = self.whole[rows]

    def truncate(self, length):
        self.whole = self.whole[..., :length, :]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("wants_gradient", [False, True])
def test_growing_in_place_is_concatenating(seed, wants_gradient):
    random = Random(seed)
    roomy, plain = Growing(), Concatenated()
    for _ in range(30):
        n_rows = random.randint(1, 4) if plain.whole is None else len(plain.whole)
        what = random.choice(["append", "append", "append", "reorder", "truncate"])
        if plain.whole is None or what == "append":
            new = torch.randn(n_rows, 2, random.choice([1, 1, 1, 5]), 3, requires_grad=wants_gradient)
            assert torch.equal(roomy.append(new), plain.append(new))
        elif what == "reorder":
            rows = torch.tensor([random.randrange(n_rows) for _ in range(random.randint(1, 4))])
            roomy.reorder(rows)
            plain.reorder(rows)
        else:
            length = random.randint(0, plain.whole.shape[-2] + 1)
            roomy.truncate(length)
            plain.truncate(length)
        assert torch.equal(roomy.whole, plain.whole)


def test_gradients_reach_what_was_appended_through_every_step():
    roomy, pieces = Growing(), [torch.randn(1, n, 3, requires_grad=True) for n in (4, 1, 1)]
    sum((roomy.append(piece) ** 2).sum() for piece in pieces).backward()
    for n_later, piece in zip((3, 2, 1), pieces, strict=True):
        assert torch.equal(piece.grad, 2 * n_later * piece)


def test_what_was_handed_in_is_not_written_over():
    first = torch.ones(1, 2, 3)
    roomy = Growing()
    roomy.append(first)
    roomy.truncate(1)
    roomy.append(torch.zeros(1, 1, 3))
    assert torch.equal(first, torch.ones(1, 2, 3))


def test_a_new_token_is_mostly_written_where_there_is_room():
    roomy, places = Growing(), set()
    for _ in range(100):
        roomy.append(torch.zeros(1, 1, 3))
        places.add(roomy.whole.data_ptr())
    assert len(places) < 10


def test_rows_that_stay_are_not_moved():
    cache = KVCache(1)
    cache.append_positions(torch.arange(3).expand(2, -1))
    key, _ = cache.layers[0].append(torch.randn(2, 1, 3, 4), torch.randn(2, 1, 3, 4))
    cache.reorder(torch.tensor([0, 1]))
    assert cache.layers[0].key.data_ptr() == key.data_ptr()
    cache.reorder(torch.tensor([0]))  # fewer rows is another matter
    assert torch.equal(cache.layers[0].key, key[:1])
