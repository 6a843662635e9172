"""The comparison with a released checkpoint: one line offline, and the whole way on a made-up checkpoint."""

import json
import subprocess

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmcourse.commands.errors import RunFailed, one_line
from llmcourse.commands.parity import run_parity
from llmcourse.hub import load, save
from llmcourse.hub.download import find_folder
from llmcourse.tokenizers import ByteBPE
from tests.data.corpus_server import serving
from tests.parity import released
from tests.parity.references import strongly_randomised


def _published(site, folder):
    """A random GPT-2 with a tokenizer on the site, under the name of the real one."""
    tokenizer = ByteBPE.train(["the cat sat on the mat, once upon a time"], 300)
    sizes = {"vocab_size": tokenizer.vocab_size, "n_positions": 80, "n_embd": 24, "n_layer": 2, "n_head": 3}
    reference = strongly_randomised(GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=None, eos_token_id=None)))
    reference.save_pretrained(folder / "reference")
    save(load(folder / "reference"), tokenizer, folder / "gpt2")
    files = {path.name: path.read_bytes() for path in (folder / "gpt2").iterdir()}
    site.files |= {f"/gpt2/resolve/abc/{name}": content for name, content in files.items()}
    info = {"sha": "abc", "siblings": [{"rfilename": name} for name in files]}
    site.files["/api/models/gpt2/revision/main"] = json.dumps(info).encode()


def test_offline_there_is_one_line(root, tmp_path):
    with pytest.raises(ConnectionError) as error:
        run_parity(root, "gpt2", tmp_path / "out.json", cache=tmp_path, host="http://127.0.0.1:9")
    line = one_line(error.value)
    assert line.startswith("There is no folder gpt2; the checkpoint of that name needs the network once")
    assert "\n" not in line


@pytest.mark.slow
def test_a_checkpoint_that_agrees_is_recorded(root, tmp_path, capfd):
    with serving() as site:
        _published(site, tmp_path)
        out = run_parity(root, "gpt2", tmp_path / "out.json", cache=tmp_path / "cache", host=site.url)
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["revision"] == "abc"
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= record["files"].keys()
    assert [len(entry["likeliest"]) for entry in record["prompts"]] == [5, 5, 5]
    assert all(entry["largest_difference"] < record["tolerance"] for entry in record["prompts"])
    assert "gives the library's numbers" in capfd.readouterr().out


@pytest.mark.slow
def test_logits_that_differ_are_noticed(tmp_path, monkeypatch):
    def perturbed(folder):
        model = load(folder)
        with torch.no_grad():
            model.decoder.final_norm.bias[0] += 0.01
        return model

    with serving() as site:
        _published(site, tmp_path)
        folder = find_folder("gpt2", ["weights", "tokenizer"], tmp_path / "cache", site.url)
    released.main(tmp_path / "gpt2", tmp_path / "local.json")  # a folder that was not fetched will do too
    record = json.loads((tmp_path / "local.json").read_text(encoding="utf-8"))
    assert (record["revision"], len(record["prompts"])) == ("a local folder", 3)
    monkeypatch.setattr(released, "load", perturbed)
    with pytest.raises(AssertionError, match="logits after 'The cat sat on the mat' differ"):
        released.compare(folder)


def test_a_comparison_that_fails_fails_the_command(root, tmp_path, monkeypatch):
    monkeypatch.setattr("llmcourse.hub.download.find_folder", lambda *_: tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
    with pytest.raises(RunFailed, match="gpt2 does not give the library's numbers here"):
        run_parity(root, "gpt2", tmp_path / "out.json")
