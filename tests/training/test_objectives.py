import dataclasses

import pytest
import torch

from llmcourse.data import IGNORE, DocumentBatches, MaskedBatches, Masking, SpanBatches, Spans, encode_documents
from llmcourse.model import Bucketed, Learned, Transformer, TransformerConfig, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, evaluate, masked_nats, next_token_nats, span_nats, train
from llmcourse.world import World

DOCUMENTS = [[0, *(1 + (i * j) % 9 for j in range(1, 12 + i % 5)), 0] for i in range(1, 9)]
MASKING = Masking(mask_id=10, vocab_size=11, specials=frozenset({0}))
SPANS = Spans(sentinels=tuple(range(10, 16)))
SIZES = {"vocab_size": 16, "d_model": 8, "d_ff": 12, "n_heads": 2}


def encoder(**fields):
    config = {**SIZES, "n_encoder_layers": 1, "head": "mlm", "position": Learned(512), **fields}
    return Transformer(TransformerConfig(**config), attend=fused_attend, generator=torch.Generator().manual_seed(1))


def both(**fields):
    config = {**SIZES, "n_encoder_layers": 1, "n_decoder_layers": 1, "position": Bucketed(), **fields}
    return Transformer(TransformerConfig(**config), attend=fused_attend, generator=torch.Generator().manual_seed(1))


def test_the_masked_loss_is_the_surprise_at_hidden_tokens_alone():
    model, batch = encoder(), MaskedBatches(DocumentBatches(DOCUMENTS, 4), MASKING).batch(0)
    nats = masked_nats(model, batch)
    hidden = (batch.targets != IGNORE).nonzero().tolist()
    assert 0 < len(hidden) < batch.is_real.sum() / 4
    for row, place in hidden:
        n_real = int(batch.is_real[row].sum())
        probs = model(batch.inputs[row : row + 1, :n_real])[0, place].softmax(dim=-1)  # the row alone, unpadded
        assert nats[row, place].item() == pytest.approx(-probs[batch.targets[row, place]].log().item(), rel=1e-4)
    assert nats[batch.targets == IGNORE].eq(0).all()


def test_the_span_loss_is_that_of_writing_the_spans_after_the_source():
    model, batch = both(), SpanBatches(DocumentBatches(DOCUMENTS, 4), SPANS).batch(0)
    nats = span_nats(model, batch)
    assert (~batch.source_is_real).any()
    for row in range(4):
        source = batch.source[row : row + 1, : int(batch.source_is_real[row].sum())]
        n = int(batch.is_target[row].sum())
        log_probs = model(source, batch.inputs[row : row + 1, :n])[0].log_softmax(dim=-1)
        alone = [-log_probs[place, batch.targets[row, place]].item() for place in range(n)]
        assert nats[row, :n].tolist() == pytest.approx(alone, rel=1e-4)
    assert nats[~batch.is_target].eq(0).all()


@pytest.mark.parametrize("objective", [masked_nats, span_nats], ids=["masked", "span"])
def test_an_objective_refuses_the_batches_of_another(objective):
    with pytest.raises(ValueError, match=r"_nats needs what \w+Batches gives, not a Batch"):
        objective(encoder(), DocumentBatches(DOCUMENTS, 4).batch(0))


@pytest.mark.parametrize(
    ("make", "hide", "rule", "objective"),
    [(encoder, MaskedBatches, MASKING, masked_nats), (both, SpanBatches, SPANS, span_nats)],
    ids=["masked", "span"],
)
def test_a_resumed_run_hides_what_the_whole_run_hid(tmp_path, make, hide, rule, objective):
    config = TrainConfig(steps=6, warmup=1, lr=0.01)
    whole, cut, resumed = make(), make(), make()
    options = {"objective": objective, "progress": False}
    list(train(whole, hide(DocumentBatches(DOCUMENTS, 3), rule), config, **options))
    run = train(cut, hide(DocumentBatches(DOCUMENTS, 3), rule), config, checkpoint_path=tmp_path / "run.pt", **options)
    for _ in range(2):
        next(run)
    run.close()
    again = hide(DocumentBatches(DOCUMENTS, 3), rule)
    list(train(resumed, again, config, resume_from=tmp_path / "run.pt", **options))
    assert all(map(torch.equal, whole.parameters(), resumed.parameters()))


@pytest.fixture(scope="module")
def stories():
    texts = [document.text for document in World(seed=0).documents(600, split="train")]
    tokenizer = ByteBPE.train(texts[:100], 400, ["<|end|>"])
    end = tokenizer.special_id("<|end|>")
    documents = encode_documents([text[:300] for text in texts], tokenizer, end)
    return tokenizer, end, documents[:500], documents[500:]


@pytest.mark.slow
def test_an_encoder_learns_the_microworld_from_both_sides(stories):
    tokenizer, end, documents, unseen = stories
    masking = Masking(mask_id=tokenizer.vocab_size, vocab_size=tokenizer.vocab_size, specials=frozenset({end}))
    model = encoder(vocab_size=tokenizer.vocab_size + 1, d_model=48, d_ff=96)
    before, counted, after = learned(model, documents, unseen, MaskedBatches, masking, masked_nats)
    assert after < counted - 0.3 < before  # it reads what stands around, which counting words does not
    # what stands after a hidden token helps: a decoder's mask over the same weights reads less well
    batch = MaskedBatches(DocumentBatches(unseen, 20), masking, seed=9).batch(0)
    cut = dataclasses.replace(batch, inputs=batch.inputs.masked_fill(_after_the_last(batch), masking.mask_id))
    assert masked_nats(model, cut).sum() > masked_nats(model, batch).sum()


def _after_the_last(batch):
    """True after the last hidden token of each row, where nothing is asked."""
    places = torch.arange(batch.inputs.shape[1])
    last = (batch.is_target * places).amax(dim=1, keepdim=True)
    return (places > last) & batch.is_real


@pytest.mark.slow
def test_an_encoder_decoder_learns_to_fill_the_holes_of_the_microworld(stories):
    tokenizer, _, documents, unseen = stories
    spans = Spans(sentinels=tuple(range(tokenizer.vocab_size, tokenizer.vocab_size + 24)))
    model = both(vocab_size=tokenizer.vocab_size + 24, d_model=48, d_ff=96)
    before, counted, after = learned(model, documents, unseen, SpanBatches, spans, span_nats)
    assert after < counted - 0.3 < before


def learned(model, documents, unseen, hide, rule, objective) -> tuple[float, float, float]:
    """Nats per hidden token of unseen stories: before a short training, by counting what is asked for, and after it."""
    test = [hide(DocumentBatches(unseen, 20), rule, seed=9).batch(step) for step in range(5)]
    before = evaluate(model, test, objective=objective).nats_per_token
    config = TrainConfig(steps=150, lr=2e-2, warmup=10, optimizer="muon")
    batches = hide(DocumentBatches(documents, 8), rule)
    asked = torch.cat([part.targets[part.is_target] for part in map(batches.batch, range(150))])
    counts = torch.bincount(asked, minlength=model.config.vocab_size) + 1.0
    surprise = -(counts / counts.sum()).log()
    counted = torch.cat([surprise[part.targets[part.is_target]] for part in test]).mean().item()
    for _ in train(model, batches, config, objective=objective, progress=False):
        pass
    return before, counted, evaluate(model, test, objective=objective).nats_per_token


def test_the_causal_objective_is_the_default():
    model = Transformer(TransformerConfig(**SIZES, n_decoder_layers=1), generator=torch.Generator().manual_seed(0))
    batch = DocumentBatches(DOCUMENTS, 4).batch(0)
    record = next(train(model, DocumentBatches(DOCUMENTS, 4), TrainConfig(steps=1, lr=1e-9), progress=False))
    assert record.loss == pytest.approx((next_token_nats(model, batch).sum() / batch.n_targets).item(), abs=1e-5)
