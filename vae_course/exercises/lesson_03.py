"""Exercises of lesson 03: the reparameterized sample, the score function twice, its baseline, and how many draws it takes."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, doubles, numbers, size, sizes, whole
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
            "Twice the variance used as the standard deviation",
            lambda mean, log_var, noise: reparameterize(mean, 2 * log_var, 2 * noise),
            "The standard deviation is the root of the variance, not its double: halve log_var, then take exp.",
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
            "exp taken of the whole sum",
            lambda mean, log_var, noise: torch.exp(mean + 0.5 * log_var * noise),
            "Only log_var / 2 is a log. Take exp of it alone, then multiply by the noise and add the mean.",
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
            "The noise forgotten",
            lambda mean, log_var, noise: reparameterize(mean, log_var, torch.ones_like(noise)),
            "This is always one standard deviation above the mean, and no draw: multiply the standard deviation by the noise.",
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

# --- the score function through autograd ----------------------------------------------------------------------------


def log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log N(z; mean, diag(exp(log_var))), summed over the last dimension, as the lesson has it."""
    return _terms(z, mean, log_var).sum(-1)


def _terms(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log N of each dimension, (samples, dimension)."""
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean).square() / log_var.exp())


def score_surrogate(values: Tensor, log_q: Tensor) -> Tensor:
    return values.detach() * log_q


SCORE_SURROGATE = Exercise(
    task="One number per sample, (samples,), with the gradient f(z) times that of log q(z). None reaches values.",
    reference=score_surrogate,
    cases=lambda: [
        doubles([2.0], [-1.5]),
        doubles([3.0, 0.5], [-0.7, -2.0]),
        doubles([1.0, -2.0, 0.0, 4.0], [-1.0, 0.3, -0.4, -2.5]),
    ],
    generate=lambda g: (numbers(g, count := size(g, 2, 7), low=-3, high=5), numbers(g, count, low=-4, high=1)),
    lesson=lambda g: (torch.randn(200, generator=g).square(), -torch.rand(200, generator=g) - 1),
    gradients=("values", "log_q"),
    hints=(
        "Which product has the gradient f(z) * grad log q(z), if f(z) counts as a plain number?",
        "values times log_q, sample by sample. By the product rule log_q * grad f(z) would come in too: keep it out.",
        "values.detach() * log_q",
    ),
    mistakes=(
        Mistake(
            "The values keep their gradient",
            lambda values, log_q: values * log_q,
            "The value is right, but by the product rule the gradient has a second part, log q times the slope of f: detach "
            "the values.",
        ),
        Mistake(
            "The wrong factor is detached",
            lambda values, log_q: values * log_q.detach(),
            "The gradient must come through log q, which holds mean and log_var. Detach the values, not log_q.",
        ),
        Mistake(
            "Both factors are detached",
            lambda values, log_q: (values * log_q).detach(),
            "Now no gradient comes back at all. Detach the values alone.",
        ),
        Mistake(
            "Forgot the values",
            lambda values, log_q: 1 * log_q,
            "The gradient of log q alone has the mean 0. Each sample's is weighted by its own value.",
        ),
        Mistake(
            "Forgot log_q",
            lambda values, log_q: 1 * values.detach(),
            "A detached value has no gradient. Multiply it by log_q, through which the gradient comes.",
        ),
        Mistake(
            "Wrong sign",
            lambda values, log_q: -score_surrogate(values, log_q),
            "With a minus this climbs where it should descend. Values are costs here, and no rewards.",
        ),
        Mistake(
            "Added instead of multiplied",
            lambda values, log_q: values.detach() + log_q,
            "The gradient of a sum is that of log q, unweighted. Multiply.",
        ),
        Mistake(
            "Subtracted instead of multiplied",
            lambda values, log_q: values.detach() - log_q,
            "The gradient of a difference does not weigh log q by the values. Multiply.",
        ),
        Mistake(
            "Divided instead of multiplied",
            lambda values, log_q: log_q / values.detach(),
            "Large values are to weigh more, not less: multiply.",
        ),
        Mistake(
            "The density, not its log",
            lambda values, log_q: values.detach() * log_q.exp(),
            "Likely samples already come up more often. The gradient is that of log q, not of q.",
        ),
        Mistake(
            "The log of the log",
            lambda values, log_q: values.detach() * log_q.log(),
            "log_q is a log already, and mostly negative.",
        ),
        Mistake(
            "The logs of the values",
            lambda values, log_q: values.detach().log() * log_q,
            "Only the density is in logs. The values are costs, and may be negative.",
        ),
        Mistake(
            "A ratio of densities",
            lambda values, log_q: values.detach() * (log_q - log_q.detach()).exp(),
            "The gradient is right, and some programs do it so. But asked for is the product with log q itself.",
        ),
        Mistake(
            "The mean of the values for every sample",
            lambda values, log_q: values.mean().detach() * log_q,
            "Weigh each sample's log q by its own value: only that tells good samples from bad ones.",
        ),
        Mistake(
            "A baseline subtracted already",
            lambda values, log_q: (values - values.mean()).detach() * log_q,
            "Use the values as they are given. The baseline is an exercise of its own, further on.",
        ),
        Mistake(
            "Averaged over the samples",
            lambda values, log_q: score_surrogate(values, log_q).mean(),
            "Return one number per sample. The mean is taken where the function is used.",
        ),
        Mistake(
            "Summed over the samples",
            lambda values, log_q: score_surrogate(values, log_q).sum(),
            "Return one number per sample, and add nothing up.",
        ),
        Mistake(
            "Every value with every log density",
            lambda values, log_q: values.detach()[:, None] * log_q,
            "Each sample has one value and one log density: multiply them as they stand, without [:, None].",
        ),
    ),
)

# --- the score function by hand ---------------------------------------------------------------------------------------------


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


SCORE_GRADIENT_DRAWS = Exercise(
    task="The draws f(z) * (gradient of log N(z; mean, exp(log_var)) with respect to mean): (samples, dimension).",
    reference=score_gradient_draws,
    cases=_values_and_draws,
    generate=_drawn_values_and_draws,
    lesson=_lesson_values_and_draws,
    hints=(
        "The gradient points to where draws with a large f become likelier (descent goes the other way). So each draw's "
        "value weighs the slope of its own log density.",
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
                values * log_density(z, mean, log_var).exp(), z, mean, log_var
            ),
            "Likely draws already come up more often. The gradient is of log q, not of q.",
        ),
        Mistake(
            "The log density, not its gradient",
            lambda values, z, mean, log_var: values * log_density(z, mean, log_var),
            "This is f(z) log q(z). Its derivative with respect to mean is asked for: f(z) (z - mean) / variance.",
        ),
        Mistake(
            "The log density of every dimension, not its gradient",
            lambda values, z, mean, log_var: values[:, None] * _terms(z, mean, log_var),
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
            "Value minus baseline: a draw that cost more than the others must come out positive.",
        ),
        Mistake(
            "The plain mean, and the wrong sign",
            lambda values: values.mean() - values,
            "Two things: value minus baseline, so that a draw that cost more than the others comes out positive; and the "
            "mean includes the sample itself, which must be left out.",
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

# --- how many draws a recipe needs ----------------------------------------------------------------------------------


def draws_needed(gradients: Tensor, standard_error: float) -> Tensor:
    return gradients.var() / standard_error**2


DRAWS_NEEDED = Exercise(
    task="How many draws bring the mean of such gradients (samples,) to the wanted standard error. Not rounded.",
    reference=draws_needed,
    cases=lambda: [
        (double([1.0, 3.0]), 0.5),
        (double([0.0, 0.0, 6.0]), 2.0),
        (double([-1.0, 0.5, 2.0, 2.5]), 0.15),
        (double([4.0, 4.0, 4.0]), 0.3),  # no spread, no draws needed
    ],
    generate=lambda g: (numbers(g, size(g, 2, 7), low=-3, high=5), size(g, 1, 30) / 10),
    lesson=lambda g: (torch.randn(200, generator=g) + 1.5, 0.01),
    plain_number=True,
    hints=(
        "The standard error of a mean is the standard deviation of the draws, divided by the square root of their number.",
        "Set std / sqrt(n) equal to the standard error that is wanted, and solve for n: the square root goes away.",
        "n is the variance over the square of the standard error: gradients.var() / standard_error**2.",
    ),
    mistakes=(
        Mistake(
            "The standard deviation in place of the variance",
            lambda gradients, standard_error: gradients.std() / standard_error**2,
            "Solve std / sqrt(n) = standard_error for n: both sides are squared, so std becomes the variance.",
        ),
        Mistake(
            "The standard error is not squared",
            lambda gradients, standard_error: gradients.var() / standard_error,
            "Solve std / sqrt(n) = standard_error for n: both sides are squared, the standard error too.",
        ),
        Mistake(
            "Neither is squared",
            lambda gradients, standard_error: gradients.std() / standard_error,
            "This is sqrt(n). For half of the error it takes four times as many draws: square the ratio.",
        ),
        Mistake(
            "Counted in sets of these draws",
            lambda gradients, standard_error: gradients.var() / len(gradients) / standard_error**2,
            "This says how many times as many draws as there are here. Multiply by len(gradients).",
        ),
        Mistake(
            "The standard error over the wanted one",
            lambda gradients, standard_error: gradients.std() / len(gradients) ** 0.5 / standard_error,
            "The standard error of the draws at hand over the wanted one is no number of draws yet: it falls like 1 / sqrt(n). "
            "Solve std / sqrt(n) = standard_error for n.",
        ),
        Mistake(
            "The ratio of the two errors is not squared",
            lambda gradients, standard_error: gradients.std() * len(gradients) ** 0.5 / standard_error,
            "For half of the error it takes four times as many draws, not twice: square the ratio of the two errors.",
        ),
        Mistake(
            "Squares that are not counted from the mean",
            lambda gradients, standard_error: gradients.square().mean() / standard_error**2,
            "What counts is the spread round the mean, the variance, not the size of the gradients.",
        ),
        Mistake(
            "The variance divided by n",
            lambda gradients, standard_error: gradients.var(correction=0) / standard_error**2,
            "The mean was taken of the same draws, so their squares are divided by n - 1, as .var() does by itself.",
        ),
        Mistake(
            "The squares only added up",
            lambda gradients, standard_error: gradients.var() * (len(gradients) - 1) / standard_error**2,
            "The variance is an average: divide the sum of the squares by n - 1, or use .var().",
        ),
        Mistake(
            "The standard deviation divided by n",
            lambda gradients, standard_error: gradients.std(correction=0) / standard_error**2,
            "It is the variance that counts, and it divides by n - 1, as .var() does by itself.",
        ),
        Mistake(
            "Upside down",
            lambda gradients, standard_error: standard_error**2 / gradients.var(),
            "A noisier gradient needs more draws, and so does a smaller error: the variance belongs on top.",
        ),
        Mistake(
            "Multiplied by the standard error",
            lambda gradients, standard_error: gradients.var() * standard_error**2,
            "The smaller the error, the more draws it takes: divide.",
        ),
        Mistake(
            "For each draw by itself",
            lambda gradients, standard_error: (gradients - gradients.mean()).square() / standard_error**2,
            "One number is asked for, for all of the draws together: the variance is an average of these squares.",
        ),
        Mistake(
            "Rounded up",
            lambda gradients, standard_error: (gradients.var() / standard_error**2).ceil(),
            "Nobody can draw half a time, and so it is right to round up in the end. Asked for is the number before that.",
        ),
        Mistake(
            "Rounded down",
            lambda gradients, standard_error: (gradients.var() / standard_error**2).floor(),
            "Asked for is the number as it comes. To round down would even leave the error a little above the wanted one.",
        ),
        Mistake(
            "Rounded",
            lambda gradients, standard_error: (gradients.var() / standard_error**2).round(),
            "Asked for is the number as it comes, without rounding.",
        ),
    ),
)

EXERCISES = (REPARAMETERIZE, SCORE_SURROGATE, SCORE_GRADIENT_DRAWS, SUBTRACT_BASELINE, DRAWS_NEEDED)

PREDICTIONS = (
    Prediction(
        "coupled_dimensions",
        ("stays", "grows"),
        answer="grows",
        because="the slope for one dimension now depends on the draws of all the others.",
        wrong={
            "stays": (
                "It stayed where the cost was a sum over dimensions, for then the slope in one of them does not depend on the "
                "others. Here the total is squared, so every draw of every dimension is in every slope."
            ),
        },
    ),
    Prediction(
        "pathwise_at_a_step",
        ("the density", "0", "an error"),
        answer="0",
        because="a step is flat wherever a draw lands, its jump is never met, and torch.sign passes on a slope of 0 unasked.",
        wrong={
            "the density": (
                "More draws cure an estimate that is noisy. This one is not noisy: every single draw says 0, and so does "
                "their mean."
            ),
            "an error": (
                "That would be the honest answer, and a cost written as (z > 0) gets it. But torch.sign has a slope as far as "
                "PyTorch is concerned, 0 everywhere, and so a number comes back."
            ),
        },
    ),
    Prediction(
        "surer_encoder",
        ("falls to 0", "hardly changes"),
        answer="hardly changes",
        because="the second noise has std 1 whatever the encoder says, and nearly all of the variance is its.",
        wrong={
            "falls to 0": (
                "With noise once it would. But the variances add up, and of std² + 1 the encoder governs only the first term: "
                "making that smaller leaves the 1."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "a_die_moved_out",
        question=(
            "The six probabilities of a loaded die are to be learned by gradients, and the number it shows goes into a cost. "
            "Can its roll be written as noise without parameters that is shaped afterwards, as the Gaussian was? And what goes "
            "wrong?"
        ),
        model=(
            "Yes: draw a number between 0 and 1, lay the six probabilities end to end on that line, and see in which of them "
            "it falls. The noise is outside now, but what the die shows is a step function of the probabilities: it stays as "
            "it is or jumps. Its slope is 0, and the gradient that comes back is 0 again."
        ),
        rubric=(
            "the roll can be written as a function of the probabilities and of noise that does not depend on them;",
            "that function has jumps, and between them its slope is 0;",
            "so noise outside is not enough: the draw must change smoothly with the parameters, as mean + std · noise does.",
        ),
    ),
    Explanation(
        "a_baseline_of_others",
        question=(
            "Why may the baseline of a draw not contain that draw's own cost, and why may it contain the costs of the others?"
        ),
        model=(
            "A baseline drops out of the average because it is the same number whatever this draw turns out to be, so that it "
            "can be taken out in front of an average of $\\nabla \\log q$, which is 0. The draw's own cost is not the same "
            "number: it moves with the draw, and with the mean of all $n$ costs a part $1/n$ of the gradient itself is "
            "subtracted. The others are drawn independently of this draw, so whatever they cost, to it that is a plain number."
        ),
        rubric=(
            "what is subtracted has the average 0 only if the baseline does not depend on the draw;",
            "the draw's own cost does depend on it, and takes a part of the gradient away;",
            "the other draws are independent of this one.",
        ),
    ),
)
