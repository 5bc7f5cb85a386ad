"""Lessons stored with their outputs, solved by us, and run under several seeds."""

import ast
import copy
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vae_course.course.expectations import RECORD
from vae_course.course.lessons import TIMES, Lesson
from vae_course.course.running import environment, execute

METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def store(lesson: Lesson) -> float:
    """Run a lesson, store its outputs and its measured seconds in its file; return the seconds."""
    notebook = nbformat.read(lesson.path, as_version=4)
    seconds = execute(notebook, lesson.path.parent)
    header = notebook.cells[0]
    header.source = TIMES.sub(f"**{lesson.minutes} minutes to read · {max(1, round(seconds))} seconds to run**", header.source)
    # Only what every run would write alike, so that storing an unedited lesson changes next to nothing.
    without_widgets(notebook)
    notebook.metadata = METADATA
    nbformat.write(notebook, lesson.path)
    return seconds


def without_widgets(notebook: NotebookNode) -> None:
    """Drop widgets from a notebook's outputs, which keep the picture that each was displayed with."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def with_answers(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of a lesson in which every exercise's stub is replaced by its source in ``answers``, by name."""
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        if name := cell.metadata.get("exercise"):
            stub = next(node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef | ast.ClassDef))
            lines = cell.source.splitlines()
            lines[stub.lineno - 1 : stub.end_lineno] = answers[name].splitlines()
            cell.source = "\n".join(lines)
    return solved


# --- ranges over seeds ----------------------------------------------------------------------------------------------


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
    """Run a lesson once a seed and collect the value of every ``expect``."""
    found: dict[str, SeedRange] = {}
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "expectations.jsonl"
        for seed in seeds:
            notebook = nbformat.read(lesson.path, as_version=4)
            (position,) = (i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
            notebook.cells.insert(position + 1, nbformat.v4.new_code_cell(f"seed = {seed}"))
            with environment(**{RECORD: str(record)}):
                execute(notebook, lesson.path.parent)
        for line in record.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.setdefault(row["claim"], SeedRange(row["claim"], row["low"], row["high"], [])).values.append(row["value"])
    return list(found.values())


def write_seed_ranges(ranges: Sequence[SeedRange], lesson: Lesson, seeds: int, path: Path) -> None:
    """Write the ranges as JSON, with what is needed to make them again."""
    content = {
        "command": f"vae-course spread {lesson.name} --seeds {seeds}",
        "date": datetime.now(UTC).date().isoformat(),
        "torch": version("torch").partition("+")[0],
        "expectations": [asdict(r) for r in ranges],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
