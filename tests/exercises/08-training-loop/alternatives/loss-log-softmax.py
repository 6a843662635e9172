"""By log_softmax, masked by multiplication."""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = (targets != IGNORE).float()
    log_probs = F.log_softmax(logits, dim=-1)
    nats = -log_probs.gather(2, targets.clamp(min=0)[:, :, None])[:, :, 0]
    return (nats * real).sum() / real.sum()
