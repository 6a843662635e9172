"""One long string encoded through our bridge to tiktoken and by the tokenizers library, with the same merges:
python benchmarks/tokenizers_encoding.py."""

import json
import os

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}  # before the library starts its threads

from pairs import report, time_in_turn
from tokenizers import Tokenizer
from tokenizers_text import standard_library_text

from llmcourse.tokenizers import ByteBPE, from_byte_bpe, to_json

if __name__ == "__main__":
    texts = standard_library_text()
    text = "\n".join(texts)
    ours = ByteBPE.train(texts, 256 + 10_000)
    bridge = ours.to_tiktoken()
    peer = Tokenizer.from_str(json.dumps(to_json(from_byte_bpe(ours))))
    assert bridge.encode_ordinary(text) == peer.encode(text).ids
    timing = time_in_turn(
        f"encoding one string of {len(text.encode()) / 1e6:.0f} MB through the tiktoken bridge, 10,000 merges",
        lambda: bridge.encode_ordinary(text),
        lambda: peer.encode(text).ids,
        peer="tokenizers' encode",
        goal=5.0,
    )
    print(report([timing], ["tiktoken", "tokenizers"]))
