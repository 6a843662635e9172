"""A model that may point: its logits by an independent count, its cheaper loss, and no look at the future."""

import math

import pytest
import torch

from llmcourse.data import pad_documents
from llmcourse.hub.pointing import PlaceSums, PointingTransformer, pointing_nats
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.training import next_token_nats

CONFIG = TransformerConfig(
    vocab_size=13, d_model=8, d_ff=16, n_decoder_layers=1, n_heads=2, position=Rotary(), mix_previous=True
)


@pytest.fixture(params=[None, {1, 2, 3, 5, 8}], ids=["all in use", "some in use"])
def model(request) -> PointingTransformer:
    generator = torch.Generator().manual_seed(0)
    made = PointingTransformer(CONFIG, d_pointer=4, n_pairs=7, in_use=request.param, generator=generator)
    random = torch.Generator().manual_seed(1)
    for weight in made.parameters():  # tables start at zero, where nothing could be told from them
        torch.nn.init.normal_(weight, std=0.7, generator=random)
    return made


IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6, 5, 3], [2, 7, 1, 8, 2, 8, 1, 8, 2, 8]])


def test_a_place_speaks_for_the_token_that_stands_there(model):
    logits = model(IDS)
    vectors = model.decode(IDS)
    words, places = model.score_words(vectors), model.score_places(vectors)
    for row, ids in enumerate(IDS.tolist()):
        for now in range(len(ids)):
            mass = [math.exp(score) for score in words[row, now].tolist()]
            for place in range(now + 1):
                mass[ids[place]] += math.exp(places[row, now, place].item())
            expected = torch.tensor([each / sum(mass) for each in mass])
            torch.testing.assert_close(logits[row, now].softmax(-1), expected, rtol=1e-4, atol=1e-6)


def test_it_sees_no_token_before_its_time(model):
    changed = IDS.clone()
    changed[:, 6:] = (changed[:, 6:] + 5) % 13
    torch.testing.assert_close(model(changed)[:, :6], model(IDS)[:, :6])
    assert not torch.allclose(model(changed)[:, 6:], model(IDS)[:, 6:])
    torch.testing.assert_close(model(IDS[:, :1]), model(IDS)[:, :1])


def test_its_cheaper_loss_is_the_loss_and_so_are_the_gradients(model):
    batch = pad_documents([[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 2, 8], [5, 5, 5, 5, 5, 5]])
    gradients = []
    for objective in (next_token_nats, pointing_nats):
        model.zero_grad()
        nats = objective(model, batch)
        nats.sum().backward()
        gradients.append([nats.detach(), *(weight.grad for weight in model.parameters())])
    for clear, cheap in zip(*gradients, strict=True):
        torch.testing.assert_close(cheap, clear, rtol=1e-4, atol=1e-5)


def test_pairs_of_neighbours_have_rows_of_their_own(model):
    rows = model.pair_rows(torch.tensor([[1, 2, 1, 2, 3]]))[0].tolist()
    assert rows[1] == rows[3]
    assert rows[0] != rows[2]  # the same token after another one
    assert all(0 <= row < 7 for row in rows)


def test_tokens_out_of_use_share_a_row_and_what_is_left_to_it():
    model = PointingTransformer(CONFIG, d_pointer=4, n_pairs=7, in_use=[8, 3, 8])
    assert [tuple(weight.shape) for weight in (model.transformer.tokens.weight, model.unlike.weight)] == [(3, 8)] * 2
    assert model.row_of.tolist() == [2, 2, 2, 0, 2, 2, 2, 2, 1, 2, 2, 2, 2]
    torch.nn.init.normal_(model.unlike.weight, std=3, generator=torch.Generator().manual_seed(1))
    vectors = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(2))
    scores = model.score_words(vectors)
    rows = vectors @ model.table.T
    torch.testing.assert_close(scores[..., [3, 8]], rows[..., :2])
    torch.testing.assert_close(scores[..., [0, 1, 2, 4, 5, 6, 7, 9, 10, 11, 12]].logsumexp(-1), rows[..., 2])
    assert len(scores[0, 0].unique()) == 3


def test_a_token_in_use_must_be_in_the_vocabulary():
    with pytest.raises(ValueError, match="A token in use lies outside the vocabulary of 13: 13"):
        PointingTransformer(CONFIG, d_pointer=4, n_pairs=7, in_use=[1, 13])


def test_any_other_model_has_the_ordinary_loss():
    model = Transformer(CONFIG, generator=torch.Generator().manual_seed(2))
    batch = pad_documents([[3, 1, 4, 1, 5]])
    torch.testing.assert_close(pointing_nats(model, batch), next_token_nats(model, batch))


def test_a_target_outside_the_vocabulary_is_named(model):
    with pytest.raises(ValueError, match="Target 13 lies outside the vocabulary of 13"):
        pointing_nats(model, pad_documents([[1, 2, 13]]))


def test_a_right_place_that_is_next_to_impossible_gives_no_endless_gradient():
    sought, offered = torch.tensor([[[0.0], [1.0]]], requires_grad=True), torch.tensor([[[-95.0], [0.0]]])
    is_right = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])  # e^-95 of the second mass: 32 bits hold it badly
    anywhere, right = PlaceSums.apply(sought, offered, is_right)
    assert anywhere.tolist() == [[0.0, 0.0]]
    right.sum().backward()
    assert sought.grad.isfinite().all()
