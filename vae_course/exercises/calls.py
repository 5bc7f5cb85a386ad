"""What a lesson calls: ``check``, ``hint``, ``solution`` and ``case``, and ``reveal``."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.catalogue import all_exercises, find, judge, number_of
from vae_course.exercises.core import Status
from vae_course.exercises.telling import wrapped

Answer = TypeVar("Answer")
_hints_given: dict[str, int] = {}


def check(answer: Answer) -> Answer | Callable[..., Any]:
    """Judge your function by the exercise of its name, and print: not attempted, correct, or what went wrong.

    Returns your function if it is correct, and not far slower than ours; else ours. So ``negative_elbo = check(negative_elbo)``
    always leaves one that works. What no exercise asks for is handed back as it came. Never raises for a wrong answer.
    """
    name = _name(answer)
    if name is None:
        called = "." if callable(answer) else "; if you called it, write its name without ( )."
        kind = "a lambda" if inspect.isfunction(answer) else type(answer).__name__
        told = f"check needs the function that an exercise asks for, written with def under its name, got {kind}{called}"
        print(wrapped(told))
        return answer
    try:
        exercise = find(name)
    except ValueError as error:
        print(wrapped(f"check goes by the name of what it is given, and {error}"))
        return answer
    # Ours, handed back by an earlier call, is no attempt of the reader's.
    verdict = exercise.not_attempted() if answer is exercise.reference else judge(name, answer)
    shown = "" if verdict.status is Status.WRONG else f"Exercise {number_of(name)}: "
    print(wrapped(f"{shown}{verdict.message}"))
    return answer if verdict.status is Status.CORRECT and not verdict.slow else exercise.reference


def _name(answer: object) -> str | None:
    """The name of a function or a class, and of the class of an object where an exercise asks for that class."""
    if inspect.isfunction(answer) or inspect.isclass(answer):
        return answer.__name__ if answer.__name__ != "<lambda>" else None
    return type(answer).__name__ if type(answer).__name__ in all_exercises() else None


def hint(name: str) -> None:
    """Print the next hint for the exercise of that name; each call gives one more."""
    exercise = find(name)
    given = min(_hints_given.get(name, 0) + 1, len(exercise.hints))
    _hints_given[name] = given
    print(wrapped(f"Hint {given} of {len(exercise.hints)} for exercise {number_of(name)}: {exercise.hints[given - 1]}"))


def solution(name: str) -> None:
    """Print the reference solution of the exercise of that name, the same code that the tests run."""
    print(find(name).solution())


def case(name: str, number: int) -> Arguments:
    """The input on which ``check`` tries an answer to the exercise of that name, as a tuple of its arguments.

    Raises ``IndexError`` for a number that no input has.
    """
    inputs = find(name).inputs()
    if not 0 <= number < len(inputs):
        raise IndexError(f"number: expected one from 0 to {len(inputs) - 1}, got {number}")
    return inputs[number]


def reveal(guess: str | float | None, answer: str, because: str) -> None:
    """Compare a prediction with what happened. ``guess`` is ``None`` where the reader did not commit to one.

    Blanks, capitals and a missing per cent sign make no difference: 30 is "30 %".
    """

    def plain(said: object) -> str:
        return "".join(str(said).lower().split()).removesuffix("%")

    if guess is None:
        verdict = "You made no guess; the answer is"
    elif plain(guess) == plain(answer):
        verdict = "As you guessed:"
    else:
        verdict = f"You guessed {guess!r}; it is"
    print(f"{verdict} {answer!r}, because {because}")
