"""Every exercise of the course: right answers pass, in more than one style; a stub is no attempt; mistakes are told by name."""

import ast
import inspect
import itertools

import pytest
import right_answers
import torch

from vae_course.exercises import Exercise, Status, all_exercises, calls, catalogue
from vae_course.exercises.attempts import Failure
from vae_course.exercises.mistakes import composed

ALL = list(all_exercises().values())
MISTAKES = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]
SEEDS = (0, 1, 2)  # 0 is what readers meet; the others stand for a teacher's own

RIGHT = [(lesson, name, answer) for lesson in catalogue.by_lesson() for name, answer in right_answers.all_of(lesson)]
every = pytest.mark.parametrize("exercise", ALL, ids=lambda e: e.name)


@every
def test_the_reference_is_correct_and_a_stub_is_not_attempted(exercise):
    for seed in SEEDS:
        assert exercise.grade(exercise.reference, seed).status is Status.CORRECT
    assert len(exercise.hints) == len(calls.STEPS)
    assert exercise.task
    assert exercise.mistakes


@every
def test_a_stub_is_not_attempted(exercise):
    if type(exercise) is Exercise:
        stub = eval(f"lambda {', '.join(exercise.parameters())}: ...")
        assert exercise.grade(stub).status is Status.NOT_ATTEMPTED


@every
def test_its_inputs_are_drawn_and_the_reference_holds_on_all_of_them(exercise):
    for seed in range(10):
        inputs = exercise.inputs(seed)
        for case in inputs:
            for name, value in exercise.observe(exercise.reference, case).items():
                assert not isinstance(value, Failure), value.told
                assert not value.isnan().any(), (name, case)
    floating = [a for a in inputs[-1] if isinstance(a, torch.Tensor) and a.is_floating_point()]
    assert all(a.dtype == torch.float32 for a in floating)  # as lessons compute
    first, second = (exercise.inputs(seed) for seed in (0, 1))
    drawn = slice(len(exercise.cases()), None)
    assert repr(first[drawn]) != repr(second[drawn])
    assert repr(first) == repr(exercise.inputs(0))


@pytest.mark.parametrize(("lesson", "name", "answer"), RIGHT, ids=[f"{name}-{k}" for k, (_, name, _) in enumerate(RIGHT)])
def test_a_right_answer_in_another_style_is_correct(lesson, name, answer):
    assert name in [exercise.name for exercise in catalogue.by_lesson()[lesson]]
    for seed in SEEDS:
        verdict = catalogue.judge(name, answer, seed)
        assert verdict.status is Status.CORRECT, verdict.message
        assert not verdict.slow


def test_every_exercise_has_a_right_answer_that_is_not_ours():
    assert {name for _, name, _ in RIGHT} == set(all_exercises())
    for _, name, answer in RIGHT:
        ours = ast.unparse(ast.parse(inspect.getsource(all_exercises()[name].reference)).body[0].body)
        assert answer.__name__ == "<lambda>" or ast.unparse(ast.parse(inspect.getsource(answer)).body[0].body) != ours, name


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=[f"{e.name}: {m.name}" for e, m in MISTAKES])
def test_a_known_mistake_is_told_by_name(exercise, mistake):
    for seed in SEEDS[:2]:
        verdict = exercise.grade(mistake.function, seed)
        assert verdict.status is Status.WRONG
        told = " ".join(verdict.message.split())
        assert told == " ".join(f"Not yet: {mistake.name}. {mistake.message}".split())
    assert max(map(len, verdict.message.splitlines())) <= 88


def each_word_by_itself(costs):
    return -torch.exp(-costs).mean(0).log()


def weights_that_count_the_word(costs):
    likely = torch.exp(-costs.cumsum(2))
    weights = likely / likely.sum(0)
    return -torch.log((weights * torch.exp(-costs)).sum(0))


def weights_of_the_whole_sentence(costs):
    weights = torch.softmax(-costs.sum(dim=2), dim=0)[..., None]
    return -(weights * torch.exp(-costs)).sum(dim=0).log()


def right_weights_and_exp(costs):
    before = -costs.cumsum(2) + costs
    return -torch.log((torch.softmax(before, dim=0) * torch.exp(-costs)).sum(0))


def beginnings(costs):
    return -torch.log(torch.exp(-costs.cumsum(dim=2)).mean(dim=0))


def along_the_batch(costs):
    log_p = torch.logsumexp(-costs.cumsum(dim=1), dim=0) - torch.tensor(len(costs)).log()
    return torch.cat([torch.zeros_like(log_p[:, :1]), log_p[:, :-1]], dim=1) - log_p


def largest_of_each_draw(log_weights):
    weights = (log_weights - log_weights.amax(dim=1, keepdim=True)).exp()
    return weights.sum(0) ** 2 / (weights**2).sum(0)


def with_a_small_number(log_weights):
    weights = log_weights.exp()
    return weights.sum(0) ** 2 / ((weights**2).sum(0) + 1e-38)


@pytest.mark.parametrize(
    ("exercise", "answer", "name"),
    [
        ("costs_over_z", each_word_by_itself, "Each word by itself, and underflow"),
        ("costs_over_z", weights_that_count_the_word, "The draws weighted by the word itself too, and underflow"),
        ("costs_over_z", weights_of_the_whole_sentence, "The draws weighted by the whole sentence, and underflow"),
        ("costs_over_z", right_weights_and_exp, "Underflow: exp of the log probabilities is 0"),
        ("costs_over_z", beginnings, "The costs of beginnings, and underflow"),
        ("costs_over_z", along_the_batch, "Added up over the sentences in place of the words"),
        ("effective_sample_size", largest_of_each_draw, "The largest weight over the batch taken off"),
        ("effective_sample_size", with_a_small_number, "A small number added below"),
    ],
)
def test_what_is_written_first_on_paper_is_told_by_name_though_it_also_rounds_to_0(exercise, answer, name):
    verdict = catalogue.judge(exercise, answer)
    assert verdict.status is Status.WRONG
    assert " ".join(verdict.message.split()).startswith(f"Not yet: {name}.")


@every
def test_two_mistakes_at_once_are_told_both_or_shown_and_never_by_one_name(exercise):
    """Where two mistakes together give what a third gives alone, the third is a fair name; else both names or none."""
    for first, second in itertools.islice(itertools.permutations(exercise.mistakes, 2), 4):
        both = composed(first.function, second.function, exercise.name)
        if both is None:
            continue
        verdict = exercise.grade(both)
        if verdict.status is Status.CORRECT:
            continue  # the one undoes the other
        told = " ".join(verdict.message.split())
        if "two things at once" in told:
            assert first.name in told or second.name in told
        alone = [m for m in exercise.known_mistakes() if told.startswith(f"Not yet: {m.name}. ")]
        made = [exercise.observe(both, case) for case in exercise.inputs()]
        assert not alone or any(exercise._agrees(m.function, made, exercise.inputs()) for m in alone)


@every
def test_any_other_wrong_answer_shows_the_smallest_failing_input(exercise):
    if type(exercise) is not Exercise:
        return
    verdict = exercise.grade(with_signature_of(exercise, lambda *args: exercise.reference(*args) * 1.01 + 0.05))
    assert verdict.status is Status.WRONG
    assert "smallest input that shows it" in " ".join(verdict.message.split())
    assert "expected" in verdict.message
    assert "got" in verdict.message


def with_signature_of(exercise, function):
    parameters = ", ".join(exercise.parameters())
    return eval(f"lambda {parameters}: function({parameters})", {"function": function})
