"""`llmcourse generate` writes on from a prompt, and refuses in one line what it cannot do."""

import pytest
import torch
from typer.testing import CliRunner

from llmcourse import cli
from llmcourse.commands.generate import chosen
from llmcourse.hub import save_bundle
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny untrained model, saved as `llmcourse train` saves one."""
    torch.manual_seed(0)
    tokenizer = ByteBPE.train(["the cat sat"], 259, specials=("<|end|>",))
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 8, "d_ff": 16, "n_decoder_layers": 1, "n_heads": 2}
    model = Transformer(TransformerConfig(**sizes, position=Rotary()))
    out = tmp_path_factory.mktemp("run")
    save_bundle(out / "model", model, tokenizer, {"command": "a test"})
    return out


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, ["generate", *map(str, words)])


def test_the_prompt_comes_first_and_the_same_seed_writes_the_same(run, folder):
    words = ["the cat", "--model", folder, "--max-new-tokens", 5]
    first, again, other = run(*words), run(*words), run(*words, "--seed", 1)
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("the cat")
    assert first.stdout == again.stdout != other.stdout


def test_temperature_zero_writes_the_same_for_every_seed(run, folder):
    words = ["the", "--model", folder / "model", "--max-new-tokens", 6, "--temperature", 0, "--seed"]
    assert run(*words, 1).stdout == run(*words, 2).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "no-such-model"], "known are"),
        (["--top-p", 3], "top_p"),
        (["--top-k", 0], "top_k"),
        (["--temperature", -1], "temperature"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(run, folder, words, message):
    outcome = run("x", "--model", folder, *words)
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
    assert message in outcome.stderr


def test_a_folder_without_a_model_is_refused(run, tmp_path):
    outcome = run("x", "--model", tmp_path)
    assert outcome.exit_code == 2
    assert "holds no model" in outcome.stderr


def test_a_damaged_model_is_refused_in_one_line(run, folder, tmp_path):
    for file in (folder / "model").iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content[:-7] if file.suffix == ".safetensors" else content)
    outcome = run("x", "--model", tmp_path)
    assert outcome.exit_code == 2
    assert "damaged" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize("option", [{"top_k": 2}, {"top_p": 0.5}, {"min_p": 0.5}])
def test_each_filter_is_applied_after_the_temperature(option):
    given = {"temperature": 2.0, "top_k": None, "top_p": None, "min_p": None, **option}
    logits = torch.tensor([[3.0, 2.0, 1.0, -2.0]])
    ids = torch.zeros(1, 1, dtype=torch.int64)
    plain = chosen(**{**given, **dict.fromkeys(option)})(logits, ids)
    filtered = chosen(**given)(logits, ids)
    kept = filtered.isfinite()
    assert 1 <= kept.sum() < 4
    assert torch.equal(plain[kept], logits[kept] / 2)
    assert torch.equal(filtered[kept], plain[kept])
