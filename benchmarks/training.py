"""Updates of a model like GPT-2 by our fused path, our clear one and transformers, from the same weights:
python benchmarks/training.py."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from pairs import Timing, report, time_in_turn
from torch.profiler import ProfilerActivity, profile
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from llmcourse.data import Batch
from llmcourse.hub.families import GPT2, weights_to_ours
from llmcourse.model import Transformer, fused_attend
from llmcourse.training import Objective, clip_gradients, fused_next_token_nats, next_token_nats

ROWS, CONTEXT, VOCABULARY, STEPS = 16, 128, 512, 2
SIZES = {"vocab_size": VOCABULARY, "n_positions": CONTEXT, "n_embd": 192, "n_layer": 6, "n_head": 6}
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


def their_model() -> GPT2LMHeadModel:
    """The peer's model with its own attention by `sdpa`; random, but the same each time."""
    torch.manual_seed(0)
    config = GPT2Config(**SIZES, **NO_DROPOUT, bos_token_id=0, eos_token_id=0, attn_implementation="sdpa")
    return GPT2LMHeadModel(config).train()


def our_model() -> Transformer:
    """Our model with the peer's weights."""
    peer = their_model()
    config = GPT2.config(peer.config.to_dict())
    ours = Transformer(config, attend=fused_attend)
    ours.load_state_dict(weights_to_ours(GPT2, config, peer.state_dict()))
    return ours.train()


def a_batch() -> Batch:
    """Random ids, each to be predicted from those before it."""
    ids = torch.randint(0, VOCABULARY, (ROWS, CONTEXT + 1), generator=torch.Generator().manual_seed(1))
    return Batch(ids[:, :-1].contiguous(), ids[:, 1:].contiguous())


def our_steps(objective: Objective, fused: bool, model: Transformer | None = None) -> Callable[[], float]:
    """Updates by our objective; the last loss."""
    model, batch = our_model() if model is None else model, a_batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=fused)

    def steps() -> float:
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = objective(model, batch).sum() / batch.n_targets
            loss.backward()
            clip_gradients(model.parameters(), 1.0)
            optimizer.step()
        return float(loss.detach())

    return steps


def their_steps() -> Callable[[], float]:
    """Updates by the peer, as its users write them; the last loss."""
    model, batch = their_model(), a_batch()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def steps() -> float:
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = model(input_ids=batch.inputs, labels=batch.inputs, shift_labels=batch.targets).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return float(loss.detach())

    return steps


def peak_bytes(make: Callable[[], Callable[[], Any]]) -> int:
    """The most memory that tensors held at once, the model and the optimiser's state included.

    PyTorch's profiler records each block that is handed out or given back, so nothing else counts: no library that is
    loaded, no other process.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        make()()
    held = highest = 0
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        highest = max(highest, held)
    return highest


def compare(rounds: int = 15) -> list[Timing]:
    """The two paths against the peer, once all three have had the same losses."""
    fused, clear, theirs = (
        our_steps(fused_next_token_nats, True),
        our_steps(next_token_nats, False),
        their_steps(),
    )
    losses = [fused(), clear(), theirs()]
    assert max(losses) - min(losses) < 1e-4, losses
    work = f"{STEPS} updates of {ROWS} x {CONTEXT} tokens, "
    options = {"peer": "GPT2LMHeadModel", "goal": 1.2, "rounds": rounds}
    return [
        time_in_turn(work + "fused", fused, theirs, **options),
        time_in_turn(work + "clear", clear, theirs, **options),
    ]


def memory() -> str:
    """A table in Markdown of the most memory that tensors held."""
    makes = {
        "fused": partial(our_steps, fused_next_token_nats, True),
        "clear": partial(our_steps, next_token_nats, False),
        "GPT2LMHeadModel": their_steps,
    }
    peaks = {name: peak_bytes(make) for name, make in makes.items()}
    theirs = peaks["GPT2LMHeadModel"]
    rows = [f"| {name} | {peak / 2**20:.1f} | {peak / theirs:.2f}× |" for name, peak in peaks.items()]
    return "\n".join(["| path | tensors at the highest, MiB | of the peer's |", "|---|---|---|", *rows])


if __name__ == "__main__":
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    print(report(compare(), ["torch", "transformers"]))
    print()
    print(memory())
