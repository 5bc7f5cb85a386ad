"""Exercises of lesson 02: entropy, KL for discrete distributions and for Gaussians, on a grid, from samples."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import flags, numbers, probabilities, size, sizes
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

SMALL_NUMBERS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)  # that are added to a probability so that its log is finite


def _doubles(rows: Sequence[Sequence[Any]]) -> list[Arguments]:
    return [tuple(torch.tensor(part, dtype=torch.float64) for part in row) for row in rows]


# --- entropy in bits ------------------------------------------------------------------------------------------------


def entropy_in_bits(p: Tensor) -> Tensor:
    return -torch.xlogy(p, p).sum(-1) / math.log(2)


def _distributions() -> list[Arguments]:
    return _doubles(
        [
            ([0.5, 0.5],),
            ([0.7, 0.2, 0.1],),
            ([1.0, 0.0],),
            ([[0.25, 0.0, 0.75]],),  # a batch of one
            ([[0.25, 0.25, 0.25, 0.25], [0.9, 0.05, 0.05, 0.0]],),
        ]
    )


def _shape(generator: Generator) -> list[int]:
    """(..., outcomes) of one to three different sizes, of two outcomes at least."""
    *leading, outcomes = sizes(generator, size(generator, 1, 3), low=2, high=6)
    return [*leading, outcomes]


def _lesson_probabilities(generator: Generator) -> Tensor:
    """A batch in single precision, with zeros."""
    raw = torch.rand(100, 30, generator=generator)
    raw = raw * (raw > 0.3)
    return raw / raw.sum(-1, keepdim=True)


def _entropy_with(small: float) -> Callable[[Tensor], Tensor]:
    return lambda p: -(p * torch.log2(p + small)).sum(-1)


ENTROPY = Exercise(
    task="The entropy of discrete distributions (..., outcomes), in bits. Outcomes of probability 0 add nothing.",
    reference=entropy_in_bits,
    cases=_distributions,
    generate=lambda g: (probabilities(g, *_shape(g), zeros=True),),
    lesson=lambda g: (_lesson_probabilities(g),),
    hints=(
        "Entropy is the mean code length: each outcome's length -log2 p, weighted by its probability p.",
        "0 log 0 counts as 0, but 0 * torch.log(0) is nan. torch.xlogy(p, p) is p log p with that rule.",
        "-torch.xlogy(p, p), summed over the last dimension, is in nats, as torch's logs are natural: divide by math.log(2).",
    ),
    mistakes=(
        Mistake(
            "Natural log where base 2 was asked",
            lambda p: entropy_in_bits(p) * math.log(2),
            "Your result is in nats; divide by ln 2 to get bits.",
        ),
        Mistake(
            "Wrong sign",
            lambda p: -entropy_in_bits(p),
            "log p is negative or 0, so the code length is -log p; entropy is never negative.",
        ),
        Mistake(
            "0 log 0 became nan",
            lambda p: -(p * torch.log2(p)).sum(-1),
            "An outcome of probability 0 adds nothing. torch.xlogy(p, p) knows that; p * log p does not.",
        ),
        *(
            Mistake(
                "A small number inside the log",
                _entropy_with(small),
                "It avoids nan, but shifts every log: a certain outcome gets an entropy below 0. Treat p = 0 apart, or use "
                "torch.xlogy(p, p).",
            )
            for small in SMALL_NUMBERS
        ),
        Mistake(
            "log(1 + p) for log p",
            lambda p: -(p * torch.log1p(p)).sum(-1) / math.log(2),
            "1 + p is another number: its log is 0 for p = 0, but the code length is -log p. torch.xlogy(p, p) is safe at 0.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda p: entropy_in_bits(p) / p.shape[-1],
            "The weights p already average over outcomes; a mean divides once more, by their number.",
        ),
        Mistake(
            "Summed over every distribution at once",
            lambda p: entropy_in_bits(p).sum(),
            "Sum over the last dimension only, .sum(-1): each row is a distribution of its own.",
        ),
        Mistake(
            "Averaged over everything",
            lambda p: entropy_in_bits(p).mean() / p.shape[-1],
            "Each row is a distribution of its own, whose terms add up: sum over the last dimension, and no mean.",
        ),
        Mistake(
            "One term for each outcome",
            lambda p: -torch.xlogy(p, p) / math.log(2),
            "The terms are right. A distribution's entropy is their sum: .sum(-1).",
        ),
        Mistake(
            "Averaged over the distributions",
            lambda p: entropy_in_bits(p).mean(),
            "Each row is a distribution of its own and keeps its own entropy: sum over the last dimension, and stop there.",
        ),
        Mistake(
            "Summed over the first dimension",
            lambda p: entropy_in_bits(p.movedim(0, -1)),
            "Outcomes lie on the last dimension; the first one counts distributions. Sum with .sum(-1).",
        ),
        Mistake(
            "Summed over dimension 1",
            lambda p: entropy_in_bits(p.movedim(1, -1)),
            "p may have any number of dimensions, also one alone. Outcomes lie on the last: .sum(-1).",
        ),
        Mistake(
            "Forgot the weights",
            lambda p: -torch.log2(p).sum(-1),
            "A code length -log2 p counts as often as its outcome occurs: weight it by p.",
        ),
        Mistake(
            "Decimal digits instead of bits",
            lambda p: entropy_in_bits(p) * math.log10(2),
            "log10 counts decimal digits; bits need the logarithm to base 2.",
        ),
        Mistake(
            "Converted to bits twice",
            lambda p: entropy_in_bits(p) / math.log(2),
            "log2 gives bits already: divide by ln 2 only after a natural log.",
        ),
        Mistake(
            "Multiplied by ln 2",
            lambda p: entropy_in_bits(p) * math.log(2) ** 2,
            "From nats to bits the number must grow: divide by ln 2.",
        ),
        Mistake(
            "Divided by 2 instead of ln 2",
            lambda p: entropy_in_bits(p) * math.log(2) / 2,
            "It is the logarithm of 2, about 0.693, that turns nats into bits.",
        ),
        Mistake(
            "Perplexity instead of entropy",
            lambda p: 2 ** entropy_in_bits(p),
            "2 to the power of the entropy is the perplexity, a number of outcomes. Leave the power out.",
        ),
        Mistake(
            "Probabilities taken for logits",
            lambda p: entropy_in_bits(p.softmax(-1)),
            "p is a distribution already: no softmax.",
        ),
        Mistake(
            "Normalized by the largest possible entropy",
            lambda p: entropy_in_bits(p) / math.log2(p.shape[-1]),
            "Divided by log2(outcomes) it is a share between 0 and 1. The bits themselves were asked.",
        ),
        Mistake(
            "Each outcome treated as a coin",
            lambda p: entropy_in_bits(p) + entropy_in_bits(torch.stack((1 - p, torch.zeros_like(p)), -1)).sum(-1),
            "The term (1 - p) log(1 - p) belongs to a coin, whose other side is 1 - p. Here the other outcomes are listed.",
        ),
        Mistake(
            "Probabilities squared and summed",
            lambda p: 1 - p.square().sum(-1),
            "That is the chance that two draws differ (the Gini index). Entropy weights -log2 p by p.",
        ),
    ),
)

# --- discrete KL ----------------------------------------------------------------------------------------------------


def kl_discrete(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def _pairs() -> list[Arguments]:
    return _doubles(
        [
            ([0.5, 0.5], [0.9, 0.1]),
            ([0.7, 0.2, 0.1], [0.2, 0.3, 0.5]),
            ([1.0, 0.0], [0.5, 0.5]),
            ([0.5, 0.5], [1.0, 0.0]),
            ([0.5, 0.5, 0.0], [0.25, 0.75, 0.0]),
            ([[0.6, 0.3, 0.1]], [[0.5, 0.25, 0.25]]),  # a batch of one
            ([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7]], [[0.5, 0.5], [0.3, 0.7], [0.3, 0.7]]),  # the last two are the same
        ]
    )


def _drawn_pair(generator: Generator) -> Arguments:
    """Zeros in p alone, in both at the same places, or in each where they fall."""
    shape = _shape(generator)
    p, kind = probabilities(generator, *shape, zeros=True), size(generator, 0, 3)
    if kind == 3:
        return p, probabilities(generator, *shape, zeros=True)
    q = probabilities(generator, *shape)
    if kind == 2:
        q = q.masked_fill(p == 0, 0)
        q[..., 0] += 1 - q.sum(-1)
    return p, q.mul(100).round() / 100


def _clipped(small: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda p, q: (p * torch.log(p.clamp_min(small) / q.clamp_min(small))).sum(-1)


def _both_shifted(small: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda p, q: (p * torch.log((p + small) / (q + small))).sum(-1)


def _second_shifted(small: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda p, q: kl_discrete(p, q + small)


def _numbers_for_infinity(p: Tensor, q: Tensor) -> Tensor:
    return (p * torch.log(p / q)).nan_to_num().sum(-1)


KL_DISCRETE = Exercise(
    task="KL(p to q) of discrete distributions (..., outcomes), in nats, right also where p or q is 0 (and then perhaps "
    "infinite).",
    reference=kl_discrete,
    cases=_pairs,
    generate=_drawn_pair,
    lesson=lambda g: (_lesson_probabilities(g), torch.randn(100, 30, generator=g).softmax(-1)),
    hints=(
        "KL is the extra code length: (length in q's code) - (length in p's code), averaged over p's outcomes.",
        "Two calls of torch.xlogy give p log p and p log q with the right answer at p = 0.",
        "(torch.xlogy(p, p) - torch.xlogy(p, q)), summed over the last dimension.",
    ),
    mistakes=(
        Mistake(
            "Reversed KL",
            lambda p, q: kl_discrete(q, p),
            "This is KL(q to p): the weights in front of the log must be those of the first distribution, p.",
        ),
        *(
            Mistake(
                "Reversed KL, without the outcomes that p leaves out",
                wrong,
                "The weights in front of the log must be those of the first distribution, p, and the ratio inside it is p / q. "
                "Then the terms with p = 0 are 0 by right.",
            )
            for wrong in (
                lambda p, q: torch.where(p > 0, q * torch.log(q / p), 0).sum(-1),
                lambda p, q: torch.where(p > 0, torch.xlogy(q, q) - torch.xlogy(q, p), 0).sum(-1),
            )
        ),
        Mistake(
            "0 log 0 became nan",
            lambda p, q: (p * torch.log(p / q)).sum(-1),
            "Where p = 0 the term is 0, whatever q is; torch.xlogy(p, ...) knows that.",
        ),
        Mistake(
            "0 / 0 became nan",
            lambda p, q: torch.xlogy(p, p / q).sum(-1),
            "Where p and q are both 0, p / q is nan, and so is 0 * log q. Two calls of torch.xlogy are safe: "
            "torch.xlogy(p, p) - torch.xlogy(p, q).",
        ),
        *(
            Mistake(
                "A small number hides the zeros",
                wrong(small),
                "Where q = 0 < p the KL is infinite. A small number added to q, or put in its place, invents a finite value.",
            )
            for wrong in (_second_shifted, _both_shifted, _clipped)
            for small in SMALL_NUMBERS
        ),
        Mistake(
            "Outcomes with q = 0 left out",
            lambda p, q: kl_discrete(p, torch.where(q == 0, p, q)),
            "Only p = 0 makes a term 0. Where q = 0 < p, the term is infinite, and so is the KL.",
        ),
        Mistake(
            "Infinity made a number",
            _numbers_for_infinity,
            "nan_to_num replaces infinity too, by the largest number there is. Where q = 0 < p the KL is infinite.",
        ),
        Mistake(
            "Wrong sign",
            lambda p, q: -kl_discrete(p, q),
            "A KL is never negative; the ratio inside the log is p / q.",
        ),
        Mistake(
            "Bits instead of nats",
            lambda p, q: kl_discrete(p, q) / math.log(2),
            "The course counts in nats: use the natural log.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda p, q: kl_discrete(p, q) / p.shape[-1],
            "The weights p already average; sum the terms.",
        ),
        Mistake(
            "Summed over every pair at once",
            lambda p, q: kl_discrete(p, q).sum(),
            "Sum over the last dimension only, .sum(-1): each row has a KL of its own.",
        ),
        Mistake(
            "torch's batchmean",
            lambda p, q: kl_discrete(p, q).sum() / len(p),
            "batchmean adds everything up and divides by the first dimension. Each row has a KL of its own here: reduction "
            "is none, then .sum(-1).",
        ),
        Mistake(
            "Averaged over everything",
            lambda p, q: kl_discrete(p, q).mean() / p.shape[-1],
            "functional.kl_div does that unless told otherwise. Sum over the last dimension, .sum(-1), and keep one KL a row.",
        ),
        Mistake(
            "One term for each outcome",
            lambda p, q: torch.xlogy(p, p) - torch.xlogy(p, q),
            "The terms are right. The KL is their sum: .sum(-1).",
        ),
        Mistake(
            "Averaged over the pairs",
            lambda p, q: kl_discrete(p, q).mean(),
            "Each row has a KL of its own: sum over the last dimension, and stop there.",
        ),
        Mistake(
            "Summed over the first dimension",
            lambda p, q: kl_discrete(p.movedim(0, -1), q.movedim(0, -1)),
            "Outcomes lie on the last dimension; the first one counts distributions. Sum with .sum(-1).",
        ),
        Mistake(
            "Summed over dimension 1",
            lambda p, q: kl_discrete(p.movedim(1, -1), q.movedim(1, -1)),
            "p may have any number of dimensions, also one alone. Outcomes lie on the last: .sum(-1).",
        ),
        Mistake(
            "Cross entropy instead of KL",
            lambda p, q: -torch.xlogy(p, q).sum(-1),
            "This is the whole code length; subtract the part that p's own code would need, H(p).",
        ),
        Mistake(
            "The entropy was added",
            lambda p, q: -(torch.xlogy(p, p) + torch.xlogy(p, q)).sum(-1),
            "KL is the cross entropy minus the entropy of p: what you pay, less what you had to pay.",
        ),
        Mistake(
            "Difference of two entropies",
            lambda p, q: torch.xlogy(p, p).sum(-1) - torch.xlogy(q, q).sum(-1),
            "H(q) - H(p) weights q's code lengths by q. In the cross entropy the truth p decides how often each word is sent.",
        ),
        Mistake(
            "Forgot the weights",
            lambda p, q: (p.log() - q.log()).sum(-1),
            "Each outcome's log(p / q) counts as often as the outcome occurs: weight it by p.",
        ),
        Mistake(
            "The log was forgotten",
            lambda p, q: (p * (p - q)).sum(-1),
            "Code lengths are logs: the difference is log p - log q, weighted by p.",
        ),
        Mistake(
            "Absolute values",
            lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).abs().sum(-1),
            "Single terms may be negative, where q's word is shorter. They count as they are; the sum is never negative.",
        ),
        Mistake(
            "Both directions averaged",
            lambda p, q: (kl_discrete(p, q) + kl_discrete(q, p)) / 2,
            "The KL has a direction. Only the one from p to q was asked.",
        ),
        Mistake(
            "Probabilities taken for logits",
            lambda p, q: kl_discrete(p.softmax(-1), q.softmax(-1)),
            "p and q are distributions already: no softmax.",
        ),
        Mistake(
            "torch's kl_div with its arguments swapped",
            lambda p, q: functional.kl_div(p.log(), q, reduction="none").sum(-1),
            "functional.kl_div(q.log(), p) is KL(p to q): the second distribution comes first there. And it is nan where both "
            "are 0: two calls of torch.xlogy are safer.",
        ),
        Mistake(
            "torch's kl_div without the log",
            lambda p, q: functional.kl_div(q, p, reduction="none").sum(-1),
            "functional.kl_div expects log q as its first argument, and p as its second.",
        ),
    ),
)

# --- KL between two Gaussians ---------------------------------------------------------------------------------------


def kl_between_gaussians(mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor, log_var_p: Tensor) -> Tensor:
    distance = (mean_q - mean_p).square()
    return 0.5 * (log_var_p - log_var_q + (log_var_q.exp() + distance) / log_var_p.exp() - 1).sum(-1)


def _two_gaussians() -> list[Arguments]:
    return _doubles(
        [
            ([1.0], [0.5], [-0.5], [1.0]),
            ([0.0], [0.0], [0.0], [0.0]),
            ([1.0], [0.0], [0.0], [1.0]),
            ([0.5, -1.0], [0.5, -0.5], [-0.5, 1.0], [1.0, 0.3]),
            ([[0.5, 0.0, -1.0]], [[0.2, 1.0, 0.5]], [[1.0, 0.5, 1.0]], [[0.7, 0.3, 1.5]]),  # a batch of one
            ([[1.0, 0.0], [0.2, 3.0]], [[0.0, 1.0], [-1.0, 0.4]], [[0.0, 0.5], [1.0, 1.0]], [[0.7, 0.0], [0.2, 2.0]]),
        ]
    )


def _drawn_gaussians(generator: Generator) -> Arguments:
    shape = sizes(generator, size(generator, 1, 3))
    return tuple(numbers(generator, *shape, low=-2 - k % 2) for k in range(4))


# In what follows, q is N(m, exp(v)) and p is N(n, exp(w)).

STANDARD = "log_var is the log of the variance; the variance is log_var.exp()."


def _moved(dimension: int, *parts: Tensor) -> list[Tensor]:
    return [part.movedim(dimension, -1) for part in parts]


def _with_stds(m: Tensor, v: Tensor, n: Tensor, w: Tensor) -> Tensor:
    return kl_divergence(Normal(m, v), Normal(n, w)).sum(-1)


def _with_third_average(distance: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """The KL with ``distance`` of the two means in place of their squared difference."""
    return lambda m, v, n, w: 0.5 * (w - v + (v.exp() + distance(m, n)) / w.exp() - 1).sum(-1)


KL_BETWEEN_GAUSSIANS = Exercise(
    task="KL from N(mean_q, exp(log_var_q)) to N(mean_p, exp(log_var_p)), in nats, summed over the last dimension.",
    reference=kl_between_gaussians,
    cases=_two_gaussians,
    generate=_drawn_gaussians,
    lesson=lambda g: tuple(torch.randn(128, 16, generator=g) - k % 2 for k in range(4)),
    gradients=("mean_q", "log_var_q", "mean_p", "log_var_p"),
    hints=(
        "The third average first: x - mean_p is (x - mean_q) + (mean_q - mean_p). Square that, and average each of the three "
        "terms over q. What is the average of x - mean_q?",
        "It is var_q + (mean_q - mean_p)^2. In the bracket it is divided by p's variance, while the second average, var_q, is "
        "divided by var_q itself.",
        "1/2 (log_var_p - log_var_q + (var_q + (mean_q - mean_p)^2) / var_p - 1), summed over the last dimension.",
    ),
    mistakes=(
        Mistake(
            "Reversed KL",
            lambda m, v, n, w: kl_between_gaussians(n, w, m, v),
            "This is KL(p to q). The first distribution is the one the average runs over.",
        ),
        Mistake(
            "Missing 1/2",
            lambda m, v, n, w: 2 * kl_between_gaussians(m, v, n, w),
            "The log density of a Gaussian carries a factor 1/2.",
        ),
        Mistake(
            "The distance is not in units of p",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * ((m - n).square() * (1 - (-w).exp())).sum(-1),
            "The squared distance between the means is divided by p's variance as well: a wide p forgives a distance.",
        ),
        Mistake(
            "The distance is in units of q",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * ((m - n).square() * ((-v).exp() - (-w).exp())).sum(-1),
            "Divide the squared distance by p's variance: p is the one asked to explain q's draws.",
        ),
        Mistake(
            "The variances' ratio is upside down",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * ((w - v).exp() - (v - w).exp()).sum(-1),
            "q's variance is divided by p's: a q that is wider than p is expensive.",
        ),
        Mistake(
            "Measured in units of q",
            lambda m, v, n, w: 0.5 * (w - v + (v.exp() + (m - n).square()) / v.exp() - 1).sum(-1),
            "q's variance and the squared distance are divided by p's variance: p is the one asked to explain q's draws.",
        ),
        Mistake(
            "The variances of p and q are swapped in the quotient",
            lambda m, v, n, w: kl_between_gaussians(m, w, n, v) + (w - v).sum(-1),
            "q's variance belongs above, p's below: (var_q + distance^2) / var_p.",
        ),
        Mistake(
            "q's variance is not in units of p",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * (v.exp() - (v - w).exp()).sum(-1),
            "Both q's variance and the squared distance are divided by p's variance: mind the brackets.",
        ),
        Mistake(
            "Divided by p's standard deviation",
            lambda m, v, n, w: (
                kl_between_gaussians(m, v, n, w)
                + 0.5 * ((v.exp() + (m - n).square()) * ((-0.5 * w).exp() - (-w).exp())).sum(-1)
            ),
            "Variance and squared distance are divided by p's variance, exp(log_var_p), not by its root.",
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda m, v, n, w: kl_between_gaussians(m, 2 * v, n, 2 * w),
            "exp(log_var) is already the variance; do not square it.",
        ),
        *(
            Mistake(
                "A variance in the quotient was squared",
                wrong,
                "exp(log_var) is already the variance, the square of the standard deviation: do not square it again.",
            )
            for wrong in (
                lambda m, v, n, w: 0.5 * (w - v + ((2 * v).exp() + (m - n).square()) / (2 * w).exp() - 1).sum(-1),
                lambda m, v, n, w: 0.5 * (w - v + ((2 * v).exp() + (m - n).square()) / w.exp() - 1).sum(-1),
                lambda m, v, n, w: 0.5 * (w - v + (v.exp() + (m - n).square()) / (2 * w).exp() - 1).sum(-1),
            )
        ),
        *(
            Mistake("log_var read as the standard deviation", wrong, STANDARD)
            for wrong in (
                _with_stds,
                lambda m, v, n, w: ((w / v).log() + (v.square() + (m - n).square()) / (2 * w.square()) - 0.5).sum(-1),
                lambda m, v, n, w: (w.log() - v.log() + (v.square() + (m - n).square()) / (2 * w.square()) - 0.5).sum(-1),
                lambda m, v, n, w: 0.5 * (w - v + (v.square() + (m - n).square()) / w.square() - 1).sum(-1),
            )
        ),
        *(
            Mistake("log_var read as the variance", wrong, STANDARD)
            for wrong in (
                lambda m, v, n, w: _with_stds(m, v.sqrt(), n, w.sqrt()),
                lambda m, v, n, w: 0.5 * ((w / v).log() + (v + (m - n).square()) / w - 1).sum(-1),
                lambda m, v, n, w: 0.5 * (w.log() - v.log() + (v + (m - n).square()) / w - 1).sum(-1),
            )
        ),
        Mistake(
            "The exp was forgotten",
            lambda m, v, n, w: 0.5 * (w - v + (v + (m - n).square()) / w - 1).sum(-1),
            "The variances are log_var_q.exp() and log_var_p.exp(). Only the difference of logs has the log_vars themselves.",
        ),
        *(
            Mistake(
                "One exp was forgotten",
                wrong,
                "In the quotient stand two variances, log_var_q.exp() above and log_var_p.exp() below. Only the difference of "
                "logs has the log_vars themselves.",
            )
            for wrong in (
                lambda m, v, n, w: 0.5 * (w - v + (v + (m - n).square()) / w.exp() - 1).sum(-1),
                lambda m, v, n, w: 0.5 * (w - v + (v.exp() + (m - n).square()) / w - 1).sum(-1),
            )
        ),
        Mistake(
            "Standard deviations where variances belong",
            lambda m, v, n, w: 0.5 * (w - v + ((0.5 * v).exp() + (m - n).square()) / (0.5 * w).exp() - 1).sum(-1),
            "exp(log_var / 2) is the standard deviation. The quotient has the variances, exp(log_var).",
        ),
        Mistake(
            "The log was taken twice",
            lambda m, v, n, w: 0.5 * (w.log() - v.log() + (v.exp() + (m - n).square()) / w.exp() - 1).sum(-1),
            "log_var_p and log_var_q are logs already: they enter the log term as they are.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) / m.shape[-1],
            "Independent dimensions add their nats: sum over the last dimension.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w).sum(),
            "Keep one KL for each example: .sum(-1).",
        ),
        Mistake(
            "Averaged over everything",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w).mean() / m.shape[-1],
            "Independent dimensions add their nats, and each example keeps its own KL: .sum(-1), and no mean.",
        ),
        Mistake(
            "Averaged over the batch",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w).mean(),
            "Keep one KL for each example: .sum(-1), and no mean after it.",
        ),
        Mistake(
            "Summed over the first dimension",
            lambda m, v, n, w: kl_between_gaussians(*_moved(0, m, v, n, w)),
            "The first dimension counts examples. The latent dimension is the last: .sum(-1).",
        ),
        Mistake(
            "Summed over dimension 1",
            lambda m, v, n, w: kl_between_gaussians(*_moved(1, m, v, n, w)),
            "There may be any number of dimensions, also one alone. The latent one is the last: .sum(-1).",
        ),
        Mistake(
            "One KL for each dimension",
            lambda m, v, n, w: 0.5 * (w - v + (v.exp() + (m - n).square()) / w.exp() - 1),
            "Each dimension's KL is right. They add up: sum over the last dimension.",
        ),
        Mistake(
            "Wrong sign",
            lambda m, v, n, w: -kl_between_gaussians(m, v, n, w),
            "A KL is never negative.",
        ),
        Mistake(
            "The -1 was forgotten",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + m.shape[-1] / 2,
            "Each dimension has a -1, so that the KL is 0 where both Gaussians are the same.",
        ),
        Mistake(
            "+1 where -1 belongs",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + m.shape[-1],
            "The 1 is subtracted, so that the KL is 0 where both Gaussians are the same.",
        ),
        Mistake(
            "1 was subtracted once, not for each dimension",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + (m.shape[-1] - 1) / 2,
            "Each dimension has its own -1: put it inside the sum.",
        ),
        Mistake(
            "The log_vars are the wrong way round",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + (v - w).sum(-1),
            "The log term is log_var_p - log_var_q: a q narrower than p is expensive.",
        ),
        Mistake(
            "The log term was left out",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * (v - w).sum(-1),
            "Without log_var_p - log_var_q nothing stops q's variance from shrinking to 0.",
        ),
        Mistake(
            "The log term was doubled",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * (w - v).sum(-1),
            "log_var_p - log_var_q has the factor 1/2 as well: the log of the standard deviation is half of log_var.",
        ),
        Mistake(
            "The distance was not squared",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, w) + 0.5 * ((m - n - (m - n).square()) / w.exp()).sum(-1),
            "The means' difference enters squared: it costs the same on either side.",
        ),
        Mistake(
            "q's variance was left out of the third average",
            lambda m, v, n, w: 0.5 * (w - v + (m - n).square() / w.exp() - 1).sum(-1),
            "The average of (x - mean_p)^2 over q is var_q + (mean_q - mean_p)^2: draws of q lie spread around its mean.",
        ),
        *(
            Mistake(
                "The third average",
                _with_third_average(distance),
                "The average of (x - mean_p)^2 over q is not right: with the numbers of section 4 it must be 4.25. Go from "
                "mean_p to x in two steps.",
            )
            for distance in (
                lambda m, n: n.square(),
                lambda m, n: m.square() - n.square(),
                lambda m, n: n.square() - m.square(),
                lambda m, n: m.square() + n.square(),
                lambda m, n: -(m - n).square(),
                lambda m, n: (m - n).square() - m.square(),
                lambda m, n: (m - n).square() - n.square(),
            )
        ),
        Mistake(
            "The distance was left out",
            lambda m, v, n, w: kl_between_gaussians(torch.zeros_like(m), v, torch.zeros_like(n), w),
            "Means that differ cost too: (mean_q - mean_p)^2 is added to q's variance.",
        ),
        Mistake(
            "The means were added",
            lambda m, v, n, w: kl_between_gaussians(m, v, -n, w),
            "It is the distance between the means that costs: mean_q - mean_p.",
        ),
        Mistake(
            "p was taken for the standard normal",
            lambda m, v, n, w: kl_between_gaussians(m, v, torch.zeros_like(n), torch.zeros_like(w)),
            "p has a mean and a variance of its own here.",
        ),
        Mistake(
            "p's mean was left out",
            lambda m, v, n, w: kl_between_gaussians(m, v, torch.zeros_like(n), w),
            "What costs is the distance between the two means, not q's distance from 0.",
        ),
        Mistake(
            "p's variance was left out",
            lambda m, v, n, w: kl_between_gaussians(m, v, n, torch.zeros_like(w)),
            "p has a variance of its own: everything is measured in its units.",
        ),
        Mistake(
            "Difference of two KLs to the standard normal",
            lambda m, v, n, w: (
                kl_between_gaussians(m, v, torch.zeros_like(n), torch.zeros_like(w))
                - kl_between_gaussians(n, w, torch.zeros_like(m), torch.zeros_like(v))
            ),
            "KLs are no distances that could be subtracted. Compare q with p itself.",
        ),
        Mistake(
            "The 1/2 covers only the first term",
            lambda m, v, n, w: 2 * kl_between_gaussians(m, v, n, w) - 0.5 * (w - v).sum(-1),
            "The 1/2 stands in front of the whole bracket.",
        ),
    ),
)

# --- Gaussian to standard normal ------------------------------------------------------------------------------------


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)


def _gaussians() -> list[Arguments]:
    return _doubles(
        [
            ([0.5], [1.0]),
            ([0.0], [0.0]),
            ([1.0], [0.0]),
            ([1.0, -2.0], [-1.0, 0.5]),
            ([[0.5, -1.0, 2.0]], [[1.0, 0.2, 0.7]]),  # a batch of one
            ([[0.1, 2.0], [1.0, 0.0]], [[0.3, -3.0], [2.0, 1.0]]),
        ]
    )


def _drawn_gaussian(generator: Generator) -> Arguments:
    shape = sizes(generator, size(generator, 1, 3))
    return numbers(generator, *shape), numbers(generator, *shape, low=-3, high=2)


def _with_std_from(std: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The KL by torch.distributions, whose Normal raises a ValueError for what cannot be a standard deviation."""

    def kl(mean: Tensor, log_var: Tensor) -> Tensor:
        standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
        return kl_divergence(Normal(mean, std(log_var)), standard).sum(-1)

    return kl


KL_TO_STANDARD_NORMAL = Exercise(
    task="KL from N(mean, diag(exp(log_var))) to N(0, I), in nats, summed over the last dimension.",
    reference=kl_to_standard_normal,
    cases=_gaussians,
    generate=_drawn_gaussian,
    lesson=lambda g: (torch.randn(128, 16, generator=g), torch.randn(128, 16, generator=g) - 1),
    gradients=("mean", "log_var"),
    hints=(
        "It is kl_between_gaussians with a p whose mean is 0 and whose variance is 1. What is log_var_p then?",
        "log_var_p = 0, so nothing is divided any more: 1/2 (mean^2 + variance - 1 - log variance) in each dimension.",
        "variance is log_var.exp(), log variance is log_var itself. Sum over the last dimension, and over no other.",
    ),
    mistakes=(
        Mistake(
            "Missing 1/2",
            lambda mean, log_var: 2 * kl_to_standard_normal(mean, log_var),
            "The log density of a Gaussian carries a factor 1/2 in front of everything.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) / mean.shape[-1],
            "Independent dimensions add their nats. A mean over dimensions divides the KL, which weakens it in a VAE's loss.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var).sum(),
            "Keep one KL for each example: .sum(-1).",
        ),
        Mistake(
            "Averaged over everything",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var).mean() / mean.shape[-1],
            "Independent dimensions add their nats, and each example keeps its own KL: .sum(-1), and no mean.",
        ),
        Mistake(
            "Averaged over the batch",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var).mean(),
            "Keep one KL for each example: .sum(-1), and no mean after it.",
        ),
        Mistake(
            "Summed over the first dimension",
            lambda mean, log_var: kl_to_standard_normal(mean.movedim(0, -1), log_var.movedim(0, -1)),
            "The first dimension counts examples. The latent dimension is the last: .sum(-1).",
        ),
        Mistake(
            "Summed over dimension 1",
            lambda mean, log_var: kl_to_standard_normal(mean.movedim(1, -1), log_var.movedim(1, -1)),
            "There may be any number of dimensions, also one alone. The latent one is the last: .sum(-1).",
        ),
        Mistake(
            "One KL for each dimension",
            lambda mean, log_var: 0.5 * (mean.square() + log_var.exp() - 1 - log_var),
            "Each dimension's KL is right. They add up: sum over the last dimension.",
        ),
        *(
            Mistake("log_var read as the standard deviation", wrong, STANDARD)
            for wrong in (
                lambda mean, log_var: 0.5 * (mean.square() + log_var.square() - 1 - log_var.square().log()).sum(-1),
                lambda mean, log_var: 0.5 * (mean.square() + log_var.square() - 1 - 2 * log_var.log()).sum(-1),
                lambda mean, log_var: 0.5 * (mean.square() + log_var.square() - 1 - log_var).sum(-1),
                _with_std_from(lambda log_var: log_var),
            )
        ),
        *(
            Mistake("log_var read as the variance", wrong, STANDARD)
            for wrong in (
                lambda mean, log_var: 0.5 * (mean.square() + log_var - 1 - log_var.log()).sum(-1),
                _with_std_from(lambda log_var: log_var.sqrt()),
            )
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda mean, log_var: kl_to_standard_normal(mean, 2 * log_var),
            "log_var is already the log of the *variance*: exp(log_var) is the variance, exp(log_var / 2) the std.",
        ),
        Mistake(
            "The exp was forgotten",
            lambda mean, log_var: 0.5 * (mean.square() + log_var - 1 - log_var).sum(-1),
            "The variance is log_var.exp(); only the last term is log_var itself.",
        ),
        Mistake(
            "The log was taken twice",
            lambda mean, log_var: 0.5 * (mean.square() + log_var.exp() - 1 - log_var.log()).sum(-1),
            "log_var is the log of the variance already: it enters the last term as it is.",
        ),
        Mistake(
            "The standard deviation where the variance belongs",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + 0.5 * ((0.5 * log_var).exp() - log_var.exp()).sum(-1),
            "exp(log_var / 2) is the standard deviation. The formula has the variance, exp(log_var).",
        ),
        Mistake(
            "The variance was squared",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + 0.5 * ((2 * log_var).exp() - log_var.exp()).sum(-1),
            "exp(log_var) is the variance already, which is the square of the standard deviation.",
        ),
        Mistake(
            "The log of the standard deviation where that of the variance belongs",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + 0.25 * log_var.sum(-1),
            "The last term inside the 1/2 is the log of the variance, log_var itself, without a 1/2 of its own.",
        ),
        Mistake(
            "log_var was doubled",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) - 0.5 * log_var.sum(-1),
            "2 log(std) is log_var itself: do not double it again.",
        ),
        Mistake(
            "Reversed KL",
            lambda mean, log_var: 0.5 * ((1 + mean.square()) * (-log_var).exp() - 1 + log_var).sum(-1),
            "This is KL from N(0, I) to your Gaussian. A VAE averages over q, so q comes first.",
        ),
        Mistake(
            "Wrong sign",
            lambda mean, log_var: -kl_to_standard_normal(mean, log_var),
            "A KL is never negative. (The formula is often printed as -1/2 (1 + log_var - mean^2 - variance).)",
        ),
        Mistake(
            "mean was not squared",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + 0.5 * (mean - mean.square()).sum(-1),
            "The mean enters squared: moving left costs as much as moving right.",
        ),
        Mistake(
            "The mean was left out",
            lambda mean, log_var: kl_to_standard_normal(torch.zeros_like(mean), log_var),
            "A Gaussian that is off centre pays for it: mean^2 belongs to the sum.",
        ),
        Mistake(
            "mean^2 was subtracted",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) - mean.square().sum(-1),
            "Being off centre costs: mean^2 is added.",
        ),
        Mistake(
            "The -1 was forgotten",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + mean.shape[-1] / 2,
            "Each dimension has a -1, so that the KL of N(0, 1) to itself is 0.",
        ),
        Mistake(
            "+1 where -1 belongs",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + mean.shape[-1],
            "The 1 is subtracted, so that the KL of N(0, 1) to itself is 0.",
        ),
        Mistake(
            "1 was subtracted once, not for each dimension",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + (mean.shape[-1] - 1) / 2,
            "Each dimension has its own -1: put it inside the sum.",
        ),
        Mistake(
            "log_var was added",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + log_var.sum(-1),
            "log_var is subtracted: a narrow Gaussian, whose log_var is very negative, is far from N(0, 1).",
        ),
        Mistake(
            "log_var was left out",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) + 0.5 * log_var.sum(-1),
            "Without - log_var nothing stops the variance from shrinking to 0.",
        ),
        Mistake(
            "The variance was left out",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) - 0.5 * log_var.exp().sum(-1),
            "Without + log_var.exp() nothing stops the variance from growing.",
        ),
        Mistake(
            "The variance was subtracted",
            lambda mean, log_var: kl_to_standard_normal(mean, log_var) - log_var.exp().sum(-1),
            "The variance is added: a wide Gaussian reaches far from 0.",
        ),
        Mistake(
            "p's log_var was set to 1",
            lambda mean, log_var: kl_between_gaussians(mean, log_var, torch.zeros_like(mean), torch.ones_like(log_var)),
            "p's variance is 1, and so its log_var is 0.",
        ),
        Mistake(
            "The 1/2 covers only the first term",
            lambda mean, log_var: 2 * kl_to_standard_normal(mean, log_var) - 0.5 * mean.square().sum(-1),
            "The 1/2 stands in front of the whole bracket: mean^2, variance, 1 and log_var.",
        ),
    ),
)

# --- KL on a grid ---------------------------------------------------------------------------------------------------


def kl_on_grid(log_first: Tensor, log_second: Tensor, step: float) -> Tensor:
    terms = log_first.exp() * (log_first - log_second)
    return terms.sum() * step


def _from_densities(terms: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, float], Tensor]:
    """The KL on a grid whose ``terms`` are computed from the densities, which are 0 where their logs are very negative."""
    return lambda log_first, log_second, step: terms(log_first.exp(), log_second.exp()).sum() * step


def _densities(first: Sequence[float], second: Sequence[float], step: float) -> Arguments:
    """Two densities on a grid, from the probabilities of its points: next to nothing at both ends, as a grid should have it."""
    ends = [1e-20]
    rows = torch.tensor([[*ends, *first, *ends], [*ends, *second, *ends]], dtype=torch.float64)
    log_first, log_second = (rows / step).log()
    return log_first, log_second, step


def _grids() -> list[Arguments]:
    return [
        _densities([0.5, 0.5], [0.5, 0.5], 1.0),  # the same, so 0
        _densities([0.25, 0.75], [0.5, 0.5], 0.5),
        _densities([0.2, 0.5, 0.3], [0.6, 0.3, 0.1], 0.1),
        _densities([0.1, 0.4, 0.4, 0.1], [0.25, 0.25, 0.25, 0.25], 2.0),
    ]


def _drawn_grid(generator: Generator) -> Arguments:
    points = size(generator, 2, 6)
    first, second = (probabilities(generator, points).tolist() for _ in range(2))
    return _densities(first, second, size(generator, 1, 20) / 20)


def _lesson_grid(generator: Generator) -> Arguments:
    """Two Gaussians on the lesson's grid, in single precision, in which the second's density is 0 at the ends."""
    x = torch.linspace(-12, 12, 2401)
    means = torch.rand(2, generator=generator) * 4 - 2
    stds = torch.rand(2, generator=generator) * torch.tensor([0.8, 0.2]) + torch.tensor([0.9, 0.6])
    log_first, log_second = (Normal(mean, std).log_prob(x) for mean, std in zip(means, stds, strict=True))
    return log_first, log_second, 0.01


def _by_discrete_kl(log_first: Tensor, log_second: Tensor, step: float) -> Tensor:
    """The KL by exercise 2.2, from each strip's probability."""
    return kl_discrete(log_first.exp() * step, log_second.exp() * step)


KL_ON_GRID = Exercise(
    task="The KL from one density to another by a sum over a grid, from the log densities (points,) and the grid's step: one "
    "number, in nats.",
    reference=kl_on_grid,
    cases=_grids,
    generate=_drawn_grid,
    lesson=_lesson_grid,
    gradients=("log_first", "log_second"),
    hints=(
        "The integral is of first(x) times the log of first(x) over second(x). What is each factor, when you have the two "
        "logs?",
        "The density itself is log_first.exp(), and the log of the ratio is a difference of logs. Each point stands for a "
        "strip of the grid's step in width.",
        "(log_first.exp() * (log_first - log_second)), summed over the points, times step.",
    ),
    mistakes=(
        Mistake(
            "Reversed KL",
            lambda log_first, log_second, step: kl_on_grid(log_second, log_first, step),
            "This is the KL from the second to the first: the weights must be those of the first density.",
        ),
        Mistake(
            "The step was forgotten",
            lambda log_first, log_second, step: kl_on_grid(log_first, log_second, 1.0),
            "An integral is an area: each term is a height, and its strip is as wide as the step.",
        ),
        Mistake(
            "Divided by the step",
            lambda log_first, log_second, step: kl_on_grid(log_first, log_second, 1 / step),
            "A finer grid has more points, each of which counts less: multiply by the step.",
        ),
        Mistake(
            "Mean where a sum was asked",
            lambda log_first, log_second, step: kl_on_grid(log_first, log_second, 1 / len(log_first)),
            "The mean height is not the area. Sum the terms, and multiply by the step.",
        ),
        Mistake(
            "A mean, times the step",
            lambda log_first, log_second, step: kl_on_grid(log_first, log_second, step / len(log_first)),
            "The step takes the place of the mean: sum the terms, and multiply by it.",
        ),
        Mistake(
            "Forgot the weights",
            lambda log_first, log_second, step: (log_first - log_second).sum() * step,
            "Each point's log ratio counts as much as the first density there: multiply by log_first.exp().",
        ),
        Mistake(
            "Weighted by the log density",
            lambda log_first, log_second, step: (log_first * (log_first - log_second)).sum() * step,
            "log_first is a log. The weight is the density itself, log_first.exp().",
        ),
        Mistake(
            "Weighted by the second density",
            lambda log_first, log_second, step: -kl_on_grid(log_second, log_first, step),
            "The average runs over the first density: its exp is the weight.",
        ),
        Mistake(
            "The ratio is upside down",
            lambda log_first, log_second, step: -kl_on_grid(log_first, log_second, step),
            "A KL is never negative: inside the log stands the first over the second, so log_first - log_second.",
        ),
        Mistake(
            "Cross entropy instead of KL",
            lambda log_first, log_second, step: -(log_first.exp() * log_second).sum() * step,
            "That is the whole length of the second's code. The KL is what it has too much: log_first - log_second.",
        ),
        Mistake(
            "The log was forgotten",
            lambda log_first, log_second, step: (log_first.exp() * (log_first.exp() - log_second.exp())).sum() * step,
            "The difference is one of logs, log_first - log_second. Only the weight is a density.",
        ),
        *(
            Mistake(
                "The ratio was formed from the densities",
                _from_densities(terms),
                "Far out a density may be too small for the computer's numbers. It becomes 0, and the log of a ratio with it "
                "is infinite or nan. The log of the ratio is log_first - log_second, which needs no densities.",
            )
            for terms in (
                lambda first, second: first * (first / second).log(),
                lambda first, second: first * (first.log() - second.log()),
                lambda first, second: torch.xlogy(first, first / second),
                lambda first, second: torch.xlogy(first, first) - torch.xlogy(first, second),
            )
        ),
        Mistake(
            "The discrete KL of the strips",
            _by_discrete_kl,
            "It is right on paper, but formed from the densities, and far out a density may be too small for the computer's "
            "numbers. It becomes 0, and the KL infinite. The log of the ratio is log_first - log_second, which needs no "
            "densities.",
        ),
        *(
            Mistake(
                "The log was taken twice",
                wrong,
                "log_first and log_second are logs already: the log of the ratio is their difference.",
            )
            for wrong in (
                lambda log_first, log_second, step: (log_first.exp() * (log_first / log_second).log()).sum() * step,
                lambda log_first, log_second, step: (log_first.exp() * (log_first.log() - log_second.log())).sum() * step,
                lambda log_first, log_second, step: (log_first * (log_first / log_second).log()).sum() * step,
            )
        ),
        Mistake(
            "The logs were divided",
            lambda log_first, log_second, step: (log_first.exp() * (log_first / log_second)).sum() * step,
            "The log of a ratio is a difference of logs: log_first - log_second.",
        ),
        Mistake(
            "Absolute values",
            lambda log_first, log_second, step: (log_first.exp() * (log_first - log_second).abs()).sum() * step,
            "Where the second density is the larger one, the term is negative, and counts as it is.",
        ),
        Mistake(
            "Both directions averaged",
            lambda log_first, log_second, step: (
                (kl_on_grid(log_first, log_second, step) + kl_on_grid(log_second, log_first, step)) / 2
            ),
            "The KL has a direction. Only the one from the first to the second was asked.",
        ),
        Mistake(
            "One term for each point",
            lambda log_first, log_second, step: log_first.exp() * (log_first - log_second) * step,
            "The terms are right. The integral is their sum.",
        ),
        Mistake(
            "The weights' gradient is cut",
            lambda log_first, log_second, step: (
                kl_on_grid(log_first, log_second, step)
                + ((log_first.detach().exp() - log_first.exp()) * (log_first - log_second)).sum() * step
            ),
            "The values are right. In the fit below the weights depend on q as well: leave detach out.",
        ),
    ),
)

# --- KL from samples ------------------------------------------------------------------------------------------------


def kl_draws(log_q: Tensor, log_p: Tensor) -> Tensor:
    log_ratio = log_p - log_q
    return log_ratio.exp() - 1 - log_ratio


def _log_densities() -> list[Arguments]:
    return _doubles(
        [
            ([-1.0, -1.0], [-1.0, -2.0]),  # the first is a tie
            ([-2.0], [-1.0]),
            ([-0.5, -1.5, -3.0], [-1.0, -1.0, -1.0]),
            ([0.5, -4.0], [-1.0, 1.0]),  # densities may be above 1
        ]
    )


def _drawn_log_densities(generator: Generator) -> Arguments:
    count = size(generator, 2, 6)
    log_q, log_p = (numbers(generator, count, low=-4, high=1) for _ in range(2))
    return log_q, torch.where(flags(generator, count, share=0.2), log_q, log_p)


def _with_multiple(c: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda log_q, log_p: -(log_p - log_q) + c * ((log_p - log_q).exp() - 1)


KL_DRAWS = Exercise(
    task="For draws of q, the terms -log r + c (r - 1) with r = p / q and the one c for which no term is ever negative; their "
    "mean estimates KL(q to p): (samples,) to (samples,).",
    reference=kl_draws,
    cases=_log_densities,
    generate=_drawn_log_densities,
    lesson=lambda g: tuple(-1.4 - 0.5 * torch.randn(2000, generator=g).square() for _ in range(2)),
    gradients=("log_q", "log_p"),
    hints=(
        "Draw -log r against r. At r = 1 it is 0, and it falls. Which multiple of r - 1, a straight line through the same "
        "point, lifts it so that it lies nowhere below 0? Section 2 has the inequality.",
        "log r lies below its tangent r - 1, so c = 1. Each draw gives a term of its own: log r is log_p - log_q, and r its "
        "exp.",
        "With log_ratio = log_p - log_q a term is log_ratio.exp() - 1 - log_ratio.",
    ),
    mistakes=(
        Mistake(
            "r turned upside down",
            lambda log_q, log_p: kl_draws(log_p, log_q),
            "The draws come from q, so r must be p / q: only then is the mean of r equal to 1, and r - 1 free of charge.",
        ),
        Mistake(
            "The plain estimator",
            lambda log_q, log_p: log_q - log_p,
            "-log r is unbiased too, but single terms may be negative. Add the multiple of r - 1 that lifts them all to 0 or "
            "above.",
        ),
        Mistake(
            "The plain estimator, upside down",
            lambda log_q, log_p: log_p - log_q,
            "This is log r. The terms begin with -log r, and something is added to it.",
        ),
        *(
            Mistake(
                "Made positive by force",
                wrong,
                "That is never negative, but its mean is no longer the KL. Add c (r - 1) to -log r instead, with the right c.",
            )
            for wrong in (
                lambda log_q, log_p: (log_q - log_p).abs(),
                lambda log_q, log_p: (log_q - log_p).clamp(min=0),
                lambda log_q, log_p: (log_p - log_q).clamp(min=0),
                lambda log_q, log_p: (log_q - log_p).relu(),
                lambda log_q, log_p: (log_p - log_q).relu(),
            )
        ),
        Mistake(
            "Wrong sign",
            lambda log_q, log_p: -kl_draws(log_q, log_p),
            "r - 1 is never below log r, so r - 1 - log r is never negative.",
        ),
        Mistake(
            "Averaged already",
            lambda log_q, log_p: kl_draws(log_q, log_p).mean(),
            "Return the terms, shape (samples,): their spread gives the standard error.",
        ),
        Mistake(
            "Summed already",
            lambda log_q, log_p: kl_draws(log_q, log_p).sum(),
            "Return the terms, shape (samples,), one for each draw.",
        ),
        Mistake(
            "The squared estimator",
            lambda log_q, log_p: 0.5 * (log_p - log_q).square(),
            "That is k2. (log r)^2 / 2 agrees only where q and p nearly agree; elsewhere it is biased.",
        ),
        Mistake(
            "The squared estimator without its 1/2",
            lambda log_q, log_p: (log_p - log_q).square(),
            "This is (log r)^2. What is asked for is k3: -log r with a multiple of r - 1 added.",
        ),
        Mistake(
            "The -1 was forgotten",
            lambda log_q, log_p: kl_draws(log_q, log_p) + 1,
            "r has mean 1 under q, so 1 is subtracted: where p = q each term is 0.",
        ),
        Mistake(
            "+1 where -1 belongs",
            lambda log_q, log_p: kl_draws(log_q, log_p) + 2,
            "The 1 is subtracted: where p = q each term is 0.",
        ),
        Mistake(
            "log r was left out",
            lambda log_q, log_p: kl_draws(log_q, log_p) + log_p - log_q,
            "r - 1 alone has mean 0. It is -log r that counts the nats.",
        ),
        Mistake(
            "log r was added",
            lambda log_q, log_p: kl_draws(log_q, log_p) + 2 * (log_p - log_q),
            "The log is subtracted: -log r = log_q - log_p is what a draw costs in nats.",
        ),
        *(
            Mistake(
                "Another multiple of r - 1",
                _with_multiple(c),
                "The mean is right for any multiple, but some terms are negative. Try r a little above and a little below 1.",
            )
            for c in (-1.0, 0.5, 2.0)
        ),
        Mistake(
            "r was left out",
            lambda log_q, log_p: -1 - (log_p - log_q),
            "What is added is a multiple of r - 1, with r = (log_p - log_q).exp().",
        ),
        Mistake(
            "The log was taken twice",
            lambda log_q, log_p: (log_p - log_q).exp() - 1 - (log_p - log_q).log(),
            "log_p - log_q is log r already.",
        ),
        *(
            Mistake(
                "The exp was forgotten",
                wrong,
                "log_p - log_q is log r. The first term is r itself, its exp.",
            )
            for wrong in (
                lambda log_q, log_p: (log_p - log_q) - 1 - (log_p - log_q),
                lambda log_q, log_p: (log_p - log_q) - 1 - (log_p - log_q).log(),
            )
        ),
        *(
            Mistake(
                "The logs were divided",
                wrong,
                "The ratio p / q is the exp of a difference of logs: (log_p - log_q).exp(). log_p / log_q is another number.",
            )
            for wrong in (
                lambda log_q, log_p: log_p / log_q - 1 - (log_p / log_q).log(),
                lambda log_q, log_p: log_p / log_q - 1 - (log_p - log_q),
            )
        ),
        Mistake(
            "Only the first r is upside down",
            lambda log_q, log_p: (log_q - log_p).exp() - 1 - (log_p - log_q),
            "r is p / q in both places: (log_p - log_q).exp() has mean 1 under q.",
        ),
        Mistake(
            "The gradient of r is cut",
            lambda log_q, log_p: (log_p - log_q).exp().detach() - 1 - (log_p - log_q),
            "The values are right. Gradients flow through r too: leave detach out.",
        ),
        Mistake(
            "The logs were added",
            lambda log_q, log_p: kl_draws(-log_q, log_p),
            "A ratio's log is a difference: log r = log_p - log_q.",
        ),
        Mistake(
            "The terms of the other KL",
            lambda log_q, log_p: kl_draws(log_p, log_q) * (log_p - log_q).exp(),
            "r log r - (r - 1) estimates KL(p to q) from draws of q. For KL(q to p) the term begins with -log r.",
        ),
        Mistake(
            "r log r",
            lambda log_q, log_p: (log_p - log_q).exp() * (log_p - log_q),
            "r log r estimates KL(p to q) from draws of q. For KL(q to p) the term begins with -log r.",
        ),
        Mistake(
            "r and log r are swapped",
            lambda log_q, log_p: (log_p - log_q) - 1 - (log_p - log_q).exp(),
            "log_p - log_q is log r, and its exp is r: the terms are r - 1 - log r.",
        ),
        Mistake(
            "Weighted by q",
            lambda log_q, log_p: log_q.exp() * kl_draws(log_q, log_p),
            "The draws come from q, so likely ones occur more often by themselves: no weights.",
        ),
        Mistake(
            "Weighted by p",
            lambda log_q, log_p: log_p.exp() * kl_draws(log_q, log_p),
            "The terms are -log r with a multiple of r - 1 added; draws of q need no weights.",
        ),
        Mistake(
            "Bits in the last term",
            lambda log_q, log_p: kl_draws(log_q, log_p) + (log_p - log_q) * (1 - 1 / math.log(2)),
            "log r is the natural logarithm: log_p - log_q as it is.",
        ),
    ),
)

# --- KL of each latent dimension ------------------------------------------------------------------------------------


def kl_per_dimension(mean: Tensor, log_var: Tensor) -> Tensor:
    kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var)
    return kl.mean(dim=0)


def _batches_of_gaussians() -> list[Arguments]:
    return _doubles(
        [
            ([[0.5, -1.0, 2.0], [1.0, 0.2, 0.7]], [[1.0, 0.2, 0.7], [-1.0, 0.5, -0.4]]),
            ([[0.0, 0.0]], [[0.0, 0.0]]),  # a batch of one, at the prior
            ([[1.0], [-1.0], [0.5]], [[-1.0], [0.5], [2.0]]),  # one dimension
            ([[0.5, 0.0], [-0.5, 0.0], [1.5, 0.0]], [[-1.0, 0.0], [-2.0, 0.0], [0.5, 0.0]]),  # the second is silent
        ]
    )


def _drawn_batch(generator: Generator) -> Arguments:
    shape = sizes(generator, 2, low=2, high=6)
    return numbers(generator, *shape), numbers(generator, *shape, low=-3, high=2)


def _each(mean: Tensor, log_var: Tensor) -> Tensor:
    """The KL of each example and dimension, (batch, latent)."""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)


def _of_the_whole_batch(mean: Tensor, log_var: Tensor) -> Tensor:
    variance = log_var.exp().mean(0) + mean.var(0, correction=0)
    return _each(mean.mean(0), variance.log())


KL_PER_DIMENSION = Exercise(
    task="The KL to N(0, 1) of each latent dimension, averaged over a batch, in nats: (batch, latent) to (latent,).",
    reference=kl_per_dimension,
    cases=_batches_of_gaussians,
    generate=_drawn_batch,
    lesson=lambda g: (torch.randn(360, 16, generator=g), torch.randn(360, 16, generator=g) - 1),
    hints=(
        "In exercise 2.4 the dimensions were added up and the images stayed apart. Here it is the other way round.",
        "Compute 1/2 (mean^2 + variance - 1 - log variance) for each example and dimension, then average over the examples.",
        "(0.5 * (mean**2 + log_var.exp() - 1 - log_var)), averaged over the first dimension with .mean(dim=0).",
    ),
    mistakes=(
        Mistake(
            "Summed over the latent dimensions",
            lambda mean, log_var: _each(mean, log_var).sum(-1),
            "That is exercise 2.4, one number for each example. Keep the dimensions apart and average over the examples, "
            "dim=0.",
        ),
        Mistake(
            "Averaged over the latent dimensions",
            lambda mean, log_var: _each(mean, log_var).mean(-1),
            "The mean runs over the examples, dim=0: one number for each latent dimension stays.",
        ),
        Mistake(
            "Summed over the batch",
            lambda mean, log_var: _each(mean, log_var).sum(0),
            "A sum grows with the number of examples. Average over them: .mean(dim=0).",
        ),
        Mistake(
            "Nothing was averaged",
            _each,
            "That is one number for each example and dimension. Average over the examples: .mean(dim=0).",
        ),
        Mistake(
            "One number for all dimensions",
            lambda mean, log_var: _each(mean, log_var).sum(-1).mean(),
            "That is the whole KL, averaged over the batch. Leave the sum out, and average over dim=0 only.",
        ),
        Mistake(
            "Averaged over everything",
            lambda mean, log_var: _each(mean, log_var).mean(),
            "Average over the examples only: .mean(dim=0).",
        ),
        Mistake(
            "Averaged over the batch, divided by the dimensions",
            lambda mean, log_var: _each(mean, log_var).mean(0) / mean.shape[-1],
            "Only the examples are averaged over. Each dimension keeps its own nats.",
        ),
        Mistake(
            "The KL of the averages",
            lambda mean, log_var: _each(mean.mean(0), log_var.mean(0)),
            "First the KL of each example, then the average: means of opposite sign would cancel before they are squared.",
        ),
        Mistake(
            "The KL of the batch as one Gaussian",
            _of_the_whole_batch,
            "That asks how far all codes together are from N(0, 1). Here each example's own q is compared, then averaged.",
        ),
        Mistake(
            "Missing 1/2",
            lambda mean, log_var: 2 * kl_per_dimension(mean, log_var),
            "The log density of a Gaussian carries a factor 1/2 in front of everything.",
        ),
        Mistake(
            "Wrong sign",
            lambda mean, log_var: -kl_per_dimension(mean, log_var),
            "A KL is never negative.",
        ),
        Mistake(
            "Reversed KL",
            lambda mean, log_var: (0.5 * ((1 + mean.square()) * (-log_var).exp() - 1 + log_var)).mean(0),
            "This is the KL from N(0, 1) to q. A VAE averages over q, so q comes first.",
        ),
        *(
            Mistake("log_var read as the standard deviation", wrong, STANDARD)
            for wrong in (
                lambda mean, log_var: (0.5 * (mean.square() + log_var.square() - 1 - log_var.square().log())).mean(0),
                lambda mean, log_var: (0.5 * (mean.square() + log_var.square() - 1 - 2 * log_var.log())).mean(0),
                lambda mean, log_var: (0.5 * (mean.square() + log_var.square() - 1 - log_var)).mean(0),
            )
        ),
        Mistake(
            "log_var read as the variance",
            lambda mean, log_var: (0.5 * (mean.square() + log_var - 1 - log_var.log())).mean(0),
            STANDARD,
        ),
        Mistake(
            "log_var read as the log of the standard deviation",
            lambda mean, log_var: kl_per_dimension(mean, 2 * log_var),
            "log_var is already the log of the *variance*: exp(log_var) is the variance, exp(log_var / 2) the std.",
        ),
        Mistake(
            "The exp was forgotten",
            lambda mean, log_var: (0.5 * (mean.square() + log_var - 1 - log_var)).mean(0),
            "The variance is log_var.exp(); only the last term is log_var itself.",
        ),
        Mistake(
            "The log was taken twice",
            lambda mean, log_var: (0.5 * (mean.square() + log_var.exp() - 1 - log_var.log())).mean(0),
            "log_var is the log of the variance already: it enters the last term as it is.",
        ),
        Mistake(
            "The standard deviation where the variance belongs",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + 0.5 * ((0.5 * log_var).exp() - log_var.exp()).mean(0),
            "exp(log_var / 2) is the standard deviation. The formula has the variance, exp(log_var).",
        ),
        Mistake(
            "mean was not squared",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + 0.5 * (mean - mean.square()).mean(0),
            "The mean enters squared: moving left costs as much as moving right.",
        ),
        Mistake(
            "The mean was left out",
            lambda mean, log_var: kl_per_dimension(torch.zeros_like(mean), log_var),
            "A Gaussian that is off centre is far from N(0, 1) too: mean^2 belongs to the sum.",
        ),
        Mistake(
            "The -1 was forgotten",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + 0.5,
            "There is a -1 inside, so that the KL of N(0, 1) to itself is 0.",
        ),
        Mistake(
            "+1 where -1 belongs",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + 1,
            "The 1 is subtracted, so that the KL of N(0, 1) to itself is 0.",
        ),
        Mistake(
            "log_var was added",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + log_var.mean(0),
            "log_var is subtracted: a narrow Gaussian, whose log_var is very negative, is far from N(0, 1).",
        ),
        Mistake(
            "log_var was left out",
            lambda mean, log_var: kl_per_dimension(mean, log_var) + 0.5 * log_var.mean(0),
            "The term - log_var is missing inside the 1/2.",
        ),
        Mistake(
            "The variance was left out",
            lambda mean, log_var: kl_per_dimension(mean, log_var) - 0.5 * log_var.exp().mean(0),
            "The term + log_var.exp() is missing inside the 1/2.",
        ),
        Mistake(
            "The 1/2 covers only the first term",
            lambda mean, log_var: 2 * kl_per_dimension(mean, log_var) - 0.5 * mean.square().mean(0),
            "The 1/2 stands in front of the whole bracket: mean^2, variance, 1 and log_var.",
        ),
        Mistake(
            "Sorted already",
            lambda mean, log_var: kl_per_dimension(mean, log_var).sort(descending=True).values,
            "The numbers are right, but in another order: keep each at its dimension's own place.",
        ),
        Mistake(
            "Shares of the whole",
            lambda mean, log_var: kl_per_dimension(mean, log_var) / kl_per_dimension(mean, log_var).sum(),
            "Divided by their sum they are shares. The nats themselves were asked.",
        ),
    ),
)

EXERCISES = (ENTROPY, KL_DISCRETE, KL_BETWEEN_GAUSSIANS, KL_TO_STANDARD_NORMAL, KL_ON_GRID, KL_DRAWS, KL_PER_DIMENSION)

PREDICTIONS = (
    Prediction(
        "kl_both_ways",
        ("loaded to fair", "fair to loaded"),
        answer="fair to loaded",
        because=(
            "half of a fair coin's tosses are tails, whose word was made for one toss in a hundred and is long. The fair "
            "coin's words have one bit each, and so are never much too long."
        ),
        wrong={
            "loaded to fair": (
                "The loaded coin's tosses do pay: nearly a whole bit each, where a code of their own would need next to "
                "nothing. But a bit is the most that a word of the fair coin's code can have too much, while the loaded coin's "
                "word for tails has several."
            ),
        },
    ),
    Prediction(
        "one_gaussian_for_two_bumps",
        ("on one bump", "across both"),
        answer="on one bump",
        because=(
            "the average runs over q itself: a q that is wide enough for both would put many of its draws into the gap, where "
            "p is small, while leaving a bump out costs only a constant."
        ),
        wrong={
            "across both": (
                "Half of the target would seem a poor fit. But this average looks only where q has mass, and never asks what "
                "q leaves out."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_direction_forgives",
        question=(
            "You fit one Gaussian to a target with two bumps, and it ends up on one of them. Which direction of the KL did "
            "you minimize, and why did it not mind the other bump?"
        ),
        model=(
            "The KL from the fit to the target. It averages over draws of the fit itself, and next to none of them lies in the "
            "bump that was left out, so it is never looked at. Leaving it out costs only a constant, $-\\log$ of the share of "
            "the target that was kept. The other direction averages over the target, many of whose draws would be all but "
            "impossible under such a fit."
        ),
        rubric=(
            "it was the KL from the fit $q$ to the target $p$;",
            "the average runs over the first distribution;",
            "so what $q$ leaves out is never looked at, while in the other direction it would be very expensive.",
        ),
    ),
)
