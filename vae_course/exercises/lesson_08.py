"""Exercises of lesson 08: information over a whole set, active units, ablation, what z earns, the model's own posterior."""

import math

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensors(*rows: object) -> Arguments:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


# --- mutual information ---------------------------------------------------------------------------------------------


def mutual_information(log_q: Tensor) -> Tensor:
    log_own = log_q.diagonal()
    log_aggregate = torch.logsumexp(log_q, dim=1) - math.log(len(log_q))
    return (log_own - log_aggregate).mean()


def _log_densities() -> list[Arguments]:
    return [
        _tensors([[0.0, -3.0], [-1.0, 0.5]]),
        _tensors([[-1.0, -1.5, -4.0], [-2.0, -0.5, -1.0], [-6.0, -3.0, 0.2]]),
        _tensors([[1.0, -2.0, -3.0, 0.5], [-4.0, 0.0, -1.0, -2.0], [0.3, -1.0, 1.5, -5.0], [-0.2, -3.0, -1.0, 0.7]]),
        _tensors([[-1000.0, -1002.0], [-1003.0, -1001.0]]),
    ]


def _in_pairs(log_q: Tensor) -> Tensor:
    """The mean over mini-batches of two; a last one of one sentence has no information."""
    parts = range(0, len(log_q), 2)
    blocks = [log_q[start : start + 2, start : start + 2] for start in parts]
    return torch.stack([mutual_information(block) * len(block) for block in blocks]).sum() / len(log_q)


def _without_own(log_q: Tensor) -> Tensor:
    others = log_q.masked_fill(torch.eye(len(log_q), dtype=torch.bool), -math.inf)
    return (log_q.diagonal() - torch.logsumexp(others, dim=1) + math.log(len(log_q) - 1)).mean()


MUTUAL_INFORMATION = Exercise(
    task="I(sentence; z) in nats, one number, from log_q (N, N): row i, column j holds log q(z_i given x_j); z_i is from q_i.",
    reference=mutual_information,
    cases=_log_densities,
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
            lambda log_q: (log_q.diagonal() - torch.logsumexp(log_q, dim=1)).mean(),
            "That compares with the *sum* of the N posteriors, and comes out negative. Subtract log N from the logsumexp.",
        ),
        Mistake(
            "The sum over the wrong dimension",
            lambda log_q: (log_q.diagonal() - torch.logsumexp(log_q, dim=0)).mean() + math.log(len(log_q)),
            "One z, all sentences: a row. A column holds all z under one sentence, which is no density of anything.",
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
        _tensors([[0.0, 0.0], [0.8, 0.0]], [[0.5, 1.0], [0.5, 1.0]]),
        _tensors(
            [[0.0, 2.0, -1.5, 0.05], [0.0, 2.0, -1.5, -0.05], [0.0, 2.0, -1.5, 0.04]],
            [[1.0, 0.1, 0.3, 0.1], [0.9, 0.1, 0.3, 0.1], [1.1, 0.1, 0.3, 0.1]],
        ),
        _tensors(
            [[1.0, 0.3, 0.01, 3.0], [-1.0, -0.3, -0.02, 3.0], [0.5, 0.2, 0.01, 3.0]],
            [[0.3, 0.9, 1.2, 1.1], [0.2, 0.8, 1.1, 1.0], [0.3, 0.9, 1.2, 1.1]],
        ),
    ]


ACTIVE_UNITS = Exercise(
    task="How many coordinates are active: var over sentences of the posterior's mean above 0.01. mean and std (N, latent).",
    reference=active_units,
    cases=_posteriors,
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
            lambda mean, std: (mean.std(dim=0) > 0.01).sum(),
            "0.01 is a variance: a standard deviation of 0.1. Take .var(dim=0).",
        ),
        Mistake(
            "Not centred: mean square in place of variance",
            lambda mean, std: (mean.square().mean(0) > 0.01).sum(),
            "A coordinate that sits at 3 for every sentence is far from the prior, and still tells nothing. Use the variance.",
        ),
        Mistake(
            "Judged by a narrow posterior",
            lambda mean, std: (std.square().mean(0) < 0.99).sum(),
            "A narrow posterior that is the same for all sentences costs rate, and tells nothing. Look at the means.",
        ),
        Mistake(
            "Variance over coordinates",
            lambda mean, std: (mean.var(dim=1) > 0.01).sum(),
            "dim=1 runs over the coordinates of one sentence. Vary the sentence: dim=0.",
        ),
        Mistake(
            "Counted the collapsed ones",
            lambda mean, std: (mean.var(dim=0) <= 0.01).sum(),
            "These are the units that are *not* active.",
        ),
        Mistake(
            "A share in place of a count",
            lambda mean, std: (mean.var(dim=0) > 0.01).double().mean(),
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
    )
    orders = ([1, 0], [1, 2, 0], [2, 3, 1, 0])
    return [(*_tensors(table), torch.tensor(order)) for table, order in zip(tables, orders, strict=True)]


ABLATION = Exercise(
    task="Nats that each sentence's own z saves, (N,): distortion (N, N) has sentence i with z_j in row i, column j; "
    "other (N,) names the sentence whose z each one gets.",
    reference=own_z_saves,
    cases=_distortions,
    hints=(
        "Keep the sentence and change its z: row i stays, the column changes from i to other[i].",
        "Two index tensors pick one entry a row: distortion[torch.arange(N), other].",
        "With another's z the sentence costs more; what the own one saves is other minus own.",
    ),
    mistakes=(
        Mistake(
            "Shuffled the sentences along with their z",
            lambda distortion, other: distortion[other, other] - distortion.diagonal(),
            "Row and column moved together, so every sentence still has its own z; on average nothing changes.",
        ),
        Mistake(
            "Shuffled the sentences, kept z",
            lambda distortion, other: distortion[other, torch.arange(len(other))] - distortion.diagonal(),
            "Two *sentences* are compared here, a long one with a short one perhaps. Keep the row and change the column.",
        ),
        Mistake(
            "Wrong sign",
            lambda distortion, other: -own_z_saves(distortion, other),
            "Distortion is a cost. What is saved is the cost with another's z minus the cost with the own one.",
        ),
        Mistake(
            "Averaged over all z, its own too",
            lambda distortion, other: distortion.mean(1) - distortion.diagonal(),
            "The mean of the row has the sentence's own z in it, which dilutes the difference. Take column other[i].",
        ),
        Mistake(
            "One number for all sentences",
            lambda distortion, other: own_z_saves(distortion, other).mean(),
            "Keep one difference a sentence, (N,): their spread gives the standard error.",
        ),
        Mistake(
            "The ablated distortion, without its comparison",
            lambda distortion, other: distortion[torch.arange(len(other)), other],
            "How much that is says nothing yet: subtract the distortion with the own z, the diagonal.",
        ),
    ),
)

# --- what z earns ---------------------------------------------------------------------------------------------------


def net_earnings(without_z: Tensor, with_z: Tensor, rate: Tensor) -> Tensor:
    return (without_z - with_z - rate.sum(-1)).mean()


def _accounts() -> list[Arguments]:
    return [
        _tensors([20.0], [14.0], [[1.0, 2.0]]),
        _tensors([31.0, 30.0], [20.0, 19.5], [[1.0, 0.5, 2.0], [0.3, 0.7, 1.1]]),
        _tensors([15.0, 16.0, 14.0], [14.0, 15.5, 14.5], [[0.9, 0.4], [1.0, 0.2], [0.6, 0.3]]),
    ]


NET_EARNINGS = Exercise(
    task="What z earns after its costs, one number in nats per sentence: distortion without z and with it (N,), "
    "rate of each coordinate (N, latent).",
    reference=net_earnings,
    cases=_accounts,
    hints=(
        "Earned: the distortion that z saves. Paid: the rate. Both are terms of the negative ELBO.",
        "Saved is without minus with. The rate of a sentence is the sum over its coordinates.",
        "(without_z - with_z - rate.sum(-1)).mean()",
    ),
    mistakes=(
        Mistake(
            "Distortion difference with the wrong sign",
            lambda without_z, with_z, rate: (with_z - without_z - rate.sum(-1)).mean(),
            "Distortion is a cost: z earns what it takes away, without minus with.",
        ),
        Mistake(
            "Forgot the rate",
            lambda without_z, with_z, rate: (without_z - with_z).mean(),
            "That is the turnover. The rate must be paid from it.",
        ),
        Mistake(
            "Rate averaged over coordinates",
            lambda without_z, with_z, rate: (without_z - with_z - rate.mean(-1)).mean(),
            "Coordinates are independent under the prior, so their rates add. An average divides the bill by their number.",
        ),
        Mistake(
            "Rate added",
            lambda without_z, with_z, rate: (without_z - with_z + rate.sum(-1)).mean(),
            "The rate is a cost as well: subtract it from what is saved.",
        ),
        Mistake(
            "Rate summed over the batch",
            lambda without_z, with_z, rate: (without_z - with_z).mean() - rate.sum(),
            "Everything is per sentence: average the rate over sentences as the distortion is.",
        ),
        Mistake(
            "Summed over sentences",
            lambda without_z, with_z, rate: (without_z - with_z - rate.sum(-1)).sum(),
            "Per sentence was asked: the mean.",
        ),
        Mistake(
            "One value for each sentence",
            lambda without_z, with_z, rate: without_z - with_z - rate.sum(-1),
            "Right for each sentence; average them to one number.",
        ),
    ),
)

# --- the model's own posterior --------------------------------------------------------------------------------------


def posterior_mean(log_likelihood: Tensor, grid: Tensor) -> Tensor:
    weights = torch.softmax(log_likelihood - grid[:, None].square() / 2, dim=0)
    return (weights * grid[:, None]).sum(0)


def _grids() -> list[Arguments]:
    return [
        _tensors([[-3.0], [-2.0], [-2.5]], [-1.0, 0.0, 1.0]),
        _tensors([[-9.0, -4.0], [-8.0, -5.0], [-6.0, -5.5], [-5.0, -7.0], [-5.2, -9.0]], [-2.0, -1.0, 0.0, 1.0, 2.0]),
        _tensors([[-1010.0, -1000.0], [-1005.0, -1003.0], [-1001.0, -1006.0]], [-1.5, 0.0, 1.5]),
    ]


def _centre(log_weights: Tensor, grid: Tensor, dim: int = 0) -> Tensor:
    return (torch.softmax(log_weights, dim=dim) * grid[:, None]).sum(0)


POSTERIOR_MEAN = Exercise(
    task="The mean of p(z given x) for each sentence, (N,): log p(x given z) on an even grid of z, (points, N), and the grid "
    "(points,). The prior is N(0, 1).",
    reference=posterior_mean,
    cases=_grids,
    hints=(
        "Bayes' rule of exact_posterior, with the grid's points for states: prior times likelihood, normalized over the grid.",
        "The log of the prior is -z^2 / 2 up to a constant, and the softmax takes constants away.",
        "weights = torch.softmax(log_likelihood - grid[:, None] ** 2 / 2, dim=0), then the weighted sum of the grid.",
    ),
    mistakes=(
        Mistake(
            "Without the prior",
            _centre,
            "The likelihood alone says nothing of which z are likely to begin with: add -z^2 / 2 in the log.",
        ),
        Mistake(
            "Missing 1/2 in the prior",
            lambda log_likelihood, grid: _centre(log_likelihood - grid[:, None].square(), grid),
            "log N(z; 0, 1) is -z^2 / 2 and a constant. Without the half the prior has variance 1/2.",
        ),
        Mistake(
            "Prior added as a density, not as a log",
            lambda log_likelihood, grid: _centre(log_likelihood + (-grid[:, None].square() / 2).exp(), grid),
            "Probabilities multiply, so logs add: the log of the prior is needed, -z^2 / 2.",
        ),
        Mistake(
            "Normalized over sentences",
            lambda log_likelihood, grid: _centre(log_likelihood - grid[:, None].square() / 2, grid, dim=1),
            "Each *sentence* has a posterior over z, so the weights of one column sum to 1: dim=0.",
        ),
        Mistake(
            "The mode in place of the mean",
            lambda log_likelihood, grid: grid[(log_likelihood - grid[:, None].square() / 2).argmax(0)],
            "The densest point of the grid is not the mean: weigh all points.",
        ),
        Mistake(
            "The prior alone",
            lambda log_likelihood, grid: _centre(0 * log_likelihood - grid[:, None].square() / 2, grid),
            "Its mean is 0 for every sentence: what a collapsed posterior looks like. Add log_likelihood.",
        ),
        Mistake(
            "Underflow: 0 / 0 became nan",
            lambda log_likelihood, grid: (
                ((log_likelihood - grid[:, None].square() / 2).exp() * grid[:, None]).sum(0)
                / (log_likelihood - grid[:, None].square() / 2).exp().sum(0)
            ),
            "Right on paper, but exp(-1000) is 0 to a computer. torch.softmax takes the largest out first.",
        ),
    ),
)

EXERCISES = (MUTUAL_INFORMATION, ACTIVE_UNITS, ABLATION, NET_EARNINGS, POSTERIOR_MEAN)
