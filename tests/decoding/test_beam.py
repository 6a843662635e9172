"""Beam search against exhaustive search, greedy search and the reference library's definition of a score."""

import itertools

import pytest
import torch

from llmcourse.decoding import Hypothesis, beam_search, generate, no_repeat_ngram

PROMPT = torch.tensor([3, 1, 4])
EOS = (0,)


@torch.no_grad()
def _log_prob(model, continuation: tuple[int, ...]) -> float:
    ids = torch.cat((PROMPT, torch.tensor(continuation)))
    log_probs = model(ids[None])[0, len(PROMPT) - 1 : -1].log_softmax(-1)
    return sum(log_probs[i, token].item() for i, token in enumerate(continuation))


def _all_continuations(length: int):
    for n in range(1, length + 1):
        for body in itertools.product(range(1, 13), repeat=n - 1):
            yield (*body, 0)
    yield from itertools.product(range(1, 13), repeat=length)


def test_a_wide_enough_beam_finds_the_best_there_is(model):
    # 13 words, two steps: 13 beams hold every first word, so nothing can be missed
    best = sorted(((_log_prob(model, c), c) for c in _all_continuations(2)), reverse=True)[:5]
    found = beam_search(model, PROMPT, 2, n_beams=13, eos=EOS)[:5]
    assert [h.ids for h in found] == [ids for _, ids in best]


@pytest.mark.parametrize("n_beams", [1, 2, 4])
@pytest.mark.parametrize("length_penalty", [0.0, 0.8])
def test_every_score_is_the_log_probability_of_its_ids(model, n_beams, length_penalty):
    found = beam_search(model, PROMPT, 8, n_beams, eos=EOS, length_penalty=length_penalty)
    assert 1 <= len(found) <= n_beams
    assert len({h.ids for h in found}) == len(found)
    for hypothesis in found:
        assert hypothesis.log_prob == pytest.approx(_log_prob(model, hypothesis.ids), abs=1e-4)
        assert hypothesis.ended == (hypothesis.ids[-1] == 0)
        assert 0 not in hypothesis.ids[:-1]  # an ended hypothesis is not extended
    scores = [h.score(length_penalty) for h in found]
    assert scores == sorted(scores, reverse=True)


def test_one_beam_without_an_end_token_is_greedy(model):
    assert list(beam_search(model, PROMPT, 12, n_beams=1)[0].ids) == generate(model, PROMPT[None], 12)[0].tolist()


@pytest.mark.parametrize("n_beams", [2, 3, 5])
def test_beams_equal_the_reference(model, n_beams):
    from transformers import GPT2Config, GPT2LMHeadModel

    from llmcourse.hub.families import GPT2, weights_to_ours
    from llmcourse.model import Transformer

    torch.manual_seed(8)
    reference = GPT2LMHeadModel(GPT2Config(vocab_size=13, n_positions=40, n_embd=16, n_layer=2, n_head=2)).eval()
    with torch.no_grad():
        for weight in reference.parameters():
            weight.add_(torch.randn_like(weight) * 0.3)
    config = GPT2.config(reference.config.to_dict())
    ours = Transformer(config).eval()
    ours.load_state_dict(weights_to_ours(GPT2, config, reference.state_dict()))
    theirs = reference.generate(
        PROMPT[None],
        attention_mask=torch.ones(1, len(PROMPT), dtype=torch.long),
        max_new_tokens=7,
        num_beams=n_beams,
        num_return_sequences=n_beams,
        do_sample=False,
        length_penalty=0.0,
        eos_token_id=None,
        pad_token_id=0,
    )
    found = beam_search(ours, PROMPT, 7, n_beams)
    assert [list(h.ids) for h in found] == theirs[:, len(PROMPT) :].tolist()


@pytest.mark.parametrize("length_penalty", [0.0, 0.5, 1.5])
def test_stopping_early_loses_nothing(model, length_penalty, monkeypatch):
    def search() -> list[list[Hypothesis]]:
        prompts = [torch.tensor([first, 1, 4]) for first in range(1, 13)]
        return [beam_search(model, p, 12, 3, eos=(0, 1, 2), length_penalty=length_penalty) for p in prompts]

    early = search()
    monkeypatch.setattr("llmcourse.decoding.beam._is_settled", lambda *_: False)
    assert early == search()


def test_a_length_penalty_favours_longer_continuations(model):
    short = beam_search(model, PROMPT, 10, 4, eos=EOS)[0]
    long = beam_search(model, PROMPT, 10, 4, eos=EOS, length_penalty=3.0)[0]
    assert len(long.ids) > len(short.ids)


def test_with_early_stopping_the_search_is_over_once_enough_have_ended(model, monkeypatch):
    monkeypatch.setattr("llmcourse.decoding.beam._is_settled", lambda *_: False)
    options = {"eos": (0, 1, 2), "length_penalty": 1.5}
    lengths = []
    for first in range(1, 13):
        prompt = torch.tensor([first, 1, 4])
        early = beam_search(model, prompt, 12, 3, early_stopping=True, **options)
        assert all(h.ended for h in early)
        lengths.append(max(len(h.ids) for h in early))
        # a search that may not go further finds the same ends, among what has not ended
        within = [h for h in beam_search(model, prompt, lengths[-1], 30, **options) if h.ended]
        assert {h.ids for h in early} <= {h.ids for h in within}
        assert early[0].score(1.5) <= beam_search(model, prompt, 12, 3, **options)[0].score(1.5)
    assert max(lengths) < 12


def test_the_n_best_are_the_first_of_all(model):
    everything = beam_search(model, PROMPT, 8, 4, eos=EOS)
    assert beam_search(model, PROMPT, 8, 4, eos=EOS, n_best=2) == everything[:2]


def test_a_run_of_tokens_ends_a_hypothesis(model):
    run = beam_search(model, PROMPT, 8, 4)[0].ids[2:4]
    found = beam_search(model, PROMPT, 8, 4, eos=EOS, stop=[run])
    assert any(h.ended and h.ids[-2:] == run for h in found)
    for hypothesis in found:
        ends = [n for n in range(1, len(hypothesis.ids) + 1) if hypothesis.ids[max(0, n - 2) : n] == run]
        assert ends in ([], [len(hypothesis.ids)])
        assert hypothesis.ended == (hypothesis.ids[-1] == 0 or bool(ends))
        assert hypothesis.log_prob == pytest.approx(_log_prob(model, hypothesis.ids), abs=1e-4)


def test_a_transform_holds_for_every_hypothesis(model):
    def repeats(hypothesis: Hypothesis) -> bool:
        ids = (*PROMPT.tolist(), *hypothesis.ids)
        return len(set(ids)) < len(ids)

    assert any(map(repeats, beam_search(model, PROMPT, 8, 4)))
    assert not any(map(repeats, beam_search(model, PROMPT, 8, 4, transform=no_repeat_ngram(1))))


def test_a_search_stops_at_the_context(model):
    assert len(beam_search(model, PROMPT, 100, 2)[0].ids) == 40 - 3 + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_beams": 0}, "Beam search needs"),
        ({"n_best": 3}, "Beam search needs"),
        ({"n_best": 0}, "Beam search needs"),
        ({"length_penalty": -1.0}, "Beam search needs"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"prompt": PROMPT[:0]}, "The prompt is empty"),
        ({"prompt": PROMPT.repeat(14)}, "42 tokens does not fit the context of 40"),
    ],
)
def test_a_beam_that_cannot_work_is_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        beam_search(model, **{"prompt": PROMPT, "max_new_tokens": 3, "n_beams": 2, **options})
