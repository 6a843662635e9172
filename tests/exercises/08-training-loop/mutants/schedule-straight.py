"""Mutant, not on the list: a straight line down.

loses: learning_rate_check learning_rate_test
code: training.decay-straight
says: not half a cosine
"""


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = min(1.0, (step - warmup) / (steps - warmup))
    return peak + (final - peak) * done
