"""Small experiments on preferences, rewards and search, each scored against the truth of the microworld."""

import copy
import math
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch

from llmcourse.data import encode_documents, in_order
from llmcourse.finetune import ExampleBatches, Turn, answers, chat_of, encode_chat, encode_prompt, sft_batch
from llmcourse.finetune.assistant import is_fact, kept_back, plain_story
from llmcourse.finetune.dpo import dpo_batches, dpo_objective, dpo_pairs, implicit_margins
from llmcourse.finetune.embed import contrast_objective, embed, embedder, retold, told_batches
from llmcourse.finetune.grpo import GrpoConfig, Rollouts, grpo_objective, is_right
from llmcourse.finetune.reward import (
    calibration,
    calibration_gap,
    margin_accuracy,
    margins,
    pair_nats,
    reward_batches,
    reward_model,
)
from llmcourse.finetune.rollouts import answer_kl, draw_answers, spoken
from llmcourse.finetune.search import BagOfWords, Index, mean_reciprocal_rank, recall_at
from llmcourse.finetune.sft import ChatTemplate
from llmcourse.hub import Bundle, bundled, held_out_texts
from llmcourse.model import Transformer, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, evaluate, train
from llmcourse.world import InstructionRecord, PreferenceRecord, World

WORLD = World(0)  # the one that the course's models have read about
NOT_SAID = "The story does not say."
BETA = 0.1
N_TEST, N_STORIES, N_DRAWN = 160, 100, 60

Entry = dict[str, Any]


def assistant() -> Bundle:
    return bundled("microworld-assistant", attend=fused_attend)


def run(model: Transformer, batches: Any, steps: int, lr: float, seed: int, **options: Any) -> None:
    """Trains in place, quietly, with AdamW and a cosine."""
    config = TrainConfig(steps=steps, lr=lr, warmup=steps // 20, weight_decay=0.0, seed=seed)
    for _ in train(model, batches, config, progress=False, **options):
        pass


# -- a reward model -------------------------------------------------------------------------------------------------
def reward_trial(seed: int, n_pairs: int = 4800, lr: float = 1e-3) -> Entry:
    """A reward model that has seen each pair once, on pairs that it has not seen."""
    base = assistant()
    model = reward_model(base.model, fused_attend)
    batches = reward_batches(WORLD.task("preferences", n_pairs, seed=seed), base.tokenizer, 8, seed)
    run(model, batches, len(batches), lr, seed, objective=pair_nats)
    test = WORLD.task("preferences", 2 * N_TEST, split="test")
    found = margins(model, base.tokenizer, test)
    result, bins = margin_accuracy(found), calibration(found)
    return {
        "pairs": n_pairs,
        "right": [result.n_right, result.n],
        "by_reason": shares([record.reason for record in test], (found > 0).tolist()),
        "calibration": [[each.n, round(each.claimed, 3), round(each.right, 3)] for each in bins],
        "calibration_gap": round(calibration_gap(bins), 4),
    }


def shares(groups: Sequence[str], right: Sequence[bool]) -> dict[str, list[int]]:
    """How many of each group are right, and how many it has."""
    totals = Counter(groups)
    return {
        name: [sum(r for g, r in zip(groups, right, strict=True) if g == name), totals[name]] for name in sorted(totals)
    }


# -- direct preference optimisation -----------------------------------------------------------------------------------
def taught(base: Bundle, seed: int, steps: int, lr: float = 1e-3) -> Transformer:
    """The assistant after plain tuning on chosen answers, with as many stories among them as it needs to tell them."""
    model = copy.deepcopy(base.model)
    records = WORLD.task("preferences", 6 * steps, seed=100 + seed)
    chats = [encode_chat(chat_of(record.prompt, record.chosen), base.tokenizer) for record in records]
    stories = [plain_story(each.text, base.tokenizer) for each in WORLD.documents(3 * steps, seed=100 + seed)]
    run(model, ExampleBatches([*chats, *stories], sft_batch, 9, seed), steps, lr, seed)
    return model


def dpo_trial(seed: int, steps: int = 60, lr: float = 3e-4, n_taught: int = 120) -> Entry:
    """Plain tuning on chosen answers, then DPO on other pairs; beside it, what their chosen answers alone would do.

    In a fourth arm the pairs lack those in which "The story does not say." is the rejected answer: it is always the
    chosen one then, and to prefer it everywhere is a short cut.
    """
    base = assistant()
    start = taught(base, seed, n_taught)
    records = WORLD.task("preferences", 12 * steps, seed=seed)
    one_sided = [record for record in records if record.reason != "withheld"]
    entry: Entry = {"steps": steps, "beta": BETA, "start": kept_to(start, start, base.tokenizer, seed)}
    for name, few in (("chosen only", records), ("dpo", records), ("dpo without withheld", one_sided)):
        model = copy.deepcopy(start)
        pairs = dpo_pairs(few[: 8 * steps], start, base.tokenizer)
        if name == "chosen only":
            run(model, ExampleBatches([pair.chosen for pair in pairs], sft_batch, 8, seed), steps, lr, seed)
        else:
            run(model, dpo_batches(pairs, 8, seed), steps, lr, seed, objective=dpo_objective(BETA))
        entry[name] = kept_to(model, start, base.tokenizer, seed)
    return entry


def kept_to(model: Transformer, start: Transformer, tokenizer: ByteBPE, seed: int) -> Entry:
    """What the model says by itself, how well it ranks pairs, and how far it has moved."""
    test = WORLD.task("preferences", N_TEST, split="test")
    said = answers(model, tokenizer, [record.prompt for record in test])
    pairs = dpo_pairs(test, start, tokenizer)
    prompts = [encode_prompt([Turn("user", record.prompt)], tokenizer) for record in test[:N_DRAWN]]
    chance = torch.Generator().manual_seed(seed)
    drawn = draw_answers(model, prompts, tokenizer.special_id("<|end|>"), generator=chance)
    kl = answer_kl(model, start, drawn)
    return {
        "said": Counter(map(kind_of, test, said)),
        "chosen_by_reason": shares([r.reason for r in test], [s == r.chosen for s, r in zip(said, test, strict=True)]),
        "implicit_right": [int((implicit_margins(model, pairs, BETA) > 0).sum()), N_TEST],
        "kl": [round(float(kl.mean()), 4), round(float(kl.std()) / math.sqrt(len(kl)), 4)],
        "above_floor": above_floor(model, tokenizer),
    }


def kind_of(record: PreferenceRecord, said: str) -> str:
    """Whether an answer is the true one, a wrong "does not say", the false one that was planted, or something else."""
    if said != record.chosen and said == NOT_SAID:
        return "shy"
    return {record.chosen: "chosen", record.rejected: "rejected"}.get(said, "other")


def above_floor(model: Transformer, tokenizer: ByteBPE) -> float:
    """How much more surprised than the world itself the model is by stories that it never read, in nats each."""
    texts = held_out_texts(WORLD, N_STORIES, 1)
    documents = encode_documents(texts, tokenizer, tokenizer.special_id("<|end|>"))
    nats = evaluate(model, in_order(documents, 16)).nats_per_document
    return round(nats - WORLD.floor(texts).nats_per_document, 3)


# -- group-relative policy optimisation ------------------------------------------------------------------------------
def grpo_trial(seed: int, steps: int = 80, lr: float = 5e-4) -> Entry:
    """Questions after facts of the world, answered by the assistant and rated by the world.

    They are about three people too whom the assistant's lessons left out: no right answer about these is ever shown.
    """
    base = assistant()
    model = copy.deepcopy(base.model)
    config = GrpoConfig(max_new_tokens=20, seed=seed)
    rollouts = Rollouts(model, base.model, fact_questions(24 * steps, "train", seed), base.tokenizer, config)
    before = drawn_right(model, base.tokenizer)
    run(model, rollouts, steps, lr, seed, objective=grpo_objective(config))
    after = drawn_right(model, base.tokenizer)
    entry: Entry = {"steps": steps, "answers_per_step": config.n_prompts * config.n_samples}
    for group, is_in in (("all", {True, False}), ("kept back", {True}), ("others", {False})):
        both = [(b, a) for (b, kept), (a, _) in zip(before, after, strict=True) if kept in is_in]
        entry[group] = {
            "before": mean_of([b for b, _ in both]),
            "after": mean_of([a for _, a in both]),
            "gain": mean_of([a - b for b, a in both]),
        }
    return entry | {
        "reward_in_training": [round(each.reward, 3) for each in rollouts.log],
        "kl_in_training": [round(each.kl, 4) for each in rollouts.log],
        "above_floor": {"before": above_floor(base.model, base.tokenizer), "after": above_floor(model, base.tokenizer)},
    }


def fact_questions(n: int, split: str, seed: int) -> list[InstructionRecord]:
    """Those of `n` questions that are about the world itself: about every third."""
    return [each for each in WORLD.task("instructions", n, split, seed) if is_fact(each)]


def drawn_right(model: Transformer, tokenizer: ByteBPE, n: int = 200, n_samples: int = 4) -> list[tuple[float, bool]]:
    """For each question: the share of the drawn answers that are right, and whether it is about people kept back."""
    asked = fact_questions(4 * n, "test", 5)[:n]
    prompts = [encode_prompt([Turn("user", each.text)], tokenizer) for each in asked]
    end, chance = tokenizer.special_id("<|end|>"), torch.Generator().manual_seed(1)
    drawn = draw_answers(model, prompts, end, n_samples=n_samples, max_new_tokens=20, generator=chance)
    said = [spoken(each, tokenizer, ChatTemplate()) for each in drawn]
    absent, found = kept_back(WORLD), []
    for place, each in enumerate(asked):
        own = said[n_samples * place : n_samples * (place + 1)]
        is_kept_back = any(name in each.instruction for name in absent)
        found.append((statistics.fmean(is_right(each, text) for text in own), is_kept_back))
    return found


def mean_of(values: Sequence[float]) -> list[float]:
    """The mean and its standard error."""
    return [round(statistics.fmean(values), 4), round(statistics.stdev(values) / math.sqrt(len(values)), 4)]


# -- search by meaning ------------------------------------------------------------------------------------------------
def search_trial(seed: int, n_told: int = 1600, lr: float = 2e-3) -> Entry:
    """Stories found by the same in other words, among others and lookalikes; beside a bag of words."""
    base = bundled(attend=fused_attend)
    told = retold(WORLD, n_told, seed=seed)
    model = embedder(base.model, "mean", fused_attend)
    untrained = found_by(lambda texts: embed(model, base.tokenizer, texts))
    batches = told_batches(told, base.tokenizer, 16, seed)
    run(model, batches, len(batches), lr, seed, objective=contrast_objective())
    return {
        "stories": n_told,
        "bag of words": found_by(BagOfWords([text for each in told for text in each]).vectors),
        "untrained": untrained,
        "trained": found_by(lambda texts: embed(model, base.tokenizer, texts)),
    }


def found_by(vectors_of: Callable[[Sequence[str]], torch.Tensor], n: int = N_TEST) -> Entry:
    """How well vectors find the story that is the same, without lookalikes in the index and with them."""
    test = retold(WORLD, n, "test")
    queries, own = vectors_of([each[0] for each in test]), torch.arange(n)
    entry = {}
    for name, places in (("alone", (1,)), ("among lookalikes", (1, 2))):
        texts = [each[place] for place in places for each in test]
        ranks = Index(texts, vectors_of(texts)).ranks(queries, own)
        entry[name] = {
            "recall@1": recall_at(ranks, 1),
            "recall@5": recall_at(ranks, 5),
            "mrr": round(mean_reciprocal_rank(ranks), 4),
        }
    return entry


TRIALS: dict[str, Callable[..., Entry]] = {
    "reward": reward_trial,
    "dpo": dpo_trial,
    "grpo": grpo_trial,
    "search": search_trial,
}
