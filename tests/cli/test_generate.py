"""`llmcourse generate` writes on from a prompt, and refuses in one line what it cannot do."""

import pytest
import torch
from typer.testing import CliRunner

from llmcourse import cli
from llmcourse.commands.generate import chosen
from llmcourse.hub import save_bundle
from llmcourse.model import Learned, Rotary, Transformer, TransformerConfig
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
        (["--top-p", 0], "top_p must lie in (0, 1], not 0.0"),
        (["--repetition-penalty", 0], "repetition_penalty"),
        (["--no-repeat-ngram", 0], "no_repeat_ngram"),
        (["--stop", ""], "A stop text must hold at least 1 character"),
        (["--beams", 0], "Beam search needs"),
        (["--beams", 2, "--n-best", 3], "Beam search needs"),
        (["--n-best", 2], "give --beams too"),
        (["--beams", 2, "--stop", "x"], "neither --draft nor --stop"),
        (["--draft", "microworld-small"], "A draft needs the tokenizer of the model"),
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


def _written(outcome) -> str:
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout.removesuffix("\n")


def test_the_text_ends_before_what_stops_it(run, folder):
    words = ["the cat", "--model", folder, "--max-new-tokens", 30]
    whole = _written(run(*words))
    stop = whole[12:14]
    assert _written(run(*words, "--stop", stop, "--stop", "never said")) == whole[: whole.index(stop, 7)]


def test_beams_print_the_best_texts_with_their_scores(run, folder):
    words = ["the", "--model", folder, "--max-new-tokens", 4, "--beams", 3]
    lines = _written(run(*words, "--n-best", 2)).split(" nats] ")
    assert float(lines[0].removeprefix("[")) < 0
    best = _written(run(*words))
    assert best.startswith("the")
    assert lines[1].startswith(best)


def test_a_draft_guesses_and_the_likeliest_text_stays_the_same(run, folder):
    words = ["the", "--model", folder, "--max-new-tokens", 12, "--temperature", 0]
    assert _written(run(*words, "--draft", folder)) == _written(run(*words))


def test_a_model_in_8_bits_writes(run, folder):
    words = ["the", "--model", folder, "--max-new-tokens", 5, "--int8"]
    assert len(_written(run(*words))) > 3


def test_a_prompt_longer_than_the_context_is_refused_in_one_line(run, tmp_path):
    tokenizer = ByteBPE.train(["the cat sat"], 259, specials=("<|end|>",))
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 8, "d_ff": 16, "n_decoder_layers": 1, "n_heads": 2}
    save_bundle(tmp_path, Transformer(TransformerConfig(**sizes, position=Learned(6))), tokenizer, {})
    for options in ([], ["--beams", 2], ["--draft", tmp_path]):
        outcome = run("it is too long", "--model", tmp_path, *options)
        assert outcome.exit_code == 2
        assert outcome.stderr.count("\n") == 1
        assert "does not fit the context of 6" in outcome.stderr


@pytest.mark.parametrize(
    ("option", "bias"),
    [
        ({"repetition_penalty": 2.0}, [-2.0, 0.0, 0.0, 0.0]),
        ({"presence_penalty": 1.5}, [-1.5, 0.0, 0.0, 0.0]),
        ({"frequency_penalty": 0.5}, [-1.0, 0.0, 0.0, 0.0]),
        ({"no_repeat_ngram": 1}, [-torch.inf, 0.0, 0.0, 0.0]),
    ],
)
def test_what_looks_at_the_text_comes_before_the_temperature(option, bias):
    logits = torch.tensor([[4.0, 2.0, 1.0, -2.0]])
    ids = torch.zeros(1, 2, dtype=torch.int64)
    assert torch.equal(chosen(temperature=2.0, **option)(logits, ids), (logits + torch.tensor([bias])) / 2)


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
