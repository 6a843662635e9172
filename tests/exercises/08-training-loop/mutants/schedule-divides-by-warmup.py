"""Mutant, not on the list: a run without warm-up divides by 0.

loses: learning_rate_check learning_rate_test
code: training.warmup-none
says: warmup=0
"""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step <= warmup - 1 or step / warmup < 1:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
