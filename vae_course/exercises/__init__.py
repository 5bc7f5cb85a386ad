"""The course's exercises: ``check``, ``hint`` and ``solution``, each by the exercise's number, and ``reveal``."""

import difflib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from vae_course.exercises.core import Exercise

_hints_given: dict[str, int] = {}


@cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise by number, gathered from the ``lesson_*`` modules."""
    lessons = [import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__) if m.name.startswith("lesson_")]
    return {exercise.number: exercise for lesson in lessons for exercise in lesson.EXERCISES}


def find(number: str) -> Exercise:
    """The exercise of that number, such as "2.3". Raises ``ValueError`` naming the close ones."""
    exercises = all_exercises()
    if number not in exercises:
        close = difflib.get_close_matches(str(number), exercises, cutoff=0.5) or list(exercises)
        raise ValueError(f'there is no exercise {number!r}; did you mean {" or ".join(close)}? Write it like "2.3"')
    return exercises[number]


def check(number: str, answer: Callable[..., Any]) -> None:
    """Judge your function and print the answer: not attempted, correct, or what went wrong. Never raises for a wrong one."""
    print(find(number).grade(answer).message)


def hint(number: str) -> None:
    """Print the next hint; each call gives one more."""
    exercise = find(number)
    given = min(_hints_given.get(number, 0) + 1, len(exercise.hints))
    _hints_given[number] = given
    print(f"Hint {given} of {len(exercise.hints)} for exercise {number}: {exercise.hints[given - 1]}")


def solution(number: str) -> None:
    """Print the reference solution, the same code that the tests run."""
    print(find(number).solution())


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
