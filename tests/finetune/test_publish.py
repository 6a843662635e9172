"""What was tuned opens in the transformers library, and gives the same numbers there."""

from dataclasses import replace

import pytest
import torch
import transformers

from llmcourse.finetune import (
    Classifier,
    LoraConfig,
    add_lora,
    classification_batches,
    is_real_in,
    label_batch,
    label_nats,
    merge_lora,
    tag_batches,
    tag_names,
    tag_nats,
    tagger,
)
from llmcourse.hub import load, save
from llmcourse.model import Alibi, Learned, Rotary, Transformer, TransformerConfig
from llmcourse.training import TrainConfig, train
from llmcourse.world import MoodRecord
from llmcourse.world.tasks.entities import KINDS
from tests.finetune.conftest import make_backbone

LABELS = ["calm", "happy", "sad"]
RECORDS = [MoodRecord(*each) for each in (("ha ha", "happy"), ("ha oh", "sad"), ("ho", "happy"), ("mm", "calm"))]
EXAMPLES = [([5, 9, 2, 7, 11], 0), ([3, 8], 2), ([6, 1, 4], 1)]
FAMILIES = {
    "gpt2": {"position": Learned(32), "activation": "gelu_tanh"},
    "llama": {"position": Rotary(), "activation": "silu", "gated": True, "norm": "rms", "bias": False, "n_kv_heads": 1},
    "bloom": {"position": Alibi(), "activation": "gelu_tanh", "d_ff": 48, "embed_norm": True},
}


@pytest.fixture(autouse=True)
def quiet():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def decoder(tokenizer, family):
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 12, "d_ff": 20, "n_heads": 3, "n_decoder_layers": 2}
    model = Transformer(TransformerConfig(**{**sizes, **FAMILIES[family]}), generator=torch.Generator().manual_seed(0))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    return model


@pytest.mark.slow  # the library takes seconds to import
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tied", [True, False])
def test_a_trained_classifier_gives_the_same_scores_in_the_library(tokenizer, family, tied, tmp_path):
    base = decoder(tokenizer, family)
    if not tied:
        base = Transformer(replace(base.config, tie_embeddings=False))
    classifier = Classifier(base, len(LABELS))
    batches = classification_batches(RECORDS, tokenizer, LABELS, batch_size=4)
    list(train(classifier, batches, TrainConfig(steps=5, lr=2e-2), objective=label_nats, progress=False))
    classifier.eval()
    assert save(classifier, None, tmp_path / "mood", labels=LABELS) == tmp_path / "mood"
    pad = tokenizer.special_id("<|end|>")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "mood", pad_token_id=pad)
    assert theirs.config.model_type == family
    assert [theirs.config.id2label[i] for i in range(3)] == LABELS
    batch = label_batch(EXAMPLES)
    is_real = is_real_in(batch)
    with torch.no_grad():
        ours = classifier(batch.inputs, is_real)
        ids = batch.inputs.masked_fill(~is_real, pad)
        torch.testing.assert_close(ours, theirs(ids, attention_mask=is_real.long()).logits, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(ours, load(tmp_path / "mood")(batch.inputs, is_real=is_real), rtol=1e-4, atol=1e-5)
    assert ours.std() > 0.01


@pytest.mark.slow
def test_a_trained_tagger_gives_the_same_scores_in_the_library(tokenizer, world, tmp_path):
    tags = tag_names(KINDS)
    like_bert = {"norm_first": False, "norm_eps": 1e-12, "n_segments": 2, "embed_norm": True, "position": Learned(400)}
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 12, "d_ff": 20, "n_heads": 3, "n_encoder_layers": 2}
    model = tagger(Transformer(TransformerConfig(**sizes, **like_bert)), len(tags))
    batches = tag_batches(world.task("entities", 4), tokenizer, tags, batch_size=2)
    list(train(model, batches, TrainConfig(steps=3, lr=2e-2), objective=tag_nats, progress=False))
    model.eval()
    save(model, None, tmp_path, labels=tags)
    theirs = transformers.AutoModelForTokenClassification.from_pretrained(tmp_path)
    batch = batches.batch(0)
    with torch.no_grad():
        ours = model(batch.inputs, is_real=batch.is_real)[batch.is_real]
        expected = theirs(batch.inputs, attention_mask=batch.is_real.long()).logits[batch.is_real]
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    assert theirs.config.id2label[1] == "B-person"


def test_a_classifier_as_a_transformer_is_a_copy_with_the_same_scores(tokenizer):
    classifier = Classifier(decoder(tokenizer, "gpt2"), 3).eval()
    torch.nn.init.normal_(classifier.head.weight)
    model = classifier.to_transformer()
    batch = label_batch(EXAMPLES)
    is_real = is_real_in(batch)
    torch.testing.assert_close(model(batch.inputs, is_real=is_real), classifier(batch.inputs, is_real))
    before = classifier(batch.inputs, is_real)
    for weight in model.parameters():
        weight.data.zero_()
    assert torch.equal(classifier(batch.inputs, is_real), before)


def test_what_no_family_can_express_is_refused_and_nothing_is_written(tokenizer, tmp_path):
    encoder = make_backbone(tokenizer.vocab_size, encoder=True)
    with pytest.raises(ValueError, match=r"^No known family has files for this model\."):
        save(Classifier(encoder, 3), None, tmp_path / "mood", labels=LABELS)
    assert not (tmp_path / "mood").exists()


def test_corrections_are_merged_before_a_model_is_published(tokenizer, tmp_path):
    lora = LoraConfig(rank=2)
    model = decoder(tokenizer, "gpt2")
    for layer in add_lora(model, lora).values():
        torch.nn.init.normal_(layer.widen)
    ids = torch.tensor([[5, 9, 2]])
    expected = model(ids)
    with pytest.raises(ValueError, match=r"holds 'decoder.blocks.0.attention.query.base.*merge what was added first"):
        save(model, None, tmp_path / "model")
    classifier = Classifier(model, 3, frozen=True)
    with pytest.raises(ValueError, match=r"carries LoRA: merge_lora\(classifier.backbone\)"):
        save(classifier, None, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    merge_lora(model)
    save(model, None, tmp_path / "model")
    torch.testing.assert_close(load(tmp_path / "model")(ids), expected, rtol=1e-4, atol=1e-5)
    save(classifier, None, tmp_path / "mood", labels=LABELS)
    assert load(tmp_path / "mood")(ids).shape == (1, 3)
