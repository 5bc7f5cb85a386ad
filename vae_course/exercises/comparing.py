"""Two answers held against each other: whether they gave the same, and what differs in words."""

import torch
from torch import Tensor

from vae_course.exercises.attempts import Failure, Observation
from vae_course.exercises.telling import shown


def same(a: Observation, b: Observation, relative: float) -> bool:
    """Whether two answers gave the same on an input, within ``relative`` (at least 1e-3 in single precision)."""
    return a.keys() == b.keys() and all(alike(a[name], b[name], relative) for name in b)


def alike(a: Tensor | Failure, b: Tensor | Failure, relative: float) -> bool:
    """Whether two results are the same: failures of one kind, or tensors of one shape with close values."""
    if isinstance(a, Failure) or isinstance(b, Failure):
        return isinstance(a, Failure) and isinstance(b, Failure) and a.kind == b.kind
    if a.shape != b.shape:
        return False
    if torch.float32 in (a.dtype, b.dtype) and b.dtype != torch.float64:
        relative = max(relative, 1e-3)
    finite = b.double().abs()[b.isfinite()]
    size = min(1.0, float(finite.max())) if finite.numel() else 1.0  # so that small numbers are compared as strictly
    absolute = max(0.1 * relative * size, 1e-12 if relative < 1e-3 else 1e-6)  # what rounding leaves where 0 is right
    return torch.allclose(a.double().cpu(), b.double().cpu(), rtol=relative, atol=absolute, equal_nan=True)


def difference_told(name: str, got: Tensor | Failure, expected: Tensor | Failure) -> str:
    """What differs, in words: a failure's own, or both values."""
    if isinstance(got, Failure):
        return got.told
    if isinstance(expected, Failure):
        return f"the {name} is there where none is expected."
    if got.shape != expected.shape:
        return f"the {name} has shape {tuple(got.shape)}, expected {tuple(expected.shape)}."
    if name.startswith("gradient") and not bool(got.any()):
        return f"the {name} is 0: detach, .item(), .data, torch.no_grad and torch.tensor(...) all cut it."
    if name.startswith("set of weights"):
        return f"the {name} is not what ours leaves: some weight is off by {float((got - expected).abs().max()):.3g}."
    return f"  expected {shown(expected)}\n  got      {shown(got)}"
