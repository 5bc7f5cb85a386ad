"""Running an answer on an input, whatever it does: what came out or what went wrong, in a form that can be compared."""

import contextlib
import copy
import ctypes
import inspect
import io
import linecache
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import FunctionType, TracebackType
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vae_course.exercises.telling import CODE, inputs_told
from vae_course.training import find_device

Arguments = tuple[Any, ...]
TIME_LIMIT = 10.0  # seconds for all inputs of a check together
ENTRY_BY_ENTRY = (
    "`and`, `or`, `not`, `if`, min(a, b) and max(a, b) take one truth value. Entry by entry it is &, |, ~, torch.where, "
    "torch.minimum and torch.maximum, or torch.clamp with a number."
)
WORTH_A_SECOND_LOOK = 0.1  # seconds of an answer on an input of the lesson's size


@dataclass(frozen=True)
class Failure:
    """What went wrong in place of a result, with what to say of it. Two answers fail alike if the ``kind`` is the same.

    ``message`` is an exception's own, by which answers are told apart that do nothing but raise or cannot be compared.
    """

    kind: str
    told: str
    message: str = ""


# What an answer gives on one input: "result" (or several by name), and "gradient with respect to x" where that is asked for.
Observation = dict[str, Tensor | Failure]


class NotAttemptedError(Exception):
    """The answer is the stub itself."""


class NotComparableError(Exception):
    """An answer of a form that cannot be held against ours; the message says why."""


# --- one input ------------------------------------------------------------------------------------------------------


def observe(
    run: Callable[[Arguments], Any], answer: object, case: Arguments, names: Sequence[str], gradients: Sequence[str]
) -> Observation:
    """Run an answer on copies of ``case``, whose arguments are called ``names``; the result, and its gradients.

    Never raises for what the answer does, except ``NotAttemptedError`` for a stub, which returns ``...``.
    """
    leaves = tuple(_leaf(value, name in gradients) for name, value in zip(names, case, strict=True))
    given = tuple(value.clone() if isinstance(value, Tensor) else copy.deepcopy(value) for value in leaves)
    try:
        result = run(given)
    except _Stopped:
        raise
    except NotComparableError as error:
        return {"result": Failure("not comparable", f"{error}.", str(error))}
    except BaseException as error:  # anything at all may go wrong in a reader's code, SystemExit too: it is told as theirs
        return {"result": Failure(type(error).__name__, _exception_told(answer, error, names, case), str(error))}
    if result is ...:
        raise NotAttemptedError
    if type(result).__module__ == "torch.return_types":
        told = "your function returned values and indices together, as min, max, sort and topk along a dimension give them; "
        return {"result": Failure("returned both", told + "take .values or .indices, or use amin, amax, argmin, argmax.")}
    for name, before, after in zip(names, case, given, strict=True):
        if not _unchanged(before, after):
            return {"result": Failure("changes its input", _change_told(name, before))}
    results = result if isinstance(result, Mapping) else _named(result)
    if problem := next((p for name, value in results.items() if (p := _type_problem(name, value, case))), None):
        return {"result": problem}
    observation: Observation = {name: value.detach() for name, value in results.items()}
    wanted = {n: v for n, v in zip(names, leaves, strict=True) if isinstance(v, Tensor) and v.requires_grad}
    return observation | _gradients(list(results.values()), wanted)


def _leaf(value: Any, wanted: bool) -> Any:  # noqa: ANN401 - arguments of any kind
    return value.detach().clone().requires_grad_(wanted) if isinstance(value, Tensor) else value


def _named(result: Any) -> dict[str, Any]:  # noqa: ANN401 - a reader may return anything
    """One result, or those of a tuple in their order."""
    if isinstance(result, tuple) and result:
        return {f"result {number}": value for number, value in enumerate(result, 1)}
    return {"result": result}


def _gradients(results: Sequence[Tensor], wanted: Mapping[str, Tensor]) -> Observation:
    """Gradients of a weighted sum of the results: of a plain sum they vanish wherever results always add up to the same."""
    if not wanted:
        return {}
    total = sum((result * _weights(result)).sum() for result in results if result.requires_grad)
    found: Sequence[Tensor | None] = [None] * len(wanted)
    if isinstance(total, Tensor):
        try:
            found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
        except Exception as error:  # what a reader's operations leave behind may not be differentiable
            told = f"torch cannot take the gradient of your result: {error} Methods that end in _ and assignments like "
            told += "x += y write into a tensor that the gradient may still need: make a new one, x = x + y."
            return {"result": Failure("no gradient", told)}
    return {
        f"gradient with respect to {name}": torch.zeros_like(value) if gradient is None else gradient.detach()
        for (name, value), gradient in zip(wanted.items(), found, strict=True)
    }


def _weights(result: Tensor) -> Tensor:
    places = torch.arange(result.numel(), dtype=torch.float64, device=result.device)
    return (1 + 0.5 * torch.cos(1 + 2 * places)).to(result.dtype).view(result.shape)


def _type_problem(name: str, value: Any, case: Arguments) -> Failure | None:  # noqa: ANN401 - a reader may return anything
    returned = "your function returned" if name == "result" else f"as {name} your function returned"
    if isinstance(value, Tensor):
        if value.is_complex() or value.layout is not torch.strided:
            kind = "complex numbers" if value.is_complex() else "a sparse tensor"
            return Failure(f"returned {kind}", f"{returned} {kind}, expected an ordinary real tensor.")
        devices = {argument.device for argument in case if isinstance(argument, Tensor)}
        if devices and value.dim() and value.device not in devices:  # a single number goes with tensors of any device
            told = f"{returned} a tensor on {value.device}, but its inputs are on {next(iter(devices))}: make new tensors "
            return Failure("another device", told + "there, with torch.zeros_like(x) or device=x.device.")
        return None
    if value is None:
        return Failure("returned None", f"{returned} None; did you forget the return?")
    if isinstance(value, np.ndarray | np.generic):
        told = f"{returned} a numpy value, expected a torch tensor: gradients cannot flow through numpy. Use torch's functions "
        return Failure("returned numpy", told + "and no .numpy().")
    if isinstance(value, bool | int | float):
        told = f"{returned} a Python number, expected a torch tensor; leave out .item() and float(...)."
        return Failure("returned a number", told)
    kind = type(value).__name__
    return Failure(f"returned a {kind}", f"{returned} a {kind}, expected a torch tensor.")


def _unchanged(before: Any, after: Any) -> bool:  # noqa: ANN401 - arguments of any kind
    if isinstance(before, nn.Module):
        return True  # in an update step it is there to be changed
    if isinstance(before, Tensor):
        return before.shape == after.shape and torch.equal(before.detach().nan_to_num(7.25), after.detach().nan_to_num(7.25))
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(map(_unchanged, before, after))
    if isinstance(before, dict | set | int | float | str):
        return bool(before == after)
    return True


def _change_told(name: str, before: Any) -> str:  # noqa: ANN401 - arguments of any kind
    if isinstance(before, Tensor):
        return (
            f"your function changes its input {name}; work on a copy, or avoid methods that end in _ and assignments like "
            "x += 1 and x[0] = 1, which write into the tensor they were given."
        )
    return (
        f"your function changes its input {name}, which belongs to its caller; work on a copy: sorted(...) for .sort(), "
        "list(...) before .append, .remove and .clear."
    )


# --- exceptions -----------------------------------------------------------------------------------------------------


def _exception_told(answer: object, error: BaseException, names: Sequence[str], case: Arguments) -> str:
    """The exception as the reader's own, at the last line of theirs that it passed through."""
    files = _files_of(answer)
    line = None
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename in files:
            line = traceback.tb_lineno, traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    told = f"your function raised {type(error).__name__}: {error}"
    if line is not None:
        told += f"\nin line {line[0]} of your cell:\n{CODE}{linecache.getline(line[1], line[0]).strip()}"
    if "Boolean value of Tensor" in str(error):
        told += f"\n{ENTRY_BY_ENTRY}"
    return f"{told}\nIt was called with\n{inputs_told(names, case)}"


def _files_of(answer: object) -> set[str]:
    """The files, or cells, that an answer's code was written in."""
    functions = vars(answer).values() if inspect.isclass(answer) else [answer]
    return {inspect.unwrap(f).__code__.co_filename for f in functions if isinstance(f, FunctionType)}


# --- a limit on the time --------------------------------------------------------------------------------------------


class _Stopped(BaseException):
    """Raised inside an answer that has had its time."""


class TooLongError(Exception):
    """An answer did not end in time. ``ended`` says whether it could be stopped."""

    def __init__(self, ended: bool, told: str = ""):
        super().__init__(told)
        self.ended = ended


def within(seconds: float, work: Callable[[], None]) -> None:
    """Do ``work`` in a thread of its own, and no longer than ``seconds``. Raises ``TooLongError`` past them.

    The thread is stopped by an exception that is raised in it again and again, for a bare ``except:`` swallows the first. It
    arrives between two steps of Python, so a long call of torch's is waited for, a second at most, and then left running. What
    holds the interpreter itself, such as ``sum(itertools.count())``, nothing within the process can stop.
    """
    errors: list[BaseException] = []
    ended, released = threading.Event(), threading.Event()

    def worker() -> None:
        try:
            try:
                work()
            except _Stopped:
                pass
            except BaseException as error:  # handed on to the caller's thread
                errors.append(error)
            ended.set()
            released.wait()
        except _Stopped:  # one that came while the first was caught
            ended.set()
            released.wait()

    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    try:
        in_time = ended.wait(seconds)
    finally:  # also where the reader interrupts the check
        if not ended.is_set():
            _stop(thread, ended)
        released.set()
    if not in_time:
        raise TooLongError(ended=ended.is_set())
    if errors:
        raise errors[0]


def _stop(thread: threading.Thread, ended: threading.Event, patience: float = 1.0) -> None:
    number, end = ctypes.c_ulong(thread.ident or 0), time.perf_counter() + patience
    while not ended.wait(0.01) and time.perf_counter() < end:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(_Stopped))
    if ended.is_set():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, None)  # takes back what was not delivered


# --- an answer on all inputs -----------------------------------------------------------------------------------------


class Attempt(Protocol):
    """All that a verdict asks of an answer, be it one to call or one that was run elsewhere."""

    def observed(self, cases: Sequence[Arguments]) -> list[Observation]:
        """What it gives on each input. Raises ``NotAttemptedError`` for a stub, ``TooLongError`` past the time limit."""

    def once_more(self, number: int) -> Observation:
        """What it gives when it is called again on the input of that number, of those observed last."""

    def timed(self) -> tuple[Observation, float]:
        """What it gives on the last of these inputs, on the device of the lessons, and in how many seconds."""


class Called:
    """An answer that is called, by ``observe``, on inputs whose arguments are called ``names``."""

    def __init__(self, answer: object, observe: Callable[[Any, Arguments], Observation], names: Sequence[str]):
        self.answer, self.observe, self.names = answer, observe, names
        self.cases: Sequence[Arguments] = ()

    def observed(self, cases: Sequence[Arguments]) -> list[Observation]:
        """What it gives on each input, in the time that all of them have.

        What it prints is shown for the first input, and not again where it is observed once more.
        """
        printing = silently() if self.cases else contextlib.nullcontext()
        self.cases = cases
        observed: list[Observation] = []
        stdout = sys.stdout

        def observe_all() -> None:
            with printing:
                observed.append(self.observe(self.answer, cases[0]))
            with silently():
                observed.extend(self.observe(self.answer, case) for case in cases[1:])

        try:
            within(TIME_LIMIT, observe_all)
        except TooLongError as error:
            told = f"your function does not end: it was stopped after {TIME_LIMIT:.0f} seconds, on the input\n"
            told += inputs_told(self.names, cases[min(len(observed), len(cases) - 1)])
            if not error.ended:
                told += "\nIt could not be stopped and still runs. Restart the kernel before you go on."
            raise TooLongError(error.ended, told) from None
        finally:
            sys.stdout = stdout  # which a thread that still runs would keep
        return observed

    def once_more(self, number: int) -> Observation:
        """What it gives when it is called again on the input of that number."""
        with silently():
            return self.observe(self.answer, self.cases[number])

    def timed(self) -> tuple[Observation, float]:
        """What it gives on the last input, on the device of the lessons, and in how many seconds."""
        case = on_device(self.cases[-1], find_device())
        with silently():
            return timed(lambda: self.observe(self.answer, case))


class _Nowhere(io.TextIOBase):
    """What is printed here is not kept: it may be much."""

    def write(self, text: str) -> int:
        return len(text)


def silently() -> AbstractContextManager[object]:
    """Inside, what is printed is shown to nobody."""
    return contextlib.redirect_stdout(_Nowhere())


def timed(observe: Callable[[], Observation]) -> tuple[Observation, float]:
    """What is observed, and in how many seconds: of the processor, for a busy machine makes no answer slow.

    Torch's threads wait for one another by spinning, which counts. So what seems slow is tried once more, and the less holds.
    """
    seconds = []
    for _ in range(2):
        start = time.thread_time()
        observed = observe()
        seconds.append(time.thread_time() - start)
        if seconds[-1] < WORTH_A_SECOND_LOOK:
            break
    return observed, min(seconds)


def about_precision(observation: Observation) -> bool:
    """Whether an answer failed because it mixes single precision with the doubles that it was given.

    What is written for a lesson need not work with doubles: it is tried again in single precision.
    """
    messages = (value.message for value in observation.values() if isinstance(value, Failure))
    return any(word in message for message in messages for word in ("dtype", "scalar type", "Float", "Double"))


def in_single_precision(case: Arguments) -> Arguments:
    """An input with its doubles in single precision."""
    return tuple(a.float() if isinstance(a, Tensor) and a.dtype == torch.float64 else a for a in case)


def on_device(case: Arguments, device: torch.device) -> Arguments:
    """An input with its tensors on ``device``."""
    return tuple(a.to(device) if isinstance(a, Tensor) else a for a in case)
