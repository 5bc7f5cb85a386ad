"""How an exercise is judged: not attempted, correct, or wrong with the mistake's name."""

import ast
import inspect
import itertools
import textwrap
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from vae_course.exercises.attempts import (
    Arguments,
    Attempt,
    Called,
    Failure,
    NotAttemptedError,
    Observation,
    TooLongError,
    about_precision,
    in_single_precision,
    observe,
    on_device,
    timed,
)
from vae_course.exercises.comparing import alike, difference_told, same
from vae_course.exercises.mistakes import GENERAL, Changed, Mistake, composed
from vae_course.exercises.telling import MOST, inputs_told, wrapped
from vae_course.training import find_device, seeded

DRAWN = 8  # inputs that are drawn beside those made by hand
SLOW, SLOWER = 0.25, 30  # seconds on a lesson's input, and times ours, from which on a right answer is too slow to be used


class Status(Enum):
    """The three answers that ``check`` can give."""

    NOT_ATTEMPTED = "not attempted"
    CORRECT = "correct"
    WRONG = "wrong"


@dataclass(frozen=True)
class Verdict:
    """An answer, with what to tell the reader; ``slow``: right, but not to be used."""

    status: Status
    message: str
    slow: bool = False


@dataclass(frozen=True)
class Exercise:
    """An exercise in which a function is asked for: inputs, a reference, hints, known mistakes.

    ``cases``: inputs made by hand, small ones first, edges among them. ``generate``: a valid input, drawn from a generator;
    a teacher's own seed makes new ones. ``lesson``: an input as the lesson has it, in its shape and dtype.
    ``gradients`` names the arguments with respect to which the gradient of the result is compared too. ``plain_number``: one
    number is asked for, through which no gradient flows, so that it may come as a tensor or as a plain Python number.
    ``run_within``: makes a context for an answer to run in, where something it may call has to be watched.
    """

    general: ClassVar = GENERAL

    task: str
    reference: Callable[..., Any]
    cases: Callable[[], Sequence[Arguments]]
    generate: Callable[[Generator], Arguments]
    lesson: Callable[[Generator], Arguments]
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    gradients: tuple[str, ...] = ()
    relative_tolerance: float = 1e-5
    plain_number: bool = False
    run_within: Callable[[], AbstractContextManager[object]] = nullcontext

    @property
    def name(self) -> str:
        """The name of what is asked for. It is permanent, so records of progress and grades are kept by it."""
        return self.reference.__name__

    def solution(self) -> str:
        """The reference's source, as it runs in a lesson: what is shown is what is tested.

        Type annotations are left out, since a lesson need not have imported what they name.
        """
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.reference)))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.returns = None
                for argument in (*node.args.args, *node.args.kwonlyargs):
                    argument.annotation = None
        return ast.unparse(tree)

    def inputs(self, seed: int = 0) -> list[Arguments]:
        """All inputs that an answer is tried on: made by hand, drawn with ``seed``, and one as the lesson has it."""
        generator = seeded(seed)
        return [*self.cases(), *(self.generate(generator) for _ in range(DRAWN)), self.lesson(generator)]

    # --- what a kind of exercise decides ----------------------------------------------------------------------------

    def parameters(self) -> list[str]:
        """What the arguments of an input are called."""
        return list(inspect.signature(self.reference).parameters)

    def run(self, answer: Callable[..., Any], arguments: Arguments) -> Any:  # noqa: ANN401 - whatever an answer returns
        """Use an answer on an input."""
        with self.run_within():
            result = answer(*arguments)
        if self.plain_number and type(result) in (int, float):
            return torch.tensor(result, dtype=torch.float64)
        return result

    def form_problem(self, answer: object) -> str | None:
        """What is wrong with the form of an answer, before it is run."""
        if not inspect.isfunction(answer):
            called = "." if callable(answer) else "; if you called it, write its name without ( )."
            return f"check needs a function written with def, got {type(answer).__name__}{called}"
        wanted = inspect.signature(self.reference)
        try:
            inspect.signature(answer).bind(*wanted.parameters)
        except (TypeError, ValueError):
            count = len(wanted.parameters)
            many = f"{count} argument{'s' * (count != 1)}"
            return f"your function takes {inspect.signature(answer)}, it will be called with {many}: {_bare(wanted)}."
        return None

    # --- judging ----------------------------------------------------------------------------------------------------

    def grade(self, answer: Any, seed: int = 0) -> Verdict:  # noqa: ANN401 - a reader may hand in anything
        """Judge what a reader passed to ``check``; never raises, whatever it is. ``seed`` draws the inputs.

        torch's global random state is put back, in case the answer draws from it.
        """
        if problem := self.form_problem(answer):
            return wrong(problem)
        cases = self.inputs(seed)
        with torch.random.fork_rng(devices=[]):
            self.get_ready(cases[0])
            return self.judged(Called(answer, self.observe, self.parameters()), cases)

    def get_ready(self, case: Arguments) -> None:
        """What a first call has to wait for and is not the answer's doing, before the answer's time begins: here nothing."""

    def judged(self, attempt: Attempt, cases: Sequence[Arguments]) -> Verdict:
        """The verdict on an answer of the right form, by what it gives on ``cases``."""
        try:
            observed = attempt.observed(cases)
            if any(map(about_precision, observed)):
                cases = [in_single_precision(case) for case in cases]
                observed = attempt.observed(cases)
            expected = [self.observe(self.reference, case) for case in cases]
            if all(map(self._same, observed, expected)):
                return self._right(attempt, cases)
            with warnings.catch_warnings(action="ignore"):  # of our mistakes, not of the reader's answer
                named = self._named(observed, cases)
            return wrong(named or self._difference(attempt, cases, observed, expected))
        except NotAttemptedError:
            return self.not_attempted()
        except TooLongError as error:
            return wrong(str(error))

    def not_attempted(self) -> Verdict:
        """The verdict on a stub."""
        return Verdict(Status.NOT_ATTEMPTED, f'not attempted yet. Stuck? hint("{self.name}")')

    def observe(self, answer: Callable[..., Any], case: Arguments) -> Observation:
        """What an answer gives on one input."""
        return observe(lambda arguments: self.run(answer, arguments), answer, case, self.parameters(), self.gradients)

    def _same(self, a: Observation, b: Observation) -> bool:
        return same(a, b, self.relative_tolerance)

    def _right(self, attempt: Attempt, cases: Sequence[Arguments]) -> Verdict:
        """Right; unless it fails on the device of the lessons, or is far slower than ours on an input of the lesson's size."""
        case = on_device(cases[-1], find_device())
        (got, seconds), (want, ours) = attempt.timed(), timed(lambda: self.observe(self.reference, case))
        if not self._same(got, want):
            return wrong(self._difference_told(attempt, case, len(cases) - 1, got, want))
        if seconds > SLOW and seconds > SLOWER * ours:
            told = f"correct, but {seconds / ours:.0f} times slower than ours on a batch of the lesson ({seconds:.1f} s). "
            told += "From here on ours is used. Is there a loop over what torch can do at once?"
            return Verdict(Status.CORRECT, told, slow=True)
        return Verdict(Status.CORRECT, "correct.")

    # --- naming a mistake -------------------------------------------------------------------------------------------

    def general_mistakes(self) -> tuple[Mistake, ...]:
        """What may be done to the result of any function that returns one tensor."""
        return tuple(Mistake(name, Changed(self.reference, how), told) for name, how, told in self.general)

    def known_mistakes(self) -> tuple[Mistake, ...]:
        """Those of the exercise, and the general ones."""
        return self.mistakes + self.general_mistakes()

    def _named(self, observed: Sequence[Observation], cases: Sequence[Arguments]) -> str | None:
        """The mistake that gives the same on every input; if none does, the two that do so together."""
        raises_always = all(isinstance(o.get("result"), Failure) for o in observed)
        for mistake in self.known_mistakes():
            if self._agrees(mistake.function, observed, cases) and (
                not raises_always or self._says_the_same(mistake.function, observed, cases)
            ):
                return f"{mistake.name}. {mistake.message}"
        if raises_always:
            return None
        together = [
            (first, second)
            for first, second in itertools.permutations(self._distinct(cases), 2)
            if (both := composed(first.function, second.function, self.name)) and self._agrees(both, observed, cases)
        ]
        if len({frozenset((first.name, second.name)) for first, second in together}) != 1:
            return None  # several pairs would explain it: none is known to be the one
        first, second = together[0]
        return f"two things at once.\n- {first.name}. {first.message}\n- {second.name}. {second.message}"

    def _agrees(self, function: Callable[..., Any], observed: Sequence[Observation], cases: Sequence[Arguments]) -> bool:
        first = {name: value for name, value in observed[0].items() if not name.startswith("gradient")}
        if not isinstance(first.get("result"), Failure):
            # Most are told apart by the first result alone, without gradients.
            values = observe(lambda case: self.run(function, case), function, cases[0], self.parameters(), ())
            if not self._same(values, first):
                return False
        return all(self._same(o, self.observe(function, case)) for o, case in zip(observed, cases, strict=True))

    def _says_the_same(self, function: Callable[..., Any], observed: Sequence[Observation], cases: Sequence[Arguments]) -> bool:
        """Whether exceptions have the same message: very different answers raise a ``RuntimeError`` on every input."""
        made = (self.observe(function, case) for case in cases)
        return all(
            isinstance(a, Failure) and isinstance(b, Failure) and a.message == b.message
            for a, b in zip((o.get("result") for o in observed), (m.get("result") for m in made), strict=True)
        )

    def _distinct(self, cases: Sequence[Arguments]) -> list[Mistake]:
        """The known mistakes without general ones that are right here, or that the exercise has under a name of its own."""
        distinct: list[Mistake] = list(self.mistakes)
        for mistake in self.general_mistakes():
            made = [self.observe(mistake.function, case) for case in cases]
            others = (self.reference, *(other.function for other in distinct))
            if not any(self._agrees(other, made, cases) for other in others):
                distinct.append(mistake)
        return distinct

    # --- telling what differs ---------------------------------------------------------------------------------------

    def _difference(
        self, attempt: Attempt, cases: Sequence[Arguments], observed: Sequence[Observation], expected: Sequence[Observation]
    ) -> str:
        """What differs first on the smallest input that shows a difference."""
        failing = [k for k, (o, e) in enumerate(zip(observed, expected, strict=True)) if not self._same(o, e)]
        by_size = sorted(failing, key=lambda k: _numbers_in(cases[k]))
        # An answer that draws a few zeros and ones may by chance draw the same again; of many, hardly.
        draws = not self._same(attempt.once_more(by_size[-1]), observed[by_size[-1]])
        number = by_size[-1] if draws else by_size[0]
        return self._difference_told(attempt, cases[number], number, observed[number], expected[number])

    def _difference_told(self, attempt: Attempt, case: Arguments, number: int, got: Observation, want: Observation) -> str:
        if isinstance(got.get("result"), Failure):
            return difference_told("result", got["result"], next(iter(want.values())))
        if not self._same(attempt.once_more(number), got):
            return (
                "your function gives another result each time, as if it drew random numbers of its own, or went through a set, "
                "whose order changes. Use what it is given."
            )
        results, right = ([name for name in some if not name.startswith("gradient")] for some in (got, want))
        if results != right:
            many = f"{len(results)} result{'s' * (len(results) != 1)}"
            told = f"your function returns {many}, expected {len(right)}"
            wanted = want.get("result")
            parts = [value.shape for name, value in got.items() if name in results and isinstance(value, Tensor)]
            if isinstance(wanted, Tensor) and all((len(results), *part) == wanted.shape for part in parts):
                told += ": put them into one tensor, torch.stack([...])"
            return f"{told}."
        name = next(n for n in want if not alike(got[n], want[n], self.relative_tolerance))
        told = difference_told(name, got[name], want[name])
        values = told.startswith("  ")
        inputs = f"{inputs_told(self.parameters(), case)}{self._whole(case, number)}"
        if values:
            return f"the {name} differs. The smallest input that shows it:\n{inputs}\n{told}"
        return f"{told} For the input\n{inputs}"

    def _whole(self, case: Arguments, number: int) -> str:
        """How to get at an input that is too large to be shown."""
        large = any(isinstance(a, Tensor) and a.numel() > MOST for a in case)
        how = f'from vae_course.exercises import case, then case("{self.name}", {number})'
        return f"\n  (the whole input: {how})" if large else ""


def wrong(message: str) -> Verdict:
    """The verdict on an answer that is not right, with the reason."""
    return Verdict(Status.WRONG, wrapped(f"Not yet: {message}"))


def _numbers_in(case: Arguments) -> int:
    return sum(argument.numel() for argument in case if isinstance(argument, Tensor))


def _bare(signature: inspect.Signature) -> str:
    """A signature without annotations, which a lesson does not show."""
    return f"({', '.join(signature.parameters)})"
