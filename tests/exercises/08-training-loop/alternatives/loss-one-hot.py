"""With one-hot targets."""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = targets != IGNORE
    one_hot = F.one_hot(targets[real], logits.shape[-1]).float()
    return -(one_hot * F.log_softmax(logits[real], -1)).sum() / real.sum()
