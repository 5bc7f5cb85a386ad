"""Lessons run under other settings than their own, for the values of their expectations: several seeds, another device."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import nbformat

from vae_course.course.expectations import RECORD
from vae_course.course.lessons import Lesson
from vae_course.course.running import environment, execute
from vae_course.course.storing import tags
from vae_course.whole_files import write_whole


@dataclass(frozen=True)
class Value:
    """What a run found for one of a lesson's expectations."""

    claim: str
    value: float
    low: float
    high: float

    @property
    def held(self) -> bool:
        """Whether it lies in the range."""
        return self.low <= self.value <= self.high


def values_under(lesson: Lesson, setting: str) -> tuple[float, list[Value]]:
    """Run a lesson with ``setting``, a line of code, after its parameters.

    Returns the seconds taken and what was found for every ``expect``, whether or not it lies in its range.
    Raises ``ValueError`` for a lesson without parameters.
    """
    notebook = nbformat.read(lesson.path, as_version=4)
    position = next((i for i, cell in enumerate(notebook.cells) if "parameters" in tags(cell)), None)
    if position is None:
        raise ValueError(f"{lesson.name}: has no cell of parameters, so that none can be set")
    notebook.cells.insert(position + 1, nbformat.v4.new_code_cell(setting))
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "expectations.jsonl"
        record.touch()
        with environment(**{RECORD: str(record)}):
            seconds = execute(notebook, lesson.path.parent)
        return seconds, [Value(**json.loads(line)) for line in record.read_text(encoding="utf-8").splitlines()]


@dataclass(frozen=True)
class SeedRange:
    """One expectation of a lesson with the values it took under several seeds."""

    claim: str
    low: float
    high: float
    values: list[float]

    @property
    def held(self) -> bool:
        """Whether every seed's value lies in the range."""
        return all(self.low <= value <= self.high for value in self.values)


def seed_ranges(lesson: Lesson, seeds: Sequence[int]) -> list[SeedRange]:
    """Run a lesson once a seed and collect the value of every ``expect``.

    Raises ``ValueError`` for a lesson without parameters or, after the first run, without expectations.
    """
    found: dict[str, SeedRange] = {}
    for seed in seeds:
        for v in values_under(lesson, f"seed = {seed}")[1]:
            found.setdefault(v.claim, SeedRange(v.claim, v.low, v.high, [])).values.append(v.value)
        if not found:
            raise ValueError(f"{lesson.name}: has no expectations, so that there is nothing to store")
    return list(found.values())


def write_seed_ranges(ranges: Sequence[SeedRange], lesson: Lesson, seeds: int, path: Path) -> None:
    """Write the ranges as JSON, with what is needed to make them again. Raises ``OSError`` where that cannot be done."""
    content = {
        "command": f"vae-course spread {lesson.name} --seeds {seeds}",
        "date": datetime.now(UTC).date().isoformat(),
        "torch": version("torch").partition("+")[0],
        "expectations": [asdict(r) for r in ranges],
    }
    write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
