"""A reference model, the folder that the library saves it in, and the model that we load from there."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import transformers

from llmcourse.hub.folder import load_folder
from llmcourse.model import Transformer

from .references import REFERENCES, VOCAB, strongly_randomised


@dataclass(frozen=True)
class Pair:
    name: str
    reference: transformers.PreTrainedModel
    folder: Path
    model: Transformer


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """Makes each pair once."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    made: dict[str, Pair] = {}

    def pair(name: str) -> Pair:
        if name not in made:
            reference = strongly_randomised(REFERENCES[name]())
            folder = tmp_path_factory.mktemp(name)
            reference.save_pretrained(folder)
            made[name] = Pair(name, reference, folder, load_folder(folder))
        return made[name]

    return pair


@pytest.fixture
def pair(request, pairs) -> Pair:
    """The pair that the test is parametrised with, by name."""
    return pairs(request.param)


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(0, VOCAB, (3, 17), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def target_ids() -> torch.Tensor:
    return torch.randint(0, VOCAB, (3, 9), generator=torch.Generator().manual_seed(3))
