"""The lessons as files: where they are, what their headers say, and how they are run and stored."""

import ast
import copy
import difflib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from vae_course.exercises import find
from vae_course.expectations import RECORD

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CELL_TIMEOUT = 1800  # seconds; far above the slowest cell, so that only a hung kernel meets it

METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}

QUESTION = re.compile(r"^# (?P<number>\d\d) · (?P<question>.+)$", re.MULTILINE)
TIMES = re.compile(r"\*\*(?P<minutes>\d+) minutes to read · (?P<seconds>\d+) seconds to run\*\*")


@dataclass(frozen=True)
class Lesson:
    """A lesson and what its header promises: the question, minutes to read, and the measured seconds to run."""

    path: Path
    question: str
    minutes: int
    seconds: int

    @property
    def name(self) -> str:
        """The file's name without its ending, such as ``02_kl_divergence``."""
        return self.path.stem

    @classmethod
    def read(cls, path: Path) -> "Lesson":
        """Read a lesson's header. Raises ``ValueError`` where it does not have the agreed form."""
        header = nbformat.read(path, as_version=4).cells[0].source
        question, times = QUESTION.search(header), TIMES.search(header)
        if question is None or times is None:
            raise ValueError(
                f"{path.name}: the first cell must hold '# NN · question' and "
                "'**N minutes to read · N seconds to run**'; it does not"
            )
        return cls(path, question["question"], int(times["minutes"]), int(times["seconds"]))


def all_lessons() -> list[Lesson]:
    """Every lesson in reading order. Raises ``FileNotFoundError`` where the package was installed without the notebooks."""
    paths = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise FileNotFoundError(f"{NOTEBOOKS}: no lessons there; install from the course's own folder with pip install -e .")
    return [Lesson.read(path) for path in paths]


def find_lessons(names: Sequence[str]) -> list[Lesson]:
    """The named lessons, all of them for no name; "02" is short for "02_kl_divergence".

    Raises ``ValueError`` for an unknown name, with the close matches.
    """
    lessons = all_lessons()
    by_name = {lesson.name: lesson for lesson in lessons} | {lesson.name[:2]: lesson for lesson in lessons}
    for name in names:
        if name not in by_name:
            close = difflib.get_close_matches(name, by_name, cutoff=0.4) or [lesson.name for lesson in lessons]
            raise ValueError(f"there is no lesson {name!r}; did you mean {' or '.join(close)}?")
    return [by_name[name] for name in names] if names else lessons


# --- storing outputs ------------------------------------------------------------------------------------------------


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables, for the kernels started inside, and put them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def execute(notebook: NotebookNode) -> float:
    """Run a notebook in place as the tests do, on one thread and silently; return the seconds taken.

    They are the kernel's seconds of the processor, which other programs lengthen little; on Windows, of the clock.
    """
    start = _seconds()
    with environment(OMP_NUM_THREADS="1", TQDM_DISABLE="1"):
        NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": str(NOTEBOOKS)}},
        ).execute()
    return _seconds() - start


def _seconds() -> float:
    times = os.times()  # of this process's children those that have ended; Windows does not tell
    return time.perf_counter() if os.name == "nt" else times.children_user + times.children_system


def store(lesson: Lesson) -> float:
    """Run a lesson, store its outputs and its measured seconds in its file; return the seconds."""
    notebook = nbformat.read(lesson.path, as_version=4)
    seconds = execute(notebook)
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


def with_solutions(notebook: NotebookNode) -> NotebookNode:
    """A copy of a lesson in which every exercise's stub is replaced by its reference solution."""
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        if number := cell.metadata.get("exercise"):
            exercise = find(number)
            stub = next(node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef))
            lines = cell.source.splitlines()
            lines[stub.lineno - 1 : stub.end_lineno] = exercise.solution().splitlines()
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
                execute(notebook)
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
