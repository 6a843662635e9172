import copy
import math
import statistics

import pytest
import torch

from llmcourse.data import Batch
from llmcourse.finetune.grpo import (
    GrpoConfig,
    RolloutBatch,
    Rollouts,
    group_advantages,
    grpo_loss,
    grpo_objective,
    is_right,
    k3,
)
from llmcourse.training import TrainConfig, accumulate_gradients, next_token_nats, train
from llmcourse.world import InstructionRecord
from tests.finetune.conftest import make_backbone

QUESTIONS = [InstructionRecord(text, "a", text) for text in ("Who?", "Why not now?", "Where is the well?")]
TINY = GrpoConfig(n_prompts=2, n_samples=4, max_new_tokens=5)


@pytest.fixture
def model(tokenizer):
    return make_backbone(tokenizer.vocab_size)


def n_letters(record, said):
    """A reward that differs between nearly any two answers."""
    return float(len(said))


def rollouts_of(model, tokenizer, config=TINY, reward=n_letters):
    return Rollouts(model, copy.deepcopy(model), QUESTIONS, tokenizer, config, reward=reward)


# -- the formulas -------------------------------------------------------------------------------------------------
def test_an_advantage_is_the_distance_from_the_groups_mean_in_its_standard_deviations():
    rewards = torch.randn(4, 6, dtype=torch.float64)
    found = group_advantages(rewards)
    for group, own in zip(rewards.tolist(), found.tolist(), strict=True):
        mean, spread = statistics.fmean(group), statistics.pstdev(group)
        assert own == pytest.approx([(reward - mean) / spread for reward in group])


def test_equal_rewards_give_no_advantage_and_no_nan_even_where_their_mean_is_rounded():
    rewards = torch.tensor([[0.1] * 7, [0.0] * 7, [1.0] * 7, [0.0] * 6 + [1.0]], requires_grad=True)
    found = group_advantages(rewards)
    assert found[:3].eq(0).all()
    assert found[3, -1].item() == pytest.approx(math.sqrt(6), rel=1e-5)
    found.sum().backward()
    assert rewards.grad.isfinite().all()


def test_neither_another_unit_nor_another_zero_of_the_reward_moves_an_advantage():
    rewards = torch.randn(3, 5, dtype=torch.float64)
    torch.testing.assert_close(group_advantages(7 * rewards - 3), group_advantages(rewards))


def test_k3_is_never_negative_and_its_mean_is_the_kl_divergence():
    ours, theirs = torch.randn(2, 50, dtype=torch.float64).log_softmax(dim=-1)
    each = k3(ours, theirs)
    assert (each >= 0).all()
    torch.testing.assert_close(each, theirs.exp() / ours.exp() - (theirs - ours) - 1)
    torch.testing.assert_close((ours.exp() * each).sum(), (ours.exp() * (ours - theirs)).sum())


def slow_loss(log_probs, drawn_with, reference, advantage, is_answer, clip, beta):
    """One answer, token by token, in plain numbers."""
    terms = []
    for ours, old, theirs, counts in zip(log_probs, drawn_with, reference, is_answer, strict=True):
        if counts:
            ratio = math.exp(ours) / math.exp(old)
            if advantage > 0:
                gain = advantage * min(ratio, 1 + clip)
            else:
                gain = advantage * max(ratio, 1 - clip)
            odds = math.exp(theirs) / math.exp(ours)
            terms.append(gain - beta * (odds - math.log(odds) - 1))
    return -sum(terms) / len(terms)


@pytest.fixture
def numbers():
    """Log-probabilities far enough apart that the clip acts on some tokens, of three answers of unlike length."""
    log_probs, drawn_with, reference = -3 * torch.rand(3, 3, 7, dtype=torch.float64)
    is_answer = torch.tensor([[False] * 2 + [True] * 5, [True] * 4 + [False] * 3, [False] * 3 + [True] + [False] * 3])
    return log_probs.requires_grad_(), drawn_with, reference, torch.tensor([1.3, -0.7, 0.4]).double(), is_answer


@pytest.mark.parametrize(("clip", "beta"), [(0.2, 0.04), (0.5, 0.0), (0.05, 1.5)])
def test_the_loss_is_that_of_the_formula_token_by_token(numbers, clip, beta):
    found = grpo_loss(*numbers, clip=clip, beta=beta)
    rows = zip(*(part.tolist() for part in numbers), strict=True)
    assert found.tolist() == pytest.approx([slow_loss(*row, clip, beta) for row in rows], rel=1e-6)
    assert torch.autograd.gradcheck(lambda given: grpo_loss(given, *numbers[1:], clip=clip, beta=beta), numbers[0])


def test_tokens_outside_of_the_answers_change_nothing_and_get_no_gradient(numbers):
    log_probs, drawn_with, reference, advantages, is_answer = numbers
    before = grpo_loss(*numbers)
    noisy = [torch.where(is_answer, part, -50.0) for part in (drawn_with, reference)]
    torch.testing.assert_close(grpo_loss(log_probs, *noisy, advantages, is_answer), before)
    before.sum().backward()
    assert log_probs.grad[~is_answer].eq(0).all()


def test_a_token_that_has_moved_past_the_clip_in_its_advantages_direction_pulls_no_further():
    old = torch.zeros(1, 4).double()
    ahead = torch.tensor([[0.5, 0.1, -0.1, -0.5]]).double()
    everywhere = torch.ones(1, 4).bool()
    for sign, still in ((1.0, [False, True, True, True]), (-1.0, [True, True, True, False])):
        given = ahead.clone().requires_grad_()
        grpo_loss(given, old, old, torch.tensor([sign]).double(), everywhere, clip=0.2, beta=0.0).backward()
        assert (given.grad[0] != 0).tolist() == still


# -- the answers that it learns from ------------------------------------------------------------------------------
def test_the_first_step_follows_the_plain_policy_gradient(model, tokenizer):
    """Where the model still is the one that drew, the ratio is 1 and its slope that of the log-probability."""
    batch = rollouts_of(model, tokenizer).batch(0)
    accumulate_gradients(model, [batch], grpo_objective(TINY))
    found = model.tokens.weight.grad.clone()
    model.zero_grad()
    log_probs = -next_token_nats(model, batch)
    (-(batch.advantages * log_probs.sum(dim=1) / batch.is_target.sum(dim=1)).mean()).backward()
    torch.testing.assert_close(found, model.tokens.weight.grad, rtol=1e-3, atol=1e-6)


def test_groups_stand_together_and_are_rated_by_what_was_said_to_their_question(model, tokenizer):
    rated = []

    def noted(record, said):
        rated.append(record.text)
        return n_letters(record, said)

    rollouts = rollouts_of(model, tokenizer, reward=noted)
    batch = rollouts.batch(0)
    end = tokenizer.special_id("<|end|>")
    rewards, prompts = [], []
    for row in range(8):
        said = batch.targets[row][batch.is_target[row]].tolist()
        assert end not in said[:-1]
        assert len(said) == 5 or said[-1] == end
        rewards.append(float(len(tokenizer.decode([token for token in said if token != end]).removeprefix(" "))))
        prompts.append(tuple(batch.inputs[row, : batch.is_target[row].tolist().index(True) + 1].tolist()))
    assert [tokenizer.decode(prompt) for prompt in prompts] == [
        f"<|end|><|user|> {text}<|assistant|>" for text in rated
    ]
    assert prompts == [prompts[0]] * 4 + [prompts[4]] * 4
    assert prompts[0] != prompts[4]
    torch.testing.assert_close(batch.advantages.view(2, 4), group_advantages(torch.tensor(rewards).view(2, 4)))
    (told,) = rollouts.log
    assert told.reward == pytest.approx(statistics.fmean(rewards))
    assert told.n_tokens == pytest.approx(batch.is_target.sum() / 8)
    assert told.kl == pytest.approx(0, abs=1e-6)


def test_log_probabilities_are_kept_of_the_model_that_drew_and_of_the_reference(model, tokenizer):
    rollouts = rollouts_of(model, tokenizer)
    torch.nn.init.normal_(rollouts.reference.tokens.weight)
    batch = rollouts.batch(0)
    with torch.no_grad():
        for kept, own in ((batch.drawn_with, model), (batch.reference, rollouts.reference)):
            torch.testing.assert_close(kept, -next_token_nats(own, batch), rtol=1e-4, atol=1e-5)


def test_where_every_answer_is_worth_the_same_nothing_is_learned(model, tokenizer):
    rollouts = rollouts_of(model, tokenizer, reward=lambda record, said: 0.1)
    batch = rollouts.batch(0)
    loss, _ = accumulate_gradients(model, [batch], grpo_objective(TINY))
    assert loss == pytest.approx(0, abs=1e-6)
    assert model.tokens.weight.grad.abs().max() < 1e-6
    assert rollouts.log[0].n_telling == 0


def test_every_question_comes_once_per_epoch_and_answers_serve_as_many_updates_as_asked(model, tokenizer):
    config = GrpoConfig(n_prompts=1, n_samples=2, max_new_tokens=2, updates=2)
    rollouts = rollouts_of(model, tokenizer, config)
    batches = [rollouts.batch(step) for step in range(6)]
    assert [batches[i] is batches[i + 1] for i in range(5)] == [True, False, True, False, True]
    assert [each.step for each in rollouts.log] == [0, 2, 4]
    user = {tuple(batch.inputs[0, :9].tolist()) for batch in batches}
    assert len(user) == 3


def test_a_resumed_run_draws_the_same_answers_and_ends_with_the_same_weights(tokenizer, tmp_path):
    def run(steps, **options):
        model = make_backbone(tokenizer.vocab_size)
        rollouts = Rollouts(model, make_backbone(tokenizer.vocab_size), QUESTIONS, tokenizer, TINY, reward=n_letters)
        config = TrainConfig(steps=steps, lr=1e-3, schedule="constant")
        list(train(model, rollouts, config, objective=grpo_objective(TINY), progress=False, **options))
        return model

    whole = run(4)
    run(2, checkpoint_path=tmp_path / "run.pt")
    resumed = run(4, resume_from=tmp_path / "run.pt")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


@pytest.mark.slow
def test_the_reward_rises(model, tokenizer):
    config = GrpoConfig(n_prompts=3, n_samples=8, max_new_tokens=4, beta=0.01)
    rollouts = rollouts_of(model, tokenizer, config, reward=lambda record, said: float("e" in said))
    run = TrainConfig(steps=40, lr=1e-2, schedule="constant")
    list(train(model, rollouts, run, objective=grpo_objective(config), progress=False))
    rewards = [each.reward for each in rollouts.log]
    assert statistics.fmean(rewards[-5:]) > statistics.fmean(rewards[:5]) + 0.3


def test_only_the_true_answer_letter_by_letter_is_right():
    record = InstructionRecord("Who?", "Milo", "Who?")
    assert [is_right(record, said) for said in ("Milo", "milo", "Milo ", "")] == [1, 0, 0, 0]


def test_a_batch_of_answers_moves_to_another_device_whole(model, tokenizer):
    moved = rollouts_of(model, tokenizer).batch(0).to(torch.device("meta"))
    assert isinstance(moved, RolloutBatch)
    assert all(part.device.type == "meta" for part in vars(moved).values() if isinstance(part, torch.Tensor))


def test_what_cannot_be_learned_from_is_refused(model, tokenizer):
    with pytest.raises(ValueError, match="no questions"):
        Rollouts(model, model, [], tokenizer, TINY)
    with pytest.raises(ValueError, match="n_samples must be at least 2, not 1"):
        GrpoConfig(n_samples=1)
    with pytest.raises(ValueError, match=r"Need 0 < clip < 1 and beta >= 0, not clip=1\.5"):
        GrpoConfig(clip=1.5)
    with pytest.raises(ValueError, match="GRPO trains on the batches of Rollouts, not on Batch"):
        grpo_objective(TINY)(model, Batch(torch.tensor([[1]]), torch.tensor([[2]])))
