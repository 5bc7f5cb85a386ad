"""Exercises of lesson 03: the reparameterized sample, the score function, its baseline, and soft discrete choices."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensors(*rows: list[object]) -> Arguments:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


# --- the reparameterized sample -------------------------------------------------------------------------------------


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    return mean + torch.exp(0.5 * log_var) * noise


def _means_and_noise() -> list[Arguments]:
    return [
        _tensors([1.0], [0.8], [0.5]),
        _tensors([0.5, -1.0], [-1.5, 0.6], [1.2, -0.7]),
        _tensors([[0.0, 2.0], [-1.0, 0.3]], [[0.4, -2.0], [1.0, 0.0]], [[-0.3, 1.5], [0.8, -1.1]]),
    ]


REPARAMETERIZE = Exercise(
    task="A draw of N(mean, diag(exp(log_var))) made from noise of N(0, I), so that gradients reach mean and log_var.",
    reference=reparameterize,
    cases=_means_and_noise,
    gradients=("mean", "log_var"),
    hints=(
        "Stretch the noise by the standard deviation, then shift it by the mean.",
        "exp(log_var) is the variance; its square root, exp(log_var / 2), is the standard deviation.",
        "mean + torch.exp(0.5 * log_var) * noise, with no detach, no .data and no torch.no_grad().",
    ),
    mistakes=(
        Mistake(
            "The variance used as the standard deviation",
            lambda mean, log_var, noise: mean + torch.exp(log_var) * noise,
            "exp(log_var) is the variance. The noise is stretched by its square root, exp(log_var / 2).",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda mean, log_var, noise: mean + log_var * noise,
            "log_var is the log of the variance and may be negative; the standard deviation is exp(log_var / 2).",
        ),
        Mistake(
            "The root of log_var",
            lambda mean, log_var, noise: mean + torch.sqrt(log_var) * noise,
            "The square root belongs to the variance, exp(log_var); log_var itself is often negative and has no root.",
        ),
        Mistake(
            "log_var used with the wrong sign",
            lambda mean, log_var, noise: mean + torch.exp(-0.5 * log_var) * noise,
            "exp(-log_var / 2) is 1 / std, which belongs in a density. A sample is multiplied by std.",
        ),
        Mistake(
            "The path is cut",
            lambda mean, log_var, noise: (mean + torch.exp(0.5 * log_var) * noise).detach(),
            "The values are right, but no gradient comes back: take out detach, .data, torch.no_grad() or torch.tensor(...).",
        ),
        Mistake(
            "The path to log_var is cut",
            lambda mean, log_var, noise: mean + torch.exp(0.5 * log_var).detach() * noise,
            "The values are right and mean gets its gradient, but log_var gets none: do not detach the standard deviation.",
        ),
        Mistake(
            "The path to mean is cut",
            lambda mean, log_var, noise: mean.detach() + torch.exp(0.5 * log_var) * noise,
            "The values are right and log_var gets its gradient, but mean gets none: do not detach it.",
        ),
        Mistake(
            "Missing mean",
            lambda mean, log_var, noise: torch.exp(0.5 * log_var) * noise,
            "This is a draw of N(0, std^2): shift it by the mean.",
        ),
        Mistake(
            "The noise has no scale",
            lambda mean, log_var, noise: mean + noise,
            "This is a draw of N(mean, 1), whatever log_var says: multiply the noise by the standard deviation.",
        ),
        Mistake(
            "The mean is scaled too",
            lambda mean, log_var, noise: torch.exp(0.5 * log_var) * (mean + noise),
            "Only the noise is stretched: the mean is added afterwards.",
        ),
    ),
)

# --- the score function ---------------------------------------------------------------------------------------------


def score_gradient_draws(values: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return values[:, None] * (z - mean) / log_var.exp()


def _values_and_draws() -> list[Arguments]:
    return [
        _tensors([3.0, 0.5], [[1.5], [-0.4]], [0.5], [0.7]),
        _tensors([1.0, -2.0, 0.5], [[0.3, 1.0], [2.0, -1.0], [0.1, 0.4]], [0.5, -0.5], [-1.0, 1.2]),
    ]


def _with_density(values: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    square = (z - mean).square() / log_var.exp()
    density = torch.exp(-0.5 * (math.log(2 * math.pi) + log_var + square).sum(-1))
    return score_gradient_draws(values * density, z, mean, log_var)


SCORE_GRADIENT_DRAWS = Exercise(
    task="The draws f(z) * (gradient of log N(z; mean, exp(log_var)) with respect to mean): (samples, dimension).",
    reference=score_gradient_draws,
    cases=_values_and_draws,
    hints=(
        "log N is -(z - mean)^2 / (2 variance) and terms without the mean. Differentiate that with respect to mean.",
        "The score is (z - mean) / variance, with variance = log_var.exp().",
        "values has shape (samples,): values[:, None] lets it multiply every dimension of its own draw.",
    ),
    mistakes=(
        Mistake(
            "Divided by the standard deviation",
            lambda values, z, mean, log_var: values[:, None] * (z - mean) / torch.exp(0.5 * log_var),
            "The derivative of (z - mean)^2 / (2 variance) keeps the variance below the line.",
        ),
        Mistake(
            "Wrong sign",
            lambda values, z, mean, log_var: values[:, None] * (mean - z) / log_var.exp(),
            "A draw above the mean becomes likelier as the mean rises, so its score (z - mean) / variance is positive.",
        ),
        Mistake(
            "Forgot the values",
            lambda values, z, mean, log_var: (z - mean) / log_var.exp(),
            "This is the score alone, whose mean is 0. Weight each draw's score by its own f(z).",
        ),
        Mistake(
            "Averaged already",
            lambda values, z, mean, log_var: (values[:, None] * (z - mean) / log_var.exp()).mean(0),
            "Return one gradient for each draw, (samples, dimension): their spread gives the standard error.",
        ),
        Mistake(
            "Multiplied by the variance",
            lambda values, z, mean, log_var: values[:, None] * (z - mean) * log_var.exp(),
            "A narrow Gaussian reacts strongly to a shift of its mean: divide by the variance.",
        ),
        Mistake(
            "Not divided by the variance",
            lambda values, z, mean, log_var: values[:, None] * (z - mean),
            "That is right for variance 1 only. The score is (z - mean) / variance.",
        ),
        Mistake(
            "log_var read as the variance",
            lambda values, z, mean, log_var: values[:, None] * (z - mean) / log_var,
            "log_var is the log of the variance; divide by log_var.exp().",
        ),
        Mistake(
            "The draws are weighted by their density again",
            _with_density,
            "Likely draws already come up more often. The gradient is of log q, not of q.",
        ),
        Mistake(
            "The gradient for log_var",
            lambda values, z, mean, log_var: values[:, None] * 0.5 * ((z - mean).square() / log_var.exp() - 1),
            "This is the score with respect to log_var, and right; the exercise asks for the one with respect to mean.",
        ),
    ),
)

# --- the leave-one-out baseline -------------------------------------------------------------------------------------


def subtract_baseline(values: Tensor) -> Tensor:
    others = (values.sum() - values) / (len(values) - 1)
    return values - others


SUBTRACT_BASELINE = Exercise(
    task="From each of the values (samples,), subtract the mean over the other samples. At least two samples.",
    reference=subtract_baseline,
    cases=lambda: [_tensors([1.0, 4.0]), _tensors([3.0, 5.0, 10.0]), _tensors([-1.0, 0.5, 2.0, 2.5, 7.0])],
    hints=(
        "Each sample has a baseline of its own, made of all samples but itself.",
        "The sum over the others is values.sum() - values, for all samples at once.",
        "There are len(values) - 1 others: divide by that, then subtract from values.",
    ),
    mistakes=(
        Mistake(
            "The plain mean",
            lambda values: values - values.mean(),
            "The mean includes the sample itself, which shrinks every gradient by the factor (n - 1) / n on average: a bias.",
        ),
        Mistake(
            "Divided by n",
            lambda values: values - (values.sum() - values) / len(values),
            "The sum over the others has n - 1 terms: divide by len(values) - 1.",
        ),
        Mistake(
            "The sum includes the sample itself",
            lambda values: values - values.sum() / (len(values) - 1),
            "Take each value out of the sum before you divide: values.sum() - values.",
        ),
        Mistake(
            "Wrong sign",
            lambda values: (values.sum() - values) / (len(values) - 1) - values,
            "Value minus baseline: a draw that did better than the others must come out positive.",
        ),
        Mistake(
            "Only the baseline",
            lambda values: (values.sum() - values) / (len(values) - 1),
            "This is the mean over the others. Subtract it from the values.",
        ),
        Mistake(
            "Added the baseline",
            lambda values: values + (values.sum() - values) / (len(values) - 1),
            "Adding is unbiased too, but it makes the values larger and the variance with them. Subtract.",
        ),
        Mistake(
            "Divided by the standard deviation too",
            lambda values: (values - values.mean()) / values.std(),
            "That changes the gradient's length, and the divisor depends on the sample itself: a bias. Only subtract.",
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
        ([1.0, 0.0, -1.0], [0.3, 0.6, 0.9], 2.0),
        ([[0.5, 0.1, -0.4], [2.0, 0.0, 1.0]], [[0.2, 0.8, 0.5], [0.35, 0.95, 0.6]], 0.7),
    ]
    return [(*_tensors(logits, uniform), temperature) for logits, uniform, temperature in rows]


def _gumbel(uniform: Tensor) -> Tensor:
    return -torch.log(-torch.log(uniform))


GUMBEL_SOFTMAX = Exercise(
    task="A soft sample from softmax(logits), made from uniform noise in (0, 1) at a temperature: (..., categories).",
    reference=gumbel_softmax,
    cases=_logits_and_noise,
    hints=(
        "First turn the uniform noise u into Gumbel noise, -log(-log u).",
        "Add it to the logits. The temperature divides the sum of both.",
        "torch.softmax((logits + gumbel) / temperature, dim=-1)",
    ),
    mistakes=(
        Mistake(
            "The sign of the Gumbel noise",
            lambda logits, uniform, temperature: torch.softmax((logits - _gumbel(uniform)) / temperature, dim=-1),
            "Gumbel noise is -log(-log u), and it is added. It is not symmetric, so its sign matters.",
        ),
        Mistake(
            "Only one logarithm",
            lambda logits, uniform, temperature: torch.softmax((logits - torch.log(uniform)) / temperature, dim=-1),
            "-log u is exponential noise. Gumbel noise takes the log once more: -log(-log u).",
        ),
        Mistake(
            "The logarithm of a negative number",
            lambda logits, uniform, temperature: torch.softmax((logits - torch.log(torch.log(uniform))) / temperature, dim=-1),
            "log u is negative, so its log is nan: the inner minus sign is missing in -log(-log u).",
        ),
        Mistake(
            "Uniform noise added",
            lambda logits, uniform, temperature: torch.softmax((logits + uniform) / temperature, dim=-1),
            "Turn the uniform noise into Gumbel noise first, -log(-log u); only that makes the argmax an exact sample.",
        ),
        Mistake(
            "Multiplied by the temperature",
            lambda logits, uniform, temperature: torch.softmax((logits + _gumbel(uniform)) * temperature, dim=-1),
            "Cold must mean decided: a small temperature makes the differences large, so divide by it.",
        ),
        Mistake(
            "Only the noise is divided",
            lambda logits, uniform, temperature: torch.softmax(logits + _gumbel(uniform) / temperature, dim=-1),
            "Divide the sum of logits and noise, or the argmax is no longer a sample of softmax(logits).",
        ),
        Mistake(
            "The noise is outside the temperature",
            lambda logits, uniform, temperature: torch.softmax(logits / temperature + _gumbel(uniform), dim=-1),
            "Divide the sum of logits and noise: here the noise escapes the temperature, and never becomes decided.",
        ),
        Mistake(
            "Softmax over the wrong dimension",
            lambda logits, uniform, temperature: torch.softmax((logits + _gumbel(uniform)) / temperature, dim=0),
            "Categories are on the last dimension, dim=-1; the others hold independent choices.",
        ),
        Mistake(
            "Noise added to probabilities",
            lambda logits, uniform, temperature: torch.softmax(
                (torch.softmax(logits, dim=-1) + _gumbel(uniform)) / temperature, dim=-1
            ),
            "The noise is added to the logits themselves (log probabilities), before any softmax.",
        ),
        Mistake(
            "No noise",
            lambda logits, uniform, temperature: torch.softmax(logits / temperature, dim=-1),
            "Without noise every sample is the same. Add -log(-log u) to the logits.",
        ),
        Mistake(
            "A hard choice",
            lambda logits, uniform, temperature: functional.one_hot(
                (logits + _gumbel(uniform)).argmax(-1), logits.shape[-1]
            ).double(),
            "This is the exact sample, but argmax passes no gradient on: replace it by a softmax with a temperature.",
        ),
    ),
)

# --- straight through -----------------------------------------------------------------------------------------------


def straight_through(soft: Tensor) -> Tensor:
    hard = torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return hard + (soft - soft.detach())


def _hard(soft: Tensor) -> Tensor:
    return functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)


STRAIGHT_THROUGH = Exercise(
    task="From soft samples (..., categories): the value is the one-hot of the largest, the gradient that of the soft sample.",
    reference=straight_through,
    cases=lambda: [
        _tensors([0.3, 0.7]),
        _tensors([0.4, 0.35, 0.25]),
        _tensors([[0.1, 0.2, 0.7], [0.45, 0.3, 0.25]]),
    ],
    gradients=("soft",),
    hints=(
        "torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]) is the hard value, as integers and without a gradient.",
        "Add something whose value is 0 and whose gradient is that of soft.",
        "soft - soft.detach() is 0, and autograd sees only its first half.",
    ),
    mistakes=(
        Mistake(
            "The gradient is lost",
            lambda soft: _hard(soft),
            "The values are right, but argmax has no gradient. Add soft - soft.detach(): it is 0, and carries the gradient.",
        ),
        Mistake(
            "The value is still soft",
            lambda soft: soft + 0.0,
            "The value must be exactly one-hot; only the gradient is that of the soft sample.",
        ),
        Mistake(
            "The wrong half is detached",
            lambda soft: _hard(soft) + soft.detach() - soft,
            "The values are right, but the gradient has the wrong sign: detach the half that is subtracted.",
        ),
        Mistake(
            "The soft value is not taken off again",
            lambda soft: _hard(soft) + soft,
            "The gradient is right, but the value is one-hot plus soft: subtract soft.detach().",
        ),
        Mistake(
            "The soft sample is masked",
            lambda soft: _hard(soft) * soft,
            "Masking keeps the winner's weight below 1 and passes no gradient to the others.",
        ),
        Mistake(
            "A threshold instead of the largest",
            lambda soft: (soft > 0.5).to(soft.dtype) + soft - soft.detach(),
            "With three categories the largest may lie below 0.5, and then nothing is chosen: use argmax.",
        ),
        Mistake(
            "The largest over the wrong dimension",
            lambda soft: (soft == soft.max(0).values).to(soft.dtype) + soft - soft.detach(),
            "Categories are on the last dimension: soft.argmax(-1).",
        ),
    ),
)

EXERCISES = (REPARAMETERIZE, SCORE_GRADIENT_DRAWS, SUBTRACT_BASELINE, GUMBEL_SOFTMAX, STRAIGHT_THROUGH)
