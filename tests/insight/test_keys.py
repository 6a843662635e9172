"""The course's own model, asked who has the key: what is found inside it, against what the world knows."""

import re

import pytest
import torch

from llmcourse.insight import (
    Patch,
    exchanged,
    is_told,
    key_pairs,
    key_prompts,
    logit_lens,
    name_ids,
    names_read,
    probe,
    ranks,
    readable_from,
    recovered,
    recovered_by_head,
    recovered_by_position,
    residual_stream,
)
from llmcourse.model import Transformer
from llmcourse.world import World

READER = (1, 0)  # the layer and the head that the experiments below find, each in its own way


@pytest.fixture(scope="module")
def pairs(world, small, prompts):
    return list(key_pairs(world, small.tokenizer, prompts))[:12]


def test_each_prompt_has_one_answer_by_the_world_and_the_story_handed_the_key_to_it(world, prompts):
    assert len({prompt.text for prompt in prompts}) == 60
    for prompt in prompts:
        assert {word.strip('.,"') for word in world.next_word_probs(prompt.text)} == {prompt.answer.name}
        assert prompt.answer in prompt.named
        assert set(prompt.named) == {person for person in world.people if re.search(rf"\b{person}\b", prompt.text)}


def test_fewer_prompts_are_the_first_of_more(world, prompts):
    assert key_prompts(world, 7) == prompts[:7]
    assert key_prompts(world, 7, seed=1) != prompts[:7]


def test_a_world_without_keys_is_refused():
    with pytest.raises(ValueError, match="This world tells no stories of a key; its plots are lend"):
        key_prompts(World(0, plots=("lend",)), 1)


def test_a_pair_differs_in_one_person_only_and_the_world_tells_both(world, small, pairs):
    assert len(pairs) == 12
    for pair in pairs:
        clean, corrupted = (small.tokenizer.decode(ids[0, 1:].tolist()) for ids in (pair.clean, pair.corrupted))
        for text, answer in ((clean, pair.answers), (corrupted, pair.others)):
            following = {word.strip('.,"') for word in world.next_word_probs(text)}
            assert following == {small.tokenizer.decode(answer.tolist()).strip()}
        differ = [(a, b) for a, b in zip(clean.split(), corrupted.split(), strict=True) if a != b]
        assert 1 <= len({(a.strip('.,"'), b.strip('.,"')) for a, b in differ}) <= 3  # name, 's, and job


def test_a_person_whose_habit_the_story_tells_cannot_be_exchanged(world, prompts):
    told = [prompt for prompt in prompts if prompt.answer.quirk.clause in prompt.text]
    for prompt in told[:5]:
        others = [person for person in world.people if person not in prompt.named]
        assert not any(is_told(world, exchanged(prompt, other)) for other in others)
    assert all(is_told(world, prompt) for prompt in prompts[:5])


@torch.no_grad()
def test_the_answer_is_read_at_the_end_alone(small, prompts):
    found = []
    for prompt in prompts[:40]:
        lens = logit_lens(small.model, torch.tensor([prompt.ids(small.tokenizer)]))[:, :, -1]
        found.append(ranks(lens, name_ids(small.tokenizer, [prompt.answer]).expand(3, 1))[:, 0])
    depths = readable_from(torch.stack(found, dim=1))
    assert depths.eq(2).float().mean() >= 0.95


def test_one_head_reads_the_right_name(small, prompts):
    right = torch.zeros(2, 4)
    for prompt in prompts[:40]:
        names = name_ids(small.tokenizer, list(prompt.named))
        read = names_read(small.model, torch.tensor(prompt.ids(small.tokenizer)), names)
        right += read.argmax(dim=-1) == prompt.named.index(prompt.answer)
    chance = sum(1 / len(prompt.named) for prompt in prompts[:40]) / 40
    assert right[READER] / 40 >= 0.95 > 0.4 > chance
    assert right.flatten().argmax() == 4 * READER[0] + READER[1]


@pytest.mark.slow
def test_the_head_that_reads_the_name_is_the_one_that_brings_the_answer_back(small, pairs):
    by_head = torch.stack([recovered_by_head(small.model, pair) for pair in pairs]).mean(dim=0)
    assert by_head[READER] > 0.75
    others = by_head.flatten()[[head for head in range(8) if head != 4 * READER[0] + READER[1]]]
    assert others.max() < 0.35


@pytest.mark.slow
def test_the_answer_moves_from_its_name_to_the_end_in_the_last_layers_attention(small, pairs):
    pair = pairs[0]
    last = pair.clean.shape[1] - 1
    into = recovered(small.model, pair, [[Patch(0, "output", (last,))], [Patch(1, "attention", (last,))]])[:, 0]
    assert abs(into[0]) < 0.05
    assert into[1] > 0.95
    by_place = recovered_by_position(small.model, pair, "input")
    changed = (pair.clean != pair.corrupted)[0]
    near = changed | changed.roll(1)  # the token behind a name holds it too
    assert by_place[1, near].sum() > 0.8
    assert by_place[1, ~near].abs().max() < 0.2


@pytest.mark.slow
def test_a_probe_finds_the_answer_after_the_last_layer_and_nowhere_in_a_model_without_training(world, small):
    questions = key_prompts(world, 300)
    raw = Transformer(small.model.config, generator=torch.Generator().manual_seed(1))
    names = [prompt.answer.name for prompt in questions]
    scores = {}
    for kind, model in (("trained", small.model), ("raw", raw)):
        streams = [residual_stream(model, torch.tensor([q.ids(small.tokenizer)]))[:, 0, -1] for q in questions]
        vectors = torch.stack(streams, dim=1)  # depth N D
        scores[kind] = [
            probe(depth[:200], names[:200], depth[200:], names[200:], torch.Generator().manual_seed(0))
            for depth in vectors
        ]
    assert scores["trained"][2].accuracy > 0.95
    assert scores["trained"][2].control < 0.25
    assert scores["trained"][1].accuracy < 0.35
    assert all(score.accuracy < 0.35 for score in scores["raw"])
