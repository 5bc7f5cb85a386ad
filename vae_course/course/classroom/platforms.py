"""What learning platforms give and take: names of downloaded submissions; tables of grades as Canvas and Moodle import them."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take a cell for that begins so
# Canvas: lastnamefirstname_[LATE_]userid_fileid_name.ipynb. Moodle: "Full Name_123456_assignsubmission_file_", a folder or
# the beginning of a file's name. Collected for nbgrader: "name (123456)".
NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<name>.+)_(?P<identifier>\d+)_assignsubmission_file(_.*)?",
        r"(?P<name>.+?)(?P<late>_LATE)?_(?P<identifier>\d+)_\d+_.+",
        r"(?P<name>.+) \((?P<identifier>\d+)\)",
    )
)


class Grade(NamedTuple):
    """A student's grade for an assignment; without points none was given, and the platform is told none."""

    name: str
    identifier: str | None
    points: float | None
    possible: float
    comment: str = ""


def student(path_name: str | Path) -> tuple[str, str | None, bool]:
    """Whose submission a downloaded file or folder is: the name, the platform's number for the student, and whether it is late.

    The lowest part of the path that is named as Canvas or Moodle do decides. For other names it is the lowest part without its
    ending, no number, and not late. Moodle tells in its table who was late, and not in names.
    """
    path = Path(path_name)
    found = (pattern.fullmatch(part) for part in reversed(path.parts) for pattern in NAMED)
    for match in filter(None, found):
        return match["name"].strip(), match["identifier"], match.groupdict().get("late") is not None
    return path.name.removesuffix(".ipynb"), None, False


def canvas_csv(assignment: str, grades: Sequence[Grade]) -> str:
    """The table that Canvas imports in *Grades*, *Import*. Students are found by ``ID``, and without one by their name.

    An assignment of the name gets the points; where there is none, Canvas makes it.
    """
    possible = max((grade.possible for grade in grades), default=0)
    rows = [[g.name, g.identifier or "", "", "", "", _number(g.points)] for g in grades]
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]
    return table([head, ["    Points Possible", "", "", "", "", _number(possible)], *rows])


def moodle_csv(grades: Sequence[Grade]) -> str:
    """The table that Moodle imports in an assignment's *Upload grading worksheet*, where English is the site's language.

    Students are found by ``Identifier``; the assignment must allow worksheets and comments as feedback, and have as its maximum
    grade the points that are possible here.
    """
    head = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)", "Feedback comments"]
    rows = [
        [f"Participant {g.identifier}" if g.identifier else "", g.name, _number(g.points), _number(g.possible), "-", g.comment]
        for g in grades
    ]
    return table([head, *rows], harmless=["-"])


def table(rows: Iterable[Sequence[str]], harmless: Sequence[str] = ()) -> str:
    """Rows as CSV. A cell that a spreadsheet would take for a formula gets an apostrophe before it, which makes it a text."""
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerows([cell if cell in harmless else _as_text(cell) for cell in row] for row in rows)
    return written.getvalue()


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _number(points: float | None) -> str:
    return "" if points is None else f"{points:g}"
