"""The cache forgets to the last token, and remembers what it was told to."""

import torch

from llmcourse.model.cache import KVCache


def test_a_cache_that_forgot_everything_starts_anew():
    cache, vectors = KVCache(1), torch.randn(2, 3, 4)
    fresh = cache.vectors_before(vectors)
    assert torch.equal(fresh[:, 1:], vectors[:, :-1])
    assert not fresh[:, 0].any()
    cache.append_positions(torch.arange(3).expand(2, -1))
    cache.layers[0].append(torch.randn(2, 1, 3, 4), torch.randn(2, 1, 3, 4))
    cache.truncate(0)
    assert len(cache) == 0
    assert torch.equal(cache.vectors_before(vectors), fresh)
    key, value = cache.layers[0].append(vectors[:, None], 2 * vectors[:, None])
    assert torch.equal(key, vectors[:, None])
    assert torch.equal(value, 2 * vectors[:, None])


def test_gradients_reach_what_was_appended_through_every_step():
    layer = KVCache(1).layers[0]
    pieces = [torch.randn(1, 2, n, 3, requires_grad=True) for n in (4, 1, 1)]
    sum((layer.append(piece, piece)[0] ** 2).sum() for piece in pieces).backward()
    for n_later, piece in zip((3, 2, 1), pieces, strict=True):
        assert torch.equal(piece.grad, 2 * n_later * piece)
