"""The known mistakes of fine-tuning, each planted once: the laws of masks and labels catch it."""

import random

import pytest
import torch

from llmcourse.data import IGNORE, Batch, Masking, mask_tokens
from llmcourse.finetune import (
    Classifier,
    chat_of,
    classify,
    encode_chat,
    is_real_in,
    label_batch,
    label_nats,
    sft_batch,
)
from llmcourse.finetune.examples import pad_right
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import next_token_nats
from tests.finetune.conftest import SPECIALS, make_backbone

BYTES = ByteBPE([], SPECIALS)
END, USER, ASSISTANT = 256, 257, 258
SHORT, LONG = (encode_chat(chat_of(*said), BYTES) for said in (("Who?", "Milo"), ("Where is it?", "at the well")))
TEXTS = [([5, 9, 2, 7, 11], 0), ([3, 8], 2), ([6, 1, 4], 1)]


def chat_law(make):
    """What a batch of chats must make a model learn: what follows the assistant's marker, its end included."""
    batch = make([LONG, SHORT])
    for row, chat in enumerate((LONG, SHORT)):
        expected = chat.ids[chat.ids.index(ASSISTANT) + 1 :]
        targets = batch.targets[row]
        places = (targets != IGNORE).nonzero()[:, 0].tolist()
        assert targets[targets != IGNORE].tolist() == list(expected), "other tokens are learned than the answer"
        assert places == list(range(places[0], places[0] + len(expected))), "an answer is one stretch"
        assert batch.inputs[row, places[0]] == ASSISTANT, "an answer's first token follows its marker"


def no_mask(chats):
    return Batch(pad_right([c.ids[:-1] for c in chats], 0), pad_right([c.ids[1:] for c in chats], IGNORE))


def shifted(by):
    def make(chats):
        right = sft_batch(chats)
        is_target = torch.roll(right.is_target, by, dims=1)
        return Batch(right.inputs, torch.where(is_target, no_mask(chats).targets, IGNORE))

    return make


def padding_is_the_end(chats):
    right = sft_batch(chats)
    return Batch(right.inputs, torch.where(right.targets == END, IGNORE, right.targets))


def padding_is_learned(chats):
    right = sft_batch(chats)
    n_read = torch.tensor([len(chat.ids) - 1 for chat in chats])
    is_padding = torch.arange(right.inputs.shape[1]) >= n_read[:, None]
    return Batch(right.inputs, right.targets.masked_fill(is_padding, END))


CHAT_MISTAKES = {
    "81 the prompt counts": no_mask,
    "82 a token too early": shifted(-1),
    "82 a token too late": shifted(1),
    "83 padding hides the end": padding_is_the_end,
    "44 padding counts": padding_is_learned,
}


def test_the_batch_keeps_the_law_of_chats():
    chat_law(sft_batch)


@pytest.mark.parametrize("mistake", CHAT_MISTAKES)
def test_each_mistake_of_the_mask_breaks_the_law(mistake):
    with pytest.raises(AssertionError, match="answer"):
        chat_law(CHAT_MISTAKES[mistake])


def test_the_loss_of_chats_is_that_of_their_answers_alone():
    model = make_backbone(BYTES.vocab_size)
    nats = next_token_nats(model, sft_batch([LONG, SHORT]))
    for row, chat in enumerate((LONG, SHORT)):
        log_probs = model(torch.tensor([chat.ids]))[0].double().log_softmax(dim=-1)
        first = chat.ids.index(ASSISTANT) + 1
        expected = -sum(float(log_probs[t - 1, chat.ids[t]].detach()) for t in range(first, len(chat.ids)))
        assert nats[row].sum().item() == pytest.approx(expected, rel=1e-4)


def label_law(classifier, nats_of):
    """Every text's label counts, and is read where the text ends, whatever fills the row up behind it."""
    batch = label_batch(TEXTS)
    probs = torch.cat([classifier(torch.tensor([ids])) for ids, _ in TEXTS]).softmax(dim=-1)
    expected = torch.stack([-probs[row, label].log() for row, (_, label) in enumerate(TEXTS)])
    torch.testing.assert_close(nats_of(classifier, batch)[:, 0], expected, rtol=1e-4, atol=1e-5)


def label_0_ignored(classifier, batch):
    labels = batch.targets[batch.is_target]
    return label_nats(classifier, batch) * (labels != 0)[:, None]


def read_at_the_end_of_the_row(classifier, batch):
    scores = classifier.head(classifier.backbone.decode(batch.inputs, is_real=is_real_in(batch))[:, -1])
    return -scores.log_softmax(dim=-1).gather(1, batch.targets[batch.is_target][:, None])


@pytest.fixture
def classifier():
    model = Classifier(make_backbone(20), 3).eval()
    torch.nn.init.normal_(model.head.weight)
    return model


def test_the_loss_of_labels_keeps_the_law(classifier):
    label_law(classifier, label_nats)


@pytest.mark.parametrize("mistake", [label_0_ignored, read_at_the_end_of_the_row], ids=["84", "85"])
def test_each_mistake_with_labels_breaks_the_law(classifier, mistake):
    with pytest.raises(AssertionError, match="not close"):
        label_law(classifier, mistake)


def test_a_label_is_given_whatever_stands_beside_the_text(tokenizer):
    classifier = Classifier(make_backbone(tokenizer.vocab_size), 3)
    torch.nn.init.normal_(classifier.head.weight)
    texts = ["Milo came.", "Greta had the key, and Milo had the drum and the horse.", "So?"]
    together = classify(classifier, tokenizer, texts, ["a", "b", "c"])
    assert together == [classify(classifier, tokenizer, [text], ["a", "b", "c"])[0] for text in texts]


MASKING = Masking(mask_id=9, vocab_size=40, specials=frozenset((0, 1, 2)), rate=0.3)
ROW = [0, *range(10, 34), 1, 2]


def masking_law(hide):
    """No special is hidden, some tokens are and most are not, and what was there is what is asked for."""
    for seed in range(30):
        inputs, targets = hide(ROW, MASKING, random.Random(seed))
        hidden = [place for place, target in enumerate(targets) if target != IGNORE]
        assert all(ROW[place] not in MASKING.specials for place in hidden), "a special token is hidden"
        assert 1 <= len(hidden) <= len(ROW) / 2, "most tokens are to be read, not guessed"
        assert all(targets[place] == ROW[place] for place in hidden)
        assert all(inputs[place] == ROW[place] for place in range(len(ROW)) if place not in hidden)


def masks_specials(ids, masking, chance):
    bare = Masking(mask_id=masking.mask_id, vocab_size=masking.vocab_size, rate=masking.rate)
    return mask_tokens(ids, bare, chance)


def learns_every_token(ids, masking, chance):
    inputs, _ = mask_tokens(ids, masking, chance)
    return inputs, [IGNORE if token in masking.specials else token for token in ids]


def test_masking_keeps_its_law():
    masking_law(mask_tokens)


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [(masks_specials, "a special token is hidden"), (learns_every_token, "most tokens are to be read")],
    ids=["86", "87"],
)
def test_each_mistake_of_masking_breaks_its_law(mistake, complaint):
    with pytest.raises(AssertionError, match=complaint):
        masking_law(mistake)
