"""The judge itself, on a small exercise, and what a notebook calls."""

import inspect
import math

import numpy as np
import pytest
import torch

from vae_course import exercises
from vae_course.exercises import catalogue
from vae_course.exercises.core import Exercise, Mistake, Status

# --- the judge itself, on a small exercise --------------------------------------------------------------------------


def double(x, y):
    return 2 * x + y


DOUBLE = Exercise(
    task="2 x + y",
    reference=double,
    cases=lambda: [(torch.tensor([1.0]), torch.tensor([0.0])), (torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]))],
    hints=("twice",),
    mistakes=(
        Mistake("Once", lambda x, y: x + y, "Twice x."),
        Mistake("Detached", lambda x, y: 2 * x.detach() + y, "The gradient is lost."),
    ),
    gradients=("x", "y"),
)


def grade(function):
    return DOUBLE.grade(function).message


def test_a_detached_gradient_is_wrong_though_every_value_is_right():
    assert grade(lambda x, y: 2 * x.detach() + y) == "Not yet: Detached. The gradient is lost."
    assert "the gradient with respect to y differs" in grade(lambda x, y: 2 * x + y.detach())


def test_an_unknown_wrong_answer_shows_input_expected_and_got():
    message = grade(lambda x, y: 2 * x + y + (x > 2))
    assert "x = [1, 3]" in message
    assert "expected [3, 7]" in message
    assert "got      [3, 8]" in message


def test_an_exception_is_the_readers_with_their_line():
    def mine(x, y):
        z = x * 2
        return torch.cat(z, y)

    message = grade(mine)
    assert "your function raised TypeError" in message
    assert "`return torch.cat(z, y)`" in message
    assert f"line {inspect.getsourcelines(mine)[1] + 2} of your cell" in message


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, y: None, "returned None; did you forget the return?"),
        (lambda x, y: (2 * x + y).detach().numpy(), "numpy value, expected a torch tensor"),
        (lambda x, y: np.float64(2.0), "numpy value, expected a torch tensor"),
        (lambda x, y: 2.0, "a Python number, expected a torch tensor"),
        (lambda x, y: [x], "returned a list, expected a torch tensor"),
        (lambda x, y: (2 * x + y).sum(), r"the result has shape (), expected (1,)"),
        (lambda x: x, "your function takes (x), it will be called with 2 arguments"),
        (3, "check needs a function written with def, got int"),
        (torch.add, "check needs a function written with def, got builtin"),
    ],
)
def test_answers_that_cannot_be_compared_are_told_why(function, message):
    verdict = DOUBLE.grade(function)
    assert verdict.status is Status.WRONG
    assert message in verdict.message


def test_altering_an_input_is_told_even_where_the_result_is_right():
    def alters(x, y):
        y += 2 * x
        return y

    assert "changes its input y" in grade(alters)


def test_one_input_altered_by_the_reader_does_not_spoil_the_next_check():
    assert "changes its input x" in grade(lambda x, y: x.mul_(2) + y)
    assert DOUBLE.grade(double).status is Status.CORRECT


# --- what a notebook calls ------------------------------------------------------------------------------------------


def test_check_prints_and_never_raises(capsys):
    def kl_to_standard_normal(mean, log_var):
        return ...

    exercises.check(kl_to_standard_normal)

    def kl_to_standard_normal(mean, log_var):
        return 1 / 0

    exercises.check(kl_to_standard_normal)
    printed = capsys.readouterr().out
    assert 'Exercise 2.3: not attempted yet. Stuck? hint("kl_to_standard_normal")' in printed
    assert "ZeroDivisionError" in printed


def test_check_hands_back_the_readers_function_if_it_is_right_and_else_ours():
    reference = exercises.find("to_bits").reference

    def to_bits(nats):
        return nats / math.log(2)

    assert exercises.check(to_bits) is to_bits
    right = to_bits

    def to_bits(nats):
        return nats

    assert exercises.check(to_bits) is reference
    assert right is not reference

    def to_bits(nats):
        return ...

    assert exercises.check(to_bits) is reference


def test_ours_handed_in_again_is_no_attempt(capsys):
    assert exercises.check(exercises.find("to_bits").reference) is exercises.find("to_bits").reference
    assert "Exercise 0.1: not attempted yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (2.0, "written with def under its name, got float"),
        (lambda nats: nats, "written with def under its name, got a lambda"),
        (grade, "there is no exercise 'grade'; an exercise has the name of its function"),
    ],
)
def test_what_no_exercise_asks_for_is_handed_back(answer, told, capsys):
    assert exercises.check(answer) is answer
    assert told in capsys.readouterr().out


def test_a_close_name_is_told(capsys):
    def to_bitts(nats):
        return nats

    exercises.check(to_bitts)
    assert "there is no exercise 'to_bitts'; did you mean to_bits?" in capsys.readouterr().out


def test_hints_come_one_by_one_and_the_last_stays(capsys):
    count = len(exercises.find("kl_discrete").hints)
    for _ in range(count + 1):
        exercises.hint("kl_discrete")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Hint 1 of {count}")
    assert lines[-1] == lines[-2]


@pytest.mark.parametrize("exercise", exercises.all_exercises().values(), ids=lambda e: e.name)
def test_the_solution_shown_is_the_reference_that_is_tested(exercise, capsys):
    exercises.solution(exercise.name)
    namespace = {"torch": torch, "math": __import__("math"), "functional": torch.nn.functional}
    exec(capsys.readouterr().out, namespace)
    assert exercise.grade(namespace[exercise.reference.__name__]).status is Status.CORRECT


def test_an_unknown_name_names_the_close_ones():
    with pytest.raises(ValueError, match=r"there is no exercise 'kl_discret'; did you mean kl_discrete"):
        exercises.hint("kl_discret")
    with pytest.raises(ValueError, match=r"there is no exercise '2\.3'; an exercise has the name of its function"):
        exercises.hint("2.3")


def test_exercises_are_counted_within_their_lesson():
    for lesson, several in catalogue.by_lesson().items():
        assert [exercises.number_of(exercise.name) for exercise in several] == [
            f"{lesson}.{k + 1}" for k in range(len(several))
        ]


def test_a_name_is_for_one_exercise_only(monkeypatch):
    catalogue.all_exercises.cache_clear()
    monkeypatch.setattr(catalogue, "by_lesson", lambda: {1: (DOUBLE,), 2: (DOUBLE,)})
    with pytest.raises(ValueError, match="there are two exercises named 'double'"):
        catalogue.all_exercises()


@pytest.mark.parametrize(
    ("guess", "printed"),
    [
        (None, "You made no guess; the answer is 'no', because so"),
        ("No ", "As you guessed: 'no', because so"),
        ("yes", "You guessed 'yes'; it is 'no', because so"),
    ],
)
def test_reveal(guess, printed, capsys):
    exercises.reveal(guess, "no", "so")
    assert capsys.readouterr().out.strip() == printed


@pytest.mark.parametrize("guess", [30, "30", "30%", " 30  % "])
def test_a_guess_in_per_cent_may_be_written_as_one_likes(guess, capsys):
    exercises.reveal(guess, "30 %", "so")
    assert capsys.readouterr().out == "As you guessed: '30 %', because so\n"
    exercises.reveal(85, "30 %", "so")
    assert capsys.readouterr().out == "You guessed 85; it is '30 %', because so\n"


def test_a_needless_detach_of_the_noise_is_not_wrong():
    """Noise asks for no gradient, so a reader who detaches it has made no mistake."""
    verdict = exercises.find("reparameterize").grade(
        lambda mean, log_var, noise: mean + torch.exp(log_var / 2) * noise.detach()
    )
    assert verdict.status is Status.CORRECT
