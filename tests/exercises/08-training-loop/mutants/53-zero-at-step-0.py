"""Mutant 53: the first update moves nothing.

loses: learning_rate_check learning_rate_test
code: training.warmup-zero
says: is 0 at step 0
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * step / warmup
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
