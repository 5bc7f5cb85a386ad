"""What a lesson calls: ``check``, ``hint``, ``solution`` and ``case``, and ``predict`` and ``reveal``.

And what an assignment calls as well: ``assert_correct``.
"""

import contextlib
import html
import inspect
import io
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from IPython.display import display

from vae_course.exercises import progress, questions
from vae_course.exercises.attempts import Arguments
from vae_course.exercises.catalogue import all_exercises, find, find_prediction, judge, judge_privately, number_of
from vae_course.exercises.core import Status
from vae_course.exercises.telling import wrapped

Answer = TypeVar("Answer")
STEPS = ("a nudge", "the idea", "almost the answer")  # what the hints of an exercise are, one after the other
_hints_given: dict[str, int] = {}
_answers: dict[str, Any] = {}  # what was last given to check under each name
_solutions_asked_for: set[str] = set()


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
    ours = answer is exercise.reference
    if not ours:
        _answers[name] = answer
    verdict = exercise.not_attempted() if ours else judge(name, answer)
    shown = "" if verdict.status is Status.WRONG else f"Exercise {number_of(name)}: "
    print(wrapped(f"{shown}{verdict.message}"))
    if verdict.status is Status.CORRECT:
        _note(name, done=True)
    return answer if verdict.status is Status.CORRECT and not verdict.slow else exercise.reference


def _name(answer: object) -> str | None:
    """The name of a function or a class, and of the class of an object where an exercise asks for that class."""
    if inspect.isfunction(answer) or inspect.isclass(answer):
        return answer.__name__ if answer.__name__ != "<lambda>" else None
    return type(answer).__name__ if type(answer).__name__ in all_exercises() else None


def assert_correct(name: str, seed: int | None = None) -> None:
    """Raise ``AssertionError``, with what ``check`` says, unless the exercise of that name is answered right.

    The answer is what the name means in the notebook; where that is ours, which ``check`` handed back, it is what ``check``
    was last given. With a ``seed`` the answer must be right on the inputs that it draws as well, of which nothing is told.

    Nothing is written to stderr, for nbgrader takes a word there for a failure. Raises ``ValueError`` for no such exercise.
    """
    exercise = find(name)
    answer = vars(sys.modules["__main__"]).get(name, exercise.reference)
    if answer is exercise.reference:
        answer = _answers.get(name, answer)
    with contextlib.redirect_stderr(io.StringIO()):
        if answer is exercise.reference:
            verdict = exercise.not_attempted()
        else:
            verdict = judge(name, answer) if seed is None else judge_privately(name, answer, seed)
    if verdict.status is not Status.CORRECT:
        raise AssertionError(f"Exercise {number_of(name)}: {verdict.message}")


def hint(name: str) -> None:
    """Print the next hint for the exercise of that name; each call gives one more: a nudge, the idea, almost the answer."""
    exercise = find(name)
    given = min(_hints_given.get(name, 0) + 1, len(exercise.hints))
    _hints_given[name] = given
    step = f"Hint {given} of {len(exercise.hints)}, {STEPS[given - 1]}, for exercise {number_of(name)}"
    print(wrapped(f"{step}: {exercise.hints[given - 1]}"))
    _note(name, hints=given)


def solution(name: str) -> None:
    """Print the reference solution of the exercise of that name, the same code that the tests run, on the second call.

    The first one says so, and how many hints are left.
    """
    exercise = find(name)
    if name in _solutions_asked_for:
        print(exercise.solution())
        _note(name, solution=True)
        return
    _solutions_asked_for.add(name)
    left = len(exercise.hints) - _hints_given.get(name, 0)
    hints = f'{left} hint{"s" * (left != 1)} left: hint("{name}")' if left else "no hint left"
    print(wrapped(f"Call it again for the solution of exercise {number_of(name)}. You have {hints}."))


def _note(name: str, **seen: int) -> None:
    """Keep the reader's progress, and say what there is to say of that."""
    if told := progress.note(name, **seen):
        print(wrapped(told))


def case(name: str, number: int, seed: int = 0) -> Arguments:
    """The input on which ``check`` tries an answer to the exercise of that name, as a tuple of its arguments.

    Another ``seed`` draws others of the same kind. Raises ``IndexError`` for a number that no input has.
    """
    inputs = find(name).inputs(seed)
    if not 0 <= number < len(inputs):
        raise IndexError(f"number: expected one from 0 to {len(inputs) - 1}, got {number}")
    return inputs[number]


def predict(name: str, guess: str | float | None = None) -> str | None:
    """Ask for a guess at the prediction of that name, or take ``guess``, one of its choices, and return it.

    Where widgets run, the choices can be clicked; ``reveal`` knows of it. In a typed guess blanks, capitals and a missing per
    cent sign make no difference. What is none of the choices is told, and is no guess.
    """
    prediction = find_prediction(name)
    if guess is None:
        questions.ask(prediction)
        return None
    chosen = prediction.choice(guess)
    if chosen is None:
        print(wrapped(f"{guess!r} is none of the choices. They are {prediction.listed(' and ')}."))
    else:
        print(f'Your guess: "{chosen}".')
    return chosen


def reveal(name: str, guess: str | float | None, value: str | float) -> None:
    """Show what came of the prediction of that name: ``value`` is what the lesson computed, a choice or what comes to one.

    A truth value comes to "yes" or "no", a number to the nearest choice. With a guess, typed or else clicked, what came out is
    printed beside it and explained. Without one it is folded away in a notebook or on a page, for a reader who wants to think
    first; whoever clicks a guess later finds it explained there.
    """
    prediction = find_prediction(name)
    outcome = prediction.outcome(value)
    clicked = questions.told_outcome(prediction, outcome)
    guess = clicked if guess is None else guess
    if guess is not None:
        print(wrapped(prediction.verdict(guess, outcome)))
        return
    told = prediction.told(outcome)
    folded = f"<details><summary>The answer, after your guess</summary>{html.escape(told)}</details>"
    display({"text/html": folded, "text/plain": f"The answer: {told}"}, raw=True)
