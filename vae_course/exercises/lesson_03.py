"""Exercises of lesson 03: the reparameterized sample, the score function, its baseline, and soft discrete choices."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, flags, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def _drawn_shape(generator: Generator) -> list[int]:
    """One to three different sizes, each at least 2."""
    return sizes(generator, size(generator, 1, 3), 2, 5)


# --- the reparameterized sample -------------------------------------------------------------------------------------


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    return mean + torch.exp(0.5 * log_var) * noise


def _means_and_noise() -> list[Arguments]:
    return [
        doubles([1.0], [0.8], [0.5]),
        doubles([2.0, 0.5], [0.0, 1.4], [0.0, -1.0]),
        doubles([0.5, -1.0], [-1.5, 0.6], [1.2, -0.7]),
        doubles([[0.0, 2.0], [-1.0, 0.3]], [[0.4, -2.0], [1.0, 0.0]], [[-0.3, 1.5], [0.8, -1.1]]),
    ]


def _drawn_means_and_noise(generator: Generator) -> Arguments:
    shape = _drawn_shape(generator)
    return numbers(generator, *shape), numbers(generator, *shape, low=-3, high=2), numbers(generator, *shape)


def _lesson_means_and_noise(generator: Generator) -> Arguments:
    mean, log_var, noise = torch.randn(3, 128, 16, generator=generator)
    return mean, log_var - 1, noise


REPARAMETERIZE = Exercise(
    task="A draw of N(mean, diag(exp(log_var))) made from noise of N(0, I), so that gradients reach mean and log_var.",
    reference=reparameterize,
    cases=_means_and_noise,
    generate=_drawn_means_and_noise,
    lesson=_lesson_means_and_noise,
    gradients=("mean", "log_var"),
    hints=(
        "Stretch the noise by the standard deviation, then shift it by the mean.",
        "exp(log_var) is the variance; its square root, exp(log_var / 2), is the standard deviation.",
        "mean + torch.exp(0.5 * log_var) * noise, with no detach, no .data and no torch.no_grad().",
    ),
    mistakes=(
        Mistake(
            "The variance used as the standard deviation",
            lambda mean, log_var, noise: reparameterize(mean, 2 * log_var, noise),
            "exp(log_var) is the variance. The noise is stretched by its square root, exp(log_var / 2).",
        ),
        Mistake(
            "Half of the variance used as the standard deviation",
            lambda mean, log_var, noise: reparameterize(mean, 2 * log_var, noise / 2),
            "The square root of the variance is not its half. In the log it is: halve log_var first, then take exp.",
        ),
        Mistake(
            "log_var doubled",
            lambda mean, log_var, noise: reparameterize(mean, 4 * log_var, noise),
            "exp(2 log_var) is the variance squared. The standard deviation is the variance's root: halve log_var.",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), log_var * noise),
            "log_var is the log of the variance and may be negative; the standard deviation is exp(log_var / 2).",
        ),
        Mistake(
            "exp is missing",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), 0.5 * log_var * noise),
            "log_var / 2 is the *log* of the standard deviation, and may be negative: take exp of it.",
        ),
        Mistake(
            "The root of log_var",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), log_var.sqrt() * noise),
            "The square root belongs to the variance, exp(log_var); log_var itself is often negative and has no root.",
        ),
        Mistake(
            "A softplus in place of exp",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), functional.softplus(log_var) * noise),
            "A softplus is positive too, but log_var is the log of the variance, and only exp undoes a log.",
        ),
        Mistake(
            "log_var used with the wrong sign",
            lambda mean, log_var, noise: reparameterize(mean, -log_var, noise),
            "exp(-log_var / 2) is 1 / std, which belongs in a density. A sample is multiplied by std.",
        ),
        Mistake(
            "The path is cut",
            lambda mean, log_var, noise: reparameterize(mean, log_var, noise).detach(),
            "The values are right, but no gradient comes back: take out detach, .data, torch.no_grad() or torch.tensor(...).",
        ),
        Mistake(
            "The path to log_var is cut",
            lambda mean, log_var, noise: reparameterize(mean, log_var.detach(), noise),
            "The values are right and mean gets its gradient, but log_var gets none: do not detach the standard deviation.",
        ),
        Mistake(
            "The path to mean is cut",
            lambda mean, log_var, noise: reparameterize(mean.detach(), log_var, noise),
            "The values are right and log_var gets its gradient, but mean gets none: do not detach it.",
        ),
        Mistake(
            "Missing mean",
            lambda mean, log_var, noise: reparameterize(torch.zeros_like(mean), log_var, noise),
            "This is a draw of N(0, std^2): shift it by the mean.",
        ),
        Mistake(
            "Missing noise",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), torch.zeros_like(noise)),
            "This is the mean itself, not a draw around it. Add the noise, stretched by the standard deviation.",
        ),
        Mistake(
            "The noise has no scale",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), noise),
            "This is a draw of N(mean, 1), whatever log_var says: multiply the noise by the standard deviation.",
        ),
        Mistake(
            "The standard deviation added",
            lambda mean, log_var, noise: reparameterize(mean, torch.zeros_like(log_var), torch.exp(0.5 * log_var) + noise),
            "Adding shifts the noise by the standard deviation. It must be *stretched* by it: multiply.",
        ),
        Mistake(
            "The mean is scaled too",
            lambda mean, log_var, noise: reparameterize(torch.zeros_like(mean), log_var, mean + noise),
            "Only the noise is stretched: the mean is added afterwards.",
        ),
        Mistake(
            "Summed over the dimensions",
            lambda mean, log_var, noise: reparameterize(mean, log_var, noise).sum(-1),
            "A draw has as many numbers as the mean: add nothing up.",
        ),
        Mistake(
            "Averaged over the dimensions",
            lambda mean, log_var, noise: reparameterize(mean, log_var, noise).mean(-1),
            "A draw has as many numbers as the mean: average nothing.",
        ),
        Mistake(
            "The noise is subtracted",
            lambda mean, log_var, noise: reparameterize(mean, log_var, -noise),
            "That has the right distribution too, since the noise is symmetric. But it is another draw than the lesson's "
            "mean + std * noise, which is asked for here: add.",
        ),
        Mistake(
            "Mean and standard deviation swapped",
            lambda mean, log_var, noise: reparameterize(torch.exp(0.5 * log_var), torch.zeros_like(log_var), mean * noise),
            "The noise is multiplied by the standard deviation, and the mean is added.",
        ),
        Mistake(
            "mean and log_var swapped",
            lambda mean, log_var, noise: reparameterize(log_var, mean, noise),
            "The arguments come as mean, log_var, noise: the first is added, the second gives the standard deviation.",
        ),
    ),
)

# --- the score function ---------------------------------------------------------------------------------------------


def score_gradient_draws(values: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return values[:, None] * (z - mean) / log_var.exp()


def _values_and_draws() -> list[Arguments]:
    return [
        doubles([3.0, 0.5], [[1.5], [-0.4]], [0.5], [0.7]),
        doubles([2.0], [[1.0, -0.5, 0.3]], [0.5, 0.5, 0.3], [0.0, 1.1, -0.6]),
        doubles([1.0, -2.0, 0.0], [[0.3, 1.0], [2.0, -1.0], [0.1, 0.4]], [0.5, -0.5], [-1.0, 1.2]),
    ]


def _drawn_values_and_draws(generator: Generator) -> Arguments:
    samples, dimension = sizes(generator, 2, 1, 6)
    values, z = numbers(generator, samples, low=-3, high=3), numbers(generator, samples, dimension)
    return values, z, numbers(generator, dimension, low=-1, high=1), numbers(generator, dimension)


def _lesson_values_and_draws(generator: Generator) -> Arguments:
    noise, log_var = torch.randn(200, 8, generator=generator), torch.linspace(-2, 0, 8)
    z = 0.5 + torch.exp(0.5 * log_var) * noise
    return (z - 1).square().sum(-1), z, torch.full((8,), 0.5), log_var


def _log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean).square() / log_var.exp())


SCORE_GRADIENT_DRAWS = Exercise(
    task="The draws f(z) * (gradient of log N(z; mean, exp(log_var)) with respect to mean): (samples, dimension).",
    reference=score_gradient_draws,
    cases=_values_and_draws,
    generate=_drawn_values_and_draws,
    lesson=_lesson_values_and_draws,
    hints=(
        "Where f is large, such draws shall become likelier. So each draw's value weighs the slope of its own log density.",
        "log N is -(z - mean)^2 / (2 variance) and terms without the mean. Its derivative, the score, is (z - mean) / "
        "variance.",
        "variance is log_var.exp(). values has shape (samples,): values[:, None] * score weighs every dimension of its "
        "own draw.",
    ),
    mistakes=(
        Mistake(
            "Divided by the standard deviation",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, 0.5 * log_var),
            "The derivative of (z - mean)^2 / (2 variance) keeps the variance below the line.",
        ),
        Mistake(
            "Divided by the variance squared",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, 2 * log_var),
            "exp(log_var) is already the variance; do not double log_var or square its exp.",
        ),
        Mistake(
            "Wrong sign",
            lambda values, z, mean, log_var: score_gradient_draws(-values, z, mean, log_var),
            "A draw above the mean becomes likelier as the mean rises, so its score (z - mean) / variance is positive. "
            "The opposite sign belongs to the gradient with respect to z.",
        ),
        Mistake(
            "Forgot the values",
            lambda values, z, mean, log_var: score_gradient_draws(torch.ones_like(values), z, mean, log_var),
            "This is the score alone, whose mean is 0. Weight each draw's score by its own f(z).",
        ),
        Mistake(
            "The mean of the values for every draw",
            lambda values, z, mean, log_var: score_gradient_draws(values.mean().expand_as(values), z, mean, log_var),
            "Weight each draw's score by its own f(z): only that tells good draws from bad ones.",
        ),
        Mistake(
            "Forgot the mean",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, torch.zeros_like(mean), log_var),
            "The score is counted from the mean: (z - mean) / variance.",
        ),
        Mistake(
            "Averaged already",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var).mean(0),
            "Return one gradient for each draw, (samples, dimension): their spread gives the standard error.",
        ),
        Mistake(
            "Summed over the draws",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var).sum(0),
            "Return one gradient for each draw, (samples, dimension), and add nothing up. Autograd of a sum over the draws "
            "adds them up too.",
        ),
        Mistake(
            "Summed over the dimensions",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var).sum(-1),
            "log N is a sum over dimensions, but each dimension of the mean has a gradient of its own: (samples, dimension).",
        ),
        Mistake(
            "Averaged over the dimensions",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var).mean(-1),
            "Each dimension of the mean has a gradient of its own: (samples, dimension).",
        ),
        Mistake(
            "Multiplied by the variance",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, -log_var),
            "A narrow Gaussian reacts strongly to a shift of its mean: divide by the variance.",
        ),
        Mistake(
            "Not divided by the variance",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, torch.zeros_like(log_var)),
            "That is right for variance 1 only. The score is (z - mean) / variance.",
        ),
        Mistake(
            "log_var read as the variance",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, torch.zeros_like(log_var)) / log_var,
            "log_var is the log of the variance; divide by log_var.exp().",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda values, z, mean, log_var: (
                score_gradient_draws(values, z, mean, torch.zeros_like(log_var)) / log_var.square()
            ),
            "log_var is the log of the variance; divide by log_var.exp().",
        ),
        Mistake(
            "The 1/2 of the density is missing",
            lambda values, z, mean, log_var: 2 * score_gradient_draws(values, z, mean, log_var),
            "The square gives a factor 2, and the 2 in (z - mean)^2 / (2 variance) cancels it.",
        ),
        Mistake(
            "The 2 of the square is missing",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var) / 2,
            "The derivative of the square is 2 (z - mean), and its 2 cancels the one in 2 variance.",
        ),
        Mistake(
            "The square is not differentiated",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var) * (z - mean),
            "The derivative of (z - mean)^2 has (z - mean) in it, not its square.",
        ),
        Mistake(
            "The exponent, not its gradient",
            lambda values, z, mean, log_var: score_gradient_draws(values, z, mean, log_var) * (mean - z) / 2,
            "This is f(z) times -(z - mean)^2 / (2 variance), the part of log N that depends on the mean. Differentiate it.",
        ),
        Mistake(
            "Values along the wrong dimension",
            lambda values, z, mean, log_var: values * score_gradient_draws(torch.ones_like(values), z, mean, log_var),
            "values has one number for each draw, and torch lines it up with the last dimension: make it a column, "
            "values[:, None].",
        ),
        Mistake(
            "The draws are weighted by their density again",
            lambda values, z, mean, log_var: score_gradient_draws(
                values * _log_density(z, mean, log_var).sum(-1).exp(), z, mean, log_var
            ),
            "Likely draws already come up more often. The gradient is of log q, not of q.",
        ),
        Mistake(
            "The log density, not its gradient",
            lambda values, z, mean, log_var: values * _log_density(z, mean, log_var).sum(-1),
            "This is f(z) log q(z). Its derivative with respect to mean is asked for: f(z) (z - mean) / variance.",
        ),
        Mistake(
            "The log density of every dimension, not its gradient",
            lambda values, z, mean, log_var: values[:, None] * _log_density(z, mean, log_var),
            "This is f(z) times the terms of log q(z). The derivative with respect to mean is asked for.",
        ),
        Mistake(
            "The gradient for log_var",
            lambda values, z, mean, log_var: (
                0.5 * (score_gradient_draws(values, z, mean, log_var) * (z - mean) - values[:, None])
            ),
            "This is the score with respect to log_var, and right; the exercise asks for the one with respect to mean.",
        ),
        Mistake(
            "A baseline subtracted already",
            lambda values, z, mean, log_var: score_gradient_draws(values - values.mean(), z, mean, log_var),
            "Use the values as they are given. The baseline is an exercise of its own, further on.",
        ),
    ),
)

# --- the leave-one-out baseline -------------------------------------------------------------------------------------


def subtract_baseline(values: Tensor) -> Tensor:
    others = (values.sum() - values) / (len(values) - 1)
    return values - others


def _drawn_values(generator: Generator) -> Arguments:
    """Two to nine values; in half of the draws from so few different ones that some are equal, though not all."""
    count = size(generator, 2, 9)
    values = numbers(generator, count, low=-3, high=5)
    if size(generator, 0, 1):
        values = whole(generator, count, low=-1, high=2).double()
        values[0] = 4.5
    return (values,)


SUBTRACT_BASELINE = Exercise(
    task="From each of the values (samples,), subtract the mean over the other samples. At least two samples.",
    reference=subtract_baseline,
    cases=lambda: [
        doubles([1.0, 4.0]),
        doubles([3.0, 5.0, 10.0]),
        doubles([2.0, 2.0, 5.0, 0.0]),
        doubles([-1.0, 0.5, 2.0, 2.5, 7.0]),
    ],
    generate=_drawn_values,
    lesson=lambda g: (torch.randn(200, generator=g) + 3,),
    hints=(
        "Each sample has a baseline of its own, made of all samples but itself.",
        "The sum over the others is values.sum() - values, for all samples at once.",
        "There are len(values) - 1 others: divide by that, then subtract from values.",
    ),
    mistakes=(
        Mistake(
            "The plain mean",
            lambda values: subtract_baseline(values) * (len(values) - 1) / len(values),
            "The mean includes the sample itself, which shrinks every gradient by the factor (n - 1) / n on average: a bias.",
        ),
        Mistake(
            "Divided by n",
            lambda values: values - (values - subtract_baseline(values)) * (len(values) - 1) / len(values),
            "The sum over the others has n - 1 terms: divide by len(values) - 1.",
        ),
        Mistake(
            "Not divided at all",
            lambda values: values - (values - subtract_baseline(values)) * (len(values) - 1),
            "This subtracts the *sum* over the others. Their mean is asked for: divide by len(values) - 1.",
        ),
        Mistake(
            "The difference is not divided",
            lambda values: subtract_baseline(values) * (len(values) - 1),
            "n times the value minus the sum of all is n - 1 times too large: divide by len(values) - 1.",
        ),
        Mistake(
            "The sum includes the sample itself",
            lambda values: subtract_baseline(values) - values / (len(values) - 1),
            "Take each value out of the sum before you divide: values.sum() - values.",
        ),
        Mistake(
            "The sample itself taken from the mean",
            lambda values: 2 * values - values.mean(),
            "The mean over the others is not mean - value. Take the value out of the *sum*, then divide by n - 1.",
        ),
        Mistake(
            "Wrong sign",
            lambda values: -subtract_baseline(values),
            "Value minus baseline: a draw that did better than the others must come out positive.",
        ),
        Mistake(
            "Only the baseline",
            lambda values: values - subtract_baseline(values),
            "This is the mean over the others. Subtract it from the values.",
        ),
        Mistake(
            "Added the baseline",
            lambda values: 2 * values - subtract_baseline(values),
            "Adding is unbiased too, but it makes the values larger and the variance with them. Subtract.",
        ),
        Mistake(
            "Divided by the standard deviation too",
            lambda values: (values - values.mean()) / values.std(),
            "That changes the gradient's length, and the divisor depends on the sample itself: a bias. Only subtract.",
        ),
        Mistake(
            "Standardized",
            lambda values: (values - values.mean()) / values.std(correction=0),
            "Values with mean 0 and standard deviation 1 were not asked for: the divisor depends on the sample itself, "
            "a bias. Only subtract the mean of the others.",
        ),
        Mistake(
            "The baseline is right, then divided by the standard deviation",
            lambda values: subtract_baseline(values) / values.std(),
            "The division changes the gradient's length, and its divisor depends on the sample itself: a bias. Leave it out.",
        ),
        Mistake(
            "Divided by the baseline",
            lambda values: values / (values - subtract_baseline(values)),
            "A baseline is subtracted. A ratio does not keep the mean of the gradient.",
        ),
        Mistake(
            "Equal values left out too",
            lambda values: torch.stack([value - values[values != value].mean() for value in values]),
            "Another sample may have the same value, and it counts. Leave one out by its place, not by its value.",
        ),
        Mistake(
            "The median",
            lambda values: values - values.median(),
            "The median contains the sample itself and is not a mean. Subtract the mean over the others.",
        ),
        Mistake(
            "Only the neighbour",
            lambda values: values - values.roll(1),
            "One other sample is an unbiased baseline too, but a noisy one: use the mean over all the others.",
        ),
        Mistake(
            "The same baseline for all",
            lambda values: values - values[1:].mean(),
            "values[1:] are the others of the first sample only. Each sample has a baseline of its own.",
        ),
        Mistake(
            "The last sample's baseline for all",
            lambda values: values - values[:-1].mean(),
            "values[:-1] are the others of the last sample only. Each sample has a baseline of its own.",
        ),
        Mistake(
            "A running mean",
            lambda values: values - torch.stack([values[: k + 1].mean() for k in range(len(values))]),
            "This mean contains the sample itself and those before it. The others are those before *and* those after.",
        ),
        Mistake(
            "Only the samples before",
            lambda values: torch.stack([v - values[:k].sum() / max(k, 1) for k, v in enumerate(values)]),
            "The others are those before *and* those after a sample.",
        ),
        Mistake(
            "The largest as a baseline",
            lambda values: values - values.max(),
            "The largest value may be the sample itself, so it is a biased baseline. Subtract the mean over the others.",
        ),
        Mistake(
            "The smallest as a baseline",
            lambda values: values - values.min(),
            "The smallest value may be the sample itself, so it is a biased baseline. Subtract the mean over the others.",
        ),
    ),
)

# --- Gumbel-softmax -------------------------------------------------------------------------------------------------


def gumbel_softmax(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    gumbel = -torch.log(-torch.log(uniform))
    return torch.softmax((logits + gumbel) / temperature, dim=-1)


def _logits_and_noise() -> list[Arguments]:
    rows: list[tuple[list[object], list[object], float]] = [
        ([0.2, -0.3], [0.7, 0.4], 0.5),
        ([1.5, 0.5], [0.3, 0.5], 1.0),
        ([1.0, 0.0, -1.0], [0.3, 0.6, 0.9], 2.0),
        ([[0.5, 0.1, -0.4], [2.0, 0.0, 1.0]], [[0.2, 0.8, 0.5], [0.35, 0.95, 0.6]], 0.7),
        ([[[0.5, 0.1], [-0.4, 1.0], [0.0, 0.3]]], [[[0.2, 0.8], [0.5, 0.6], [0.9, 0.1]]], 1.5),
    ]
    return [(*doubles(logits, uniform), temperature) for logits, uniform, temperature in rows]


def _drawn_logits_and_noise(generator: Generator) -> Arguments:
    shape = _drawn_shape(generator)
    temperature = size(generator, 3, 30) / 10
    return numbers(generator, *shape), numbers(generator, *shape, low=0.02, high=0.98), temperature


def _lesson_logits_and_noise(generator: Generator) -> Arguments:
    uniform = torch.rand(128, 20, generator=generator).clamp(0.001, 0.999)
    return torch.randn(128, 20, generator=generator), uniform, 0.5


def _gumbel(uniform: Tensor) -> Tensor:
    return -torch.log(-torch.log(uniform))


GUMBEL_SOFTMAX = Exercise(
    task="A soft sample from softmax(logits), made from uniform noise in (0, 1) at a temperature: (..., categories).",
    reference=gumbel_softmax,
    cases=_logits_and_noise,
    generate=_drawn_logits_and_noise,
    lesson=_lesson_logits_and_noise,
    gradients=("logits",),
    hints=(
        "First turn the uniform noise u into Gumbel noise, -log(-log u).",
        "Add it to the logits. The temperature divides the sum of both.",
        "torch.softmax((logits + gumbel) / temperature, dim=-1)",
    ),
    mistakes=(
        Mistake(
            "The sign of the Gumbel noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits - 2 * _gumbel(uniform), uniform, temperature),
            "Gumbel noise is -log(-log u), and it is added. It is not symmetric, so its sign matters.",
        ),
        Mistake(
            "Only one logarithm",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits - uniform.log() - _gumbel(uniform), uniform, temperature
            ),
            "-log u is exponential noise. Gumbel noise takes the log once more: -log(-log u).",
        ),
        Mistake(
            "The logarithm of the uniform noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits + uniform.log() - _gumbel(uniform), uniform, temperature
            ),
            "Gumbel noise takes two logarithms, each with a minus in front: -log(-log u).",
        ),
        Mistake(
            "The logarithm of a negative number",
            lambda logits, uniform, temperature: gumbel_softmax(logits - uniform.log().log(), uniform, temperature),
            "log u is negative, so its log is nan: the inner minus sign is missing in -log(-log u).",
        ),
        Mistake(
            "Uniform noise added",
            lambda logits, uniform, temperature: gumbel_softmax(logits + uniform - _gumbel(uniform), uniform, temperature),
            "Turn the uniform noise into Gumbel noise first, -log(-log u); only that makes the argmax an exact sample.",
        ),
        Mistake(
            "Logistic noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits + uniform.logit() - _gumbel(uniform), uniform, temperature
            ),
            "log u - log(1 - u) is the difference of two Gumbel noises, right for a choice between two. Here each category "
            "gets one, -log(-log u).",
        ),
        Mistake(
            "Gumbel noise of 1 - u",
            lambda logits, uniform, temperature: gumbel_softmax(logits, 1 - uniform, temperature),
            "1 - u is uniform too, so the distribution is right. But it is another draw than -log(-log u), asked for here.",
        ),
        Mistake(
            "No noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits - _gumbel(uniform), uniform, temperature),
            "Without noise every sample is the same. Add -log(-log u) to the logits.",
        ),
        Mistake(
            "The logits are multiplied by the noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits * _gumbel(uniform) - _gumbel(uniform), uniform, temperature
            ),
            "Gumbel noise is added to the logits.",
        ),
        Mistake(
            "No temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1.0),
            "This is the sample at temperature 1. Divide the sum of logits and noise by the temperature.",
        ),
        Mistake(
            "Multiplied by the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1 / temperature),
            "Cold must mean decided: a small temperature makes the differences large, so divide by it.",
        ),
        Mistake(
            "A minus in front of the logits and the noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, -temperature),
            "With a minus the *least* likely category wins. Divide logits plus noise by the temperature, without one.",
        ),
        Mistake(
            "Only the noise is divided",
            lambda logits, uniform, temperature: gumbel_softmax(logits * temperature, uniform, temperature),
            "Divide the sum of logits and noise, or the argmax is no longer a sample of softmax(logits).",
        ),
        Mistake(
            "The noise is outside the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits / temperature, uniform, 1.0),
            "Divide the sum of logits and noise: here the noise escapes the temperature, and never becomes decided.",
        ),
        Mistake(
            "The noise is multiplied by the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits / temperature, uniform, 1 / temperature),
            "The noise is added as it is, and the temperature divides the sum of logits and noise.",
        ),
        Mistake(
            "Divided after the softmax",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1.0) / temperature,
            "Then the result does not add up to 1. The temperature divides what goes *into* the softmax.",
        ),
        Mistake(
            "Softmax over the wrong dimension",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits.transpose(0, -1), uniform.transpose(0, -1), temperature
            ).transpose(0, -1),
            "Categories are on the last dimension, dim=-1; the others hold independent choices.",
        ),
        Mistake(
            "Softmax over dimension 1",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits.transpose(1, -1), uniform.transpose(1, -1), temperature
            ).transpose(1, -1),
            "There may be one dimension or three, and the categories are always on the last: dim=-1.",
        ),
        Mistake(
            "Normalized over everything",
            lambda logits, uniform, temperature: gumbel_softmax(logits.flatten(), uniform.flatten(), temperature).reshape(
                logits.shape
            ),
            "Each choice adds up to 1 over its own categories, the last dimension, not all choices together.",
        ),
        Mistake(
            "Noise added to probabilities",
            lambda logits, uniform, temperature: gumbel_softmax(logits.softmax(-1), uniform, temperature),
            "The noise is added to the logits themselves (log probabilities), before any softmax.",
        ),
        Mistake(
            "Logits read as probabilities",
            lambda logits, uniform, temperature: gumbel_softmax(logits.log(), uniform, temperature),
            "Logits are logs already, up to a constant, and may be negative: take no log of them.",
        ),
        Mistake(
            "The softmax is missing",
            lambda logits, uniform, temperature: (logits + _gumbel(uniform)) / temperature,
            "These are the noisy logits. A softmax over the last dimension turns them into a soft choice.",
        ),
        Mistake(
            "Not normalized",
            lambda logits, uniform, temperature: ((logits + _gumbel(uniform)) / temperature).exp(),
            "A soft choice adds up to 1 over the categories: divide by the sum, or use torch.softmax.",
        ),
        Mistake(
            "A sigmoid in place of the softmax",
            lambda logits, uniform, temperature: torch.sigmoid((logits + _gumbel(uniform)) / temperature),
            "A sigmoid decides about every category for itself. One choice among them adds up to 1: use a softmax.",
        ),
        Mistake(
            "A hard choice",
            lambda logits, uniform, temperature: functional.one_hot(
                gumbel_softmax(logits, uniform, temperature).argmax(-1), logits.shape[-1]
            ).to(logits.dtype),
            "This is the exact sample, but argmax passes no gradient on: replace it by a softmax with a temperature.",
        ),
        Mistake(
            "Straight through already",
            lambda logits, uniform, temperature: straight_through(gumbel_softmax(logits, uniform, temperature)),
            "The gradient is right and the value one-hot. That is the next exercise; here the value is soft as well.",
        ),
    ),
)

# --- straight through -----------------------------------------------------------------------------------------------


def straight_through(soft: Tensor) -> Tensor:
    hard = torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return hard + (soft - soft.detach())


def _soft_samples() -> list[Arguments]:
    return [
        doubles([0.3, 0.7]),
        doubles([0.5, 0.5]),
        doubles([0.4, 0.35, 0.25]),
        doubles([1.0, 0.0, 0.0]),
        doubles([[0.1, 0.2, 0.7], [0.45, 0.3, 0.25]]),
        doubles([[[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]]]),
    ]


def _drawn_soft_samples(generator: Generator) -> Arguments:
    """The largest is the only one: a tie is among the cases made by hand."""
    shape = _drawn_shape(generator)
    soft = probabilities(generator, *shape, zeros=bool(flags(generator)))
    return (0.9 * soft + 0.1 * functional.one_hot(soft.argmax(-1), shape[-1]),)


def _hard_at(winner: Tensor, categories: int) -> Tensor:
    """``one_hot``; an index that is too large raises on every device, while a GPU would stop for good."""
    if int(winner.max()) >= categories:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return functional.one_hot(winner, categories)


STRAIGHT_THROUGH = Exercise(
    task="From soft samples (..., categories): the value is the one-hot of the largest (of equal ones the first), the gradient "
    "that of the soft sample.",
    reference=straight_through,
    cases=_soft_samples,
    generate=_drawn_soft_samples,
    lesson=lambda g: (torch.softmax(2 * torch.randn(128, 20, generator=g), dim=-1),),
    gradients=("soft",),
    hints=(
        "Value and gradient come from two different things: the one from a hard choice, the other from soft.",
        "Add to the hard choice something whose value is 0 and whose gradient is that of soft: soft - soft.detach().",
        "hard is torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]), which is of integers: .to(soft.dtype). "
        "Then add.",
    ),
    mistakes=(
        Mistake(
            "The gradient is lost",
            lambda soft: straight_through(soft).detach(),
            "argmax has no gradient. Add soft - soft.detach(): it is 0, and carries the gradient.",
        ),
        Mistake(
            "The value is still soft",
            lambda soft: straight_through(soft) - straight_through(soft).detach() + soft.detach(),
            "The value must be exactly one-hot; only the gradient is that of the soft sample.",
        ),
        Mistake(
            "The wrong half is detached",
            lambda soft: 2 * straight_through(soft).detach() - straight_through(soft),
            "The values are right, but the gradient has the wrong sign: detach the half that is subtracted.",
        ),
        Mistake(
            "The soft value is not taken off again",
            lambda soft: straight_through(soft) + soft.detach(),
            "The gradient is right, but the value is one-hot plus soft: subtract soft.detach().",
        ),
        Mistake(
            "The soft value is taken off without being added",
            lambda soft: (straight_through(soft) - soft).detach(),
            "This is the one-hot minus the soft sample. Add soft itself as well: the values cancel, and its gradient stays.",
        ),
        Mistake(
            "The hard value is missing",
            lambda soft: straight_through(soft) - straight_through(soft).detach(),
            "soft - soft.detach() has the gradient, and the value 0. Add the one-hot of the largest.",
        ),
        Mistake(
            "The soft sample is masked",
            lambda soft: straight_through(soft).detach() * soft,
            "Masking keeps the winner's weight below 1 and passes no gradient to the others.",
        ),
        Mistake(
            "Only the winner gets a gradient",
            lambda soft: straight_through(soft).detach() * (1 + soft - soft.detach()),
            "The values are right, but the gradient must be that of the whole soft sample: the losers have theirs too.",
        ),
        Mistake(
            "The soft sample divided by its own value",
            lambda soft: straight_through(soft).detach() * soft / soft.detach(),
            "The winner is 1, but its gradient is divided by its value, and the others get none (or nan, where soft is 0). "
            "*Add* something whose value is 0: soft - soft.detach().",
        ),
        Mistake(
            "A threshold instead of the largest",
            lambda soft: (soft > 0.5).to(soft.dtype) + soft - soft.detach(),
            "With three categories the largest may lie below 0.5, and then nothing is chosen: use argmax.",
        ),
        Mistake(
            "A threshold that two may reach",
            lambda soft: (soft >= 0.5).to(soft.dtype) + soft - soft.detach(),
            "The largest may lie below 0.5, and then nothing is chosen; and two may have 0.5 each. Use argmax.",
        ),
        Mistake(
            "Several winners",
            lambda soft: (soft == soft.amax(-1, keepdim=True)).to(soft.dtype) + soft - soft.detach(),
            "Two categories may share the largest value, and both become 1 here. One-hot has one 1; argmax gives the first.",
        ),
        Mistake(
            "The largest number of all samples",
            lambda soft: (soft == soft.max()).to(soft.dtype) + soft - soft.detach(),
            "Each sample has a winner of its own, and exactly one: soft.argmax(-1).",
        ),
        Mistake(
            "The last of equal ones",
            lambda soft: straight_through(soft.flip(-1)).flip(-1),
            "Where two categories share the largest value, the first of them is asked for; argmax gives that.",
        ),
        Mistake(
            "The smallest wins",
            lambda soft: straight_through(-soft).detach() + soft - soft.detach(),
            "The one-hot belongs to the largest soft value: argmax.",
        ),
        Mistake(
            "The largest over the wrong dimension",
            lambda soft: straight_through(soft.transpose(0, -1)).transpose(0, -1),
            "Categories are on the last dimension: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over dimension 0",
            lambda soft: _hard_at(soft.argmax(0), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "Categories are on the last dimension, and there may be several samples: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over dimension 1",
            lambda soft: _hard_at(soft.argmax(1), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "There may be one dimension or three, and the categories are always on the last: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over everything",
            lambda soft: _hard_at(soft.argmax(), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "Without a dimension argmax looks for the one largest number of all samples. Each sample has a winner: argmax(-1).",
        ),
        Mistake(
            "one_hot without the number of categories",
            lambda soft: functional.one_hot(soft.argmax(-1)).to(soft.dtype) + soft - soft.detach(),
            "one_hot guesses the number of categories from the largest index that it sees. Tell it: soft.shape[-1].",
        ),
        Mistake(
            "The index of the winner",
            lambda soft: soft.argmax(-1).to(soft.dtype),
            "argmax gives the place of the largest. Make a one-hot of it, with torch.nn.functional.one_hot.",
        ),
        Mistake(
            "Softmax taken again",
            lambda soft: straight_through(soft.softmax(-1)),
            "The values are right, but the gradient goes through a second softmax. The samples are soft already.",
        ),
        Mistake(
            "The value of the largest",
            lambda soft: soft.max(-1).values,
            "This is how large the winner is. Asked for is a one-hot, as long as the soft sample.",
        ),
    ),
)

EXERCISES = (REPARAMETERIZE, SCORE_GRADIENT_DRAWS, SUBTRACT_BASELINE, GUMBEL_SOFTMAX, STRAIGHT_THROUGH)

PREDICTIONS = (
    Prediction(
        "pathwise_at_a_step",
        ("yes", "no"),
        answer="no",
        because="a step is flat wherever a draw lands, and its jump is never met.",
        wrong={
            "yes": (
                "More draws cure an estimate that is noisy. This one is not noisy: every single draw says 0, and so does "
                "their mean."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_blocks_the_gradient",
        question=(
            "`torch.normal(mean, std)` and `mean + std * noise` give draws of one and the same distribution. Why does a "
            "gradient pass through the second and not through the first?"
        ),
        model=(
            "A sampler hands over a number, and a number has no slope: how it came from mean and std is lost. If the noise "
            "is drawn first, from a distribution without parameters, the draw is an ordinary function of mean and std, and "
            "it can be differentiated."
        ),
        rubric=(
            "the distribution of the draws is the same in both;",
            "the noise must be drawn from something that does not depend on the parameters;",
            "then the draw is a differentiable function of mean and std.",
        ),
    ),
)
