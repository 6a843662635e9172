"""The checks of attention agree with the course's own attention, on every seed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from llmcourse.checks import CheckFailed
from llmcourse.checks import attention as check
from llmcourse.checks.self_attention import causal_mask, expected_output, make_case
from llmcourse.model import attend, causal, merge_heads, split_heads
from llmcourse.model.attention import Attention
from llmcourse.model.config import TransformerConfig

SEEDS = range(40)


class FromTheCourse(nn.Module):
    """The course's own layer, as the exercise asks for it."""

    def __init__(self, d_in: int, d_out: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))
        self.output = nn.Linear(d_out, d_out)
        self.width, self.p = d_out // n_heads, dropout

    def forward(self, vectors: torch.Tensor, is_real: torch.Tensor | None = None) -> torch.Tensor:
        may_read = causal(vectors.shape[1], vectors.shape[1])
        if is_real is not None:
            may_read = may_read & is_real[:, None, None, :]
        bias = torch.zeros(may_read.shape).masked_fill(~may_read, -torch.inf)
        query, key, value = (split_heads(f(vectors), self.width) for f in (self.query, self.key, self.value))
        value = F.dropout(value, self.p, self.training)
        return self.output(merge_heads(attend(query, key, value, bias)))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_courses_own_functions_pass(seed: int) -> None:
    check.check_causal_mask(lambda t, s: causal(t, s)[0, 0], seed)
    check.check_bias(lambda may_read: torch.where(may_read, 0.0, torch.finfo(torch.float32).min), seed)
    check.check_split_heads(lambda vectors, n: split_heads(vectors, vectors.shape[-1] // n), seed)
    check.check_merge_heads(merge_heads, seed)
    check.check_read_values(lambda weights, value: weights @ value, seed)
    # scores and weights in one, as the course has them: a value of one-hot rows reads the weights off
    check.check_weights(weights_through_attend, seed)
    check.check_self_attention(FromTheCourse, seed)
    check.check_no_future(FromTheCourse, seed)
    check.check_batch_rows_apart(FromTheCourse, seed)
    check.check_padding(FromTheCourse, seed)
    check.check_dropout(FromTheCourse, seed)


def weights_through_attend(scores: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """The softmax inside `attend`, reached with one-hot keys and values."""
    n_keys = scores.shape[-1]
    one_hot = torch.eye(n_keys).expand(*scores.shape[:2], -1, -1)
    return attend(scores * n_keys**0.5, one_hot, one_hot, bias)


@pytest.mark.parametrize("seed", range(5))
def test_the_expected_layer_equals_the_models_attention(seed: int) -> None:
    case = make_case(FromTheCourse, seed, n_tokens=6)  # as wide in as out, which the model's layer asks for
    width = case.d_out
    config = TransformerConfig(vocab_size=2, d_model=width, d_ff=2, n_decoder_layers=1, n_heads=case.n_heads)
    layer = Attention(config)
    layer.load_state_dict(case.module.state_dict(), strict=False)
    bias = torch.zeros(6, 6).masked_fill(~causal_mask(6), -torch.inf)[None, None]
    with torch.no_grad():
        torch.testing.assert_close(
            layer(case.vectors, bias), expected_output(case, causal_mask(6)), rtol=1e-4, atol=1e-5
        )


def test_scores_do_not_saturate_the_softmax() -> None:
    for seed in SEEDS:
        case = make_case(FromTheCourse, seed)
        with torch.no_grad():
            query, key, _ = (split_heads(p, case.width) for p in case.projections())
        weights = (query @ key.mT / case.width**0.5).softmax(-1)
        assert weights.max(-1).values.mean() < 0.8, seed


def test_a_function_that_leaks_only_through_forbidden_scores_is_caught() -> None:
    def leaks(scores: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        weights = (scores + bias).softmax(-1)
        return weights if scores.sum() > 0 else weights * 1.01

    found = set()
    for seed in SEEDS:
        try:
            check.check_weights(leaks, seed)
        except CheckFailed as failure:
            found.add(failure.code)
    assert found >= {"attention.rows-do-not-sum-to-1"}


class RunningMean(nn.Module):
    """No attention at all; its formula would be right if query and key were zero."""

    def __init__(self, d_in: int, d_out: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))
        self.output = nn.Linear(d_out, d_out)
        self.spoil()

    def spoil(self) -> None:
        """What the subclasses do so that the layer's own parts agree with it."""

    def forward(self, vectors: torch.Tensor, is_real: torch.Tensor | None = None) -> torch.Tensor:
        real = torch.ones(vectors.shape[:2]) if is_real is None else is_real.float()
        return self.output((self.value(vectors) * real[..., None]).cumsum(1) / real.cumsum(1)[..., None])


class SilentLayers(RunningMean):
    """Its query and key are layers that always say zero."""

    def spoil(self) -> None:
        for layer in (self.query, self.key):
            layer.forward = lambda vectors, layer=layer: torch.zeros(*vectors.shape[:-1], layer.out_features)


class ZeroWhenCalled(RunningMean):
    """It sets the weights of query and key to zero as soon as it runs."""

    def forward(self, vectors: torch.Tensor, is_real: torch.Tensor | None = None) -> torch.Tensor:
        with torch.no_grad():
            for weight in [*self.query.parameters(), *self.key.parameters()]:
                weight.zero_()
        return super().forward(vectors, is_real)


class NoParameters(RunningMean):
    """Its query and key have weights that are no parameters, and so are never set."""

    def spoil(self) -> None:
        for layer in (self.query, self.key):
            for name in ("weight", "bias"):
                shape = getattr(layer, name).shape
                delattr(layer, name)
                layer.register_buffer(name, torch.zeros(shape))


@pytest.mark.parametrize("layer", [RunningMean, SilentLayers, ZeroWhenCalled, NoParameters])
def test_a_layer_whose_parts_agree_with_its_mistake_is_caught(layer: type[nn.Module]) -> None:
    with pytest.raises(CheckFailed):
        check.check_self_attention(layer, 3)
