"""Mutant 54: the cosine goes on.

loses: learning_rate_check learning_rate_test
code: training.rises-after-end
says: rises again
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = (step - warmup) / (steps - warmup)
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
