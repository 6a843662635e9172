"""What we save opens in the transformers library, and its pipelines give our model's answers."""

import dataclasses

import pytest
import torch
import transformers

from llmcourse.data import DocumentBatches, encode_documents
from llmcourse.decoding import generate
from llmcourse.hub import load, load_tokenizer, save
from llmcourse.model import Bucketed, Learned, Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, train
from llmcourse.world import World

pytestmark = pytest.mark.slow  # the library's pipelines take seconds to import

TEXT = "the key is with Dora"
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
TOKENIZER = ByteBPE.train([TEXT, "Ben has the lamp, so it goes"], 280, SPECIALS)


@pytest.fixture(autouse=True)
def quiet():
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def _lively(config: TransformerConfig) -> Transformer:
    model = Transformer(config).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model


def _encoder(**head) -> Transformer:
    sizes = {"vocab_size": TOKENIZER.vocab_size, "d_model": 24, "d_ff": 40, "n_encoder_layers": 2, "n_heads": 3}
    shape = {"position": Learned(64), "norm_first": False, "norm_eps": 1e-12, "n_segments": 2, "embed_norm": True}
    return _lively(TransformerConfig(**sizes, **shape, **head))


def _ids(*names_and_texts: str) -> list[int]:
    ids: list[int] = []
    for part in names_and_texts:
        ids += [TOKENIZER.special_id(part)] if part in SPECIALS else TOKENIZER.encode(part)
    return ids


@torch.no_grad()
def _logits(model: Transformer, *parts: str, segments: list[int] | None = None) -> torch.Tensor:
    options = {} if segments is None else {"segments": torch.tensor([segments])}
    return model(torch.tensor([_ids("[CLS]", *parts, "[SEP]")]), **options)[0]


def _probs(model: Transformer, *parts: str) -> torch.Tensor:
    return _logits(model, *parts).softmax(-1)


@pytest.fixture(scope="module")
def trained():
    """A decoder that our loop trained on two stories of the microworld, and its tokenizer."""
    texts = [document.text for document in World(seed=0).documents(24)]
    tokenizer = ByteBPE.train(texts, 400, ("<|end|>",))
    documents = encode_documents(texts, tokenizer, tokenizer.special_id("<|end|>"))
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 48, "d_ff": 96, "n_decoder_layers": 2, "n_heads": 3}
    shape = {"position": Rotary(), "activation": "silu", "gated": True, "norm": "rms", "bias": False}
    model = Transformer(TransformerConfig(**sizes, **shape), generator=torch.Generator().manual_seed(1))
    for _ in train(
        model, DocumentBatches(documents[:2], 2), TrainConfig(steps=60, lr=2e-2, warmup=2, optimizer="muon")
    ):
        pass
    return model.eval(), tokenizer


def test_a_model_that_our_loop_trained_writes_on(trained, tmp_path):
    model, tokenizer = trained
    save(model, tokenizer, tmp_path)
    writer = transformers.pipeline("text-generation", model=str(tmp_path))
    written = writer("Once", max_new_tokens=30, do_sample=False, return_full_text=False)[0]["generated_text"]
    start = torch.tensor([[tokenizer.special_id("<|end|>"), *tokenizer.encode("Once")]])
    ours = generate(model, start, 30, eos=(tokenizer.special_id("<|end|>"),))[0].tolist()
    assert written == tokenizer.decode(ours).removesuffix("<|end|>")
    assert len(set(ours)) > 1


def test_left_padded_batches_write_what_single_texts_do(trained, tmp_path):
    save(*trained, tmp_path)
    writer = transformers.pipeline("text-generation", model=str(tmp_path), batch_size=2)
    prompts = ["Once", "On Monday Ben had the"]
    options = {"max_new_tokens": 12, "do_sample": False, "return_full_text": False}
    assert [rows[0] for rows in writer(prompts, **options)] == [writer(prompt, **options)[0] for prompt in prompts]


def test_the_mask_is_filled(tmp_path):
    model = _encoder(head="mlm")
    save(model, TOKENIZER, tmp_path)
    filler = transformers.pipeline("fill-mask", model=str(tmp_path), top_k=3)
    found = filler("the key[MASK] with Dora")
    parts = ("the key", "[MASK]", " with Dora")
    probs = _probs(model, *parts)[1 + len(TOKENIZER.encode("the key"))]
    assert [answer["token"] for answer in found] == probs.topk(3).indices.tolist()
    assert [answer["score"] for answer in found] == pytest.approx(probs.topk(3).values.tolist(), rel=1e-3)


def test_a_text_is_classified(tmp_path):
    labels = ("glad", "sad", "calm")
    model = _encoder(head="classify", n_labels=3, pool="first", pooler=True)
    save(model, TOKENIZER, tmp_path, labels=labels)
    found = transformers.pipeline("text-classification", model=str(tmp_path), top_k=None)([TEXT])
    expected = dict(zip(labels, _probs(model, TEXT).tolist(), strict=True))
    assert {answer["label"]: answer["score"] for answer in found[0]} == pytest.approx(expected, rel=1e-3)


def test_a_decoder_classifies_too(trained, tmp_path):
    language_model, tokenizer = trained
    model = _lively(dataclasses.replace(language_model.config, head="classify", n_labels=2))
    save(model, tokenizer, tmp_path, labels=("yes", "no"))
    found = transformers.pipeline("text-classification", model=str(tmp_path), top_k=None)([TEXT])
    ids = torch.tensor([[tokenizer.special_id("<|end|>"), *tokenizer.encode(TEXT)]])
    with torch.no_grad():
        expected = dict(zip(("yes", "no"), model(ids)[0].softmax(-1).tolist(), strict=True))
    assert {answer["label"]: answer["score"] for answer in found[0]} == pytest.approx(expected, rel=1e-3)


def test_tokens_are_classified(tmp_path):
    labels = ("O", "PERSON", "THING", "PLACE")
    model = _encoder(head="classify_tokens", n_labels=4)
    save(model, TOKENIZER, tmp_path, labels=labels)
    found = transformers.pipeline("token-classification", model=str(tmp_path), ignore_labels=[])(TEXT)
    probs = _probs(model, TEXT)[1:-1]  # the pipeline leaves special tokens out
    assert [answer["entity"] for answer in found] == [labels[place] for place in probs.argmax(-1).tolist()]
    assert [answer["score"] for answer in found] == pytest.approx(probs.amax(-1).tolist(), rel=1e-3)


def test_features_are_the_models_vectors(tmp_path):
    model = _encoder(head="none")
    save(model, TOKENIZER, tmp_path)
    found = transformers.pipeline("feature-extraction", model=str(tmp_path))(TEXT)
    with torch.no_grad():
        vectors = model(torch.tensor([_ids("[CLS]", TEXT, "[SEP]")]))
    torch.testing.assert_close(torch.tensor(found), vectors, rtol=1e-4, atol=1e-5)


def test_labels_that_were_never_trained_are_weighed(tmp_path):
    model = _encoder(head="classify", n_labels=3, pool="first", pooler=True)
    save(model, TOKENIZER, tmp_path, labels=("contradiction", "neutral", "entailment"))
    found = transformers.pipeline("zero-shot-classification", model=str(tmp_path))(TEXT, ["keys", "lamps"])
    entailments = []
    for label in ("keys", "lamps"):
        claim = f"This example is {label}."
        segments = [0] * len(_ids("[CLS]", TEXT, "[SEP]")) + [1] * len(_ids(claim, "[SEP]"))
        entailments.append(_logits(model, TEXT, "[SEP]", claim, segments=segments)[2])
    expected = dict(zip(("keys", "lamps"), torch.stack(entailments).softmax(0).tolist(), strict=True))
    assert dict(zip(found["labels"], found["scores"], strict=True)) == pytest.approx(expected, rel=1e-3)


def test_an_encoder_decoder_generates_in_the_library(tmp_path):
    """Version 5 of the library has no pipeline for them any more, so `generate` it is."""
    specials = ("<pad>", "<s>", "</s>")
    tokenizer = ByteBPE.train([TEXT], 270, specials)
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 24, "d_ff": 40, "n_heads": 3}
    shape = {"norm": "rms", "norm_eps": 1e-6, "bias": False, "scale_scores": False, "scale_logits": True}
    config = TransformerConfig(
        **sizes, **shape, n_encoder_layers=2, n_decoder_layers=1, activation="relu", position=Bucketed()
    )
    save(_lively(config), tokenizer, tmp_path)
    theirs = transformers.AutoModelForSeq2SeqLM.from_pretrained(tmp_path)
    library_tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    ids = library_tokenizer([TEXT], return_tensors="pt").input_ids
    written = theirs.generate(ids, max_new_tokens=8, do_sample=False, eos_token_id=None)
    start = torch.tensor([[tokenizer.special_id("<s>")]])
    ours = generate(load(tmp_path), start, 8, source=ids)
    assert written[:, 1:].tolist() == ours.tolist()
    assert load_tokenizer(tmp_path).encode(TEXT) == ids[0, 1:].tolist()
