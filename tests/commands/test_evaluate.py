import math
import re

import pytest
import torch

from llmcourse import hub
from llmcourse.commands.convert import convert_model
from llmcourse.commands.errors import CommandError
from llmcourse.commands.evaluate import evaluate_model
from llmcourse.hub import load_bundle, save_bundle
from llmcourse.model import Learned, Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE
from llmcourse.world import World

TEXTS = [document.text for document in World(seed=0).documents(40, split="train")]


@pytest.fixture(scope="module")
def tokenizer():
    return ByteBPE.train(TEXTS, 300, ["<|end|>", "<|user|>"])


@pytest.fixture
def folder(tmp_path, tokenizer):
    """A random model of GPT-2's kind in our own format; its weights are whole in 16 bits."""
    sizes = {"vocab_size": 300, "d_model": 8, "d_ff": 32, "n_decoder_layers": 1, "n_heads": 2}
    config = TransformerConfig(**sizes, position=Learned(700), activation="gelu_tanh")
    model = Transformer(config, generator=torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(8).copy_(weight.half())
    return save_bundle(tmp_path / "ours", model, tokenizer, {"world_seed": 0})


def numbers(table: str) -> dict[str, list[float]]:
    rows = [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()[1:]]
    found = {name: [value.split(" ± ")[0] for value in values] for name, *values in rows}
    return {name: list(map(float, values)) for name, values in found.items() if values[0][0].isdigit()}


def by_hand(model, ids: list[int]) -> float:
    """Nats of all ids but the first, in the plainest words."""
    with torch.no_grad():
        log_probs = model(torch.tensor([ids[:-1]]))[0].double().log_softmax(dim=-1)
    return -sum(log_probs[place, token].item() for place, token in enumerate(ids[1:]))


def test_on_the_microworld_model_floor_and_gap_stand_side_by_side(folder, tokenizer):
    found = numbers(evaluate_model(str(folder), n=6))
    world, model = World(seed=0), load_bundle(folder).model
    texts = [document.text for document in world.documents(6, split="test", seed=1)]
    end = tokenizer.special_id("<|end|>")
    nats = sum(by_hand(model, [end, *tokenizer.encode(text), end]) for text in texts)
    floor = -sum(world.log_prob(text) for text in texts)
    n_tokens = sum(len(tokenizer.encode(text)) + 1 for text in texts)
    n_bytes = sum(len(text.encode()) for text in texts)
    expected = {
        "nats per token": [total / n_tokens for total in (nats, floor, nats - floor)],
        "bits per byte": [total / math.log(2) / n_bytes for total in (nats, floor, nats - floor)],
        "perplexity": [math.exp(nats / n_tokens), math.exp(floor / n_tokens)],
        "nats per document": [total / 6 for total in (nats, floor, nats - floor)],
    }
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-3, abs=1e-3), name


def test_on_a_text_windows_cover_every_token_once(folder, tokenizer, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("the cat sat on the mat. naïve café.\n" * 9, encoding="utf-8")
    found = numbers(evaluate_model(str(folder), text=path, window=50))
    model, text = load_bundle(folder).model, path.read_text(encoding="utf-8")
    ids = [tokenizer.special_id("<|end|>"), *tokenizer.encode(text)]
    nats = sum(by_hand(model, ids[start : start + 51]) for start in range(0, len(ids) - 1, 50))
    assert found["nats per token"] == pytest.approx([nats / (len(ids) - 1)], abs=1e-3)
    assert found["bits per byte"] == pytest.approx([nats / math.log(2) / len(text.encode())], abs=1e-3)
    assert found["perplexity"] == pytest.approx([math.exp(nats / (len(ids) - 1))], rel=1e-3)


def test_a_converted_model_scores_the_same_and_comes_back_as_it_was(folder, tmp_path, tokenizer):
    theirs, back = tmp_path / "theirs", tmp_path / "back"
    assert "as a gpt2 model" in convert_model(str(folder), theirs)
    assert (theirs / "tokenizer_config.json").is_file()
    ours, other = (evaluate_model(str(place), n=4).splitlines()[1:] for place in (folder, theirs))
    assert ours == other
    assert f"llmcourse generate --model {back}" in convert_model(str(theirs), back)
    first, second = load_bundle(folder), load_bundle(back)
    assert first.model.config == second.model.config
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name]), name
    assert second.tokenizer.encode(TEXTS[0]) == tokenizer.encode(TEXTS[0])
    assert second.tokenizer.specials == tokenizer.specials


def test_a_converted_model_gives_the_same_logits_in_the_transformers_library(folder, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    convert_model(str(folder), tmp_path / "theirs")
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "theirs").eval()
    ids = AutoTokenizer.from_pretrained(tmp_path / "theirs")(TEXTS[0], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(load_bundle(folder).model(ids), theirs(ids).logits, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_converted_is_left_alone(folder, tmp_path, tokenizer):
    with pytest.raises(CommandError, match="is there already; name a new folder"):
        convert_model(str(folder), folder)
    odd = tmp_path / "odd"
    config = TransformerConfig(
        vocab_size=300, d_model=8, d_ff=16, n_decoder_layers=1, n_heads=2, position=Rotary(), embed_norm=True
    )
    save_bundle(odd, Transformer(config), tokenizer, {})
    with pytest.raises(ValueError, match="No known family has files for this model"):
        convert_model(str(odd), tmp_path / "out")
    convert_model(str(folder), tmp_path / "theirs")
    monster = ByteBPE.train(TEXTS, 300, ["<|end|>", "<|user|>"], pattern=r"\w+|\W")
    hub.save(load_bundle(folder).model, monster, tmp_path / "other")
    with pytest.raises(ValueError, match=r"number the bytes first, then the merges; .*other has another"):
        convert_model(str(tmp_path / "other"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_scored_gets_one_line(folder, tmp_path, tokenizer):
    path = tmp_path / "mine.txt"
    path.write_text("the cat sat. " * 30)
    with pytest.raises(CommandError, match="Give --text or --corpus, not both"):
        evaluate_model(str(folder), text=path, corpus="stdlib-code")
    with pytest.raises(CommandError, match="--window 800 is more than the model's context of 700 tokens"):
        evaluate_model(str(folder), text=path, window=800)
    with pytest.raises(ValueError, match="device='gpu' cannot be used here"):
        evaluate_model(str(folder), device="gpu")
    encoder = tmp_path / "encoder"
    config = TransformerConfig(vocab_size=300, d_model=8, d_ff=16, n_encoder_layers=1, n_heads=2, head="mlm")
    save_bundle(encoder, Transformer(config), tokenizer, {})
    with pytest.raises(CommandError, match="does not predict next tokens"):
        evaluate_model(str(encoder))
