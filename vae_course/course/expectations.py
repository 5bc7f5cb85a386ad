"""What you should have seen: a lesson's claims, asserted within ranges that were drawn from several seeds."""

import json
import os
from pathlib import Path

RECORD = "VAE_COURSE_RECORD"  # names a file that collects every expectation's value, to draw ranges from


def expect(
    claim: str,
    value: float | None,
    low: float,
    high: float,
    *,
    otherwise: str,
    says: str | None = None,
    applies: bool = True,
) -> None:
    """Assert that ``low <= value <= high`` and print the claim with its range, which reads the same on every machine.

    ``says`` is the claim as a reader would say it, printed above the figure that decides it. ``otherwise`` says what to suspect
    outside the range. ``applies=False``: the range was drawn on another corpus, so it is only said that the claim is not
    checked. Raises ``AssertionError`` with the value found.
    """
    figure = f"{says}\n  {claim}" if says else claim
    if not applies:
        print(f"– {figure}: not checked, its range was drawn on the generated corpus")
        return
    if value is None:
        raise ValueError(f"{claim}: there is no value to check; pass applies=False where the truth is not known")
    value = float(value)
    if record := os.environ.get(RECORD):
        with Path(record).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"claim": claim, "value": value, "low": low, "high": high}) + "\n")
    elif not low <= value <= high:  # NaN fails too
        raise AssertionError(f"{claim}: got {value:.5g}, expected {range_told(low, high)}. What to suspect: {otherwise}")
    print(f"✓ {figure}: {range_told(low, high)}")


def range_told(low: float, high: float) -> str:
    """A range in words."""
    return f"exactly {low:g}" if low == high else f"{low:g} to {high:g}"
