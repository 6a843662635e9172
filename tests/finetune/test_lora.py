"""LoRA against its formula, its laws, and the five mistakes that it invites."""

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmcourse.finetune import (
    Classifier,
    ExampleBatches,
    LoraConfig,
    LoraLinear,
    add_lora,
    find_lora,
    load_lora,
    merge_lora,
    save_lora,
    sft_batch,
    unmerge_lora,
)
from llmcourse.finetune.sft import chat_of, encode_chat
from llmcourse.model import Bucketed, Learned, Rotary
from llmcourse.training import TrainConfig, train
from tests.finetune.conftest import make_backbone

CONFIG = LoraConfig(rank=3, alpha=7.0, layers=("*.query", "*.value", "*feedforward.up"))
IDS = torch.tensor([[5, 9, 2, 7, 11], [3, 8, 1, 6, 4]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def lively(model, config=CONFIG):
    """The model with corrections that do something, as after training."""
    for layer in add_lora(model, config, seeded()).values():
        torch.nn.init.normal_(layer.widen, generator=seeded(1))
    return model


def by_formula(model):
    """The weights that the paper's h = W x + (α/r) B A x amounts to, worked out number by number."""
    weights = {}
    for name, layer in find_lora(model).items():
        a, b, w = layer.narrow.tolist(), layer.widen.tolist(), layer.base.weight.tolist()
        weights[f"{name}.weight"] = torch.tensor(
            [
                [
                    w[row][column] + 7.0 / 3 * sum(b[row][k] * a[k][column] for k in range(3))
                    for column in range(len(w[0]))
                ]
                for row in range(len(w))
            ]
        )
    return weights


def laws(backbone):
    """What LoRA must be, in one place, so that each planted mistake below can be held against it."""
    plain = copy.deepcopy(backbone)
    before = plain(IDS)
    adapters = add_lora(backbone, CONFIG, seeded())
    assert torch.equal(backbone(IDS), before), "fresh corrections must change nothing"
    trained = [name for name, weight in backbone.named_parameters() if weight.requires_grad]
    assert trained == [f"{name}.{part}" for name in adapters for part in ("narrow", "widen")], "the base must not train"
    backbone(IDS).square().sum().backward()
    assert all(layer.widen.grad.abs().sum() > 0 for layer in adapters.values()), "some correction never learns"
    for layer in adapters.values():
        torch.nn.init.normal_(layer.widen, std=0.5, generator=seeded(1))
    plain.load_state_dict({**plain.state_dict(), **by_formula(backbone)})
    expected = plain(IDS)
    assert not torch.allclose(expected, before, rtol=1e-2, atol=1e-2)
    torch.testing.assert_close(backbone(IDS), expected, rtol=1e-4, atol=1e-4)
    taken_off = merge_lora(backbone)
    torch.testing.assert_close(backbone(IDS), expected, rtol=1e-4, atol=1e-4)
    unmerge_lora(backbone, taken_off)
    torch.testing.assert_close(backbone(IDS), expected, rtol=1e-4, atol=1e-4)
    for layer in adapters.values():
        layer.widen.data.zero_()
    torch.testing.assert_close(backbone(IDS), before, rtol=1e-4, atol=1e-4)


def test_the_laws_hold_whatever_the_model(backbone):
    laws(backbone)


def no_division_by_the_rank(monkeypatch):
    monkeypatch.setattr(LoraConfig, "scale", property(lambda self: self.alpha))


def start_from(narrow, widen):
    def plant(monkeypatch):
        init = LoraLinear.__init__

        def wrong(self, *arguments):
            init(self, *arguments)
            self.narrow.data.mul_(narrow)
            self.widen.data.add_(widen * torch.randn(self.widen.shape))

        monkeypatch.setattr(LoraLinear, "__init__", wrong)

    return plant


def a_base_that_trains(monkeypatch):
    monkeypatch.setattr(torch.nn.Module, "requires_grad_", lambda self, on=True: self)


def a_merge_without_the_scale(monkeypatch):
    monkeypatch.setattr(LoraLinear, "correction", lambda self: self.widen @ self.narrow)


def applied_again_after_the_merge(monkeypatch):
    monkeypatch.setattr("llmcourse.finetune.lora._put", lambda model, layers: put_only_adapters(model, layers))


def put_only_adapters(model, layers):
    for name, layer in layers.items():
        if isinstance(layer, LoraLinear):  # so that a merge leaves the correction beside the changed matrix
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, layer)


MISTAKES = {
    "88 alpha without the rank": (no_division_by_the_rank, "Tensor-likes are not close"),
    "89 both factors zero": (start_from(0.0, 0.0), "some correction never learns"),
    "89 both factors random": (start_from(1.0, 0.3), "fresh corrections must change nothing"),
    "90 a base that trains": (a_base_that_trains, "the base must not train"),
    "91 a merge without the scale": (a_merge_without_the_scale, "Tensor-likes are not close"),
    "92 applied again after the merge": (applied_again_after_the_merge, "Tensor-likes are not close"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_known_mistake_breaks_a_law(mistake, tokenizer, monkeypatch):
    plant, complaint = MISTAKES[mistake]
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=complaint):
        laws(make_backbone(tokenizer.vocab_size))


def test_a_merged_model_is_a_plain_one_again(tokenizer):
    model = make_backbone(tokenizer.vocab_size)
    names = list(model.state_dict())
    merge_lora(lively(model))
    assert list(model.state_dict()) == names
    assert not find_lora(model)


def test_only_the_named_layers_are_corrected_and_only_by_the_numbers_of_their_factors(tokenizer):
    model = make_backbone(tokenizer.vocab_size)
    adapters = add_lora(model, CONFIG)
    kinds = ("attention.query", "attention.value", "feedforward.up")
    assert set(adapters) == {f"decoder.blocks.{block}.{kind}" for block in range(2) for kind in kinds}
    n = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert n == 2 * 3 * ((12 + 12) + (12 + 12) + (12 + 20))  # blocks, rank, columns and rows of each layer


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_training_moves_the_corrections_alone(tokenizer, optimizer):
    model = make_backbone(tokenizer.vocab_size)
    before = copy.deepcopy(model)
    add_lora(model, CONFIG, seeded())
    batches = ExampleBatches([encode_chat(chat_of("Who?", "Greta"), tokenizer)], sft_batch, 1)
    config = TrainConfig(steps=12, lr=3e-2, weight_decay=0.3, optimizer=optimizer)
    losses = [record.loss for record in train(model, batches, config, progress=False)]
    assert losses[-1] < losses[0] - 0.5
    found = find_lora(model)
    old = before.state_dict()
    for name, weight in model.state_dict().items():
        if not name.endswith((".narrow", ".widen")):
            assert torch.equal(weight, old[name.replace(".base.", ".")]), name
    assert all(layer.widen.abs().sum() > 0 for layer in found.values())


def test_the_start_is_random_but_for_its_generator(tokenizer):
    starts = [
        [layer.narrow for layer in add_lora(make_backbone(tokenizer.vocab_size), CONFIG, seeded(seed)).values()]
        for seed in (0, 0, 1)
    ]
    assert all(torch.equal(one, other) for one, other in zip(*starts[:2], strict=True))
    assert not any(torch.equal(one, other) for one, other in zip(*starts[1:], strict=True))
    assert len({each.sum().item() for each in starts[0]}) == len(starts[0])


def test_a_classifier_with_lora_trains_its_head_and_the_corrections(tokenizer):
    classifier = Classifier(make_backbone(tokenizer.vocab_size), 3)
    add_lora(classifier.backbone, CONFIG)
    trained = {name for name, weight in classifier.named_parameters() if weight.requires_grad}
    assert {name for name in trained if not name.endswith((".narrow", ".widen"))} == {"head.weight"}


@pytest.mark.parametrize("position", [Rotary(), Learned(64), Bucketed()])
def test_saved_corrections_give_the_same_model_on_a_fresh_base(tokenizer, position, tmp_path):
    base = make_backbone(tokenizer.vocab_size, position=position)
    model = lively(copy.deepcopy(base))
    save_lora(tmp_path / "lora.safetensors", model)
    again = copy.deepcopy(base)
    adapters = load_lora(tmp_path / "lora.safetensors", again)
    assert torch.equal(again(IDS), model(IDS))
    assert all(layer.config == CONFIG for layer in adapters.values())
    assert {name for name, weight in again.named_parameters() if weight.requires_grad} == {
        name for name, weight in model.named_parameters() if weight.requires_grad
    }


def test_the_file_holds_the_factors_and_nothing_of_the_base(tokenizer, tmp_path):
    model = lively(make_backbone(tokenizer.vocab_size))
    save_lora(tmp_path / "lora.safetensors", model)
    held = load_file(tmp_path / "lora.safetensors")
    learned = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    assert set(held) == set(learned)
    assert all(torch.equal(held[name], learned[name]) for name in held)


def test_a_failed_save_leaves_the_old_file(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "lora.safetensors"
    model = lively(make_backbone(tokenizer.vocab_size))
    save_lora(path, model)
    old = path.read_bytes()

    def half(tensors, scratch, metadata):
        scratch.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("llmcourse.finetune.parts.save_file", half)
    with pytest.raises(OSError, match="disk full"):
        save_lora(path, model)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_wrong_use_is_refused_in_one_line(tokenizer, tmp_path):
    model = make_backbone(tokenizer.vocab_size)
    with pytest.raises(ValueError, match="no LoRA to merge"):
        merge_lora(model)
    with pytest.raises(ValueError, match="no LoRA to save"):
        save_lora(tmp_path / "x", model)
    with pytest.raises(ValueError, match=r"called '\*.request'; there are \*.query, \*.key, \*.value, \*.output"):
        add_lora(model, LoraConfig(layers=("*.query", "*.request")))
    assert all(weight.requires_grad for weight in model.parameters())
    add_lora(model, CONFIG)
    with pytest.raises(ValueError, match=r"LoRA already, as on decoder.blocks.0.attention.query"):
        add_lora(model, CONFIG)
    adapters = merge_lora(model)
    with pytest.raises(ValueError, match="a second merge would count the corrections twice"):
        merge_lora(model)
    unmerge_lora(model, adapters)
    with pytest.raises(ValueError, match=r"not merged into the model's decoder\.blocks\.0\.attention\.query"):
        unmerge_lora(model, adapters)
    merge_lora(model)
    with pytest.raises(ValueError, match="not merged into"):
        unmerge_lora(make_backbone(tokenizer.vocab_size), adapters)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"rank": 0}, "rank=0"), ({"alpha": 0.0}, "alpha=0.0"), ({"layers": ()}, "needs layers")],
)
def test_a_config_that_corrects_nothing_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LoraConfig(**settings)


@pytest.fixture
def saved(tokenizer, tmp_path):
    model = lively(make_backbone(tokenizer.vocab_size))
    save_lora(tmp_path / "lora.safetensors", model)
    return model, tmp_path / "lora.safetensors"


def refused(path, model, message):
    before = copy.deepcopy(model)
    with pytest.raises(ValueError, match=message):
        load_lora(path, model)
    assert list(model.state_dict()) == list(before.state_dict())
    assert [w.requires_grad for w in model.parameters()] == [w.requires_grad for w in before.parameters()]


def test_corrections_are_not_loaded_onto_what_they_do_not_fit(saved, tokenizer):
    model, path = saved
    refused(path, model, "LoRA already")
    merge_lora(model)
    refused(path, model, "is it merged already")
    refused(path, make_backbone(tokenizer.vocab_size, seed=5), "is this another model")
    refused(path, make_backbone(tokenizer.vocab_size, encoder=True), "has none there")


def test_a_file_that_is_missing_damaged_or_something_else_is_refused(saved, tokenizer, tmp_path):
    _, path = saved
    model = make_backbone(tokenizer.vocab_size)
    refused(tmp_path / "none", model, "There is no file .*none")
    (tmp_path / "cut").write_bytes(path.read_bytes()[:-9])
    refused(tmp_path / "cut", model, "cut is damaged or cut short")
    save_file({"w": torch.ones(2)}, tmp_path / "other")
    refused(tmp_path / "other", model, "does not hold a LoRA, but other weights")
    save_file({"w": torch.ones(2)}, tmp_path / "prompt", {"llmcourse": "prompt", "settings": json.dumps({})})
    refused(tmp_path / "prompt", model, "does not hold a LoRA, but prompt")
