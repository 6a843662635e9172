"""Where a token stands: five schemes, and the three places in which one may act."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmcourse.model.config import Alibi, Bucketed, Learned, Position, Rotary, Sinusoidal, TransformerConfig

Rotation = tuple[Tensor, Tensor]


class PositionScheme(nn.Module):
    """A scheme that does nothing; each real one overrides the place in which it acts."""

    def embed(self, vectors: Float[Tensor, "B T D"], positions: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """The input vectors with the position worked in."""
        return vectors

    def rotation(self, positions: Int[Tensor, "B T"]) -> Rotation | None:
        """Cosines and sines by which `rotate` turns queries and keys."""
        return None

    def bias(self, queries: Int[Tensor, "B T"], keys: Int[Tensor, "B S"]) -> Float[Tensor, "B H T S"] | None:
        """What to add to the scores of every head."""
        return None


class SinusoidalPosition(PositionScheme):
    """Adds waves whose lengths run from 2π to 10,000 · 2π positions."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.frequencies: Tensor
        self.register_buffer("frequencies", inverse_frequencies(d_model, 10_000.0), persistent=False)

    def embed(self, vectors: Float[Tensor, "B T D"], positions: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        angles = positions[..., None] * self.frequencies
        waves = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # sine and cosine take turns
        return vectors + waves.to(vectors.dtype)


class LearnedPosition(PositionScheme):
    """Adds a trained vector per position."""

    def __init__(self, scheme: Learned, d_model: int) -> None:
        super().__init__()
        self.scheme = scheme
        self.table = nn.Embedding(scheme.max_len + scheme.offset, d_model)

    def embed(self, vectors: Float[Tensor, "B T D"], positions: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        return vectors + self.table(positions + self.scheme.offset)


class RotaryPosition(PositionScheme):
    """Turns each pair of query and key coordinates by position times frequency."""

    def __init__(self, scheme: Rotary, d_head: int) -> None:
        super().__init__()
        self.scheme = scheme
        self.frequencies: Tensor
        self.register_buffer("frequencies", inverse_frequencies(d_head, scheme.theta), persistent=False)

    def rotation(self, positions: Int[Tensor, "B T"]) -> Rotation:
        scaled = positions if self.scheme.scaling is None else positions / self.scheme.scaling
        angles = scaled[:, None, :, None] * self.frequencies  # B 1 T K/2
        return angles.cos(), angles.sin()


class AlibiPosition(PositionScheme):
    """Lowers a score by slope times distance."""

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.slopes: Tensor
        self.register_buffer("slopes", alibi_slopes(n_heads), persistent=False)

    def bias(self, queries: Int[Tensor, "B T"], keys: Int[Tensor, "B S"]) -> Float[Tensor, "B H T S"]:
        distance = (queries[:, None, :, None] - keys[:, None, None, :]).abs()
        return -self.slopes[:, None, None] * distance


class BucketedPosition(PositionScheme):
    """Adds a trained number per head and bucket of distance; near distances have a bucket each, far ones share."""

    def __init__(self, scheme: Bucketed, n_heads: int, both_ways: bool) -> None:
        super().__init__()
        self.scheme = scheme
        self.both_ways = both_ways
        self.table = nn.Embedding(scheme.n_buckets, n_heads)

    def bias(self, queries: Int[Tensor, "B T"], keys: Int[Tensor, "B S"]) -> Float[Tensor, "B H T S"]:
        ahead = keys[:, None, :] - queries[:, :, None]  # B T S, positive where the key comes later
        buckets = distance_buckets(ahead, self.scheme.n_buckets, self.scheme.max_distance, self.both_ways)
        return self.table(buckets).permute(0, 3, 1, 2)


def make_position(config: TransformerConfig, both_ways: bool) -> PositionScheme:
    """The module for a scheme; `both_ways` is True in an encoder, whose keys may come later than the query."""
    scheme: Position = config.position
    match scheme:
        case Sinusoidal():
            return SinusoidalPosition(config.d_model)
        case Learned():
            return LearnedPosition(scheme, config.d_model)
        case Rotary():
            return RotaryPosition(scheme, config.head_width)
        case Alibi():
            return AlibiPosition(config.n_heads)
        case Bucketed():
            return BucketedPosition(scheme, config.n_heads, both_ways)


def rotate(heads: Float[Tensor, "B H T K"], rotation: Rotation) -> Float[Tensor, "B H T K"]:
    """Each coordinate of the first half turned together with its partner in the second half.

    Source: Su et al. 2021, section 3.4.2, with the pairing that the Llama family uses.
    """
    cos, sin = rotation
    first, second = heads.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(heads.dtype)


def inverse_frequencies(width: int, theta: float) -> Float[Tensor, " half"]:
    """Radians per position for each pair of coordinates, from 1 down to almost 1/theta."""
    return theta ** -(torch.arange(0, width, 2, dtype=torch.float32) / width)


def alibi_slopes(n_heads: int) -> Float[Tensor, " H"]:
    """One slope per head, each a fixed fraction of the one before.

    For a number of heads that is no power of two, the remaining slopes are every second one of twice as many.
    Source: Press et al. 2022, section 3 and its published code.
    """
    power = 2 ** int(math.log2(n_heads))
    slopes = [2 ** (-8 * (head + 1) / power) for head in range(power)]
    between = [2 ** (-4 * (head + 1) / power) for head in range(0, 2 * power, 2)]
    return torch.tensor((slopes + between)[:n_heads])


def distance_buckets(
    ahead: Int[Tensor, "*shape"], n_buckets: int, max_distance: int, both_ways: bool
) -> Int[Tensor, "*shape"]:
    """The bucket of each distance: exact up to half the buckets, then logarithmic up to `max_distance`.

    Source: Raffel et al. 2020, section 2.1 and its published code.
    """
    first = torch.zeros_like(ahead)
    if both_ways:
        n_buckets //= 2
        first = (ahead > 0).long() * n_buckets
        distance = ahead.abs()
    else:
        distance = (-ahead).clamp(min=0)
    exact = n_buckets // 2
    log_ratio = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = exact + (log_ratio * (n_buckets - exact)).long()
    return first + torch.where(distance < exact, distance, far.clamp(max=n_buckets - 1))
