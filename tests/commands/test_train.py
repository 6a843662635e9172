import errno
import json
import os
import signal

import pytest

from llmcourse.commands.errors import CommandError, one_line
from llmcourse.commands.train import Choices, change, make_models, shortened, train_model
from llmcourse.hub import RECIPES, Recipe, load_bundle
from llmcourse.model import Rotary, TransformerConfig
from llmcourse.training import TrainConfig, load_checkpoint

MODEL = TransformerConfig(vocab_size=300, d_model=8, d_ff=16, n_decoder_layers=1, n_heads=2, position=Rotary())
TINY = Recipe(
    model=MODEL,
    training=TrainConfig(steps=4, lr=1e-2, warmup=1),
    batch_size=2,
    n_documents=30,
    n_tokenizer_documents=5,
    n_test=2,
    context=1000,
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny", TINY)


@pytest.fixture
def said():
    return []


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "cats.txt"
    path.write_text("the cat sat on the mat and the rat sat on the cat. " * 100)
    return path


def go(said, out, **options):
    return train_model(Choices(preset="tiny", out=out, **options), say=said.append, progress=False)


def test_a_run_on_the_microworld_ends_with_its_distance_to_the_floor_and_a_sample(tmp_path, said):
    folder = go(said, tmp_path / "run")
    assert said[0] == "Training on the microworld for 4 steps."
    assert "above the floor of" in said[1]
    assert "A 5-gram model needs" in said[1]
    assert said[2] == f"The losses are drawn in {tmp_path / 'run' / 'loss.png'}."
    assert (tmp_path / "run" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "It writes:" in said[3]
    manifest = load_bundle(folder).manifest
    assert manifest["command"] == "llmcourse train --preset tiny"
    assert manifest["steps"] == len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 4


def test_a_run_on_a_text_ends_with_bits_per_byte_and_names_no_folder(tmp_path, said, text):
    folder = go(said, tmp_path / "run", text=text, steps=3, seed=5, lr=0.02)
    assert "bits per byte" in said[1]
    manifest = load_bundle(folder).manifest
    assert manifest["command"] == "llmcourse train --preset tiny --text cats.txt --steps 3 --lr 0.02 --seed 5"
    assert manifest["training"]["lr"] == 0.02
    assert str(tmp_path) not in json.dumps(dict(manifest))


@pytest.fixture
def library(monkeypatch, tmp_path):
    """The corpus stdlib-code made small, with other files to be scored on than to be trained on."""
    parts = {"train": ["def f(x):\n    return x\n"] * 120, "valid": ["def g(y):\n    return y + 1\n"] * 50}
    monkeypatch.setattr("llmcourse.data.corpora.stdlib.code", lambda split, cache: parts[split])
    monkeypatch.setenv("LLMCOURSE_CACHE", str(tmp_path / "cache"))
    return parts


def test_a_run_on_a_corpus_is_scored_on_its_validation_split(tmp_path, said, library):
    folder = go(said, tmp_path / "run", corpus="stdlib-code", steps=3)
    assert said[0] == "Training on stdlib-code for 3 steps."
    n_bytes = len("\n\n".join(library["valid"]))
    assert f"On the {n_bytes:,} bytes held out" in said[1]
    manifest = load_bundle(folder).manifest
    assert manifest["held_out_bytes"] == n_bytes
    assert manifest["command"] == "llmcourse train --preset tiny --corpus stdlib-code --steps 3"


def test_of_a_long_corpus_the_beginning_is_learned(tmp_path, said, library, monkeypatch):
    monkeypatch.setattr("llmcourse.commands.train.MOST_CHARACTERS", 3_000)
    library["train"] = ["def f(x):\n    return x\n"] * 120 + ["ZEBRA = 1\n" * 300]
    library["valid"] = ["abcd" * 1_000]
    folder = go(said, tmp_path / "run", corpus="stdlib-code", steps=2)
    bundle = load_bundle(folder)
    assert bundle.manifest["held_out_bytes"] == 300
    pieces = {bundle.tokenizer.token_bytes(i) for i in range(bundle.tokenizer.vocab_size)}
    assert not any(b"ZEB" in piece for piece in pieces)


def test_a_corpus_that_cannot_be_read_is_told_before_anything_is_written(tmp_path, said, text, monkeypatch):
    monkeypatch.setenv("LLMCOURSE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"Corpora are microworld, .* 'wikipedia' is not one"):
        go(said, tmp_path / "run", corpus="wikipedia")
    with pytest.raises(ConnectionError, match="tiny-shakespeare needs the network once"):
        go(said, tmp_path / "run", corpus="tiny-shakespeare")
    with pytest.raises(CommandError, match=r"Give --text or --corpus, not both: --text .* --corpus stdlib-docs"):
        go(said, tmp_path / "run", text=text, corpus="stdlib-docs")
    assert said == []
    assert not (tmp_path / "run").exists()


def test_help_names_every_corpus():
    from llmcourse.commands.train_options import CORPORA
    from llmcourse.data.corpora import NAMES

    assert [name for name in NAMES if name not in CORPORA.replace(",", " ").replace(".", " ").split()] == []


def test_an_earlier_run_is_not_overwritten_but_resumed(tmp_path, said, text):
    out = tmp_path / "run"
    with pytest.raises(CommandError, match="leave out --resume"):
        go(said, out, text=text, resume=True)
    go(said, out, text=text, steps=3)
    with pytest.raises(CommandError, match=r"run\.pt is there from an earlier run: add --resume"):
        go(said, out, text=text)
    go(said, out, text=text, steps=4, resume=True)
    steps = [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals to itself")
def test_ctrl_c_says_how_to_go_on(tmp_path, said, text, monkeypatch):
    from llmcourse.data import WindowBatches

    plain = WindowBatches.batch

    def interrupted(self, step):
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(self, step)

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(WindowBatches, "batch", interrupted)
        with pytest.raises(CommandError, match=r"Stopped\. The same command with --resume goes on from .*run\.pt"):
            go(said, out, text=text)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 3
    go(said, out, text=text, resume=True)
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "huge"}, "Unknown preset 'huge'"),
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"lr": -1.0}, "lr > 0|final_lr <= lr"),
        ({"schedule": "square"}, "schedule must be one of cosine, linear, trapezoid, constant, not 'square'"),
        ({"precision": "fp8"}, "precision must be one of float32, bf16"),
        ({"device": "gpu"}, "device='gpu' cannot be used here, only cpu"),
        ({"sharded": True}, "A sharded run needs several processes: torchrun"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(tmp_path, said, options, message):
    with pytest.raises(ValueError, match=message):
        train_model(Choices(**{"preset": "tiny", "out": tmp_path / "run", **options}), say=said.append)
    assert said == []
    assert not (tmp_path / "run").exists()


def test_a_text_that_is_not_utf_8_is_refused_before_anything_is_written(tmp_path, said):
    path = tmp_path / "old.txt"
    path.write_bytes("naïve".encode("latin-1"))
    with pytest.raises(ValueError, match="is not UTF-8 text: byte 2 is 0xef"):
        go(said, tmp_path / "run", text=path)
    assert not (tmp_path / "run").exists()


def test_what_was_chosen_goes_into_the_recipe_and_the_command_but_not_where_it_ran(tmp_path, said, text):
    choices = {"optimizer": "muon", "schedule": "linear", "precision": "bf16", "accumulate": 2, "device": "cpu"}
    folder = go(said, tmp_path / "run", text=text, steps=2, **choices)
    manifest = load_bundle(folder).manifest
    assert manifest["command"] == (
        "llmcourse train --preset tiny --text cats.txt --steps 2 "
        "--optimizer muon --schedule linear --accumulate 2 --precision bf16"
    )
    training = {name: manifest["training"][name] for name in ("optimizer", "schedule", "precision", "accumulate")}
    assert training == {name: choices[name] for name in training}


def test_the_floor_per_token_lies_below_the_model_and_is_noted_for_later_pictures(tmp_path, said):
    manifest = load_bundle(go(said, tmp_path / "run")).manifest
    lines = manifest["nats_per_token"]
    ratio = lines["floor"] / lines["5-gram model"]
    assert ratio == pytest.approx(manifest["floor"] / manifest["5-gram"], rel=1e-3)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines["floor"] < lines["5-gram model"] < losses[-1]


def test_a_loss_that_is_no_number_ends_in_one_line_that_names_the_step(tmp_path, said, text):
    with pytest.raises(ValueError, match=r"is (nan|inf) at step \d+, so training stopped") as error:
        go(said, tmp_path / "run", text=text, lr=1e30)
    assert one_line(error.value) == str(error.value)
    assert not (tmp_path / "run" / "model").exists()


def test_a_disk_that_is_full_when_the_model_is_written_gets_one_line(tmp_path, said, text, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("llmcourse.hub.bundle.write", full)
    with pytest.raises(OSError, match="No space left") as error:
        go(said, tmp_path / "run", text=text, steps=2)
    assert one_line(error.value) == "The disk is full. Free some space and give the same command again."
    assert load_checkpoint(tmp_path / "run" / "run.pt").step == 2  # from which --resume goes on


def test_a_quick_run_reads_less_and_takes_fewer_steps_of_the_same_recipe():
    whole = RECIPES["microworld-small"]
    plan = shortened(whole)
    assert plan.model == whole.model
    assert plan.training == change(whole, steps=600).training
    assert plan.n_documents < whole.n_documents / 10
    assert shortened(TINY).n_documents == TINY.n_documents  # never more than the recipe has


def test_a_short_run_warms_up_shortly():
    assert change(TINY, steps=2).training.warmup == 0
    assert change(TINY, steps=400, lr=0.5, seed=3).training == TrainConfig(steps=400, lr=0.5, warmup=1, seed=3)


def test_the_course_s_models_are_made_where_they_are_shipped_from(tmp_path, said, monkeypatch):
    monkeypatch.setattr("llmcourse.hub.bundle.BUNDLED", tmp_path)
    assert make_models(("tiny",), say=said.append, progress=False) == [tmp_path / "tiny"]
    assert load_bundle(tmp_path / "tiny").manifest["command"] == "llmcourse models"
