"""Lessons run for a reader, one after the other, into a folder of notebooks and pages with an index.

Whatever happens to one lesson, the others are run; whatever stops the run, the index tells how far it came.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import papermill
from filelock import FileLock, Timeout
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from vae_course.course.jupyterlab import kernel_environment
from vae_course.course.lessons import Lesson
from vae_course.course.pages import STOPPED, Outcome, lessons_beside, note_failure, read_executed, write_index, write_page
from vae_course.course.running import CELL_TIMEOUT, KERNEL, environment
from vae_course.whole_files import make_folder, naming


class Stopped(KeyboardInterrupt):
    """Somebody wants the run to end: by Ctrl-C, or by the signal that asks programs to end."""

    def __init__(self, number: int):
        super().__init__(number)
        self.exit_status = 128 + number  # as shells have it


def run_lessons(chosen: Sequence[Lesson], parameters: Mapping[str, str], output: Path) -> tuple[list[Outcome], int]:
    """Run lessons with a reader's ``parameters`` into the folder ``output``; returns how they ended and the exit status.

    The status is 0 if all went well, 1 if a lesson failed, and a signal's own if one stopped the run.
    Raises ``ValueError`` where ``output`` cannot be written, or is being written by another run.
    """
    outcomes: list[Outcome] = []
    try:
        make_folder(output)
        with FileLock(output / ".running", timeout=0), _stopped_by_signals():
            try:
                beside = lessons_beside(output, chosen)
                for lesson in tqdm(chosen, desc="lessons", unit="lesson"):
                    _run_and_tell(lesson, parameters, output, outcomes, beside)
                status = int(any(outcome.failure for outcome in outcomes))
            except Stopped as stop:
                status = stop.exit_status
            beside = lessons_beside(output, [outcome.lesson for outcome in outcomes])
            # Who stops a run does not wait for the pages of others, some seconds each.
            write_index(output, outcomes, beside, summary(outcomes, chosen, parameters), lead_there=status < 128)
    except Timeout:
        raise ValueError(f"{output}: another run is writing there; wait for its end, or name another folder") from None
    except OSError as error:
        raise ValueError(f"{error}; name another folder, or make room") from error
    return outcomes, status


def summary(outcomes: Sequence[Outcome], chosen: Sequence[Lesson], parameters: Mapping[str, str]) -> str:
    """A run in a sentence."""
    right = sum(outcome.failure is None for outcome in outcomes)
    told = "Run with profile {profile} on device {device}".format(**parameters)
    return f"{told}: {right} of {len(chosen)} lessons ok."


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Inside, the first of the two signals that end a program says so and raises ``Stopped``; later ones change nothing."""

    def stop(number: int, frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        logging.disable()  # what libraries log of a kernel that is ended in the midst of a cell is for nobody
        os.write(2, b"\nStopping; what was run so far is written.\n")  # print may be at work in what was interrupted
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_and_tell(
    lesson: Lesson, parameters: Mapping[str, str], output: Path, outcomes: list[Outcome], beside: Sequence[Lesson]
) -> None:
    """Run a lesson, note how it ended, also where it is stopped, and make its page, which leads to those ``beside`` it."""
    executed, start, stop = output / lesson.path.name, time.perf_counter(), None
    try:
        with naming(executed):
            failure = run_lesson(lesson, parameters, executed)
    except Stopped as signalled:
        failure, stop = STOPPED, signalled
    outcomes.append(Outcome(lesson, time.perf_counter() - start, failure))
    if failure is not None:
        note_failure(executed, failure)
    write_page(output, executed, lesson, beside)
    if stop is not None:
        raise stop


def run_lesson(lesson: Lesson, parameters: Mapping[str, str], executed: Path) -> str | None:
    """Run a lesson with a reader's ``parameters`` and write it to ``executed``, cell by cell; returns the failure, if any.

    A failure is the number of a cell and its error, a kernel that died, or a cell that took longer than ``CELL_TIMEOUT``.
    """
    try:
        with environment(**kernel_environment(), TQDM_DISABLE="1"):  # bars in a page that nobody watches are noise
            papermill.execute_notebook(
                _literal(lesson.path),
                _literal(executed),
                parameters=dict(parameters),
                kernel_name="python3",
                cwd=lesson.path.parent,
                execution_timeout=CELL_TIMEOUT,
                progress_bar={"leave": False, "desc": lesson.name},
                shutdown_kernel="immediate",  # which else is given five seconds to end by itself, and has nothing to save
                **KERNEL,
            )
    except PapermillExecutionError as error:
        return f"cell {error.cell_index}: {error.ename}: {error.evalue}"
    except DeadKernelError:
        return f"cell {_last_begun(executed)}: its kernel died; too little memory is the most usual cause"
    except CellTimeoutError:
        return f"cell {_last_begun(executed)}: took longer than {CELL_TIMEOUT // 60} minutes and was stopped"
    return None


def _literal(path: Path) -> str:
    """Papermill puts parameters in the place of braces in a path; these are meant as they are."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _last_begun(executed: Path) -> int:
    """The number of the last cell that began to run."""
    notebook = read_executed(executed)
    cells = notebook.cells if notebook is not None else []
    return max((k for k, cell in enumerate(cells) if cell.metadata.get("papermill", {}).get("start_time")), default=0)
