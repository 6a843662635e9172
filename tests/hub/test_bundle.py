import dataclasses
import json

import pytest
import torch

from llmcourse.hub import Bundle, bundled, load_bundle, save_bundle
from llmcourse.hub.config_file import config_to_dict
from llmcourse.model import ExplicitAttend, Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE

CONFIG = TransformerConfig(vocab_size=260, d_model=8, d_ff=12, n_decoder_layers=1, n_heads=2, position=Rotary())


@pytest.fixture
def bundle():
    tokenizer = ByteBPE.train(["so it goes, so it goes"], 260, ("<|end|>",))
    return Bundle(Transformer(CONFIG).eval(), tokenizer, {"seed": 3})


@pytest.fixture
def folder(tmp_path, bundle):
    return save_bundle(tmp_path / "model", bundle.model, bundle.tokenizer, bundle.manifest)


def test_a_bundle_comes_back_as_it_was_up_to_16_bits(folder, bundle):
    again = load_bundle(folder)
    assert again.model.config == CONFIG
    assert not again.model.training
    assert again.tokenizer.encode("so it goes") == bundle.tokenizer.encode("so it goes")
    assert again.manifest["seed"] == 3
    assert again.manifest["parameters"] == sum(weight.numel() for weight in bundle.model.parameters())
    for name, weight in bundle.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], weight.half().float())


def test_a_bundle_takes_another_attention(folder):
    calls = []

    def attend(query, key, value, bias=None):
        calls.append(query.shape)
        return ExplicitAttend()(query, key, value, bias)

    load_bundle(folder, attend).model(torch.tensor([[1, 2, 3]]))
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_file_that_is_missing_or_damaged_is_named_in_one_line(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": b"\x80" + content[1:]}[damage])
    with pytest.raises(ValueError, match=name) as error:
        load_bundle(folder)
    assert "\n" not in str(error.value)


def test_weights_that_were_exchanged_are_noticed(folder, tmp_path, bundle):
    other = save_bundle(tmp_path / "other", Transformer(CONFIG), bundle.tokenizer, {})
    (folder / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged: its checksum"):
        load_bundle(folder)


def test_weights_of_another_architecture_are_noticed(folder):
    config = config_to_dict(dataclasses.replace(CONFIG, d_ff=16))
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"does not hold the weights of the model that config\.json describes"):
        load_bundle(folder)


def test_a_tokenizer_of_another_size_is_noticed(folder):
    ByteBPE.train(["so it goes"], 258, ("<|end|>",)).save(folder / "tokenizer.json")
    with pytest.raises(ValueError, match="its tokenizer has 258 tokens, its model 260"):
        load_bundle(folder)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"No model .gpt-9. comes with the course; known are: .*microworld-small"):
        bundled("gpt-9")
