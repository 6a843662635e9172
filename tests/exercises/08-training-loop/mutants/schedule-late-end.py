"""Mutant, not on the list: the decay takes `steps` steps more.

loses: learning_rate_check learning_rate_test
code: training.decay-progress
says: start where the warm-up ends
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / steps)
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
