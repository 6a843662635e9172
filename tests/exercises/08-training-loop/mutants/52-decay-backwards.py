"""Mutant 52: the decay climbs.

loses: learning_rate_check learning_rate_test
code: training.decay-backwards
says: runs backwards
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 - math.cos(math.pi * done)) / 2
