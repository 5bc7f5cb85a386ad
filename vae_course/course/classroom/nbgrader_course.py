"""A course for nbgrader, which is needed here: built of lessons, and what students hand in graded.

nbgrader does the work: what is released, the gradebook, the runs, the points, the feedback.
"""

import os
import re
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from vae_course.course.classroom import platforms, seeds
from vae_course.course.classroom.assignments import as_assignment
from vae_course.course.jupyterlab import kernel_environment
from vae_course.course.lessons import Lesson
from vae_course.course.running import environment
from vae_course.whole_files import write_whole

if TYPE_CHECKING:
    from nbgrader.apps import NbGraderAPI

MISSING = 'nbgrader is not installed. It comes with: pip install -e ".[classroom]"'
CONFIG_NAME = "nbgrader_config.py"
RAISED = re.compile(r"^ *([\w.]+(?:Error|Exception)\w*: .+)$", re.MULTILINE)  # how a traceback ends
CONFIG = '''"""How nbgrader makes and grades the assignments of this folder. Yours to change; it is not written anew."""

from nbgrader import preprocessors as steps

c = get_config()
c.CourseDirectory.course_id = "vae-course"

# As nbgrader has them, but for ClearOutput: a lesson's pictures and numbers are to be read before they are computed.
c.GenerateAssignment.preprocessors = [
    steps.IncludeHeaderFooter,
    steps.InstantiateTests,
    steps.LockCells,
    steps.ClearSolutions,
    steps.CheckCellMetadata,
    steps.ComputeChecksums,
    steps.SaveCells,
    steps.ClearHiddenTests,
    steps.ClearMarkScheme,
    steps.ComputeChecksums,
    steps.CheckCellMetadata,
]
c.ClearSolutions.code_stub = {"python": ""}  # the lesson's own stub stands above each solution
c.ClearSolutions.text_stub = "*Your answer, in a few sentences.*"
c.ClearMarkScheme.enforce_metadata = False  # rubrics stand with the questions, so that graders see both

# A cell's seconds. The slowest of a lesson takes 20 on an idle machine; an answer that does not end is stopped after 10.
c.Execute.timeout = 300
c.KernelManager.transport_encryption = "auto"  # others on this machine can reach the ports that kernels listen on

# Downloads of Canvas and Moodle, for nbgrader zip_collect.
c.ZipCollectApp.collector_plugin = "vae_course.course.classroom.downloads.Downloads"
'''


@dataclass(frozen=True)
class Graded:
    """What a student's submission of an assignment got: points by exercise or task in words; and what a teacher must know."""

    student: str
    assignment: str
    points: dict[str, float] = field(default_factory=dict)
    possible: float = 0
    by_hand: int = 0
    failure: str | None = None

    @property
    def remark(self) -> str:
        """Why there are no points, or how many answers wait for a person."""
        waiting = f"{self.by_hand} to be graded by hand" if self.by_hand else ""
        return f"not graded: {self.failure}" if self.failure else waiting


def build(lessons: Sequence[Lesson], folder: Path, solutions: bool = True) -> list[Path]:
    """Make ``folder`` a course of nbgrader with an assignment for each lesson; return the notebooks that are for students.

    Raises ``ModuleNotFoundError`` without nbgrader; ``ValueError`` for an assignment that is there already, and for one that
    nbgrader does not release, with what it says; ``OSError`` for what cannot be written.
    """
    sources = {lesson: folder / "source" / lesson.name / lesson.path.name for lesson in lessons}
    for path in sources.values():
        if path.exists():
            raise ValueError(f"{path.parent}: is there already; delete it to have it built anew, or name another folder")
    if not (folder / CONFIG_NAME).exists():
        write_whole(folder / CONFIG_NAME, CONFIG)
    seeds.private_seed(folder)
    api = _nbgrader(folder)
    for lesson, path in sources.items():
        assignment = as_assignment(nbformat.read(lesson.path, as_version=4), solutions)
        write_whole(path, nbformat.writes(assignment) + "\n")
        with _surroundings():
            failure = _failure(api.generate_assignment(lesson.name))
        if failure:
            raise ValueError(f"{path}: nbgrader does not release it: {failure}")
    return [folder / "release" / lesson.name / lesson.path.name for lesson in lessons]


def grade(folder: Path) -> Iterator[Graded]:
    """Run and grade every submission in ``folder``, and write feedback on it; a bad one does not stop the rest.

    Raises ``ModuleNotFoundError`` without nbgrader, ``ValueError`` for a folder that is no course or has no submissions.
    """
    if not ((folder / CONFIG_NAME).exists() and (folder / seeds.NAME).exists()):
        raise ValueError(f"{folder}: is no course for nbgrader; vae-course assignment build makes one")
    api = _nbgrader(folder)
    submissions = sorted(
        (assignment, student)
        for assignment in api.get_source_assignments()
        for student in api.get_submitted_students(assignment)
    )
    if not submissions:
        raise ValueError(f"{folder / 'submitted'}: no submissions there; each is a folder STUDENT/ASSIGNMENT with a notebook")
    for assignment, student in submissions:
        yield _graded(api, assignment, student)


def _graded(api: "NbGraderAPI", assignment: str, student: str) -> Graded:
    with _surroundings():
        failure = _failure(api.autograde(assignment, student)) or _failure(api.generate_feedback(assignment, student))
    with api.gradebook as gradebook:
        if failure:
            return Graded(student, assignment, possible=gradebook.find_assignment(assignment).max_score, failure=failure)
        submission = gradebook.find_submission(assignment, student)
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        return Graded(
            student,
            assignment,
            points={grade.name: grade.score for grade in grades},
            possible=submission.max_score,
            by_hand=sum(grade.needs_manual_grade for grade in grades),
        )


def write_tables(graded: Sequence[Graded], folder: Path) -> list[Path]:
    """Write ``grades.csv``, and for each assignment what Canvas and Moodle import; return the paths.

    Raises ``OSError``, with the path, for one that cannot be written.
    """
    tables = {folder / "grades.csv": grades_csv(graded)}
    for assignment in dict.fromkeys(one.assignment for one in graded):
        rows = [_for_platforms(one) for one in graded if one.assignment == assignment]
        tables[folder / "platforms" / assignment / "canvas.csv"] = platforms.canvas_csv(assignment, rows)
        tables[folder / "platforms" / assignment / "moodle.csv"] = platforms.moodle_csv(rows)
    for path, text in tables.items():
        write_whole(path, text)
    return list(tables)


def grades_csv(graded: Sequence[Graded]) -> str:
    """A row for each submission: student, assignment, a column for each exercise, points, possible points, remark."""
    names = list(dict.fromkeys(name for one in graded for name in one.points))
    rows = [
        [
            *(one.student, one.assignment),
            *(f"{one.points[name]:g}" if name in one.points else "" for name in names),
            "" if one.failure else f"{sum(one.points.values()):g}",
            f"{one.possible:g}",
            one.remark,
        ]
        for one in graded
    ]
    return platforms.table([["student", "assignment", *names, "points", "possible", "remark"], *rows])


def _for_platforms(one: Graded) -> platforms.Grade:
    name, identifier, _ = platforms.student(one.student)
    if one.failure:
        return platforms.Grade(name, identifier, None, one.possible, one.remark)
    told = [f"{exercise} {points:g}" for exercise, points in one.points.items()]
    comment = "; ".join([*told, *filter(None, [one.remark])])
    return platforms.Grade(name, identifier, sum(one.points.values()), one.possible, comment)


# --- nbgrader -----------------------------------------------------------------------------------------------------------


def _nbgrader(folder: Path) -> "NbGraderAPI":
    """nbgrader's own interface, at work in ``folder`` under the configuration there."""
    try:
        from nbgrader.apps import NbGraderAPI
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING) from error
    from traitlets.config.loader import PyFileConfigLoader

    config = PyFileConfigLoader(CONFIG_NAME, str(folder)).load_config()
    config.CourseDirectory.root = str(folder.resolve())
    return NbGraderAPI(config=config)


@contextmanager
def _surroundings() -> Iterator[None]:
    """nbgrader's kernels run as the course's do, and it finds the program that makes its gradebook, installed beside it."""
    programs = os.pathsep.join([sysconfig.get_path("scripts"), *filter(None, [os.environ.get("PATH")])])
    variables = kernel_environment() | {"TQDM_DISABLE": "1", "PATH": programs}
    with environment(**variables), warnings.catch_warnings(action="ignore"):  # its own, of how it uses its database
        yield


def _failure(result: dict[str, Any]) -> str | None:
    """Why nbgrader did not do what it was asked for, in a line. Raises ``KeyboardInterrupt`` where Ctrl-C stopped it."""
    if result["success"]:
        return None
    if "KeyboardInterrupt" in result["error"]:  # which nbgrader takes for a failure like any other
        raise KeyboardInterrupt
    told = (result.get("log") or "") + result["error"]
    reasons = RAISED.findall(told)
    return str(reasons[0] if reasons else told.strip().splitlines()[-1])
