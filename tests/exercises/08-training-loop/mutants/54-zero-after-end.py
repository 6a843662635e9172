"""Mutant 54: the rate drops to 0 after the last step.

loses: learning_rate_check learning_rate_test
code: training.rate-after-end
says: should stay at its final value
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step >= steps:
        return 0.0
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
