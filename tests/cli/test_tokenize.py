"""`llmcourse tokenize` shows tokens, reads ids, learns from a text, and refuses in one line what it cannot do."""

import ast

import pytest
import tiktoken
import tokenizers
from typer.testing import CliRunner

from llmcourse import cli
from llmcourse.commands.tokenize import MODELS
from llmcourse.tokenizers import ByteBPE, read_tokenizer, train_wordpiece, write_tokenizer_json

TEXT = "the cat sat on the mat, 猫 🙂\n"


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli.app, ["tokenize", *map(str, words)])


@pytest.fixture
def wordpiece(tmp_path):
    path = tmp_path / "tokenizer.json"
    write_tokenizer_json(path, train_wordpiece([TEXT], 60))
    return path


def test_each_token_stands_on_a_line_with_its_id_and_the_sizes_come_last(run):
    ours = ByteBPE.load(MODELS / "microworld-small" / "tokenizer.json")
    outcome = run(TEXT)
    *lines, sizes = outcome.stdout.splitlines()
    ids = ours.encode(TEXT)
    assert [int(line.split()[0]) for line in lines] == ids
    assert b"".join(as_bytes(line.split(maxsplit=1)[1]) for line in lines) == TEXT.encode()
    assert sizes.startswith(f"{len(ids)} tokens for {len(TEXT)} characters, {len(TEXT.encode())} bytes, ")


def as_bytes(shown):
    """The bytes of a token as the command shows it, between quotes."""
    value = ast.literal_eval(shown)
    return value if isinstance(value, bytes) else value.encode()


def test_ids_alone_go_back_to_the_text_that_they_came_from(run, tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT.encode())
    ids = run("--ids", "--file", tmp_path / "a.txt").stdout
    assert run("--decode", ids).stdout == TEXT + "\n"
    assert run("--decode", ids.replace(" ", ", ")).stdout == TEXT + "\n"


def test_no_text_at_all_has_no_tokens(run):
    assert run("").stdout == "0 tokens for 0 characters, 0 bytes.\n"


def test_special_tokens_are_added_only_where_asked_for(run, wordpiece):
    bare, whole = (
        run("--ids", "--tokenizer", wordpiece, "the cat"),
        run("the cat", "--tokenizer", wordpiece, "--for-model"),
    )
    assert whole.stdout.splitlines()[0].split() == ["2", "'[CLS]'"]
    assert len(whole.stdout.splitlines()) - 1 == len(bare.stdout.split()) + 2


def test_a_published_encoding_is_used_by_its_name(run, monkeypatch):
    stored = ByteBPE.train([TEXT], 270).to_tiktoken("gpt2")
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {"gpt2": stored})
    assert [int(word) for word in run("--ids", "--tokenizer", "gpt2", TEXT).stdout.split()] == stored.encode(TEXT)
    assert "gpt2" in tiktoken.list_encoding_names()
    refused = run("--tokenizer", "gpt2", "--decode", "9999")
    assert (refused.exit_code, refused.stderr) == (2, "llmcourse: No token has the id 9999; gpt2 has 270.\n")


@pytest.mark.parametrize(("kind", "model"), [("bpe", "BPE"), ("wordpiece", "WordPiece"), ("unigram", "Unigram")])
def test_what_is_learned_from_a_text_is_a_file_that_others_read(run, tmp_path, kind, model):
    source, out = tmp_path / "a.txt", tmp_path / "mine" / "tokenizer.json"
    source.write_text("the cat sat on the mat. the hat.\n" * 3, encoding="utf-8")
    outcome = run("--train", source, "--kind", kind, "--vocab-size", 270, "--out", out)
    assert outcome.exit_code == 0, outcome.output
    assert type(tokenizers.Tokenizer.from_file(str(out)).model).__name__ == model
    assert f"Learned {read_tokenizer(out).vocab_size} tokens" in outcome.stdout
    shown = run("--ids", "--tokenizer", out.parent, "the cat").stdout.split()
    assert [int(word) for word in shown] == read_tokenizer(out).encode("the cat")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give one text"),
        (["a", "--file", "b.txt"], "Give one text"),
        (["--file", "nowhere.txt"], "nowhere.txt"),
        (
            ["a", "--tokenizer", "nowhere"],
            "neither a file nor one of the course (microworld-assistant, microworld-small)",
        ),
        (["--decode", "1 x"], "got 'x'"),
        (["--decode", "99999"], "No token has the id 99999"),
        (["--train", "nowhere.txt"], "nowhere.txt"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run, words, message):
    outcome = run(*words)
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
    assert message in outcome.stderr


def test_a_vocabulary_that_is_too_small_or_of_no_known_kind_is_refused(run, tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("the cat", encoding="utf-8")
    small = run("--train", source, "--vocab-size", 200)
    assert (small.exit_code, small.stderr.count("\n")) == (2, 1)
    assert "vocab_size=200 is too small: 256 bytes and 1 specials need 257" in small.stderr
    assert "got 'bytes'" in run("--train", source, "--kind", "bytes").stderr


def test_damaged_and_foreign_files_and_folders_are_named(run, tmp_path, wordpiece):
    wordpiece.write_bytes(wordpiece.read_bytes()[:50])
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.txt").write_bytes(b"the \xe9")
    for words, message in [
        (["a", "--tokenizer", wordpiece], "no whole JSON file"),
        (["a", "--tokenizer", tmp_path / "empty"], "holds no tokenizer"),
        (["--file", tmp_path / "latin.txt"], "byte 4 is 0xe9"),
    ]:
        outcome = run(*words)
        assert (outcome.exit_code, outcome.stderr.count("\n")) == (2, 1), outcome.stderr
        assert message in outcome.stderr


def test_help_says_what_the_command_does_and_names_its_options(run):
    text = run("--help").stdout
    assert "Show how a text is cut into tokens" in text
    for option in ("--tokenizer", "--decode", "--train", "--vocab-size", "--for-model", "--ids"):
        assert option in text
