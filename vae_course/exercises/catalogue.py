"""Every exercise by its permanent name, and the number under which a lesson shows it."""

import difflib
from functools import cache
from importlib import import_module
from pathlib import Path

from vae_course.exercises.core import Exercise


@cache
def by_lesson() -> dict[int, tuple[Exercise, ...]]:
    """Each lesson's exercises in their order there, gathered from the modules ``lesson_NN``."""
    room = __name__.rpartition(".")[0]
    names = sorted(path.stem for path in Path(__file__).parent.glob("lesson_*.py"))
    return {int(name.removeprefix("lesson_")): import_module(f"{room}.{name}").EXERCISES for name in names}


@cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise by name. Raises ``ValueError`` where two bear the same."""
    found: dict[str, Exercise] = {}
    for exercise in (exercise for several in by_lesson().values() for exercise in several):
        if exercise.name in found:
            raise ValueError(f"there are two exercises named {exercise.name!r}; a name is for one only")
        found[exercise.name] = exercise
    return found


def find(name: str) -> Exercise:
    """The exercise of that name, such as "negative_elbo". Raises ``ValueError`` naming the close ones."""
    found = all_exercises()
    if name not in found:
        close = difflib.get_close_matches(str(name), found, cutoff=0.7)
        told = f"did you mean {' or '.join(close)}?" if close else "an exercise has the name of its function, as in its stub."
        raise ValueError(f"there is no exercise {name!r}; {told}")
    return found[name]


def number_of(name: str) -> str:
    """What a lesson calls the exercise, counted within the lesson: "4.4". Raises ``ValueError`` for no such name."""
    exercise = find(name)
    return next(f"{lesson}.{1 + several.index(exercise)}" for lesson, several in by_lesson().items() if exercise in several)
