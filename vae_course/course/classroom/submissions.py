"""What students hand in, as they really do: notebooks of any name, edited by any program, whole or not."""

import ast
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from vae_course.course.classroom import platforms
from vae_course.course.lessons import all_lessons
from vae_course.exercises.catalogue import all_exercises

LARGEST = 200 * 1024**2  # bytes of a notebook that is read; outputs may take a hundred
TIMED = ("%%time", "%%capture")  # what may stand above a cell of Python
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Cell:
    """A code cell that is Python: its ``name`` in messages, its ``source``, and which of its statements are run.

    They are what an answer may need: imports, definitions, and names for plain values. Whatever else stands in a notebook,
    trains, draws and prints, and is not run.
    """

    name: str
    source: str
    statements: tuple[ast.stmt, ...]


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the ``files`` read, ``cells`` to run, ``answers`` as they were written, by exercise.

    ``answers`` holds an exercise's definition as source. ``problems`` says what was amiss: by exercise, and under "" for all.
    ``identifier``: the number that a learning platform has for the student; ``late``: its word that this came late.
    """

    student: str
    identifier: str | None = None
    late: bool = False
    files: tuple[Path, ...] = ()
    cells: tuple[Cell, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


# --- a folder ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HandedIn:
    """The notebooks of one student, and what their place tells of the student."""

    student: str
    identifier: str | None
    late: bool
    paths: tuple[Path, ...]


def by_student(folder: Path) -> list[HandedIn]:
    """The notebooks under ``folder`` of each student: of a folder in it, or of a file's name where it lies there itself.

    Names that Canvas and Moodle give their downloads are read as they mean them. Raises ``ValueError`` where there is no
    folder, or no file in it that could be a notebook.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder of submissions; there is none")
    found: dict[tuple[str, str | None], list[tuple[Path, bool]]] = {}
    for path in _notebooks(folder):
        first, *deeper = path.relative_to(folder).parts
        student, identifier, late = platforms.student(first if deeper else path.name)
        found.setdefault((student, identifier), []).append((path, late))
    if not found:
        raise ValueError(f"{folder}: expected notebooks (.ipynb), there or in folders of it; found none. Unpack archives first")
    return [
        HandedIn(student, identifier, any(late for _, late in paths), tuple(path for path, _ in paths))
        for (student, identifier), paths in sorted(found.items(), key=lambda one: one[0][0])
    ]


def _notebooks(folder: Path) -> Iterator[Path]:
    """Notebooks at any depth, but for copies that programs keep; links are not followed, for they may lead anywhere."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".ipynb_checkpoints", "__MACOSX"))
        paths = (Path(place) / name for name in sorted(files) if name.lower().endswith(".ipynb") and not name.startswith("._"))
        yield from (path for path in paths if not path.is_symlink())


# --- a notebook -------------------------------------------------------------------------------------------------------


def read(handed_in: HandedIn) -> Submission:
    """A student's notebooks as one submission; never raises for what is in them.

    Of several answers to an exercise the last that is no stub counts, in the newest notebook that has one.
    """
    cells: list[Cell] = []
    problems: dict[str, list[str]] = {}
    paths = sorted(handed_in.paths, key=lambda path: (path.stat().st_mtime_ns, path))
    for path in paths:
        try:
            found = code_cells(path)
        except ValueError as error:
            problems.setdefault("", []).append(f"{path.name}: {error}")
            continue
        for name, source, exercise in found:
            label = f"{name} of {path.name}" if len(paths) > 1 else name
            cell = _cell(label, source)
            if isinstance(cell, Cell):
                cells.append(cell)
            else:
                broken = exercise or next((n for n in all_exercises() if _begins_definition(source, n)), "")
                problems.setdefault(broken, []).append(cell)
            if exercise and isinstance(cell, Cell) and exercise not in _defined(cell):
                other = ", ".join(_defined(cell)) or "nothing"
                problems.setdefault(exercise, []).append(f"{label} should define {exercise} with def; it defines {other}")
    chosen, answers = _chosen(cells, problems)
    told = {name: tuple(several) for name, several in problems.items()}
    return Submission(handed_in.student, handed_in.identifier, handed_in.late, tuple(paths), chosen, answers, told)


def code_cells(path: Path) -> list[tuple[str, str, str]]:
    """A notebook's code cells: a name for messages, the source, and the exercise that it is marked as, if any.

    Raises ``ValueError`` for what is no notebook, with the reason.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"is larger than {LARGEST >> 20} MB; it was not read")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not in UTF-8 ({error.reason} at byte {error.start}), as every notebook is") from error
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    if not text.strip():
        raise ValueError("is empty")
    try:
        content = json.loads(text)
        if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
            raise ValueError("is JSON, but no notebook")
        notebook = nbformat.convert(nbformat.from_dict(content), 4)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return [
            (f"code cell {number}", "".join(cell["source"]), str(cell["metadata"].get("exercise", "")))
            for number, cell in enumerate(cells, 1)
        ]
    except json.JSONDecodeError as error:
        raise ValueError(f"is no notebook, or cut short: {error}") from error
    except (KeyError, TypeError, AttributeError, RecursionError, nbformat.ValidationError) as error:
        raise ValueError(f"is no notebook: {type(error).__name__}: {str(error)[:200]}") from error


def _cell(name: str, source: str) -> Cell | str:
    """The cell, or what keeps it from being Python."""
    if source.lstrip().startswith(TIMED):
        source = "#" + source.lstrip()  # the cell is Python all the same
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f", line {error.lineno}: {(error.text or '').strip()}" if isinstance(error, SyntaxError) else ""
        return f"{name} is not Python: {getattr(error, 'msg', error)}{where}"
    return Cell(name, source, tuple(node for node in tree.body if _is_needed(node)))


def _is_needed(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        try:
            ast.literal_eval(node.value)  # type: ignore[arg-type]
        except (ValueError, TypeError, RecursionError):
            return False
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)


def _begins_definition(source: str, name: str) -> bool:
    return any(line.startswith((f"def {name}(", f"class {name}(", f"class {name}:")) for line in source.splitlines())


def _defined(cell: Cell) -> list[str]:
    return [node.name for node in cell.statements if isinstance(node, Definition)]


# --- which answer counts ----------------------------------------------------------------------------------------------


def _chosen(cells: Sequence[Cell], problems: dict[str, list[str]]) -> tuple[tuple[Cell, ...], dict[str, str]]:
    """The cells with one definition of each exercise, the one that counts, and the sources of these."""
    of_exercise: dict[str, list[Definition]] = {}
    for cell in cells:
        for node in cell.statements:
            if isinstance(node, Definition) and node.name in all_exercises() and plain(node) not in shown():
                of_exercise.setdefault(node.name, []).append(node)
    counts: dict[str, Definition] = {}
    for name, several in of_exercise.items():
        written = [node for node in several if not is_stub(node)]
        counts[name] = (written or several)[-1]
        if len({plain(node) for node in written}) > 1:
            problems.setdefault(name, []).append(f"{len(written)} different answers; the last one counts")
    kept = (Cell(cell.name, cell.source, tuple(node for node in cell.statements if _stays(node, counts))) for cell in cells)
    return tuple(cell for cell in kept if cell.statements), {name: ast.unparse(node) for name, node in counts.items()}


def _stays(node: ast.stmt, counts: Mapping[str, Definition]) -> bool:
    return not isinstance(node, Definition) or node.name not in all_exercises() or counts.get(node.name) is node


def is_stub(node: Definition) -> bool:
    """Whether a definition is the exercise as the lesson has it, or all its body is ``return ...``, ``...`` or ``pass``."""
    if plain(node) == stubs().get(node.name):
        return True
    body = [statement for statement in node.body if not _is_docstring(statement)]
    return all(
        isinstance(statement, ast.Pass)
        or (
            isinstance(statement, ast.Return | ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and statement.value.value is ...
        )
        for statement in body
    )


@cache
def stubs() -> dict[str, str]:
    """Each exercise's stub, as the lessons have it."""
    return {node.name: plain(node) for node, exercise in _in_lessons() if node.name == exercise}


@cache
def shown() -> set[str]:
    """Definitions that lessons show of exercises beside their stubs, as examples: these are no student's answers."""
    return {plain(node) for node, exercise in _in_lessons() if node.name in all_exercises() and node.name != exercise}


@cache
def _in_lessons() -> list[tuple[Definition, str]]:
    """Every definition in the lessons, and the exercise that its cell is marked as, if any."""
    cells = [cell for lesson in all_lessons() for cell in code_cells(lesson.path)]
    return [
        (node, exercise) for _, source, exercise in cells for node in ast.parse(source).body if isinstance(node, Definition)
    ]


def plain(definition: Definition | str) -> str:
    """A definition as source without docstrings, annotations and comments: what two that say the same have in common."""
    tree = ast.parse(definition if isinstance(definition, str) else ast.unparse(definition))
    for inner in ast.walk(tree):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef):
            inner.body = [statement for statement in inner.body if not _is_docstring(statement)] or [ast.Pass()]
        if isinstance(inner, ast.FunctionDef):
            inner.returns = None
        if isinstance(inner, ast.arg):
            inner.annotation = None
    return ast.unparse(tree)


def _is_docstring(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
