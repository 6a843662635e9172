"""Writing 256 tokens with the cache, greedily and by beam search, by us and by transformers, with the same weights:
python benchmarks/generation.py."""

from functools import partial

import torch
from pairs import Timing, report, time_in_turn
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from llmcourse.decoding import beam_search, generate
from llmcourse.hub.families import GPT2, weights_to_ours
from llmcourse.model import Transformer, fused_attend

PROMPT, NEW, VOCABULARY, CONTEXT = 16, 256, 512, 288


def pair() -> tuple[Transformer, GPT2LMHeadModel]:
    """The same random weights in our model and in the peer's: 6 layers of 6 heads, 192 wide."""
    torch.manual_seed(0)
    sizes = {"vocab_size": VOCABULARY, "n_positions": CONTEXT, "n_embd": 192, "n_layer": 6, "n_head": 6}
    peer = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=0, eos_token_id=None)).eval()
    with torch.no_grad():
        for weight in peer.parameters():
            weight.add_(torch.randn_like(weight) * 0.05)  # so that some tokens stand out, as after training
    config = GPT2.config(peer.config.to_dict())
    ours = Transformer(config, attend=fused_attend).eval()
    ours.load_state_dict(weights_to_ours(GPT2, config, peer.state_dict()))
    return ours, peer


def peers_ids(model: GPT2LMHeadModel, prompts: torch.Tensor, n_beams: int = 1) -> torch.Tensor:
    """What the peer writes after the prompts."""
    written = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=NEW,
        do_sample=False,
        num_beams=n_beams,
        length_penalty=0.0 if n_beams > 1 else None,
        pad_token_id=0,
    )
    return written[:, PROMPT:]


def compare(rounds: int = 7) -> list[Timing]:
    """Each piece of work timed in turn, once both have written the same ids."""
    ours, peer = pair()
    one, sixteen = (torch.randint(0, VOCABULARY, (rows, PROMPT)) for rows in (1, 16))
    timings = []
    for prompts, goal in ((one, 2.0), (sixteen, 1.2)):
        write, peers = partial(generate, ours, prompts, NEW), partial(peers_ids, peer, prompts)
        assert torch.equal(write(), peers())
        work = f"greedy, batch {len(prompts)}"
        timings.append(time_in_turn(work, write, peers, peer="generate", goal=goal, rounds=rounds))
    search, peers = partial(beam_search, ours, one[0], NEW, 4), partial(peers_ids, peer, one, n_beams=4)
    assert list(search()[0].ids) == peers()[0].tolist()
    peer_name = "generate(num_beams=4)"
    return [*timings, time_in_turn("beam 4", search, peers, peer=peer_name, goal=2.0, rounds=rounds)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    print(report(compare(), ["torch", "transformers"]))
