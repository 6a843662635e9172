import copy
import itertools
import math
from collections import Counter

import pytest
import torch

from llmcourse.finetune import encode_prompt, sft_batch
from llmcourse.finetune.dpo import (
    PairBatch,
    dpo_batch,
    dpo_batches,
    dpo_nats,
    dpo_objective,
    dpo_pairs,
    implicit_margins,
)
from llmcourse.finetune.pairs import answer_log_probs, encode_pair
from llmcourse.finetune.rollouts import answer_kl, answered, draw_answers, next_token_kl, spoken
from llmcourse.finetune.sft import ChatTemplate, Turn
from llmcourse.training import TrainConfig, accumulate_gradients, train
from tests.finetune.conftest import make_backbone
from tests.finetune.test_reward import PAIRS

BETA = 0.1
N = 600


@pytest.fixture
def reference(tokenizer):
    return make_backbone(tokenizer.vocab_size, seed=1)


@pytest.fixture
def policy(tokenizer):
    return make_backbone(tokenizer.vocab_size, seed=2)


@pytest.fixture
def pairs(reference, tokenizer):
    return dpo_pairs(PAIRS, reference, tokenizer)


def slow_log_prob(model, chat):
    """Token by token, in 64 bits, one chat at a time: the product of the probabilities of what the assistant says."""
    is_double = next(model.parameters()).dtype == torch.float64
    double = model if is_double else copy.deepcopy(model).double()
    probs = double(torch.tensor([chat.ids]))[0].softmax(dim=-1).detach()
    total = 0.0
    for place, counts in enumerate(chat.is_target):
        if counts:
            total += math.log(float(probs[place - 1, chat.ids[place]]))
    return total


def slow_loss(policy, reference, tokenizer, beta):
    """Each answer wins with odds that are its odds against the reference to the power of beta."""
    losses = []
    for record in PAIRS:
        chats = encode_pair(record, tokenizer)
        won, lost = (math.exp(slow_log_prob(policy, c) - slow_log_prob(reference, c)) ** beta for c in chats)
        losses.append(-math.log(won / (won + lost)))
    return losses


def test_the_loss_is_that_of_the_formula_summed_token_by_token(policy, reference, pairs, tokenizer):
    found = dpo_objective(BETA)(policy, dpo_batch(pairs))[:, 0]
    assert found.tolist() == pytest.approx(slow_loss(policy, reference, tokenizer, BETA), rel=1e-6, abs=1e-6)


def test_its_mean_over_pairs_is_what_a_step_minimises_in_one_part_or_in_two(policy, reference, pairs, tokenizer):
    expected = sum(slow_loss(policy, reference, tokenizer, BETA)) / 3
    gradients = []
    for parts in ([pairs], [pairs[:1], pairs[1:]]):
        policy.zero_grad()
        loss, n = accumulate_gradients(policy, [dpo_batch(part) for part in parts], dpo_objective(BETA))
        assert (loss, n) == (pytest.approx(expected, rel=1e-6), 3)
        gradients.append(policy.tokens.weight.grad.clone())
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_that_of_finite_differences_and_of_the_papers_weighting():
    log_probs = torch.randn(5, 2, dtype=torch.float64, requires_grad=True)
    reference = torch.randn(5, 2, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda given: dpo_nats(given, reference, BETA), log_probs)
    dpo_nats(log_probs, reference, BETA).sum().backward()
    rewards = BETA * (log_probs - reference).detach()
    wrong = torch.sigmoid(rewards[:, 1] - rewards[:, 0])  # how far the model is from the preference
    torch.testing.assert_close(log_probs.grad, BETA * torch.stack((-wrong, wrong), dim=1))


class Fixed(torch.nn.Module):
    """A model whose logits are its only weights."""

    def __init__(self, *shape):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.randn(*shape))

    def forward(self, ids):
        return self.logits


def test_scores_over_the_prompt_and_the_padding_get_no_gradient(pairs, tokenizer):
    batch = dpo_batch(pairs)
    model = Fixed(*batch.inputs.shape, tokenizer.vocab_size)
    dpo_objective(BETA)(model, batch).sum().backward()
    moved = model.logits.grad.abs().sum(dim=-1) > 0
    assert torch.equal(moved, batch.is_target)
    for row, chat in enumerate(chat for pair in pairs for chat in (pair.chosen, pair.rejected)):
        first = chat.ids.index(tokenizer.special_id("<|assistant|>"))  # the marker predicts the answer's first token
        assert moved[row].nonzero()[:, 0].tolist() == list(range(first, len(chat.ids) - 1))


def test_a_model_that_is_its_own_reference_prefers_nothing(reference, pairs):
    losses = dpo_objective(BETA)(reference, dpo_batch(pairs))
    torch.testing.assert_close(losses, torch.full((3, 1), math.log(2)), rtol=0, atol=1e-5)
    torch.testing.assert_close(implicit_margins(reference, pairs, BETA), torch.zeros(3), rtol=0, atol=1e-5)


def test_margins_are_those_of_the_formula_and_grow_with_beta(policy, reference, pairs):
    expected = [
        slow_log_prob(policy, p.chosen) - slow_log_prob(reference, p.chosen)
        - slow_log_prob(policy, p.rejected) + slow_log_prob(reference, p.rejected)
        for p in pairs
    ]  # fmt: skip
    for beta in (0.1, 0.7):
        found = implicit_margins(policy, pairs, beta, batch_size=2).tolist()
        assert found == pytest.approx([beta * each for each in expected], rel=1e-4)


def test_a_pairs_loss_does_not_depend_on_its_company(policy, pairs):
    together = dpo_objective(BETA)(policy, dpo_batch(pairs))
    alone = torch.cat([dpo_objective(BETA)(policy, dpo_batch([pair])) for pair in pairs])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_training_moves_the_model_towards_the_chosen_and_leaves_the_reference_alone(reference, pairs, tokenizer):
    model = copy.deepcopy(reference)
    before = {name: weight.clone() for name, weight in reference.state_dict().items()}
    list(train(model, dpo_batches(pairs, 3), TrainConfig(steps=8, lr=3e-3), objective=dpo_objective(), progress=False))
    assert (implicit_margins(model, pairs, 0.1) > 0).all()
    assert all(torch.equal(weight, before[name]) for name, weight in reference.state_dict().items())
    assert all(weight.grad is None for weight in reference.parameters())
    again = dpo_pairs(PAIRS, reference, tokenizer)
    assert [pair.reference for pair in again] == [pair.reference for pair in pairs]


def test_a_batch_of_pairs_moves_to_another_device_whole(pairs):
    moved = dpo_batch(pairs).to(torch.device("meta"))
    assert isinstance(moved, PairBatch)
    assert {part.device.type for part in (moved.inputs, moved.targets, moved.reference)} == {"meta"}


def test_what_dpo_cannot_learn_from_is_refused(policy, pairs):
    for beta in (0, -1, math.nan):
        with pytest.raises(ValueError, match="beta must be positive"):
            dpo_objective(beta)
    with pytest.raises(ValueError, match="DPO trains on batches of pairs, which dpo_batches gives, not on Batch"):
        dpo_objective()(policy, sft_batch([pairs[0].chosen]))


# -- how far a model has moved ------------------------------------------------------------------------------------
def every_answer(n_vocab, end, longest):
    """All runs of tokens that end with the first `end`, or are cut off."""
    for length in range(1, longest + 1):
        for tokens in itertools.product(range(n_vocab), repeat=length):
            if end not in tokens[:-1] and (tokens[-1] == end or length == longest):
                yield tokens


def test_the_kl_along_answers_is_on_average_that_of_the_distributions_of_whole_answers():
    ours, theirs = make_backbone(4, seed=3).double(), make_backbone(4, seed=4).double()
    prompt, end = (1, 2), 0
    chats = [answered(prompt, tokens, end) for tokens in every_answer(4, end, 3)]
    logs = [torch.tensor([slow_log_prob(model, chat) for chat in chats]) for model in (ours, theirs)]
    probs = logs[0].exp()
    assert float(probs.sum()) == pytest.approx(1)
    exact = float((probs * (logs[0] - logs[1])).sum())
    assert exact > 0.1
    along = answer_kl(ours.float(), theirs.float(), chats)
    assert float((probs * along).sum()) == pytest.approx(exact, rel=1e-4)


def test_a_model_has_no_divergence_from_itself_nor_any_outside_the_answers(policy, reference, pairs):
    batch = sft_batch([pair.chosen for pair in pairs])
    assert next_token_kl(policy, policy, batch).abs().max() < 1e-6
    apart = next_token_kl(policy, reference, batch)
    assert torch.equal(apart > 0, batch.is_target)


def test_answers_are_drawn_as_often_as_the_model_says():
    model = make_backbone(4, seed=3)
    prompts, end = [[1], [2, 3, 1]], 0
    drawn = draw_answers(model, prompts, end, n_samples=N, max_new_tokens=2, generator=torch.Generator().manual_seed(0))
    for place, prompt in enumerate(prompts):
        own = Counter(drawn[N * place : N * (place + 1)])
        assert all(list(chat.ids[: len(prompt)]) == prompt for chat in own)
        for tokens in every_answer(4, end, 2):
            chat = answered(prompt, tokens, end)
            p = float(answer_log_probs(model, [chat]).exp())
            assert own[chat] / N == pytest.approx(p, abs=4.5 * math.sqrt(p * (1 - p) / N) + 1e-9)


def test_nothing_after_the_end_of_an_answer_counts(tokenizer):
    template, end = ChatTemplate(), tokenizer.special_id("<|end|>")
    prompt = encode_prompt([Turn("user", "Who?")], tokenizer)
    said = [*tokenizer.encode(" Zora"), end]
    chat = answered(prompt, [*said, 5, end, 7], end)
    assert list(chat.ids) == prompt + said
    assert list(chat.is_target) == [False] * len(prompt) + [True] * len(said)
    assert spoken(chat, tokenizer, template) == "Zora"
    cut_off = answered(prompt, said[:-1], end)
    assert list(cut_off.ids) == prompt + said[:-1]
    assert spoken(cut_off, tokenizer, template) == "Zora"
