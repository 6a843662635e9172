"""Stepping through torch's scheduler classes."""

import torch


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=peak)
    parts = [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, eta_min=final)]
    if warmup:
        parts.insert(0, torch.optim.lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup))
    milestones = [warmup] if warmup else []
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones)
    for _ in range(min(step, steps)):
        optimizer.step()
        scheduler.step()
    return final if step >= steps else scheduler.get_last_lr()[0]
