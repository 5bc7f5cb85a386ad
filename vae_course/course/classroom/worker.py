"""Answers run in a process of their own, which can do no harm, and what they gave, taken over as data and nothing else.

The process gets inputs and sends back results. Whether they are right is decided on this side, where no answer runs; the
seed of the private cases never leaves it.
"""

import ast
import io
import linecache
import multiprocessing
import os
import pickle
import sys
import threading
import types
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from vae_course.course.classroom.confinement import confine
from vae_course.course.classroom.submissions import Cell
from vae_course.course.running import environment
from vae_course.exercises import attempts, calls, catalogue
from vae_course.exercises.attempts import Arguments, Called, Failure, NotAttemptedError, Observation, TooLongError

PATIENCE = 6  # times the time limit of an answer, for all that is asked of it in one request
LARGEST = 64 * 1024**2  # bytes of a reply
LONGEST = 2000  # characters of what a failure says
MODULE = "submission"
_one_at_a_time = threading.Lock()
# What lessons import, loaded once, before the processes divide.
PRELOADED = ["scipy.integrate", "scipy.optimize", "matplotlib.pyplot", "sklearn.neighbors", "vae_course.figures.base"]
PRELOADED += ["vae_course.text.cures", "vae_course.text.decoding", "vae_course.text.evaluation", "vae_course.images"]


# --- in the process -----------------------------------------------------------------------------------------------------


def serve(connection: Connection, cells: Sequence[Cell], hidden: Sequence[Path], time_limit: float) -> None:
    """Define what a submission defines; then run its answers on the inputs that are asked for, until nothing is."""
    attempts.TIME_LIMIT = time_limit
    torch.set_num_threads(1)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # answers are run on the processor, on any machine
    catalogue.all_exercises()  # before the files are gone
    _send(connection, {"holds": confine(hidden)})  # whatever goes wrong from here on is the submission's
    torch.manual_seed(0)
    # As a decorator it would put ours in the place of a wrong answer.
    calls.check = sys.modules["vae_course.exercises"].__dict__["check"] = lambda answer: answer
    before = _of_the_course()
    namespace, trouble = define(cells)
    changed = sorted(name for name, value in _of_the_course().items() if before.get(name, value) is not value)
    _send(connection, {"trouble": trouble, "changed": changed})
    while True:
        try:
            name, cases = pickle.loads(connection.recv_bytes())
        except EOFError:
            return
        _send(connection, record(name, namespace.get(name), cases))


def _send(connection: Connection, reply: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    torch.save(reply, buffer)
    connection.send_bytes(buffer.getvalue())


def _of_the_course() -> dict[str, object]:
    """Every name in the loaded modules of the course, and what it stands for."""
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "vae_course"}
    return {f"{name}.{attribute}": value for name, module in modules.items() for attribute, value in vars(module).items()}


def define(cells: Sequence[Cell]) -> tuple[dict[str, Any], list[str]]:
    """A namespace with what the cells define, and what went wrong; a statement that fails keeps none from being run."""
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module
    trouble: list[str] = []
    for cell in cells:
        linecache.cache[cell.name] = (len(cell.source), None, cell.source.splitlines(keepends=True), cell.name)
        for statement in cell.statements:
            try:
                code = compile(ast.Module([statement], []), cell.name, "exec")
                attempts.within(attempts.TIME_LIMIT, lambda code=code: exec(code, vars(module)))  # type: ignore[misc]
            except TooLongError:
                trouble.append(f"{cell.name}, line {statement.lineno}: does not end")
            except BaseException as error:  # anything may be raised here, SystemExit too
                trouble.append(f"{cell.name}, line {statement.lineno}: {type(error).__name__}: {error}"[:LONGEST])
    return vars(module), trouble


def record(name: str, answer: object, cases: Sequence[Arguments]) -> dict[str, Any]:
    """All that a verdict on the answer will ask for."""
    exercise = catalogue.find(name)
    found: dict[str, Any] = {"problem": exercise.form_problem(answer), "runs": [], "again": [], "timed": None, "ended": "yes"}
    if found["problem"] is not None:
        return found
    exercise.get_ready(cases[0])
    called = Called(answer, exercise.observe, exercise.parameters())
    try:
        with catalogue.ours_for_others(answer, name):
            found["runs"].append(observed := called.observed(cases))
            if any(map(attempts.about_precision, observed)):
                found["runs"].append(called.observed([attempts.in_single_precision(case) for case in cases]))
            found["again"] = [called.once_more(number) for number in range(len(cases))]
            found["timed"] = called.timed()
    except NotAttemptedError:
        found["ended"] = "not attempted"
    except TooLongError as error:
        found["ended"] = f"too long: {error}"
    found["runs"] = [[_plain(one) for one in run] for run in found["runs"]]
    found["again"] = [_plain(one) for one in found["again"]]
    found["timed"] = found["timed"] and (_plain(found["timed"][0]), found["timed"][1])
    return found


def _plain(observation: Observation) -> dict[str, Any]:
    """Tensors as they are, and failures as their words: what can be sent without trust."""
    return {
        name: value if isinstance(value, Tensor) else tuple(text[:LONGEST] for text in (value.kind, value.told, value.message))
        for name, value in observation.items()
    }


# --- on this side -------------------------------------------------------------------------------------------------------


class LostError(Exception):
    """The process came to an end, was too slow to answer, or said what no answer says."""


@dataclass
class Recorded:
    """An answer that was run elsewhere. An ``Attempt``: what a verdict asks for is on record."""

    problem: str | None
    runs: list[list[Observation]]
    again: list[Observation]
    timing: tuple[Observation, float] | None
    ended: str
    asked: int = field(default=0)

    @classmethod
    def of(cls, reply: Any) -> Self:  # noqa: ANN401 - whatever came
        """What a process sent, looked through: it may have been sent by the answer itself. Raises ``LostError``."""
        try:
            runs = [[_observation(one) for one in run] for run in reply["runs"]]
            again = [_observation(one) for one in reply["again"]]
            timing = reply["timed"] and (_observation(reply["timed"][0]), float(reply["timed"][1]))
            problem = None if reply["problem"] is None else str(reply["problem"])[:LONGEST]
            return cls(problem, runs, again, timing, str(reply["ended"])[: 2 * LONGEST])
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise LostError(f"it sent what no answer gives ({type(error).__name__}: {error})") from error

    def observed(self, cases: Sequence[Arguments]) -> list[Observation]:
        """What it gave on each input. Raises as an answer that is called would."""
        if self.ended == "not attempted":
            raise NotAttemptedError
        if self.asked >= len(self.runs) or len(self.runs[self.asked]) != len(cases):
            raise TooLongError(True, self.ended.removeprefix("too long: "))
        self.asked += 1
        return self.runs[self.asked - 1]

    def once_more(self, number: int) -> Observation:
        """What it gave when it was called again."""
        return self.again[number]

    def timed(self) -> tuple[Observation, float]:
        """What it gave on the last input, and in how many seconds."""
        if self.timing is None:
            raise TooLongError(True, self.ended.removeprefix("too long: "))
        return self.timing


def _observation(plain: dict[str, Any]) -> Observation:
    return {str(name): _value(value) for name, value in plain.items()}


def _value(value: Any) -> Tensor | Failure:  # noqa: ANN401 - whatever came
    if isinstance(value, tuple):
        kind, told, message = (str(part)[:LONGEST] for part in value)
        return Failure(kind, told, message)
    if type(value) is not Tensor or value.layout is not torch.strided or value.is_complex() or value.device.type != "cpu":
        raise ValueError(f"expected an ordinary tensor, got {type(value).__name__}")
    return value


class Worker:
    """A process in which one submission's answers run.

    ``hidden``: folders that it is not to see. ``trouble``: what went wrong while the submission's definitions were run;
    ``changed``: names of the course's that stand for something else since; ``holds``: what ``confine`` could give up.
    """

    def __init__(self, cells: Sequence[Cell], hidden: Sequence[Path]):
        with _one_at_a_time:
            context = _context()
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, cells, hidden, attempts.TIME_LIMIT), daemon=True)
        self.process.start()
        theirs.close()
        self.trouble: list[str] = []
        self.changed: list[str] = []
        self.holds: list[str] = []

    def end(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def begin(self) -> None:
        """Wait until the submission's definitions have been run.

        Raises ``LostError``, and ``RuntimeError`` where the process did not even come to them, which is no fault of theirs.
        """
        try:
            self.holds = list(self._reply()["holds"])
        except LostError as error:
            raise RuntimeError(f"answers cannot be run on this machine: {error}") from error
        reply = self._reply()
        try:
            self.trouble = [str(told)[:LONGEST] for told in reply["trouble"]]
            self.changed = [str(name)[:LONGEST] for name in reply["changed"]]
        except (KeyError, TypeError) as error:
            raise LostError(f"it sent what no answer gives ({type(error).__name__}: {error})") from error

    def run(self, name: str, cases: Sequence[Arguments]) -> Recorded:
        """Run the answer to an exercise on inputs. Raises ``LostError`` where nothing comes back, or nothing of sense."""
        with suppress(BrokenPipeError, ConnectionError):  # then there is no reply, which is told
            self.connection.send_bytes(pickle.dumps((name, list(cases))))
        return Recorded.of(self._reply())

    def _reply(self) -> Any:  # noqa: ANN401 - whatever comes
        try:
            if not self.connection.poll(PATIENCE * attempts.TIME_LIMIT):
                raise LostError(
                    f"it did not end in {PATIENCE * attempts.TIME_LIMIT:.0f} seconds, and could not be stopped from within"
                )
            data = self.connection.recv_bytes(LARGEST)
        except (EOFError, OSError) as error:
            self.process.join(1)
            code = self.process.exitcode
            raise LostError(f"its process came to an end{f', with exit status {code}' if code is not None else ''}") from error
        try:
            if not data.startswith(b"PK"):  # as what torch saves does
                raise ValueError("no archive")
            # Data only: nothing that the process sends can name code to be run here.
            return torch.load(io.BytesIO(data), weights_only=True)
        except Exception as error:  # a file that is none can fail in any way
            raise LostError(f"it sent what cannot be read ({type(error).__name__})") from error


@cache
def _context() -> Any:  # noqa: ANN401 - contexts have no common type that tells of both
    """How processes are made: where that is possible divided from one that has loaded torch and the course already."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver  # which Windows has not

    context = multiprocessing.get_context("forkserver")
    lessons = sorted(path.stem for path in Path(catalogue.__file__).parent.glob("lesson_*.py"))
    context.set_forkserver_preload([*PRELOADED, __name__, *(f"vae_course.exercises.{lesson}" for lesson in lessons)])
    with environment(PYTHONSAFEPATH="1"):  # a file of a student's in the current folder is not to be taken for a module
        forkserver.ensure_running()
    return context
