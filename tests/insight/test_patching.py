"""Patching: everything gives the clean logits, nothing the corrupted ones, and parts add up where they must."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from llmcourse.insight import (
    Pair,
    Patch,
    keep,
    logit_difference,
    recovered,
    recovered_by_head,
    recovered_by_position,
    run_patched,
    sites,
)
from llmcourse.model import Bucketed, Experts, Transformer, TransformerConfig
from tests.model.conftest import DECODERS, SIZES, lively

PARTS = ("input", "heads", "attention", "feedforward", "output")


@pytest.fixture
def other_ids(ids):
    changed = ids.clone()
    changed[:, 3] = (changed[:, 3] + 5) % 37
    return changed


@torch.no_grad()
def test_everything_patched_gives_the_clean_logits_and_nothing_the_corrupted(decoder, ids, other_ids):
    clean, kept = keep(decoder, ids)
    assert torch.equal(clean, decoder(ids))
    assert set(kept) == {(layer, part) for layer in range(2) for part in PARTS} == set(sites(decoder))
    everything = [Patch(layer, part) for layer, part in sites(decoder)]
    assert torch.equal(run_patched(decoder, other_ids, kept, everything), clean)
    assert torch.equal(run_patched(decoder, other_ids, kept, []), decoder(other_ids))
    assert not torch.equal(clean, decoder(other_ids))


@torch.no_grad()
@pytest.mark.parametrize(
    "config",
    [
        TransformerConfig(**{**SIZES, "n_decoder_layers": 0}, n_encoder_layers=2, head="mlm", norm_first=False),
        dataclasses.replace(DECODERS["rotary"], experts=Experts(3, 2)),
    ],
    ids=["encoder", "experts"],
)
def test_an_encoder_and_a_model_of_experts_can_be_patched_too(config, ids, other_ids):
    model = lively(Transformer(config))
    clean, kept = keep(model, ids)
    assert torch.equal(run_patched(model, other_ids, kept, [Patch(*site) for site in sites(model)]), clean)
    assert not torch.equal(run_patched(model, other_ids, kept, [Patch(0, "feedforward")]), model(other_ids))


@torch.no_grad()
@pytest.mark.parametrize("part", PARTS)
def test_a_run_patched_with_itself_is_unchanged(decoder, ids, part):
    logits, kept = keep(decoder, ids)
    assert_close(run_patched(decoder, ids, kept, [Patch(1, part, (2, 5))]), logits, rtol=0, atol=0)


@torch.no_grad()
def test_all_heads_alone_are_the_attention_that_they_feed(decoder, ids, other_ids):
    _, kept = keep(decoder, ids)
    n_heads = decoder.config.n_heads
    one_by_one = run_patched(decoder, other_ids, kept, [Patch(0, "heads", head=head) for head in range(n_heads)])
    assert_close(one_by_one, run_patched(decoder, other_ids, kept, [Patch(0, "heads")]), rtol=0, atol=0)
    assert_close(one_by_one, run_patched(decoder, other_ids, kept, [Patch(0, "attention")]), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_head_is_patched_as_if_its_columns_were_written_by_hand(ids, other_ids):
    model = lively(Transformer(DECODERS["rotary"]))
    _, kept = keep(model, ids)
    _, other = keep(model, other_ids)
    mixed = other[0, "heads"].clone()
    mixed[:, 4, 10:20] = kept[0, "heads"][:, 4, 10:20]  # the second of three heads, each 10 wide
    layer = model.decoder.blocks[0]
    middle = other[0, "input"] + layer.attention.output(mixed)
    vectors = middle + layer.feedforward(layer.feedforward_norm(middle))
    expected = run_patched(model, other_ids, {(1, "input"): vectors}, [Patch(1, "input")])
    assert_close(run_patched(model, other_ids, kept, [Patch(0, "heads", (4,), head=1)]), expected)


@torch.no_grad()
def test_a_patch_reaches_what_comes_after_it_and_nothing_before(decoder, ids, other_ids):
    _, kept = keep(decoder, ids)
    logits, before = run_patched(decoder, other_ids, kept, [Patch(1, "input", (6, 7))]), decoder(other_ids)
    assert torch.equal(logits[:, :6], before[:, :6])
    assert (logits[:, 6:] - before[:, 6:]).abs().amax(dim=-1).min() > 1e-5


def test_recovered_runs_from_nothing_to_all(decoder, ids, other_ids):
    pair = Pair(ids, other_ids, torch.tensor([1, 2]), torch.tensor([3, 4]))
    rows = recovered(decoder, pair, [[], [Patch(0, "input")], [Patch(1, "output", (10,))]])
    assert_close(rows, torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]), rtol=0, atol=1e-5)
    by_head, by_position = recovered_by_head(decoder, pair), recovered_by_position(decoder, pair)
    assert by_head.shape == (2, decoder.config.n_heads)
    assert_close(by_position[1, -1], torch.tensor(1.0), rtol=0, atol=1e-5)
    assert by_position[:, :3].abs().max() < 1e-5  # before the change both runs hold the same


def test_the_difference_of_logits_is_that_of_log_probabilities(decoder, ids):
    logits = decoder(ids)
    answers, others = torch.tensor([1, 2]), torch.tensor([3, 4])
    logs = logits[:, -1].log_softmax(dim=-1)
    expected = torch.stack([logs[0, 1] - logs[0, 3], logs[1, 2] - logs[1, 4]])
    assert_close(logit_difference(logits, answers, others), expected, rtol=1e-4, atol=1e-5)


def test_no_hook_stays_behind_even_after_an_error(decoder, ids, other_ids):
    def n_hooks() -> int:
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in decoder.modules())

    _, kept = keep(decoder, ids)
    run_patched(decoder, other_ids, kept, [Patch(0, part) for part in PARTS])
    with pytest.raises(ValueError, match="The positions are 0 to 10, not"):
        run_patched(decoder, other_ids, kept, [Patch(0, "input"), Patch(1, "output", (11,))])
    assert n_hooks() == 0


def test_places_that_a_model_has_not_are_refused_in_one_line(decoder, ids, other_ids):
    _, kept = keep(decoder, ids)
    with pytest.raises(ValueError, match="The layers are 0 to 1, not 2"):
        run_patched(decoder, ids, kept, [Patch(2, "output")])
    with pytest.raises(ValueError, match="The heads are 0 to 2, not 3"):
        run_patched(decoder, ids, kept, [Patch(0, "heads", head=3)])
    with pytest.raises(ValueError, match=r"Both runs need one shape: \(2, 11\) was kept, not \(2, 7\)."):
        run_patched(decoder, ids[:, :7], kept, [Patch(0, "output")])
    with pytest.raises(ValueError, match="A part is one of input, heads, attention, feedforward, output, not 'mlp'"):
        Patch(0, "mlp")
    with pytest.raises(ValueError, match='Only the part "heads" has heads to choose from'):
        Patch(0, "output", head=0)
    with pytest.raises(ValueError, match="Clean and corrupted prompts need one shape"):
        Pair(ids, ids[:, 1:], torch.tensor([1, 2]), torch.tensor([3, 4]))
    with pytest.raises(ValueError, match="there is nothing to bring back"):
        recovered(decoder, Pair(ids, ids, torch.tensor([1, 2]), torch.tensor([3, 4])), [[]])


def test_models_that_cannot_be_compared_are_refused_in_one_line(ids):
    both = Transformer(TransformerConfig(**SIZES, n_encoder_layers=1, position=Bucketed(8, 20)))
    with pytest.raises(ValueError, match="this one has an encoder and a decoder"):
        keep(both, ids)
    silent = Transformer(dataclasses.replace(DECODERS["rotary"], head="none"))
    with pytest.raises(ValueError, match="which a head of the kind 'none' has not"):
        keep(silent, ids)
