"""Folders of published models: what is missing, damaged or unknown is named, and nothing is half loaded or saved."""

import dataclasses
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmcourse.hub import bundled, load, load_tokenizer, save, save_bundle
from llmcourse.model import Learned, Rotary, Sinusoidal, Transformer, TransformerConfig, fused_attend
from llmcourse.tokenizers import ByteBPE

SIZES = {"vocab_size": 260, "d_model": 8, "d_ff": 12, "n_decoder_layers": 2, "n_heads": 2}
CONFIG = TransformerConfig(**SIZES, position=Learned(16), activation="gelu_tanh")
IDS = torch.tensor([[1, 2, 3, 200]])


@pytest.fixture
def tokenizer():
    return ByteBPE.train(["so it goes, so it goes"], 260, ("<|end|>",))


@pytest.fixture
def model():
    return Transformer(CONFIG, generator=torch.Generator().manual_seed(5)).eval()


@pytest.fixture
def folder(tmp_path, model, tokenizer):
    return save(model, tokenizer, tmp_path / "model")


def _edit(path, **changes):
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def _edit_weights(folder, change):
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


def test_a_model_comes_back_as_it_was(folder, model, tokenizer):
    again = load(folder)
    assert again.config == model.config
    assert not again.training
    assert torch.equal(again(IDS), model(IDS))
    assert load_tokenizer(folder).encode("so it goes") == tokenizer.encode("so it goes")


def test_a_model_takes_another_attention(folder, model):
    torch.testing.assert_close(load(folder, attend=fused_attend)(IDS), model(IDS), rtol=1e-4, atol=1e-5)


def test_large_weights_are_spread_over_files_and_come_back(model, tmp_path):
    save(model, None, tmp_path, max_shard_bytes=3_000)
    files = {path.name for path in tmp_path.glob("*.safetensors")}
    assert len(files) > 2
    assert "model.safetensors" not in files
    assert torch.equal(load(tmp_path)(IDS), model(IDS))


def test_saving_again_leaves_no_file_of_the_earlier_save(model, tmp_path):
    other = Transformer(CONFIG, generator=torch.Generator().manual_seed(6)).eval()
    for limit, saved in ((3_000, model), (10**9, other), (2_000, model)):
        save(saved, None, tmp_path, max_shard_bytes=limit)
        assert torch.equal(load(tmp_path)(IDS), saved(IDS))


def test_weights_in_16_bits_are_read_in_32(folder, model):
    _edit_weights(folder, lambda weights: weights.update({n: w.bfloat16() for n, w in weights.items()}))
    again = load(folder)
    assert again.tokens.weight.dtype == torch.float32
    assert torch.equal(again.tokens.weight, model.tokens.weight.bfloat16().float())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mamba"}, "Unknown model_type 'mamba'; known are gpt2, llama, bert"),
        ({"model_type": None}, "Unknown model_type None"),
        ({"activation_function": "mish"}, "activation_function='mish' is not supported; known are relu, gelu"),
        (
            {"scale_attn_by_inverse_layer_idx": True},
            "scale_attn_by_inverse_layer_idx=True is not supported; only False",
        ),
        ({"n_embd": "8"}, "n_embd='8', which is of the wrong kind"),
        ({"n_embd": True}, "n_embd=True, which is of the wrong kind"),
        ({"n_embd": None}, "lacks the field 'n_embd'"),
        ({"n_head": 3}, "d_model=8 does not split into n_heads=3"),
        ({"architectures": ["GPT2DoubleHeadsModel"]}, "'GPT2DoubleHeadsModel'.* is not supported; known for gpt2 are"),
        ({"warp_drive": 9}, "The field warp_drive=9 of config.json is not supported"),
    ],
)
def test_a_config_that_we_cannot_follow_is_refused_by_field(folder, changes, message):
    _edit(folder / "config.json", **changes)
    with pytest.raises(ValueError, match=message):
        load(folder)


def test_a_field_that_is_off_or_has_no_effect_is_passed_over(folder, model):
    _edit(folder / "config.json", warp_drive=None, hyper_space=False, summary_type="cls_index", use_cache=True)
    assert torch.equal(load(folder)(IDS), model(IDS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("transformer.h.1.ln_2.bias"), r"lack 'transformer\.h\.1\.ln_2\.bias'"),
        (
            lambda w: w.update({"transformer.ln_f.bias": torch.ones(9)}),
            r"ln_f\.bias' is \[9\]; the config asks for \[8\]",
        ),
        (lambda w: w.update({"transformer.h.2.ln_1.bias": torch.ones(8)}), r"hold 'transformer\.h\.2\.ln_1\.bias'"),
        (lambda w: w.update({"lm_head.weight": torch.ones(260, 8)}), r"'lm_head\.weight' should repeat"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_tensor(folder, change, message):
    _edit_weights(folder, change)
    with pytest.raises(ValueError, match=message):
        load(folder)


def test_a_copy_of_tied_weights_is_accepted_and_may_stand_for_them(folder, model):
    _edit_weights(folder, lambda w: w.update({"lm_head.weight": w["transformer.wte.weight"].clone()}))
    assert torch.equal(load(folder)(IDS), model(IDS))
    _edit_weights(folder, lambda w: w.pop("transformer.wte.weight"))
    assert torch.equal(load(folder)(IDS), model(IDS))


def test_names_without_the_prefix_and_buffers_are_accepted(folder, model):
    def rename(weights):
        for name in list(weights):
            weights[name.removeprefix("transformer.")] = weights.pop(name)
        weights["h.0.attn.bias"] = torch.ones(1, 1, 16, 16)

    _edit_weights(folder, rename)
    assert torch.equal(load(folder)(IDS), model(IDS))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_a_file_that_is_missing_or_damaged_is_named_in_one_line(folder, name, damage):
    path = folder / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": b"\x80" + content[1:]}[damage])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")) as error:
        load_tokenizer(folder) if name == "tokenizer.json" else load(folder)
    assert "\n" not in str(error.value)


def test_pickled_weights_are_refused_with_the_reason(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"\.bin files are not read: loading them can run code"):
        load(folder)


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"transformer.wte.weight": "../model.safetensors"}, "the name of a file beside it"),
        ({"transformer.wte.weight": 3}, "the name of a file beside it"),
        (None, "the name of a file beside it"),
        ({"transformer.wte.weight": "model-00001-of-00002.safetensors"}, r"no file .*model-00001-of-00002"),
        ({"no.such": "model.safetensors"}, r"lacks 'no\.such', which model\.safetensors\.index\.json says it holds"),
    ],
)
def test_an_index_that_leads_astray_is_refused(folder, weight_map, message):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load(folder)


def test_what_cannot_be_published_is_refused_and_nothing_is_written(model, tokenizer, tmp_path):
    waves = Transformer(dataclasses.replace(CONFIG, position=Sinusoidal()))
    with pytest.raises(ValueError, match="No known family has files for this model"):
        save(waves, tokenizer, tmp_path / "new")
    small = Transformer(dataclasses.replace(CONFIG, vocab_size=99))
    with pytest.raises(ValueError, match="The tokenizer has ids up to 259, but the model knows 0 to 98"):
        save(small, tokenizer, tmp_path / "new")
    with pytest.raises(ValueError, match="The model scores 0 labels, but 2 have names"):
        save(model, tokenizer, tmp_path / "new", labels=("good", "bad"))
    assert not (tmp_path / "new").exists()


def test_a_save_that_breaks_leaves_no_config_to_load(folder, model, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("llmcourse.hub.folder.write_weights", broken)
    with pytest.raises(OSError, match="disk full"):
        save(model, None, folder)
    with pytest.raises(ValueError, match=r"config\.json cannot be read"):
        load(folder)


@pytest.mark.parametrize(
    "head",
    [
        {"head": "none"},
        {"head": "classify", "n_labels": 3},
        {"head": "classify_tokens", "n_labels": 4},
        {"head": "embed", "pool": "mean"},
        {"head": "embed", "pool": "first"},
    ],
    ids=str,
)
def test_every_head_survives(head, tmp_path):
    model = Transformer(dataclasses.replace(CONFIG, **head)).eval()
    again = load(save(model, None, tmp_path))
    assert again.config == model.config
    assert torch.equal(again(IDS), model(IDS))


def test_a_knob_of_the_course_that_no_family_has_is_named(tmp_path):
    model = Transformer(dataclasses.replace(CONFIG, mix_previous=True))
    with pytest.raises(ValueError, match="The files of gpt2 cannot express this model's mix_previous"):
        save(model, None, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_head_that_only_the_file_has_is_left_out(tmp_path):
    model = Transformer(
        TransformerConfig(
            **SIZES, position=Rotary(), norm="rms", activation="silu", gated=True, bias=False, tie_embeddings=False
        )
    )
    save(model, None, tmp_path)
    vectors = load(tmp_path, architecture="LlamaModel")
    torch.testing.assert_close(vectors.decode(IDS), model.eval().decode(IDS))


def test_models_of_the_course_are_loaded_by_name_and_by_folder(tmp_path):
    bundle = bundled()
    save_bundle(tmp_path, bundle.model, bundle.tokenizer, {})
    for place in ("microworld-small", tmp_path):
        assert torch.equal(load(place)(IDS), bundle.model(IDS))
        assert load_tokenizer(place).encode("Once") == bundle.tokenizer.encode("Once")
