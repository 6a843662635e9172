"""Generation: cached equals uncached, rows do not disturb each other, samples follow the distribution."""

import pytest
import torch

from llmcourse.decoding import (
    choose,
    compose,
    frequency_penalty,
    generate,
    no_repeat_ngram,
    presence_penalty,
    repetition_penalty,
    stream,
    temperature,
    top_k,
)

PROMPTS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _luck(n: int) -> list[torch.Generator]:
    return [_generator(seed) for seed in range(n)]


@pytest.mark.parametrize("transform", [None, compose(temperature(0.8), top_k(5))])
def test_cached_generation_equals_uncached(model, transform):
    cached = generate(model, PROMPTS, 20, transform=transform, generator=_generator())
    plain = generate(model, PROMPTS, 20, transform=transform, generator=_generator(), use_cache=False)
    assert torch.equal(cached, plain)
    assert cached.shape == (3, 20)


def test_greedy_takes_the_likeliest_token_each_time(model):
    ids = PROMPTS
    for _ in range(10):
        ids = torch.cat((ids, model(ids)[:, -1].argmax(-1, keepdim=True)), dim=1)
    assert torch.equal(generate(model, PROMPTS, 10), ids[:, 4:])


PENALTIES = [repetition_penalty(1.6), presence_penalty(1.0), frequency_penalty(0.7), no_repeat_ngram(2)]


@pytest.mark.parametrize("transform", [None, *(compose(each, temperature(0)) for each in PENALTIES)])
def test_left_padded_rows_generate_what_they_would_alone(model, transform):
    # padded with what it would say, so that counting the padding would change the text
    padding = generate(model, PROMPTS, 1, transform=transform)
    padded = torch.cat((padding, padding, PROMPTS), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :2] = False
    alone = generate(model, PROMPTS, 12, transform=transform)
    assert torch.equal(generate(model, padded, 12, transform=transform, is_real=is_real), alone)


def test_prompts_of_unequal_length_generate_what_they_would_alone(model):
    prompts = [torch.tensor(ids) for ids in ([3], [5, 6, 7], [9, 2, 0, 1, 12])]
    padded = torch.stack([torch.cat((torch.zeros(5 - len(p), dtype=torch.long), p)) for p in prompts])
    is_real = torch.stack([torch.arange(5) >= 5 - len(p) for p in prompts])
    together = generate(model, padded, 12, is_real=is_real, transform=temperature(1.0), generator=_luck(3))
    for row, prompt, luck in zip(together, prompts, _luck(3), strict=True):
        assert torch.equal(row, generate(model, prompt[None], 12, transform=temperature(1.0), generator=[luck])[0])


def test_a_row_that_has_ended_stays_ended(model):
    def sample(eos: tuple[int, ...]) -> list[list[int]]:
        return generate(model, PROMPTS, 15, transform=temperature(3.0), generator=_generator(), eos=eos).tolist()

    free, ended = sample(()), sample((2,))
    ends = [next((i for i, token in enumerate(row) if token == 2), 15) for row in free]
    assert min(ends) + 2 < max(ends)  # the case is worth testing: one row ends well before another
    for row, free_row, end in zip(ended, free, ends, strict=True):
        assert row[: end + 1] == free_row[: end + 1]
        assert set(row[end + 1 :]) <= {2}


def test_generation_stops_when_all_rows_have_ended(model):
    one = generate(model, PROMPTS[:1], 15)
    eos = [int(one[0, 3]), 99]
    first = one[0].tolist().index(eos[0])
    assert generate(model, PROMPTS[:1], 15, eos=eos).shape[1] == first + 1


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_row_ends_with_a_run_of_tokens_that_stops_it(model, length):
    def write(stop: list[list[int]]) -> torch.Tensor:
        return generate(model, PROMPTS, 15, transform=temperature(2.0), generator=_generator(), stop=stop)

    free = write([])
    run, other = free[0, 4 : 4 + length].tolist(), [11] * 9
    assert set(free[0, 4 + length :].tolist()) - {run[-1]}  # it would have gone on with something else
    stopped = write([run, other])
    for row, free_row in zip(stopped.tolist(), free.tolist(), strict=True):
        ends = [n for n in range(length, 16) if free_row[n - length : n] == run]
        end = ends[0] if ends else 15
        assert row[:end] == free_row[:end]
        assert set(row[end:]) <= {run[-1]}


def test_a_run_that_begins_in_the_prompt_stops_nothing(model):
    first = generate(model, PROMPTS[:1], 1)[0].tolist()
    assert generate(model, PROMPTS[:1], 5, stop=[[4, *first]]).shape[1] == 5


def test_each_row_may_have_its_own_luck(model):
    together = generate(model, PROMPTS, 12, transform=temperature(1.5), generator=_luck(3))
    turned = generate(model, PROMPTS.flip(0), 12, transform=temperature(1.5), generator=_luck(3)[::-1])
    assert torch.equal(together, turned.flip(0))
    assert not torch.equal(together, generate(model, PROMPTS, 12, transform=temperature(1.5), generator=_luck(4)[1:]))


def test_decoding_leaves_gradients_as_they_were(model):
    for _ in stream(model, PROMPTS, 3):
        assert torch.is_grad_enabled()
    seen = []
    generate(model, PROMPTS, 3, transform=lambda logits, _: seen.append(logits.requires_grad) or logits)
    assert seen == [False] * 3


def test_any_function_from_ids_to_logits_can_write():
    def count_on(ids: torch.Tensor) -> torch.Tensor:
        return 9.0 * torch.nn.functional.one_hot((ids + 1) % 5, 5)

    assert generate(count_on, torch.tensor([[0], [3]]), 4).tolist() == [[1, 2, 3, 4], [4, 0, 1, 2]]
    with pytest.raises(ValueError, match="the model knows 0 and up"):
        generate(count_on, torch.tensor([[-1]]), 4)


def test_generation_stops_at_the_context(model):
    assert generate(model, PROMPTS, 100).shape[1] == 40 - 4 + 1


def test_samples_follow_the_distribution(model):
    draws = 20_000
    logits = model(PROMPTS[:1])[:, -1].detach()
    tokens = choose(logits.expand(draws, -1), PROMPTS[:1].expand(draws, -1), temperature(1.0), _generator())
    expected = logits.softmax(-1)[0] * draws
    observed = torch.bincount(tokens, minlength=13)
    chi_square = ((observed - expected) ** 2 / expected).sum()
    assert chi_square < 32.9  # 99.9 % quantile with 12 degrees of freedom


def test_rows_draw_independently(model):
    same = PROMPTS[:1].expand(200, -1)
    first = generate(model, same, 1, transform=temperature(1.0), generator=_generator())[:, 0]
    assert first.unique().numel() > 1


def test_a_removed_token_is_never_drawn(model):
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]]).expand(5000, -1)
    drawn = choose(logits, torch.zeros(5000, 1, dtype=torch.long), top_k(2), _generator())
    assert set(drawn.tolist()) == {2, 3}


def test_a_stream_can_be_left_early(model):
    tokens = stream(model, PROMPTS, 30)
    first = [next(tokens) for _ in range(3)]
    assert torch.equal(torch.stack(first, dim=1), generate(model, PROMPTS, 3))


@pytest.mark.parametrize(
    ("prompt", "n", "message"),
    [
        (torch.zeros(1, 0, dtype=torch.long), 5, "The prompt is empty"),
        (torch.zeros(1, 41, dtype=torch.long), 5, "41 tokens does not fit the context of 40"),
        (torch.tensor([[13]]), 5, "the model knows 0 to 12"),
        (torch.tensor([[1]]), 0, "max_new_tokens must be at least 1"),
        (torch.tensor([[-1]]), 5, "ids from -1 to -1"),
    ],
)
def test_a_prompt_that_cannot_work_is_refused(model, prompt, n, message):
    with pytest.raises(ValueError, match=message):
        generate(model, prompt, n)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop": [[3], []]}, "A stop sequence must hold at least 1 token"),
        ({"generator": [torch.Generator()], "transform": top_k(3)}, "there are 3 rows and 1 generators"),
        ({"transform": compose(*(no_repeat_ngram(1), top_k(1), lambda x, _: x - torch.inf))}, "No token is left"),
        ({"source": torch.ones(3, 2, dtype=torch.long)}, "An encoder-decoder needs a source"),
    ],
)
def test_an_option_that_cannot_work_is_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        generate(model, PROMPTS, 3, **options)
