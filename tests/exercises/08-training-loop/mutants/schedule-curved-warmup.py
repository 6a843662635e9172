"""Mutant, not on the list: the warm-up is a curve.

loses: learning_rate_check learning_rate_test
code: training.warmup-line
says: straight line
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * ((step + 1) / (warmup + 1)) ** 2
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
