"""The warm-up reaches the peak at its last step."""

import math


# cell: learning_rate
def learning_rate(step, peak, final, warmup, steps):
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min(1.0, (step - warmup) / (steps - warmup))
    return final + (peak - final) * (1 + math.cos(math.pi * done)) / 2
