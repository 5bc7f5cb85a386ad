"""Every exercise as it is graded, those to come included: run on one side, sent over as data, judged on the other."""

import inspect
import io
import textwrap

import nbformat
import pytest
import right_answers
import torch

from vae_course.course import lessons
from vae_course.course.classroom import grading, submissions, worker
from vae_course.course.storing import with_answers
from vae_course.exercises import Exercise, ModuleExercise, Status, UpdateExercise, all_exercises, catalogue, core

SEED = 2_718_281_828
every = pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda e: e.name)


def judged(exercise, answer):
    """The verdict under private cases, by what ``record`` sends."""

    def on(seed):
        cases = exercise.inputs(seed)
        sent = io.BytesIO()
        torch.save(worker.record(exercise.name, answer, cases), sent)
        sent.seek(0)
        recorded = worker.Recorded.of(torch.load(sent, weights_only=True))
        assert recorded.problem is None
        return exercise.judged(recorded, cases)

    return catalogue.privately(on(0), on, SEED)


def written(source, name):
    namespace = {"torch": torch, "nn": torch.nn, "__name__": "written"}
    exec(source, namespace)
    return namespace[name]


@every
def test_a_stub_gets_none_a_mistake_none_by_its_name_ours_and_other_styles_all(exercise):
    assert judged(exercise, exercise.reference).status is Status.CORRECT
    stub = written(submissions.stubs()[exercise.name], exercise.name)
    assert judged(exercise, stub).status is Status.NOT_ATTEMPTED
    lesson = int(catalogue.number_of(exercise.name).partition(".")[0])
    for name, answer in right_answers.all_of(lesson):
        if name == exercise.name:
            assert judged(exercise, answer).status is Status.CORRECT
    some = exercise.mistakes[:3]  # the others are judged by the same rule in test_every_exercise
    for mistake in some:
        verdict = judged(exercise, mistake.function)
        assert verdict.status is Status.WRONG
        assert " ".join(verdict.message.split()) == " ".join(f"Not yet: {mistake.name}. {mistake.message}".split())


def seen(exercise):
    """What ``check`` tries, as a reader can see it: also in single precision."""
    cases = exercise.inputs()
    return cases + [worker.attempts.in_single_precision(case) for case in cases]


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)
    return repr(a) == repr(b)


def tuned(exercise):
    """An answer that is right on the inputs that ``check`` tries, and on no other."""
    reference, known = exercise.reference, seen(exercise)

    def is_known(arguments):
        return any(len(case) == len(arguments) and all(map(same, case, arguments)) for case in known)

    if isinstance(exercise, ModuleExercise):

        class Tuned(reference):
            def forward(self, *inputs):
                found = any(all(map(same, case[exercise.building :], inputs)) for case in known)
                result = super().forward(*inputs)
                return result if found else tuple(r + 1 for r in result) if isinstance(result, tuple) else result + 1

        return Tuned
    if isinstance(exercise, UpdateExercise):
        starts = [exercise.start(*case) for case in known]

        def step(*live):
            def batch(arguments):
                lists = [a if isinstance(a, list) else [a] for a in arguments]
                return [a for one in lists for a in one if isinstance(a, torch.Tensor)]

            known_batch = any(len(batch(s)) == len(batch(live)) and all(map(same, batch(s), batch(live))) for s in starts)
            return reference(*live) if known_batch else torch.zeros(())

        return step

    def function(*arguments):
        if is_known(tuple(a.detach() if isinstance(a, torch.Tensor) else a for a in arguments)):
            return reference(*arguments)
        result = reference(*arguments)
        return tuple(r + 1 for r in result) if isinstance(result, tuple) else result + 1

    return function


@every
def test_an_answer_that_is_tuned_to_the_visible_cases_gets_none(exercise, monkeypatch):
    monkeypatch.setattr(core.Exercise, "_named", lambda self, observed, cases: None)  # the names make no difference here
    answer = tuned(exercise)
    if type(exercise) is Exercise:
        arguments = ", ".join(exercise.parameters())
        answer = written(f"def {exercise.name}({arguments}):\n    return inner({arguments})", exercise.name)
        answer.__globals__["inner"] = tuned(exercise)
    assert exercise.grade(answer).status is Status.CORRECT
    verdict = judged(exercise, answer)
    assert verdict.status is Status.WRONG
    assert "right on the inputs that check tries, but not on others" in " ".join(verdict.message.split())


def test_every_lesson_as_released_gets_none_and_solved_in_another_style_all(tmp_path):
    for lesson in lessons.all_lessons():
        released = nbformat.read(lesson.path, as_version=4)
        number = int(lesson.name[:2])
        answers = {n: textwrap.dedent(inspect.getsource(a)) for n, a in right_answers.first_of(number).items()}
        for kind, notebook in (("released", released), ("solved", with_answers(released, answers))):
            place = tmp_path / f"{kind} {lesson.name}"
            place.mkdir()
            nbformat.write(notebook, place / "lesson.ipynb")
    handed_in = [submissions.read(one) for one in submissions.by_student(tmp_path)]
    for submission in handed_in:
        names = [n for n in all_exercises() if n in submission.answers]
        assert names
        for grade in grading.grade(submission, dict.fromkeys(names, 1.0), SEED, [tmp_path]).grades:
            expected = "correct" if submission.student.startswith("solved") else "not attempted"
            assert grade.status == expected, (submission.student, grade)
