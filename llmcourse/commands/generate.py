"""Let a trained model write on from a prompt."""

from pathlib import Path
from typing import TYPE_CHECKING

from llmcourse.commands.errors import CommandError

if TYPE_CHECKING:  # importing them takes seconds, which `--help` need not wait for
    from llmcourse.decoding import LogitTransform
    from llmcourse.hub import Bundle


def generate_text(
    prompt: str,
    *,
    model: str = "microworld-small",
    max_new_tokens: int = 200,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int = 0,
) -> None:
    """Print the prompt and what the model writes after it, piece by piece.

    Raises: ValueError for a setting out of range or a damaged model; CommandError for a folder that holds no model.
    """
    from llmcourse.hub import write_on

    bundle = find_model(model)
    transform = chosen(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
    print(prompt, end="", flush=True)
    for piece in write_on(bundle, prompt, max_new_tokens, transform=transform, seed=seed):
        print(piece, end="", flush=True)
    print()


def find_model(model: str) -> "Bundle":
    """The model in a folder, or else the one of that name that comes with the course.

    Raises: CommandError where a folder holds no model; ValueError that lists the names.
    """
    from llmcourse.hub import bundled, load_bundle

    folder = Path(model)
    # `llmcourse train --out runs/mine` leaves the model in runs/mine/model
    for place in (folder, folder / "model"):
        if (place / "manifest.json").is_file():
            return load_bundle(place)
    if folder.is_dir():
        raise CommandError(f"{folder} holds no model. Train one with: llmcourse train --out {folder}")
    return bundled(model)


def chosen(*, temperature: float, top_k: int | None, top_p: float | None, min_p: float | None) -> "LogitTransform":
    """The transforms that were asked for, as one: the temperature first, then the filters."""
    from llmcourse import decoding

    transforms = [decoding.temperature(temperature)]
    if top_k is not None:
        transforms.append(decoding.top_k(top_k))
    if top_p is not None:
        transforms.append(decoding.top_p(top_p))
    if min_p is not None:
        transforms.append(decoding.min_p(min_p))
    return decoding.compose(*transforms)
