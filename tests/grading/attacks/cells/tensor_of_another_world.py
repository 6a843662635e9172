"""Return tensors without numbers, by turns: on the device meta, sparse, quantised, and on loan."""

import itertools

import torch

kinds = itertools.cycle(
    [
        lambda: torch.empty(2, 3, device="meta"),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.qint8),
        lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        lambda: torch.ones(3, dtype=torch.complex64).conj(),
    ]
)


def attention_scores(query, key):
    return next(kinds)()
