"""Exercises of lesson 09: a cyclical schedule, free bits, normalized means, a loss put together, the squared MMD."""

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake


def _tensors(*rows: object) -> Arguments:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


# --- a cyclical schedule --------------------------------------------------------------------------------------------


def cyclical_weight(step: Tensor, period: Tensor, cycles: Tensor) -> Tensor:
    within = (step % period) / period
    rising = torch.clamp(2 * within, max=1.0)
    return torch.where(step >= period * cycles, torch.ones_like(rising), rising)


def _steps() -> list[Arguments]:
    return [
        _tensors([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4.0, 1.0),
        _tensors([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 79.0, 80.0, 90.0, 130.0], 40.0, 2.0),
        _tensors([25.0, 105.0, 250.0, 275.0, 299.0, 300.0, 330.0, 10_000.0], 100.0, 3.0),
    ]


CYCLICAL_WEIGHT = Exercise(
    task="The KL weight at each step: `cycles` times up from 0 to 1 over the first half of `period` steps, then 1 for good.",
    reference=cyclical_weight,
    cases=_steps,
    hints=(
        "Where in its period is a step? step % period is the remainder, from 0 to period - 1.",
        "The ramp is done after half a period: divide by period / 2, and let nothing exceed 1 (torch.clamp with max=1).",
        "From step period * cycles on the weight is 1: torch.where(step >= period * cycles, torch.ones_like(w), w).",
    ),
    mistakes=(
        Mistake(
            "It starts again for ever",
            lambda step, period, cycles: torch.clamp(2 * (step % period) / period, max=1.0),
            "After the last cycle the weight has to stay at 1. Else training may end with a loss that is not the ELBO.",
        ),
        Mistake(
            "It never starts again",
            lambda step, period, cycles: torch.clamp(2 * step / period, max=1.0),
            "This is plain annealing. Take the step within its period, step % period.",
        ),
        Mistake(
            "The ramp takes the whole period",
            lambda step, period, cycles: torch.where(step >= period * cycles, torch.ones_like(step), (step % period) / period),
            "It falls back to 0 before it was ever 1. The ramp takes half a period, the other half is the ELBO itself.",
        ),
        Mistake(
            "It exceeds 1",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), 2 * (step % period) / period
            ),
            "Half-way through the period the ramp is done: clamp the weight at 1.",
        ),
        Mistake(
            "A period of half the length",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (step % (period / 2)) / (period / 2)
            ),
            "Here the weight starts again after half a period. It should stay at 1 for the second half.",
        ),
        Mistake(
            "It ends at 0",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.zeros_like(step), torch.clamp(2 * (step % period) / period, max=1.0)
            ),
            "After the last cycle the weight is 1. With 0 the model ends as an autoencoder.",
        ),
        Mistake(
            "Upside down",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), 1 - torch.clamp(2 * (step % period) / period, max=1.0)
            ),
            "The weight *rises* in each cycle: z is free at first and gets dearer.",
        ),
    ),
)

# --- free bits ------------------------------------------------------------------------------------------------------


def free_bits(rates: Tensor, floor: Tensor) -> Tensor:
    return rates.mean(0).clamp_min(floor).sum()


def _rates() -> list[Arguments]:
    return [
        _tensors([[0.1, 0.9], [0.5, 0.1]], 0.4),
        _tensors([[0.05, 1.2, 0.3], [0.15, 0.0, 0.7], [0.25, 2.0, 0.2], [0.35, 0.1, 0.1]], 0.25),
        _tensors([[2.0, 3.0], [1.0, 4.0]], 0.5),
        _tensors([[0.01, 0.02], [0.03, 0.0]], 0.5),
    ]


FREE_BITS = Exercise(
    task="Free bits, in nats: each coordinate of rates (batch, latent) costs its mean over the batch, but at least floor.",
    reference=free_bits,
    cases=_rates,
    gradients=("rates",),
    hints=(
        "Three operations: a mean over the batch, a floor, a sum over the coordinates. Their order matters.",
        "The batch is dimension 0. What is floored is one number a coordinate.",
        "clamp_min(floor) is the larger of a value and the floor, and its gradient is 0 below.",
    ),
    mistakes=(
        Mistake(
            "Floor after the sum over coordinates",
            lambda rates, floor: rates.mean(0).sum().clamp_min(floor),
            "Then one loud coordinate pays for all, and the others may stay silent. Floor each coordinate, then sum.",
        ),
        Mistake(
            "One floor for the total, as large as all floors together",
            lambda rates, floor: rates.mean(0).sum().clamp_min(floor * rates.shape[1]),
            "That is free bits in total, another cure: it does not care how the rate is spread. Floor before you sum.",
        ),
        Mistake(
            "Floor for each sentence",
            lambda rates, floor: rates.clamp_min(floor).sum(-1).mean(),
            "A coordinate may say nothing about one sentence and much about another. Take the mean over the batch first.",
        ),
        Mistake(
            "A ceiling in place of a floor",
            lambda rates, floor: rates.mean(0).clamp_max(floor).sum(),
            "This stops charging *above* the floor, so a large rate is free. Use clamp_min, or torch.maximum.",
        ),
        Mistake(
            "Only the excess counted",
            lambda rates, floor: (rates.mean(0) - floor).clamp_min(0).sum(),
            "The gradients are right, but the loss is too low by the floors, and no longer a bound. Floor, do not subtract.",
        ),
        Mistake(
            "Mean over coordinates",
            lambda rates, floor: rates.mean(0).clamp_min(floor).mean(),
            "Nats of independent coordinates add up. A mean weakens the rate against the distortion.",
        ),
        Mistake(
            "Sum over the batch",
            lambda rates, floor: rates.sum(0).clamp_min(floor).sum(),
            "The floor is in nats a sentence: take the mean over the batch, not the sum.",
        ),
        Mistake(
            "Coordinates and sentences exchanged",
            lambda rates, floor: rates.mean(1).clamp_min(floor).sum(),
            "Dimension 0 is the batch, dimension 1 the coordinates.",
        ),
        Mistake(
            "No floor",
            lambda rates, floor: rates.mean(0).sum() + 0 * floor,
            "This is the rate itself, the ELBO's own penalty. Where is the floor?",
        ),
    ),
)

# --- normalized means -----------------------------------------------------------------------------------------------


def normalized_means(means: Tensor, gamma: Tensor) -> Tensor:
    centred = means - means.mean(0)
    return gamma * centred / centred.square().mean(0).sqrt()


def _means() -> list[Arguments]:
    return [
        _tensors([[1.0, -2.0], [4.0, 0.0]], 0.5),
        _tensors([[1.0, -2.0], [2.0, 0.0], [4.0, 5.0]], 0.6),
        _tensors([[0.1, 10.0, -3.0], [0.3, 14.0, -7.0], [-0.2, 9.0, 2.0], [0.5, 3.0, 1.5]], 2.0),
    ]


NORMALIZED_MEANS = Exercise(
    task="Posterior means (batch, latent), shifted and scaled to mean 0 and standard deviation gamma in each coordinate.",
    reference=normalized_means,
    cases=_means,
    gradients=("means",),
    relative_tolerance=1e-4,  # an eps of 1e-5 under the root, as in torch's layer, is no mistake
    hints=(
        "Subtract each coordinate's mean over the batch: means.mean(0).",
        "Divide by each coordinate's standard deviation over the batch, the root of the mean squared deviation.",
        "torch's std divides by n - 1 unless told otherwise: std(0, correction=0). Multiply by gamma at the end.",
    ),
    mistakes=(
        Mistake(
            "Divided by the variance",
            lambda means, gamma: gamma * (means - means.mean(0)) / means.var(0, correction=0),
            "The variance has the square of the unit. Divide by its root, the standard deviation.",
        ),
        Mistake(
            "gamma on the wrong side",
            lambda means, gamma: (means - means.mean(0)) / (gamma * means.std(0, correction=0)),
            "Normalize first, then multiply by gamma. Dividing by it makes a small gamma ask for a *large* rate.",
        ),
        Mistake(
            "gamma lost in the normalization",
            lambda means, gamma: (gamma * means - gamma * means.mean(0)) / (gamma * means.std(0, correction=0)),
            "A scale before the normalization is normalized away. Multiply by gamma afterwards.",
        ),
        Mistake(
            "gamma read as a variance",
            lambda means, gamma: gamma.sqrt() * (means - means.mean(0)) / means.std(0, correction=0),
            "gamma is the standard deviation that the means get, not its square.",
        ),
        Mistake(
            "Normalized each sentence over its coordinates",
            lambda means, gamma: gamma * (means - means.mean(1, keepdim=True)) / means.std(1, correction=0, keepdim=True),
            "That is layer normalization. It lets a coordinate be the same for all sentences. Normalize over the batch.",
        ),
        Mistake(
            "Not centred",
            lambda means, gamma: gamma * means / means.std(0, correction=0),
            "Subtract each coordinate's mean over the batch first. (The layer of the package adds a learned shift again.)",
        ),
        Mistake(
            "Divided by n - 1",
            lambda means, gamma: gamma * (means - means.mean(0)) / means.std(0),
            "Batch normalization divides by n: use std(0, correction=0), or the root of the mean square.",
        ),
        Mistake(
            "One standard deviation for all coordinates",
            lambda means, gamma: gamma * (means - means.mean(0)) / (means - means.mean(0)).square().mean().sqrt(),
            "Then one coordinate may keep all the variance and the others collapse. Each gets its own: mean(0).",
        ),
        Mistake(
            "Constants that carry no gradient",
            lambda means, gamma: gamma * (means - means.mean(0).detach()) / means.std(0, correction=0).detach(),
            "The batch's mean and deviation depend on the encoder as well: no .detach() here.",
        ),
    ),
)

# --- a loss put together --------------------------------------------------------------------------------------------


def cured_loss(distortion: Tensor, rate: Tensor, kl_weight: Tensor, floor: Tensor) -> Tensor:
    return distortion.mean() + kl_weight * rate.mean().clamp_min(floor)


def _bills() -> list[Arguments]:
    return [
        _tensors([10.0, 12.0], [1.0, 4.0], 0.5, 3.0),
        _tensors([10.0, 12.0], [6.0, 9.0], 0.5, 3.0),
        _tensors([14.0, 9.5, 11.0], [2.0, 8.0, 3.0], 0.3, 4.0),
        _tensors([14.0, 9.5, 11.0], [9.0, 8.0, 16.0], 1.0, 8.0),
    ]


CURED_LOSS = Exercise(
    task="The loss of annealing with free bits in total: distortion and rate (batch,), a KL weight, and a floor in nats.",
    reference=cured_loss,
    cases=_bills,
    gradients=("distortion", "rate"),
    hints=(
        "Mean distortion plus weight times penalty. The penalty is the batch's mean rate, but at least the floor.",
        "The floor is in nats of rate, so it belongs to the rate before it is weighted.",
        "distortion.mean() + kl_weight * rate.mean().clamp_min(floor)",
    ),
    mistakes=(
        Mistake(
            "The weight on the distortion",
            lambda distortion, rate, kl_weight, floor: kl_weight * distortion.mean() + rate.mean().clamp_min(floor),
            "A small weight is to make z cheap. On the distortion it makes words cheap, and z useless.",
        ),
        Mistake(
            "The weight on both terms",
            lambda distortion, rate, kl_weight, floor: kl_weight * (distortion.mean() + rate.mean().clamp_min(floor)),
            "That only scales the learning rate. The weight belongs to the rate's penalty alone.",
        ),
        Mistake(
            "Weighted before the floor",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + (kl_weight * rate.mean()).clamp_min(floor),
            "While the weight is small, the weighted rate stays below the floor and costs nothing. Floor first, then weigh.",
        ),
        Mistake(
            "A floor for each sentence",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + kl_weight * rate.clamp_min(floor).mean(),
            "Short sentences may need less than long ones. Floor the batch's mean, not each sentence.",
        ),
        Mistake(
            "Only the excess counted",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + kl_weight * (rate.mean() - floor).clamp_min(0),
            "The gradients are right, but the loss is too low by the floor: it is no bound any more. Floor, do not subtract.",
        ),
        Mistake(
            "Pulled to the floor from both sides",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + kl_weight * (rate.mean() - floor).abs(),
            "This forces the rate to a chosen value, which is another cure (Burgess 2018). A floor leaves it free above.",
        ),
        Mistake(
            "A ceiling in place of a floor",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + kl_weight * rate.mean().clamp_max(floor),
            "Above the floor the rate has to be paid in full: clamp_min.",
        ),
        Mistake(
            "The rate subtracted",
            lambda distortion, rate, kl_weight, floor: distortion.mean() - kl_weight * rate.mean().clamp_min(floor),
            "A loss is minimized: subtracting the rate rewards an ever larger one.",
        ),
        Mistake(
            "No floor",
            lambda distortion, rate, kl_weight, floor: distortion.mean() + kl_weight * rate.mean() + 0 * floor,
            "This is annealing alone. The penalty is at least the floor.",
        ),
    ),
)

# --- the squared MMD ------------------------------------------------------------------------------------------------


def squared_mmd(within_x: Tensor, within_y: Tensor, between: Tensor) -> Tensor:
    n = len(between)
    off_diagonal = within_x.sum() - within_x.trace() + within_y.sum() - within_y.trace()
    return off_diagonal / (n * (n - 1)) - 2 * between.mean()


def _kernels() -> list[Arguments]:
    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return 2 / (2 + (a[:, None] - b).square().sum(-1))

    def of(x: list[list[float]], y: list[list[float]]) -> Arguments:
        x_, y_ = _tensors(x, y)
        return kernel(x_, x_), kernel(y_, y_), kernel(x_, y_)

    return [
        of([[0.0], [1.0]], [[2.0], [5.0]]),
        of([[0.0], [1.0], [3.0]], [[0.5], [-1.0], [2.0]]),
        of([[0.3, 1.0], [0.8, -2.0], [1.7, 0.1], [-1.0, 0.4]], [[2.3, 1.1], [0.1, 0.2], [3.0, -0.5], [0.9, 4.0]]),
    ]


SQUARED_MMD = Exercise(
    task="The unbiased squared MMD of n draws x and n draws y, from the kernels k(x, x), k(y, y) and k(x, y), all (n, n).",
    reference=squared_mmd,
    cases=_kernels,
    hints=(
        "Likeness within x, plus likeness within y, minus twice the likeness between the two; each is a mean over pairs.",
        "Within a set the pairs are of two *different* draws: leave out the diagonal, and n (n - 1) pairs remain.",
        "(within_x.sum() - within_x.trace()) / (n * (n - 1)); between has n * n pairs, none to leave out.",
    ),
    mistakes=(
        Mistake(
            "The diagonal counted",
            lambda within_x, within_y, between: within_x.mean() + within_y.mean() - 2 * between.mean(),
            "Each draw is exactly like itself, and that says nothing about the distribution. With the diagonal the estimate "
            "is above 0 even for equal distributions, the more so the smaller the batch.",
        ),
        Mistake(
            "The diagonal left out of the sum but not of the number of pairs",
            lambda within_x, within_y, between: (
                (within_x.sum() - within_x.trace() + within_y.sum() - within_y.trace()) / len(between) ** 2 - 2 * between.mean()
            ),
            "Without the diagonal n (n - 1) pairs remain, not n * n.",
        ),
        Mistake(
            "The diagonal left out between the sets too",
            lambda within_x, within_y, between: (
                (within_x.sum() - within_x.trace() + within_y.sum() - within_y.trace() - 2 * (between.sum() - between.trace()))
                / (len(between) * (len(between) - 1))
            ),
            "x number i and y number i are two different draws: between the sets every pair counts.",
        ),
        Mistake(
            "The likeness between the sets counted once",
            lambda within_x, within_y, between: squared_mmd(within_x, within_y, between) + between.mean(),
            "The square of a difference has 2 times the mixed term.",
        ),
        Mistake(
            "Added in place of subtracted",
            lambda within_x, within_y, between: squared_mmd(within_x, within_y, between) + 4 * between.mean(),
            "Likeness *between* the sets makes the distance smaller.",
        ),
        Mistake(
            "Within x only",
            lambda within_x, within_y, between: (
                (within_x.sum() - within_x.trace()) / (len(between) * (len(between) - 1)) - 2 * between.mean()
            ),
            "Likeness within y belongs to it as well; without it equal distributions do not get 0.",
        ),
        Mistake(
            "The root taken",
            lambda within_x, within_y, between: squared_mmd(within_x, within_y, between).clamp_min(0).sqrt(),
            "The *squared* MMD was asked for. It may be a little below 0, and that is right: only so is it unbiased.",
        ),
    ),
)

EXERCISES = (CYCLICAL_WEIGHT, FREE_BITS, NORMALIZED_MEANS, CURED_LOSS, SQUARED_MMD)
