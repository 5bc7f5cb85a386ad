"""Every exercise, prediction and task in words by its permanent name; an exercise's number in its lesson; answers judged."""

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from vae_course.exercises.attempts import silently
from vae_course.exercises.core import Exercise, Status, Verdict
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.predictions import Prediction
from vae_course.exercises.telling import wrapped

Named = TypeVar("Named", Exercise, Prediction, Explanation)
PUBLIC_SEEDS = range(1, 21)  # whose inputs show where an answer fails that is right on those of ``check``


@cache
def by_lesson() -> dict[int, tuple[Exercise, ...]]:
    """Each lesson's exercises in their order there, gathered from the modules ``lesson_NN``."""
    return {lesson: module.EXERCISES for lesson, module in _modules().items()}


@cache
def predictions_by_lesson() -> dict[int, tuple[Prediction, ...]]:
    """What each lesson asks its reader to predict, in the order there."""
    return {lesson: module.PREDICTIONS for lesson, module in _modules().items()}


@cache
def explanations_by_lesson() -> dict[int, tuple[Explanation, ...]]:
    """What each lesson asks its reader to explain in words, in the order there."""
    return {lesson: module.EXPLANATIONS for lesson, module in _modules().items()}


def _modules() -> dict[int, ModuleType]:
    room = __name__.rpartition(".")[0]
    names = sorted(path.stem for path in Path(__file__).parent.glob("lesson_*.py"))
    return {int(name.removeprefix("lesson_")): import_module(f"{room}.{name}") for name in names}


@cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise by name. Raises ``ValueError`` where two bear the same."""
    return _by_name(by_lesson())


@cache
def all_predictions() -> dict[str, Prediction]:
    """Every prediction by name. Raises ``ValueError`` where two bear the same."""
    return _by_name(predictions_by_lesson())


@cache
def all_explanations() -> dict[str, Explanation]:
    """Every task in words by name. Raises ``ValueError`` where two bear the same."""
    return _by_name(explanations_by_lesson())


def _by_name(by_lesson: Mapping[int, Iterable[Named]]) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for one in (one for several in by_lesson.values() for one in several):
        if one.name in found:
            raise ValueError(f"{one.name!r} is the name of two; a name is for one only")
        found[one.name] = one
    return found


def find(name: str) -> Exercise:
    """The exercise of that name, such as "negative_elbo". Raises ``ValueError`` naming the close ones."""
    return _found(name, all_exercises(), "exercise", "an exercise has the name of its function, as in its stub.")


def find_prediction(name: str) -> Prediction:
    """The prediction of that name, such as "larger_encoder". Raises ``ValueError`` naming the close ones."""
    return _found(name, all_predictions(), "prediction", "it has the same name in predict and in reveal.")


def find_explanation(name: str) -> Explanation:
    """The task in words of that name. Raises ``ValueError`` naming the close ones."""
    return _found(name, all_explanations(), "task in words", "it has the name in the metadata of its cell.")


def _found(name: str, among: Mapping[str, Named], kind: str, otherwise: str) -> Named:
    if name not in among:
        close = difflib.get_close_matches(str(name), among, cutoff=0.7)
        told = f"did you mean {' or '.join(close)}?" if close else otherwise
        raise ValueError(f"there is no {kind} {name!r}; {told}")
    return among[name]


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
    with ours_for_others(answer, name):
        return exercise.grade(answer, seed)


def judge_privately(name: str, answer: Any, seed: int) -> Verdict:  # noqa: ANN401 - a reader may hand in anything
    """The verdict on an answer that must be right on the inputs of ``check``, and on those that ``seed`` draws as well.

    Of a private input nothing is told or printed. Raises ``ValueError`` for no such name, and never for what the answer does.
    """
    public = judge(name, answer)
    with silently():  # what an answer prints may be its input
        return privately(public, lambda drawn: judge(name, answer, drawn), seed)


def privately(public: Verdict, judged: Callable[[int], Verdict], seed: int) -> Verdict:
    """The verdict on an answer that must be right on public inputs, whose verdict is ``public``, and on private ones too.

    ``judged`` gives the verdict on the inputs of a seed, ``seed`` draws the private ones. Of those nothing is told: what fails
    on them only is told with inputs of a public seed, where one of twenty shows it.
    """
    if public.status is not Status.CORRECT or judged(seed).status is Status.CORRECT:
        return public
    told = "Not yet: your function is right on the inputs that check tries, but not on others of the same kind."
    return Verdict(Status.WRONG, f"{wrapped(told)}\n{_public_reason(judged)}".strip())


def _public_reason(judged: Callable[[int], Verdict]) -> str:
    """What goes wrong on inputs of the first public seed that shows it, which ``case`` draws too; nothing where none does."""
    for seed in PUBLIC_SEEDS:
        verdict = judged(seed)
        if verdict.status is not Status.CORRECT:
            return re.sub(r'(case\("\w+", \d+)', rf"\1, seed={seed}", verdict.message.removeprefix("Not yet: "))
    return ""


@contextmanager
def ours_for_others(answer: object, name: str) -> Iterator[None]:
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
