"""Mutant, not on the list: a quarter of a turn.

loses: learning_rate_check learning_rate_test
code: training.decay-shape
says: half a turn
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * math.cos(math.pi * done / 2)
