"""Right answers in another style than ours, a module a lesson: the first of each, and more of them in ``MORE``."""

from importlib import import_module

from vae_course.exercises import all_exercises


def first_of(lesson):
    """The first right answer to each exercise of a lesson, by name."""
    return {name: value for name, value in vars(_module(lesson)).items() if name in all_exercises()}


def all_of(lesson):
    """All right answers to the exercises of a lesson: (name, answer)."""
    more = getattr(_module(lesson), "MORE", {})
    return [*first_of(lesson).items(), *((name, answer) for name, several in more.items() for answer in several)]


def _module(lesson):
    return import_module(f"right_answers.lesson_{lesson:02}")
