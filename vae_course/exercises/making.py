"""Inputs for exercises, in double precision: typed by hand, or drawn, of random sizes and few digits, to show exactly."""

import torch
from torch import Generator, Tensor


def double(rows: object) -> Tensor:
    """Numbers typed by hand, in double precision."""
    return torch.tensor(rows, dtype=torch.float64)


def doubles(*several: object) -> tuple[Tensor, ...]:
    """The arguments of an input typed by hand, each in double precision."""
    return tuple(map(double, several))


def size(generator: Generator, low: int = 1, high: int = 5) -> int:
    """A whole number from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def sizes(generator: Generator, count: int, low: int = 1, high: int = 5) -> list[int]:
    """``count`` different whole numbers from ``low`` to ``high``, so that no dimension is taken for another."""
    return [low + int(k) for k in torch.randperm(high - low + 1, generator=generator)[:count]]


def numbers(generator: Generator, *shape: int, low: float = -2.0, high: float = 2.0) -> Tensor:
    """Uniform numbers between ``low`` and ``high``, with two digits behind the point."""
    return (low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)).mul(100).round() / 100


def whole(generator: Generator, *shape: int, low: int = 0, high: int = 9) -> Tensor:
    """Whole numbers from ``low`` to ``high``, both included, as int64."""
    return torch.randint(low, high + 1, shape, generator=generator)


def flags(generator: Generator, *shape: int, share: float = 0.5) -> Tensor:
    """True with probability ``share``."""
    return torch.rand(shape, generator=generator) < share


def probabilities(generator: Generator, *shape: int, zeros: bool = False) -> Tensor:
    """Distributions over the last dimension, as hundredths that add up to 1 but for rounding of doubles.

    With ``zeros`` some outcomes may have probability 0; without, none has.
    """
    count = shape[-1]
    raw = torch.rand(shape, generator=generator, dtype=torch.float64) + (0.0 if zeros else 0.3)
    if zeros:
        raw = raw * flags(generator, *shape, share=0.7)
        raw[..., 0] += 0.1  # so that something is possible
    parts = (raw / raw.sum(-1, keepdim=True) * (100 - (0 if zeros else count))).floor() + (0 if zeros else 1)
    parts[..., 0] += 100 - parts.sum(-1)
    return parts / 100
