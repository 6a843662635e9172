import math

import pytest
import torch

from llmcourse.data import Batch
from llmcourse.finetune.pairs import answer_log_probs, bradley_terry_nats, encode_pair
from llmcourse.finetune.rehead import with_head
from llmcourse.finetune.reward import (
    calibration,
    calibration_gap,
    margin_accuracy,
    margins,
    pair_nats,
    pair_rewards,
    reward_batch,
    reward_batches,
    reward_model,
)
from llmcourse.hub import load_bundle, save_bundle
from llmcourse.model import Transformer, TransformerConfig
from llmcourse.training import TrainConfig, accumulate_gradients, evaluate, train
from llmcourse.world import PreferenceRecord
from tests.finetune.conftest import make_backbone

PAIRS = [
    PreferenceRecord("Who has the drum?", "Greta.", "Milo.", "wrong person"),
    PreferenceRecord("Why?", "The story does not say.", "Tea.", "made up"),
    PreferenceRecord("How many eggs?", "Two.", "Thirty-one eggs.", "wrong number"),
]


@pytest.fixture
def model(tokenizer):
    model = reward_model(make_backbone(tokenizer.vocab_size))
    torch.nn.init.normal_(model.head.labels.weight)
    return model.eval()


@pytest.fixture
def encoded(tokenizer):
    return [encode_pair(record, tokenizer) for record in PAIRS]


def rewards_one_by_one(model, encoded):
    """Each chat alone, without padding, and its vector taken off the last token by hand."""
    weight = model.head.labels.weight[0]
    with torch.no_grad():
        return [[model.decode(torch.tensor([chat.ids]))[0, -1] @ weight for chat in pair] for pair in encoded]


def test_a_pairs_surprise_is_that_of_the_better_ones_share_of_the_odds():
    better, worse = torch.randn(2, 9, dtype=torch.float64)
    share = better.exp() / (better.exp() + worse.exp())
    torch.testing.assert_close(bradley_terry_nats(better, worse), -share.log(), rtol=0, atol=1e-12)


def test_a_surprise_stays_finite_where_the_odds_overflow():
    far = torch.tensor([2000.0])
    assert bradley_terry_nats(-far, far).item() == 4000.0
    assert bradley_terry_nats(far, -far).item() == 0.0


def test_the_reward_is_read_off_the_token_that_ends_the_answer_however_much_padding_follows(model, encoded):
    expected = torch.tensor(rewards_one_by_one(model, encoded))
    batch = reward_batch(encoded)
    torch.testing.assert_close(pair_rewards(model, batch), expected, rtol=1e-4, atol=1e-5)
    wider = Batch(
        *(
            torch.cat((part, torch.full((6, 3), filler)), 1)
            for part, filler in ((batch.inputs, 7), (batch.targets, -100))
        )
    )
    torch.testing.assert_close(pair_rewards(model, wider), expected, rtol=1e-4, atol=1e-5)


def test_the_loss_is_the_mean_over_pairs_of_minus_the_log_of_the_sigmoid_of_the_margin(model, encoded):
    rewards = rewards_one_by_one(model, encoded)
    expected = [math.log(1 + math.exp(float(worse) - float(better))) for better, worse in rewards]
    batch = reward_batch(encoded)
    loss, _ = accumulate_gradients(model, [batch], pair_nats)
    assert loss == pytest.approx(sum(expected) / 3, abs=1e-5)
    assert evaluate(model, [batch], objective=pair_nats).nats_per_document == pytest.approx(sum(expected) / 3, abs=1e-5)


def test_parts_of_a_step_weigh_each_pair_the_same(model, encoded):
    whole, _ = accumulate_gradients(model, [reward_batch(encoded)], pair_nats)
    gradient = model.tokens.weight.grad.clone()
    model.zero_grad()
    parts, _ = accumulate_gradients(model, [reward_batch(encoded[:1]), reward_batch(encoded[1:])], pair_nats)
    assert parts == pytest.approx(whole, abs=1e-6)
    torch.testing.assert_close(model.tokens.weight.grad, gradient, rtol=1e-4, atol=1e-6)


def test_before_training_no_answer_is_better_than_another(tokenizer):
    fresh = reward_model(make_backbone(tokenizer.vocab_size))
    found = margins(fresh, tokenizer, PAIRS)
    assert found.tolist() == [0, 0, 0]
    assert margin_accuracy(found).n_right == 0  # a tie ranks nothing
    nats = evaluate(fresh, reward_batches(PAIRS, tokenizer).in_order(), objective=pair_nats).nats_per_document
    assert nats == pytest.approx(math.log(2))


def test_margins_come_in_the_order_of_the_records_and_turn_with_the_pair(model, tokenizer, encoded):
    expected = [float(better - worse) for better, worse in rewards_one_by_one(model, encoded)]
    assert margins(model, tokenizer, PAIRS, batch_size=2).tolist() == pytest.approx(expected, abs=1e-4)
    turned = [PreferenceRecord(r.prompt, r.rejected, r.chosen, r.reason) for r in PAIRS]
    assert margins(model, tokenizer, turned).tolist() == pytest.approx([-each for each in expected], abs=1e-4)


@pytest.mark.slow
def test_a_planted_preference_is_found_and_holds_for_prompts_that_were_never_seen(world, tokenizer):
    def planted(split):
        people = world.people[:6] if split == "train" else world.people[6:10]
        return [PreferenceRecord(f"Is {p} at home?", "No.", "Yes.", "planted") for p in people]

    model = reward_model(make_backbone(tokenizer.vocab_size))
    batches = reward_batches(planted("train"), tokenizer, batch_size=3)
    list(train(model, batches, TrainConfig(steps=15, lr=1e-2), objective=pair_nats, progress=False))
    assert margin_accuracy(margins(model, tokenizer, planted("test"))).share == 1


def test_a_saved_reward_model_gives_the_same_margins(model, tokenizer, tmp_path):
    save_bundle(tmp_path / "reward", model, tokenizer, {"task": "preferences"})
    loaded = load_bundle(tmp_path / "reward")
    assert loaded.model.config.head == "classify"
    # weights are kept in 16 bits
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    assert torch.equal(margins(loaded.model, loaded.tokenizer, PAIRS), margins(model, tokenizer, PAIRS))


def test_a_new_head_copies_the_layers_and_leaves_the_base_alone(backbone):
    before = {name: weight.clone() for name, weight in backbone.state_dict().items()}
    model = reward_model(backbone)
    shared = [name for name in before if name in model.state_dict()]
    assert len(shared) > 10
    assert all(torch.equal(model.state_dict()[name], before[name]) for name in shared)
    torch.nn.init.zeros_(model.tokens.weight)
    assert all(torch.equal(weight, before[name]) for name, weight in backbone.state_dict().items())


def test_a_base_with_both_stacks_is_refused():
    sizes = {"vocab_size": 9, "d_model": 4, "d_ff": 4, "n_heads": 1}
    both = Transformer(TransformerConfig(**sizes, n_encoder_layers=1, n_decoder_layers=1))
    with pytest.raises(ValueError, match="one stack"):
        with_head(both, head="none")


def slow_calibration(margins, n_bins):
    """Pair by pair: how sure, how right, in bins from 1/2 to 1."""
    kept = {}
    for margin in margins.tolist():
        sure = 1 / (1 + math.exp(-abs(margin)))
        place = min(int((sure - 0.5) / (0.5 / n_bins)), n_bins - 1)
        kept.setdefault(place, []).append((sure, margin > 0))
    return [kept[place] for place in sorted(kept)]


def test_calibration_is_that_of_pairs_counted_one_by_one():
    drawn = torch.randn(200, dtype=torch.float64) * 2
    bins, expected = calibration(drawn, 5), slow_calibration(drawn, 5)
    assert [each.n for each in bins] == [len(kept) for kept in expected]
    for each, kept in zip(bins, expected, strict=True):
        assert each.claimed == pytest.approx(sum(sure for sure, _ in kept) / len(kept))
        assert each.right == pytest.approx(sum(right for _, right in kept) / len(kept))
    gap = sum(abs(sum(sure - right for sure, right in kept)) for kept in expected) / 200
    assert calibration_gap(bins) == pytest.approx(gap)


def test_margins_that_are_as_sure_as_they_are_right_have_no_gap_and_louder_ones_have():
    true = torch.rand(40_000) * 3
    flips = torch.rand(40_000) < torch.sigmoid(-true)  # how often a pair of that margin goes the other way
    drawn = torch.where(flips, -true, true)
    assert calibration_gap(calibration(drawn)) < 0.01
    assert calibration_gap(calibration(3 * drawn)) > 0.1


def test_an_answers_log_probability_sums_its_tokens_and_its_end_and_nothing_else(tokenizer, encoded):
    model = make_backbone(tokenizer.vocab_size)
    chats = [chat for pair in encoded for chat in pair]
    for chat, found in zip(chats, answer_log_probs(model, chats, batch_size=4), strict=True):
        guesses = model(torch.tensor([chat.ids]))[0].log_softmax(dim=-1)
        first = chat.is_target.index(True)
        expected = sum(guesses[place - 1, chat.ids[place]] for place in range(first, len(chat.ids)))
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_what_is_no_pair_is_refused(model, tokenizer, encoded):
    same = PreferenceRecord("Who?", "Milo.", "Milo.", "")
    with pytest.raises(ValueError, match=r"two answers that differ; both are 'Milo\.'"):
        encode_pair(same, tokenizer)
    turned = reward_batch([(rejected, chosen) for chosen, rejected in encoded])
    turned = Batch(turned.inputs, torch.where(turned.is_target, 1 - turned.targets, turned.targets))
    with pytest.raises(ValueError, match="the chosen answer first"):
        pair_nats(model, turned)
    with pytest.raises(ValueError, match="not 0 and 5"):
        calibration(torch.zeros(0))
