"""Known mistakes: those of an exercise, general ones, and two made at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give: the function that makes it, and what to say to whoever made it."""

    name: str
    function: Callable[..., Any]
    message: str


def one_minus(result: Tensor) -> Tensor:
    """1 - result."""
    return 1 - result


# What may be done to any right result: a name, how, and what to say.
GENERAL: tuple[tuple[str, Callable[[Tensor], Tensor], str], ...] = (
    ("Wrong sign", torch.neg, "Everything has the opposite sign."),
    ("Twice too large", lambda r: 2 * r, "Every value is exactly twice the right one: look for a factor 1/2."),
    ("Half of it", lambda r: r / 2, "Every value is exactly half of the right one: look for a factor 1/2 too many."),
    ("Bits taken for nats", lambda r: r * math.log(2), "Every value is the right one times ln 2."),
    ("Nats taken for bits", lambda r: r / math.log(2), "Every value is the right one divided by ln 2."),
    ("Summed over everything", torch.sum, "The entries were not to be added up. Which dimension stays?"),
    ("Averaged over everything", torch.mean, "The entries were not to be averaged. Which dimension stays?"),
    (
        "The gradient is cut",
        torch.detach,
        "detach, .data, .item() or torch.tensor(...) cuts it from the graph.",
    ),
    ("A dimension too many", lambda r: r.unsqueeze(-1), "keepdim=True or [:, None] leaves a dimension of size 1."),
    ("The logarithm of it", torch.log, "This is the logarithm of the right result."),
    ("The exponential of it", torch.exp, "This is exp of the right result: a log is missing, or an exp too many."),
    ("The square root of it", torch.sqrt, "This is the square root of the right result."),
    ("The square of it", torch.square, "This is the square of the right result."),
    ("One minus it", one_minus, "This is 1 minus the right result."),
    ("Upside down", torch.reciprocal, "This is 1 divided by the right result."),
)


# Of two general mistakes at once neither is one of these: -(1 - r) is more likely a 1 that was subtracted.
CURVED = {torch.log, torch.exp, torch.sqrt, torch.square, torch.reciprocal, one_minus}


@dataclass(frozen=True)
class Changed:
    """A function whose result is changed: ``function``, then ``how``."""

    function: Callable[..., Any]
    how: Callable[[Tensor], Tensor]

    def __call__(self, *arguments: object) -> Tensor:
        """The changed result."""
        return self.how(self.function(*arguments))


def composed(first: Callable[..., Any], second: Callable[..., Any], reference: str) -> Callable[..., Any] | None:
    """Two mistakes at once: the second one, with the first in the place of the ``reference`` that it calls by name.

    ``None`` where the second does not call the reference.
    """
    if isinstance(second, Changed):
        both = [mistake.how for mistake in (first, second) if isinstance(mistake, Changed)]
        return Changed(first, second.how) if len(both) < 2 or not CURVED & set(both) else None
    if not isinstance(second, FunctionType) or reference not in _names_in(second.__code__):
        return None
    namespace = {**second.__globals__, reference: first}
    return FunctionType(second.__code__, namespace, second.__name__, second.__defaults__, second.__closure__)


def _names_in(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names_in, inner))
