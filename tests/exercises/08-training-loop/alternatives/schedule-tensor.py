"""The rate as a tensor, from sin."""

import torch


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return torch.tensor(peak * (step + 1) / (warmup + 1), dtype=torch.float64)
    done = torch.tensor((step - warmup) / (steps - warmup), dtype=torch.float64).clamp(0, 1)
    return peak - (peak - final) * torch.sin(torch.pi * done / 2) ** 2
