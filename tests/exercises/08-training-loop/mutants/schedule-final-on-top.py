"""Mutant, not on the list: the final rate is added on top.

loses: learning_rate_check learning_rate_test
code: training.decay-final
says: on top
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + peak * (1 + math.cos(math.pi * done)) / 2
