"""Right answers to lesson 09 in another style than ours: what a reader may well write."""

import math

import torch


def cyclical_weight(step, period, cycles):
    cycle = torch.floor(step / period)
    weight = torch.minimum((step - cycle * period) / (period / 2), torch.ones_like(step))
    weight[cycle >= cycles] = 1
    return weight


def free_bits(rates, floor):
    per_coordinate = rates.sum(0) / rates.shape[0]
    return torch.where(per_coordinate > floor, per_coordinate, floor).sum()


def normalized_means(means, gamma):
    return gamma * torch.nn.functional.batch_norm(means, None, None, training=True, eps=1e-12)


def two_bounds(log_q):
    count = log_q.shape[0]
    lower, upper = [], []
    for i in range(count):
        own, others = log_q[i, i], torch.cat([log_q[i, :i], log_q[i, i + 1 :]])
        lower.append(own - torch.logsumexp(log_q[i], dim=0) + torch.log(torch.tensor(float(count))))
        upper.append(own - torch.logsumexp(others, dim=0) + torch.log(torch.tensor(float(count - 1))))
    return torch.stack([torch.stack(lower).mean(), torch.stack(upper).mean()])


def capacity_loss(distortion, rate, capacity, strength):
    gap = rate.sum() / rate.shape[0] - capacity
    penalty = torch.maximum(gap, -gap)
    return (distortion + strength * penalty).mean()


def paired_difference(nll, other):
    differences = nll - other
    count = differences.shape[0]
    mean = differences.sum() / count
    variance = ((differences - mean) ** 2).sum() / (count - 1)
    return torch.cat([mean.reshape(1), torch.sqrt(variance / count).reshape(1)])


def better_buys(more, error_of_more, dearer, error_of_dearer, margin):
    answers = []
    for k in range(len(more)):
        tells_more = more[k] - 2 * error_of_more[k] > 0
        affordable = dearer[k] + 2 * error_of_dearer[k] <= margin
        answers.append(bool(tells_more) and bool(affordable))
    return torch.tensor(answers, device=more.device)


def squared_mmd(within_z, within_y, between):
    n = within_z.shape[0]
    different = ~torch.eye(n, dtype=torch.bool, device=within_z.device)
    return within_z[different].mean() + within_y[different].mean() - 2 * between.mean()


def _weights_in_a_loop(step, period, cycles):
    weights = []
    for number in step.tolist():
        if number >= period * cycles:
            weights.append(1.0)
        else:
            weights.append(min(1.0, 2 * (number % float(period)) / float(period)))
    return torch.tensor(weights, device=step.device)


def _free_bits_in_a_loop(rates, floor):
    total = 0.0
    for coordinate in range(rates.shape[1]):
        rate = rates[:, coordinate].mean()
        total = total + (rate if rate > floor else floor)
    return total


def _mmd_by_halves(within_z, within_y, between):
    n = len(between)
    x = torch.triu(within_z, diagonal=1).sum() / (n * (n - 1) / 2)
    y = torch.triu(within_y, diagonal=1).sum() / (n * (n - 1) / 2)
    return x + y - 2 * between.sum() / n**2


def _two_bounds_by_log_softmax(log_q):
    n = len(log_q)
    share = torch.log_softmax(log_q, dim=1).diagonal()  # of the own posterior, among all
    odds = share - torch.log1p(-share.exp())  # against all others
    return torch.stack([share.mean() + math.log(n), odds.mean() + math.log(n - 1)])


MORE = {
    "cyclical_weight": [
        _weights_in_a_loop,
        lambda step, period, cycles: torch.clamp(torch.fmod(step, period) / period * 2, 0, 1).masked_fill(
            step >= period * cycles, 1.0
        ),
        lambda step, period, cycles: torch.where(step < cycles * period, (2 * (step / period).frac()).clamp(max=1), 1.0),
        lambda step, period, cycles: torch.where(
            (step % period < period / 2) & (step < period * cycles), step % period / (0.5 * period), torch.ones_like(step)
        ),
    ],
    "free_bits": [
        _free_bits_in_a_loop,
        lambda rates, floor: torch.clamp(rates.mean(dim=0), min=floor).sum(),
        lambda rates, floor: (torch.relu(rates.mean(0) - floor) + floor).sum(),
        lambda rates, floor: torch.max(rates.mean(0, keepdim=True), floor.expand(1, rates.shape[1])).sum(-1).squeeze(),
    ],
    "normalized_means": [
        lambda means, gamma: gamma * torch.nn.functional.batch_norm(means, None, None, training=True),
        lambda means, gamma: (means - means.mean(0)) / means.std(0, correction=0) * gamma,
        lambda means, gamma: gamma * (means - means.mean(dim=0, keepdim=True)) / (means.var(0, unbiased=False) + 1e-8).sqrt(),
        lambda means, gamma: torch.stack(
            [gamma * (m - m.mean()) / ((m - m.mean()) ** 2).mean() ** 0.5 for m in means.unbind(1)], dim=1
        ),
        lambda means, gamma: gamma * (means - means.mean(0)) / (means.square().mean(0) - means.mean(0).square()).sqrt(),
    ],
    "two_bounds": [
        lambda log_q: torch.stack(
            [
                log_q.diagonal().mean() - torch.logsumexp(log_q - math.log(len(log_q)), 1).mean(),
                log_q.diagonal().mean()
                - torch.logsumexp(
                    log_q.masked_fill(torch.eye(len(log_q), device=log_q.device) > 0, -torch.inf) - math.log(len(log_q) - 1), 1
                ).mean(),
            ]
        ),
        _two_bounds_by_log_softmax,
    ],
    "capacity_loss": [
        lambda distortion, rate, capacity, strength: distortion.mean() + strength * abs(rate.mean() - capacity),
        lambda distortion, rate, capacity, strength: (
            distortion.mean() + strength * torch.max(rate.mean() - capacity, capacity - rate.mean())
        ),
    ],
    "paired_difference": [
        lambda nll, other: torch.stack(((nll - other).mean(), (nll - other).std() / len(nll) ** 0.5)),
        lambda nll, other: torch.stack([nll.mean() - other.mean(), ((nll - other).var() / nll.numel()).sqrt()]),
    ],
    "better_buys": [
        lambda more, error_of_more, dearer, error_of_dearer, margin: torch.logical_and(
            more / error_of_more > 2, (margin - dearer) / error_of_dearer >= 2
        ),
        lambda more, error_of_more, dearer, error_of_dearer, margin: (
            (more > 2 * error_of_more) * ~(dearer > margin - 2 * error_of_dearer)
        ),
    ],
    "squared_mmd": [
        _mmd_by_halves,
        lambda within_z, within_y, between: (
            sum((k.sum() - k.diagonal().sum()) / (len(k) * (len(k) - 1)) for k in (within_z, within_y)) - 2 * between.mean()
        ),
        lambda within_z, within_y, between: (
            (within_z + within_y).fill_diagonal_(0).sum() / (len(between) ** 2 - len(between)) - between.mean() * 2
        ),
        lambda within_z, within_y, between: (
            (
                (within_z + within_y) * (1 - torch.eye(len(between), device=between.device)) / (len(between) - 1)
                - 2 * between / len(between)
            ).sum()
            / len(between)
        ),
    ],
}
