"""Exercises of lesson 08: four instruments, the linear VAE, the fitted decoder, the race of encoder and decoder."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.kinds import UpdateExercise, start_of
from vae_course.exercises.making import double, doubles, flags, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- every z under every posterior ----------------------------------------------------------------------------------


def log_density_table(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    gap = z[:, None] - mean[None]
    return -0.5 * (gap.square() / log_var.exp() + log_var + math.log(2 * math.pi)).sum(-1)


def _codes() -> list[Arguments]:
    return [
        doubles([[1.0]], [[0.5]], [[0.4]]),
        doubles([[0.5], [-1.0]], [[0.0], [1.0]], [[0.0], [-0.5]]),
        doubles([[0.5, 1.0], [2.0, -1.0]], [[0.0, 1.5], [1.0, -1.0]], [[0.3, -0.4], [-1.0, 0.6]]),
        doubles(
            [[0.1, 0.4, -1.0], [1.0, 0.0, 0.5], [-0.5, 2.0, 0.3], [0.7, 0.7, 0.0]],
            [[0.0, 0.5, -0.8], [1.2, 0.0, 0.4], [-0.4, 1.0, 0.0], [1.0, 0.5, 0.2]],
            [[-1.0, 0.0, 0.4], [0.2, -0.6, 0.1], [-0.3, 0.3, 0.0], [0.5, -1.2, 0.8]],
        ),
    ]


def _drawn_codes(generator: Generator) -> Arguments:
    count, latent = sizes(generator, 2, 2, 5)
    z, mean, log_var = (numbers(generator, count, latent) for _ in range(3))
    return z, mean, log_var


def _codes_of_a_lesson(generator: Generator) -> Arguments:
    mean, log_var = torch.randn(100, 16, generator=generator), 0.3 * torch.randn(100, 16, generator=generator)
    return mean + torch.exp(log_var / 2) * torch.randn(100, 16, generator=generator), mean, log_var


def _densities(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Of every coordinate, (N, N, latent)."""
    return -0.5 * ((z[:, None] - mean).square() / log_var.exp() + log_var + math.log(2 * math.pi))


LOG_DENSITY_TABLE = Exercise(
    task="log q(z_i given x_j) in row i, column j, (N, N): q of sentence j is N(mean[j], exp(log_var[j])); all (N, latent).",
    reference=log_density_table,
    cases=_codes,
    generate=_drawn_codes,
    lesson=_codes_of_a_lesson,
    hints=(
        "Every z meets every posterior. Which shapes let torch do that by itself?",
        "z[:, None] is (N, 1, latent) and mean is (N, latent): their difference is (N, N, latent). Then the log density of a "
        "Gaussian for each coordinate, and the sum over coordinates.",
        "-0.5 * ((z[:, None] - mean) ** 2 / log_var.exp() + log_var + math.log(2 * math.pi)), summed over the last dimension.",
    ),
    mistakes=(
        Mistake(
            "Rows and columns exchanged",
            lambda z, mean, log_var: log_density_table(z, mean, log_var).T,
            "Row i is about z_i: z[:, None] has the sentence that z came from first, and the posteriors second.",
        ),
        Mistake(
            "Each z under its own posterior only",
            lambda z, mean, log_var: log_density_table(z, mean, log_var).diagonal(),
            "That is the diagonal. Every z is to meet every posterior: z[:, None] - mean.",
        ),
        Mistake(
            "z[None] in place of z[:, None]",
            lambda z, mean, log_var: log_density_table(z, mean, log_var).diagonal()[None],
            "z[None] is (1, N, latent) and pairs z_i with posterior i alone. z[:, None] is (N, 1, latent): every z meets every "
            "posterior.",
        ),
        Mistake(
            "Each z under its own posterior only, coordinates not summed",
            lambda z, mean, log_var: _densities(z, mean, log_var).diagonal().T,
            "Every z is to meet every posterior: z[:, None] - mean. Then sum over the coordinates.",
        ),
        Mistake(
            "Coordinates not summed",
            _densities,
            "Coordinates are independent given x, so their log densities add: sum over the last dimension.",
        ),
        Mistake(
            "Coordinates averaged",
            lambda z, mean, log_var: _densities(z, mean, log_var).mean(-1),
            "Coordinates are independent given x, so their log densities *add*.",
        ),
        Mistake(
            "Summed over the posteriors",
            lambda z, mean, log_var: _densities(z, mean, log_var).sum(1),
            "Sum over the coordinates, the last dimension; each posterior keeps its column.",
        ),
        Mistake(
            "Densities in place of their logs",
            lambda z, mean, log_var: log_density_table(z, mean, log_var).exp(),
            "The logarithm is asked: leave out the exp. Densities of many coordinates would underflow.",
        ),
        Mistake(
            "Wrong sign",
            lambda z, mean, log_var: -log_density_table(z, mean, log_var),
            "A z far from the mean has a *low* log density: minus one half of the squared distance.",
        ),
        Mistake(
            "The constant forgotten",
            lambda z, mean, log_var: log_density_table(z, mean, log_var) + 0.5 * z.shape[1] * math.log(2 * math.pi),
            "It would cancel in the mutual information, but a log density has it: -1/2 log(2 pi) for each coordinate.",
        ),
        Mistake(
            "The constant once, not for each coordinate",
            lambda z, mean, log_var: log_density_table(z, mean, log_var) + 0.5 * (z.shape[1] - 1) * math.log(2 * math.pi),
            "Each coordinate has its own -1/2 log(2 pi): add it before you sum over the coordinates.",
        ),
        Mistake(
            "log(2 pi) not halved",
            lambda z, mean, log_var: log_density_table(z, mean, log_var) - 0.5 * z.shape[1] * math.log(2 * math.pi),
            "The half stands before all three terms: -0.5 * (distance + log_var + log(2 pi)).",
        ),
        Mistake(
            "The width left out",
            lambda z, mean, log_var: log_density_table(z, mean, log_var) + 0.5 * log_var.sum(-1),
            "A narrow Gaussian is high: subtract half of log_var for each coordinate.",
        ),
        Mistake(
            "log_var not halved",
            lambda z, mean, log_var: log_density_table(z, mean, log_var) - 0.5 * log_var.sum(-1),
            "log std is log_var / 2: the half stands before log_var as well.",
        ),
        Mistake(
            "Distances not divided by the variance",
            lambda z, mean, log_var: (-0.5 * ((z[:, None] - mean).square() + log_var + math.log(2 * math.pi))).sum(-1),
            "How far z lies from the mean counts in standard deviations: divide the square by exp(log_var).",
        ),
        Mistake(
            "Distances divided by std",
            lambda z, mean, log_var: (
                -0.5 * ((z[:, None] - mean).square() / (log_var / 2).exp() + log_var + math.log(2 * math.pi))
            ).sum(-1),
            "The *square* of the distance is divided by the *square* of std, the variance: exp(log_var).",
        ),
        Mistake(
            "log_var taken for std",
            lambda z, mean, log_var: (
                torch.distributions.Normal(mean, log_var, validate_args=False).log_prob(z[:, None]).sum(-1)
            ),
            "Normal wants the standard deviation: exp(log_var / 2).",
        ),
        Mistake(
            "The variance taken for std",
            lambda z, mean, log_var: log_density_table(z, mean, 2 * log_var),
            "Normal wants the standard deviation, exp(log_var / 2), and exp(log_var) is the variance.",
        ),
        Mistake(
            "The width of the sentence that z came from",
            lambda z, mean, log_var: (
                -0.5 * ((z[:, None] - mean).square() / log_var.exp()[:, None] + log_var[:, None] + math.log(2 * math.pi))
            ).sum(-1),
            "Column j is about the posterior of sentence j: its mean and its log_var. Only z gets the [:, None].",
        ),
    ),
)

# --- mutual information ---------------------------------------------------------------------------------------------


def mutual_information(log_q: Tensor) -> Tensor:
    log_own = log_q.diagonal()
    log_aggregate = torch.logsumexp(log_q, dim=1) - math.log(len(log_q))
    return (log_own - log_aggregate).mean()


def _log_densities() -> list[Arguments]:
    return [
        doubles([[0.0, -3.0], [-1.0, 0.5]]),
        doubles([[-1.0, -1.5, -4.0], [-2.0, -0.5, -1.0], [-6.0, -3.0, 0.2]]),
        doubles([[1.0, -2.0, -3.0, 0.5], [-4.0, 0.0, -1.0, -2.0], [0.3, -1.0, 1.5, -5.0], [-0.2, -3.0, -1.0, 0.7]]),
        doubles([[-1000.0, -1002.0], [-1003.0, -1001.0]]),
        doubles([[-2.0, -2.0, -5.0], [-1.5, -1.5, -4.0], [-6.0, -6.0, -1.0]]),  # two posteriors are equal
    ]


def _drawn_densities(generator: Generator) -> Arguments:
    count = size(generator, 3, 6)
    table = numbers(generator, count, count, low=-6, high=1)
    return (table + torch.diag(numbers(generator, count, low=2, high=6)),)


def _densities_of_a_lesson(generator: Generator) -> Arguments:
    mean = 0.5 * torch.randn(100, 16, generator=generator)
    z = mean + 0.9 * torch.randn(100, 16, generator=generator)
    return (torch.distributions.Normal(mean, 0.9).log_prob(z[:, None]).sum(-1),)


def _in_pairs(log_q: Tensor) -> Tensor:
    """The mean over mini-batches of two; a last one of one sentence has no information."""
    parts = range(0, len(log_q), 2)
    blocks = [log_q[start : start + 2, start : start + 2] for start in parts]
    return torch.stack([mutual_information(block) * len(block) for block in blocks]).sum() / len(log_q)


def _without_own(log_q: Tensor) -> Tensor:
    own = torch.eye(len(log_q), dtype=torch.bool, device=log_q.device)
    others = log_q.masked_fill(own, -math.inf)
    return (log_q.diagonal() - torch.logsumexp(others, dim=1) + math.log(len(log_q) - 1)).mean()


MUTUAL_INFORMATION = Exercise(
    task="I(sentence; z) in nats, one number, from log_q (N, N): row i, column j holds log q(z_i given x_j); z_i is from q_i. "
    "The mean over i of how much denser z_i is, in logs, under its own q_i than under the aggregate posterior.",
    reference=mutual_information,
    cases=_log_densities,
    generate=_drawn_densities,
    lesson=_densities_of_a_lesson,
    hints=(
        "For each z_i, how much denser is it under its own sentence than under the average one? The diagonal is its own.",
        "The average posterior is a mean of densities, 1/N sum_j q(z_i given x_j): in logs, a logsumexp over j, minus log N.",
        "(log_q.diagonal() - (torch.logsumexp(log_q, dim=1) - math.log(len(log_q)))).mean()",
    ),
    mistakes=(
        Mistake(
            "The aggregate posterior averaged in log space",
            lambda log_q: (log_q.diagonal() - log_q.mean(1)).mean(),
            "The aggregate is a mean of densities, not of their logs. Means of logs are smaller, so this can pass ln N.",
        ),
        Mistake(
            "Missing log N",
            lambda log_q: mutual_information(log_q) - math.log(len(log_q)),
            "That compares with the *sum* of the N posteriors, and comes out negative. Subtract log N from the logsumexp.",
        ),
        Mistake(
            "Missing log N, and the sign turned",
            lambda log_q: math.log(len(log_q)) - mutual_information(log_q),
            "This is the cross-entropy of naming the sentence. What z tells is log N minus this.",
        ),
        Mistake(
            "Divided by N after the logarithm",
            lambda log_q: (log_q.diagonal() - torch.logsumexp(log_q, dim=1) / len(log_q)).mean(),
            "The mean over the N posteriors belongs inside the logarithm; outside, dividing by N means subtracting log N.",
        ),
        Mistake(
            "log N with the wrong sign",
            lambda log_q: mutual_information(log_q) - 2 * math.log(len(log_q)),
            "Dividing by N subtracts log N from the log of the aggregate, so it is *added* to own minus aggregate.",
        ),
        Mistake(
            "log N counted twice",
            lambda log_q: mutual_information(log_q) + math.log(len(log_q)),
            "The mean over the N posteriors divides by N once.",
        ),
        Mistake(
            "log2 N among nats",
            lambda log_q: mutual_information(log_q) - math.log(len(log_q)) + math.log2(len(log_q)),
            "log_q is in nats, so log N has to be the natural logarithm as well: math.log.",
        ),
        Mistake(
            "N - 1 in place of N",
            lambda log_q: mutual_information(log_q) - math.log(len(log_q)) + math.log(len(log_q) - 1),
            "The aggregate is the mean of all N posteriors: log N.",
        ),
        Mistake(
            "The sum over the wrong dimension",
            lambda log_q: mutual_information(log_q.T),
            "One z, all sentences: a row. A column holds all z under one sentence, which is no density of anything.",
        ),
        Mistake(
            "The aggregate summed over all z as well",
            lambda log_q: log_q.diagonal().mean() - (log_q.flatten().logsumexp(0) - 2 * math.log(len(log_q))),
            "Each z has its own density under the aggregate: logsumexp over one row, dim=1, not over the table.",
        ),
        Mistake(
            "Inside mini-batches",
            _in_pairs,
            "Each z is compared with its mini-batch alone, so the result can never pass ln(batch size). Use all columns.",
        ),
        Mistake(
            "The sentence itself left out of the aggregate",
            _without_own,
            "The aggregate posterior is over all N, the sentence's own included; else the result can pass ln N.",
        ),
        Mistake(
            "The whole table in place of its diagonal",
            lambda log_q: mutual_information(log_q) + log_q.mean() - log_q.diagonal().mean(),
            "z_i was drawn for sentence i, so only its own density belongs on the left: the diagonal.",
        ),
        Mistake(
            "Weighted by the densities once more",
            lambda log_q: (
                (log_q.exp() * (log_q - torch.logsumexp(log_q, 1, keepdim=True) + math.log(len(log_q))).nan_to_num())
                .sum(1)
                .mean()
            ),
            "Each z is a draw from its posterior, so a plain mean over the draws is the expectation already.",
        ),
        Mistake(
            "Weighted by the own density once more",
            lambda log_q: (
                log_q.diagonal().exp() * (log_q.diagonal() - torch.logsumexp(log_q, 1) + math.log(len(log_q)))
            ).mean(),
            "Each z is a draw from its posterior, so a plain mean over the draws is the expectation already.",
        ),
        Mistake(
            "log N minus the entropy of the guess",
            lambda log_q: math.log(len(log_q)) - torch.distributions.Categorical(logits=log_q).entropy().mean(),
            "Right on average too, and less noisy: how sure Bayes' rule is of the sentence. Asked is the plain mean of "
            "each z's own log ratio: the diagonal minus the log of the aggregate.",
        ),
        Mistake(
            "The own density forgotten",
            lambda log_q: mutual_information(log_q) - log_q.diagonal().mean(),
            "This is minus the log of the aggregate, an entropy. Add the log of z's density under its own sentence.",
        ),
        Mistake(
            "The own density forgotten, and the sign turned",
            lambda log_q: log_q.diagonal().mean() - mutual_information(log_q),
            "This is the mean log of the aggregate alone. It is to be subtracted from log q(z_i given x_i), the diagonal.",
        ),
        Mistake(
            "The aggregate forgotten",
            lambda log_q: log_q.diagonal().mean(),
            "A density says nothing by itself: compare it with that of the average posterior.",
        ),
        Mistake(
            "Wrong sign",
            lambda log_q: -mutual_information(log_q),
            "A z is denser under its own sentence than on average, so own minus aggregate is positive on average.",
        ),
        Mistake(
            "Summed over the sentences",
            lambda log_q: mutual_information(log_q) * len(log_q),
            "Information is per sentence: the mean over the N rows.",
        ),
        Mistake(
            "One value for each sentence",
            lambda log_q: log_q.diagonal() - torch.logsumexp(log_q, dim=1) + math.log(len(log_q)),
            "Right for each sentence; average them to one number.",
        ),
        Mistake(
            "The mean taken inside the logarithm",
            lambda log_q: (log_q.diagonal() - torch.logsumexp(log_q, dim=1)).logsumexp(0),
            "Information is the mean of the log ratios, not the log of a mean ratio.",
        ),
        Mistake(
            "Underflow: log 0 became -inf",
            lambda log_q: (log_q.diagonal() - log_q.exp().mean(1).log()).mean(),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.logsumexp takes the largest out first.",
        ),
    ),
)

# --- active units ---------------------------------------------------------------------------------------------------


def active_units(mean: Tensor, std: Tensor) -> Tensor:
    return (mean.var(dim=0) > 0.01).sum()


def _posteriors() -> list[Arguments]:
    return [
        doubles([[0.0, 0.0], [0.8, 0.0]], [[0.5, 1.0], [0.5, 1.0]]),
        doubles(
            [[0.0, 2.0, -1.5, 0.05], [0.0, 2.0, -1.5, -0.05], [0.0, 2.0, -1.5, 0.04]],
            [[1.0, 0.1, 0.3, 0.1], [0.9, 0.1, 0.3, 0.1], [1.1, 0.1, 0.3, 0.1]],
        ),
        doubles(
            [[1.0, 0.3, 0.01, 3.0], [-1.0, -0.3, -0.02, 3.0], [0.5, 0.2, 0.01, 3.0]],
            [[0.3, 0.9, 1.2, 1.1], [0.2, 0.8, 1.1, 1.0], [0.3, 0.9, 1.2, 1.1]],
        ),
        # Variances of 0.0075, 0.0173, 0.0333 and 0.00011, on either side of 0.01.
        doubles(
            [[1.0, 0.0, -2.0, 5.0], [1.15, 0.2, -1.8, 5.0], [1.0, 0.25, -1.7, 5.0], [1.15, 0.0, -2.1, 5.021]],
            [[0.05, 1.0, 0.3, 1.0], [0.05, 1.0, 0.9, 1.0], [0.05, 1.0, 1.5, 1.0], [0.05, 1.0, 2.1, 1.0]],
        ),
        doubles(
            [[5.0, 1.0, 0.0, 0.0], [5.001, 0.5, 0.012, 0.018], [5.002, 0.75, 0.0, 0.0]],
            [[0.9, 0.2, 1.0, 1.0], [0.9, 0.3, 1.0, 1.0], [0.9, 0.2, 1.0, 1.0]],
        ),
        # Nothing is used, rows hardly vary, and the posteriors are narrow.
        doubles(
            [[0.3, 0.31, 0.3], [0.3, 0.31, 0.3], [0.3, 0.31, 0.31], [0.3, 0.31, 0.31]],
            [[0.005, 0.004, 0.9], [0.005, 0.006, 0.9], [0.005, 0.004, 0.9], [0.005, 0.006, 0.9]],
        ),
    ]


def _coordinates(generator: Generator, sentences: int, latent: int) -> Arguments:
    """Coordinates with variances on both sides of 0.01, none so near that n or n - 1 decides; widths that tell nothing."""

    def chosen(*values: float) -> Tensor:
        return torch.tensor(values, dtype=torch.float64)[whole(generator, latent, high=len(values) - 1)]

    noise = torch.randn(sentences, latent, generator=generator, dtype=torch.float64)
    noise = (noise - noise.mean(0)) / noise.std(0)
    mean = noise * chosen(0.0, 0.002, 0.007, 0.018, 0.06, 1.0).sqrt() + chosen(0.0, 0.05, -1.5, 3.0)
    std = chosen(0.05, 0.3, 0.97, 1.05) + numbers(generator, sentences, latent, low=0, high=1) * chosen(0.0, 0.1, 1.0)
    return mean.mul(1e4).round() / 1e4, std


def _drawn_posteriors(generator: Generator) -> Arguments:
    latent, sentences = sizes(generator, 2, 4, 10)
    return _coordinates(generator, sentences, latent)


def _posteriors_of_a_lesson(generator: Generator) -> Arguments:
    mean, std = _coordinates(generator, 200, 16)
    return mean.float(), std.float()


ACTIVE_UNITS = Exercise(
    task="How many coordinates the encoder moves from sentence to sentence: a variance over sentences above 0.01. The variance "
    "of what? mean and std (N, latent), of the posteriors.",
    reference=active_units,
    cases=_posteriors,
    generate=_drawn_posteriors,
    lesson=_posteriors_of_a_lesson,
    hints=(
        "A coordinate is active if the encoder moves its mean from sentence to sentence. The posterior's own width is no sign.",
        "The variance over sentences is mean.var(dim=0), one number a coordinate.",
        "(mean.var(dim=0) > 0.01).sum()",
    ),
    mistakes=(
        Mistake(
            "Variance of samples in place of means",
            lambda mean, std: (mean.var(dim=0) + std.square().mean(0) > 0.01).sum(),
            "A collapsed coordinate's samples vary as the prior does. Only the *means* show whether the encoder moves it.",
        ),
        Mistake(
            "Threshold on the standard deviation",
            lambda mean, std: active_units(10 * mean, std),
            "0.01 is a variance: a standard deviation of 0.1. Take .var(dim=0).",
        ),
        Mistake(
            "No threshold",
            lambda mean, std: (mean.var(dim=0) > 0).sum(),
            "Almost every coordinate moves a little. Active is one whose variance is above 0.01.",
        ),
        Mistake(
            "A threshold of 0.1",
            lambda mean, std: active_units(mean / math.sqrt(10), std),
            "The variance has to be above 0.01. (It is the standard deviation that has to be above 0.1.)",
        ),
        Mistake(
            "A threshold of 0.001",
            lambda mean, std: active_units(mean * math.sqrt(10), std),
            "The variance has to be above 0.01.",
        ),
        Mistake(
            "Not centred: mean square in place of variance",
            lambda mean, std: (mean.square().mean(0) > 0.01).sum(),
            "A coordinate that sits at 3 for every sentence is far from the prior, and still tells nothing. Use the variance.",
        ),
        Mistake(
            "The mean absolute value in place of the variance",
            lambda mean, std: (mean.abs().mean(0) > 0.01).sum(),
            "A coordinate may lie far from 0 and be the same for all sentences. How much it moves is its variance.",
        ),
        Mistake(
            "Any mean away from 0 counted",
            lambda mean, std: (mean.abs() > 0.01).any(0).sum(),
            "A coordinate may lie far from 0 and be the same for all sentences. How much it moves is its variance.",
        ),
        Mistake(
            "The mean over sentences in place of the variance",
            lambda mean, std: (mean.mean(0) > 0.01).sum(),
            "Where the means lie on average tells nothing. How much they move from sentence to sentence is their variance.",
        ),
        Mistake(
            "The distance from 0 in place of the variance",
            lambda mean, std: (mean.mean(0).abs() > 0.01).sum(),
            "A coordinate may lie far from 0 and be the same for all sentences. How much it moves is its variance.",
        ),
        Mistake(
            "The range in place of the variance",
            lambda mean, std: (mean.amax(0) - mean.amin(0) > 0.1).sum(),
            "From the smallest mean to the largest is a range, and it grows with the number of sentences. Use .var(dim=0).",
        ),
        Mistake(
            "The absolute deviation in place of the variance",
            lambda mean, std: ((mean - mean.mean(0)).abs().mean(0) > 0.01).sum(),
            "A variance is the mean of the *squared* deviations.",
        ),
        Mistake(
            "Squared deviations summed, not averaged",
            lambda mean, std: active_units(mean * math.sqrt(len(mean) - 1), std),
            "A sum grows with the number of sentences; the variance divides by it. Use .var(dim=0).",
        ),
        Mistake(
            "Deviations not squared",
            lambda mean, std: ((mean - mean.mean(0)).mean(0) > 0.01).sum(),
            "Deviations up and down cancel, so their mean is always 0. Square them first, as .var does.",
        ),
        Mistake(
            "Judged by a narrow posterior",
            lambda mean, std: (std.square().mean(0) < 0.99).sum(),
            "A narrow posterior that is the same for all sentences costs rate, and tells nothing. Look at the means.",
        ),
        Mistake(
            "Judged by a std below 0.99 for all sentences",
            lambda mean, std: (std < 0.99).all(0).sum(),
            "A narrow posterior that is the same for all sentences costs rate, and tells nothing. Look at the means.",
        ),
        Mistake(
            "Judged by a std below 0.99 for any sentence",
            lambda mean, std: (std < 0.99).any(0).sum(),
            "A narrow posterior that is the same for all sentences costs rate, and tells nothing. Look at the means.",
        ),
        Mistake(
            "The posteriors' own variance above 0.01",
            lambda mean, std: (std.square().mean(0) > 0.01).sum(),
            "std is how unsure each posterior is. How much the posteriors differ is the variance of their means.",
        ),
        Mistake(
            "The variance of std in place of mean",
            lambda mean, std: active_units(std, mean),
            "A coordinate is active if its *mean* moves from sentence to sentence.",
        ),
        Mistake(
            "Judged by the rate",
            lambda mean, std: ((mean.square() + std.square() - 1 - 2 * std.log()).mean(0) / 2 > 0.01).sum(),
            "A rate is what a coordinate costs. It may be large for a coordinate that is the same for all sentences.",
        ),
        Mistake(
            "Variance over coordinates",
            lambda mean, std: active_units(mean.T, std.T),
            "dim=1 runs over the coordinates of one sentence. Vary the sentence: dim=0.",
        ),
        Mistake(
            "One variance of all entries",
            lambda mean, std: (mean.var() > 0.01).sum(),
            "Each coordinate has a variance of its own: dim=0.",
        ),
        Mistake(
            "Entries counted in place of coordinates",
            lambda mean, std: ((mean - mean.mean(0)).square() > 0.01).sum(),
            "Average the squared deviations over the sentences first, then compare: one verdict a coordinate.",
        ),
        Mistake(
            "Counted the collapsed ones",
            lambda mean, std: mean.shape[1] - active_units(mean, std),
            "These are the units that are *not* active.",
        ),
        Mistake(
            "One flag for each coordinate",
            lambda mean, std: mean.var(dim=0) > 0.01,
            "Right for each coordinate; now count them: .sum().",
        ),
        Mistake(
            "A share in place of a count",
            lambda mean, std: active_units(mean, std) / mean.shape[1],
            "The count is asked: .sum() in place of .mean().",
        ),
    ),
)

# --- ablation -------------------------------------------------------------------------------------------------------


def own_z_saves(distortion: Tensor, other: Tensor) -> Tensor:
    rows = torch.arange(len(distortion), device=distortion.device)
    return distortion[rows, other] - distortion.diagonal()


def _distortions() -> list[Arguments]:
    tables = (
        [[10.0, 14.0], [17.0, 12.0]],
        [[10.0, 14.5, 11.0], [17.0, 12.0, 13.0], [19.0, 20.0, 9.0]],
        [[8.0, 9.0, 15.0, 11.0], [16.0, 7.5, 12.0, 10.0], [14.0, 13.0, 9.5, 18.0], [21.0, 12.5, 17.0, 10.5]],
        [[10.0, 14.5, 11.0], [17.0, 12.0, 11.5], [19.0, 20.0, 9.0]],
    )
    orders = ([1, 0], [1, 2, 0], [2, 3, 1, 0], [1, 1, 1])  # the last gives one z to all, and one of them its own
    return [(*doubles(table), torch.tensor(order)) for table, order in zip(tables, orders, strict=True)]


def _drawn_distortions(generator: Generator) -> Arguments:
    count = size(generator, 3, 6)
    shuffled = torch.randperm(count, generator=generator)
    other = shuffled if flags(generator, 1) else whole(generator, count, high=count - 1)
    return numbers(generator, count, count, low=5, high=25), other


ABLATION = Exercise(
    task="Nats that each sentence's own z saves, compared with that of another sentence, (N,): distortion (N, N) has "
    "sentence i with z_j in row i, column j; other (N,) names the sentence whose z each one gets.",
    reference=own_z_saves,
    cases=_distortions,
    generate=_drawn_distortions,
    lesson=lambda g: (20 + 60 * torch.rand(100, 100, generator=g), torch.randperm(100, generator=g)),
    hints=(
        "Keep the sentence and change its z: row i stays, the column changes from i to other[i].",
        "With another's z the sentence costs more; what the own one saves is other minus own.",
        "distortion[torch.arange(N), other] picks one entry a row; the own ones are distortion.diagonal().",
    ),
    mistakes=(
        Mistake(
            "Shuffled the sentences along with their z",
            lambda distortion, other: own_z_saves(distortion.diagonal().expand_as(distortion), other),
            "Row and column moved together, so every sentence still has its own z; on average nothing changes.",
        ),
        Mistake(
            "Shuffled the sentences, kept z",
            lambda distortion, other: own_z_saves(distortion.T, other),
            "Two *sentences* are compared here, a long one with a short one perhaps. Keep the row and change the column.",
        ),
        Mistake(
            "The order turned round",
            lambda distortion, other: own_z_saves(distortion, other.argsort()),
            "other[i] is whose z sentence i *gets*. This gives z number i to the sentence other[i].",
        ),
        Mistake(
            "other not used",
            lambda distortion, other: own_z_saves(distortion, torch.arange(1, len(other) + 1).to(other) % len(other)),
            "Here each sentence gets the z of the next one. Give it that of other[i].",
        ),
        Mistake(
            "Wrong sign",
            lambda distortion, other: -own_z_saves(distortion, other),
            "Distortion is a cost. What is saved is the cost with another's z minus the cost with the own one.",
        ),
        Mistake(
            "The absolute difference",
            lambda distortion, other: own_z_saves(distortion, other).abs(),
            "Another's z may happen to be better. Then the own one saves a negative amount, and that has to show.",
        ),
        Mistake(
            "Losses set to 0",
            lambda distortion, other: own_z_saves(distortion, other).clamp_min(0),
            "Another's z may happen to be better. Without those cases the mean comes out too high.",
        ),
        Mistake(
            "Averaged over all z, its own too",
            lambda distortion, other: distortion.mean(1) - distortion.diagonal(),
            "The mean of the row has the sentence's own z in it, which dilutes the difference. Take column other[i].",
        ),
        Mistake(
            "Averaged over all other z",
            lambda distortion, other: (distortion.sum(1) - distortion.diagonal()) / (len(other) - 1) - distortion.diagonal(),
            "A fine measure too, but here each sentence gets one other z: that of other[i].",
        ),
        Mistake(
            "Compared with the average z",
            lambda distortion, other: own_z_saves(distortion, other) + distortion.diagonal() - distortion.mean(1),
            "What is asked is how much better the *own* z is: subtract the diagonal.",
        ),
        Mistake(
            "Compared with the other sentence's distortion",
            lambda distortion, other: own_z_saves(distortion, other) + distortion.diagonal() - distortion.diagonal()[other],
            "Sentence i with another's z is to be compared with the same sentence with its own z, row i and column i.",
        ),
        Mistake(
            "One number for all sentences",
            lambda distortion, other: own_z_saves(distortion, other).mean(),
            "Keep one difference a sentence, (N,): their spread gives the standard error.",
        ),
        Mistake(
            "A share in place of nats",
            lambda distortion, other: own_z_saves(distortion, other) / distortion.diagonal(),
            "Nats were asked, not the share of the distortion: a difference, no quotient.",
        ),
        Mistake(
            "A ratio in place of a difference",
            lambda distortion, other: 1 + own_z_saves(distortion, other) / distortion.diagonal(),
            "Distortions are logarithms already, in nats: what is saved is their difference.",
        ),
        Mistake(
            "The ablated distortion, without its comparison",
            lambda distortion, other: own_z_saves(distortion, other) + distortion.diagonal(),
            "How much that is says nothing yet: subtract the distortion with the own z, the diagonal.",
        ),
        Mistake(
            "The own distortion alone",
            lambda distortion, other: distortion.diagonal(),
            "This is the cost with the own z. Subtract it from the cost with the other one.",
        ),
        Mistake(
            "Every sentence with every z of the list",
            lambda distortion, other: distortion[:, other] - distortion.diagonal(),
            "distortion[:, other] takes whole columns and gives a table. One entry a row: distortion[torch.arange(N), other].",
        ),
        Mistake(
            "Whole rows of other sentences",
            lambda distortion, other: distortion[other] - distortion.diagonal(),
            "distortion[other] takes whole rows, other sentences. Keep the row, and take one entry of it: column other[i].",
        ),
        Mistake(
            "Every sentence with every z of the list, row by row",
            lambda distortion, other: distortion[:, other] - distortion.diagonal()[:, None],
            "distortion[:, other] takes whole columns and gives a table. One entry a row: distortion[torch.arange(N), other].",
        ),
        Mistake(
            "The table with its columns exchanged, minus the table",
            lambda distortion, other: distortion[:, other] - distortion,
            "One difference a sentence is asked: one entry of each row, minus the one on the diagonal.",
        ),
        Mistake(
            "The table with its rows exchanged, minus the table",
            lambda distortion, other: distortion[other] - distortion,
            "distortion[other] takes whole rows, other sentences. Keep the row, and take one entry of it: column other[i].",
        ),
        Mistake(
            "A table made by broadcasting",
            lambda distortion, other: distortion.gather(1, other[:, None]) - distortion.diagonal(),
            "(N, 1) minus (N,) gives (N, N), every entry with every other. Bring both to the shape (N,) first.",
        ),
    ),
)

# --- the linear VAE ---------------------------------------------------------------------------------------------------


def coordinate_earns(weight: Tensor, variance: Tensor, noise_variance: Tensor) -> Tensor:
    of_the_model = weight.square() + noise_variance
    without = torch.log(noise_variance) + variance / noise_variance
    return 0.5 * (without - torch.log(of_the_model) - variance / of_the_model)


def _weights() -> list[Arguments]:
    return [
        (double([1.0]), double(3.0), double(1.0)),
        (double([0.0, 1.0, 2.0]), double(4.0), double(1.0)),
        (double([0.5, 1.0, 1.5]), double(0.6), double(1.0)),
        (double([0.3, 1.2, 2.5]), double(2.0), double(0.25)),
        (double([2.0, 0.7]), double(1.75), double(1.75)),
    ]


def _drawn_weights(generator: Generator) -> Arguments:
    weight = numbers(generator, size(generator, 2, 6), low=0, high=3)
    return weight, numbers(generator, low=0.2, high=5), numbers(generator, low=0.3, high=2.5)


def _earned(
    weight: Tensor, variance: Tensor, noise_variance: Tensor, of_the_model: Tensor, spread: float = 1.0, logs: float = 1.0
) -> Tensor:
    """What is earned if the model's variance were ``of_the_model``, and with either term weighted otherwise."""
    fitted = variance / noise_variance - variance / of_the_model
    return 0.5 * (spread * fitted - logs * torch.log(of_the_model / noise_variance))


COORDINATE_EARNS = Exercise(
    task="Nats that a coordinate of a linear VAE earns, (weights,): the mean over the data of -log p(x) with weight 0, minus "
    "that with weight w. Along its direction p(x) is N(0, w^2 + noise_variance); the data have mean 0 and `variance`. weight "
    "(weights,), others numbers.",
    reference=coordinate_earns,
    cases=_weights,
    generate=_drawn_weights,
    lesson=lambda g: (torch.linspace(0, 3, 100), torch.tensor(1.5), torch.tensor(1.0)),
    hints=(
        "Write -log p(x) of a Gaussian with mean 0 and variance v, and take its mean over data whose mean square is "
        "`variance`. Which v has the model with the coordinate, and which without it?",
        "The mean of -log N(x; 0, v) is 1/2 (log(2 pi v) + variance / v). Without the coordinate v is noise_variance, with it "
        "weight**2 + noise_variance. What it earns is the first minus the second; log(2 pi) cancels.",
        "v = weight**2 + noise_variance, then 0.5 * (torch.log(noise_variance / v) + variance / noise_variance - variance / v)",
    ),
    mistakes=(
        Mistake(
            "Wrong sign",
            lambda weight, variance, noise_variance: -coordinate_earns(weight, variance, noise_variance),
            "Earned is what the data cost without the coordinate minus what they cost with it.",
        ),
        Mistake(
            "Missing 1/2",
            lambda weight, variance, noise_variance: 2 * coordinate_earns(weight, variance, noise_variance),
            "The log density of a Gaussian has a half before both terms: 1/2 log v and 1/2 x^2 / v.",
        ),
        Mistake(
            "The cost with the coordinate, nothing subtracted",
            lambda weight, variance, noise_variance: (
                0.5
                * (torch.log(2 * math.pi * (weight.square() + noise_variance)) + variance / (weight.square() + noise_variance))
            ),
            "That is what the data cost with the coordinate. Earned is what they cost without it, weight 0, minus this.",
        ),
        Mistake(
            "The cost without log(2 pi), nothing subtracted",
            lambda weight, variance, noise_variance: (
                0.5 * (torch.log(weight.square() + noise_variance) + variance / (weight.square() + noise_variance))
            ),
            "That is what the data cost with the coordinate. Earned is what they cost without it, weight 0, minus this.",
        ),
        Mistake(
            "The weight not squared",
            lambda weight, variance, noise_variance: _earned(weight, variance, noise_variance, weight + noise_variance),
            "z has variance 1, so weight * z has the variance weight**2.",
        ),
        Mistake(
            "The variance of the data taken for that of z",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() * variance + noise_variance
            ),
            "Under the model z has the variance 1 of the prior, however much the data vary. So p(x) has weight**2 + "
            "noise_variance.",
        ),
        Mistake(
            "The noise left out of the model's variance",
            lambda weight, variance, noise_variance: _earned(weight, variance, noise_variance, weight.square()),
            "x is weight * z plus noise, and variances of independent parts add: weight**2 + noise_variance.",
        ),
        Mistake(
            "The noise's variance squared",
            lambda weight, variance, noise_variance: coordinate_earns(weight, variance, noise_variance.square()),
            "noise_variance is a variance already.",
        ),
        Mistake(
            "Standard deviations added in place of variances",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, (weight + noise_variance.sqrt()).square()
            ),
            "Of independent parts the variances add, not the standard deviations: weight**2 + noise_variance.",
        ),
        Mistake(
            "The price in place of the earnings",
            lambda weight, variance, noise_variance: 0.5 * torch.log((weight.square() + noise_variance) / noise_variance),
            "1/2 log(v / noise_variance) is the rate where the data vary as the model says: what z costs. Earned is the "
            "distortion saved minus the cost, and over the data as they are.",
        ),
        Mistake(
            "The mean taken over the model's own x",
            lambda weight, variance, noise_variance: coordinate_earns(weight, weight.square() + noise_variance, noise_variance),
            "The mean is over the data, whose variance is `variance`, whatever the model believes: variance / v, not v / v.",
        ),
        Mistake(
            "Compared with the best model in place of weight 0",
            lambda weight, variance, noise_variance: _earned(weight, variance, variance, weight.square() + noise_variance),
            "Minus the KL from the data to p(x) tells how far the model is from the best one, which has the variance of the "
            "data. Earned is counted from weight 0: the cost with v = noise_variance, minus that with v.",
        ),
        Mistake(
            "The variance taken for the standard deviation",
            lambda weight, variance, noise_variance: _two_normals(variance, noise_variance, weight.square() + noise_variance),
            "Normal wants the standard deviation: the square root of weight**2 + noise_variance, and of noise_variance.",
        ),
        Mistake(
            "Only the logarithms compared",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() + noise_variance, spread=0.0
            ),
            "A wider p(x) is lower everywhere, but it costs less far out: the term variance / v belongs to it.",
        ),
        Mistake(
            "Only the squares compared",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() + noise_variance, logs=0.0
            ),
            "So a longer weight would always earn more. But a wider p(x) is lower: the term 1/2 log v is what it costs.",
        ),
        Mistake(
            "The logarithm added",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() + noise_variance, logs=-1.0
            ),
            "A wider p(x) is lower, so the logarithm of its variance is a cost: it is subtracted from what is earned.",
        ),
        Mistake(
            "The logarithm not halved",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() + noise_variance, logs=2.0
            ),
            "log std is half of the log of the variance.",
        ),
        Mistake(
            "The squares not halved",
            lambda weight, variance, noise_variance: _earned(
                weight, variance, noise_variance, weight.square() + noise_variance, spread=2.0
            ),
            "The exponent of a Gaussian is x^2 / (2 v): half of variance / v on average.",
        ),
        Mistake(
            "What is saved, without its rate",
            lambda weight, variance, noise_variance: (
                coordinate_earns(weight, variance, noise_variance) + _rate(weight, variance, noise_variance)
            ),
            "That is the distortion saved. The rate of the coordinate is to be paid from it. (Or take -log p(x), which "
            "has both in it.)",
        ),
        Mistake(
            "The scatter of z left out of the distortion",
            lambda weight, variance, noise_variance: (
                coordinate_earns(weight, variance, noise_variance) + _scatter(weight, noise_variance)
            ),
            "z scatters around its mean, and W carries that into x: it costs distortion too. (Or take -log p(x), which has all "
            "of it.)",
        ),
        Mistake(
            "The scatter of z left out of the distortion, and the rate that of the best weight",
            lambda weight, variance, noise_variance: (
                coordinate_earns(weight, variance, noise_variance)
                + _scatter(weight, noise_variance)
                + _rate(weight, variance, noise_variance)
                - 0.5 * torch.log(weight.square() / noise_variance + 1)
            ),
            "z scatters around its mean, and W carries that into x: it costs distortion too. And 1/2 log(v / noise_variance) "
            "is the rate at the best weight only. (Or take -log p(x), which has all of it.)",
        ),
        Mistake(
            "The rate alone",
            lambda weight, variance, noise_variance: _rate(weight, variance, noise_variance),
            "That is what the coordinate costs. Earned is the distortion that it saves minus this.",
        ),
        Mistake(
            "The most that any weight earns",
            lambda weight, variance, noise_variance: (
                0.5 * (variance / noise_variance - 1 - torch.log(variance / noise_variance)).expand_as(weight)
            ),
            "That is earned by the best weight. Here each weight is asked for what it earns itself.",
        ),
        Mistake(
            "The rate of the best weight",
            lambda weight, variance, noise_variance: 0.5 * torch.log(variance / noise_variance).clamp_min(0).expand_as(weight),
            "That is the rate which the best weight pays. Asked is, for each weight, what is saved minus what is paid.",
        ),
        Mistake(
            "Losses told as 0",
            lambda weight, variance, noise_variance: coordinate_earns(weight, variance, noise_variance).clamp_min(0),
            "A coordinate may well earn less than nothing, and that has to show.",
        ),
        Mistake(
            "Summed over the weights",
            lambda weight, variance, noise_variance: coordinate_earns(weight, variance, noise_variance).sum(),
            "The weights are different models, not coordinates of one: a number for each.",
        ),
        Mistake(
            "Bits",
            lambda weight, variance, noise_variance: coordinate_earns(weight, variance, noise_variance) / math.log(2),
            "log2 gives bits. The course counts nats: torch.log.",
        ),
    ),
)


def _rate(weight: Tensor, variance: Tensor, noise_variance: Tensor) -> Tensor:
    """The mean KL from the model's own posterior of the coordinate to the prior."""
    of_the_model = weight.square() + noise_variance
    width = noise_variance / of_the_model
    return 0.5 * (weight.square() * variance / of_the_model.square() + width - 1 - width.log())


def _two_normals(variance: Tensor, without: Tensor, std: Tensor) -> Tensor:
    """Of points with the data's mean square: their log density under N(0, std^2) minus that under N(0, without^2)."""
    return 0.5 * (variance / without.square() - variance / std.square()) - torch.log(std / without)


def _scatter(weight: Tensor, noise_variance: Tensor) -> Tensor:
    """What it costs in distortion that the coordinate scatters around its mean."""
    return 0.5 * weight.square() / (weight.square() + noise_variance)


# --- the decoder fitted to an encoder -----------------------------------------------------------------------------------


def fitted_distortion(p: Tensor, q: Tensor) -> Tensor:
    joint = p[:, None] * q
    p_given_z = joint / joint.sum(0)
    return -torch.xlogy(joint, p_given_z).sum()


def _encoders() -> list[Arguments]:
    return [
        doubles([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]]),
        doubles([0.7, 0.3], [[0.6, 0.4], [0.1, 0.9]]),
        doubles([0.2, 0.5, 0.3], [[0.5, 0.5], [0.9, 0.1], [0.3, 0.7]]),
        doubles([0.6, 0.4], [[0.2, 0.5, 0.3], [0.4, 0.1, 0.5]]),
        doubles([0.1, 0.2, 0.7], [[0.3, 0.7], [0.3, 0.7], [0.3, 0.7]]),  # a silent z
    ]


def _drawn_encoder(generator: Generator) -> Arguments:
    sentences, states = sizes(generator, 2, 2, 6)
    return probabilities(generator, sentences), probabilities(generator, sentences, states)


def _encoder_of_a_lesson(generator: Generator) -> Arguments:
    return torch.randn(32, generator=generator).softmax(0), torch.randn(32, 2, generator=generator).softmax(1)


def _mean_cost(p: Tensor, q: Tensor, decoder: Tensor) -> Tensor:
    """The mean of -log decoder over sentences and their z."""
    return -(p[:, None] * q * decoder.log()).sum()


def _fitted(p: Tensor, q: Tensor) -> Tensor:
    joint = p[:, None] * q
    return joint / joint.sum(0)


FITTED_DISTORTION = Exercise(
    task="D of an encoder whose decoder is fitted to it, one number in nats: the mean of -log p(x given z). First make "
    "p(x given z) by Bayes' rule. p (sentences,): their probabilities. q (sentences, states): row x holds q(z given x).",
    reference=fitted_distortion,
    cases=_encoders,
    generate=_drawn_encoder,
    lesson=_encoder_of_a_lesson,
    hints=(
        "First the decoder, a table like q. Bayes' rule: how likely was each sentence, now that this z has come?",
        "p[:, None] * q is the joint of sentence and z. Divided by the sum of its column, q(z), it is p(x given z). The mean "
        "is over sentences and their z, so the joint is also what each -log p(x given z) is weighted with.",
        "joint = p[:, None] * q, p_given_z = joint / joint.sum(0), then -torch.xlogy(joint, p_given_z).sum()",
    ),
    mistakes=(
        Mistake(
            "The encoder in place of the decoder",
            lambda p, q: _mean_cost(p, q, q),
            "-log q(z given x) tells how sure the encoder is of z. Distortion is what the *sentence* costs, given z.",
        ),
        Mistake(
            "The joint in place of the decoder",
            lambda p, q: _mean_cost(p, q, p[:, None] * q),
            "Bayes' rule also divides: p(x given z) is the joint over q(z), so each column of it sums to 1.",
        ),
        Mistake(
            "All sentences taken as equally likely",
            lambda p, q: fitted_distortion(torch.full_like(p, 1 / len(p)), q),
            "Sentences have the probabilities p: they belong into Bayes' rule and into the mean.",
        ),
        Mistake(
            "Bayes' rule without p",
            lambda p, q: _mean_cost(p, q, q / q.sum(0)),
            "The decoder is to know which sentences are common: multiply q by p before you divide by the column's sum.",
        ),
        Mistake(
            "q(z) as a plain mean over sentences",
            lambda p, q: _mean_cost(p, q, p[:, None] * q / q.mean(0)),
            "How often z comes is the mean of q(z given x) weighted by p: the sum of a column of the joint.",
        ),
        Mistake(
            "Divided by the prior of equal states in place of q(z)",
            lambda p, q: _mean_cost(p, q, p[:, None] * q * q.shape[1]),
            "The decoder is fitted to the z that *this encoder* sends. How often each comes is q(z), the sum of its column. "
            "(H(x) minus the rate gives the same: the rate is the information only where q(z) is the prior.)",
        ),
        Mistake(
            "All sentences equally likely in the mean",
            lambda p, q: _mean_cost(torch.full_like(p, 1 / len(p)), q, _fitted(p, q)),
            "The decoder is right. But the mean is over sentences as they come, with the weights p.",
        ),
        Mistake(
            "Summed over sentences, not weighted by p",
            lambda p, q: _mean_cost(torch.ones_like(p), q, _fitted(p, q)),
            "The decoder is right. But the mean is over sentences as they come, with the weights p.",
        ),
        Mistake(
            "All states equally likely in the mean",
            lambda p, q: _mean_cost(p, torch.full_like(q, 1 / q.shape[1]), _fitted(p, q)),
            "The decoder is right. But a sentence's z comes from its own q(z given x): weight with it.",
        ),
        Mistake(
            "Summed over the states, not weighted by q",
            lambda p, q: _mean_cost(p, torch.ones_like(q), _fitted(p, q)),
            "The decoder is right. But a sentence's z comes from its own q(z given x): weight with it.",
        ),
        Mistake(
            "Weighted with the decoder",
            lambda p, q: -(_fitted(p, q) * _fitted(p, q).log()).sum(),
            "That adds up the entropy of each column, however rare its z. Weight -log p(x given z) with the joint.",
        ),
        Mistake(
            "Weighted with the decoder, all states alike",
            lambda p, q: -(_fitted(p, q) * _fitted(p, q).log()).sum(0).mean(),
            "Right for each z, but some z come more often than others: weight with q(z), or everything with the joint.",
        ),
        Mistake(
            "The mean over z inside the logarithm",
            lambda p, q: -(p * (q * _fitted(p, q)).sum(1).log()).sum(),
            "Distortion is a mean of logarithms, not the logarithm of a mean.",
        ),
        Mistake(
            "What z tells, in place of what it leaves",
            lambda p, q: (p[:, None] * q * (q / (p @ q)).log()).sum(),
            "This is the information I. The distortion is what the sentence still costs: H(x) - I.",
        ),
        Mistake(
            "The entropy of the sentences",
            lambda p, q: -(p * p.log()).sum(),
            "That is what they cost a decoder without z. This one knows z: p(x given z) in place of p(x).",
        ),
        Mistake(
            "D + R in place of D",
            lambda p, q: fitted_distortion(p, q) + (p[:, None] * q * (q * q.shape[1]).log()).sum(),
            "The rate is added later. Asked is the distortion alone.",
        ),
        Mistake(
            "Wrong sign",
            lambda p, q: -fitted_distortion(p, q),
            "A logarithm of a probability is negative, and a cost is minus it.",
        ),
        Mistake(
            "One number for each sentence",
            lambda p, q: -(p[:, None] * q * _fitted(p, q).log()).sum(1),
            "Add these up: one number for all sentences.",
        ),
        Mistake(
            "One number for each sentence, not weighted by p",
            lambda p, q: -(q * _fitted(p, q).log()).sum(1),
            "Right for each sentence. The mean over sentences has the weights p.",
        ),
        Mistake(
            "One number for each state",
            lambda p, q: -(p[:, None] * q * _fitted(p, q).log()).sum(0),
            "Add these up: one number for all states.",
        ),
        Mistake(
            "The table",
            lambda p, q: -(p[:, None] * q * _fitted(p, q).log()),
            "Add up its entries: they are weighted with the joint already, so the sum is the mean.",
        ),
        Mistake(
            "The mean over the table",
            lambda p, q: fitted_distortion(p, q) / q.numel(),
            "The joint is the weights, and these sum to 1: add the entries up, and divide by nothing.",
        ),
    ),
)

# --- the model's own posterior --------------------------------------------------------------------------------------


def posterior_mean(log_likelihood: Tensor, grid: Tensor) -> Tensor:
    weights = torch.softmax(log_likelihood - grid[:, None].square() / 2, dim=0)
    return (weights * grid[:, None]).sum(0)


def _grids() -> list[Arguments]:
    return [
        doubles([[-3.0], [-2.0], [-2.5]], [-1.0, 0.0, 1.0]),
        doubles([[-9.0, -4.0], [-8.0, -5.0], [-6.0, -5.5], [-5.0, -7.0], [-5.2, -9.0]], [-2.0, -1.0, 0.0, 1.0, 2.0]),
        doubles([[-1010.0, -1000.0], [-1005.0, -1003.0], [-1001.0, -1006.0]], [-1.5, 0.0, 1.5]),
        doubles([[-4.0, -4.0, -4.0, -7.0], [-4.0, -5.0, -2.0, -7.0]], [0.5, 1.5]),  # fewer points than sentences
    ]


def _drawn_grid(generator: Generator) -> Arguments:
    points, sentences = sizes(generator, 2, 2, 8)
    start, step = numbers(generator, low=-3, high=0), 0.25 * size(generator, 1, 4)
    level = -10.0 * whole(generator, sentences, high=2)
    grid = start + step * torch.arange(points, dtype=torch.float64)
    return numbers(generator, points, sentences, low=-6, high=0) + level, grid


def _grid_of_a_lesson(generator: Generator) -> Arguments:
    grid = torch.linspace(-4, 4, 81)
    centre, width = torch.randn(40, generator=generator), 0.5 + torch.rand(40, generator=generator)
    return -15 - ((grid[:, None] - centre) / width).square() / 2, grid


def _centre(weights: Tensor, grid: Tensor) -> Tensor:
    return (weights * grid[:, None]).sum(0)


def _log_joint(log_likelihood: Tensor, grid: Tensor) -> Tensor:
    return log_likelihood - grid[:, None].square() / 2


def _ends(grid: Tensor) -> Tensor:
    """What the trapezoid rule multiplies the points with: 1, and 1/2 at both ends."""
    inner = torch.ones_like(grid)
    inner[0] = inner[-1] = 0.5
    return inner[:, None]


POSTERIOR_MEAN = Exercise(
    task="The mean of p(z given x) for each sentence, (N,): log p(x given z) on an even grid of z, (points, N), and the grid "
    "(points,). The prior is N(0, 1). "
    "The grid's points are the only states of z, and all count alike: sums, no rule of integration.",
    reference=posterior_mean,
    cases=_grids,
    generate=_drawn_grid,
    lesson=_grid_of_a_lesson,
    hints=(
        "Bayes' rule, as in exact_posterior of lesson 04, with the grid's points for states: prior times likelihood, "
        "normalized over the grid.",
        "The log of the prior is -z^2 / 2 up to a constant, and the softmax takes constants away.",
        "weights = torch.softmax(log_likelihood - grid[:, None] ** 2 / 2, dim=0), then the weighted sum of the grid.",
    ),
    mistakes=(
        Mistake(
            "Without the prior",
            lambda log_likelihood, grid: posterior_mean(log_likelihood + grid[:, None].square() / 2, grid),
            "The likelihood alone says nothing of which z are likely to begin with: add -z^2 / 2 in the log.",
        ),
        Mistake(
            "Missing 1/2 in the prior",
            lambda log_likelihood, grid: posterior_mean(log_likelihood - grid[:, None].square() / 2, grid),
            "log N(z; 0, 1) is -z^2 / 2 and a constant. Without the half the prior has variance 1/2.",
        ),
        Mistake(
            "The prior with the wrong sign",
            lambda log_likelihood, grid: posterior_mean(log_likelihood + grid[:, None].square(), grid),
            "A z far from 0 is *less* likely under the prior: its log is -z^2 / 2.",
        ),
        Mistake(
            "z in place of its square in the prior",
            lambda log_likelihood, grid: posterior_mean(log_likelihood + (grid.square() - grid)[:, None] / 2, grid),
            "The log of the prior is -z^2 / 2, with a square.",
        ),
        Mistake(
            "The prior added as a density, not as a log",
            lambda log_likelihood, grid: _centre(
                torch.softmax(log_likelihood + torch.exp(-grid[:, None].square() / 2) / math.sqrt(2 * math.pi), 0), grid
            ),
            "Probabilities multiply, so logs add: the log of the prior is needed, -z^2 / 2.",
        ),
        Mistake(
            "The prior added as exp(-z^2 / 2), not as a log",
            lambda log_likelihood, grid: _centre(
                torch.softmax(log_likelihood + torch.exp(-grid[:, None].square() / 2), 0), grid
            ),
            "Probabilities multiply, so logs add: the log of the prior is needed, -z^2 / 2.",
        ),
        Mistake(
            "Normalized over sentences",
            lambda log_likelihood, grid: _centre(torch.softmax(_log_joint(log_likelihood, grid), 1), grid),
            "Each *sentence* has a posterior over z, so the weights of one column sum to 1: dim=0.",
        ),
        Mistake(
            "Normalized over everything",
            lambda log_likelihood, grid: _centre(
                torch.softmax(_log_joint(log_likelihood, grid).flatten(), 0).view_as(log_likelihood), grid
            ),
            "Each *sentence* has a posterior over z, so the weights of each column sum to 1: dim=0.",
        ),
        Mistake(
            "Not normalized",
            lambda log_likelihood, grid: _centre(_log_joint(log_likelihood, grid).exp(), grid),
            "Prior times likelihood is the joint. The posterior's weights sum to 1: divide by their sum, or use a softmax.",
        ),
        Mistake(
            "Not normalized",
            lambda log_likelihood, grid: _centre(_log_joint(log_likelihood, grid).exp() / math.sqrt(2 * math.pi), grid),
            "Prior times likelihood is the joint. The posterior's weights sum to 1: divide by their sum, or use a softmax.",
        ),
        Mistake(
            "Not normalized after multiplying with the prior",
            lambda log_likelihood, grid: _centre(
                torch.softmax(log_likelihood, 0) * torch.softmax(-grid[:, None].square() / 2, 0), grid
            ),
            "A product of two distributions does not sum to 1. Add the logs first, then take one softmax.",
        ),
        Mistake(
            "Not normalized after multiplying with exp(-z^2 / 2)",
            lambda log_likelihood, grid: _centre(
                torch.softmax(log_likelihood, 0) * torch.exp(-grid[:, None].square() / 2), grid
            ),
            "Once the prior is multiplied in, the weights do not sum to 1 any more. Add the logs first, then take one softmax.",
        ),
        Mistake(
            "Logs of the weights used as weights",
            lambda log_likelihood, grid: _centre(torch.log_softmax(_log_joint(log_likelihood, grid), 0), grid),
            "Weights are probabilities: softmax in place of log_softmax.",
        ),
        Mistake(
            "The log-likelihood used as a likelihood",
            lambda log_likelihood, grid: (
                _centre(log_likelihood * (-grid[:, None].square() / 2).exp(), grid)
                / (log_likelihood * (-grid[:, None].square() / 2).exp()).sum(0)
            ),
            "log p(x given z) is given. Its exp is multiplied with the prior; or better, add the logs and take a softmax.",
        ),
        Mistake(
            "A mean over the grid in place of a sum",
            lambda log_likelihood, grid: posterior_mean(log_likelihood, grid) / len(grid),
            "The weights sum to 1 already, so the mean of z is the weighted *sum* over the grid.",
        ),
        Mistake(
            "Multiplied by the grid's step",
            lambda log_likelihood, grid: posterior_mean(log_likelihood, grid) * (grid[1] - grid[0]),
            "The softmax has normalized the weights already: they sum to 1, and no width of a step is needed.",
        ),
        Mistake(
            "Logs multiplied in place of added",
            lambda log_likelihood, grid: posterior_mean((1 - log_likelihood) * grid[:, None].square() / 2, grid),
            "Prior and likelihood are multiplied, so their logs are *added*.",
        ),
        Mistake(
            "The ends of the grid counted half",
            lambda log_likelihood, grid: posterior_mean(log_likelihood + _ends(grid).log(), grid),
            "That is the trapezoid rule, a fine one for an integral. But here each point of the grid is a state that counts "
            "like every other.",
        ),
        Mistake(
            "The mode in place of the mean",
            lambda log_likelihood, grid: grid[_log_joint(log_likelihood, grid).argmax(0)],
            "The densest point of the grid is not the mean: weigh all points.",
        ),
        Mistake(
            "The number of a grid point",
            lambda log_likelihood, grid: _log_joint(log_likelihood, grid).argmax(0),
            "argmax gives where in the grid the densest point is. The mean of z is asked: weigh all points of the grid.",
        ),
        Mistake(
            "The likeliest z in place of the mean",
            lambda log_likelihood, grid: grid[log_likelihood.argmax(0)],
            "That is the maximum of the likelihood, without the prior. Weigh all points by prior times likelihood.",
        ),
        Mistake(
            "The prior alone",
            lambda log_likelihood, grid: posterior_mean(0 * log_likelihood, grid),
            "Its mean is the same for every sentence: what a collapsed posterior looks like. Add log_likelihood.",
        ),
        Mistake(
            "The posterior in place of its mean",
            lambda log_likelihood, grid: torch.softmax(_log_joint(log_likelihood, grid), 0),
            "These are the right weights. Multiply them with the grid and add up: one number a sentence.",
        ),
        Mistake(
            "The evidence in place of the mean",
            lambda log_likelihood, grid: torch.logsumexp(_log_joint(log_likelihood, grid), 0),
            "This is the log of the sum that the weights are divided by. The mean is the weighted sum of the grid.",
        ),
        Mistake(
            "Added up over sentences",
            lambda log_likelihood, grid: (torch.softmax(_log_joint(log_likelihood, grid), 0) * grid[:, None]).sum(1),
            "Add up over the grid, dimension 0: one mean for each sentence.",
        ),
        Mistake(
            "The mean square of z",
            lambda log_likelihood, grid: _centre(torch.softmax(_log_joint(log_likelihood, grid), 0), grid.square()),
            "The mean of z is asked: weigh the grid itself, not its square.",
        ),
        Mistake(
            "The grid along the wrong dimension",
            lambda log_likelihood, grid: (torch.softmax(log_likelihood - grid.square() / 2, 0) * grid).sum(0),
            "A vector meets the *last* dimension, the sentences. grid[:, None] has the shape (points, 1).",
        ),
        Mistake(
            "The prior along the wrong dimension",
            lambda log_likelihood, grid: _centre(torch.softmax(log_likelihood - grid.square() / 2, 0), grid),
            "A vector meets the *last* dimension, the sentences. The prior belongs to the points: grid[:, None]**2 / 2.",
        ),
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_likelihood, grid: (
                _centre(_log_joint(log_likelihood, grid).exp(), grid) / _log_joint(log_likelihood, grid).exp().sum(0)
            ),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.softmax takes the largest out first.",
        ),
    ),
)

# --- the aggressive encoder -----------------------------------------------------------------------------------------


def aggressive_step(
    loss_of: Callable[[Tensor], Tensor],
    encoder_optimizer: Optimizer,
    decoder_optimizer: Optimizer,
    batches: list[Tensor],
) -> Tensor:
    for tokens in batches[:-1]:
        encoder_optimizer.zero_grad()
        loss_of(tokens).backward()
        encoder_optimizer.step()
    decoder_optimizer.zero_grad()
    loss = loss_of(batches[-1])
    loss.backward()
    decoder_optimizer.step()
    return loss.detach()


class _Pair(nn.Module):
    """An encoder and a decoder so small that a step of theirs can be followed; called with a batch, it is a loss."""

    def __init__(self, inputs: int):
        super().__init__()
        self.encoder = nn.Linear(inputs, 2)
        self.decoder = nn.Linear(2, inputs)

    def forward(self, x: Tensor) -> Tensor:
        z = self.encoder(x)
        loss: Tensor = ((self.decoder(z) - x).square().sum(1) + 0.5 * z.square().sum(1)).mean()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        raise AttributeError("loss_of is a function and has no zero_grad: it is the optimizers that put gradients back to zero")


def _start(batches: Tensor, seed: int) -> Arguments:
    pair = start_of(lambda: _Pair(batches.shape[2]), seed, like=batches)
    assert isinstance(pair, _Pair)
    encoder_optimizer = torch.optim.SGD(pair.encoder.parameters(), lr=0.05)
    decoder_optimizer = torch.optim.SGD(pair.decoder.parameters(), lr=0.05)
    return pair, encoder_optimizer, decoder_optimizer, list(batches.unbind())


def _drawn_batches(generator: Generator) -> Arguments:
    count, batch, inputs = sizes(generator, 3, low=2, high=5)
    return numbers(generator, count, batch, inputs), size(generator, 0, 99)


def _lead(
    inner: str = "zero backward encoder",
    outer: str = "zero backward decoder",
    chosen: Callable[[list[Tensor]], list[Tensor]] = lambda batches: batches[:-1],
    last: int = -1,
    first: bool = False,
) -> Callable[..., Tensor]:
    """The step in which one thing may be otherwise: what is done in either loop, on which batches, and in which order."""

    def step(
        loss_of: Callable[[Tensor], Tensor],
        encoder_optimizer: Optimizer,
        decoder_optimizer: Optimizer,
        batches: list[Tensor],
    ) -> Tensor:
        def do(names: str, tokens: Tensor, mover: Optimizer) -> Tensor:
            loss = loss_of(tokens)
            actions: dict[str, Callable[[], object]] = {
                "zero": mover.zero_grad,
                "zero-encoder": encoder_optimizer.zero_grad,
                "zero-decoder": decoder_optimizer.zero_grad,
                "backward": loss.backward,
                "encoder": encoder_optimizer.step,
                "decoder": decoder_optimizer.step,
            }
            for name in names.split():
                actions[name]()
            return loss.detach()

        if first:
            found = do(outer, batches[last], decoder_optimizer)
        for tokens in chosen(batches):
            inside = do(inner, tokens, encoder_optimizer)
        if not first:
            found = do(outer, batches[last], decoder_optimizer) if outer else inside
        return found

    return step


def _follows_the_loop(
    loss_of: Callable[[Tensor], Tensor],
    encoder_optimizer: Optimizer,
    decoder_optimizer: Optimizer,
    batches: list[Tensor],
) -> Tensor:
    """The decoder has no batch of its own: it takes the gradients that the loop's last turn left in it."""
    for tokens in batches[:-1]:
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        loss = loss_of(tokens)
        loss.backward()
        encoder_optimizer.step()
    decoder_optimizer.step()
    return loss.detach()


def _decoder_in_every_turn(
    loss_of: Callable[[Tensor], Tensor],
    encoder_optimizer: Optimizer,
    decoder_optimizer: Optimizer,
    batches: list[Tensor],
) -> Tensor:
    """After each step of the encoder the decoder takes one too, always on the last batch."""
    for tokens in batches[:-1]:
        encoder_optimizer.zero_grad()
        loss_of(tokens).backward()
        encoder_optimizer.step()
        decoder_optimizer.zero_grad()
        loss = loss_of(batches[-1])
        loss.backward()
        decoder_optimizer.step()
    return loss.detach()


def _loss_taken_early(
    loss_of: Callable[[Tensor], Tensor],
    encoder_optimizer: Optimizer,
    decoder_optimizer: Optimizer,
    batches: list[Tensor],
) -> Tensor:
    """The decoder's loss is computed before the encoder has moved."""
    loss = loss_of(batches[-1])
    for tokens in batches[:-1]:
        encoder_optimizer.zero_grad()
        loss_of(tokens).backward()
        encoder_optimizer.step()
    decoder_optimizer.zero_grad()
    loss.backward()
    decoder_optimizer.step()
    return loss.detach()


def _loss_taken_late(
    loss_of: Callable[[Tensor], Tensor],
    encoder_optimizer: Optimizer,
    decoder_optimizer: Optimizer,
    batches: list[Tensor],
) -> Tensor:
    """The loss that is returned is computed once more, after the decoder has moved."""
    aggressive_step(loss_of, encoder_optimizer, decoder_optimizer, batches)
    return loss_of(batches[-1]).detach()


def _decoder_on_all(averaged: bool) -> Callable[..., Tensor]:
    """The decoder's step is on the sum or the mean of all batches' losses."""

    def step(
        loss_of: Callable[[Tensor], Tensor],
        encoder_optimizer: Optimizer,
        decoder_optimizer: Optimizer,
        batches: list[Tensor],
    ) -> Tensor:
        for tokens in batches[:-1]:
            encoder_optimizer.zero_grad()
            loss_of(tokens).backward()
            encoder_optimizer.step()
        decoder_optimizer.zero_grad()
        losses = torch.stack([loss_of(tokens) for tokens in batches])
        loss = losses.mean() if averaged else losses.sum()
        loss.backward()
        decoder_optimizer.step()
        return loss.detach()

    return step


def _one_step_on_all(averaged: bool) -> Callable[..., Tensor]:
    """The encoder takes a single step, on the sum or the mean of its batches' losses."""

    def step(
        loss_of: Callable[[Tensor], Tensor],
        encoder_optimizer: Optimizer,
        decoder_optimizer: Optimizer,
        batches: list[Tensor],
    ) -> Tensor:
        losses = torch.stack([loss_of(tokens) for tokens in batches[:-1]])
        encoder_optimizer.zero_grad()
        (losses.mean() if averaged else losses.sum()).backward()
        encoder_optimizer.step()
        decoder_optimizer.zero_grad()
        loss = loss_of(batches[-1])
        loss.backward()
        decoder_optimizer.step()
        return loss.detach()

    return step


AGGRESSIVE_STEP = UpdateExercise(
    task="The encoder leads, the decoder follows: one step of the encoder alone on each of the batches but the last, then one "
    "step of the decoder alone on the last. Returns the loss that the decoder's step was taken on, detached.",
    reference=aggressive_step,
    cases=lambda: [(double([[[1.0, 0.5]], [[-0.5, 1.0]]]), 1), (double([[[1.0]], [[0.5]], [[-2.0]], [[0.3]]]), 2)],
    generate=_drawn_batches,
    lesson=lambda g: (torch.randn(11, 32, 8, generator=g), 0),
    start=_start,
    made_from=("batches", "seed"),
    hints=(
        "Two parts: a loop in which only the encoder's optimizer steps, and after it one step of the decoder's optimizer.",
        "backward() leaves gradients in *both* networks, whoever is going to step. So before the decoder's step its gradients "
        "from the loop have to be put back to zero.",
        "for tokens in batches[:-1]: encoder_optimizer.zero_grad(), loss_of(tokens).backward(), encoder_optimizer.step(). "
        "Then decoder_optimizer.zero_grad(), loss = loss_of(batches[-1]), loss.backward(), decoder_optimizer.step().",
    ),
    mistakes=(
        Mistake(
            "The decoder's gradients from the loop were not put back",
            _lead(outer="backward decoder"),
            "Each backward() in the loop leaves gradients in the decoder too, and they add up. Before the decoder's own "
            "backward() call decoder_optimizer.zero_grad().",
        ),
        Mistake(
            "No zero_grad in the loop",
            _lead(inner="backward encoder"),
            "The encoder's gradients add up from batch to batch unless they are put back before each backward().",
        ),
        Mistake(
            "In the loop, put back to zero after the step",
            _lead(inner="backward encoder zero"),
            "The decoder's backward() left gradients in the encoder, and your next round begins with them: in the loop, call "
            "encoder_optimizer.zero_grad() before backward(), not after step().",
        ),
        Mistake(
            "No zero_grad at all",
            _lead(inner="backward encoder", outer="backward decoder"),
            "Gradients add up from batch to batch unless they are put back before each backward().",
        ),
        Mistake(
            "The decoder steps in the loop as well",
            _lead(inner="zero zero-decoder backward encoder decoder"),
            "Then it is plain training on many batches. In the loop only the encoder's optimizer steps.",
        ),
        Mistake(
            "The decoder steps in the loop as well, its gradients adding up",
            _lead(inner="zero backward encoder decoder"),
            "In the loop only the encoder's optimizer steps; the decoder waits for it.",
        ),
        Mistake(
            "The decoder steps after each step of the encoder",
            _decoder_in_every_turn,
            "Then the encoder has no lead. Only when the loop is over does the decoder take its one step.",
        ),
        Mistake(
            "One step of the encoder on the summed loss",
            _one_step_on_all(averaged=False),
            "The encoder is to move once for each of its batches: zero_grad(), backward() and step() all stand in the loop.",
        ),
        Mistake(
            "One step of the encoder on the mean loss",
            _one_step_on_all(averaged=True),
            "The encoder is to move once for each of its batches: zero_grad(), backward() and step() all stand in the loop.",
        ),
        Mistake(
            "The decoder's loss computed before the loop",
            _loss_taken_early,
            "That loss knows the encoder as it was. Compute loss_of(batches[-1]) behind the loop, so that the decoder hears "
            "the encoder that has caught up.",
        ),
        Mistake(
            "The loss computed once more, after the step",
            _loss_taken_late,
            "The weights are right. Return the loss that the decoder's step was taken on, from before that step.",
        ),
        Mistake(
            "The decoder's step on the mean loss of all batches",
            _decoder_on_all(averaged=True),
            "The decoder has one batch, the last: loss_of(batches[-1]).",
        ),
        Mistake(
            "The decoder's step on the summed loss of all batches",
            _decoder_on_all(averaged=False),
            "The decoder has one batch, the last: loss_of(batches[-1]).",
        ),
        Mistake(
            "The encoder steps with the decoder at the end",
            _lead(outer="zero-encoder zero-decoder backward encoder decoder"),
            "The last step moves the decoder alone: the encoder has had its own steps.",
        ),
        Mistake(
            "The encoder steps with the decoder at the end, on added gradients",
            _lead(outer="zero-decoder backward encoder decoder"),
            "The last step moves the decoder alone: the encoder has had its own steps.",
        ),
        Mistake(
            "The encoder steps with the decoder at the end, and neither was put back to zero",
            _lead(outer="backward encoder decoder"),
            "Both networks are off. The last step moves the decoder alone, and before its backward() the decoder's gradients "
            "from the loop have to be put back: decoder_optimizer.zero_grad().",
        ),
        Mistake(
            "The encoder steps with the decoder at the end, whose gradients were not put back",
            _lead(outer="zero-encoder backward encoder decoder"),
            "Both networks are off. The last step moves the decoder alone, and before its backward() the decoder's gradients "
            "from the loop have to be put back: decoder_optimizer.zero_grad().",
        ),
        Mistake(
            "The two exchanged",
            _lead(inner="zero-decoder backward decoder", outer="zero-encoder backward encoder"),
            "It is the encoder that takes many steps, and the decoder one.",
        ),
        Mistake(
            "The decoder first",
            _lead(first=True),
            "The encoder is to catch up *before* the decoder moves: the loop comes first.",
        ),
        Mistake(
            "The encoder takes a step on the last batch too",
            _lead(chosen=lambda batches: batches),
            "The last batch is the decoder's: the loop runs over batches[:-1].",
        ),
        Mistake(
            "One step of the encoder only",
            _lead(chosen=lambda batches: batches[:1]),
            "A step for each of its batches, all but the last: a loop over batches[:-1].",
        ),
        Mistake(
            "The same batch every time",
            _lead(chosen=lambda batches: batches[:1] * (len(batches) - 1)),
            "Each step of the encoder has a batch of its own: the loop's variable, not batches[0].",
        ),
        Mistake(
            "The decoder steps on the first batch",
            _lead(last=0),
            "The decoder's batch is the last one, batches[-1].",
        ),
        Mistake(
            "The decoder never steps",
            _lead(outer=""),
            "After the loop the decoder takes its step, on batches[-1].",
        ),
        Mistake(
            "The decoder steps on gradients of the encoder's batches, added up",
            _lead(outer="decoder"),
            "Before the decoder's step it needs gradients of its own batch: decoder_optimizer.zero_grad(), then backward() of "
            "the loss of batches[-1].",
        ),
        Mistake(
            "The decoder steps on the last gradient of the loop",
            _lead(inner="zero zero-decoder backward encoder", outer="decoder"),
            "The gradients that lie in the decoder after the loop are those of the encoder's last batch. The decoder's own "
            "step needs its zero_grad(), and backward() of the loss of batches[-1].",
        ),
        Mistake(
            "The decoder steps on the last gradient of the loop, and that loss is returned",
            _follows_the_loop,
            "The gradients that lie in the decoder after the loop are those of the encoder's last batch. The decoder's own "
            "step needs its zero_grad(), and backward() of the loss of batches[-1].",
        ),
        Mistake(
            "The decoder does not move",
            _lead(outer="zero backward"),
            "After the loop, in this order: decoder_optimizer.zero_grad(), backward(), decoder_optimizer.step().",
        ),
        Mistake(
            "The encoder does not move",
            _lead(inner="zero backward"),
            "In the loop, in this order: encoder_optimizer.zero_grad(), backward(), encoder_optimizer.step().",
        ),
    ),
)

EXERCISES = (
    LOG_DENSITY_TABLE,
    MUTUAL_INFORMATION,
    ACTIVE_UNITS,
    ABLATION,
    COORDINATE_EARNS,
    FITTED_DISTORTION,
    POSTERIOR_MEAN,
    AGGRESSIVE_STEP,
)

PREDICTIONS = (
    Prediction(
        "rate_over_training",
        ("falls and stays low", "rises from the start", "falls first, then rises"),
        answer="falls first, then rises",
        because="at first z only costs, and its use is found as the decoder learns to read it.",
        wrong={
            "falls and stays low": (
                "So it was in the five runs above. But this decoder has no words to read: once it has learned which words are "
                "common at each place, only z can tell it more."
            ),
            "rises from the start": (
                "This decoder needs z from the beginning. But as yet it cannot read it: while nothing that z says saves "
                "distortion, the quickest way to a lower loss is a smaller rate."
            ),
        },
    ),
    Prediction(
        "more_sentences",
        ("it stays", "it grows", "it falls"),
        answer="it grows",
        because="with N sentences the reading cannot pass ln N. These codes could tell many more sentences apart.",
        wrong={
            "it stays": (
                "So it would if these codes could tell no more than that. But it is the set that gives out: once z tells all "
                "of its sentences apart, the reading is ln N, and only a larger set lets it grow."
            ),
            "it falls": (
                "More sentences are more that could be taken for one another. But codes as narrow as these hardly overlap in "
                "sixteen coordinates: z still names its sentence, and one among more is worth more nats."
            ),
        },
    ),
    Prediction(
        "directions_kept",
        ("1", "3", "5"),
        answer="3",
        because="three directions vary more than the noise, and describing any other would cost more than it saves.",
        wrong={
            "1": (
                "The first direction varies most, but the others do not wait for it: each coordinate of z saves and costs on "
                "its own account, and two more save more than they cost."
            ),
            "5": (
                "There is room for all five. But a coordinate must save more distortion than its rate, and for a direction "
                "that varies less than the noise it cannot."
            ),
        },
    ),
    Prediction(
        "saved_by_a_nat",
        ("less than one", "one", "more than one"),
        answer="one",
        because="by the chain rule what z saves at all words together is I(x; z), and that is the rate.",
        wrong={
            "less than one": (
                "So it would be with an encoder that falls short. Here encoder and decoder are the true conditionals, and "
                "nothing that z tells is lost."
            ),
            "more than one": (
                "So it is where the decoder sees fewer words, and one message helps at several places. This decoder has read "
                "most of the message off the words before."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "rate_alone",
        question=(
            "A colleague reports a rate of several nats and concludes that her VAE uses its $z$. What would you ask her to "
            "measure besides, and why?"
        ),
        model=(
            "The rate is an upper bound on what $z$ tells, and it may be high for nothing: if every sentence gets the same "
            "code, far from the prior, it tells no sentence from another. So I would ask for the mutual information, and for "
            "the ablation, another sentence's $z$, since only that shows whether the decoder uses what it is given."
        ),
        rubric=(
            "the rate also counts how far the cloud of all codes lies from the prior;",
            "mutual information tells whether the codes tell sentences apart;",
            "only an ablation tells whether the decoder uses them.",
        ),
    ),
    Explanation(
        "why_silence_is_right",
        question=(
            "A VAE's decoder sees all words before the one it writes. Why does the plain ELBO not reward it for using $z$, "
            "even if encoder and decoder are perfect?"
        ),
        model=(
            "Summed over the words, what $z$ says about a sentence saves the decoder as many nats as $z$ knows of the "
            "sentence, and by the chain rule not one more. The rate is at least as much. So at best $z$ breaks even, where "
            "all codes together, $q(z)$, are the prior. Elsewhere it costs more than it saves."
        ),
        rubric=(
            "what $z$ saves is distortion, and what it costs is the rate;",
            "with all words in view the savings add up to the information that $z$ has, which is never more than the rate;",
            "so a $z$ that says nothing is a right answer to this loss; only a decoder that falls short leaves work for it.",
        ),
    ),
)
