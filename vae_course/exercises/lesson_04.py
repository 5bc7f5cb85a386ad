"""Exercises of lesson 04: Bayes' rule in logs, importance weights, the ELBO of few states and from draws, many samples,
and how much codes tell.
"""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- the exact posterior --------------------------------------------------------------------------------------------


def exact_posterior(log_prior: Tensor, log_likelihood: Tensor) -> Tensor:
    return torch.softmax(log_prior + log_likelihood, dim=-1)


def _states() -> list[Arguments]:
    half, third = math.log(1 / 2), math.log(1 / 3)
    return [
        doubles([half, half], [math.log(0.8), math.log(0.2)]),
        doubles([math.log(0.7), math.log(0.3)], [math.log(0.1), math.log(0.8)]),
        doubles([math.log(0.3), math.log(0.7)], [-math.inf, math.log(0.3)]),
        doubles([math.log(0.6), math.log(0.3), math.log(0.1)], [-1.0, -2.0, -0.5]),
        doubles([third, third, third], [-1000.0, -1001.0, -1003.0]),
    ]


def _drawn_states(generator: Generator, far: bool = True) -> Arguments:
    """Moderate logs, logs near -1000 (if ``far``), or a state that is impossible: by its likelihood or by the prior."""
    states, kind = size(generator, 2, 6), size(generator, 0, 3)
    log_prior = probabilities(generator, states, zeros=kind == 3).log()
    log_likelihood = numbers(generator, states, low=-4, high=1)
    if kind == 1 and far:
        log_likelihood = log_likelihood - 1000
    if kind == 2:
        log_likelihood[size(generator, 0, states - 1)] = -math.inf
    return log_prior, log_likelihood


def _lesson_states(generator: Generator) -> Arguments:
    log_prior = torch.log_softmax(torch.randn(50, generator=generator), dim=-1)
    return log_prior, 2 * torch.randn(50, generator=generator) - 3


POSTERIOR = Exercise(
    task="The posterior p(z given x) of every state, (states,), from log p(z) and log p(x given z), both (states,). Some "
    "states may be impossible, with log 0 = -inf, but not all.",
    reference=exact_posterior,
    cases=_states,
    generate=_drawn_states,
    lesson=_lesson_states,
    hints=(
        "Bayes: p(z) p(x given z), divided by the sum of that over the states. In logs the product is a sum.",
        "The exp of log p(x given z) is 0 to a computer for a picture of many pixels. Subtract the largest log first.",
        "torch.softmax(logs, dim=-1) does all of it: subtracts the largest, takes exp, divides by the sum.",
    ),
    mistakes=(
        Mistake(
            "Forgot the prior",
            lambda log_prior, log_likelihood: exact_posterior(torch.zeros_like(log_prior), log_likelihood),
            "You probably normalized the likelihood alone. Rare states stay rare: add log_prior before the softmax.",
        ),
        Mistake(
            "Forgot the likelihood",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, torch.zeros_like(log_likelihood)),
            "This is the prior, what was believed before x was seen. Add log_likelihood.",
        ),
        Mistake(
            "Divided by the prior",
            lambda log_prior, log_likelihood: exact_posterior(-log_prior, log_likelihood),
            "Bayes multiplies prior and likelihood, so their logs are added, not subtracted.",
        ),
        Mistake(
            "Divided by the likelihood",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, -log_likelihood),
            "Bayes multiplies prior and likelihood, so their logs are added, not subtracted.",
        ),
        Mistake(
            "A minus in front of the logs",
            lambda log_prior, log_likelihood: exact_posterior(-log_prior, -log_likelihood),
            "With a minus the least likely state wins. softmax wants the logs as they are.",
        ),
        Mistake(
            "Not normalized",
            lambda log_prior, log_likelihood: (log_prior + log_likelihood).exp(),
            "This is the joint p(z) p(x given z); it sums to p(x). Divide by its sum over the states.",
        ),
        Mistake(
            "Normalized by the largest",
            lambda log_prior, log_likelihood: (
                log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1, keepdim=True)
            ).exp(),
            "Taking the largest log out is only the first step: divide by the sum over the states as well.",
        ),
        Mistake(
            "Softmax of probabilities",
            lambda log_prior, log_likelihood: torch.softmax((log_prior + log_likelihood).exp(), dim=-1),
            "softmax takes exp itself, so it wants *logs*. Fed with probabilities, it makes everything nearly equal.",
        ),
        Mistake(
            "Softmax of added probabilities",
            lambda log_prior, log_likelihood: torch.softmax(log_prior.exp() + log_likelihood.exp(), dim=-1),
            "softmax takes exp itself, so it wants *logs*: give it log_prior + log_likelihood as they are.",
        ),
        Mistake(
            "Softmax taken twice",
            lambda log_prior, log_likelihood: exact_posterior(log_prior, log_likelihood).softmax(-1),
            "The first softmax gives the posterior. A second one takes its probabilities for logs.",
        ),
        Mistake(
            "Prior and likelihood added as probabilities",
            lambda log_prior, log_likelihood: (
                (log_prior.exp() + log_likelihood.exp()) / (log_prior.exp() + log_likelihood.exp()).sum(-1, keepdim=True)
            ),
            "p(z) and p(x given z) are multiplied; it is their logs that are added.",
        ),
        Mistake(
            "The prior is not a log",
            lambda log_prior, log_likelihood: torch.softmax(log_prior.exp() + log_likelihood, dim=-1),
            "A probability is added to a log here. softmax wants logs: log_prior as it is given.",
        ),
        Mistake(
            "Two distributions added",
            lambda log_prior, log_likelihood: log_prior.softmax(-1) + log_likelihood.softmax(-1),
            "p(z) and p(x given z) are multiplied, and then normalized: one softmax, of the sum of their logs.",
        ),
        Mistake(
            "The logs are multiplied",
            lambda log_prior, log_likelihood: torch.softmax(log_prior * log_likelihood, dim=-1),
            "p(z) and p(x given z) are multiplied, so their logs are added.",
        ),
        Mistake(
            "Normalized each, then multiplied",
            lambda log_prior, log_likelihood: log_prior.softmax(-1) * log_likelihood.softmax(-1),
            "The product of two distributions does not add up to 1. Multiply first, by adding the logs, and normalize last.",
        ),
        Mistake(
            "The logs divided by their sum",
            lambda log_prior, log_likelihood: (log_prior + log_likelihood) / (log_prior + log_likelihood).sum(-1, keepdim=True),
            "It is probabilities that are divided by their sum. Take exp of the logs first; softmax does both.",
        ),
        Mistake(
            "The shifted logs divided by their sum",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1))
                / (log_prior + log_likelihood - (log_prior + log_likelihood).amax(-1)).sum(-1)
            ),
            "Taking the largest log out is right, but then exp is missing: probabilities are divided by their sum, not logs.",
        ),
        Mistake(
            "The likelihood is left as a log",
            lambda log_prior, log_likelihood: log_prior.exp() * log_likelihood / (log_prior.exp() * log_likelihood).sum(-1),
            "A probability is multiplied with a log here. Add the two logs, then take the softmax.",
        ),
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood).exp() / (log_prior + log_likelihood).exp().sum(-1, keepdim=True)
            ),
            "Right on paper, but exp(-1000) is 0 to a computer. Subtract the largest log first; torch.softmax does.",
        ),
        Mistake(
            "Underflow, hidden by a small number in the divisor",
            lambda log_prior, log_likelihood: (
                (log_prior + log_likelihood).exp() / ((log_prior + log_likelihood).exp().sum(-1, keepdim=True) + 1e-12)
            ),
            "exp(-1000) is 0 to a computer, and 0 / 1e-12 is 0 for every state. Subtract the largest log first, or use "
            "torch.softmax.",
        ),
        Mistake(
            "Log probabilities where probabilities were asked",
            lambda log_prior, log_likelihood: torch.log_softmax(log_prior + log_likelihood, dim=-1),
            "These are the logs of the right answer: take exp, or use softmax in place of log_softmax.",
        ),
        Mistake(
            "The log joint",
            lambda log_prior, log_likelihood: log_prior + log_likelihood,
            "This is log p(z) + log p(x given z), the log of the joint. Normalize it over the states, with a softmax.",
        ),
        Mistake(
            "The log evidence",
            lambda log_prior, log_likelihood: torch.logsumexp(log_prior + log_likelihood, dim=-1),
            "This is log p(x), one number. The posterior has a probability for every state: exp(log joint - log p(x)).",
        ),
        Mistake(
            "A sigmoid in place of the softmax",
            lambda log_prior, log_likelihood: torch.sigmoid(log_prior + log_likelihood),
            "A sigmoid looks at each state alone. The states compete, and their probabilities add up to 1: use a softmax.",
        ),
        Mistake(
            "Only the likeliest state",
            lambda log_prior, log_likelihood: functional.one_hot(
                exact_posterior(log_prior, log_likelihood).argmax(-1), log_prior.shape[-1]
            ),
            "The posterior keeps a probability for every state, not only the best guess.",
        ),
    ),
)

# --- importance weights ---------------------------------------------------------------------------------------------


def log_importance_weights(log_likelihood: Tensor, z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    squared_distance = (z - mean).square() / log_var.exp()
    log_prior = -0.5 * (math.log(2 * math.pi) + z.square()).sum(-1)
    log_q = -0.5 * (math.log(2 * math.pi) + log_var + squared_distance).sum(-1)
    return log_likelihood + log_prior - log_q


def _few_draws() -> list[Arguments]:
    return [
        doubles([[-1.0]], [[[0.5]]], [[1.0]], [[0.4]]),
        doubles([[-1.0], [-2.5], [0.3]], [[[0.5]], [[-1.0]], [[2.0]]], [[1.0]], [[-0.8]]),
        doubles([[-2.0, -0.5]], [[[0.3, 1.0], [-0.6, 0.2]]], [[0.5, -0.5], [1.0, 0.2]], [[-1.0, 1.2], [0.3, 0.8]]),
        doubles([[-1000.0]], [[[1.5, -0.5, 0.2]]], [[0.5, 0.5, 0.3]], [[0.1, 1.1, -0.6]]),
    ]


def _drawn_draws(generator: Generator) -> Arguments:
    samples, batch, latent = sizes(generator, 3, 1, 5)
    return (
        numbers(generator, samples, batch, low=-6, high=1),
        numbers(generator, samples, batch, latent),
        numbers(generator, batch, latent, low=-1, high=1),
        numbers(generator, batch, latent, low=-2, high=1),
    )


def _lesson_draws(generator: Generator) -> Arguments:
    mean, log_var = torch.randn(20, 2, generator=generator), torch.randn(20, 2, generator=generator) - 1
    z = mean + torch.exp(0.5 * log_var) * torch.randn(100, 20, 2, generator=generator)
    return torch.randn(100, 20, generator=generator) - 3, z, mean, log_var


def _log_prior(z: Tensor) -> Tensor:
    return _prior_terms(z).sum(-1)


def _log_q(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return _q_terms(z, mean, log_var).sum(-1)


def _prior_terms(z: Tensor) -> Tensor:
    """log p(z) of each latent dimension by itself."""
    return -0.5 * (math.log(2 * math.pi) + z.square())


def _q_terms(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """log q(z) of each latent dimension by itself."""
    return -0.5 * (math.log(2 * math.pi) + log_var + (z - mean).square() / log_var.exp())


LOG_WEIGHTS = Exercise(
    task="log of p(x, z) / q(z given x) of every draw, (samples, batch), in nats: from log p(x given z), (samples, batch), the "
    "draws z, (samples, batch, latent), and q's mean and log_var, (batch, latent). The prior of z is N(0, I).",
    reference=log_importance_weights,
    cases=_few_draws,
    generate=_drawn_draws,
    lesson=_lesson_draws,
    gradients=("log_likelihood", "z", "mean", "log_var"),
    hints=(
        "The joint is p(z) p(x given z). In logs a product is a sum and a quotient a difference: three log densities.",
        "log p(z) is the log density of N(0, I) at z, log q(z) that of N(mean, exp(log_var)). Both are summed over the latent "
        "dimensions, the last ones.",
        "log_prior = log_normal(z, zeros, zeros) and log_q = log_normal(z, mean, log_var), with the lesson's function and "
        "zeros = torch.zeros_like(mean). Return log_likelihood + log_prior - log_q.",
    ),
    mistakes=(
        Mistake(
            "Forgot the prior",
            lambda log_likelihood, z, mean, log_var: log_importance_weights(log_likelihood, z, mean, log_var) - _log_prior(z),
            "p(x, z) is p(z) p(x given z): add log p(z), the log density of N(0, I) at z.",
        ),
        Mistake(
            "Forgot q",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _log_prior(z),
            "This is log p(x, z). The draws come from q, so each must be divided by its density under q: subtract log q(z).",
        ),
        Mistake(
            "Forgot the likelihood",
            lambda log_likelihood, z, mean, log_var: _log_prior(z) - _log_q(z, mean, log_var) + 0 * log_likelihood,
            "This compares prior and q alone, and x does not occur in it. Add log_likelihood.",
        ),
        Mistake(
            "The prior is subtracted",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) - 2 * _log_prior(z)
            ),
            "The prior stands in the numerator, p(z) p(x given z) / q(z): its log is added.",
        ),
        Mistake(
            "q is added",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) + 2 * _log_q(z, mean, log_var)
            ),
            "q stands in the denominator, p(z) p(x given z) / q(z): its log is subtracted.",
        ),
        Mistake(
            "Prior and q exchanged",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _log_q(z, mean, log_var) - _log_prior(z),
            "The prior belongs above and q below: + log p(z) - log q(z).",
        ),
        Mistake(
            "The weight, not its log",
            lambda log_likelihood, z, mean, log_var: log_importance_weights(log_likelihood, z, mean, log_var).exp(),
            "Its log is asked for: the weight itself is 0 to a computer where log p(x given z) is -1000.",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda log_likelihood, z, mean, log_var: log_importance_weights(log_likelihood, z, mean, 2 * log_var),
            "exp(2 log_var) stands where q's variance belongs. log_var is the log of the variance itself.",
        ),
        Mistake(
            "log_var halved",
            lambda log_likelihood, z, mean, log_var: log_importance_weights(log_likelihood, z, mean, 0.5 * log_var),
            "exp(log_var / 2) is the standard deviation; q's variance is exp(log_var).",
        ),
        Mistake(
            "log_var is missing",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) - 0.5 * log_var.sum(-1)
            ),
            "A wide Gaussian is lower at its peak: log q has the term -log_var / 2 in every dimension.",
        ),
        Mistake(
            "q's constant is missing",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) - 0.5 * math.log(2 * math.pi) * z.shape[-1]
            ),
            "log p(z) has -log(2 pi) / 2 in every dimension, and so has log q(z). Write both, or neither, for they cancel.",
        ),
        Mistake(
            "The prior's constant is missing",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) + 0.5 * math.log(2 * math.pi) * z.shape[-1]
            ),
            "log q(z) has -log(2 pi) / 2 in every dimension, and so has log p(z). Write both, or neither, for they cancel.",
        ),
        Mistake(
            "The square without its 1/2, in the prior",
            lambda log_likelihood, z, mean, log_var: (
                log_importance_weights(log_likelihood, z, mean, log_var) - 0.5 * z.square().sum(-1)
            ),
            "log N(z; 0, 1) is -(log(2 pi) + z^2) / 2: halve the square too.",
        ),
        Mistake(
            "The prior at q's mean",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _log_prior(mean) - _log_q(z, mean, log_var),
            "The prior is asked at the draw z, not at the mean of q.",
        ),
        Mistake(
            "q at its own mean",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _log_prior(z) - _log_q(mean, mean, log_var),
            "q is asked at the draw z. At its mean it has the same density for every draw.",
        ),
        Mistake(
            "The closed KL in place of the ratio",
            lambda log_likelihood, z, mean, log_var: (
                log_likelihood - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
            ),
            "The KL is an average over all z. A weight belongs to one draw: log p(z) - log q(z) at this z.",
        ),
        Mistake(
            "The prior's log_var set to 1",
            lambda log_likelihood, z, mean, log_var: (
                log_likelihood + _q_terms(z, torch.zeros_like(z), torch.ones_like(z)).sum(-1) - _log_q(z, mean, log_var)
            ),
            "The prior's variance is 1, so its log_var is log 1 = 0. With torch.ones for log_var the variance is e.",
        ),
        Mistake(
            "Not summed over the latent dimensions",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _prior_terms(z) - _q_terms(z, mean, log_var),
            "A Normal's log_prob gives a number for each latent dimension. Independent dimensions multiply, so their logs add "
            "up: log p(z) and log q(z) each need .sum(-1).",
        ),
        Mistake(
            "Not summed over the latent dimensions, with a dimension more for the likelihood",
            lambda log_likelihood, z, mean, log_var: (
                log_likelihood.unsqueeze(-1) + _prior_terms(z) - _q_terms(z, mean, log_var)
            ),
            "A Normal's log_prob gives a number for each latent dimension. Take .sum(-1) of log p(z) and of log q(z), and the "
            "likelihood, which is one number a draw, fits as it is.",
        ),
        Mistake(
            "The prior not summed over the latent dimensions",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _prior_terms(z) - _log_q(z, mean, log_var),
            "log q(z) is one number for each draw here, but log p(z) one for each latent dimension. It needs .sum(-1) too.",
        ),
        Mistake(
            "q not summed over the latent dimensions",
            lambda log_likelihood, z, mean, log_var: log_likelihood + _log_prior(z) - _q_terms(z, mean, log_var),
            "log p(z) is one number for each draw here, but log q(z) one for each latent dimension. It needs .sum(-1) too.",
        ),
        Mistake(
            "Averaged over the dimensions",
            lambda log_likelihood, z, mean, log_var: log_likelihood + (_log_prior(z) - _log_q(z, mean, log_var)) / z.shape[-1],
            "Independent dimensions multiply, so their logs add up: sum over the last dimension.",
        ),
        Mistake(
            "Averaged over the samples",
            lambda log_likelihood, z, mean, log_var: log_importance_weights(log_likelihood, z, mean, log_var).mean(0),
            "Every draw keeps a log weight of its own, shape (samples, batch). What to average is decided later.",
        ),
    ),
)

# --- the ELBO, state by state ---------------------------------------------------------------------------------------


def discrete_elbo(log_prior: Tensor, log_likelihood: Tensor, q: Tensor) -> Tensor:
    terms = q * (log_prior + log_likelihood - q.log())
    return terms.where(q > 0, 0).sum(-1)


def _states_and_q() -> list[Arguments]:
    half = math.log(1 / 2)
    return [
        doubles([half, half], [math.log(0.8), math.log(0.2)], [0.6, 0.4]),
        doubles([math.log(0.7), math.log(0.3)], [math.log(0.1), math.log(0.8)], [[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]),
        doubles([math.log(0.7), math.log(0.3)], [math.log(0.1), math.log(0.8)], [0.0, 1.0]),  # q is sure
        doubles([math.log(0.3), math.log(0.7)], [-math.inf, math.log(0.3)], [0.0, 1.0]),  # and leaves out the impossible
        doubles([math.log(0.3), math.log(0.7)], [-math.inf, math.log(0.3)], [0.2, 0.8]),  # or believes in it
        doubles([-math.inf, math.log(0.4), math.log(0.6)], [-1.0, -2.0, -0.5], [0.0, 0.3, 0.7]),
    ]


def _drawn_states_and_q(generator: Generator) -> Arguments:
    """One q or several; a q with zeros; a state that is impossible, which q leaves out in half of the draws."""
    log_prior, log_likelihood = _drawn_states(generator, far=False)  # exp is not needed, so a log p(x) by exp is told as such
    states, kind = len(log_prior), size(generator, 0, 2)
    shape = (size(generator, 2, 3), states) if kind else (states,)
    q = probabilities(generator, *shape, zeros=kind == 2)
    if size(generator, 0, 1):
        q = q.masked_fill((log_prior + log_likelihood).isinf(), 0)
        q = q / q.sum(-1, keepdim=True) if bool((q.sum(-1) > 0).all()) else exact_posterior(log_prior, log_likelihood)
    return log_prior, log_likelihood, q


def _lesson_states_and_q(generator: Generator) -> Arguments:
    log_prior, log_likelihood = _lesson_states(generator)
    return log_prior, log_likelihood, torch.randn(100, 50, generator=generator).softmax(-1)


DISCRETE_ELBO = Exercise(
    task="The ELBO of q(z given x) in nats, (...): the average over q of log p(z) + log p(x given z) - log q(z given x). "
    "q: (..., states), the logs: (states,). A state with q = 0 counts nothing, also where a log is -inf.",
    reference=discrete_elbo,
    cases=_states_and_q,
    generate=_drawn_states_and_q,
    lesson=_lesson_states_and_q,
    hints=(
        "An average over q is a sum over the states, each weighted with its q.",
        "Inside the average stand three logs. But 0 * (-inf) is nan to a computer: where q is 0 the term must be set to 0.",
        "terms = q * (log_prior + log_likelihood - q.log()), then terms.where(q > 0, 0).sum(-1)",
    ),
    mistakes=(
        Mistake(
            "0 times -inf became nan",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood - q.log())).sum(-1),
            "Right where q is positive everywhere. Where q = 0 the term counts nothing, but 0 * (-inf) is nan: set it to 0 "
            "with .where(q > 0, 0).",
        ),
        Mistake(
            "0 times -inf became nan, in the likelihood",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood) - torch.xlogy(q, q)).sum(-1),
            "xlogy takes care of q log q. But a state with q = 0 may also have log_likelihood = -inf, and 0 * (-inf) is nan: "
            "set such terms to 0 with .where(q > 0, 0).",
        ),
        Mistake(
            "nan and infinity replaced by numbers",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood - q.log())).nan_to_num().sum(-1),
            "nan_to_num also changes -inf into a large number. Where q believes in what cannot be, the ELBO is -inf.",
        ),
        Mistake(
            "nan counted as nothing, after the sum",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood - q.log())).sum(-1).nan_to_num(0.0),
            "A single nan spoils the whole sum. Set the term of a state with q = 0 to 0 before you add up.",
        ),
        Mistake(
            "Forgot q's own log",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood)).where(q > 0, 0).sum(-1),
            "This is the average of log p(x, z). The bound divides by q inside the log: subtract log q(z).",
        ),
        Mistake(
            "Forgot the prior",
            lambda log_prior, log_likelihood, q: discrete_elbo(torch.zeros_like(log_prior), log_likelihood, q),
            "The joint is p(z) p(x given z): add log_prior.",
        ),
        Mistake(
            "Forgot the likelihood",
            lambda log_prior, log_likelihood, q: discrete_elbo(log_prior, torch.zeros_like(log_likelihood), q),
            "This is minus the KL from q to the prior, and x does not occur in it. Add log_likelihood.",
        ),
        Mistake(
            "Averaged over the prior",
            lambda log_prior, log_likelihood, q: (
                (log_prior.exp() * (log_prior + log_likelihood - q.log())).where(q > 0, 0).sum(-1)
            ),
            "The average runs over q: each state is weighted with its q, not with its prior.",
        ),
        Mistake(
            "Not summed over the states",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood - q.log())).where(q > 0, 0),
            "These are the weighted terms of the states. Their sum, .sum(-1), is the average over q.",
        ),
        Mistake(
            "The terms are not weighted",
            lambda log_prior, log_likelihood, q: (log_prior + log_likelihood - q.log()).where(q > 0, 0).sum(-1),
            "An average over q weights the term of each state with q.",
        ),
        Mistake(
            "q's log is added",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood + q.log())).where(q > 0, 0).sum(-1),
            "q divides inside the log, so its log is subtracted.",
        ),
        Mistake(
            "The prior's log is subtracted",
            lambda log_prior, log_likelihood, q: (q * (log_likelihood - log_prior - q.log())).where(q > 0, 0).sum(-1),
            "The joint is p(z) p(x given z), a product: in logs, add log_prior.",
        ),
        Mistake(
            "The rate is not weighted with q",
            lambda log_prior, log_likelihood, q: (
                (q * log_likelihood).where(q > 0, 0).sum(-1) - (q.log() - log_prior).where(q > 0, 0).sum(-1)
            ),
            "The KL is an average over q as well: weight log q - log p of each state with q before you add up.",
        ),
        Mistake(
            "The KL is added",
            lambda log_prior, log_likelihood, q: (q * (log_likelihood + q.log() - log_prior)).where(q > 0, 0).sum(-1),
            "The bound is the average of log p(x given z) minus the KL from q to the prior.",
        ),
        Mistake(
            "Forgot q's own log, and a nan comes up",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood)).sum(-1),
            "This is the average of log p(x, z): subtract log q(z) inside. And where q = 0 the term counts nothing, but 0 * "
            "(-inf) is nan: set it to 0.",
        ),
        Mistake(
            "Averaged over the prior, and a nan comes up",
            lambda log_prior, log_likelihood, q: (log_prior.exp() * (log_prior + log_likelihood - q.log())).sum(-1),
            "The average runs over q: each state is weighted with its q. And where q = 0 the term counts nothing, but 0 * "
            "(-inf) is nan: set it to 0.",
        ),
        Mistake(
            "The terms are not weighted, and infinity comes up",
            lambda log_prior, log_likelihood, q: (log_prior + log_likelihood - q.log()).sum(-1),
            "An average over q weights the term of each state with q. And where q = 0 the term counts nothing: set it to 0.",
        ),
        Mistake(
            "q's log is added, and a nan comes up",
            lambda log_prior, log_likelihood, q: (q * (log_prior + log_likelihood + q.log())).sum(-1),
            "q divides inside the log, so its log is subtracted. And where q = 0 the term counts nothing, but 0 * (-inf) is "
            "nan: set it to 0.",
        ),
        Mistake(
            "The KL is added, and a nan comes up",
            lambda log_prior, log_likelihood, q: (q * (log_likelihood + q.log() - log_prior)).sum(-1),
            "The bound is the average of log p(x given z) minus the KL from q to the prior. And where q = 0 the term counts "
            "nothing, but 0 * (-inf) is nan: set it to 0.",
        ),
        Mistake(
            "The log of the average",
            lambda log_prior, log_likelihood, q: torch.logsumexp((log_prior + log_likelihood).where(q > 0, -math.inf), dim=-1),
            "This is log p(x) (over the states that q allows), whatever q is. The log belongs inside: average the logs of the "
            "weights.",
        ),
        Mistake(
            "The log of the average",
            lambda log_prior, log_likelihood, q: (q * ((log_prior + log_likelihood).exp() / q)).sum(-1).log(),
            "This is log p(x), whatever q is. The log belongs inside: average the logs of the weights. (And where q = 0 you "
            "get nan: set such terms to 0.)",
        ),
        Mistake(
            "The log of the average, over all states",
            lambda log_prior, log_likelihood, q: torch.logsumexp(log_prior + log_likelihood, dim=-1).expand(q.shape[:-1]),
            "This is log p(x), whatever q is. The log belongs inside: average the logs of the weights.",
        ),
        Mistake(
            "The log evidence, without q",
            lambda log_prior, log_likelihood, q: torch.logsumexp(log_prior + log_likelihood, dim=-1),
            "This is log p(x), one number whatever q is. The log belongs inside: average the logs of the weights over q.",
        ),
        Mistake(
            "The log of a sum without q's weights",
            lambda log_prior, log_likelihood, q: torch.logsumexp(log_prior + log_likelihood - q.log(), dim=-1),
            "This sums the weights and takes the log last. The log belongs inside, and each log is weighted with its q.",
        ),
        Mistake(
            "The rate is missing",
            lambda log_prior, log_likelihood, q: (q * log_likelihood).where(q > 0, 0).sum(-1),
            "This is minus the distortion alone. Subtract the rate, the KL from q to the prior: both of its logs are missing.",
        ),
        Mistake(
            "The rate is missing, and a nan comes up",
            lambda log_prior, log_likelihood, q: (q * log_likelihood).sum(-1),
            "This is minus the distortion alone: subtract the rate, the KL from q to the prior. And where q = 0 the term "
            "counts nothing, but 0 * (-inf) is nan: set it to 0.",
        ),
        Mistake(
            "The loss, not the bound",
            lambda log_prior, log_likelihood, q: -discrete_elbo(log_prior, log_likelihood, q),
            "This is -ELBO, what an optimizer would be given. The bound itself is asked for.",
        ),
        Mistake(
            "The mean over the states",
            lambda log_prior, log_likelihood, q: discrete_elbo(log_prior, log_likelihood, q) / q.shape[-1],
            "q already makes it an average: its weights add up to 1. So the weighted terms are summed.",
        ),
        Mistake(
            "Only the state that q likes best",
            lambda log_prior, log_likelihood, q: (
                (log_prior + log_likelihood - q.log()).gather(-1, q.argmax(-1, keepdim=True)).squeeze(-1)
                if q.dim() == 1
                else torch.stack([(log_prior + log_likelihood - one.log())[one.argmax()] for one in q])
            ),
            "All states count, each with its q.",
        ),
    ),
)

# --- the ELBO from draws --------------------------------------------------------------------------------------------


def gaussian_elbo(log_likelihood: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    distortion = -log_likelihood.mean(0)
    rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
    return -distortion - rate


def _likelihoods_and_q() -> list[Arguments]:
    return [
        doubles([[-1.0], [-3.0]], [[0.0]], [[0.0]]),
        doubles([[-1.0], [-3.0]], [[0.8]], [[-0.6]]),
        doubles(
            [[-1.0, -2.0], [-2.5, -0.5], [-0.3, -1.2]], [[0.5, -1.0, 0.2], [0.0, 0.3, 1.5]], [[0.3, -0.5, -2.0], [1, 0, -1]]
        ),
        doubles([[-1000.0, -3.0]], [[0.5], [-0.5]], [[-1.0], [0.5]]),
    ]


def _drawn_likelihoods_and_q(generator: Generator) -> Arguments:
    samples, batch, latent = sizes(generator, 3, 1, 6)
    return (
        numbers(generator, samples, batch, low=-9, high=1),
        numbers(generator, batch, latent),
        numbers(generator, batch, latent, low=-3, high=1),
    )


GAUSSIAN_ELBO = Exercise(
    task="An estimate of each example's ELBO in nats, (batch,): from log p(x given z) of draws z of q, (samples, batch), and "
    "q's mean and log_var, (batch, latent). The prior is N(0, I), and its KL has a closed form.",
    reference=gaussian_elbo,
    cases=_likelihoods_and_q,
    generate=_drawn_likelihoods_and_q,
    lesson=lambda g: (torch.randn(64, 50, generator=g) - 3, torch.randn(50, 2, generator=g), torch.randn(50, 2, generator=g)),
    gradients=("log_likelihood", "mean", "log_var"),
    hints=(
        "The ELBO is -distortion - rate. The distortion is averaged over draws, the rate is the KL of lesson 02.",
        "log_likelihood.mean(0) averages over the samples. The KL to N(0, I) is the sum over the latent dimensions of "
        "1/2 (mean^2 + variance - 1 - log_var).",
        "rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1), and then log_likelihood.mean(0) - rate",
    ),
    mistakes=(
        Mistake(
            "The rate is added",
            lambda log_likelihood, mean, log_var: 2 * log_likelihood.mean(0) - gaussian_elbo(log_likelihood, mean, log_var),
            "The KL is subtracted: a q far from the prior lowers the bound.",
        ),
        Mistake(
            "The rate is missing",
            lambda log_likelihood, mean, log_var: log_likelihood.mean(0) + 0 * (mean + log_var).sum(-1),
            "This is minus the distortion alone. Subtract the rate, the KL from q to N(0, I).",
        ),
        Mistake(
            "The distortion is missing",
            lambda log_likelihood, mean, log_var: gaussian_elbo(0 * log_likelihood, mean, log_var),
            "This is minus the rate alone. Add the average of log p(x given z).",
        ),
        Mistake(
            "The loss, not the bound",
            lambda log_likelihood, mean, log_var: -gaussian_elbo(log_likelihood, mean, log_var),
            "This is -ELBO, what an optimizer would be given. The bound itself is asked for.",
        ),
        Mistake(
            "Summed over the samples",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood * len(log_likelihood), mean, log_var),
            "An expectation is estimated by the mean over the draws, else ten times the draws make ten times the distortion.",
        ),
        Mistake(
            "The 1/2 of the rate is missing",
            lambda log_likelihood, mean, log_var: 2 * gaussian_elbo(log_likelihood, mean, log_var) - log_likelihood.mean(0),
            "The KL to N(0, I) is *half* the sum of mean^2 + variance - 1 - log_var.",
        ),
        Mistake(
            "The rate averaged over the latent dimensions",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(0) - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).mean(-1)
            ),
            "Nats of independent dimensions add up: sum over the latent dimension, do not average.",
        ),
        Mistake(
            "The rate not summed over the latent dimensions",
            lambda log_likelihood, mean, log_var: log_likelihood.mean(0) - 0.5 * (mean.square() + log_var.exp() - 1 - log_var),
            "Each latent dimension has a KL of its own here. The rate of an example is their sum, .sum(-1).",
        ),
        Mistake(
            "log_var taken for the variance",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(0) - 0.5 * (mean.square() + log_var - 1 - log_var.log()).sum(-1)
            ),
            "log_var is the log of q's variance. The variance in the KL is log_var.exp(), and its log is log_var itself.",
        ),
        Mistake(
            "The draws averaged along the batch",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(1) - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
            ),
            "log_likelihood is (samples, batch), so the draws of an example lie along dimension 0: mean(0).",
        ),
        Mistake(
            "Averaged along the batch at the end",
            lambda log_likelihood, mean, log_var: (
                log_likelihood - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
            ).mean(1),
            "The terms are (samples, batch), so the draws of an example lie along dimension 0: mean(0).",
        ),
        Mistake(
            "The draws averaged over everything",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean() - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
            ),
            "Every example has a distortion of its own. Average over its draws only, which lie along dimension 0: mean(0).",
        ),
        Mistake(
            "The rate averaged over the batch",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(0) - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1).mean()
            ),
            "Every example has a rate of its own. Sum over the latent dimension only, and keep the batch.",
        ),
        Mistake(
            "The rate summed over the batch",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(0) - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum()
            ),
            "Every example has a rate of its own. Sum over the latent dimension only, and keep the batch.",
        ),
        Mistake(
            "log_var taken for the variance",
            lambda log_likelihood, mean, log_var: (
                log_likelihood.mean(0) - 0.5 * (mean.square() + log_var - 1 - log_var).sum(-1)
            ),
            "The variance is exp(log_var); here log_var cancels altogether.",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood, mean, 2 * log_var),
            "exp(2 log_var) stands where the variance belongs. log_var is the log of the variance itself.",
        ),
        Mistake(
            "log_var halved",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood, mean, 0.5 * log_var),
            "exp(log_var / 2) is the standard deviation; the variance is exp(log_var).",
        ),
        Mistake(
            "The mean is not squared",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood, mean.abs().sqrt(), log_var),
            "The KL grows with the square of the mean.",
        ),
        Mistake(
            "The - 1 is missing",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood, mean, log_var) - 0.5 * mean.shape[-1],
            "Without the - 1 the KL of N(0, I) to itself would not be 0.",
        ),
        Mistake(
            "The log of the average likelihood",
            lambda log_likelihood, mean, log_var: gaussian_elbo(
                (torch.logsumexp(log_likelihood, 0) - math.log(len(log_likelihood)))[None], mean, log_var
            ),
            "The ELBO has the log inside the average: log_likelihood is averaged as it is.",
        ),
        Mistake(
            "Averaged over the batch",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood, mean, log_var).mean(),
            "Keep one bound for each example, shape (batch,).",
        ),
        Mistake(
            "One value for each sample",
            lambda log_likelihood, mean, log_var: log_likelihood - 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1),
            "These are the terms of the single draws, (samples, batch). Average them over the samples, dimension 0.",
        ),
        Mistake(
            "The best draw alone",
            lambda log_likelihood, mean, log_var: gaussian_elbo(log_likelihood.max(0).values[None], mean, log_var),
            "All draws count alike: the mean over dimension 0.",
        ),
    ),
)

# --- the importance-weighted bound ----------------------------------------------------------------------------------


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def _log_weights() -> list[Arguments]:
    return [
        doubles([[-1.0], [-3.0]]),
        doubles([[-1.0, 0.5, -2.0]]),
        doubles([[-2.0, -1.0], [-2.0, 0.5], [-2.0, -4.0]]),
        doubles([[-0.3, -1.2, 0.4], [-2.0, -0.7, 1.1]]),
        doubles([[-1000.0, -3.0], [-1002.0, -900.0], [-1001.0, -2.0]]),
        doubles([[1000.0, 2.0], [999.0, 1.0], [1001.0, 3.0]]),
    ]


def _drawn_log_weights(generator: Generator) -> Arguments:
    samples, batch = sizes(generator, 2, 1, 6)
    log_weights = numbers(generator, samples, batch, low=-4, high=2)
    if size(generator, 0, 1):  # each example has a likelihood of its own
        log_weights = log_weights + 1000 * whole(generator, batch, low=-1, high=1)
    return (log_weights,)


IMPORTANCE_WEIGHTED_BOUND = Exercise(
    task="log of the mean over samples of the weights p(x, z) / q(z given x): (samples, batch) logs to (batch,), in nats.",
    reference=importance_weighted_bound,
    cases=_log_weights,
    generate=_drawn_log_weights,
    lesson=lambda g: (2 * torch.randn(64, 50, generator=g) - 30,),
    gradients=("log_weights",),
    hints=(
        "The mean of K weights is their sum divided by K; in logs, the log of the sum minus log K.",
        "torch.logsumexp(logs, dim=...) is log(sum(exp(logs))) without overflow. Which dimension holds the samples?",
        "torch.logsumexp(log_weights, dim=0) - math.log(log_weights.shape[0])",
    ),
    mistakes=(
        Mistake(
            "The mean of the logs: this is the ELBO",
            lambda log_weights: log_weights.mean(0),
            "The log belongs outside the mean. With the log inside, more samples make the estimate calmer, never tighter.",
        ),
        Mistake(
            "The mean of all logs",
            lambda log_weights: log_weights.mean(),
            "This is the ELBO, averaged over the batch. The log belongs outside the mean over samples, and each example keeps "
            "its own bound, shape (batch,).",
        ),
        Mistake(
            "Missing - log K",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(len(log_weights)),
            "This is the log of the *sum*. Without dividing by K it grows with K for ever, past log p(x).",
        ),
        Mistake(
            "Added log K",
            lambda log_weights: importance_weighted_bound(log_weights) + 2 * math.log(len(log_weights)),
            "Dividing by K is subtracting log K.",
        ),
        Mistake(
            "Subtracted K, not its log",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(len(log_weights)) - len(log_weights),
            "In logs, dividing by K is subtracting log K.",
        ),
        Mistake(
            "The log of the sum divided by K",
            lambda log_weights: (importance_weighted_bound(log_weights) + math.log(len(log_weights))) / len(log_weights),
            "K divides the sum of the weights, inside the log. Outside, that is subtracting log K.",
        ),
        Mistake(
            "The logs divided by K",
            lambda log_weights: importance_weighted_bound(log_weights / len(log_weights)) + math.log(len(log_weights)),
            "K divides the weights, not their logs. In logs, that is subtracting log K.",
        ),
        Mistake(
            "The log of K to base 2",
            lambda log_weights: (
                importance_weighted_bound(log_weights) + math.log(len(log_weights)) - math.log2(len(log_weights))
            ),
            "The weights' logs are in nats, so log K must be the natural logarithm, math.log.",
        ),
        Mistake(
            "Averaged over the batch in place of the samples",
            lambda log_weights: importance_weighted_bound(log_weights.T),
            "Samples are dimension 0 here: combine the weights of one example, not one sample of each example.",
        ),
        Mistake(
            "Summed over the batch, with the samples' K",
            lambda log_weights: (
                importance_weighted_bound(log_weights.T) + math.log(log_weights.shape[1] / log_weights.shape[0])
            ),
            "K is right, but the sum must run over the samples, which are dimension 0.",
        ),
        Mistake(
            "Divided by the batch size",
            lambda log_weights: importance_weighted_bound(log_weights) + math.log(log_weights.shape[0] / log_weights.shape[1]),
            "K is the number of samples, log_weights.shape[0].",
        ),
        Mistake(
            "Divided by the number of all entries",
            lambda log_weights: importance_weighted_bound(log_weights) - math.log(log_weights.shape[1]),
            "K is the number of samples, log_weights.shape[0]; numel() counts the examples too.",
        ),
        Mistake(
            "Samples and examples in one mean",
            lambda log_weights: importance_weighted_bound(log_weights.reshape(-1, 1))[0],
            "Each example has a bound of its own: combine its samples only, dimension 0.",
        ),
        Mistake(
            "Underflow or overflow: log 0 is -inf, exp(1000) is inf",
            lambda log_weights: log_weights.exp().mean(0).log(),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.logsumexp takes the largest weight out first.",
        ),
        Mistake(
            "One maximum for all examples",
            lambda log_weights: log_weights.max() + (log_weights - log_weights.max()).exp().mean(0).log(),
            "An example far below the largest weight of the batch still becomes log 0. Each example needs its own maximum; "
            "torch.logsumexp takes it.",
        ),
        Mistake(
            "The maximum is not added back",
            lambda log_weights: importance_weighted_bound(log_weights) - log_weights.max(0).values,
            "The largest log weight was taken out for safety. It must be added again after the log.",
        ),
        Mistake(
            "log 0, hidden by a small number",
            lambda log_weights: (log_weights.exp().mean(0) + 1e-8).log(),
            "exp(-1000) is 0 to a computer, and the small number then stands for the whole bound. Use torch.logsumexp.",
        ),
        Mistake(
            "The log is forgotten",
            lambda log_weights: log_weights.exp().mean(0),
            "This is the mean weight. Its log is asked for, and exp(-1000) is 0 to a computer: torch.logsumexp.",
        ),
        Mistake(
            "Averaged over the batch too",
            lambda log_weights: importance_weighted_bound(log_weights).mean(),
            "Keep one bound for each example, shape (batch,).",
        ),
        Mistake(
            "Summed over the batch too",
            lambda log_weights: importance_weighted_bound(log_weights).sum(),
            "Keep one bound for each example, shape (batch,).",
        ),
        Mistake(
            "The loss, not the bound",
            lambda log_weights: -importance_weighted_bound(log_weights),
            "The bound on log p(x) is asked for. Its negative is what an optimizer would be given.",
        ),
        Mistake(
            "Only the best sample",
            lambda log_weights: log_weights.max(0).values,
            "The largest weight is not the mean weight. All K count: torch.logsumexp minus log K.",
        ),
        Mistake(
            "The logs averaged with the weights' shares",
            lambda log_weights: (log_weights.softmax(0) * log_weights).sum(0),
            "This averages the logs, heavy samples more. Average the weights themselves, then take the log.",
        ),
        Mistake(
            "A dimension of size 1 is left",
            lambda log_weights: importance_weighted_bound(log_weights)[None],
            "The values are right; keepdim=True leaves a dimension. Return the shape (batch,).",
        ),
    ),
)

# --- what codes tell -------------------------------------------------------------------------------------------------


def information_in_codes(q: Tensor) -> Tensor:
    aggregate = q.mean(0)
    terms = q * (q / aggregate).log()
    return terms.where(q > 0, 0).sum(-1).mean()


def _tables() -> list[Arguments]:
    return [
        doubles([[0.8, 0.2], [0.2, 0.8]]),
        doubles([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]),
        doubles([[0.3, 0.7], [0.3, 0.7], [0.3, 0.7]]),  # z says nothing
        doubles([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),  # z says all; the third value never occurs
        doubles([[0.6, 0.4, 0.0, 0.0], [0.0, 0.1, 0.9, 0.0], [0.2, 0.3, 0.5, 0.0]]),
    ]


def _drawn_tables(generator: Generator) -> Arguments:
    readings, values = sizes(generator, 2, 2, 6)
    return (probabilities(generator, readings, values, zeros=bool(size(generator, 0, 1))),)


INFORMATION_IN_CODES = Exercise(
    task="I(x; z) in nats, one number: the average over the rows of the KL from q(z given x) to the aggregate. q: (readings, "
    "values), each row adds up to 1, and all rows count alike. Where q is 0 the term counts nothing.",
    reference=information_in_codes,
    cases=_tables,
    generate=_drawn_tables,
    lesson=lambda g: ((2 * torch.randn(200, 500, generator=g)).softmax(-1),),
    hints=(
        "The aggregate is the average of the rows, (values,). Each row has a KL to it.",
        "The KL of a row is its sum of q * (log q - log aggregate), where terms with q = 0 are set to 0, as in exercise 4.3. "
        "I(x; z) is the mean of these KLs over the rows.",
        "aggregate = q.mean(0), then terms = q * (q / aggregate).log(), and terms.where(q > 0, 0).sum(-1).mean()",
    ),
    mistakes=(
        Mistake(
            "0 times -inf became nan",
            lambda q: (q * (q / q.mean(0)).log()).sum(-1).mean(),
            "Right where q is positive everywhere. Where q = 0 the term counts nothing, but 0 * (-inf) is nan: set it to 0 "
            "with .where(q > 0, 0).",
        ),
        Mistake(
            "nan counted as nothing, after the sum",
            lambda q: (q * (q / q.mean(0)).log()).sum(-1).nan_to_num(0.0).mean(),
            "A single nan spoils the whole sum. Set the term of a value with q = 0 to 0 before you add up.",
        ),
        Mistake(
            "The aggregate is not averaged",
            lambda q: (q * (q / q.sum(0)).log()).where(q > 0, 0).sum(-1).mean(),
            "The sum of the rows adds up to their number, not to 1. The aggregate is their mean.",
        ),
        Mistake(
            "Summed over the rows",
            lambda q: information_in_codes(q) * len(q),
            "The KLs of the rows are averaged: each x has the share 1/N.",
        ),
        Mistake(
            "Averaged over all entries",
            lambda q: information_in_codes(q) / q.shape[-1],
            "A KL sums over the values, because q weights its terms already. Only over the rows is the mean taken.",
        ),
        Mistake(
            "One KL for each row",
            lambda q: (q * (q / q.mean(0)).log()).where(q > 0, 0).sum(-1),
            "These are the KLs of the rows. I(x; z) is their mean.",
        ),
        Mistake(
            "One KL for each row, and a nan comes up",
            lambda q: (q * (q / q.mean(0)).log()).sum(-1),
            "These are the KLs of the rows, and I(x; z) is their mean. And where q = 0 the term counts nothing, but 0 * (-inf) "
            "is nan: set it to 0.",
        ),
        Mistake(
            "The KL the other way round",
            lambda q: (q.mean(0) * (q.mean(0) / q).log()).where(q.mean(0) > 0, 0).sum(-1).mean(),
            "This is the KL from the aggregate to each row. It runs from the row to the aggregate: weighted with q, q above.",
        ),
        Mistake(
            "Weighted with the aggregate",
            lambda q: (q.mean(0) * (q / q.mean(0)).log()).where(q > 0, 0).sum(-1).mean(),
            "The KL from q to the aggregate weights its terms with q.",
        ),
        Mistake(
            "The terms are not weighted",
            lambda q: (q / q.mean(0)).log().where(q > 0, 0).sum(-1).mean(),
            "A KL is an average over q: weight each log ratio with q.",
        ),
        Mistake(
            "The entropy of the aggregate",
            lambda q: -torch.special.xlogy(q.mean(0), q.mean(0)).sum(),
            "This is how uncertain z is at all. Subtract how uncertain it still is when x is known: the rows' mean entropy.",
        ),
        Mistake(
            "The entropy of the rows",
            lambda q: -torch.special.xlogy(q, q).sum(-1).mean(),
            "This is how uncertain z is when x is known. I(x; z) is how much less that is than the aggregate's entropy.",
        ),
        Mistake(
            "Compared with equal shares",
            lambda q: (q * (q / q.mean(-1, keepdim=True)).log()).where(q > 0, 0).sum(-1).mean(),
            "The mean of a row is always 1 / values. The aggregate is the average over x, which are the rows: q.mean(0).",
        ),
        Mistake(
            "The KL the other way round, and infinity comes up",
            lambda q: (q.mean(0) * (q.mean(0) / q).log()).sum(-1).mean(),
            "The KL goes from the row to the aggregate: weighted with q, q above. (From the aggregate to a row that leaves a "
            "value out, it is infinite.)",
        ),
        Mistake(
            "The KL the other way round, over what a row has",
            lambda q: (q.mean(0) * (q.mean(0) / q).log()).where(q > 0, 0).sum(-1).mean(),
            "This runs from the aggregate to each row. The KL goes from the row to the aggregate: weighted with q, q above.",
        ),
        Mistake(
            "Weighted with the aggregate, and infinity comes up",
            lambda q: (q.mean(0) * (q / q.mean(0)).log()).sum(-1).mean(),
            "The KL from q to the aggregate weights its terms with q. And where q = 0 the term counts nothing: set it to 0.",
        ),
        Mistake(
            "The aggregate is not averaged, and a nan comes up",
            lambda q: (q * (q / q.sum(0)).log()).sum(-1).mean(),
            "The aggregate is the mean of the rows, not their sum. And where q = 0 the term counts nothing, but 0 * (-inf) is "
            "nan: set it to 0.",
        ),
        Mistake(
            "The entropy of the aggregate, and a nan comes up",
            lambda q: -(q.mean(0) * q.mean(0).log()).sum(),
            "This is how uncertain z is at all. Subtract the rows' mean entropy. And where a probability is 0 the term counts "
            "nothing.",
        ),
        Mistake(
            "The entropy of the rows, and a nan comes up",
            lambda q: -(q * q.log()).sum(-1).mean(),
            "This is how uncertain z is when x is known. I(x; z) is how much less that is than the aggregate's entropy. (And "
            "where q = 0 the term counts nothing: set it to 0.)",
        ),
        Mistake(
            "Compared with equal shares, and a nan comes up",
            lambda q: (q * (q / q.mean(-1, keepdim=True)).log()).sum(-1).mean(),
            "The aggregate is the average over x, which are the rows: q.mean(0). And where q = 0 the term counts nothing, but "
            "0 * (-inf) is nan: set it to 0.",
        ),
        Mistake(
            "A value that never occurs",
            lambda q: torch.xlogy(q, q / q.mean(0)).sum(-1).mean(),
            "Right where the aggregate is positive everywhere. Where all rows have 0, so has the aggregate, and 0 / 0 is nan: "
            "set such terms to 0 with .where(q > 0, 0).",
        ),
    ),
)

EXERCISES = (
    POSTERIOR,
    LOG_WEIGHTS,
    DISCRETE_ELBO,
    GAUSSIAN_ELBO,
    IMPORTANCE_WEIGHTED_BOUND,
    INFORMATION_IN_CODES,
)

PREDICTIONS = (
    Prediction(
        "gap_in_another_town",
        ("shrink", "grow"),
        answer="grow",
        because="log p(x) rises by more than the ELBO. An umbrella says less there, so that the posterior of rain falls from "
        "0.77 to 0.49, away from a q of 0.9.",
        wrong={
            "shrink": (
                "A higher ELBO looks as if q had come nearer to the posterior, and under one decoder that is so. But with the "
                "decoder log p(x) changes, too: here it rises by more than the ELBO does, and the gap is what lies between."
            ),
        },
    ),
    Prediction(
        "draw_above_the_truth",
        ("yes", "no"),
        answer="yes",
        because="it is the average over all draws that is at most log p(x); a single draw may be lucky.",
        wrong={
            "no": (
                "A lower bound, one thinks, is never above. But what is computed from draws is random, and Jensen's inequality "
                "speaks of its average."
            ),
        },
    ),
    Prediction(
        "larger_encoder",
        ("a half", "a tenth", "a hundredth"),
        answer="a hundredth",
        because="the best mean and the best log_var are smooth curves over a single number x, and 32 hidden units follow both.",
        wrong={
            "a half": (
                "One encoder still serves all readings, so much of the gap seems bound to stay. But what the linear encoder "
                "lacks is a bend. The best mean and log_var are smooth curves over one number, and a network follows them."
            ),
            "a tenth": (
                "Some loss seems bound to stay, because one encoder still serves all readings. But what it has to learn is two "
                "smooth curves over one number, and for these 32 hidden units are plenty."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "which_kl_is_zero",
        question="A program reports that its KL is 0 on every example. Why do you have to ask which KL, before you know "
        "whether that is good news?",
        model=(
            "If it is the gap, the bound is exact: the ELBO is $\\log p(x)$ itself, whether the model is good or bad. If it is "
            "the rate, $q$ is the prior whatever $x$ is, so the code says nothing about the data. (If the decoder ignores $z$, "
            "both can be 0.)"
        ),
        rubric=(
            "the gap compares $q$ with the posterior, the rate compares it with the prior;",
            "a gap of 0 means that the bound is exact;",
            "a rate of 0 on every example means that $z$ carries no information about $x$.",
        ),
    ),
    Explanation(
        "what_a_rising_elbo_means",
        question="In training the ELBO rises. Why does this not yet tell you that the model finds its data more probable?",
        model=(
            "The ELBO is $\\log p(x)$ minus the gap, the KL from $q$ to the posterior. It also rises when the encoder only "
            "comes closer to the posterior while $\\log p(x)$ stands still. Only a change of the decoder can make the data "
            "more probable, and even its steps may raise the ELBO by bringing the posterior nearer to $q$ instead."
        ),
        rubric=(
            "ELBO and gap add up to $\\log p(x)$;",
            "a better encoder narrows the gap, and leaves $\\log p(x)$ as it is;",
            "what moves $\\log p(x)$ is the model, here the decoder, since the prior is fixed.",
        ),
    ),
)
