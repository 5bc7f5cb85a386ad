"""Lessons stored with their outputs and times, or solved by us."""

import ast
import copy
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vae_course.course.lessons import TIMES, Lesson, all_lessons, course_map, times_told
from vae_course.course.running import execute
from vae_course.whole_files import write_whole

METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def store(lesson: Lesson) -> float:
    """Run a lesson, store in its file its outputs, its minutes and its measured seconds; return the seconds.

    The map of the course, in lesson 00, is brought up to date. Raises ``OSError``, with the path, for a file that cannot be
    written; it stays as it was.
    """
    notebook = nbformat.read(lesson.path, as_version=4)
    seconds = execute(notebook, lesson.path.parent)
    header = notebook.cells[0]
    header.source = TIMES.sub(times_told(minutes(notebook), max(1, round(seconds))), header.source)
    # Only what every run would write alike, so that storing an unedited lesson changes next to nothing.
    without_widgets(notebook)
    notebook.metadata = METADATA
    _write(notebook, lesson.path)
    refresh_map()
    return seconds


def minutes(notebook: NotebookNode) -> int:
    """How long a lesson takes a reader who does its exercises, by the course's formula, rounded to 5 minutes.

    A minute for 200 words, two for each code cell that is there to be read, ten for each exercise.
    """
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    exercises = [cell for cell in code if "exercise" in cell.metadata]
    to_read = [cell for cell in code if cell not in exercises and not folded(cell) and "parameters" not in tags(cell)]
    return max(5, 5 * round((words / 200 + 2 * len(to_read) + 10 * len(exercises)) / 5))


def folded(cell: NotebookNode) -> bool:
    """Whether a code cell's source is folded away: plumbing, and what is checked beyond a lesson's claims."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def tags(cell: NotebookNode) -> list[str]:
    """A cell's tags."""
    return list(cell.metadata.get("tags", []))


def refresh_map() -> None:
    """Write the course's map into the cell of lesson 00 that prints it, so that it need not be run for others' minutes."""
    start = all_lessons()[0].path
    notebook = nbformat.read(start, as_version=4)
    for cell in notebook.cells:
        if cell.source.endswith("print(lessons.course_map())"):
            cell.outputs = [nbformat.v4.new_output("stream", text=course_map() + "\n")]
            _write(notebook, start)


def _write(notebook: NotebookNode, path: Path) -> None:
    write_whole(path, nbformat.writes(notebook) + "\n")


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
