"""What a model of the microworld has learned so far, looked at again and again while it trains."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from llmcourse.data import Batch, in_order
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import StepRecord, evaluation_mode, next_token_nats
from llmcourse.world import World

# the first hundred steps change most
_EARLY = "1 2 4 7 10 15 20 30 40 55 70 85 100 125 150 175 200 250 300 350 400 500 600 700 800 900"
LOOKS = frozenset(map(int, _EARLY.split()))
EVERY = 500


def name_ids(world: World, tokenizer: ByteBPE) -> frozenset[int]:
    """The ids that are a person's whole name inside a sentence; a name of several tokens has none."""
    encoded = [tokenizer.encode(f" {person.name}") for person in world.people]
    return frozenset(ids[0] for ids in encoded if len(ids) == 1)


def is_repeated_name(batch: Batch, names: frozenset[int]) -> Bool[Tensor, "B T"]:
    """True where the target is a name that has stood in the same document before."""
    marks = torch.zeros_like(batch.is_target)
    for row, (inputs, targets) in enumerate(zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True)):
        seen: set[int] = set()
        for place, (read, expected) in enumerate(zip(inputs, targets, strict=True)):
            seen.add(read)
            marks[row, place] = expected in names and expected in seen
    return marks


class Watch:
    """Looks at a model on the same documents at chosen steps; `rows` holds what it saw, in nats."""

    def __init__(self, documents: Sequence[Sequence[int]], names: frozenset[int]) -> None:
        self.batches = in_order(documents, 20)
        self.n_documents = len(documents)
        self.repeated = [is_repeated_name(batch, names) for batch in self.batches]
        self.rows: list[dict[str, float]] = []

    def look(self, model: nn.Module, record: StepRecord) -> None:
        """Notes the surprise per document and per repeated name, where this step is one to look at."""
        if record.step not in LOOKS and record.step % EVERY:
            return
        device = next(model.parameters()).device
        total = names = 0.0
        with evaluation_mode(model), torch.no_grad():
            for batch, repeated in zip(self.batches, self.repeated, strict=True):
                nats = next_token_nats(model, batch.to(device)).double().cpu()
                total += float(nats.sum())
                names += float(nats[repeated].sum())
        n_names = sum(int(repeated.sum()) for repeated in self.repeated)
        self.rows.append(
            {
                "step": record.step,
                "tokens": record.tokens,
                "nats_per_document": round(total / self.n_documents, 4),
                "nats_per_repeated_name": round(names / max(1, n_names), 4),
            }
        )
