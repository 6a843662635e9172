"""Named checkpoints from a server on this machine: fetched once, resumed, held to one revision."""

import json
import shutil
from functools import partial

import pytest
import torch

from llmcourse.data.corpora.transfer import Transfer
from llmcourse.hub import load, load_tokenizer, save
from llmcourse.model import Learned, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE
from tests.data.corpus_server import serving

CONFIG = TransformerConfig(
    vocab_size=260, d_model=64, d_ff=256, n_decoder_layers=2, n_heads=2, position=Learned(16), activation="gelu_tanh"
)
IDS = torch.tensor([[1, 2, 3, 200]])


@pytest.fixture
def site():
    with serving() as site:
        yield site


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def _publish(site, tmp_path, revision="abc123", seed=1, max_shard_bytes=10**9):
    """Puts a model on the site; gives back the model and its tokenizer."""
    model = Transformer(CONFIG, generator=torch.Generator().manual_seed(seed)).eval()
    tokenizer = ByteBPE.train(["so it goes, so it goes"], 260, ("<|end|>",))
    shutil.rmtree(tmp_path / "source", ignore_errors=True)
    folder = save(model, tokenizer, tmp_path / "source", max_shard_bytes=max_shard_bytes)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    site.files |= {f"/ada/tiny/resolve/{revision}/{name}": content for name, content in files.items()}
    info = {"sha": revision, "siblings": [{"rfilename": name} for name in [*files, "README.md"]]}
    site.files["/api/models/ada/tiny/revision/main"] = json.dumps(info).encode()
    return model, tokenizer


@pytest.mark.parametrize("max_shard_bytes", [10**9, 100_000])
def test_a_named_checkpoint_is_fetched_and_gives_the_same_logits(site, tmp_path, cache, max_shard_bytes):
    model, tokenizer = _publish(site, tmp_path, max_shard_bytes=max_shard_bytes)
    assert torch.equal(load("ada/tiny", cache=cache, host=site.url)(IDS), model(IDS))
    ids = load_tokenizer("ada/tiny", cache=cache, host=site.url).encode("so it goes")
    assert ids == tokenizer.encode("so it goes")


def test_the_second_time_needs_no_network(site, tmp_path, cache):
    model, _ = _publish(site, tmp_path)
    load("ada/tiny", cache=cache, host=site.url)
    load_tokenizer("ada/tiny", cache=cache, host=site.url)
    asked = len(site.requests)
    assert torch.equal(load("ada/tiny", cache=cache, host=site.url)(IDS), model(IDS))
    load_tokenizer("ada/tiny", cache=cache, host=site.url)
    assert len(site.requests) == asked


def test_the_revision_is_recorded_at_first_and_kept(site, tmp_path, cache):
    model, _ = _publish(site, tmp_path, "first")
    load("ada/tiny", cache=cache, host=site.url)
    _publish(site, tmp_path, "second", seed=2)
    (cache / "models" / "ada--tiny" / "model.safetensors").unlink()
    assert torch.equal(load("ada/tiny", cache=cache, host=site.url)(IDS), model(IDS))
    record = json.loads((cache / "models" / "ada--tiny" / "source.json").read_text(encoding="utf-8"))
    assert record["revision"] == "first"
    assert len(record["files"]["model.safetensors"]) == 64  # hexadecimal digits of a SHA-256


def test_a_transfer_that_breaks_goes_on_where_it_stopped(site, tmp_path, cache, monkeypatch):
    monkeypatch.setattr("llmcourse.hub.download.Transfer", partial(Transfer, wait=lambda _: None))
    model, _ = _publish(site, tmp_path)
    load_tokenizer("ada/tiny", cache=cache, host=site.url)
    site.cut = 1
    assert torch.equal(load("ada/tiny", cache=cache, host=site.url)(IDS), model(IDS))
    name, wanted, status = site.requests[-1]
    assert name.endswith("model.safetensors")
    assert wanted not in (None, "bytes=0-")
    assert status == 206


def test_offline_one_line_says_what_is_missing(cache):
    with pytest.raises(
        ConnectionError, match=r"no folder ada/tiny; the checkpoint of that name needs the network"
    ) as error:
        load("ada/tiny", cache=cache, host="http://127.0.0.1:9")
    assert "\n" not in str(error.value)


def test_a_checkpoint_that_the_host_does_not_have_is_refused(site, cache):
    with pytest.raises(ConnectionError, match=r"ada/none.* did not come from 127\.0\.0\.1: it answered 404"):
        load("ada/none", cache=cache, host=site.url)


def test_a_checkpoint_without_safetensors_is_refused_with_what_it_has(site, tmp_path, cache):
    _publish(site, tmp_path)
    site.files["/api/models/ada/tiny/revision/main"] = json.dumps(
        {"sha": "abc123", "siblings": [{"rfilename": "config.json"}, {"rfilename": "pytorch_model.bin"}]}
    ).encode()
    with pytest.raises(ValueError, match=r"has no file model\.safetensors; it has config\.json, pytorch_model\.bin"):
        load("ada/tiny", cache=cache, host=site.url)


def test_an_answer_without_a_revision_is_refused(site, cache):
    site.files["/api/models/ada/tiny/revision/main"] = b"{}"
    with pytest.raises(ValueError, match="said nothing about ada/tiny that names its revision"):
        load("ada/tiny", cache=cache, host=site.url)


@pytest.mark.parametrize("name", ["a/b/c", "../secret", "a b"])
def test_what_is_neither_a_folder_nor_a_name_is_refused(name, cache):
    with pytest.raises(ValueError, match="a checkpoint's name looks like gpt2 or owner/name"):
        load(name, cache=cache)
