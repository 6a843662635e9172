import copy
import math

import pytest
import torch

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune import (
    Classifier,
    classification_batches,
    classify,
    fit_head,
    is_real_in,
    label_batch,
    label_nats,
    last_real,
)
from llmcourse.model import Transformer, TransformerConfig
from llmcourse.training import TrainConfig, evaluate, train
from llmcourse.world import MoodRecord
from tests.finetune.conftest import make_backbone

N_LABELS = 4
EXAMPLES = [([5, 9, 2, 7, 11], 0), ([3, 8], 3), ([6, 1, 4], 2)]


@pytest.fixture
def classifier(backbone):
    model = Classifier(backbone, N_LABELS)
    torch.nn.init.normal_(model.head.weight)
    return model.eval()


def scores_one_by_one(classifier):
    """Each example alone, without any padding: what a batch must not change."""
    return torch.cat([classifier(torch.tensor([ids])) for ids, _ in EXAMPLES])


def test_a_padded_batch_scores_each_text_as_if_it_were_alone(classifier):
    batch = label_batch(EXAMPLES)
    torch.testing.assert_close(
        classifier(batch.inputs, is_real_in(batch)), scores_one_by_one(classifier), rtol=1e-4, atol=1e-5
    )


def test_more_padding_and_other_ids_in_it_move_nothing(classifier):
    batch = label_batch(EXAMPLES)
    is_real = is_real_in(batch)
    noisy = torch.cat((torch.where(is_real, batch.inputs, 13), torch.full((3, 4), 17)), dim=1)
    wider = torch.cat((is_real, torch.zeros(3, 4, dtype=torch.bool)), dim=1)
    torch.testing.assert_close(classifier(noisy, wider), scores_one_by_one(classifier), rtol=1e-4, atol=1e-5)


def test_padding_on_the_left_moves_nothing_either(classifier):
    ids = torch.tensor([[0, 0, 6, 1, 4]])
    is_real = torch.tensor([[False, False, True, True, True]])
    torch.testing.assert_close(classifier(ids, is_real), scores_one_by_one(classifier)[2:], rtol=1e-4, atol=1e-5)


def test_permuting_the_rows_permutes_the_scores(classifier):
    order = [2, 0, 1]
    batch, mixed = label_batch(EXAMPLES), label_batch([EXAMPLES[i] for i in order])
    torch.testing.assert_close(
        classifier(mixed.inputs, is_real_in(mixed)), classifier(batch.inputs, is_real_in(batch))[order]
    )


def test_the_label_is_read_off_the_last_real_token_alone(backbone):
    vectors = torch.randn(2, 5, 12)
    is_real = torch.tensor([[True, True, True, False, False], [False, True, True, True, True]])
    assert torch.equal(last_real(vectors, is_real), torch.stack((vectors[0, 2], vectors[1, 4])))
    with pytest.raises(ValueError, match="Row 1 has no real token"):
        last_real(vectors, torch.tensor([[True] * 5, [False] * 5]))


def test_before_training_every_label_is_equally_likely(backbone):
    nats = label_nats(Classifier(backbone, N_LABELS), label_batch(EXAMPLES))
    torch.testing.assert_close(nats, torch.full((3, 1), math.log(N_LABELS)))


def test_the_loss_is_the_surprise_at_each_label_label_0_included(classifier):
    nats = label_nats(classifier, label_batch(EXAMPLES))[:, 0]
    probabilities = scores_one_by_one(classifier).softmax(dim=-1)
    expected = torch.stack([-probabilities[row, label].log() for row, (_, label) in enumerate(EXAMPLES)])
    torch.testing.assert_close(nats, expected, rtol=1e-4, atol=1e-5)
    assert EXAMPLES[0][1] == 0
    assert nats[0] > 0


def test_a_label_batch_has_one_target_a_row_at_the_last_real_token():
    batch = label_batch(EXAMPLES)
    assert batch.targets.tolist() == [
        [IGNORE, IGNORE, IGNORE, IGNORE, 0],
        [IGNORE, 3, IGNORE, IGNORE, IGNORE],
        [IGNORE, IGNORE, 2, IGNORE, IGNORE],
    ]
    assert is_real_in(batch).sum(dim=1).tolist() == [5, 2, 3]
    assert batch.n_targets == 3


@pytest.mark.parametrize("targets", [[[IGNORE, IGNORE]], [[1, 2]]])
def test_a_row_without_exactly_one_label_is_refused(targets):
    with pytest.raises(ValueError, match="one target, its label; row 0 has"):
        is_real_in(Batch(torch.tensor([[4, 5]]), torch.tensor(targets)))


@pytest.mark.parametrize("label", [N_LABELS, -1])
def test_a_label_without_a_score_is_refused(classifier, label):
    with pytest.raises(ValueError, match=f"Label {label} is none of the 4"):
        label_nats(classifier, label_batch([([5, 6], label)]))


def test_an_unknown_label_is_refused_by_name(world, tokenizer):
    records = world.task("mood", 2)
    with pytest.raises(ValueError, match=r"Labels are hungry: .* is not one"):
        classification_batches(records, tokenizer, ["hungry"])


@pytest.mark.parametrize("frozen", [True, False])
def test_the_training_loop_moves_the_backbone_unless_it_is_frozen(world, tokenizer, frozen):
    backbone = make_backbone(tokenizer.vocab_size, dropout=0.3)
    before = copy.deepcopy(backbone.state_dict())
    classifier = Classifier(backbone, len(world.moods), frozen=frozen)
    batches = classification_batches(world.task("mood", 4), tokenizer, world.moods, batch_size=2)
    config = TrainConfig(steps=2, lr=1e-2, weight_decay=0.5)
    assert len(list(train(classifier, batches, config, objective=label_nats, progress=False))) == 2
    same = [torch.equal(weight, before[name]) for name, weight in backbone.state_dict().items()]
    assert all(same) if frozen else not any(same)
    assert classifier.head.weight.abs().sum() > 0


def test_a_frozen_backbone_keeps_its_dropout_off_while_the_head_trains(tokenizer):
    classifier = Classifier(make_backbone(tokenizer.vocab_size, dropout=0.5), 2, frozen=True).train()
    assert classifier.training
    assert not any(module.training for module in classifier.backbone.modules())
    thawed = Classifier(classifier.backbone, 2).train()
    assert all(module.training for module in thawed.modules())
    assert all(weight.requires_grad for weight in thawed.parameters())


def test_training_learns_labels_that_the_texts_decide(tokenizer):
    labels = ["calm", "happy", "sad"]
    records = [MoodRecord(*each) for each in (("ha ha", "happy"), ("ha oh", "sad"), ("ho", "happy"), ("mm", "calm"))]
    classifier = Classifier(make_backbone(tokenizer.vocab_size), len(labels))
    batches = classification_batches(records, tokenizer, labels, batch_size=4)
    list(train(classifier, batches, TrainConfig(steps=20, lr=2e-2), objective=label_nats, progress=False))
    given = classify(classifier, tokenizer, [record.text for record in records], labels, batch_size=3)
    assert given == [record.label for record in records]


def test_fitting_the_head_alone_ends_where_no_small_step_helps_and_leaves_the_backbone(world, tokenizer):
    backbone = make_backbone(tokenizer.vocab_size, dropout=0.3)
    before = copy.deepcopy(backbone.state_dict())
    classifier = Classifier(backbone, len(world.moods), frozen=True)
    batches = classification_batches(world.task("mood", 12), tokenizer, world.moods, batch_size=5)
    reached = fit_head(classifier, batches, weight_decay=0.1)
    assert all(torch.equal(weight, before[name]) for name, weight in backbone.state_dict().items())
    # the optimum of a convex problem: with the batches as `train` reads them, the gradient is 0
    classifier.eval()
    nats = torch.cat([label_nats(classifier, batch) for batch in batches.in_order()]).mean()
    loss = nats + 0.05 * classifier.head.weight.square().sum()
    loss.backward()
    torch.testing.assert_close(reached, loss.detach())
    assert max(weight.grad.abs().max() for weight in classifier.head.parameters()) < 1e-3
    assert nats < math.log(len(world.moods))


def test_evaluation_counts_one_label_per_text(classifier):
    result = evaluate(classifier, [label_batch(EXAMPLES)], objective=label_nats)
    assert result.n_tokens == 3
    assert result.nats_per_token == pytest.approx(label_nats(classifier, label_batch(EXAMPLES)).mean().item(), rel=1e-5)


def test_a_classifier_refuses_what_it_cannot_stand_on():
    with pytest.raises(ValueError, match="two labels or more, not 1"):
        Classifier(make_backbone(20), 1)
    both = TransformerConfig(vocab_size=20, d_model=8, d_ff=8, n_heads=2, n_encoder_layers=1, n_decoder_layers=1)
    with pytest.raises(ValueError, match="one stack"):
        Classifier(Transformer(both), 2)
