"""Speculative decoding keeps the target's distribution: every way that luck can fall is followed, and summed."""

import itertools
from collections import defaultdict

import pytest
import torch
from torch.testing import assert_close

from llmcourse.decoding import compose, generate, no_repeat_ngram, speculate, temperature, top_k
from llmcourse.decoding.reading import Reader
from llmcourse.decoding.speculative import _rounds, check_guesses, left_over
from llmcourse.decoding.stopping import Ending
from llmcourse.model import Learned, Transformer, TransformerConfig

PROMPT = torch.tensor([3, 1, 4])


def every_outcome(procedure):
    """What `procedure(draw)` gives for each way in which its draws can fall, with the probability of that way."""
    agenda = [()]
    while agenda:
        script = agenda.pop()
        taken, mass = [], 1.0

        def draw(probs):
            nonlocal mass
            assert float(probs.sum()) == pytest.approx(1.0)
            possible = probs.nonzero()[:, 0].tolist()
            if len(taken) < len(script):  # noqa: B023  (used before the next turn of the loop)
                index = script[len(taken)]  # noqa: B023
            else:
                index, *others = possible
                agenda.extend((*taken, other) for other in others)  # noqa: B023
            taken.append(index)  # noqa: B023
            mass *= float(probs[index])
            return index

        yield procedure(draw), mass


class Table:
    """A model with memory of one token: the logits of what follows each."""

    def __init__(self, seed: int, n: int = 3) -> None:
        self.rows = torch.randn(n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 1.5

    def __call__(self, ids):
        return self.rows[ids]


def _distribution(target, draft, n_new, *, n_drafted, transform=None, eos=()):
    """The exact distribution of the text that speculation writes."""

    def write(draw):
        rounds = _rounds(
            Reader(target),
            Reader(draft),
            torch.tensor([0]),
            n_new,
            n_drafted=n_drafted,
            transform=transform,
            ending=Ending.of(eos),
            draw=draw,
        )
        return tuple(token for each in rounds for token in each.ids)

    masses = defaultdict(float)
    for text, mass in every_outcome(write):
        masses[text] += mass
    return masses


def _truth(target, n_new, transform, eos=()):
    """The target's own distribution over texts, by the chain rule."""
    masses = {}
    for text in itertools.product(range(3), repeat=n_new):
        end = next((n for n, token in enumerate(text, 1) if token in eos), n_new)
        p, ids = 1.0, [0]
        for token in text[:end]:
            row = target(torch.tensor([ids]))[:, -1]
            p *= float(transform(row, torch.tensor([ids])).softmax(-1)[0, token])
            ids.append(token)
        if p:
            masses[text[:end]] = p
    return masses


@pytest.mark.parametrize("n_drafted", [1, 2, 3])
@pytest.mark.parametrize(
    ("transform", "eos"),
    [(temperature(1.0), ()), (temperature(0.6), (2,)), (top_k(2), (1, 2)), (no_repeat_ngram(2), ())],
    ids=["plain", "with an end", "filtered, two ends", "reads what was written"],
)
def test_every_text_is_as_likely_as_the_target_says(n_drafted, transform, eos):
    target, draft = Table(1), Table(2)
    truth = _truth(target, 3, transform, eos)
    found = _distribution(target, draft, 3, n_drafted=n_drafted, transform=transform, eos=eos)
    assert len(truth) > 3
    assert found.keys() == truth.keys()
    for text, p in truth.items():
        assert found[text] == pytest.approx(p, abs=1e-12)


def test_a_guess_is_kept_as_often_as_both_agree():
    guess, truth = torch.tensor([0.5, 0.3, 0.2, 0.0]), torch.tensor([0.1, 0.4, 0.2, 0.3])
    truths = torch.stack((truth, truth))

    def check(draw):
        return len(check_guesses([draw(guess)], [guess], truths, draw)) == 2

    kept = sum(mass for is_kept, mass in every_outcome(check) if is_kept)
    assert kept == pytest.approx(1 - (guess - truth).abs().sum().item() / 2)  # one less the total variation


def test_what_is_left_over_makes_up_for_the_guesses():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        guess, truth = torch.rand(2, 7, generator=generator, dtype=torch.float64).softmax(-1)
        agreed = torch.minimum(guess, truth)
        assert_close(agreed + (1 - agreed.sum()) * left_over(truth, guess), truth)
    assert torch.equal(left_over(truth, truth), truth)


@pytest.fixture
def draft() -> Transformer:
    """Another small model of the same vocabulary, with a shorter context."""
    torch.manual_seed(3)
    config = TransformerConfig(vocab_size=13, d_model=8, d_ff=8, n_heads=2, n_decoder_layers=1, position=Learned(30))
    return Transformer(config).eval()


def _written(rounds) -> list[int]:
    return [token for each in rounds for token in each.ids]


@pytest.mark.parametrize("n_drafted", [1, 3, 8])
@pytest.mark.parametrize("transform", [None, compose(no_repeat_ngram(2), temperature(0))])
def test_greedy_speculation_is_greedy_decoding(model, draft, n_drafted, transform):
    def written(**ends) -> list[int]:
        return _written(speculate(model, draft, PROMPT, 20, n_drafted=n_drafted, transform=transform, **ends))

    greedy = generate(model, PROMPT[None], 20, transform=transform)[0].tolist()
    assert written() == greedy
    run, ends = greedy[7:9], {greedy[5], 99}
    stopped = next(n for n in range(2, 21) if greedy[n - 2 : n] == run)
    assert written(stop=[run]) == greedy[:stopped]
    ended = next(n for n, token in enumerate(greedy, 1) if token in ends)
    assert written(eos=tuple(ends)) == greedy[:ended]


def test_a_draft_that_is_the_target_is_never_refused(model):
    rounds = list(speculate(model, model, PROMPT, 20, n_drafted=4, transform=temperature(1.3)))
    assert [len(each.ids) for each in rounds] == [5, 5, 5, 5]  # 4 readings of the target for 20 tokens
    assert all(each.n_kept == each.n_drafted == 4 for each in rounds)


def test_a_cache_changes_nothing(model, draft):
    def written(wrap) -> list[int]:
        luck = torch.Generator().manual_seed(5)
        return _written(
            speculate(wrap(model), wrap(draft), PROMPT, 20, transform=temperature(1.5), generator=luck, n_drafted=3)
        )

    assert written(lambda model: model) == written(lambda model: lambda ids: model(ids))


def test_speculation_stops_at_the_shorter_context(model, draft):
    assert len(_written(speculate(model, draft, PROMPT, 100))) == 30 - 3 + 1


def test_a_model_reads_only_what_is_new(model, draft):
    read = []

    class Counted:
        config, new_cache = model.config, staticmethod(model.new_cache)

        def __call__(self, ids, **options):
            read.append(ids.shape[1])
            return model(ids, **options)

    rounds = list(speculate(Counted(), draft, PROMPT, 20, n_drafted=3))
    assert len(read) == len(rounds)
    assert read[0] == 3 + 3
    assert all(n == each.n_drafted + 1 for n, each in zip(read[1:], rounds[1:], strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_drafted": 0}, "n_drafted must be at least 1, not 0"),
        ({"prompt": PROMPT[:0]}, "The prompt is empty"),
        ({"prompt": PROMPT.repeat(12)}, "36 tokens does not fit the context of 30"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"draft": Table(0, 5)}, "one vocabulary, not 13 and 5"),
    ],
)
def test_a_speculation_that_cannot_work_is_refused(model, draft, options, message):
    given = {"draft": draft, "prompt": PROMPT, "max_new_tokens": 5, **options}
    with pytest.raises(ValueError, match=message):
        list(speculate(model, **given))
