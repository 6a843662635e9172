"""How near to the floor a small model comes in about two minutes: python benchmarks/microworld.py.

Runs that are in the log are not done again; take the log away to start anew. `--table` only prints it. How long one run
takes on two cores: torchrun --nproc-per-node=2 benchmarks/microworld.py --clock.
"""

import argparse
import dataclasses
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from recipe_cells import Log, gpt2_recipe, setting, train_by_clock

from llmcourse.data import DocumentBatches, NGram, encode_documents
from llmcourse.hub import score
from llmcourse.hub.bias import pronoun_shares
from llmcourse.hub.excess import KINDS, shares
from llmcourse.hub.pointing import PointingTransformer, pointing_nats
from llmcourse.hub.recipes import held_out_texts, recipe
from llmcourse.hub.watch import Watch, name_ids
from llmcourse.model import Learned, Transformer, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import StepRecord, fused_next_token_nats, train
from llmcourse.training.distributed import ALONE, Team, team_from_environment
from llmcourse.world import World

LOG = Path(__file__).resolve().parent.parent / "llmcourse" / "hub" / "microworld.json"
END = "<|end|>"
SEEDS = (0, 1, 2)
# those on which a first trial with all plots ended nearest to the floor
EIGHT = ("soup", "stranger", "search", "rumour", "sign", "shift", "trip", "swap")
VOCABULARY, LONGEST = 2_048, 384  # tokens
BATCH, POOL = 16, 16  # documents; batches that share out their documents by length
STEPS, N_TEST, N_WATCHED, N_SHARED, N_VISITORS = 2_400, 1_500, 100, 300, 400
N_DOCUMENTS = 44_000  # to draw from in so many steps, a seventh more than are read
D_POINTER, N_PAIRS = 64, 3_584
# the shipped model's, but for its second layer
OURS = dataclasses.replace(recipe("microworld-small").model, n_decoder_layers=1)
TRAINING = dataclasses.replace(
    recipe("microworld-small").training,
    steps=STEPS,
    lr=1.5e-2,
    betas=(0.8, 0.99),
    ns_steps=3,
    weight_decay=0.01,
    checkpoint_every=STEPS,
)
GPT2 = dataclasses.replace(gpt2_recipe(d_model=96, d_ff=4 * 96).model, vocab_size=VOCABULARY, position=Learned(LONGEST))
RATES = (1.5e-3, 3e-3, 6e-3)  # the peer's
PEER_SECONDS = 720.0  # of processor time: more than twice what ours takes
# with all plots, so many times the steps; the peer at the rate that was its best on eight
LONG, LONG_SEEDS, LONG_PEER_RATE, LONG_PEER_SECONDS = 3, (0, 1), 3e-3, 1_260.0


@dataclasses.dataclass(frozen=True)
class Task:
    """A world, what is trained on, and what is scored."""

    world: World
    tokenizer: ByteBPE
    documents: list[list[int]]
    test: list[str]

    @property
    def watched(self) -> Watch:
        """An eye on the first test documents."""
        end = self.tokenizer.special_id(END)
        return Watch(encode_documents(self.test[:N_WATCHED], self.tokenizer, end), name_ids(self.world, self.tokenizer))


def world_of(plots: tuple[str, ...] | None) -> World:
    """The world that tells these plots, or all of them."""
    return World(0) if plots is None else World(0, plots=plots)


@cache
def task(plots: tuple[str, ...] | None, n: int) -> Task:
    """The first `n` documents of a world that tells these plots, or all of them."""
    world = world_of(plots)
    texts = [document.text for document in world.documents(n, split="train")]
    tokenizer = ByteBPE.train(texts[:2_000], VOCABULARY, (END,))
    documents = encode_documents(texts, tokenizer, tokenizer.special_id(END), LONGEST)
    return Task(world, tokenizer, documents, held_out_texts(world, N_TEST, 1))


@cache
def counted(plots: tuple[str, ...] | None, n: int) -> NGram:
    """A 5-gram model that counted all the documents that the model draws from."""
    return NGram(5, VOCABULARY).fit(task(plots, n).documents, n_given=1)


def ours(seed: int, plots: tuple[str, ...] | None, steps: int = STEPS, stop: int | None = None) -> dict[str, Any]:
    """One run of our recipe, or its first `stop` steps: plain values for the log."""
    n_documents = N_DOCUMENTS * steps // STEPS
    data = task(plots, n_documents)
    watch = data.watched
    model, records = begin(data, seed, steps)
    cpu = wall = 0.0
    while True:
        started = time.process_time(), time.perf_counter()
        record = next(records, None)
        cpu, wall = cpu + time.process_time() - started[0], wall + time.perf_counter() - started[1]
        if record is None or record.step == stop:
            break
        last = record
        watch.look(model, record)
    spent = {"steps": last.step, "tokens": last.tokens, "cpu_seconds": round(cpu, 1), "seconds": round(wall, 1)}
    return {
        "seed": seed,
        **spent,
        **scored(model, data, plots, n_documents),
        "bias": bias(model, data, plots, n_documents),
        "watched": watch.rows,
    }


def begin(
    data: Task, seed: int, steps: int = STEPS, team: Team = ALONE
) -> tuple[PointingTransformer, Iterator[StepRecord]]:
    """A fresh model, and its training step by step."""
    in_use = set(chain.from_iterable(data.documents))
    model = PointingTransformer(OURS, D_POINTER, N_PAIRS, in_use, torch.Generator().manual_seed(seed))
    training = dataclasses.replace(TRAINING, steps=steps, seed=seed)
    batches = DocumentBatches(data.documents, BATCH, seed, POOL)
    return model, train(model, batches, training, objective=pointing_nats, team=team, progress=team.is_first)


def clock() -> None:
    """Trains once, alone or as one of several processes, and says how long that took."""
    with team_from_environment() as team:
        data = task(EIGHT, N_DOCUMENTS)
        started = time.perf_counter()
        *_, last = begin(data, seed=0, team=team)[1]
        if team.is_first:
            print(f"{last.step} steps, {last.tokens:,} tokens: {time.perf_counter() - started:.0f} s")


def bias(model: torch.nn.Module, data: Task, plots: tuple[str, ...] | None, n: int) -> dict[str, dict[str, float]]:
    """How often a visitor with a job is `she`: as planted, as told in the training stories, as the model has it."""
    stories = told(plots, n)
    return {
        each.job: {
            "planted": round(each.planted, 4),
            "stories": len(stories[each.job]),
            "told": round(statistics.fmean(stories[each.job]), 4),
            "model": round(each.model, 4),
            "stderr": round(each.stderr, 4),  # of the model's, from the spread between stories
        }
        for each in pronoun_shares(model, data.tokenizer, data.world, N_VISITORS)
    }


@cache
def told(plots: tuple[str, ...] | None, n: int) -> dict[str, list[bool]]:
    """For each job, whether the visitor was `she`, training story by training story."""
    found: dict[str, list[bool]] = {}
    for document in world_of(plots).documents(n, split="train"):
        if document.labels["plot"] == "stranger":
            found.setdefault(document.labels["job"], []).append(document.labels["pronoun"] == "she")
    return found


def peer(
    lr: float, seconds: float, plots: tuple[str, ...] | None, n: int = N_DOCUMENTS, seed: int = 0
) -> dict[str, Any]:
    """One run of GPT-2's layers by the optimiser that is usual for them, for so many seconds of processor time."""
    data = task(plots, n)
    model = Transformer(GPT2, fused_attend, torch.Generator().manual_seed(seed))
    batches = DocumentBatches(data.documents, BATCH, seed, POOL)
    training = gpt2_recipe(lr).training
    steps, tokens, spent = train_by_clock(model, batches.batch, training, seconds, objective=fused_next_token_nats)
    return {
        "seed": seed,
        "steps": steps,
        "tokens": tokens,
        "cpu_seconds": round(spent, 1),
        **scored(model, data, plots, n),
    }


def scored(model: torch.nn.Module, data: Task, plots: tuple[str, ...] | None, n: int) -> dict[str, Any]:
    """A trained model against the truth, in nats per document."""
    result = score(model, data.tokenizer, data.world, data.test, counted(plots, n))
    kinds = shares(model, data.tokenizer, data.world, data.test[:N_SHARED])
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "nats": round(result.model.nats_per_document, 4),
        "floor": round(result.floor, 4),
        "5-gram": round(result.ngram_nats, 4),
        "stderr": round(result.gap_stderr, 4),  # of the gap: all models see the same documents
        "excess": {kind: round(kinds[kind].excess, 4) for kind in KINDS},
    }


def gap(cell: Mapping[str, Any]) -> float:
    """How far above the floor, as a share of it."""
    return float(cell["nats"] / cell["floor"] - 1)


def closed(cell: Mapping[str, Any]) -> float:
    """Which share of the way from the 5-gram model to the floor is done."""
    return float((cell["5-gram"] - cell["nats"]) / (cell["5-gram"] - cell["floor"]))


def fill(log: Log) -> None:
    """Does the runs that the log lacks."""
    for seed in SEEDS:
        if log.missing([key := f"eight plots, seed {seed}"]):
            log.keep(key, ours(seed, EIGHT))
    for times, key in ((1, "all plots"), (2, "all plots, twice as long")):
        if log.missing([key]):
            log.keep(key, ours(0, None, times * STEPS))
    for seed in LONG_SEEDS:
        if log.missing([key := f"all plots, three times as long, seed {seed}"]):
            log.keep(key, ours(seed, None, LONG * STEPS))
    for lr in RATES:
        if log.missing([key := f"GPT-2, lr {lr:g}"]):
            log.keep(key, peer(lr, PEER_SECONDS, EIGHT))
    if log.missing([key := f"all plots, GPT-2, lr {LONG_PEER_RATE:g}"]):
        log.keep(key, peer(LONG_PEER_RATE, LONG_PEER_SECONDS, None, LONG * N_DOCUMENTS))


def table(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The log in Markdown."""
    lines = [
        "| run | parameters | tokens | CPU s | nats | floor | 5-gram | above the floor | way closed |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for key, cell in cells.items():
        size = f"{cell['parameters']:,} | {cell['tokens'] / 1e6:.2f} M | {cell['cpu_seconds']:.0f}"
        nats = f"{cell['nats']:.2f} | {cell['floor']:.2f} | {cell['5-gram']:.2f}"
        lines.append(f"| {key} | {size} | {nats} | {100 * gap(cell):.1f} % | {100 * closed(cell):.1f} % |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--clock", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.clock:
        return clock()
    here = {name: value for name, value in setting(0.0).items() if name != "seconds"}  # runs are told in steps
    log = Log(LOG, {**here, "threads": 1, "plots": list(EIGHT)})
    if not options.table:
        fill(log)
    print(table(log.cells))


if __name__ == "__main__":
    main()
