"""Classifiers and bare models of each family give the library's numbers, padded and saved back too."""

import pytest
import torch
import transformers
from transformers.models.bart.modeling_bart import shift_tokens_right

from llmcourse.hub.folder import load_folder, save_folder

from .references import REFERENCES, TOLERANCE, VOCAB, strongly_randomised, worst

PAD = 1
CLASSES = {
    "gpt2": ["GPT2ForSequenceClassification", "GPT2ForTokenClassification", "GPT2Model"],
    "llama-grouped": ["LlamaForSequenceClassification", "LlamaForTokenClassification", "LlamaModel"],
    "mixtral": ["MixtralForSequenceClassification", "MixtralForTokenClassification", "MixtralModel"],
    "bloom": ["BloomForSequenceClassification", "BloomForTokenClassification", "BloomModel"],
    "opt": ["OPTForSequenceClassification", "OPTModel"],
    "bert": ["BertForSequenceClassification", "BertForTokenClassification", "BertModel", "BertForPreTraining"],
    "bart": ["BartForSequenceClassification", "BartModel"],
    "t5": ["T5Model"],
}
PAIRS = [(family, name) for family, names in CLASSES.items() for name in names]


@pytest.fixture
def batch():
    """Ids whose rows are padded on the right, where they hold the padding's id and nothing else does."""
    ids = torch.randint(3, VOCAB, (3, 11), generator=torch.Generator().manual_seed(4))
    ids[0, 8:] = ids[2, 5:] = PAD
    return ids, ids != PAD


def _reference(family, name):
    config = REFERENCES[family]().config
    config.num_labels, config.pad_token_id = 3, PAD
    return strongly_randomised(getattr(transformers, name)(config))


@pytest.mark.parametrize(("family", "name"), PAIRS, ids=[name for _, name in PAIRS])
@torch.no_grad()
def test_every_class_equals_the_reference_both_ways(family, name, batch, tmp_path):
    ids, is_real = batch
    reference = _reference(family, name)
    reference.save_pretrained(tmp_path / "theirs")
    model = load_folder(tmp_path / "theirs")
    save_folder(model, tmp_path / "ours")
    if name == "BertForPreTraining":  # its other head, for pairs of sentences, has no place here
        name = "BertForMaskedLM"
    again = getattr(transformers, name).from_pretrained(tmp_path / "ours", pad_token_id=PAD).eval()
    for theirs in (reference, again):
        if family in ("bart", "t5"):
            ours, expected = _both_stacks(name, model, theirs)
        else:
            ours, expected = model(ids, is_real=is_real), theirs(ids, attention_mask=is_real.long())[0]
            if ours.shape[:2] == ids.shape:
                ours, expected = ours[is_real], expected[is_real]
        assert worst(ours, expected) < TOLERANCE


def _both_stacks(name, model, theirs):
    """Whole rows that end in the token that BART reads a label from."""
    ids = torch.randint(3, VOCAB, (2, 9), generator=torch.Generator().manual_seed(5))
    ids[:, -1] = 2
    if name == "BartForSequenceClassification":
        return model(ids, shift_tokens_right(ids, PAD, 2)), theirs(ids).logits
    target = ids.flip(1)
    return model(ids, target), theirs(ids, decoder_input_ids=target).last_hidden_state
