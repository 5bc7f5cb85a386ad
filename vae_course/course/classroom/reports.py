"""What grading leaves: a table for the teacher, tables for learning platforms, a page of feedback for each student."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from vae_course.course.classroom import platforms
from vae_course.course.classroom.grading import Grade, Graded
from vae_course.course.classroom.submissions import Submission
from vae_course.course.pages import TEMPLATES
from vae_course.exercises.catalogue import all_exercises, find, number_of
from vae_course.whole_files import make_folder, write_whole

LONGEST = 80  # characters of a student's name in the name of a file

# --- what the teacher says ----------------------------------------------------------------------------------------------


def named(exercise: str) -> str:
    """The name of the exercise that is called by its number, such as "2.1", or by its name. Raises ``ValueError`` for none."""
    by_number = {number_of(name): name for name in all_exercises()}
    return by_number.get(exercise) or find(exercise).name


def points_from(path: Path) -> dict[str, float]:
    """Points by exercise, of a CSV file with the columns ``exercise`` (a number or a name) and ``points``.

    Raises ``ValueError``, with file and line, for what is none.
    """
    return {named(exercise): points for exercise, points in _numbers(path, "exercise", "points", most=1e6).items()}


def shares_from(path: Path, students: Sequence[str]) -> dict[str, float]:
    """The share of the points that is left to who was late, of a CSV file with the columns ``student`` and ``share``.

    Raises ``ValueError``, with file and line, for what is none, and for names that none of the ``students`` has.
    """
    shares = _numbers(path, "student", "share", most=1.0)
    if unknown := sorted(set(shares) - set(students)):
        raise ValueError(f"{path}: no submission is called {', '.join(unknown)}; they are {', '.join(students)}")
    return shares


def _numbers(path: Path, key: str, value: str, most: float) -> dict[str, float]:
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a table: {error}") from error
    found: dict[str, float] = {}
    for line, row in enumerate(rows, 2):
        text = (row.get(value) or "").strip()
        try:
            number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            number = -1.0
        if not row.get(key) or not 0 <= number <= most:
            got = ", ".join(f"{name}: {cell}" for name, cell in row.items())
            raise ValueError(f"{path}, line {line}: expected the columns {key} and {value} (from 0 to {most:g}); got {got}")
        found[row[key].strip()] = number
    return found


# --- what is written ----------------------------------------------------------------------------------------------------


def write(folder: Path, graded: Sequence[Graded], assignment: str) -> list[Path]:
    """Write ``grades.csv``, ``canvas.csv``, ``moodle.csv`` and ``feedback/``; return the tables and the folder.

    Raises ``OSError``, with the path, where that cannot be done.
    """
    pages = folder / "feedback"
    make_folder(pages)
    taken: dict[str, str] = {}
    for one in graded:
        name = file_name(one.submission.student, taken)
        write_whole(pages / name, page(one))
    for_platforms = [_for_platform(one) for one in graded]
    tables: Mapping[str, str] = {
        "grades.csv": platforms.table(rows(graded)),
        "canvas.csv": platforms.canvas_csv(assignment, for_platforms),
        "moodle.csv": platforms.moodle_csv(for_platforms),
    }
    for table, text in tables.items():
        write_whole(folder / table, text)
    return [*(folder / table for table in tables), pages]


def rows(graded: Sequence[Graded]) -> list[list[str]]:
    """A row a student: points and status of each exercise, what they come to, and what the teacher should look at."""
    head = ["student", "points", "possible", "share kept"]
    for grade in graded[0].grades:
        head += [f"{number_of(grade.exercise)} {grade.exercise}", f"{number_of(grade.exercise)} status"]
    found = [[*head, "files", "problems", "remarks"]]
    for one in graded:
        told = [f"{one.points:g}", f"{one.possible:g}", f"{one.share:g}"]
        outcomes = [text for grade in one.grades for text in (f"{grade.points:g}", grade.status)]
        files = "; ".join(path.name for path in one.submission.files)
        found.append(
            [one.submission.student, *told, *outcomes, files, "; ".join(_problems(one.submission)), "; ".join(one.remarks)]
        )
    return found


def _problems(submission: Submission) -> list[str]:
    return [told for several in submission.problems.values() for told in several]


def _for_platform(one: Graded) -> platforms.Grade:
    comment = "; ".join(f"{number_of(grade.exercise)} {grade.status}" for grade in one.grades)
    return platforms.Grade(one.submission.student, one.submission.identifier, one.points, one.possible, comment)


def page(one: Graded) -> str:
    """A student's page: the outcome of each exercise with the checker's message. Nothing of it is for the teacher alone."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return environment.get_template("feedback.html.j2").render(
        student=one.submission.student,
        points=f"{one.points:g}",
        possible=f"{one.possible:g}",
        late=f"{one.share:.0%}" if one.share < 1 else "",
        problems=one.submission.problems.get("", ()),
        rows=[_row(one.submission, grade) for grade in one.grades],
    )


def _row(submission: Submission, grade: Grade) -> dict[str, str]:
    return {
        "name": grade.exercise,
        "number": number_of(grade.exercise),
        "task": find(grade.exercise).task,
        "status": grade.status,
        "points": f"{grade.points:g}",
        "possible": f"{grade.possible:g}",
        "message": grade.message if grade.message != "correct." else "",
        "answer": submission.answers.get(grade.exercise, ""),
    }


def file_name(student: str, taken: dict[str, str]) -> str:
    """The name of a student's page. ``taken``: those given before, in small letters, which some systems do not tell apart."""
    name = student
    if len(name) > LONGEST or taken.get(name.lower(), student) != student:
        name = f"{name[:LONGEST]}-{hashlib.sha256(student.encode(errors='surrogateescape')).hexdigest()[:8]}"
    taken[name.lower()] = student
    return f"{name}.html"


def summary(graded: Sequence[Graded]) -> str:
    """What a teacher wants to know at once: how many, of what, how they did, what could not be denied to their answers."""
    exercises = [f"{number_of(grade.exercise)} {grade.exercise}" for grade in graded[0].grades]
    lines = [f"{len(graded)} submissions, graded in {', '.join(exercises)}"]
    for one in graded:
        notes = [f"{len(one.remarks)} to look at"] if one.remarks else []
        notes += [f"handed in late, {one.share:.0%} kept"] if one.share < 1 else []
        notes += ["late by the platform's name for it"] if one.submission.late and one.share == 1 else []
        notes += _problems(one.submission)
        lines.append(f"{one.points:6g} of {one.possible:g}  {one.submission.student}{''.join(f'; {note}' for note in notes)}")
    ran = [one.holds for one in graded if any(grade.status not in ("missing", "unreadable") for grade in one.grades)]
    denied = {"files": "files hidden and not writable", "limits": "memory limited", "calls": "no other process, no network"}
    missing = [told for what, told in denied.items() if any(what not in holds for holds in ran)]
    if missing:
        lines.append(f"Answers ran in processes of their own, but on this system without: {'; '.join(missing)}.")
    return "\n".join(lines)
