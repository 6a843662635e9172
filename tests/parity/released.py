"""A released checkpoint in a folder, held to the transformers library; run by `llmcourse parity`, never by the tests.

Usage: python -m tests.parity.released FOLDER OUT
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file

from llmcourse.decoding import generate
from llmcourse.hub import load, load_tokenizer
from llmcourse.model import Transformer

from .references import TOLERANCE, worst

PROMPTS = ("The cat sat on the mat", "Once upon a time", "Large language models are")
N_NEW = 20


def main(folder: Path, out: Path) -> None:
    """Compares ids, logits and greedy text on each prompt, and writes what both agree on to `out`."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    record = {**origin(folder), "tolerance": TOLERANCE, "prompts": compare(folder)}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{record['name']} at {record['revision']} gives the library's numbers; {out} holds them.")


def origin(folder: Path) -> dict[str, Any]:
    """Where the checkpoint came from, with the SHA-256 of each file that came."""
    record = folder / "source.json"  # a folder that was not fetched has none
    local = {"name": str(folder), "revision": "a local folder", "files": {}}
    source = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else local
    source["files"] = {name: checksum for name, checksum in source["files"].items() if checksum is not None}
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    n_numbers = sum(weight.numel() for path in folder.glob("*.safetensors") for weight in load_file(path).values())
    return {**source, "numbers_in_its_files": n_numbers, "versions": versions}


@torch.no_grad()
def compare(folder: Path) -> list[dict[str, Any]]:
    """Each prompt with its greedy continuation and likeliest next tokens. Raises: AssertionError at a difference."""
    reference = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    library_tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model, tokenizer = load(folder), load_tokenizer(folder)
    return [_compare_one(prompt, model, tokenizer, reference, library_tokenizer) for prompt in PROMPTS]


def _compare_one(prompt: str, model: Transformer, tokenizer: Any, reference: Any, library: Any) -> dict[str, Any]:
    ids = tokenizer.encode(prompt)
    assert ids == library(prompt, add_special_tokens=False).input_ids, f"other ids for {prompt!r}"
    batch = torch.tensor([ids])
    ours, theirs = model(batch), reference(batch).logits
    difference = worst(ours, theirs)
    assert difference < TOLERANCE, f"logits after {prompt!r} differ by {difference:.1e} of the largest"
    options = {"attention_mask": torch.ones_like(batch), "do_sample": False, "eos_token_id": None, "pad_token_id": 0}
    written = generate(model, batch, N_NEW)[0].tolist()
    assert written == reference.generate(batch, max_new_tokens=N_NEW, **options)[0, len(ids) :].tolist(), prompt
    text = tokenizer.decode(written)
    probs, tokens = ours[0, -1].softmax(-1).topk(5)
    return {
        "prompt": prompt,
        "continuation": text,
        "continuation_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "likeliest": [
            [tokenizer.decode([token]), round(prob, 4)]
            for token, prob in zip(tokens.tolist(), probs.tolist(), strict=True)
        ],
        "largest_difference": difference,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
