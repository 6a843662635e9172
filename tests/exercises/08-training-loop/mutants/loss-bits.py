"""Mutant, not on the list: bits in place of nats.

loses: next_token_loss_check next_token_loss_test
code: training.bits
says: in bits
"""

import math

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE) / math.log(2)
