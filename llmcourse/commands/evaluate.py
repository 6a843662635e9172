"""Score a model on a corpus or a text, in units that can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from llmcourse.commands.errors import CommandError
from llmcourse.commands.generate import MODEL

if TYPE_CHECKING:
    from llmcourse.model import Transformer
    from llmcourse.training import Evaluation

MICROWORLD = "microworld"
MOST_CHARACTERS = 400_000


def evaluate(
    model: Annotated[
        str, Argument(help="A model of the course, a folder that `train` made, or a Hugging Face folder or name.")
    ] = MODEL,
    text: Annotated[Path | None, Option(help="A text file to be scored on, in place of a corpus.")] = None,
    corpus: Annotated[
        str, Option(help="microworld, stdlib-code, or another that `llmcourse train` knows.")
    ] = MICROWORLD,
    split: Annotated[str, Option(help="The part of the corpus: valid or test.")] = "test",
    n: Annotated[int, Option(min=1, help="Documents at most.")] = 200,
    window: Annotated[int, Option(min=1, help="Tokens of a running text that the model reads at once.")] = 128,
    device: Annotated[str, Option(help="cpu, cuda or mps.")] = "cpu",
) -> None:
    """Score a model: nats per token, perplexity and bits per byte; on the microworld, the floor and the gap too."""
    print(evaluate_model(model, text=text, corpus=corpus, split=split, n=n, window=window, device=device))


@dataclass(frozen=True)
class Scored:
    """A model that predicts next tokens, and what turns text into its ids."""

    name: str
    model: "Transformer"
    tokenizer: Any
    mark: int  # the id that stands before and after a document
    world_seed: int


def evaluate_model(
    name: str,
    *,
    text: Path | None = None,
    corpus: str = MICROWORLD,
    split: str = "test",
    n: int = 200,
    window: int = 128,
    device: str = "cpu",
) -> str:
    """The scores as a small table under a line that says of what.

    Raises: ValueError for an unknown model, corpus, split or device or a bad text; CommandError where both a text and
    a corpus are given, or the model does not predict next tokens.
    """
    from llmcourse.data import corpora, read_text
    from llmcourse.training import choose_device

    if text is not None and corpus != MICROWORLD:
        raise CommandError(f"Give --text or --corpus, not both: --text {text} --corpus {corpus}.")
    place = choose_device(device)
    scored = find_scored(name)
    scored.model.to(place)
    if text is not None:
        return f"{scored.name} on {text.name}\n{_on_text(scored, read_text(text), window)}"
    if corpus == MICROWORLD:
        return f"{scored.name} on {n:,} documents of the microworld that no model trains on\n{_on_world(scored, n)}"
    documents = corpora.load(corpus, split, n).texts
    return f"{scored.name} on {corpus}, {split}\n{_on_text(scored, chr(10).join(documents), window)}"


def find_scored(name: str) -> Scored:
    """The model of that name or in that folder. Raises: CommandError where it does not predict next tokens."""
    from llmcourse import hub
    from llmcourse.commands.convert import is_bundle
    from llmcourse.commands.generate import find_model
    from llmcourse.hub.tokenizer import roles_of

    tokenizer: Any
    manifest: Any = {}
    if is_bundle(name):
        bundle = find_model(name)
        model, tokenizer, manifest = bundle.model, bundle.tokenizer, bundle.manifest
    else:
        model, tokenizer = hub.load(name), hub.load_tokenizer(name)
    if model.encoder is not None or model.config.head != "lm":
        raise CommandError(f"{name} does not predict next tokens, which is what evaluate scores: it is no decoder.")
    roles = roles_of(tokenizer.specials)
    mark = roles.get("bos_token", roles.get("eos_token"))
    if mark is None:
        raise CommandError(f"The tokenizer of {name} has no token that begins a document, which evaluate needs.")
    return Scored(name, model, tokenizer, tokenizer.special_id(mark), int(manifest.get("world_seed", 0)))


def _on_world(scored: Scored, n: int) -> str:
    """The model's surprise at unseen stories beside the world's own."""
    from llmcourse.data import encode_documents, in_order
    from llmcourse.hub import held_out_texts
    from llmcourse.training import Evaluation, evaluate
    from llmcourse.world import World

    world = World(scored.world_seed)
    texts = sorted(held_out_texts(world, n, seed=1), key=lambda text: len(scored.tokenizer.encode(text)))
    documents = encode_documents(texts, scored.tokenizer, scored.mark, scored.model.config.context)
    n_bytes = sum(len(text.encode()) for text in texts)
    ours = evaluate(scored.model, in_order(documents, 16), n_bytes=n_bytes)
    floor = Evaluation(tuple(-world.log_prob(text) for text in texts), ours.n_tokens, n_bytes)
    gaps = [mine - truth for mine, truth in zip(ours.document_nats, floor.document_nats, strict=True)]
    gap = Evaluation(tuple(gaps), ours.n_tokens, n_bytes)
    rows = [("", "model", "floor", "gap"), *_rows(ours, floor, gap)]
    rows.append(("perplexity", f"{ours.perplexity:.3f}", f"{floor.perplexity:.3f}", ""))
    per_document = [f"{each.nats_per_document:.2f}" for each in (ours, floor, gap)]
    rows.append(("nats per document", *per_document[:2], f"{per_document[2]} ± {gap.stderr:.2f}"))
    return _table(rows)


def _on_text(scored: Scored, text: str, window: int) -> str:
    """The model's surprise at a running text, window by window."""
    from llmcourse.data import pad_documents
    from llmcourse.training import evaluate

    context = scored.model.config.context
    if context is not None and window > context:
        raise CommandError(f"--window {window} is more than the model's context of {context} tokens.")
    text = text[:MOST_CHARACTERS]
    ids = [scored.mark, *scored.tokenizer.encode(text)]
    windows = [ids[start : start + window + 1] for start in range(0, len(ids) - 1, window)]
    batches = [pad_documents(windows[first : first + 16]) for first in range(0, len(windows), 16)]
    ours = evaluate(scored.model, batches, n_bytes=len(text.encode()))
    return _table([*_rows(ours), ("perplexity", f"{ours.perplexity:.2f}"), ("bytes", f"{ours.n_bytes:,}")])


def _rows(*scores: "Evaluation") -> list[tuple[str, ...]]:
    return [
        ("nats per token", *(f"{each.nats_per_token:.4f}" for each in scores)),
        ("bits per byte", *(f"{each.bits_per_byte:.4f}" for each in scores)),
    ]


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"  {name:18}" + "".join(f"{value:>18}" for value in values) for name, *values in rows)
