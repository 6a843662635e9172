"""Mutant, not on the list: no warm-up.

loses: learning_rate_check learning_rate_test
code: training.warmup-missing
says: no warm-up
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
