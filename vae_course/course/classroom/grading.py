"""A folder of submissions graded: each answer judged by what it gives, run where it can do no harm, the same each time."""

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from vae_course.course.classroom import integrity
from vae_course.course.classroom.submissions import Submission
from vae_course.course.classroom.worker import LostError, Worker
from vae_course.exercises.catalogue import by_lesson, find, number_of, privately
from vae_course.exercises.core import Verdict, wrong

UNKNOWN_NAME = (
    "\nNames that other cells make by computing are not there when an answer is graded: give it what it needs as an argument, "
    "or make it inside."
)
_one_at_a_time = threading.Lock()  # while a verdict is found warnings are off, which Python can only do for all threads


@dataclass(frozen=True)
class Grade:
    """The outcome of an exercise: points of those ``possible``, its ``status`` in a word or two, what to tell the student."""

    exercise: str
    points: float
    possible: float
    status: str
    message: str


@dataclass(frozen=True)
class Graded:
    """A submission with its grades. ``share``: what lateness leaves of the points. ``remarks`` are for the teacher alone.

    ``holds``: what its process could be denied, as ``confinement.confine`` says it; empty where none was started.
    """

    submission: Submission
    grades: tuple[Grade, ...]
    share: float
    remarks: tuple[str, ...]
    holds: tuple[str, ...]

    @property
    def points(self) -> float:
        """All points together, after lateness."""
        return self.share * sum(grade.points for grade in self.grades)

    @property
    def possible(self) -> float:
        """The most that could be had."""
        return sum(grade.possible for grade in self.grades)


# --- which exercises ------------------------------------------------------------------------------------------------


def handed_out(submissions: Sequence[Submission]) -> list[str]:
    """The exercises of the lessons that at least half of the readable submissions answer, in the course's order.

    Raises ``ValueError`` where there is no such lesson.
    """
    readable = [submission for submission in submissions if submission.answers]
    named = Counter(
        lesson
        for submission in readable
        for lesson, several in by_lesson().items()
        if any(exercise.name in submission.answers for exercise in several)
    )
    lessons = [lesson for lesson in by_lesson() if named[lesson] >= max(1, len(readable) / 2)]
    if not lessons:
        raise ValueError("no lesson's exercises are in half of the submissions; name those to be graded with --only")
    return [exercise.name for lesson in lessons for exercise in by_lesson()[lesson]]


# --- one submission -------------------------------------------------------------------------------------------------


class Examination:
    """A submission's answers, asked one after the other; a process that is lost is replaced by a new one.

    ``lost``: the exercises whose answers ended it.
    """

    def __init__(self, submission: Submission, hidden: Sequence[Path]):
        self.submission, self.hidden = submission, hidden
        self.worker: Worker | None = None
        self.hopeless: LostError | None = None  # what its definitions do to a process, they do to every one
        self.lost: set[str] = set()
        self.holds: list[str] = []
        self.trouble: list[str] = []
        self.changed: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.worker is not None:
            self.worker.end()
        self.worker = None

    def verdict(self, name: str, seed: int) -> Verdict:
        """The verdict on the answer to an exercise, on the inputs that ``seed`` draws."""
        exercise = find(name)
        cases = exercise.inputs(seed)
        try:
            recorded = self._working().run(name, cases)
        except LostError as error:
            self.__exit__()
            self.lost.add(name)
            return wrong(f"{error}." if self.hopeless else f"your answer could not be run to its end: {error}.")
        if recorded.problem is not None:
            return wrong(recorded.problem)
        with _one_at_a_time:
            return exercise.judged(recorded, cases)

    def _working(self) -> Worker:
        if self.hopeless is not None:
            raise self.hopeless
        if self.worker is None:
            self.worker = Worker(self.submission.cells, self.hidden)
            try:
                self.worker.begin()
            except LostError as error:
                self.hopeless = LostError(f"the definitions of your notebook cannot be run to their end: {error}")
                raise self.hopeless from error
            self.holds, self.trouble, self.changed = self.worker.holds, self.worker.trouble, self.worker.changed
        return self.worker


def grade(
    submission: Submission, points: Mapping[str, float], seed: int, hidden: Sequence[Path] = (), share: float = 1.0
) -> Graded:
    """Grade a submission in the exercises that ``points`` names; never raises for what it does.

    All public inputs come before the first private one, and public reasons are found in a process of their own: so no
    message can carry what the private inputs are.
    """
    answered = [name for name in points if name in submission.answers]
    with Examination(submission, hidden) as here, Examination(submission, hidden) as apart:
        verdicts = {name: here.verdict(name, 0) for name in answered}
        for name, public in verdicts.items():

            def judged(drawn: int, name: str = name) -> Verdict:
                return (here if drawn == seed else apart).verdict(name, drawn)

            verdicts[name] = privately(public, judged, seed)
        lost = here.lost
    grades = tuple(_grade(submission, name, possible, verdicts.get(name), name in lost) for name, possible in points.items())
    remarks = integrity.remarks(submission)
    remarks += [f"while its cells were run: {told}" for told in here.trouble]
    remarks += [f"changes {name} of the course" for name in here.changed]
    return Graded(submission, grades, share, tuple(remarks), tuple(here.holds))


def _grade(submission: Submission, name: str, possible: float, verdict: Verdict | None, lost: bool) -> Grade:
    noticed = list(submission.problems.get(name, ()))
    if verdict is None:
        if not submission.cells:
            return Grade(name, 0.0, possible, "unreadable", "")  # what the problem is stands above all
        noticed = noticed or [f"There is no def or class {name} in what was handed in.{_of_another_lesson(submission, name)}"]
        return Grade(name, 0.0, possible, "missing", "\n".join(noticed))
    status = "crashed" if lost else verdict.status.value
    message = verdict.message + (UNKNOWN_NAME if "NameError" in verdict.message else "")
    return Grade(name, possible * (status == "correct"), possible, status, "\n".join([*noticed, message]))


def _of_another_lesson(submission: Submission, name: str) -> str:
    answered = {number_of(other).partition(".")[0] for other in submission.answers}
    if not answered or number_of(name).partition(".")[0] in answered:
        return ""
    return f" Its exercises are those of lesson {', '.join(sorted(answered, key=int))}."


def to_be_hidden(*folders: Path) -> list[Path]:
    """Folders that no answer is to see: those of the submissions and the grades.

    Raises ``ValueError`` for one that holds Python or the course itself, without which no answer can be run.
    """
    needed = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve(), Path(__file__).resolve()]
    for folder in folders:
        if any(path.is_relative_to(folder.resolve()) for path in needed):
            raise ValueError(f"{folder}: holds the course or its Python; put what was handed in into a folder of its own")
    return [folder.resolve() for folder in folders]


# --- all of them ----------------------------------------------------------------------------------------------------


def grade_all(
    submissions: Sequence[Submission],
    points: Mapping[str, float],
    seed: int,
    hidden: Sequence[Path],
    shares: Mapping[str, float],
    done: Callable[[], object] = lambda: None,
) -> list[Graded]:
    """Grade submissions side by side, one on each core; ``done`` is called after each. The result is in their order."""

    def graded(submission: Submission) -> Graded:
        found = grade(submission, points, seed, hidden, shares.get(submission.student, 1.0))
        done()
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(graded, submissions))
    same = integrity.alike(submissions)
    return [replace(one, remarks=(*one.remarks, *same.get(one.submission.student, ()))) for one in results]
