"""Exercises of lesson 09: the lines by which cures of collapse differ, and a verdict with standard errors."""

import math

import torch
from torch import Generator, Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, flags, numbers, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- a cyclical schedule --------------------------------------------------------------------------------------------


def cyclical_weight(step: Tensor, period: Tensor, cycles: Tensor) -> Tensor:
    within = (step % period) / period
    rising = torch.clamp(2 * within, max=1.0)
    return torch.where(step >= period * cycles, torch.ones_like(rising), rising)


def _steps() -> list[Arguments]:
    return [
        doubles([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4.0, 1.0),
        doubles([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 79.0, 80.0, 90.0, 130.0], 40.0, 2.0),
        doubles([25.0, 105.0, 250.0, 275.0, 299.0, 300.0, 330.0, 10_000.0], 100.0, 3.0),
        doubles([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0], 5.0, 2.0),  # an odd period
    ]


def _drawn_steps(generator: Generator) -> Arguments:
    period, cycles = size(generator, 3, 12), size(generator, 1, 4)
    last = period * cycles + size(generator, 0, 2 * period)
    step = torch.arange(last + 1, dtype=torch.float64)
    return step[int(whole(generator, high=2)) :], *doubles(float(period), float(cycles))


def _steps_of_a_lesson(generator: Generator) -> Arguments:
    period, cycles = size(generator, 60, 110), size(generator, 2, 4)
    return torch.arange(450.0), torch.tensor(float(period)), torch.tensor(float(cycles))


CYCLICAL_WEIGHT = Exercise(
    task="The KL weight at each step: `cycles` times up from 0 to 1 over the first half of `period` steps, then 1 for good.",
    reference=cyclical_weight,
    cases=_steps,
    generate=_drawn_steps,
    lesson=_steps_of_a_lesson,
    hints=(
        "Where in its period is a step? step % period is the remainder, from 0 to period - 1.",
        "The ramp is done after half a period: divide by period / 2, and let nothing exceed 1 (torch.clamp with max=1).",
        "From step period * cycles on the weight is 1: torch.where(step >= period * cycles, torch.ones_like(w), w).",
    ),
    mistakes=(
        Mistake(
            "It starts again for ever",
            lambda step, period, cycles: cyclical_weight(step % period, period, cycles),
            "After the last cycle the weight has to stay at 1. Else training may end with a loss that is not the ELBO.",
        ),
        Mistake(
            "The period worked out from how many steps are given",
            lambda step, period, cycles: cyclical_weight(step, len(step) / cycles, cycles),
            "A cycle takes `period` steps, however many numbers step holds. After the last cycle there may be more of them.",
        ),
        Mistake(
            "It never starts again",
            lambda step, period, cycles: cyclical_weight(step.minimum(period / 2), period, cycles),
            "This is plain annealing. Take the step within its period, step % period.",
        ),
        Mistake(
            "One slow ramp over all cycles",
            lambda step, period, cycles: torch.clamp(2 * step / (period * cycles), max=1.0),
            "The weight has to rise once in *each* period. Take the step within its period, step % period.",
        ),
        Mistake(
            "The ramp takes the whole period",
            lambda step, period, cycles: cyclical_weight(
                torch.where(step < period * cycles, step % period / 2, step), period, cycles
            ),
            "It falls back to 0 before it was ever 1. The ramp takes half a period, the other half is the ELBO itself.",
        ),
        Mistake(
            "The ramp takes two periods",
            lambda step, period, cycles: cyclical_weight(
                torch.where(step < period * cycles, step % period / 4, step), period, cycles
            ),
            "The ramp takes half a period: divide by period / 2, which is the same as multiplying by 2 / period.",
        ),
        Mistake(
            "The period taken to be one step shorter",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (2 * (step % period) / (period - 1)).clamp_max(1)
            ),
            "A period has `period` steps, and half of it are period / 2: divide by that.",
        ),
        Mistake(
            "It never rises above 1/2",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), cyclical_weight(step, period, cycles) / 2
            ),
            "The weight has to reach 1 in the middle of each period: it rises by 2 / period a step.",
        ),
        Mistake(
            "It jumps from 1/2 to 1",
            lambda step, period, cycles: torch.where(
                (step < period * cycles) & (step % period < period / 2), step % period / period, torch.ones_like(step)
            ),
            "The ramp has to be at 1 when the first half of the period ends, so it rises by 2 / period a step.",
        ),
        Mistake(
            "It exceeds 1",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), 2 * (step % period) / period
            ),
            "Half-way through the period the ramp is done: clamp the weight at 1.",
        ),
        Mistake(
            "Clamped from below",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (2 * (step % period) / period).clamp_min(1)
            ),
            "1 is the largest weight, not the smallest: torch.clamp with max=1.",
        ),
        Mistake(
            "A period of half the length",
            lambda step, period, cycles: cyclical_weight(
                torch.where(step < period * cycles, step % (period / 2), step), period, cycles
            ),
            "Here the weight starts again after half a period. It should stay at 1 for the second half.",
        ),
        Mistake(
            "Up and down again",
            lambda step, period, cycles: cyclical_weight(
                torch.where(step < period * cycles, torch.minimum(step % period, period - step % period), step), period, cycles
            ),
            "In the second half of the period the weight stays at 1; it does not fall.",
        ),
        Mistake(
            "0 in the second half",
            lambda step, period, cycles: torch.where(
                (step < period * cycles) & (step % period >= period / 2),
                torch.zeros_like(step),
                cyclical_weight(step, period, cycles),
            ),
            "In the second half of the period the weight is 1, the ELBO itself.",
        ),
        Mistake(
            "0 after the middle of the period",
            lambda step, period, cycles: torch.where(
                (step < period * cycles) & (step % period > period / 2),
                torch.zeros_like(step),
                cyclical_weight(step, period, cycles),
            ),
            "In the second half of the period the weight is 1, the ELBO itself.",
        ),
        Mistake(
            "A jump in place of a ramp",
            lambda step, period, cycles: torch.where(
                (step < period * cycles) & (step % period < period / 2), torch.zeros_like(step), torch.ones_like(step)
            ),
            "In the first half of a period the weight rises little by little, from 0 to 1.",
        ),
        Mistake(
            "The branches exchanged",
            lambda step, period, cycles: torch.where(
                step < period * cycles, torch.ones_like(step), cyclical_weight(step % period, period, cycles)
            ),
            "The ramps belong before step period * cycles, and the 1 after it: torch.where(condition, if so, if not).",
        ),
        Mistake(
            "The values of step not used",
            lambda step, period, cycles: cyclical_weight(torch.arange(len(step)).to(step), period, cycles),
            "step holds the numbers of the steps, which need not be 0, 1, 2, ...: use them.",
        ),
        Mistake(
            "A curve in place of a straight ramp",
            lambda step, period, cycles: (1 - (math.pi * cyclical_weight(step, period, cycles)).cos()) / 2,
            "A cosine is a fine schedule too; here a linear one is asked.",
        ),
        Mistake(
            "Steps counted from 1",
            lambda step, period, cycles: cyclical_weight(step + 1, period, cycles),
            "The first step is number 0, with weight 0; everything comes one step early.",
        ),
        Mistake(
            "Steps counted from 1 in the remainder",
            lambda step, period, cycles: cyclical_weight(
                torch.where(step < period * cycles, (step + 1) % period, step), period, cycles
            ),
            "The first step is number 0, with weight 0: step % period. So the last step of a period still has weight 1.",
        ),
        Mistake(
            "Steps of a period counted from 1",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (2 * (step % period + 1) / period).clamp_max(1)
            ),
            "The first step of a period is number 0, with weight 0: step % period, with nothing added.",
        ),
        Mistake(
            "At 1 one step before half the period",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (step % period / (period / 2 - 1)).clamp(0, 1)
            ),
            "The weight is 1 from step period / 2 of a period on, so it rises by 2 / period a step, no faster.",
        ),
        Mistake(
            "At 1 one step before half the period, with half of it rounded",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (step % period / (period // 2 - 1)).clamp(0, 1)
            ),
            "The weight is 1 from step period / 2 of a period on, so it rises by 2 / period a step, no faster.",
        ),
        Mistake(
            "Half a period rounded down",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (step % period / (period // 2)).clamp_max(1)
            ),
            "A period of 5 has a first half of 2.5 steps: divide with /, not with //.",
        ),
        Mistake(
            "The number of the cycle in place of the step in it",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (2 * (step // period) / period).clamp_max(1)
            ),
            "step // period says which cycle it is. Where in the cycle a step lies is the remainder, step % period.",
        ),
        Mistake(
            "Not divided by the period",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), (2 * (step % period)).clamp_max(1)
            ),
            "step % period counts steps. The share of the period that is over is this divided by the period.",
        ),
        Mistake(
            "One more start after the last cycle",
            lambda step, period, cycles: torch.where(
                step == period * cycles, torch.zeros_like(step), cyclical_weight(step, period, cycles)
            ),
            "Steps count from 0, so step period * cycles comes after the last cycle already: >= in place of >.",
        ),
        Mistake(
            "One cycle too many",
            lambda step, period, cycles: cyclical_weight(step, period, cycles + 1),
            "The weight rises `cycles` times, and is 1 from step period * cycles on.",
        ),
        Mistake(
            "One cycle too few",
            lambda step, period, cycles: cyclical_weight(step, period, cycles - 1),
            "The weight rises `cycles` times, and is 1 from step period * cycles on.",
        ),
        Mistake(
            "Over after `cycles` steps",
            lambda step, period, cycles: cyclical_weight(step, period, cycles / period),
            "cycles counts periods, not steps: the last one ends at step period * cycles.",
        ),
        Mistake(
            "The period taken for the whole schedule",
            lambda step, period, cycles: cyclical_weight(step, period / cycles, cycles),
            "Each of the cycles takes `period` steps; together they take period * cycles.",
        ),
        Mistake(
            "It ends at 0",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.zeros_like(step), cyclical_weight(step, period, cycles)
            ),
            "After the last cycle the weight is 1. With 0 the model ends as an autoencoder.",
        ),
        Mistake(
            "Upside down",
            lambda step, period, cycles: torch.where(
                step >= period * cycles, torch.ones_like(step), 1 - cyclical_weight(step, period, cycles)
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
        doubles([[0.1, 0.9], [0.5, 0.1]], 0.4),
        doubles([[0.05, 1.2, 0.3], [0.15, 0.0, 0.7], [0.24, 2.0, 0.2], [0.35, 0.1, 0.1]], 0.25),
        doubles([[2.0, 3.0], [1.0, 4.0]], 0.5),
        doubles([[0.01, 0.02], [0.03, 0.0]], 0.5),
        doubles([[0.3, 0.05, 1.5]], 0.2),
        doubles([[0.1, 0.0, 0.05], [1.0, 0.3, 0.5]], 0.4),
        doubles([[0.3, 0.05, 1.5], [0.1, 0.2, 0.02]], 0.0),  # no rate at the floor: there gradients are a matter of taste
    ]


def _drawn_rates(generator: Generator) -> Arguments:
    batch, latent = sizes(generator, 2, 2, 6)
    rates = numbers(generator, batch, latent, low=0, high=2) * flags(generator, batch, latent, share=0.6)
    loudness = torch.tensor([0.1, 0.5, 1.0, 1.5], dtype=torch.float64)[whole(generator, latent, high=3)]
    return rates * loudness, numbers(generator, low=0.2, high=0.9) + 0.00137  # never met exactly: a kink has no gradient


def _rates_of_a_lesson(generator: Generator) -> Arguments:
    return torch.rand(32, 16, generator=generator) * torch.rand(16, generator=generator), torch.tensor(0.25)


FREE_BITS = Exercise(
    task="Free bits, in nats: each coordinate of rates (batch, latent) costs its mean over the batch, but at least floor.",
    reference=free_bits,
    cases=_rates,
    generate=_drawn_rates,
    lesson=_rates_of_a_lesson,
    gradients=("rates",),
    hints=(
        "Three operations: a mean over the batch, a floor, a sum over the coordinates. Their order matters.",
        "The batch is dimension 0. What is floored is one number a coordinate.",
        "rates.mean(0).clamp_min(floor) is the larger of each mean and the floor. What is left is the sum.",
    ),
    mistakes=(
        Mistake(
            "Floor after the sum over coordinates",
            lambda rates, floor: free_bits(rates.sum(1, keepdim=True), floor),
            "Then one loud coordinate pays for all, and the others may stay silent. Floor each coordinate, then sum.",
        ),
        Mistake(
            "One floor for the total, as large as all floors together",
            lambda rates, floor: free_bits(rates.sum(1, keepdim=True), floor * rates.shape[1]),
            "That is free bits in total, another cure: it does not care how the rate is spread. Floor before you sum.",
        ),
        Mistake(
            "Floor for each sentence",
            lambda rates, floor: free_bits(rates.clamp_min(floor), floor),
            "This is the order in the code of Li et al. (2019): a floor under each coordinate of each sentence. Here that of "
            "Kingma et al. (2016) is asked, whose floor is under the mean over the batch. Take the mean first.",
        ),
        Mistake(
            "Floor for each sentence, one value each",
            lambda rates, floor: rates.clamp_min(floor).sum(1),
            "First the mean over the batch, one number a coordinate; then the floor; then the sum over coordinates.",
        ),
        Mistake(
            "Only the excess of each sentence counted",
            lambda rates, floor: (rates - floor).clamp_min(0).sum(1).mean(),
            "Below the floor the *floor* is charged, not 0. And it lies under the mean over the batch, not under each rate.",
        ),
        Mistake(
            "Floors for the total of each sentence",
            lambda rates, floor: free_bits(rates.sum(1, keepdim=True).clamp_min(floor * rates.shape[1]), floor),
            "A floor for each *coordinate* was asked, under its mean over the batch. The sum comes last.",
        ),
        Mistake(
            "Floor for each sentence, and averaged over everything",
            lambda rates, floor: rates.clamp_min(floor).mean(),
            "First the mean over the batch, one number a coordinate; then the floor; then the sum over coordinates.",
        ),
        Mistake(
            "Floor for each sentence, and summed over the batch",
            lambda rates, floor: free_bits(rates.clamp_min(floor), floor) * len(rates),
            "First the mean over the batch, one number a coordinate; then the floor; then the sum over coordinates.",
        ),
        Mistake(
            "Floor under the total of each sentence",
            lambda rates, floor: free_bits(rates.sum(1, keepdim=True).clamp_min(floor), floor),
            "A floor for each *coordinate* was asked, under its mean over the batch. The sum comes last.",
        ),
        Mistake(
            "A ceiling in place of a floor",
            lambda rates, floor: -free_bits(-rates, -floor),
            "This stops charging *above* the floor, so a large rate is free. Use clamp_min, or torch.maximum.",
        ),
        Mistake(
            "Only the excess counted",
            lambda rates, floor: free_bits(rates - floor, 0 * floor),
            "The gradients are right, but the loss is too low by the floors, and no longer a bound. Floor, do not subtract.",
        ),
        Mistake(
            "Only the shortfall counted",
            lambda rates, floor: (floor - rates.mean(0)).clamp_min(0).sum(),
            "This charges a coordinate for saying too little, and lets every large rate pass for nothing.",
        ),
        Mistake(
            "Nothing charged below the floor",
            lambda rates, floor: (rates.mean(0) * (rates.mean(0) > floor)).sum(),
            "Below the floor the *floor* is charged. With 0 the loss would jump there.",
        ),
        Mistake(
            "The floor added",
            lambda rates, floor: free_bits(rates, 0 * floor) + floor * rates.shape[1],
            "A constant added to each coordinate changes no gradient. The floor is what is charged *in place of* less.",
        ),
        Mistake(
            "The floor subtracted",
            lambda rates, floor: free_bits(rates, 0 * floor) - floor * rates.shape[1],
            "A constant taken away changes no gradient. Each coordinate costs the larger of its rate and the floor.",
        ),
        Mistake(
            "Pulled to the floor from both sides",
            lambda rates, floor: (rates.mean(0) - floor).abs().sum(),
            "This forces each coordinate to a chosen rate. A floor leaves it free above, and charges its rate in full.",
        ),
        Mistake(
            "The floor added once",
            lambda rates, floor: free_bits(rates, 0 * floor) + floor,
            "A constant added to the rate changes no gradient. Each coordinate costs the larger of its rate and the floor.",
        ),
        Mistake(
            "The gradient passes below the floor",
            lambda rates, floor: free_bits(rates, 0 * floor) + (floor - rates.mean(0)).clamp_min(0).sum().detach(),
            "The value is right, but silent coordinates are pulled down still. Below the floor the gradient has to be 0.",
        ),
        Mistake(
            "Mean over coordinates",
            lambda rates, floor: free_bits(rates, floor) / rates.shape[1],
            "Nats of independent coordinates add up. A mean weakens the rate against the distortion.",
        ),
        Mistake(
            "Mean over coordinates before the floor",
            lambda rates, floor: free_bits(rates.mean(1, keepdim=True), floor),
            "Each coordinate has a floor of its own: the mean is over the batch alone, dimension 0.",
        ),
        Mistake(
            "Sum over the batch",
            lambda rates, floor: free_bits(rates * len(rates), floor),
            "The floor is in nats a sentence: take the mean over the batch, not the sum.",
        ),
        Mistake(
            "Sum over everything before the floor",
            lambda rates, floor: rates.sum().clamp_min(floor),
            "First the mean over the batch, one number a coordinate; then the floor; then the sum over coordinates.",
        ),
        Mistake(
            "Coordinates and sentences exchanged",
            lambda rates, floor: free_bits(rates.T, floor),
            "Dimension 0 is the batch, dimension 1 the coordinates.",
        ),
        Mistake(
            "The largest rate of the batch in place of its mean",
            lambda rates, floor: free_bits(rates.amax(0, keepdim=True), floor),
            "A coordinate costs its *mean* over the batch.",
        ),
        Mistake(
            "Only the loudest coordinate charged",
            lambda rates, floor: rates.mean(0).max().clamp_min(floor),
            "torch.maximum(a, b) compares entry by entry; .max() takes the largest of all. Every coordinate is charged.",
        ),
        Mistake(
            "The floor divided among the coordinates",
            lambda rates, floor: free_bits(rates, floor / rates.shape[1]),
            "Each coordinate gets the whole floor.",
        ),
        Mistake(
            "One value for each coordinate",
            lambda rates, floor: rates.mean(0).clamp_min(floor),
            "Right for each coordinate; add them up to one number.",
        ),
        Mistake(
            "No floor",
            lambda rates, floor: free_bits(rates, 0 * floor),
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
        doubles([[1.0, -2.0, 0.0], [4.0, 0.0, 1.0], [-1.0, 3.0, 4.0]], 0.5),
        doubles([[1.0, -2.0, 3.0, 0.0], [2.0, 0.0, 3.5, 1.0], [4.0, 5.0, -1.0, 3.0]], 0.6),
        doubles([[0.1, 10.0, -3.0], [0.8, 14.0, -7.0], [-0.7, 9.0, 2.0], [1.5, 3.0, 1.5]], 2.0),
    ]


def _drawn_means(generator: Generator) -> Arguments:
    batch, latent = sizes(generator, 2, 4, 8)
    apart = torch.linspace(-6, 6, batch, dtype=torch.float64)[:, None]  # so that no coordinate is nearly constant
    scale = 1 + whole(generator, latent, high=2)
    means = (apart + numbers(generator, batch, latent, low=-4, high=4)) * scale + numbers(generator, latent, low=-4, high=4)
    return means.mul(100).round() / 100, numbers(generator, low=0.2, high=2.5)


NORMALIZED_MEANS = Exercise(
    task="Posterior means (batch, latent), shifted and scaled to mean 0 and standard deviation gamma in each coordinate. "
    "(In a batch of three or more, and no coordinate is constant.)",
    reference=normalized_means,
    cases=_means,
    generate=_drawn_means,
    lesson=lambda g: (torch.randn(32, 16, generator=g) + torch.randn(16, generator=g), torch.tensor(0.6)),
    gradients=("means",),
    relative_tolerance=3e-4,  # an eps of 1e-5 under the root, as in torch's layer, is no mistake
    hints=(
        "Subtract each coordinate's mean over the batch: means.mean(0).",
        "Divide by each coordinate's standard deviation over the batch, the root of the mean squared deviation.",
        "torch's std divides by n - 1 unless told otherwise: std(0, correction=0). Multiply by gamma at the end.",
    ),
    mistakes=(
        Mistake(
            "Divided by the variance",
            lambda means, gamma: normalized_means(means, gamma / means.std(0, correction=0)),
            "The variance has the square of the unit. Divide by its root, the standard deviation.",
        ),
        Mistake(
            "Divided by the variance, and that by n - 1",
            lambda means, gamma: normalized_means(means, gamma * means.std(0, correction=0) / means.var(0)),
            "Divide by the standard deviation, the root of the mean squared deviation: std(0, correction=0).",
        ),
        Mistake(
            "Multiplied with the standard deviation",
            lambda means, gamma: normalized_means(means, gamma * means.var(0, correction=0)),
            "Dividing by the standard deviation brings it to 1; multiplying squares it.",
        ),
        Mistake(
            "Not divided by the standard deviation",
            lambda means, gamma: normalized_means(means, gamma * means.std(0, correction=0)),
            "Centred and multiplied by gamma, a coordinate has gamma times its old standard deviation. Divide by that one.",
        ),
        Mistake(
            "gamma on the wrong side",
            lambda means, gamma: normalized_means(means, 1 / gamma),
            "Normalize first, then multiply by gamma. Dividing by it makes a small gamma ask for a *large* rate.",
        ),
        Mistake(
            "gamma lost in the normalization",
            lambda means, gamma: normalized_means(gamma * means, torch.ones_like(gamma)),
            "A scale before the normalization is normalized away. Multiply by gamma afterwards.",
        ),
        Mistake(
            "gamma on the means, not on what is subtracted",
            lambda means, gamma: (gamma * means - means.mean(0)) / means.std(0, correction=0),
            "Centre first, then scale: gamma multiplies the difference, not the means alone.",
        ),
        Mistake(
            "gamma read as a variance",
            lambda means, gamma: normalized_means(means, gamma.sqrt()),
            "gamma is the standard deviation that the means get, not its square.",
        ),
        Mistake(
            "gamma squared",
            lambda means, gamma: normalized_means(means, gamma.square()),
            "gamma is the standard deviation that the means get, not its root: multiply by gamma itself.",
        ),
        Mistake(
            "gamma added",
            lambda means, gamma: normalized_means(means, torch.ones_like(gamma)) + gamma,
            "gamma is a scale: multiply by it. Added it would be the new mean.",
        ),
        Mistake(
            "The mean added again",
            lambda means, gamma: normalized_means(means, gamma) + means.mean(0),
            "Each coordinate is to have mean 0 over the batch, so what was subtracted stays away.",
        ),
        Mistake(
            "Normalized each sentence over its coordinates",
            lambda means, gamma: normalized_means(means.T, gamma).transpose(0, 1),
            "That is layer normalization. It lets a coordinate be the same for all sentences. Normalize over the batch.",
        ),
        Mistake(
            "Statistics of each sentence, set against the coordinates",
            lambda means, gamma: gamma * (means - means.mean(1)) / means.std(1, correction=0),
            "mean(1) and std(1) are over the coordinates, one for each sentence. Take those over the batch, dimension 0.",
        ),
        Mistake(
            "Normalized over everything",
            lambda means, gamma: normalized_means(means.reshape(-1, 1), gamma).view_as(means),
            "Then one coordinate may keep all the variance and the others collapse. Each gets its own: dimension 0.",
        ),
        Mistake(
            "One standard deviation for all coordinates",
            lambda means, gamma: normalized_means(
                means, gamma * means.std(0, correction=0) / means.var(0, correction=0).mean().sqrt()
            ),
            "Then one coordinate may keep all the variance and the others collapse. Each gets its own: mean(0).",
        ),
        Mistake(
            "Not centred",
            lambda means, gamma: gamma * means / means.std(0, correction=0),
            "Subtract each coordinate's mean over the batch first. (The layer of the package adds a learned shift again.)",
        ),
        Mistake(
            "Neither centred nor divided by a deviation",
            lambda means, gamma: gamma * means / means.square().mean(0).sqrt(),
            "The root of the mean square is measured from 0. Subtract each coordinate's mean over the batch first.",
        ),
        Mistake(
            "The mean square not centred",
            lambda means, gamma: gamma * (means - means.mean(0)) / means.square().mean(0).sqrt(),
            "The standard deviation is measured from the mean: square the centred values.",
        ),
        Mistake(
            "Divided by n - 1",
            lambda means, gamma: normalized_means(means, gamma * math.sqrt(1 - 1 / len(means))),
            "Batch normalization divides by n: use std(0, correction=0), or the root of the mean square.",
        ),
        Mistake(
            "Divided by the sum of squares",
            lambda means, gamma: normalized_means(means, gamma / (len(means) * means.std(0, correction=0))),
            "A standard deviation is the root of the *mean* square.",
        ),
        Mistake(
            "Brought to length 1",
            lambda means, gamma: normalized_means(means, gamma / math.sqrt(len(means))),
            "That divides by the root of the *sum* of squares. A standard deviation takes their mean over the batch.",
        ),
        Mistake(
            "The mean absolute deviation",
            lambda means, gamma: gamma * (means - means.mean(0)) / (means - means.mean(0)).abs().mean(0),
            "A standard deviation is the root of the mean *square*.",
        ),
        Mistake(
            "Scaled to a range",
            lambda means, gamma: gamma * (means - means.amin(0)) / (means.amax(0) - means.amin(0)),
            "Mean 0 and standard deviation gamma were asked, not a range from 0 to gamma.",
        ),
        Mistake(
            "Constants that carry no gradient",
            lambda means, gamma: gamma * (means - means.mean(0).detach()) / means.std(0, correction=0).detach(),
            "The batch's mean and deviation depend on the encoder as well: no .detach() here.",
        ),
        Mistake(
            "A standard deviation that carries no gradient",
            lambda means, gamma: gamma * (means - means.mean(0)) / means.std(0, correction=0).detach(),
            "The batch's deviation depends on the encoder as well: no .detach() here.",
        ),
        Mistake(
            "A mean that carries no gradient",
            lambda means, gamma: gamma * (means - means.mean(0).detach()) / means.std(0, correction=0),
            "The batch's mean depends on the encoder as well: no .detach() here.",
        ),
    ),
)

# --- between two bounds ---------------------------------------------------------------------------------------------


def two_bounds(log_q: Tensor) -> Tensor:
    n = len(log_q)
    own = log_q.diagonal()
    others = log_q - torch.diag(torch.full_like(own, math.inf))
    with_own = torch.logsumexp(log_q, dim=1) - math.log(n)
    without_own = torch.logsumexp(others, dim=1) - math.log(n - 1)
    return torch.stack([(own - with_own).mean(), (own - without_own).mean()])


def _upper(log_q: Tensor) -> Tensor:
    return two_bounds(log_q)[1]


def _lower(log_q: Tensor) -> Tensor:
    return two_bounds(log_q)[0]


def _ln(log_q: Tensor) -> Tensor:
    """By how much ln N exceeds ln(N - 1)."""
    return _ln_of(log_q, 0) - _ln_of(log_q, 1)


def _ln_of(log_q: Tensor, fewer: int) -> Tensor:
    return torch.tensor(float(len(log_q) - fewer)).to(log_q).log()


def _off_diagonal(log_q: Tensor) -> Tensor:
    """Each row without its own entry, (N, N - 1)."""
    n = len(log_q)
    return log_q[~torch.eye(n, dtype=torch.bool, device=log_q.device)].reshape(n, n - 1)


def _by_densities(log_q: Tensor, own: Tensor) -> Tensor:
    """Both bounds, right but where densities are too small for the computer."""
    with_own = log_q.exp().mean(1).log()
    without_own = _off_diagonal(log_q).exp().mean(1).log()
    return torch.stack([(own - with_own).mean(), (own - without_own).mean()])


UNDERFLOW = "Densities as small as e to the -1000 are 0 in the computer. Stay with the logs: torch.logsumexp."


def _tables() -> list[Arguments]:
    return [
        doubles([[0.0, -3.0], [-1.0, 0.5]]),
        doubles([[-1.0, -1.5, -4.0], [-2.0, -0.5, -1.0], [-6.0, -3.0, 0.2]]),
        doubles([[1.0, -2.0, -3.0, 0.5], [-4.0, 0.0, -1.0, -2.0], [0.3, -1.0, 1.5, -5.0], [-0.2, -3.0, -1.0, 0.7]]),
        doubles([[-1000.0, -1002.0], [-1003.0, -1001.0]]),
        doubles([[-2.0, -2.0, -5.0], [-1.5, -1.5, -4.0], [-6.0, -6.0, -1.0]]),  # two posteriors are equal
    ]


def _drawn_table(generator: Generator) -> Arguments:
    count = size(generator, 3, 6)
    table = numbers(generator, count, count, low=-6, high=1)
    return (table + torch.diag(numbers(generator, count, low=2, high=6)),)


def _table_of_a_lesson(generator: Generator) -> Arguments:
    mean = 0.5 * torch.randn(100, 16, generator=generator)
    z = mean + 0.9 * torch.randn(100, 16, generator=generator)
    return (torch.distributions.Normal(mean, 0.9).log_prob(z[:, None]).sum(-1),)


TWO_BOUNDS = Exercise(
    task="The lower and the upper bound of I(sentence; z), in nats, (2,), from log_q (N, N): row i, column j holds "
    "log q(z_i given x_j); z_i is drawn from q(z given x_i). The lower one compares each z_i with all N posteriors, the upper "
    "one with the N - 1 others. (To leave a density out is to make its log minus infinity.)",
    reference=two_bounds,
    cases=_tables,
    generate=_drawn_table,
    lesson=_table_of_a_lesson,
    hints=(
        "The lower bound is lesson 08's mutual information. In the upper one a single term of each sum is missing.",
        "A density of 0 is a log density of minus infinity, and logsumexp passes over it. The mean is then over N - 1.",
        "log_q.masked_fill(torch.eye(len(log_q), dtype=torch.bool), -math.inf) has no own densities any more.",
    ),
    mistakes=(
        Mistake(
            "The upper bound divided by N",
            lambda log_q: two_bounds(log_q) + torch.stack([0 * _ln(log_q), _ln(log_q)]),
            "Without the own one a row holds N - 1 densities: their mean takes ln(N - 1).",
        ),
        Mistake(
            "Both divided by N - 1",
            lambda log_q: two_bounds(log_q) - torch.stack([_ln(log_q), 0 * _ln(log_q)]),
            "The lower bound counts the own posterior too, so its mean is over N densities.",
        ),
        Mistake(
            "The own posterior counted in both",
            lambda log_q: torch.stack([_lower(log_q), _lower(log_q) - _ln(log_q)]),
            "Only the divisor differs here. For the upper bound leave the entry i out of row i before the logsumexp.",
        ),
        Mistake(
            "The lower bound twice",
            lambda log_q: _lower(log_q).expand(2),
            "For the upper bound leave the entry i out of row i before the logsumexp, and divide by N - 1.",
        ),
        Mistake(
            "The upper bound twice",
            lambda log_q: _upper(log_q).expand(2),
            "The lower bound compares with all N posteriors, the own one among them.",
        ),
        Mistake(
            "A log density of 0 in place of the own one",
            lambda log_q: torch.stack(
                [
                    _lower(log_q),
                    (
                        log_q.diagonal()
                        - torch.logsumexp(log_q * (1 - torch.eye(len(log_q)).to(log_q)), 1)
                        + math.log(len(log_q) - 1)
                    ).mean(),
                ]
            ),
            "A log density of 0 is a density of 1, not of 0. What is left out has minus infinity.",
        ),
        Mistake(
            "The means in log space",
            lambda log_q: torch.stack(
                [(log_q.diagonal() - log_q.mean(1)).mean(), (log_q.diagonal() - _off_diagonal(log_q).mean(1)).mean()]
            ),
            "Average the densities, not their logs: logsumexp over the row, minus the ln of how many.",
        ),
        Mistake(
            "No ln N and no ln(N - 1)",
            lambda log_q: two_bounds(log_q) - torch.stack([_ln_of(log_q, 0), _ln_of(log_q, 1)]),
            "logsumexp is the log of a sum. For the log of a mean, take ln N or ln(N - 1) away.",
        ),
        Mistake(
            "Columns in place of rows",
            lambda log_q: two_bounds(log_q.T),
            "One draw z_i is a row. It is compared with the posteriors of all sentences, which are the columns: dim=1.",
        ),
        Mistake(
            "The bounds exchanged",
            lambda log_q: two_bounds(log_q).flip(0),
            "First the lower one, with the own posterior; then the upper one, without it.",
        ),
        Mistake(
            "Summed over the draws",
            lambda log_q: two_bounds(log_q) * len(log_q),
            "Nats a sentence are asked for: the mean over the draws.",
        ),
        Mistake(
            "Densities in place of their logs",
            lambda log_q: _by_densities(log_q, log_q.diagonal()),
            UNDERFLOW,
        ),
        Mistake(
            "Densities in place of their logs, the own one too",
            lambda log_q: _by_densities(log_q, log_q.diagonal().exp().log()),
            UNDERFLOW,
        ),
    ),
)

# --- a target for the rate ------------------------------------------------------------------------------------------


def capacity_loss(distortion: Tensor, rate: Tensor, capacity: Tensor, strength: Tensor) -> Tensor:
    return distortion.mean() + strength * (rate.mean() - capacity).abs()


def _targets() -> list[Arguments]:
    return [
        doubles([10.0, 12.0], [1.0, 4.0], 4.0, 3.0),
        doubles([10.0, 12.0], [6.0, 9.0], 4.0, 3.0),
        doubles([14.0, 9.5, 11.0], [2.0, 8.0, 3.0], 5.0, 10.0),  # sentences on either side of the target
        doubles([14.0, 9.5, 11.0, 10.5], [9.0, 8.0, 16.0, 2.5], 0.0, 2.0),
        doubles([9.0], [3.0], 3.5, 0.5),
    ]


def _drawn_target(generator: Generator) -> Arguments:
    batch = size(generator, 2, 6)
    distortion, rate = numbers(generator, batch, low=5, high=15), numbers(generator, batch, low=0.5, high=9)
    capacity = rate.mean() * (0.6, 0.9, 1.4)[int(whole(generator, high=2))]
    return distortion, rate, capacity.mul(100).round() / 100 + 0.00137, numbers(generator, low=1.5, high=9)


def _target_of_a_lesson(generator: Generator) -> Arguments:
    distortion, rate = 10 + 20 * torch.rand(32, generator=generator), 4 + 8 * torch.rand(32, generator=generator)
    return distortion, rate, torch.tensor(6.0), torch.tensor(10.0)


CAPACITY_LOSS = Exercise(
    task="The loss with a target for the rate: distortion and rate (batch,), a capacity in nats, and a strength. The batch's "
    "mean rate is pulled to the capacity from both sides.",
    reference=capacity_loss,
    cases=_targets,
    generate=_drawn_target,
    lesson=_target_of_a_lesson,
    gradients=("distortion", "rate"),
    hints=(
        "Mean distortion plus strength times a penalty: the distance of the mean rate from the capacity.",
        "A distance has no sign: .abs(). The mean over the batch is taken before it.",
        "strength * (rate.mean() - capacity).abs() is the penalty. Add the mean distortion.",
    ),
    mistakes=(
        Mistake(
            "A distance for each sentence",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate - capacity).abs().mean(),
            "Then each sentence is pulled to the capacity by itself, long or short. Take the mean over the batch first.",
        ),
        Mistake(
            "A distance for each sentence, and one value each",
            lambda distortion, rate, capacity, strength: distortion + strength * (rate - capacity).abs(),
            "The loss is one number: the mean distortion, and the distance of the *mean* rate from the capacity.",
        ),
        Mistake(
            "One value for each sentence",
            lambda distortion, rate, capacity, strength: distortion + strength * (rate.mean() - capacity).abs(),
            "The loss is one number: the mean of the distortion, too.",
        ),
        Mistake(
            "Without the absolute value",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate.mean() - capacity),
            "Below the capacity this is negative, and rewards an even smaller rate. A distance has no sign: .abs().",
        ),
        Mistake(
            "The distance squared",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate.mean() - capacity).square(),
            "A square pulls weakly near the target and hard far from it. Burgess et al. take the absolute value.",
        ),
        Mistake(
            "A floor in place of a target",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * rate.mean().clamp_min(capacity),
            "These are free bits: below the capacity nothing pulls the rate up. Take the distance, .abs().",
        ),
        Mistake(
            "Pulled from above only",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate.mean() - capacity).clamp_min(0),
            "Below the capacity nothing pulls the rate up. Take the distance, .abs().",
        ),
        Mistake(
            "Pulled from below only",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (capacity - rate.mean()).clamp_min(0),
            "Above the capacity the rate costs nothing here. Take the distance, .abs().",
        ),
        Mistake(
            "Pushed away from the capacity",
            lambda distortion, rate, capacity, strength: distortion.mean() - strength * (rate.mean() - capacity).abs(),
            "A loss is minimized, so this rewards being far from the capacity.",
        ),
        Mistake(
            "The distortion subtracted",
            lambda distortion, rate, capacity, strength: strength * (rate.mean() - capacity).abs() - distortion.mean(),
            "Distortion is a cost already, minus the log-likelihood: add it.",
        ),
        Mistake(
            "No strength",
            lambda distortion, rate, capacity, strength: distortion.mean() + (rate.mean() - capacity).abs(),
            "Multiply the distance by the strength. With 1 a nat of rate costs what it can save, and the target hardly pulls.",
        ),
        Mistake(
            "No capacity",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * rate.mean(),
            "This is the rate with a weight. Where is the capacity that it is to keep?",
        ),
        Mistake(
            "The rate charged besides",
            lambda distortion, rate, capacity, strength: (distortion + rate).mean() + strength * (rate.mean() - capacity).abs(),
            "The distance is charged in place of the rate, not beside it.",
        ),
        Mistake(
            "The strength on the rate alone",
            lambda distortion, rate, capacity, strength: distortion.mean() + (strength * rate.mean() - capacity).abs(),
            "Subtract first, then multiply: this pulls the rate to capacity / strength.",
        ),
        Mistake(
            "Strength and capacity exchanged",
            lambda distortion, rate, capacity, strength: distortion.mean() + capacity * (rate.mean() - strength).abs(),
            "The capacity is what the rate is compared with, the strength what the distance is multiplied by.",
        ),
        Mistake(
            "The strength on the distortion",
            lambda distortion, rate, capacity, strength: strength * distortion.mean() + (rate.mean() - capacity).abs(),
            "The strength belongs to the distance of the rate. On the distortion it makes the target weaker.",
        ),
        Mistake(
            "The target on the distortion",
            lambda distortion, rate, capacity, strength: (distortion.mean() - capacity).abs() + strength * rate.mean(),
            "The capacity is in nats of rate, and it is the mean rate's distance from it that counts.",
        ),
        Mistake(
            "Sums in place of means",
            lambda distortion, rate, capacity, strength: distortion.sum() + strength * (rate.sum() - capacity).abs(),
            "Loss and capacity are per sentence: means over the batch.",
        ),
        Mistake(
            "The distortion summed",
            lambda distortion, rate, capacity, strength: distortion.sum() + strength * (rate.mean() - capacity).abs(),
            "The loss is per sentence: the mean over the batch of the distortion, too.",
        ),
        Mistake(
            "The rate summed",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate.sum() - capacity).abs(),
            "The capacity is in nats a sentence: compare the batch's *mean* rate with it.",
        ),
        Mistake(
            "Forgot the distortion",
            lambda distortion, rate, capacity, strength: strength * (rate.mean() - capacity).abs(),
            "This is the penalty alone. The loss is the mean distortion plus the penalty.",
        ),
        Mistake(
            "The rate's gradient is cut",
            lambda distortion, rate, capacity, strength: distortion.mean() + strength * (rate.detach().mean() - capacity).abs(),
            "The value is right, but nothing pulls the rate: .detach(), .item(), float(...) or torch.tensor(...) cuts it.",
        ),
        Mistake(
            "The distortion's gradient is cut",
            lambda distortion, rate, capacity, strength: distortion.detach().mean() + strength * (rate.mean() - capacity).abs(),
            "The value is right, but nothing trains the decoder: .detach(), .item(), float(...) or torch.tensor(...) cuts it.",
        ),
    ),
)

# --- the squared MMD ------------------------------------------------------------------------------------------------


def squared_mmd(within_z: Tensor, within_y: Tensor, between: Tensor) -> Tensor:
    n = len(between)
    off_diagonal = within_z.sum() - within_z.trace() + within_y.sum() - within_y.trace()
    return off_diagonal / (n * (n - 1)) - 2 * between.mean()


def _multiquadratic(a: Tensor, b: Tensor) -> Tensor:
    width = 2 * a.shape[-1]
    return width / (width + (a[:, None] - b).square().sum(-1))


def _kernels() -> list[Arguments]:
    def of(x: list[list[float]], y: list[list[float]]) -> Arguments:
        x_, y_ = doubles(x, y)
        return _multiquadratic(x_, x_), _multiquadratic(y_, y_), _multiquadratic(x_, y_)

    return [
        of([[0.0], [1.0]], [[2.0], [5.0]]),
        of([[0.0], [1.0], [3.0]], [[0.5], [-1.0], [2.0]]),
        of([[0.3, 1.0], [0.8, -2.0], [1.7, 0.1], [-1.0, 0.4]], [[2.3, 1.1], [0.1, 0.2], [3.0, -0.5], [0.9, 4.0]]),
        doubles([[4.0, 1.0], [1.0, 2.0]], [[3.0, -1.0], [-1.0, 5.0]], [[2.0, 0.0], [1.0, -1.5]]),  # any kernel
    ]


def _drawn_kernels(generator: Generator) -> Arguments:
    n, dimension = size(generator, 3, 6), size(generator, 1, 3)
    x, y = numbers(generator, n, dimension), numbers(generator, n, dimension, low=-2, high=4)
    if flags(generator, 1):
        return _multiquadratic(x, x), _multiquadratic(y, y), _multiquadratic(x, y)
    return (1 + x @ x.T).square(), (1 + y @ y.T).square(), (1 + x @ y.T).square()


def _kernels_of_a_lesson(generator: Generator) -> Arguments:
    x, y = 0.5 + 0.6 * torch.randn(32, 16, generator=generator), torch.randn(32, 16, generator=generator)
    return _multiquadratic(x, x), _multiquadratic(y, y), _multiquadratic(x, y)


SQUARED_MMD = Exercise(
    task="The unbiased squared MMD of n codes z and n draws y, n at least 2, from the kernels k(z, z), k(y, y) and k(z, y), "
    "all (n, n). The mean is over all pairs of two different draws: n (n - 1) within each set, n * n between them.",
    reference=squared_mmd,
    cases=_kernels,
    generate=_drawn_kernels,
    lesson=_kernels_of_a_lesson,
    gradients=("between",),  # the kernels within are symmetric: a sum over one half of them is as right
    hints=(
        "Likeness within z, plus likeness within y, minus twice the likeness between the two; each is a mean over pairs.",
        "Within a set the pairs are of two *different* draws: leave out the diagonal, and n (n - 1) pairs remain.",
        "(within_z.sum() - within_z.trace()) / (n * (n - 1)); between has n * n pairs, none to leave out.",
    ),
    mistakes=(
        Mistake(
            "The diagonal counted",
            lambda within_z, within_y, between: within_z.mean() + within_y.mean() - 2 * between.mean(),
            "Each draw is exactly like itself, and that says nothing about the distribution. With the diagonal the estimate "
            "is above 0 even for equal distributions, the more so the smaller the batch.",
        ),
        Mistake(
            "The diagonal summed but not counted",
            lambda within_z, within_y, between: (
                (within_z.sum() + within_y.sum()) / (len(between) * (len(between) - 1)) - 2 * between.mean()
            ),
            "n (n - 1) pairs are those without the diagonal, so it has to be left out of the sum as well.",
        ),
        Mistake(
            "The diagonal left out of the sum but not of the number of pairs",
            lambda within_z, within_y, between: squared_mmd(
                within_z * (1 - 1 / len(between)), within_y * (1 - 1 / len(between)), between
            ),
            "Without the diagonal n (n - 1) pairs remain, not n * n.",
        ),
        Mistake(
            "The diagonal taken to be 1",
            lambda within_z, within_y, between: (
                squared_mmd(within_z, within_y, between)
                + (within_z.trace() + within_y.trace() - 2 * len(between)) / (len(between) * (len(between) - 1))
            ),
            "That holds for some kernels only. For any of them: subtract what stands on the diagonal, .trace().",
        ),
        Mistake(
            "The diagonal left out between the sets too",
            lambda within_z, within_y, between: squared_mmd(
                within_z, within_y, (between - between.diag().diag()) * len(between) / (len(between) - 1)
            ),
            "That is an unbiased estimate as well, but not the one that is asked for: code i and draw i are two "
            "different draws, and here all n * n pairs between the sets count.",
        ),
        Mistake(
            "The diagonal left out between the sets, but counted",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between - between.diag().diag()),
            "Code i and draw i are two different points: between the sets all n * n pairs count, the mean of the table.",
        ),
        Mistake(
            "Only pairs i < j compared between the sets",
            lambda within_z, within_y, between: squared_mmd(
                within_z, within_y, between.triu(1) * 2 * len(between) / (len(between) - 1)
            ),
            "Within a set i < j counts each pair once. Between the sets code i and draw j, and code j and draw i, are "
            "different pairs: all n * n count.",
        ),
        Mistake(
            "Too few pairs between the sets",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between * len(between) / (len(between) - 1)),
            "Between the sets there are n * n pairs, with the diagonal: divide their sum by n * n.",
        ),
        Mistake(
            "Divided by n between the sets",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between * len(between)),
            "Between the sets there are n * n pairs: divide their sum by n * n.",
        ),
        Mistake(
            "Only draws of the same number compared",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between.diag().diag() * len(between)),
            "Code i and draw i have nothing to do with one another: compare every code with every draw, n * n pairs.",
        ),
        Mistake(
            "Divided by n - 1 in place of n (n - 1)",
            lambda within_z, within_y, between: squared_mmd(within_z * len(between), within_y * len(between), between),
            "Each of n draws has n - 1 others: n (n - 1) pairs within a set.",
        ),
        Mistake(
            "Likeness within counted half",
            lambda within_z, within_y, between: squared_mmd(within_z / 2, within_y / 2, between),
            "The two sets' means are added, not averaged. And n (n - 1) is the number of entries of a whole matrix without "
            "its diagonal; its upper half has only half of them.",
        ),
        Mistake(
            "Likeness within counted twice",
            lambda within_z, within_y, between: squared_mmd(2 * within_z, 2 * within_y, between),
            "The matrix holds each pair twice, so its n (n - 1) entries are divided by n (n - 1), not by half of that.",
        ),
        Mistake(
            "The likeness between the sets counted once",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between / 2),
            "The square of a difference has 2 times the mixed term.",
        ),
        Mistake(
            "Added in place of subtracted",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, -between),
            "Likeness *between* the sets makes the distance smaller.",
        ),
        Mistake(
            "The likeness between the sets forgotten",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, 0 * between),
            "Without it the sets are never compared. Subtract twice its mean.",
        ),
        Mistake(
            "Within z only",
            lambda within_z, within_y, between: squared_mmd(within_z, 0 * within_y, between),
            "Likeness within y belongs to it as well; without it equal distributions do not get 0.",
        ),
        Mistake(
            "Within y only",
            lambda within_z, within_y, between: squared_mmd(0 * within_z, within_y, between),
            "Likeness within z belongs to it as well; without it equal distributions do not get 0.",
        ),
        Mistake(
            "Within y subtracted",
            lambda within_z, within_y, between: squared_mmd(within_z, -within_y, between),
            "Likeness within either set makes the distance larger: both are added.",
        ),
        Mistake(
            "Sums in place of means",
            lambda within_z, within_y, between: squared_mmd(
                within_z * len(between) * (len(between) - 1),
                within_y * len(between) * (len(between) - 1),
                between * len(between) ** 2,
            ),
            "Each of the three terms is a mean over its pairs: divide by their number.",
        ),
        Mistake(
            "The sign turned",
            lambda within_z, within_y, between: -squared_mmd(within_z, within_y, between),
            "This grows with likeness. A distance is likeness within the sets, minus twice that between them.",
        ),
        Mistake(
            "The absolute value",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between).abs(),
            "The estimate may be a little below 0, and that is right: only so is it unbiased.",
        ),
        Mistake(
            "Negative estimates cut off",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between).clamp_min(0),
            "The estimate may be a little below 0, and that is right: only so is it unbiased.",
        ),
        Mistake(
            "The root taken",
            lambda within_z, within_y, between: squared_mmd(within_z, within_y, between).clamp_min(0).sqrt(),
            "The *squared* MMD was asked for. It may be a little below 0, and that is right: only so is it unbiased.",
        ),
    ),
)

# --- two models on the same sentences -------------------------------------------------------------------------------


def paired_difference(nll: Tensor, other: Tensor) -> Tensor:
    difference = nll - other
    standard_error = difference.std() / math.sqrt(len(difference))
    return torch.stack([difference.mean(), standard_error])


def _priced() -> list[Arguments]:
    return [
        doubles([10.0, 14.0, 12.0, 20.0], [9.0, 14.5, 11.0, 18.0]),
        doubles([10.0, 14.0, 12.0, 20.0, 15.0], [20.0, 9.0, 13.0, 14.0, 15.5]),
        doubles([11.0, 12.0], [12.0, 16.0]),
        doubles([3.0, 4.5, 8.0], [4.0, 5.5, 9.0]),  # the same difference everywhere: an error of 0
    ]


def _drawn_prices(generator: Generator) -> Arguments:
    count = size(generator, 3, 8)
    other = numbers(generator, count, low=8, high=25)
    return other + numbers(generator, count, low=-1, high=2), other


def _prices_of_a_lesson(generator: Generator) -> Arguments:
    other = 15 + 3 * torch.randn(400, generator=generator)
    return other + 0.3 + 0.5 * torch.randn(400, generator=generator), other


def _unpaired(nll: Tensor, other: Tensor) -> Tensor:
    return ((nll.var() + other.var()) / len(nll)).sqrt()


PAIRED_DIFFERENCE = Exercise(
    task="How far the mean NLL of one model lies above another's, nll and other (sentences,) being of the same sentences: the "
    "mean difference, and its standard error.",
    reference=paired_difference,
    cases=_priced,
    generate=_drawn_prices,
    lesson=_prices_of_a_lesson,
    hints=(
        "Subtract sentence by sentence first. Everything else is of these differences.",
        "The standard error of a mean is the standard deviation divided by the root of their number.",
        "torch.stack([mean, error]) puts the two numbers into one tensor; .std() divides by n - 1, as it should.",
    ),
    mistakes=(
        Mistake(
            "As if the sentences were not the same",
            lambda nll, other: torch.stack([(nll - other).mean(), _unpaired(nll, other)]),
            "That is the error of two independent test sets. Here most of what makes a sentence dear or cheap is the same for "
            "both models and falls out of the difference: subtract first, then take the standard deviation.",
        ),
        Mistake(
            "Both standard errors added",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll.std() + other.std()) / math.sqrt(len(nll))]),
            "Subtract sentence by sentence first, then take the standard deviation of the differences.",
        ),
        Mistake(
            "The error of the first alone",
            lambda nll, other: torch.stack([(nll - other).mean(), nll.std() / math.sqrt(len(nll))]),
            "Take the standard deviation of the *differences*, not of one model's costs.",
        ),
        Mistake(
            "The difference of two standard errors",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll.std() - other.std()) / math.sqrt(len(nll))]),
            "Take the standard deviation of the differences, not the difference of the standard deviations.",
        ),
        Mistake(
            "The standard deviation in place of the standard error",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).std()]),
            "That says how much single sentences differ. The mean of n of them is surer: divide by the root of n.",
        ),
        Mistake(
            "Divided by n in place of its root",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).std() / len(nll)]),
            "A standard error falls with the *root* of the number of sentences.",
        ),
        Mistake(
            "The variance in place of the standard deviation",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).var() / len(nll)]),
            "That is the square of the standard error: take its root.",
        ),
        Mistake(
            "The variance over the root of n",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).var() / math.sqrt(len(nll))]),
            "A standard error is the standard *deviation* over the root of n.",
        ),
        Mistake(
            "Divided by n inside the standard deviation",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).std(correction=0) / math.sqrt(len(nll))]),
            "The standard deviation of a sample divides by n - 1, as .std() does by itself.",
        ),
        Mistake(
            "Divided by the root of n - 1",
            lambda nll, other: torch.stack([(nll - other).mean(), (nll - other).std() / math.sqrt(len(nll) - 1)]),
            "The n - 1 is in .std() already: divide by the root of n.",
        ),
        Mistake(
            "The other minus the first",
            lambda nll, other: paired_difference(other, nll),
            "The sign is turned: how far nll lies *above* other, so nll - other.",
        ),
        Mistake(
            "Absolute differences",
            lambda nll, other: torch.stack([(nll - other).abs().mean(), (nll - other).abs().std() / math.sqrt(len(nll))]),
            "A sentence may be cheaper under either model, and these cancel in the mean: no .abs().",
        ),
        Mistake(
            "Two standard errors",
            lambda nll, other: torch.stack([(nll - other).mean(), 2 * (nll - other).std() / math.sqrt(len(nll))]),
            "One standard error is asked for; how many of them to go is decided where it is used.",
        ),
        Mistake(
            "The sum of the differences",
            lambda nll, other: torch.stack([(nll - other).sum(), (nll - other).std() * math.sqrt(len(nll))]),
            "That is the difference over the whole test set. Nats a *sentence* are asked for: the mean.",
        ),
        Mistake(
            "The two numbers exchanged",
            lambda nll, other: torch.stack([(nll - other).std() / math.sqrt(len(nll)), (nll - other).mean()]),
            "First the mean difference, then its standard error.",
        ),
    ),
)

# --- who is the better buy ------------------------------------------------------------------------------------------


def better_buys(more: Tensor, error_of_more: Tensor, dearer: Tensor, error_of_dearer: Tensor, margin: Tensor) -> Tensor:
    tells_more = more - 2 * error_of_more > 0
    affordable = dearer + 2 * error_of_dearer <= margin
    return tells_more & affordable


def _offers() -> list[Arguments]:
    return [
        doubles([1.0, 1.0, -1.0, -1.0], [0.1] * 4, [0.3, -0.3, 0.3, -0.3], [0.05] * 4, 0.1),
        doubles([0.15, 0.25, 0.15, 0.25, 0.35], [0.1] * 5, [0.0] * 5, [0.03] * 5, 0.1),  # around one, two, three errors
        doubles([1.0] * 7, [0.1] * 7, [0.03, 0.07, 0.12, 0.18, 0.22, -0.07, -0.5], [0.05] * 7, 0.15),
        doubles([2.0, 0.0, 0.3, 3.0], [0.9, 0.2, 0.2, 1.2], [0.5, -0.5, 0.3, 0.7], [0.3, 0.3, 0.1, 0.5], 0.2),
        doubles([-0.9, -0.9, 0.9, 0.9], [0.2] * 4, [-0.9, 0.9, -0.9, 0.9], [0.2] * 4, 0.1),
        doubles([1.0] * 4, [0.1] * 4, [-0.05, -0.15, 0.05, 0.15], [0.2, 0.02, 0.01, 0.01], 0.1),  # few sentences, and many
    ]


def _drawn_offers(generator: Generator) -> Arguments:
    count = size(generator, 4, 9)
    more, dearer = numbers(generator, count, low=-1, high=2), numbers(generator, count, low=-0.6, high=0.6)
    errors = [numbers(generator, count, low=0.05, high=0.4), numbers(generator, count, low=0.03, high=0.3)]
    return more + 0.00137, errors[0], dearer + 0.00137, errors[1], numbers(generator, low=0.1, high=0.4)


def _offers_of_a_lesson(generator: Generator) -> Arguments:
    more, dearer = torch.randn(6, generator=generator), 0.3 * torch.randn(6, generator=generator)
    return more, torch.full((6,), 0.1), dearer, torch.full((6,), 0.05), torch.tensor(0.1)


BETTER_BUYS = Exercise(
    task="Which of several cures are better buys than yours: more and dearer (cures,) are by how many nats each one's "
    "information and its NLL lie above yours, each with its standard error; margin is a number of nats. It surely tells more, "
    "and it surely is dearer by no more than margin. Sure is what holds two standard errors away.",
    reference=better_buys,
    cases=_offers,
    generate=_drawn_offers,
    lesson=_offers_of_a_lesson,
    hints=(
        "Two conditions, entry by entry. One is on the information, one on the price. What is the least that each may be?",
        "With two standard errors against it, it still tells more. With two against it, it is still within the margin. "
        "Between tensors of truth values, 'and' is written &, and each comparison stands in brackets of its own.",
        "more > 2 * error_of_more is the one on the information, dearer + 2 * error_of_dearer <= margin that on the price.",
    ),
    mistakes=(
        Mistake(
            "Either in place of both",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                (more > 2 * error_of_more) | (dearer + 2 * error_of_dearer <= margin)
            ),
            "A better buy tells more *and* is within the margin: & in place of |.",
        ),
        Mistake(
            "No brackets around the comparisons",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                more > 2 * error_of_more & dearer + 2 * error_of_dearer <= margin
            ),
            "& binds more strongly than > and <=, so it joins two numbers here. Put each comparison in brackets of its own.",
        ),
        Mistake(
            "One condition on the difference of both",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                more - dearer > 2 * torch.hypot(error_of_more, error_of_dearer)
            ),
            "Information and price are two conditions. A gain in one must not make up for the other.",
        ),
        Mistake(
            "One condition on the difference of both, with the margin",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                more - dearer + margin > 2 * torch.hypot(error_of_more, error_of_dearer)
            ),
            "Information and price are two conditions. A gain in one must not make up for the other.",
        ),
        Mistake(
            "Dearer for certain is asked, and not within the margin for certain",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, dearer, -error_of_dearer, margin
            ),
            "The fewer sentences, the larger the error, and the more would pass. Add the two errors: the price may be higher.",
        ),
        Mistake(
            "More is possible, and not certain",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, -error_of_more, dearer, error_of_dearer, margin
            ),
            "It has to tell more even if two standard errors are taken off.",
        ),
        Mistake(
            "No margin",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, dearer, error_of_dearer, 0 * margin
            ),
            "Up to margin it may be dearer: compare with it, not with 0.",
        ),
        Mistake(
            "The margin subtracted",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, dearer, error_of_dearer, -margin
            ),
            "It need not be cheaper by the margin. It may be dearer by as much: dearer + 2 * error <= margin.",
        ),
        Mistake(
            "No standard errors",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, 0 * error_of_more, dearer, 0 * error_of_dearer, margin
            ),
            "What holds within two standard errors may be chance. Take them off the information and add them to the price.",
        ),
        Mistake(
            "No standard error of the price",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, dearer, 0 * error_of_dearer, margin
            ),
            "The true price may be higher by two standard errors: add them before you compare with margin.",
        ),
        Mistake(
            "No standard error of the information",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, 0 * error_of_more, dearer, error_of_dearer, margin
            ),
            "What is more by less than two standard errors may be chance: more > 2 * error_of_more.",
        ),
        Mistake(
            "One standard error",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more / 2, dearer, error_of_dearer / 2, margin
            ),
            "Beyond one standard error lies a third of what is mere chance. Two are asked for.",
        ),
        Mistake(
            "Information alone",
            lambda more, error_of_more, dearer, error_of_dearer, margin: more > 2 * error_of_more,
            "Its price has to be within the margin as well.",
        ),
        Mistake(
            "Price alone",
            lambda more, error_of_more, dearer, error_of_dearer, margin: dearer + 2 * error_of_dearer <= margin,
            "It also has to tell more.",
        ),
        Mistake(
            "Dearer than the margin",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                (more > 2 * error_of_more) & (dearer + 2 * error_of_dearer > margin)
            ),
            "These tell more and may cost too much: <= in place of >.",
        ),
        Mistake(
            "Tells less for certain",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                -more, error_of_more, dearer, error_of_dearer, margin
            ),
            "more is the other's information minus yours: it has to be above 2 * error_of_more.",
        ),
        Mistake(
            "Cheaper and dearer exchanged",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, -dearer, error_of_dearer, margin
            ),
            "dearer is the other's NLL minus yours: the smaller, the better.",
        ),
        Mistake(
            "The size of the difference",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more.abs(), error_of_more, dearer.abs(), error_of_dearer, margin
            ),
            "The sign counts: telling less for certain is no better buy, and being cheaper for certain is one.",
        ),
        Mistake(
            "The size of the difference in price",
            lambda more, error_of_more, dearer, error_of_dearer, margin: better_buys(
                more, error_of_more, dearer.abs(), error_of_dearer, margin
            ),
            "Who tells more and is *cheaper* for certain is a better buy too: no .abs().",
        ),
        Mistake(
            "The worse buys",
            lambda more, error_of_more, dearer, error_of_dearer, margin: (
                ~better_buys(more, error_of_more, dearer, error_of_dearer, margin)
            ),
            "These are all others.",
        ),
    ),
)

EXERCISES = (
    CYCLICAL_WEIGHT,
    FREE_BITS,
    CAPACITY_LOSS,
    SQUARED_MMD,
    NORMALIZED_MEANS,
    TWO_BOUNDS,
    PAIRED_DIFFERENCE,
    BETTER_BUYS,
)

# Four that the stored run of all cures has. Within the quarter of a nat are all but the last, which says the most.
FOUR = ("cyclical annealing", "batch-normalized means", "pretraining + free bits", "pretraining + many free bits")
LESS = "It can be afforded, and its z does speak. But as these four are set, another one's says more for the quarter of a nat."

PREDICTIONS = (
    Prediction(
        "beats_the_language_model",
        ("yes", "no"),
        answer="no",
        because=(
            "the language model is a tenth of a nat above the truth, so there was little to gain, and no z whose NLL can be "
            "trusted gained it."
        ),
        wrong={
            "yes": (
                "A z that knows something of the sentence makes its words cheaper, but the NLL averages over every z of the "
                "prior. All that is left to gain is what the LSTM has not learned, a tenth of a nat."
            ),
        },
    ),
    Prediction(
        "best_cure",
        FOUR,
        answer="pretraining + free bits",
        because="it costs less than a quarter of a nat, and of the three that do, it says the most.",
        wrong={
            **dict.fromkeys(FOUR[:2], LESS),
            "pretraining + many free bits": (
                "It says the most of the four. But a floor so high is dear: the model is nearly a nat worse than the language "
                "model, and you would pay a quarter."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_no_cure_can_do",
        question=(
            "A collapsed VAE whose decoder is perfect has the best ELBO that there is. Why can no cure beat it, and what "
            "can a cure do instead?"
        ),
        model=(
            "Distortion and rate together are never less than the entropy of the source, and a perfect decoder without a "
            "$z$ is there already. A cure can only choose another place on the same line: more rate, less distortion, and a "
            "$z$ that says something."
        ),
        rubric=(
            "the sum of distortion and rate is at least the entropy, whatever $z$ does;",
            "a perfect language model reaches this without a $z$;",
            "a cure trades distortion for rate, at best for the same sum.",
        ),
    ),
    Explanation(
        "which_cure_is_best",
        question="A friend asks you which cure is the best. Why do you ask back what the codes are for?",
        model=(
            "Each cure buys information with likelihood, and they buy different amounts at different prices. For samples "
            "and likelihood a cheap cure will do; for codes that keep the facts one that says more is worth its nats. And a "
            "high rate alone is no bargain, as part of it may carry no information."
        ),
        rubric=(
            "there is a price in nats, and it differs from cure to cure;",
            "how much information is worth its price depends on the use;",
            "what counts is information, or facts kept, and not the rate.",
        ),
    ),
)
