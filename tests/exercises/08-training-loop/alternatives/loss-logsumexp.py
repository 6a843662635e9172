"""By logsumexp."""

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = targets != IGNORE
    chosen = logits.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (logits.logsumexp(-1) - chosen)[real].mean()
