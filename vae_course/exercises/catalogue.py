"""Every exercise by its permanent name, the number under which a lesson shows it, and an answer judged by name."""

import difflib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from vae_course.exercises.core import Exercise, Verdict


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


def judge(name: str, answer: Any, seed: int = 0) -> Verdict:  # noqa: ANN401 - a reader may hand in anything
    """The verdict on an answer to the exercise of that name; where it calls other exercises' functions, it gets ours.

    So an exercise that builds on another one is judged for itself. ``seed`` draws the inputs. Raises ``ValueError`` for no such
    name, and never for what the answer does.
    """
    exercise = find(name)
    with _ours_for_others(answer, name):
        return exercise.grade(answer, seed)


@contextmanager
def _ours_for_others(answer: object, name: str) -> Iterator[None]:
    """In the answer's namespace, every other exercise's function is ours, and is put back afterwards."""
    namespace = _namespace(answer)
    theirs = {other: namespace[other] for other in all_exercises() if other != name and other in namespace}
    namespace.update({other: find(other).reference for other in theirs})
    try:
        yield
    finally:
        namespace.update(theirs)


def _namespace(answer: object) -> dict[str, Any]:
    if inspect.isfunction(answer):
        return answer.__globals__
    module = sys.modules.get(answer.__module__) if inspect.isclass(answer) else None
    return vars(module) if module is not None else {}
