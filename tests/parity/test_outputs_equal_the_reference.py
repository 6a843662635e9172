"""Random tiny models give the transformers library's numbers: logits, padded or not, losses and generated text."""

import inspect

import pytest
import torch

from llmcourse.decoding import beam_search, generate
from llmcourse.training import cross_entropy

from .references import BOTH, DECODERS, ENCODERS, REFERENCES, TOLERANCE, worst

every = pytest.mark.parametrize("pair", REFERENCES, indirect=True)
decoders = pytest.mark.parametrize("pair", DECODERS, indirect=True)
both_stacks = pytest.mark.parametrize("pair", BOTH, indirect=True)


def _logits(pair, ids, target_ids, is_real=None, target_is_real=None):
    """Ours, theirs."""
    options = {} if is_real is None else {"attention_mask": is_real.long()}
    positions = None
    takes_positions = "position_ids" in inspect.signature(pair.reference.forward).parameters
    if is_real is not None and takes_positions:
        options["position_ids"] = (is_real.long().cumsum(-1) - 1).clamp(min=0)
    elif pair.name.startswith("bart"):  # its positions run over padding too; ours are told to
        positions = torch.arange(ids.shape[1]).expand_as(ids)
    if pair.name in BOTH:
        if target_is_real is not None:
            options["decoder_attention_mask"] = target_is_real.long()
        theirs = pair.reference(ids, decoder_input_ids=target_ids, **options).logits
        ours = pair.model(ids, target_ids, is_real=is_real, positions=positions, target_is_real=target_is_real)
        return ours, theirs
    return pair.model(ids, is_real=is_real, positions=positions), pair.reference(ids, **options).logits


def _is_real(ids, side):
    is_real = torch.ones_like(ids, dtype=torch.bool)
    rows = is_real if side == "left" else is_real.flip(1)
    rows[0, :5] = rows[2, :1] = False
    return rows if side == "left" else rows.flip(1)


@every
@torch.no_grad()
def test_logits_equal_the_reference(pair, ids, target_ids):
    assert worst(*_logits(pair, ids, target_ids)) < TOLERANCE


@every
@pytest.mark.parametrize("side", ["left", "right"])
@torch.no_grad()
def test_padded_logits_equal_the_reference(pair, ids, target_ids, side):
    is_real = _is_real(ids, side)
    ours, theirs = _logits(pair, ids, target_ids, is_real)
    if pair.name not in BOTH:
        ours, theirs = ours[is_real], theirs[is_real]
    assert worst(ours, theirs) < TOLERANCE


@both_stacks
@torch.no_grad()
def test_logits_of_padded_sources_and_targets_equal_the_reference(pair, ids, target_ids):
    is_real, target_is_real = _is_real(ids, "left"), _is_real(target_ids, "right")
    ours, theirs = _logits(pair, ids, target_ids, is_real, target_is_real)
    assert worst(ours[target_is_real], theirs[target_is_real]) < TOLERANCE


@every
@torch.no_grad()
def test_losses_equal_the_reference(pair, ids, target_ids):
    if pair.name in DECODERS:
        loss = cross_entropy(pair.model(ids)[:, :-1], ids[:, 1:])
        theirs = pair.reference(ids, labels=ids).loss
    elif pair.name in ENCODERS:
        labels = ids.roll(1, dims=1)
        loss, theirs = cross_entropy(pair.model(ids), labels), pair.reference(ids, labels=labels).loss
    else:
        start = pair.reference.prepare_decoder_input_ids_from_labels(target_ids)
        loss, theirs = cross_entropy(pair.model(ids, start), target_ids), pair.reference(ids, labels=target_ids).loss
    torch.testing.assert_close(loss, theirs, rtol=1e-5, atol=1e-5)


@decoders
def test_greedy_continuations_equal_the_reference(pair, ids):
    theirs = _generated(pair, ids)
    assert generate(pair.model, ids, 9).tolist() == theirs[:, ids.shape[1] :].tolist()


@decoders
@pytest.mark.slow
def test_beams_equal_the_reference(pair, ids):
    for prompt in ids[:2]:
        theirs = _generated(pair, prompt[None], num_beams=3, num_return_sequences=3, length_penalty=0.0)
        found = beam_search(pair.model, prompt, 9, n_beams=3)
        assert [list(beam.ids) for beam in found] == theirs[:, len(prompt) :].tolist()


@both_stacks
def test_greedy_targets_equal_the_reference(pair, ids):
    start = pair.reference.generation_config.decoder_start_token_id
    prompts = torch.full((len(ids), 1), start)
    theirs = _generated(pair, ids)
    assert generate(pair.model, prompts, 9, source=ids).tolist() == theirs[:, 1:].tolist()


@both_stacks
def test_greedy_targets_of_padded_sources_equal_the_reference(pair, ids):
    start = pair.reference.generation_config.decoder_start_token_id
    prompts = torch.full((len(ids), 1), start)
    is_real = _is_real(ids, "right")
    theirs = _generated(pair, ids, attention_mask=is_real.long())
    ours = generate(pair.model, prompts, 9, source=ids, source_is_real=is_real)
    assert ours.tolist() == theirs[:, 1:].tolist()


@both_stacks
@pytest.mark.slow
def test_beams_of_targets_equal_the_reference(pair, ids):
    prompt = torch.tensor([pair.reference.generation_config.decoder_start_token_id])
    for source in ids[:2]:
        theirs = _generated(pair, source[None], num_beams=3, num_return_sequences=3, length_penalty=0.0)
        found = beam_search(pair.model, prompt, 9, n_beams=3, source=source[None])
        assert [list(beam.ids) for beam in found] == theirs[:, 1:].tolist()


def _generated(pair, ids, **options):
    options = {"attention_mask": torch.ones_like(ids), **options}
    limits = {"max_new_tokens": 9, "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    return pair.reference.generate(ids, **limits, **options)
