"""What a lesson calls: ``check``, ``hint`` and ``solution``, and ``reveal``."""

from collections.abc import Callable
from typing import Any, TypeVar

from vae_course.exercises.catalogue import find, number_of
from vae_course.exercises.core import Status

Answer = TypeVar("Answer")
_hints_given: dict[str, int] = {}


def check(answer: Answer) -> Answer | Callable[..., Any]:
    """Judge your function by the exercise of its name, and print: not attempted, correct, or what went wrong.

    Returns your function if it is correct, else ours, so that ``negative_elbo = check(negative_elbo)`` always leaves one that
    works. What no exercise asks for is handed back as it came. Never raises for a wrong answer.
    """
    name = getattr(answer, "__name__", None)
    if not isinstance(name, str) or name == "<lambda>":
        print(
            f"check needs the function that an exercise asks for, written with def under its name, got {_kind(answer)}; "
            "if you called it, write its name without ( )."
        )
        return answer
    try:
        exercise = find(name)
    except ValueError as error:
        print(f"check goes by the function's name, and {error}")
        return answer
    # Ours, handed back by an earlier call, is no attempt of the reader's.
    verdict = exercise.not_attempted() if answer is exercise.reference else exercise.grade(answer)
    shown = "" if verdict.status is Status.WRONG else f"Exercise {number_of(name)}: "
    print(f"{shown}{verdict.message}")
    return answer if verdict.status is Status.CORRECT else exercise.reference


def _kind(answer: object) -> str:
    return "a lambda" if getattr(answer, "__name__", "") == "<lambda>" else type(answer).__name__


def hint(name: str) -> None:
    """Print the next hint for the exercise of that name; each call gives one more."""
    exercise = find(name)
    given = min(_hints_given.get(name, 0) + 1, len(exercise.hints))
    _hints_given[name] = given
    print(f"Hint {given} of {len(exercise.hints)} for exercise {number_of(name)}: {exercise.hints[given - 1]}")


def solution(name: str) -> None:
    """Print the reference solution of the exercise of that name, the same code that the tests run."""
    print(find(name).solution())


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
