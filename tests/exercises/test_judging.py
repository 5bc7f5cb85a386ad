"""The judge itself, on small exercises made for the purpose, and what a notebook calls."""

import functools
import inspect
import itertools
import math
import sys
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from vae_course import exercises
from vae_course.exercises import (
    Exercise,
    Mistake,
    ModuleExercise,
    Status,
    UpdateExercise,
    attempts,
    calls,
    catalogue,
    core,
    telling,
)
from vae_course.exercises.kinds import start_of
from vae_course.exercises.lesson_06 import DISCRIMINATOR_STEP, GENERATOR_STEP, discriminator_loss
from vae_course.exercises.making import numbers, sizes
from vae_course.probability.distributions import standard_normal
from vae_course.training import seeded

# --- a function -------------------------------------------------------------------------------------------------------


def weighted(x, y, weight):
    return 2 * x + weight * y


def drawn(generator):
    rows, columns = sizes(generator, 2, high=4)
    return numbers(generator, rows, columns), numbers(generator, rows, columns), numbers(generator)


def tensors(*rows):
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


WEIGHTED = Exercise(
    task="2 x + weight y, (rows, columns)",
    reference=weighted,
    cases=lambda: [tensors([[1.0]], [[0.0]], 1.0), tensors([[1.0, 3.0]], [[1.0, 1.0]], 0.5)],
    generate=drawn,
    lesson=lambda g: (torch.randn(50, 30, generator=g), torch.randn(50, 30, generator=g), torch.tensor(0.5)),
    hints=("twice",),
    mistakes=(
        Mistake("Once", lambda x, y, weight: weighted(x, y, weight) - x, "Twice x."),
        Mistake("Weight left out", lambda x, y, weight: weighted(x, y, torch.ones_like(weight)), "Times weight."),
        Mistake("Added up in rows", lambda x, y, weight: weighted(x, y, weight).sum(1), "Keep every entry."),
        Mistake("Not transposed", lambda x, y, weight: weighted(x, y, weight) @ x, "No product here."),
    ),
    gradients=("x", "y"),
)


def small(reference, case, mistakes=(), gradients=()):
    """An exercise of one input."""
    return Exercise("", reference, lambda: [case], lambda g: case, lambda g: case, ("",), mistakes, gradients)


def told(answer, exercise=WEIGHTED):
    verdict = exercise.grade(answer)
    assert verdict.status is Status.WRONG
    assert max(len(line) for line in verdict.message.splitlines() if not line.startswith("    ")) <= 88
    return " ".join(verdict.message.split())


def test_a_right_answer_is_right_under_any_seed():
    for seed in range(5):
        assert WEIGHTED.grade(lambda x, y, weight: y.mul(weight).add(x, alpha=2), seed).message == "correct."


def test_a_seed_draws_other_inputs_and_always_the_same():
    first, again, other = (repr(WEIGHTED.inputs(seed)) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("x_is", ["cut", "whole"])
def test_a_detached_gradient_is_wrong_though_every_value_is_right(x_is):
    if x_is == "cut":
        assert "the gradient with respect to x is 0: detach" in told(lambda x, y, weight: 2 * x.detach() + weight * y)
    else:
        assert "Not yet: The gradient is cut." in told(lambda x, y, weight: (2 * x + weight * y).detach())


def test_a_gradient_is_compared_even_where_the_results_always_add_up_to_the_same():
    def centred(x):
        return x - x.mean()

    exercise = small(centred, tensors([1.0, 2.0]), gradients=("x",))
    assert exercise.grade(centred).status is Status.CORRECT
    assert "Not yet: The gradient is cut." in told(lambda x: (x - x.mean()).detach(), exercise)


def test_an_unknown_wrong_answer_shows_input_expected_and_got():
    message = told(lambda x, y, weight: 2 * x + weight * y + (x > 2))
    assert "x = [[1, 3]] y = [[1, 1]] weight = 0.5 expected [[2.5, 6.5]] got [[2.5, 7.5]]" in message


def test_an_answer_that_is_right_once_and_then_wrong_is_wrong():
    number = itertools.count()
    once = len(WEIGHTED.inputs())
    message = told(lambda x, y, weight: 2 * x + weight * y + 1000 * (next(number) >= once), WEIGHTED)
    assert "Not yet: the result differs." in message


def effects_by_lstsq(driver):
    def answer(codes, table, fact):
        columns = [torch.nn.functional.one_hot(labels).to(codes.dtype) for labels in table.T]
        vectors = torch.linalg.lstsq(torch.cat(columns, dim=1), codes, driver=driver).solution
        effects = vectors.split([column.shape[1] for column in columns])[fact]
        return effects - effects[0]

    return answer


@pytest.mark.parametrize("driver", [None, "gelsy", "gels"])
def test_least_squares_on_dependent_columns_is_told_every_time_though_it_may_be_right_by_luck(driver):
    for seed in range(5):
        verdict = exercises.find("effects_of_fact").grade(effects_by_lstsq(driver), seed)
        assert "gives dependent columns to torch.linalg.lstsq" in " ".join(verdict.message.split())


def test_least_squares_is_told_of_only_where_it_was_called():
    def ridge(codes, table, fact):
        columns = [torch.nn.functional.one_hot(labels).to(codes.dtype) for labels in table.T]
        indicators = torch.cat(columns, dim=1)
        square = indicators.T @ indicators + 0.1 * torch.eye(indicators.shape[1]).to(codes)
        vectors = torch.linalg.solve(square, indicators.T @ codes)
        effects = vectors.split([column.shape[1] for column in columns])[fact]
        return effects - effects[0]

    verdict = exercises.find("effects_of_fact").grade(ridge)
    assert verdict.status is Status.WRONG
    assert "lstsq" not in verdict.message


def test_least_squares_with_a_driver_that_takes_dependent_columns_is_right():
    usual = torch.linalg.lstsq
    for driver in ("gelsd", "gelss"):
        assert exercises.find("effects_of_fact").grade(effects_by_lstsq(driver)).status is Status.CORRECT
    assert torch.linalg.lstsq is usual


def test_a_large_input_can_be_had_whole():
    message = told(lambda x, y, weight: 2 * x + weight * y + (x.numel() > 100))
    call = f'case("weighted", {len(WEIGHTED.inputs()) - 1})'
    assert f"(the whole input: from vae_course.exercises import case, then {call})" in message
    entropy = exercises.find("entropy_in_bits")
    assert torch.equal(exercises.case("entropy_in_bits", 0)[0], entropy.inputs()[0][0])
    with pytest.raises(IndexError, match="expected one from 0 to"):
        exercises.case("entropy_in_bits", 1000)


def test_an_exception_is_the_readers_with_their_line():
    def mine(x, y, weight):
        z = x * 2
        return torch.cat(z, y)

    verdict = WEIGHTED.grade(mine)
    assert "your function raised TypeError: cat()" in verdict.message
    line = inspect.getsourcelines(mine)[1] + 2
    assert f"in line {line} of your cell:\n    return torch.cat(z, y)\nIt was called with" in verdict.message


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, y, weight: None, "returned None; did you forget the return?"),
        (lambda x, y, weight: (2 * x + y).detach().numpy(), "numpy value, expected a torch tensor"),
        (lambda x, y, weight: np.float64(2.0), "numpy value, expected a torch tensor"),
        (lambda x, y, weight: 2.0, "a Python number, expected a torch tensor"),
        (lambda x, y, weight: [x], "returned a list, expected a torch tensor"),
        (lambda x, y, weight: (x, y), "returns 2 results, expected 1."),
        (lambda x, y, weight: 2 * x + max(x.new_zeros(4), y.new_ones(4)), "torch.minimum and torch.maximum, or torch.clamp"),
        (lambda x, y, weight: (2 * x + weight * y) * 1j, "returned complex numbers"),
        (lambda x, y, weight: (2 * x + weight * y).to_sparse(), "returned a sparse tensor"),
        (lambda x, y, weight: (2 * x + y).sum(0)[0] + 1, "the result has shape (), expected (1, 1)"),
        (lambda x: x, "your function takes (x), it will be called with 3 arguments: (x, y, weight)"),
        (lambda: 1, "your function takes (), it will be called with 3 arguments"),
        (3, "check needs a function written with def, got int; if you called it"),
        (torch.add, "check needs a function written with def, got builtin_function_or_method."),
        (lambda x, y, weight: exit(), "your function raised SystemExit"),
        (lambda x, y, weight: torch.softmax(torch.ones(2, dtype=torch.long), 0), "raised NotImplementedError"),
    ],
)
def test_answers_that_cannot_be_compared_are_told_why(function, message):
    assert message in told(function)


def test_several_numbers_that_belong_into_one_tensor_are_told_so():
    paired = exercises.find("paired_difference")
    message = told(lambda nll, other: ((nll - other).mean(), (nll - other).std()), paired)
    assert "returns 2 results, expected 1: put them into one tensor, torch.stack([...])." in message


def test_a_plain_number_is_judged_like_a_tensor_where_one_number_is_asked_for():
    epochs = exercises.find("epochs_since_best")
    assert epochs.grade(lambda losses: len(losses) - 1 - losses.argmin().item()).status is Status.CORRECT
    assert "One too many." in told(lambda losses: len(losses) - losses.argmin().item(), epochs)
    assert "a Python number, expected a torch tensor" in told(lambda losses: True, epochs)


def test_only_the_stub_itself_is_not_attempted():
    assert WEIGHTED.grade(lambda x, y, weight: ...).status is Status.NOT_ATTEMPTED
    assert "raised NotImplementedError" in told(lambda x, y, weight: (_ for _ in ()).throw(NotImplementedError("mine")))


def test_altering_an_input_is_told_even_where_the_result_is_right():
    def alters(x, y, weight):
        y *= weight
        return y + 2 * x

    assert "changes its input y" in told(alters)
    assert "changes its input x" in told(lambda x, y, weight: x.mul_(2) + weight * y)
    assert WEIGHTED.grade(weighted).status is Status.CORRECT  # the next check is not spoiled


def test_altering_a_list_is_told_too():
    def longest(words):
        return torch.tensor(max(map(len, words)))

    exercise = small(longest, (["bbb", "a"],))
    assert "changes its input words" in told(lambda words: words.sort() or longest(words), exercise)


def test_what_autograd_cannot_do_is_told_and_not_raised():
    def in_place(x, y, weight):
        root = (x.square() + 1).sqrt()
        result = 2 * x + weight * y + 0 * root
        root += 1  # which the gradient of sqrt still needs
        return result

    assert "torch cannot take the gradient of your result" in told(in_place)


def test_noise_of_ones_own_is_told_and_torchs_random_state_is_left_alone():
    before = torch.get_rng_state()
    assert "another result each time" in told(lambda x, y, weight: 2 * x + weight * y + torch.rand(()))
    seldom_the_same = exercises.find("draw_pixels").grade(lambda logits, uniform: torch.bernoulli(logits.sigmoid()))
    assert "another result each time" in seldom_the_same.message
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_printed_is_printed_once(capsys):
    def prints(x, y, weight):
        print("shape", x.shape)
        return 2 * x + weight * y

    assert WEIGHTED.grade(prints).status is Status.CORRECT
    assert capsys.readouterr().out == "shape torch.Size([1, 1])\n"


def test_what_is_right_in_single_precision_is_right():
    """A lesson's tensors are of single precision: what mixes them with new ones works there, and with doubles raises."""
    assert WEIGHTED.grade(lambda x, y, weight: 2 * torch.eye(len(x)) @ x + weight * y).message == "correct."
    assert told(lambda x, y, weight: torch.eye(len(x)) @ x + weight * y) == "Not yet: Once. Twice x."


def test_values_and_indices_together_are_told():
    assert "take .values or .indices" in told(lambda x, y, weight: (2 * x + weight * y).max(1))


# --- without end, or too slow -------------------------------------------------------------------------------------------


def swallows_everything(x, y, weight):
    while True:
        try:  # noqa: SIM105 - as readers write
            x = x + 1
        except:  # noqa: E722
            pass


def sleeps(x, y, weight):
    time.sleep(3)


@pytest.mark.parametrize(("answer", "stopped"), [(swallows_everything, True), (sleeps, False)])
def test_a_loop_without_end_is_stopped(monkeypatch, answer, stopped):
    monkeypatch.setattr(attempts, "TIME_LIMIT", 0.3)
    start = time.perf_counter()
    message = told(answer)
    assert time.perf_counter() - start < 2.5
    assert "does not end: it was stopped after" in message
    assert "x = [[1]]" in message
    assert ("still runs. Restart the kernel" in message) is not stopped


def test_what_is_printed_later_is_not_lost_with_an_answer_that_was_given_up(monkeypatch, capsys):
    """From the second input on, what an answer prints is not shown; its thread, given up, must not keep that so."""

    def sleeps_later(x, y, weight):
        if x.numel() > 1:
            time.sleep(3)
        return 2 * x + weight * y

    monkeypatch.setattr(attempts, "TIME_LIMIT", 0.3)
    assert "still runs" in told(sleeps_later)
    print("shown")
    assert capsys.readouterr().out == "shown\n"


def test_a_right_answer_that_is_far_slower_is_told_and_ours_is_used(monkeypatch):
    def loops(x, y, weight):
        rows = [[2 * a + weight * b for a, b in zip(*row, strict=True)] for row in zip(x, y, strict=True)]
        return torch.stack([torch.stack(row) for row in rows])

    # The clock's part is played, for a busy machine makes ours slow, too.
    taken = {loops: 0.2, weighted: 0.005}
    monkeypatch.setattr(core, "timed", lambda observe: (observe(), taken[weighted]))
    monkeypatch.setattr(attempts.Called, "timed", lambda self: (self.once_more(-1), taken[self.answer]))
    assert WEIGHTED.grade(loops).message == "correct."  # no time to speak of
    taken[loops] = 4.0
    verdict = WEIGHTED.grade(loops)
    assert verdict.status is Status.CORRECT
    assert verdict.slow
    assert "800 times slower than ours on a batch of the lesson (4.0 s)" in verdict.message
    assert not WEIGHTED.grade(weighted).slow
    taken[weighted] = 2.0  # ours is slow there, too
    assert not WEIGHTED.grade(loops).slow


# --- naming -------------------------------------------------------------------------------------------------------------


def test_a_mistake_is_named_only_if_it_agrees_on_every_input():
    """On the first input, where y is 0, the weight makes no difference."""
    assert told(lambda x, y, weight: 2 * x + y) == "Not yet: Weight left out. Times weight."
    assert "Weight left out" not in told(lambda x, y, weight: 2 * x + y + (x.shape[0] > 1))


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (lambda x, y, weight: (x + weight * y).sum(1), ("Once", "Added up in rows")),
        (lambda x, y, weight: x + y, ("Once", "Weight left out")),
        (lambda x, y, weight: -(2 * x + y), ("Weight left out", "Wrong sign")),
        (lambda x, y, weight: -(2 * x + weight * y) / 2, ("Wrong sign", "Half of it")),
    ],
)
def test_two_mistakes_at_once_are_named_both(answer, names):
    message = told(answer)
    assert "two things at once" in message
    assert all(f"- {name}. " in message for name in names)


def test_what_two_pairs_of_mistakes_would_explain_is_named_by_none():
    twins = (
        Mistake("One more", lambda x: plain(x) + 1, "a"),
        Mistake("Two more", lambda x: plain(x) + 2, "b"),
        Mistake("Three more", lambda x: plain(x) + 3, "c"),
        Mistake("Four more", lambda x: plain(x) + 4, "d"),
    )

    def five(x):
        return x + 5  # one and four, or two and three

    exercise = small(plain, tensors([1.0, 3.0]), twins)
    assert "two things" not in told(five, exercise)
    assert "expected [1, 3]" in told(five, exercise)


def plain(x):
    return 1 * x


def test_an_answer_that_raises_as_a_known_mistake_does_is_named():
    """On square inputs the product exists, on others torch refuses it."""
    assert told(lambda x, y, weight: (2 * x + weight * y) @ x) == "Not yet: Not transposed. No product here."


# --- modules ------------------------------------------------------------------------------------------------------------


class TwoHeads(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.mean = nn.Linear(inputs, outputs)
        self.log_var = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.mean(x), self.log_var(x)


class Swapped(TwoHeads):
    def forward(self, x):
        return self.log_var(x), self.mean(x)


HEADS = ModuleExercise(
    task="Two linear layers, mean and log_var.",
    reference=TwoHeads,
    cases=lambda: [(2, 1, torch.tensor([[1.0, 2.0]]))],
    generate=lambda g: (3, 2, torch.randn(4, 3, generator=g)),
    lesson=lambda g: (64, 2, torch.randn(32, 64, generator=g)),
    hints=("two",),
    mistakes=(Mistake("The heads swapped", Swapped, "First the mean."),),
    building=2,
)


def test_a_module_with_the_same_names_or_the_same_order_gets_our_weights():
    class Named(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.log_var = nn.Linear(inputs, outputs)  # another order, but our names
            self.mean = nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.mean(x), self.log_var(x)

    class Ordered(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(inputs, outputs), nn.Linear(inputs, outputs)])

        def forward(self, x):
            return self.layers[0](x), self.layers[1](x)

    for module in (TwoHeads, Named, Ordered):
        assert HEADS.grade(module).status is Status.CORRECT


def test_parts_that_the_lesson_reads_by_name_may_be_made_in_any_order_but_must_be_there():
    class OtherOrder(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.log_var = nn.Sequential(nn.Linear(inputs, outputs))  # another order, and other names of the weights
            self.mean = nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.mean(x), self.log_var(x)

    class OtherNames(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.mean = nn.Linear(inputs, outputs)
            self.log_variance = nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.mean(x), self.log_variance(x)

    exercise = replace(HEADS, named=("mean", "log_var"))
    assert exercise.grade(TwoHeads).status is Status.CORRECT
    assert exercise.grade(OtherOrder).status is Status.CORRECT
    assert "no layer self.log_var: keep the names of the stub" in told(OtherNames, exercise)


def test_wrong_modules_are_told_why():
    class OneHead(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.mean = nn.Linear(inputs, outputs)

        def forward(self, x):
            return self.mean(x), self.mean(x)

    class Clipped(TwoHeads):
        def forward(self, x):
            return self.mean(x), self.log_var(x).relu()

    class NoForward(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()

    class Stub(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.mean = ...

        def forward(self, x):
            return ...

    assert told(Swapped, HEADS) == "Not yet: The heads swapped. First the mean."
    shapes = "weights have the shapes mean.weight (1, 2), mean.bias (1,), expected mean.weight (1, 2), mean.bias (1,), log_var"
    assert shapes in told(OneHead, HEADS)
    assert "the result 2 differs" in told(Clipped, HEADS)
    assert "has no forward" in told(NoForward, HEADS)
    assert "check needs the class, `class TwoHeads(nn.Module):`, got an instance of" in told(TwoHeads(2, 1), HEADS)
    assert "expected (inputs, outputs)" in told(nn.ReLU6, HEADS)
    assert HEADS.grade(Stub).status is Status.NOT_ATTEMPTED


# --- update steps -------------------------------------------------------------------------------------------------------


def step(model, optimizer, batch, generator):
    noise = torch.randn(batch.shape, generator=generator, dtype=batch.dtype)
    loss = (model(batch + noise) - batch).square().sum(-1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def without_zero_grad(model, optimizer, batch, generator):
    noise = torch.randn(batch.shape, generator=generator, dtype=batch.dtype)
    loss = (model(batch + noise) - batch).square().sum(-1).mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def start(batch, seed):
    model = start_of(lambda: nn.Linear(batch.shape[1], batch.shape[1]), seed, like=batch)
    return model, torch.optim.Adam(model.parameters(), lr=0.1), batch, seeded(seed)


STEP = UpdateExercise(
    task="One step of training a denoising layer; returns the loss.",
    reference=step,
    cases=lambda: [(torch.tensor([[1.0, 2.0]], dtype=torch.float64), 0)],
    generate=lambda g: (numbers(g, 4, 3), 1),
    lesson=lambda g: (numbers(g, 32, 8), 2),
    hints=("zero_grad, backward, step",),
    mistakes=(Mistake("Gradients not put back to zero", without_zero_grad, "optimizer.zero_grad() first."),),
    start=start,
    made_from=("batch", "seed"),
)


def test_an_update_step_is_judged_by_the_weights_it_leaves():
    def mine(model, optimizer, batch, generator):
        optimizer.zero_grad(set_to_none=False)
        noisy = batch + torch.randn(*batch.shape, generator=generator, dtype=batch.dtype)
        loss = torch.nn.functional.mse_loss(model(noisy), batch, reduction="none").sum(1).mean(0)
        loss.backward()
        optimizer.step()
        return loss.detach()

    def no_step(model, optimizer, batch, generator):
        loss = (model(batch) - batch).square().sum(-1).mean()
        loss.backward()
        return loss.detach()

    def with_graph(model, optimizer, batch, generator):
        return step(model, optimizer, batch, generator) + 0 * model.weight.sum()

    def without_return(model, optimizer, batch, generator):
        step(model, optimizer, batch, generator)

    assert "returned nothing: end it with `return loss.detach()`" in told(without_return, STEP)
    assert "still carries its graph" in told(with_graph, STEP)
    assert STEP.grade(mine).status is Status.CORRECT
    assert STEP.grade(lambda model, optimizer, batch, generator: ...).status is Status.NOT_ATTEMPTED
    assert told(without_zero_grad, STEP) == "Not yet: Gradients not put back to zero. optimizer.zero_grad() first."
    assert "the set of weights after 2 calls is not what ours leaves: some weight is off by" in told(no_step, STEP)


def test_a_mistake_that_cannot_be_compared_is_named_only_if_it_is_the_same():
    def step_on(discriminator, optimizer, real, fake):
        loss = discriminator_loss(discriminator(real), discriminator(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def with_graph(generator, discriminator, optimizer, real, z):
        return step_on(discriminator, optimizer, real, generator(z).detach())

    def not_detached(generator, discriminator, optimizer, real, z):
        return step_on(discriminator, optimizer, real, generator(z)).detach()

    assert "still carries its graph" in told(with_graph, DISCRIMINATOR_STEP)
    assert "The fakes are not detached" in told(not_detached, DISCRIMINATOR_STEP)


def test_a_players_step_clears_what_the_other_left_and_leaves_nobody_frozen():
    def cleared_afterwards(generator, discriminator, optimizer, real, z):
        loss = discriminator_loss(discriminator(real), discriminator(generator(z).detach()))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    def one_weight_frozen(generator, discriminator, optimizer, z):
        next(discriminator.parameters()).requires_grad_(False)
        return GENERATOR_STEP.reference(generator, discriminator, optimizer, z)

    def generator_frozen(generator, discriminator, optimizer, real, z):
        generator.requires_grad_(False)
        return DISCRIMINATOR_STEP.reference(generator, discriminator, optimizer, real, z)

    assert "Cleared after the step" in told(cleared_afterwards, DISCRIMINATOR_STEP)
    assert "The generator is left frozen" in told(generator_frozen, DISCRIMINATOR_STEP)
    assert "The discriminator is left frozen" in told(one_weight_frozen, GENERATOR_STEP)


# --- what a notebook calls ------------------------------------------------------------------------------------------


def test_check_prints_and_never_raises(capsys):
    def kl_to_standard_normal(mean, log_var):
        return ...

    exercises.check(kl_to_standard_normal)

    def kl_to_standard_normal(mean, log_var):
        return 1 / 0

    exercises.check(kl_to_standard_normal)
    printed = capsys.readouterr().out
    assert 'Exercise 2.4: not attempted yet. Stuck? hint("kl_to_standard_normal")' in printed
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


def test_ours_is_handed_back_for_what_is_right_and_too_slow(monkeypatch, capsys):
    def to_bits(nats):
        return sum(nats / math.log(2) for _ in range(3_000)) / 3_000

    # Three thousand times the work is more than ours on any machine, however busy it is.
    monkeypatch.setattr(core, "SLOW", 0.0)
    monkeypatch.setattr(core, "SLOWER", 1)
    assert exercises.check(to_bits) is exercises.find("to_bits").reference
    assert "Exercise 0.1: correct, but" in capsys.readouterr().out


def test_ours_handed_in_again_is_no_attempt(capsys):
    assert exercises.check(exercises.find("to_bits").reference) is exercises.find("to_bits").reference
    assert "Exercise 0.1: not attempted yet" in capsys.readouterr().out


def doubled(x):
    return 2 * x


DOUBLED = Exercise(
    "",
    doubled,
    cases=lambda: [tensors([1.0]), tensors([2.0, 3.0])],
    generate=lambda generator: (numbers(generator, 3),),
    lesson=lambda generator: (torch.randn(3, generator=generator),),
    hints=("",),
    mistakes=(),
)


@pytest.fixture
def catalogued(monkeypatch):
    """``DOUBLED`` under its name in the catalogue, and a notebook that is empty."""
    monkeypatch.setattr(catalogue, "by_lesson", lambda: {1: (DOUBLED,)})
    monkeypatch.setattr(catalogue, "all_exercises", lambda: {"doubled": DOUBLED})
    monkeypatch.setattr(calls, "all_exercises", lambda: {"doubled": DOUBLED})
    monkeypatch.setattr(calls, "_answers", {})

    def means(answer):
        monkeypatch.setattr(sys.modules["__main__"], "doubled", answer, raising=False)

    return means


def wrong_on(*seeds):
    """An answer that is right, but for inputs of these seeds."""
    inputs = [case[0] for seed in seeds for case in DOUBLED.inputs(seed)[2:]]

    def doubled(x):
        print("the input", x)
        return 0 * x if any(torch.equal(x, one.to(x.dtype)) for one in inputs if one.shape == x.shape) else 2 * x

    return doubled


SECRET = 12345


def test_who_is_right_on_private_inputs_too_is_right(catalogued):
    assert catalogue.judge_privately("doubled", lambda_named("doubled"), SECRET).status is Status.CORRECT


def lambda_named(name):
    answer = lambda x: x + x  # noqa: E731
    answer.__name__ = name
    return answer


def test_what_fails_on_public_inputs_is_told_as_check_tells_it(catalogued):
    def doubled(x):
        return 3 * x

    assert catalogue.judge_privately("doubled", doubled, SECRET) == catalogue.judge("doubled", doubled)


def test_a_zero_is_shown_without_a_sign():
    """The entropy of a certain outcome is computed as -(1 log 1), which is -0."""
    assert telling.shown(-torch.zeros(2)) == "[0, 0]"


def test_what_fails_on_private_inputs_is_told_with_a_public_one_that_fails(catalogued, capsys):
    verdict = catalogue.judge_privately("doubled", wrong_on(SECRET, 3), SECRET)
    assert verdict.status is Status.WRONG
    assert "right on the inputs that check tries, but not on others of" in verdict.message
    told = capsys.readouterr().out + verdict.message
    public, private = ([telling.shown(case[0]) for case in DOUBLED.inputs(seed)[2:]] for seed in (3, SECRET))
    assert any(x in verdict.message for x in public)
    assert not any(x in told for x in private)


def test_what_fails_on_private_inputs_alone_is_told_without_any(catalogued, capsys):
    verdict = catalogue.judge_privately("doubled", wrong_on(SECRET), SECRET)
    assert verdict.status is Status.WRONG
    assert verdict.message.endswith("but not on others of the\nsame kind.")
    assert capsys.readouterr().out.count("the input") == 1  # of the first public one, as for check


def test_a_whole_input_of_another_seed_is_to_be_had(monkeypatch):
    def fails(name, answer, seed=0):
        return core.Verdict(Status.WRONG if seed > 4 else Status.CORRECT, 'Not yet: no. (the whole input: case("bleu", 7))')

    monkeypatch.setattr(catalogue, "judge", fails)
    assert 'case("bleu", 7, seed=5))' in catalogue.judge_privately("bleu", None, SECRET).message
    first, second = exercises.case("bleu", 8, seed=5), exercises.case("bleu", 8)
    assert not all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_check_was_given_is_asserted_though_ours_was_handed_back(catalogued):
    def doubled(x):
        return x

    catalogued(exercises.check(doubled))
    with pytest.raises(AssertionError, match=r"^Exercise 1\.1: Not yet"):
        exercises.assert_correct("doubled")

    def doubled(x):
        return x * 2

    catalogued(exercises.check(doubled))
    exercises.assert_correct("doubled")


def test_without_the_check_what_the_name_means_in_the_notebook_is_asserted(catalogued):
    with pytest.raises(AssertionError, match="not attempted yet"):
        exercises.assert_correct("doubled")
    catalogued(lambda_named("doubled"))
    exercises.assert_correct("doubled", seed=SECRET)
    catalogued(lambda x: 0 * x)
    with pytest.raises(AssertionError, match="Not yet"):
        exercises.assert_correct("doubled")
    catalogued(DOUBLED.reference)
    with pytest.raises(AssertionError, match="not attempted yet"):
        exercises.assert_correct("doubled")
    catalogued(wrong_on(SECRET))
    exercises.assert_correct("doubled")
    with pytest.raises(AssertionError, match="but not on others"):
        exercises.assert_correct("doubled", seed=SECRET)


def test_nothing_of_an_answer_comes_to_stderr_where_nbgrader_takes_it_for_a_failure(catalogued, capsys):
    def doubled(x):
        warnings.warn("old", stacklevel=1)
        print("told", file=sys.stderr)
        return 2 * x

    catalogued(doubled)
    exercises.assert_correct("doubled")
    assert capsys.readouterr().err == ""


def test_an_exercise_that_builds_on_another_is_judged_with_ours_for_the_other():
    """The reader's own KL may be wrong: the loss that calls it is judged for itself, and their KL is put back."""
    cell = """
import torch

def kl_to_standard_normal(mean, log_var):
    return 0 * mean.sum(-1)

def negative_elbo(distortion, mean, log_var):
    return (distortion + kl_to_standard_normal(mean, log_var)).mean()
"""
    notebook: dict[str, object] = {}
    exec(cell, notebook)
    theirs = notebook["kl_to_standard_normal"]
    assert exercises.judge("negative_elbo", notebook["negative_elbo"]).status is Status.CORRECT
    assert notebook["kl_to_standard_normal"] is theirs
    assert exercises.judge("kl_to_standard_normal", theirs).status is Status.WRONG


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (2.0, "written with def under its name, got float; if you called it, write its name without ( )."),
        (lambda nats: nats, "written with def under its name, got a lambda."),
        (told, "there is no exercise 'told'; an exercise has the name of its function"),
    ],
)
def test_what_no_exercise_asks_for_is_handed_back(answer, message, capsys):
    assert exercises.check(answer) is answer
    assert message in " ".join(capsys.readouterr().out.split())


class Grumpy:
    """An object that refuses every question."""

    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError


async def to_bits(nats):
    return nats


def all_kinds():
    yield from (None, object(), Grumpy(), Grumpy, math, iter([1]), [1], {"a": 1}, print, Grumpy.__repr__, type, Exception("x"))
    yield from (
        functools.partial(math.log, 2),
        torch.tensor([1.0]),
        nn.Linear(1, 1),
        nn.Linear,
        "to_bits",
        to_bits,
        float("nan"),
    )


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
@pytest.mark.parametrize("answer", list(all_kinds()), ids=lambda answer: type(answer).__name__)
def test_check_raises_for_nothing_whatever(answer, capsys):
    handed_back = exercises.check(answer)
    assert handed_back is answer or handed_back is exercises.find("to_bits").reference
    assert capsys.readouterr().out


def test_an_instance_is_told_to_be_the_class(capsys):
    encoder = exercises.find("GaussianEncoder").reference(2, 3, 1)
    assert exercises.check(encoder) is exercises.find("GaussianEncoder").reference
    assert "got an instance of GaussianEncoder; write its name without ( )." in " ".join(capsys.readouterr().out.split())


def test_a_close_name_is_told(capsys):
    def to_bitts(nats):
        return nats

    exercises.check(to_bitts)
    assert "there is no exercise 'to_bitts'; did you mean to_bits?" in " ".join(capsys.readouterr().out.split())


def test_hints_come_one_by_one_and_the_last_stays(capsys):
    count = len(exercises.find("kl_discrete").hints)
    given = []
    for _ in range(count + 1):
        exercises.hint("kl_discrete")
        given.append(capsys.readouterr().out)
    assert given[0].startswith(f"Hint 1 of {count}, a nudge, for exercise 2.2: ")
    assert given[1].startswith(f"Hint 2 of {count}, the idea, for exercise 2.2: ")
    assert given[-1] == given[-2] != given[0]
    assert given[-1].startswith(f"Hint 3 of {count}, almost the answer, for exercise 2.2: ")


@pytest.mark.parametrize(("given", "left"), [(0, "3 hints left"), (2, "1 hint left"), (3, "no hint left")])
def test_a_solution_is_shown_on_the_second_call_and_the_first_tells_of_hints(given, left, monkeypatch, capsys):
    monkeypatch.setattr(calls, "_hints_given", {"kl_draws": given})
    monkeypatch.setattr(calls, "_solutions_asked_for", set())
    exercises.solution("kl_draws")
    first = capsys.readouterr().out
    assert "Call it again for the solution of exercise 2.6" in first
    assert left in first
    assert "def kl_draws" not in first
    for _ in range(2):
        exercises.solution("kl_draws")
        assert capsys.readouterr().out.startswith("def kl_draws")


@pytest.mark.parametrize("exercise", exercises.all_exercises().values(), ids=lambda e: e.name)
def test_the_solution_shown_is_the_reference_that_is_tested(exercise, capsys):
    exercises.solution(exercise.name)
    capsys.readouterr()
    exercises.solution(exercise.name)
    # What a lesson has by then: its imports, what earlier exercises handed back, and what its own cells define.
    namespace = {name: other.reference for name, other in exercises.all_exercises().items()}
    namespace |= {"torch": torch, "math": math, "nn": nn, "functional": nn.functional, "standard_normal": standard_normal}
    exec(capsys.readouterr().out, namespace)
    assert exercise.grade(namespace[exercise.name]).status is Status.CORRECT


def test_an_unknown_name_names_the_close_ones():
    with pytest.raises(ValueError, match=r"there is no exercise 'kl_discret'; did you mean kl_discrete"):
        exercises.hint("kl_discret")
    with pytest.raises(ValueError, match=r"there is no exercise '2\.3'; an exercise has the name of its function"):
        exercises.hint("2.3")


def test_exercises_are_counted_within_their_lesson():
    for lesson, several in catalogue.by_lesson().items():
        counted = [f"{lesson}.{k}" for k in range(1, len(several) + 1)]
        assert [exercises.number_of(exercise.name) for exercise in several] == counted


def test_a_name_is_for_one_exercise_only(monkeypatch):
    catalogue.all_exercises.cache_clear()
    monkeypatch.setattr(catalogue, "by_lesson", lambda: {1: (WEIGHTED,), 2: (WEIGHTED,)})
    with pytest.raises(ValueError, match="'weighted' is the name of two"):
        catalogue.all_exercises()


def test_a_needless_detach_of_the_noise_is_not_wrong():
    """Noise asks for no gradient, so a reader who detaches it has made no mistake."""
    exercise = exercises.find("reparameterize")
    verdict = exercise.grade(lambda mean, log_var, noise: mean + torch.exp(log_var / 2) * noise.detach())
    assert verdict.status is Status.CORRECT


def test_the_time_limit_is_that_of_attempts():
    assert attempts.TIME_LIMIT == 10.0


def test_what_is_printed_is_shown_once_though_an_answer_is_tried_again_in_single_precision(capsys):
    def single(x, y, weight):
        print("shown")
        return 2 * x + weight * (y @ torch.eye(y.shape[-1]))

    assert WEIGHTED.grade(single).status is Status.CORRECT
    assert capsys.readouterr().out == "shown\n"


# --- greedy writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    "stop",
    [lambda ended: ended.all(), lambda ended: ended.any(), lambda ended: ended[0]],
    ids=["all rows have ended", "one has", "the first has"],
)
def test_who_stops_writing_at_an_eos_is_told_so(stop, before):
    def write_greedily(decoder, z, longest):
        tokens, ended = torch.ones(len(z), 1, dtype=torch.int64), torch.zeros(len(z), dtype=torch.bool)
        for _ in range(longest):
            word = decoder(tokens, z)[:, -1].argmax(1)
            ended |= word == 2
            if before and stop(ended):
                break
            tokens = torch.cat([tokens, word[:, None]], 1)
            if stop(ended):
                break
        return tokens[:, 1:]

    for seed in range(3):
        assert "Stopped at <eos>." in catalogue.judge("write_greedily", write_greedily, seed).message


def test_words_of_all_places_are_named_before_they_fill_the_memory():
    longest_seen = 0

    def write_greedily(decoder, z, longest):
        nonlocal longest_seen
        tokens = torch.ones(len(z), 1, dtype=torch.int64)
        for _ in range(longest):
            tokens = torch.cat([tokens, decoder(tokens, z).argmax(-1)], 1)
            longest_seen = max(longest_seen, tokens.shape[1])
        return tokens[:, 1:]

    assert "words of all places" in catalogue.judge("write_greedily", write_greedily, 0).message
    assert longest_seen <= 1024


def test_who_draws_words_is_told_what_greedy_means():
    def write_greedily(decoder, z, longest):
        tokens = torch.ones(len(z), 1, dtype=torch.int64)
        for _ in range(longest):
            word = torch.multinomial(decoder(tokens, z)[:, -1].softmax(1), 1)
            tokens = torch.cat([tokens, word], 1)
        return tokens[:, 1:]

    message = " ".join(catalogue.judge("write_greedily", write_greedily, 0).message.split())
    assert "another result each time" in message
    assert "likeliest word, argmax" in message


def test_two_words_too_few_are_no_stop_at_an_eos():
    def write_greedily(decoder, z, longest):
        return exercises.find("write_greedily").reference(decoder, z, max(longest - 2, 0))

    message = catalogue.judge("write_greedily", write_greedily, 0).message
    assert "Stopped" not in message
