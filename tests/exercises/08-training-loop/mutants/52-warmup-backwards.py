"""Mutant 52: the warm-up falls.

loses: learning_rate_check learning_rate_test
code: training.warmup-backwards
says: the rate falls
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (warmup - step) / warmup
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
