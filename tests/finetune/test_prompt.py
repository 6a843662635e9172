"""Prompt tuning: learned vectors before the text, with and without cache and padding."""

import copy

import pytest
import torch
from safetensors.torch import load_file

from llmcourse.decoding import generate
from llmcourse.finetune import PromptModel, answer, answers, chat_of, encode_chat, load_prompt, save_prompt, sft_batch
from llmcourse.model import Alibi, Learned, Rotary, Sinusoidal, Transformer, TransformerConfig
from llmcourse.training import TrainConfig, next_token_nats, train
from tests.finetune.conftest import make_backbone

N = 4
POSITIONS = {"rotary": Rotary(), "learned": Learned(64), "alibi": Alibi(), "sinusoidal": Sinusoidal()}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=[*POSITIONS, "mixing"])
def base(request, tokenizer):
    """A decoder of each scheme of positions, and one that mixes each vector with the one before it."""
    if request.param != "mixing":
        return make_backbone(tokenizer.vocab_size, position=POSITIONS[request.param])
    sizes = {"vocab_size": tokenizer.vocab_size, "d_model": 12, "d_ff": 20, "n_heads": 3, "n_decoder_layers": 2}
    model = Transformer(TransformerConfig(**sizes, position=Rotary(), mix_previous=True), generator=seeded())
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5, generator=seeded(1))
    return model


@pytest.fixture
def tuned(base):
    return PromptModel(base, N, seeded()).eval()


def test_vectors_of_tokens_in_front_are_those_tokens_in_front(base):
    """The oracle: as long as the vectors are still those of tokens, the plain model can read these tokens."""
    tuned = PromptModel(base, N, seeded()).eval()
    tokens = [int((base.tokens.weight == vector).all(dim=1).nonzero()[0]) for vector in tuned.vectors]
    ids = torch.tensor([[5, 9, 2, 7], [3, 8, 1, 6]])
    whole = torch.cat((torch.tensor([tokens, tokens]), ids), dim=1)
    torch.testing.assert_close(tuned(ids), base(whole)[:, N:], rtol=1e-4, atol=1e-5)


def test_an_encoder_reads_the_vectors_as_it_reads_tokens(tokenizer):
    base = make_backbone(tokenizer.vocab_size, encoder=True)
    tuned = PromptModel(base, N, seeded()).eval()
    tokens = [int((base.tokens.weight == vector).all(dim=1).nonzero()[0]) for vector in tuned.vectors]
    ids, is_real = torch.tensor([[5, 9, 2, 7], [3, 8, 0, 0]]), torch.tensor([[True] * 4, [True, True, False, False]])
    whole = torch.cat((torch.tensor([tokens, tokens]), ids), dim=1)
    expected = base(whole, is_real=torch.cat((torch.ones(2, N, dtype=torch.bool), is_real), dim=1))[:, N:]
    torch.testing.assert_close(tuned(ids, is_real=is_real)[is_real], expected[is_real], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_moves_nothing(tuned, side):
    alone = [torch.tensor([[5, 9, 2, 7, 11]]), torch.tensor([[3, 8]])]
    if side == "left":
        ids = torch.tensor([[5, 9, 2, 7, 11], [13, 13, 13, 3, 8]])
        is_real = torch.tensor([[True] * 5, [False] * 3 + [True] * 2])
    else:
        ids = torch.tensor([[5, 9, 2, 7, 11], [3, 8, 13, 13, 13]])
        is_real = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    logits = tuned(ids, is_real=is_real)
    for row, own in enumerate(alone):
        torch.testing.assert_close(logits[row][is_real[row]], tuned(own)[0], rtol=1e-4, atol=1e-5)


def test_cached_reading_equals_reading_all_at_once(tuned):
    ids = torch.tensor([[5, 9, 2, 7, 11, 4], [3, 8, 1, 6, 2, 10]])
    cache = tuned.new_cache()
    parts = [tuned(ids[:, start:end], cache=cache) for start, end in ((0, 3), (3, 4), (4, 6))]
    assert len(cache) == 6
    torch.testing.assert_close(torch.cat(parts, dim=1), tuned(ids), rtol=1e-4, atol=1e-5)
    cache.truncate(4)
    torch.testing.assert_close(tuned(ids[:, 4:], cache=cache), tuned(ids)[:, 4:], rtol=1e-4, atol=1e-5)


def test_generation_is_the_same_with_and_without_cache_and_beside_longer_prompts(tuned, tokenizer):
    texts = ["Who has the axe now?", "Why?", "Where?"]
    together = answers(tuned, tokenizer, texts, max_new_tokens=5)
    assert together == [answer(tuned, tokenizer, text, max_new_tokens=5) for text in texts]
    ids = torch.tensor([[5, 9, 2]])
    assert torch.equal(generate(tuned, ids, 6), generate(tuned, ids, 6, use_cache=False))


def test_generation_stops_where_the_prompt_has_left_no_room(tokenizer):
    tuned = PromptModel(make_backbone(tokenizer.vocab_size, position=Learned(10)), N)
    ids = torch.tensor([[5, 9, 2]])
    assert generate(tuned, ids, 50).shape[1] == 10 - N - 3 + 1
    with pytest.raises(ValueError, match="7 tokens do not fit: beside the prompt the context has room for 6"):
        tuned(torch.ones(1, 7, dtype=torch.long))


def test_only_the_vectors_learn_and_they_do(tuned, base, tokenizer):
    before = copy.deepcopy(base.state_dict())
    start = tuned.vectors.detach().clone()
    batch = sft_batch([encode_chat(chat_of("Who?", "Greta"), tokenizer)])

    class Same:
        def batch(self, step):
            return batch

    config = TrainConfig(steps=15, lr=0.3, weight_decay=0.0)
    losses = [record.loss for record in train(tuned, Same(), config, progress=False)]
    assert losses[-1] < losses[0] - 0.05
    assert all(torch.equal(weight, before[name]) for name, weight in base.state_dict().items())
    assert (tuned.vectors - start).abs().amin(dim=1).gt(0).all()


def test_every_vector_matters_to_every_token(tuned):
    ids = torch.tensor([[5, 9, 2]])
    for place in range(N):
        tuned.vectors.grad = None
        tuned(ids)[0, -1].square().sum().backward()
        assert tuned.vectors.grad[place].abs().sum() > 0


def test_the_loss_counts_what_it_counts_without_a_prompt(tuned, tokenizer):
    batch = sft_batch([encode_chat(chat_of(text, text[:3]), tokenizer) for text in ("Who has it?", "Why?")])
    nats = next_token_nats(tuned, batch)
    assert nats.shape == batch.targets.shape
    assert torch.equal(nats > 0, batch.is_target)


def test_the_frozen_model_keeps_its_dropout_off(tokenizer):
    tuned = PromptModel(make_backbone(tokenizer.vocab_size, dropout=0.5), N).train()
    assert tuned.training
    assert not any(module.training for module in tuned.model.modules())


def test_the_file_holds_the_vectors_alone_and_gives_the_same_model(tuned, base, tmp_path):
    torch.nn.init.normal_(tuned.vectors, generator=seeded(3))
    save_prompt(tmp_path / "prompt.safetensors", tuned)
    assert list(load_file(tmp_path / "prompt.safetensors")) == ["vectors"]
    again = load_prompt(tmp_path / "prompt.safetensors", copy.deepcopy(base)).eval()
    ids = torch.tensor([[5, 9, 2]])
    assert torch.equal(again(ids), tuned(ids))
    assert [name for name, weight in again.named_parameters() if weight.requires_grad] == ["vectors"]


def test_vectors_are_not_put_before_another_model(tokenizer, tmp_path):
    save_prompt(tmp_path / "prompt", PromptModel(make_backbone(tokenizer.vocab_size), N))
    with pytest.raises(ValueError, match="learned for another model"):
        load_prompt(tmp_path / "prompt", make_backbone(tokenizer.vocab_size, seed=3))
    with pytest.raises(ValueError, match="There is no file"):
        load_prompt(tmp_path / "none", make_backbone(tokenizer.vocab_size))


def test_a_prompt_without_vectors_or_room_or_a_single_stack_is_refused(tokenizer):
    with pytest.raises(ValueError, match=r"at least one vector .* not 0"):
        PromptModel(make_backbone(tokenizer.vocab_size), 0)
    with pytest.raises(ValueError, match="leave room for a token, not 8"):
        PromptModel(make_backbone(tokenizer.vocab_size, position=Learned(8)), 8)
    both = TransformerConfig(vocab_size=20, d_model=8, d_ff=8, n_heads=2, n_encoder_layers=1, n_decoder_layers=1)
    with pytest.raises(ValueError, match="one stack"):
        PromptModel(Transformer(both), N)
