"""Decoding held against a small world whose every document is known, with its probability."""

import heapq
import math
from collections import Counter

import pytest
import torch

from llmcourse.decoding import OracleModel, beam_search, compose, generate, speculate, temperature, top_k, top_p
from llmcourse.tokenizers import ByteBPE
from tests.world.toy import enumerate_texts, world_that_tells

END = "<|end|>"


def walk(story) -> None:
    """A story of few documents, some of which begin like others; how likely each is, the world's seed decides."""
    story.let(p=story.one_of("walk.to", ("mill", "mill pond", "old mill")), q=story.one_of("walk.by", ("pond", "hill")))
    story.say("walk.open", "We saw the {p}.", "At the {p} we rested.", "We saw it.")
    if story.chance("walk.coin", 0.4):
        story.say("walk.late", "It was late.", "It was the {q}.")


@pytest.fixture(scope="module")
def world():
    return world_that_tells(walk)


@pytest.fixture(scope="module")
def tokenizer(world):
    return ByteBPE.train(list(enumerate_texts(world)), 300, [END])


@pytest.fixture(scope="module")
def oracle(world, tokenizer):
    return OracleModel(world, tokenizer)


@pytest.fixture(scope="module")
def documents(world, tokenizer):
    """The ids of every document with its end, and its probability."""
    return {(*tokenizer.encode(text), tokenizer.special_id(END)): p for text, p in enumerate_texts(world).items()}


def _chi_square(counts: Counter, truth: dict) -> tuple[float, float]:
    """The statistic, with rare outcomes put together, and what it exceeds in one case of ten thousand."""
    n = sum(counts.values())
    assert set(counts) <= {outcome for outcome, p in truth.items() if p > 0}  # nothing impossible was drawn
    common = [outcome for outcome, p in truth.items() if p * n >= 5]
    expected = [truth[outcome] * n for outcome in common]
    observed = [counts[outcome] for outcome in common]
    if n - sum(expected) > 5:
        expected, observed = [*expected, n - sum(expected)], [*observed, n - sum(observed)]
    free = len(expected) - 1
    assert free >= 5  # the case is worth testing
    quantile = free * (1 - 2 / (9 * free) + 3.719 * math.sqrt(2 / (9 * free))) ** 3  # Wilson and Hilferty
    return sum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True)), quantile


def _texts(rows, end: int) -> Counter:
    return Counter(tuple(row[: row.index(end) + 1]) for row in rows)


def _start(oracle, rows: int = 1):
    return torch.full((rows, 1), oracle.end)


@torch.no_grad()
def test_the_oracle_gives_each_document_its_probability(oracle, documents):
    for ids, p in list(documents.items())[::7]:
        log_probs = oracle(torch.tensor([[oracle.end, *ids]]))[0]
        assert math.exp(sum(float(log_probs[n, token]) for n, token in enumerate(ids))) == pytest.approx(p)
        assert float(log_probs[-1, oracle.end]) == 0.0  # what is over stays over


def test_after_an_impossible_beginning_all_tokens_are_equally_likely(oracle):
    row = oracle(torch.tensor([[oracle.end, 0]]))[0, -1]
    assert torch.equal(row, row[:1].expand_as(row))
    assert float(row.logsumexp(-1)) == pytest.approx(0.0)


@pytest.mark.slow
def test_sampled_documents_are_as_frequent_as_the_world_says(oracle, documents):
    luck = torch.Generator().manual_seed(1)
    rows = generate(oracle, _start(oracle, 3000), 60, transform=temperature(1.0), generator=luck, eos=[oracle.end])
    statistic, quantile = _chi_square(_texts(rows.tolist(), oracle.end), documents)
    assert statistic < quantile


@pytest.mark.slow
def test_documents_drawn_with_a_generator_per_row_are_as_frequent_as_the_world_says(oracle, documents):
    luck = [torch.Generator().manual_seed(1000 + n) for n in range(1500)]
    rows = generate(oracle, _start(oracle, 1500), 60, transform=temperature(1.0), generator=luck, eos=[oracle.end])
    statistic, quantile = _chi_square(_texts(rows.tolist(), oracle.end), documents)
    assert statistic < quantile


@pytest.mark.slow
@pytest.mark.parametrize(
    "transform",
    [temperature(0.5), top_k(2), top_p(0.7), compose(temperature(2.0), top_k(3))],
    ids=["temperature", "top-k", "top-p", "warm top-k"],
)
def test_a_transform_draws_each_token_from_the_transformed_truth(oracle, documents, transform):
    truth = {}
    for ids in documents:
        p = 1.0
        for n, token in enumerate(ids):
            seen = torch.tensor([[oracle.end, *ids[:n]]])
            p *= float(transform(oracle(seen)[:, -1], seen).softmax(-1)[0, token])
        truth[ids] = p
    assert math.fsum(truth.values()) == pytest.approx(1.0)
    luck = torch.Generator().manual_seed(2)
    rows = generate(oracle, _start(oracle, 2000), 60, transform=transform, generator=luck, eos=[oracle.end])
    statistic, quantile = _chi_square(_texts(rows.tolist(), oracle.end), truth)
    assert statistic < quantile


@pytest.mark.slow
def test_speculation_from_another_world_draws_this_worlds_documents(oracle, tokenizer, documents):
    draft = OracleModel(world_that_tells(walk, seed=6), tokenizer)  # the same words, other habits
    luck = torch.Generator().manual_seed(3)
    drawn, n_kept, n_drafted = Counter(), 0, 0
    for _ in range(1000):
        rounds = list(
            speculate(
                oracle, draft, _start(oracle)[0], 60, transform=temperature(1.0), generator=luck, eos=[oracle.end]
            )
        )
        drawn[tuple(token for each in rounds for token in each.ids)] += 1
        n_kept += sum(each.n_kept for each in rounds)
        n_drafted += sum(each.n_drafted for each in rounds)
    assert 0.1 < n_kept / n_drafted < 0.9  # the draft is wrong often, and often right
    statistic, quantile = _chi_square(drawn, documents)
    assert statistic < quantile


def _likeliest(oracle, n: int) -> list[tuple[float, tuple[int, ...]]]:
    """The n likeliest documents, by a search that misses nothing: always go on with the likeliest beginning.

    Going on only lowers a probability, so the first n documents that come up whole are the likeliest.
    """
    agenda = [(0.0, ())]
    found = []
    while len(found) < n:
        nats, ids = heapq.heappop(agenda)
        if ids and ids[-1] == oracle.end:
            found.append((-nats, ids))
            continue
        log_probs = oracle(torch.tensor([[oracle.end, *ids]]))[0, -1]
        for token in log_probs.isfinite().nonzero()[:, 0].tolist():
            heapq.heappush(agenda, (nats - float(log_probs[token]), (*ids, token)))
    return found


def test_searching_by_likeliest_beginning_finds_the_likeliest_documents(oracle, documents):
    best = sorted(documents.values(), reverse=True)[:5]
    assert [math.exp(log_prob) for log_prob, _ in _likeliest(oracle, 5)] == pytest.approx(best)


def test_a_wide_beam_finds_the_likeliest_documents_and_a_narrow_one_may_not(oracle):
    best = _likeliest(oracle, 5)

    def search(n_beams: int):
        return beam_search(oracle, _start(oracle)[0], 60, n_beams, eos=[oracle.end], n_best=min(5, n_beams))

    wide = search(64)
    assert [h.log_prob for h in wide] == pytest.approx([log_prob for log_prob, _ in best])
    assert wide[0].ids in {ids for log_prob, ids in best if log_prob == pytest.approx(best[0][0])}
    found = [search(n)[0].log_prob for n in (1, 2, 4, 16)]
    assert all(log_prob <= best[0][0] + 1e-9 for log_prob in found)  # never better than the best there is
    greedy = generate(oracle, _start(oracle), 60, eos=[oracle.end])[0]
    assert search(1)[0].ids == tuple(greedy.tolist())


def test_a_beam_never_says_what_cannot_be_said(oracle, documents):
    found = beam_search(oracle, _start(oracle)[0], 60, 100, eos=[oracle.end])
    assert all(math.isfinite(h.log_prob) for h in found)
    assert {h.ids for h in found if h.ended} <= set(documents)


@pytest.mark.slow
def test_in_the_real_world_no_beam_beats_the_exact_search():
    from llmcourse.world import World

    world = World(0)
    tokenizer = ByteBPE.train([d.text for d in world.documents(50)], 300, [END])
    oracle = OracleModel(world, tokenizer)
    prompt = [oracle.end, *tokenizer.encode(world.documents(1, "test")[0].text)]
    prompt = torch.tensor(prompt[: len(prompt) * 2 // 3])
    exact = _exact_continuation(oracle, prompt, 12)
    found = [beam_search(oracle, prompt, 12, n, eos=[oracle.end])[0].log_prob for n in (1, 2, 4, 32)]
    assert all(log_prob <= exact + 1e-9 for log_prob in found)
    assert found[-1] == pytest.approx(exact)


def _exact_continuation(oracle, prompt, n_new: int) -> float:
    """The log-probability of the likeliest continuation that ends or is `n_new` tokens long."""
    agenda = [(0.0, ())]
    while True:
        nats, ids = heapq.heappop(agenda)
        if len(ids) == n_new or (ids and ids[-1] == oracle.end):
            return -nats
        log_probs = oracle(torch.tensor([[*prompt.tolist(), *ids]]))[0, -1]
        for token in log_probs.isfinite().nonzero()[:, 0].tolist():
            heapq.heappush(agenda, (nats - float(log_probs[token]), (*ids, token)))
