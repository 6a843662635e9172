"""Take memory until there is none, first for tensors, then for strings, and keep it."""

import torch

kept = []
try:
    while True:
        kept.append(torch.ones(1 << 28))
except Exception as error:
    print(len(kept), type(error))
try:
    while True:
        kept.append("x" * (1 << 28))
except MemoryError as error:
    print(len(kept), type(error))
