"""Published models: a folder of config.json and weights becomes a Transformer, and a Transformer such a folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llmcourse.hub.families import family_for, family_of, weights_to_ours, weights_to_theirs
from llmcourse.hub.family import shapes_of
from llmcourse.hub.files import CONFIG, read_json, write_json
from llmcourse.hub.weights import REMEDY, read_weights, write_weights
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend

MAX_SHARD_BYTES = 5 * 10**9


def load_folder(folder: Path, attend: Attend | None = None, architecture: str | None = None) -> Transformer:
    """The model in a folder, in evaluation mode and 32 bits.

    Raises: ValueError that names the file, field or tensor at fault; no model is made of half the weights.
    """
    published = read_json(folder / CONFIG, REMEDY)
    if architecture is not None:
        published["architectures"] = [architecture]
    family = family_of(published)
    config = family.config(published)
    weights = weights_to_ours(family, config, read_weights(folder))
    model = Transformer(config, attend=attend)
    model.load_state_dict(weights)
    return model.eval()


def save_folder(
    model: Transformer,
    folder: Path,
    *,
    labels: Sequence[str] = (),
    write_extra: Callable[[], dict[str, Any]] = dict,
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> None:
    """Writes the weights and then the config, so that a folder with a config is whole.

    `write_extra` writes other files first, and gives back fields for the config.
    """
    family = family_for(model.config)
    published = {**family.publish(model.config), "dtype": "float32"}
    if labels:
        if len(labels) != model.config.n_labels:
            raise ValueError(f"The model scores {model.config.n_labels} labels, but {len(labels)} have names.")
        published["id2label"] = {str(i): label for i, label in enumerate(labels)}
        published["label2id"] = {label: i for i, label in enumerate(labels)}
    ours = {name: weight.detach().cpu() for name, weight in model.state_dict().items()}
    added = sorted(ours.keys() - shapes_of(model.config).keys())
    if added:
        raise ValueError(f"The model holds {added[0]!r} beside what its config describes: merge what was added first.")
    published |= write_extra()
    (folder / CONFIG).unlink(missing_ok=True)
    write_weights(folder, weights_to_theirs(family, model.config, ours), max_shard_bytes)
    write_json(folder / CONFIG, published)
