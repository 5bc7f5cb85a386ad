"""Exercises of lesson 02: entropy, KL for discrete distributions and for Gaussians, KL from samples."""

import math

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

# --- entropy in bits ------------------------------------------------------------------------------------------------


def entropy_in_bits(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(-1) / math.log(2)


def _distributions() -> list[Arguments]:
    return [
        (torch.tensor([0.5, 0.5], dtype=torch.float64),),
        (torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64),),
        (torch.tensor([1.0, 0.0], dtype=torch.float64),),
        (torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.9, 0.05, 0.05, 0.0]], dtype=torch.float64),),
    ]


ENTROPY = Exercise(
    task="The entropy of discrete distributions (..., outcomes), in bits.",
    reference=entropy_in_bits,
    cases=_distributions,
    hints=(
        "Entropy is the mean code length: each outcome's length -log2 p, weighted by its probability p.",
        "0 log 0 counts as 0, but 0 * torch.log(0) is nan. torch.xlogy(p, p) is p log p with that rule.",
        "torch's logs are natural: divide nats by math.log(2). Sum over the last dimension only.",
    ),
    mistakes=(
        Mistake(
            "Natural log where base 2 was asked",
            lambda p: -torch.xlogy(p, p).sum(-1),
            "Your result is in nats; divide by ln 2 to get bits.",
        ),
        Mistake(
            "Wrong sign",
            lambda p: torch.xlogy(p, p).sum(-1) / math.log(2),
            "log p is negative or 0, so the code length is -log p; entropy is never negative.",
        ),
        Mistake(
            "0 log 0 became nan",
            lambda p: -(p * torch.log2(p)).sum(-1),
            "An outcome of probability 0 adds nothing. torch.xlogy(p, p) knows that; p * log p does not.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda p: -torch.xlogy(p, p).mean(-1) / math.log(2),
            "The weights p already average over outcomes; a mean divides once more, by their number.",
        ),
        Mistake(
            "Summed over every distribution at once",
            lambda p: -torch.xlogy(p, p).sum() / math.log(2),
            "Sum over the last dimension only, .sum(-1): each row is a distribution of its own.",
        ),
        Mistake(
            "Forgot the weights",
            lambda p: -torch.log2(p).sum(-1),
            "A code length -log2 p counts as often as its outcome occurs: weight it by p.",
        ),
    ),
)

# --- discrete KL ----------------------------------------------------------------------------------------------------


def kl_discrete(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def _pairs() -> list[Arguments]:
    rows = [
        ([0.5, 0.5], [0.9, 0.1]),
        ([0.7, 0.2, 0.1], [0.2, 0.3, 0.5]),
        ([1.0, 0.0], [0.5, 0.5]),
        ([0.5, 0.5], [1.0, 0.0]),
        ([0.5, 0.5, 0.0], [0.25, 0.75, 0.0]),
        ([[0.6, 0.4], [0.1, 0.9]], [[0.5, 0.5], [0.3, 0.7]]),
    ]
    return [(torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)) for p, q in rows]


KL_DISCRETE = Exercise(
    task="KL(p to q) of discrete distributions (..., outcomes), in nats, right also where p or q is 0.",
    reference=kl_discrete,
    cases=_pairs,
    hints=(
        "KL is the extra code length: (length in q's code) - (length in p's code), averaged over p's outcomes.",
        "Two calls of torch.xlogy give p log p and p log q with the right answer at p = 0.",
        "(torch.xlogy(p, p) - torch.xlogy(p, q)), summed over the last dimension.",
    ),
    mistakes=(
        Mistake(
            "Reversed KL",
            lambda p, q: (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1),
            "This is KL(q to p): the weights in front of the log must be those of the first distribution, p.",
        ),
        Mistake(
            "0 log 0 became nan",
            lambda p, q: (p * torch.log(p / q)).sum(-1),
            "Where p = 0 the term is 0, whatever q is; torch.xlogy(p, ...) knows that.",
        ),
        Mistake(
            "0 / 0 became nan",
            lambda p, q: torch.xlogy(p, p / q).sum(-1),
            "Where p and q are both 0 the ratio is nan. Take the two logs apart: torch.xlogy(p, p) - torch.xlogy(p, q).",
        ),
        Mistake(
            "Wrong sign",
            lambda p, q: (torch.xlogy(p, q) - torch.xlogy(p, p)).sum(-1),
            "A KL is never negative; the ratio inside the log is p / q.",
        ),
        Mistake(
            "Bits instead of nats",
            lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1) / math.log(2),
            "The course counts in nats: use the natural log.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).mean(-1),
            "The weights p already average; sum the terms.",
        ),
        Mistake(
            "Cross entropy instead of KL",
            lambda p, q: -torch.xlogy(p, q).sum(-1),
            "This is the whole code length; subtract the part that p's own code would need, H(p).",
        ),
        Mistake(
            "Clipped the zeros",
            lambda p, q: (p * torch.log(p.clamp_min(1e-8) / q.clamp_min(1e-8))).sum(-1),
            "Where q = 0 < p the KL is infinite. A small number added to q hides that and invents a finite value.",
        ),
    ),
)

# --- Gaussian to standard normal ------------------------------------------------------------------------------------


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)


def _gaussians() -> list[Arguments]:
    rows = [
        ([0.0], [0.0]),
        ([1.0], [0.0]),
        ([0.5], [1.0]),
        ([1.0, -2.0], [-1.0, 0.5]),
        ([[0.1, 2.0], [1.0, 0.0]], [[0.3, -3.0], [2.0, 1.0]]),
    ]
    return [(torch.tensor(m, dtype=torch.float64), torch.tensor(v, dtype=torch.float64)) for m, v in rows]


KL_TO_STANDARD_NORMAL = Exercise(
    task="KL from N(mean, diag(exp(log_var))) to N(0, I), in nats, summed over the last dimension.",
    reference=kl_to_standard_normal,
    cases=_gaussians,
    gradients=("mean", "log_var"),
    hints=(
        "One dimension at a time: 1/2 (mean^2 + variance - 1 - log variance).",
        "variance is log_var.exp(); log variance is log_var itself.",
        "Sum over the last dimension; leave the others, which hold the examples.",
    ),
    mistakes=(
        Mistake(
            "Missing 1/2",
            lambda mean, log_var: (mean.square() + log_var.exp() - 1 - log_var).sum(-1),
            "The log density of a Gaussian carries a factor 1/2 in front of everything.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda mean, log_var: 0.5 * (mean.square() + log_var.exp() - 1 - log_var).mean(-1),
            "Independent dimensions add their nats. A mean over dimensions divides the KL, which weakens it in a VAE's loss.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda mean, log_var: 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(),
            "Keep one KL for each example: .sum(-1).",
        ),
        Mistake(
            "log_var read as the standard deviation",
            lambda mean, log_var: 0.5 * (mean.square() + log_var.square() - 1 - log_var.square().log()).sum(-1),
            "log_var is the log of the variance; the variance is log_var.exp().",
        ),
        Mistake(
            "log_var read as the variance",
            lambda mean, log_var: 0.5 * (mean.square() + log_var - 1 - log_var.log()).sum(-1),
            "log_var is the log of the variance; the variance is log_var.exp().",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda mean, log_var: 0.5 * (mean.square() + (2 * log_var).exp() - 1 - 2 * log_var).sum(-1),
            "log_var is already the log of the *variance*: exp(log_var) is the variance, exp(log_var / 2) the std.",
        ),
        Mistake(
            "Reversed KL",
            lambda mean, log_var: 0.5 * ((1 + mean.square()) * (-log_var).exp() - 1 + log_var).sum(-1),
            "This is KL from N(0, I) to your Gaussian. A VAE averages over q, so q comes first.",
        ),
        Mistake(
            "Wrong sign",
            lambda mean, log_var: -0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1),
            "A KL is never negative. (The formula is often printed as -1/2 (1 + log_var - mean^2 - variance).)",
        ),
        Mistake(
            "mean was not squared",
            lambda mean, log_var: 0.5 * (mean + log_var.exp() - 1 - log_var).sum(-1),
            "The mean enters squared: moving left costs as much as moving right.",
        ),
    ),
)

# --- KL between two Gaussians ---------------------------------------------------------------------------------------


def kl_between_gaussians(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    distance = (mean_q - mean_p).square()
    return 0.5 * (log_var_p - log_var_q + (log_var_q.exp() + distance) / log_var_p.exp() - 1).sum(-1)


def _two_gaussians() -> list[Arguments]:
    rows = [
        ([0.0], [0.0], [0.0], [0.0]),
        ([1.0], [0.0], [0.0], [1.0]),
        ([0.5, -1.0], [0.5, -0.5], [-0.5, 1.0], [1.0, 0.3]),
        ([[1.0, 0.0], [0.2, 3.0]], [[0.0, 1.0], [-1.0, 0.4]], [[0.0, 0.5], [1.0, 1.0]], [[0.7, 0.0], [0.2, 2.0]]),
    ]
    return [tuple(torch.tensor(part, dtype=torch.float64) for part in row) for row in rows]


def _with_parts_swapped(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    return kl_between_gaussians(mean_p, log_var_p, mean_q, log_var_q)


KL_BETWEEN_GAUSSIANS = Exercise(
    task="KL from N(mean_q, exp(log_var_q)) to N(mean_p, exp(log_var_p)), in nats, summed over the last dimension.",
    reference=kl_between_gaussians,
    cases=_two_gaussians,
    gradients=("mean_q", "log_var_q", "mean_p", "log_var_p"),
    hints=(
        "It must agree with kl_to_standard_normal where mean_p = 0 and log_var_p = 0.",
        "Measure everything in units of p: the variance of q and the squared distance are both divided by p's variance.",
        "1/2 (log_var_p - log_var_q + (var_q + (mean_q - mean_p)^2) / var_p - 1)",
    ),
    mistakes=(
        Mistake(
            "Reversed KL",
            _with_parts_swapped,
            "This is KL(p to q). The first distribution is the one the average runs over.",
        ),
        Mistake(
            "Missing 1/2",
            lambda mean_q, log_var_q, mean_p, log_var_p: 2 * kl_between_gaussians(mean_q, log_var_q, mean_p, log_var_p),
            "The log density of a Gaussian carries a factor 1/2.",
        ),
        Mistake(
            "The distance is not in units of p",
            lambda mean_q, log_var_q, mean_p, log_var_p: (
                0.5 * (log_var_p - log_var_q + (log_var_q - log_var_p).exp() + (mean_q - mean_p).square() - 1).sum(-1)
            ),
            "The squared distance between the means is divided by p's variance as well: a wide p forgives a distance.",
        ),
        Mistake(
            "The distance is in units of q",
            lambda mean_q, log_var_q, mean_p, log_var_p: (
                0.5
                * (
                    log_var_p - log_var_q + (log_var_q - log_var_p).exp() + (mean_q - mean_p).square() / log_var_q.exp() - 1
                ).sum(-1)
            ),
            "Divide the squared distance by p's variance: p is the one asked to explain q's draws.",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda mean_q, log_var_q, mean_p, log_var_p: kl_between_gaussians(mean_q, 2 * log_var_q, mean_p, 2 * log_var_p),
            "exp(log_var) is already the variance; do not square it.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda mean_q, log_var_q, mean_p, log_var_p: (
                kl_between_gaussians(mean_q, log_var_q, mean_p, log_var_p) / mean_q.shape[-1]
            ),
            "Independent dimensions add their nats: sum over the last dimension.",
        ),
    ),
)

# --- KL from samples ------------------------------------------------------------------------------------------------


def kl_draws(log_q: Tensor, log_p: Tensor) -> Tensor:
    log_ratio = log_p - log_q
    return log_ratio.exp() - 1 - log_ratio


def _log_densities() -> list[Arguments]:
    rows = [([-1.0], [-1.0]), ([-1.0], [-2.0]), ([-0.5, -1.5, -3.0], [-1.0, -1.0, -1.0])]
    return [(torch.tensor(q, dtype=torch.float64), torch.tensor(p, dtype=torch.float64)) for q, p in rows]


KL_DRAWS = Exercise(
    task="For draws of q, the terms r - 1 - log r with r = p / q, whose mean estimates KL(q to p): (samples,) to (samples,).",
    reference=kl_draws,
    cases=_log_densities,
    hints=("log r is log_p - log_q.", "r is (log_p - log_q).exp().", "Return one term for each draw; average later."),
    mistakes=(
        Mistake(
            "r turned upside down",
            lambda log_q, log_p: (log_q - log_p).exp() - 1 - (log_q - log_p),
            "The draws come from q, so r must be p / q: only then is the mean of r equal to 1, and r - 1 free of charge.",
        ),
        Mistake(
            "The plain estimator",
            lambda log_q, log_p: log_q - log_p,
            "-log r is unbiased too, but single terms may be negative. Add r - 1, whose mean is 0 under q.",
        ),
        Mistake(
            "Wrong sign",
            lambda log_q, log_p: 1 - (log_p - log_q).exp() + (log_p - log_q),
            "r - 1 is never below log r, so r - 1 - log r is never negative.",
        ),
        Mistake(
            "Averaged already",
            lambda log_q, log_p: ((log_p - log_q).exp() - 1 - (log_p - log_q)).mean(),
            "Return the terms, shape (samples,): their spread gives the standard error.",
        ),
        Mistake(
            "The squared estimator",
            lambda log_q, log_p: 0.5 * (log_p - log_q).square(),
            "(log r)^2 / 2 agrees only where q and p nearly agree; elsewhere it is biased.",
        ),
    ),
)

EXERCISES = (ENTROPY, KL_DISCRETE, KL_TO_STANDARD_NORMAL, KL_BETWEEN_GAUSSIANS, KL_DRAWS)
