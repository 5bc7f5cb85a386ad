"""How a check speaks: values that can be computed with again, and lines that a narrow window holds."""

import textwrap
from collections.abc import Sequence
from typing import Any

from torch import Tensor

COLUMNS = 88
MOST = 60  # numbers of a tensor that are shown
CODE = "    "  # how a line of code begins, which is never broken


def wrapped(text: str) -> str:
    """The text in lines of at most 88 columns; no word is broken, and a line that goes on keeps its indentation."""
    lines = []
    for line in text.splitlines():
        if line.startswith(CODE):
            lines.append(line)
            continue
        indent = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(
            line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
        ) or [""]
    return "\n".join(lines)


def shown(value: Any) -> str:  # noqa: ANN401 - shows values of any kind
    """A value as it would be typed, tensors as nested lists of at most 60 numbers; a function by its name."""
    if isinstance(value, Tensor):
        if value.numel() > MOST:
            return f"a tensor of shape {tuple(value.shape)}, beginning {shown(value.flatten()[:6])}"
        if value.dim() == 0:
            number = f"{value.item() + 0.0:.6g}" if value.is_floating_point() else str(value.item())  # -0.0 + 0.0 is 0.0
            return number.replace("inf", "torch.inf").replace("nan", "torch.nan")
        return "[" + ", ".join(shown(part) for part in value) + "]"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    return repr(value)


def inputs_told(names: Sequence[str], values: Sequence[Any]) -> str:
    """An input, a line for each argument."""
    return "\n".join(f"  {name} = {shown(value)}" for name, value in zip(names, values, strict=True))
