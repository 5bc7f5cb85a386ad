"""How an exercise is judged: not attempted, correct, or wrong with the mistake's name."""

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import torch
from torch import Tensor

Arguments = tuple[Any, ...]
Observation = dict[str, Tensor]


class Status(Enum):
    """The three answers that ``check`` can give."""

    NOT_ATTEMPTED = "not attempted"
    CORRECT = "correct"
    WRONG = "wrong"


@dataclass(frozen=True)
class Verdict:
    """An answer, with what to tell the reader."""

    status: Status
    message: str


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give: the function that makes it, and what to say to whoever made it."""

    name: str
    function: Callable[..., Any]
    message: str


@dataclass(frozen=True)
class Exercise:
    """An exercise: inputs ordered from small to large, a reference, hints, known mistakes.

    ``gradients`` names the arguments with respect to which the gradient of the result's sum is compared too.
    """

    task: str
    reference: Callable[..., Tensor]
    cases: Callable[[], Sequence[Arguments]]
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    gradients: tuple[str, ...] = ()
    relative_tolerance: float = 1e-5

    @property
    def name(self) -> str:
        """The name of the function that is asked for. It is permanent, so records of progress and grades are kept by it."""
        return self.reference.__name__

    def solution(self) -> str:
        """The reference's source, as it runs in a lesson: what is shown is what is tested.

        Type annotations are left out, since a lesson need not have imported what they name.
        """
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(self.reference))).body
        assert isinstance(function, ast.FunctionDef)
        function.returns = None
        for argument in function.args.args:
            argument.annotation = None
        return ast.unparse(function)

    def grade(self, answer: Any) -> Verdict:  # noqa: ANN401
        """Judge what a reader passed to ``check``, normally a function."""
        if not inspect.isfunction(answer):
            return _wrong(
                f"check needs a function written with def, got {type(answer).__name__}; "
                "if you called it, write its name without ( )."
            )
        problem = self._signature_problem(answer)
        if problem is not None:
            return problem
        observed: list[Observation] = []
        for case in self.cases():
            outcome = self._observe_answer(answer, case)
            if isinstance(outcome, Verdict):
                return outcome
            observed.append(outcome)
        return self._compare(observed)

    def _signature_problem(self, answer: Callable[..., Any]) -> Verdict | None:
        case = self.cases()[0]
        try:
            inspect.signature(answer).bind(*case)
        except TypeError:
            return _wrong(
                f"your function takes {inspect.signature(answer)}, it will be called with {len(case)} arguments: "
                f"{inspect.signature(self.reference)}."
            )
        return None

    def _observe_answer(self, answer: Callable[..., Any], case: Arguments) -> Observation | Verdict:
        """Run the reader's function on one case; a verdict where it cannot be compared at all."""
        leaves = self._leaves(case)
        arguments = tuple(leaf.clone() if isinstance(leaf, Tensor) else leaf for leaf in leaves)
        try:
            result = answer(*arguments)
        except NotImplementedError:
            return self.not_attempted()
        except Exception as error:  # anything at all may go wrong in a reader's function; it is reported as theirs
            return _wrong(_their_exception(answer, error, case))
        if result is ...:
            return self.not_attempted()
        if problem := _type_problem(result):
            return _wrong(problem)
        for name, before, after in zip(self._parameters(), case, arguments, strict=True):
            if isinstance(before, Tensor) and not torch.equal(before, after.detach()):
                return _wrong(
                    f"your function changes its input {name}; work on a copy, or avoid methods that end in _ and "
                    "assignments like x += 1 and x[0] = 1, which write into the tensor they were given."
                )
        return self._observation(result, leaves)

    def _compare(self, observed: list[Observation]) -> Verdict:
        expected = [self._expected(self.reference, case) for case in self.cases()]
        if all(self._same(o, e) for o, e in zip(observed, expected, strict=True)):
            return Verdict(Status.CORRECT, "correct.")
        for mistake in self.mistakes:
            made = [self._expected(mistake.function, case) for case in self.cases()]
            if all(self._same(o, m) for o, m in zip(observed, made, strict=True)):
                return _wrong(f"{mistake.name}. {mistake.message}")
        for case, o, e in zip(self.cases(), observed, expected, strict=True):
            if not self._same(o, e):
                return _wrong(self._difference(case, o, e))
        raise AssertionError("unreachable: some case differed")

    def _expected(self, function: Callable[..., Any], case: Arguments) -> Observation:
        leaves = self._leaves(case)
        return self._observation(function(*leaves), leaves)

    def _leaves(self, case: Arguments) -> Arguments:
        """Fresh copies of the arguments, in the graph where their gradients are compared."""
        return tuple(
            argument.clone().requires_grad_(name in self.gradients) if isinstance(argument, Tensor) else argument
            for name, argument in zip(self._parameters(), case, strict=True)
        )

    def _observation(self, result: Tensor, leaves: Arguments) -> Observation:
        observation = {"result": result.detach()}
        wanted = {n: a for n, a in zip(self._parameters(), leaves, strict=True) if isinstance(a, Tensor) and a.requires_grad}
        gradients: Sequence[Tensor | None] = [None] * len(wanted)
        if wanted and result.requires_grad:
            gradients = torch.autograd.grad(result.sum(), list(wanted.values()), allow_unused=True)
        for (name, argument), gradient in zip(wanted.items(), gradients, strict=True):
            observation[f"gradient with respect to {name}"] = torch.zeros_like(argument) if gradient is None else gradient
        return observation

    def _parameters(self) -> list[str]:
        return list(inspect.signature(self.reference).parameters)

    def _same(self, a: Observation, b: Observation) -> bool:
        return all(_close(a[name], b[name], self.relative_tolerance) for name in b)

    def _difference(self, case: Arguments, observed: Observation, expected: Observation) -> str:
        """The first thing that differs on the smallest failing input."""
        inputs = "\n".join(f"  {name} = {_show(value)}" for name, value in zip(self._parameters(), case, strict=True))
        for name, want in expected.items():
            got = observed[name]
            if got.shape != want.shape:
                return f"the {name} has shape {tuple(got.shape)}, expected {tuple(want.shape)}. For the input\n{inputs}"
            if not _close(got, want, self.relative_tolerance):
                return (
                    f"the {name} differs. The smallest input that shows it:\n{inputs}\n"
                    f"  expected {_show(want)}\n  got      {_show(got)}"
                )
        raise AssertionError("unreachable: the observations differ")

    def not_attempted(self) -> Verdict:
        """The verdict on a stub."""
        return Verdict(Status.NOT_ATTEMPTED, f'not attempted yet. Stuck? hint("{self.name}")')


def _wrong(message: str) -> Verdict:
    return Verdict(Status.WRONG, f"Not yet: {message}")


def _type_problem(result: Any) -> str | None:  # noqa: ANN401 - a reader may return anything
    if isinstance(result, Tensor):
        return None
    if result is None:
        return "your function returned None; did you forget the return?"
    if isinstance(result, np.ndarray | np.generic):
        return (
            "your function returned a numpy value, expected a torch tensor: gradients cannot flow through numpy. "
            "Use torch's functions and no .numpy()."
        )
    if isinstance(result, int | float):
        return "your function returned a Python number, expected a torch tensor; leave out .item() and float(...)."
    return f"your function returned a {type(result).__name__}, expected a torch tensor."


def _their_exception(answer: Callable[..., Any], error: Exception, case: Arguments) -> str:
    """The exception as the reader's own, at the last line of theirs that it passed through."""
    file = inspect.unwrap(answer).__code__.co_filename
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    where = f"line {line} of your cell, `{linecache.getline(file, line).strip()}`" if line else "your function"
    inputs = ", ".join(_show(argument) for argument in case)
    return f"your function raised {type(error).__name__} at {where}: {error}\n  It was called with {inputs}"


def _close(a: Tensor, b: Tensor, relative: float) -> bool:
    if a.shape != b.shape:
        return False
    return torch.allclose(a.double(), b.double(), rtol=relative, atol=relative * 0.1, equal_nan=True)


def _show(value: Any) -> str:  # noqa: ANN401 - shows arguments of any kind
    if not isinstance(value, Tensor):
        return repr(value)
    if value.numel() > 12:
        return f"tensor of shape {tuple(value.shape)}, beginning {_show(value.flatten()[:4])}"
    if value.dim() == 0:
        return f"{value.item():.6g}"
    return "[" + ", ".join(_show(part) for part in value) + "]"
