"""From language model to classifier: one small layer reads a label off the vector of the last token."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune.examples import ExampleBatches, pad_right
from llmcourse.finetune.lora import find_lora
from llmcourse.finetune.rehead import with_head
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import cross_entropy, evaluation_mode, token_nats

START = "<|end|>"  # stands before every document of the microworld


@runtime_checkable
class Labelled(Protocol):
    """A text and its label."""

    @property
    def text(self) -> str: ...

    @property
    def label(self) -> str: ...


class Classifier(nn.Module):
    """A Transformer's layers under a new head that scores labels in place of tokens.

    With `frozen` only the head learns: the backbone's weights take no gradients, and its dropout stays off. The
    backbone is the one that was given, not a copy. All labels start equally likely.
    """

    def __init__(self, backbone: Transformer, n_labels: int, *, frozen: bool = False) -> None:
        super().__init__()
        if n_labels < 2:
            raise ValueError(f"A classifier needs two labels or more, not {n_labels}.")
        if backbone.config.has_cross_attention:
            raise ValueError("The backbone needs one stack, an encoder or a decoder, not both.")
        self.backbone = backbone.requires_grad_(not frozen)
        self.frozen = frozen
        self.head = nn.Linear(backbone.config.d_model, n_labels, bias=False)  # as decoders with labels are published
        nn.init.zeros_(self.head.weight)
        self.train(backbone.training)

    def forward(self, ids: Int[Tensor, "B T"], is_real: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B labels"]:
        """A score for each label. `is_real` is False on padding; without it every token is real."""
        return self.head(self.read(ids, is_real))

    def read(self, ids: Int[Tensor, "B T"], is_real: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B D"]:
        """The vector that stands for each text: the backbone's last layer, at the last real token."""
        if is_real is None:
            is_real = torch.ones_like(ids, dtype=torch.bool)
        layers = self.backbone.encode if self.backbone.decoder is None else self.backbone.decode
        return last_real(layers(ids, is_real=is_real), is_real)

    def to_transformer(self) -> Transformer:
        """A copy as one Transformer, whose head scores the labels: the form in which `hub.save` publishes it.

        Raises: ValueError where the backbone carries LoRA, which has to be merged first.
        """
        if find_lora(self.backbone):
            raise ValueError("The backbone carries LoRA: merge_lora(classifier.backbone) makes it a plain model.")
        n_labels = self.head.out_features
        model = with_head(self.backbone, head="classify", n_labels=n_labels, pool="last", pooler=False)
        model.get_submodule("head.labels").load_state_dict(self.head.state_dict())
        return model.train(self.training)

    def train(self, mode: bool = True) -> "Classifier":
        """The mode for training or not; a frozen backbone stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self


def last_real(vectors: Float[Tensor, "B T D"], is_real: Bool[Tensor, "B T"]) -> Float[Tensor, "B D"]:
    """Each row's vector at its last real token, on whichever side the padding is.

    Raises: ValueError for a row that is all padding.
    """
    if not is_real.any(dim=1).all():
        raise ValueError(f"Row {int(is_real.any(dim=1).int().argmin())} has no real token to read a label from.")
    places = torch.arange(is_real.shape[1], device=is_real.device)
    last = torch.where(is_real, places, -1).amax(dim=1)
    return vectors[torch.arange(len(vectors), device=vectors.device), last]


def label_batch(examples: Sequence[tuple[Sequence[int], int]]) -> Batch:
    """Ids and labels as a batch with one target per row: the label stands at the row's last real token."""
    inputs = pad_right([ids for ids, _ in examples], 0)
    targets = pad_right([[*[IGNORE] * (len(ids) - 1), label] for ids, label in examples], IGNORE)
    return Batch(inputs, targets)


def is_real_in(batch: Batch) -> Bool[Tensor, "B T"]:
    """Where a labelled batch holds real tokens: up to its target, and nowhere after it.

    Raises: ValueError unless each row has exactly one target.
    """
    n_targets = batch.is_target.sum(dim=1)
    if (n_targets != 1).any():
        row = int((n_targets != 1).int().argmax())
        raise ValueError(f"A labelled row has one target, its label; row {row} has {int(n_targets[row])}.")
    return batch.is_target.flip(1).cumsum(dim=1).flip(1) > 0


def label_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B 1"]:
    """What classification training minimises: the surprise at each row's label, in nats. Pass it as `objective`.

    Raises: ValueError for a label that the model has no score for.
    """
    labels = batch.targets[batch.is_target][:, None]
    scores = model(batch.inputs, is_real_in(batch))
    outside = (labels < 0) | (labels >= scores.shape[-1])
    if outside.any():
        raise ValueError(f"Label {int(labels[outside][0])} is none of the {scores.shape[-1]} that the model scores.")
    return token_nats(scores[:, None], labels)


def classification_batches(
    records: Sequence[Labelled], tokenizer: ByteBPE, labels: Sequence[str], batch_size: int = 16, seed: int = 0
) -> ExampleBatches[tuple[list[int], int]]:
    """Batches of the records; a label becomes its place in `labels`.

    Raises: ValueError for a label that is not one of them, or an empty text.
    """
    number = {label: place for place, label in enumerate(labels)}
    examples = []
    for record in records:
        if record.label not in number:
            raise ValueError(f"Labels are {', '.join(labels)}: {record.label!r} is not one.")
        examples.append((encode_start(record.text, tokenizer), number[record.label]))
    return ExampleBatches(examples, label_batch, batch_size, seed)


def encode_start(text: str, tokenizer: ByteBPE) -> list[int]:
    """The ids of a text as the model met it in pretraining, behind the token that starts every document."""
    return [tokenizer.special_id(START), *tokenizer.encode(text)]


def fit_head(
    classifier: Classifier, batches: ExampleBatches[tuple[list[int], int]], weight_decay: float = 1e-2
) -> Float[Tensor, ""]:
    """Fits the head alone, to all examples at once, and gives back what it minimised: nats per label and decay.

    A backbone that does not learn gives the same vectors each time, so it reads each text once. The rest is a small
    problem with one best answer, which L-BFGS finds without a learning rate to tune.
    """
    head = classifier.head
    with evaluation_mode(classifier), torch.no_grad():
        pairs = [(classifier.read(batch.inputs, is_real_in(batch)), batch) for batch in batches.in_order()]
    vectors = torch.cat([vectors for vectors, _ in pairs])
    labels = torch.cat([batch.targets[batch.is_target] for _, batch in pairs])
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        optimizer.zero_grad()
        nats = cross_entropy(head(vectors)[:, None], labels[:, None])
        loss = nats + weight_decay / 2 * head.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(objective)
    return objective().detach()


def classify(
    model: Classifier, tokenizer: ByteBPE, texts: Sequence[str], labels: Sequence[str], batch_size: int = 16
) -> list[str]:
    """The likeliest label of each text, with dropout off."""
    given: list[str] = []
    with evaluation_mode(model), torch.no_grad():
        for first in range(0, len(texts), batch_size):
            # the label in the batch is a stand-in: only its place is used
            batch = label_batch([(encode_start(text, tokenizer), 0) for text in texts[first : first + batch_size]])
            scores = model(batch.inputs, is_real_in(batch))
            given += [labels[place] for place in scores.argmax(dim=-1).tolist()]
    return given
