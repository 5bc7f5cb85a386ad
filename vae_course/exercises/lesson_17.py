"""Exercises of lesson 17: what the article's bound says, what noise a mean believes in, and when a training arrives."""

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

# --- the article's bound --------------------------------------------------------------------------------------------


def articles_bound(p: Tensor, q: Tensor) -> Tensor:
    return -2 * (q * (q / p).log()).sum(-1)


def _pairs() -> list[Arguments]:
    rows: list[tuple[list[float] | list[list[float]], list[float] | list[list[float]]]] = [
        ([0.5, 0.5], [0.5, 0.5]),
        ([0.5, 0.5], [0.9, 0.1]),
        ([0.2, 0.3, 0.5], [0.6, 0.3, 0.1]),
        ([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]], [[0.6, 0.3, 0.1], [0.25, 0.25, 0.5]]),
    ]
    return [(torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)) for p, q in rows]


ARTICLES_BOUND = Exercise(
    task="The article's right side, E_q[log p(x)/q(x)] - KL(q to p), for distributions p and q (..., outcomes), in nats.",
    reference=articles_bound,
    cases=_pairs,
    hints=(
        "Both parts are averages over q of a log ratio. Write the first out as a sum, and the second beside it.",
        "E_q[log p/q] is itself minus KL(q to p). So the same KL is taken away twice.",
        "It is -2 * (q * (q / p).log()).sum(-1).",
    ),
    mistakes=(
        Mistake(
            "Only one of the two parts",
            lambda p, q: -(q * (q / p).log()).sum(-1),
            "The expectation is minus the KL already, and the article takes the KL away once more.",
        ),
        Mistake(
            "The two parts cancelled",
            lambda p, q: 0 * p.sum(-1),
            "E_q[log p/q] is minus the KL, not plus: the parts add up.",
        ),
        Mistake(
            "Summed over the batch",
            lambda p, q: -2 * (q * (q / p).log()).sum(),
            "p and q may hold several distributions, (..., outcomes). Sum over the last dimension only, with .sum(-1).",
        ),
        Mistake(
            "KL the wrong way round",
            lambda p, q: -2 * (p * (p / q).log()).sum(-1),
            "Both averages run over q: the weight before the log is q.",
        ),
        Mistake(
            "KL of the second part the wrong way round",
            lambda p, q: -(q * (q / p).log()).sum(-1) - (p * (p / q).log()).sum(-1),
            "KL(q to p) averages over q, like the expectation before it.",
        ),
        Mistake(
            "Sign lost",
            lambda p, q: 2 * (q * (q / p).log()).sum(-1),
            "A KL is never negative, and it is subtracted. The right side is at most 0.",
        ),
        Mistake(
            "In bits",
            lambda p, q: -2 * (q * (q / p).log2()).sum(-1),
            "Nats were asked for: log, not log2.",
        ),
    ),
)

# --- the noise that a mean believes in ------------------------------------------------------------------------------


def believed_pixel_std(pixels: Tensor, kl_weight: Tensor) -> Tensor:
    return (pixels * kl_weight / 2).sqrt()


def _sizes() -> list[Arguments]:
    rows = [([2.0], [1.0]), ([64.0], [1.0]), ([784.0, 784.0, 784.0], [1.0, 0.01, 0.0001])]
    return [(torch.tensor(pixels, dtype=torch.float64), torch.tensor(weight, dtype=torch.float64)) for pixels, weight in rows]


BELIEVED_PIXEL_STD = Exercise(
    task=(
        "A program minimizes (mean of squared errors over pixels) + kl_weight * KL. "
        "For which standard deviation of the pixels is that the ELBO, up to a factor and a constant?"
    ),
    reference=believed_pixel_std,
    cases=_sizes,
    hints=(
        "With a Gaussian likelihood the distortion is S / (2 std^2), where S is the squared error summed over pixels.",
        "The program has S / pixels + kl_weight * KL. Divide by kl_weight, so that the KL stands alone as in the ELBO.",
        "S / (pixels * kl_weight) must be S / (2 std^2). Solve for std.",
    ),
    mistakes=(
        Mistake(
            "Forgot the 2",
            lambda pixels, kl_weight: (pixels * kl_weight).sqrt(),
            "The density of a Gaussian has 2 std^2 in its exponent.",
        ),
        Mistake(
            "The variance, not the standard deviation",
            lambda pixels, kl_weight: pixels * kl_weight / 2,
            "You found std^2. Take its root.",
        ),
        Mistake(
            "Divided by the weight",
            lambda pixels, kl_weight: (pixels / kl_weight / 2).sqrt(),
            "A larger weight on the KL makes the pixels count less: the noise believed in is larger, not smaller.",
        ),
        Mistake(
            "Took the mean for a sum",
            lambda pixels, kl_weight: (0 * pixels + kl_weight / 2).sqrt(),
            "The error is averaged over pixels, so it is smaller by their number. That is the very point.",
        ),
        Mistake(
            "Divided by the pixels",
            lambda pixels, kl_weight: (kl_weight / pixels / 2).sqrt(),
            "S / pixels equals S / (2 std^2), with weight 1. So 2 std^2 is the number of pixels, not one over it.",
        ),
    ),
)

# --- when a training arrives ----------------------------------------------------------------------------------------


def epochs_to_target(losses: Tensor, target: float) -> Tensor:
    epochs = torch.arange(1, losses.shape[-1] + 1, dtype=losses.dtype).expand_as(losses)
    return epochs.masked_fill(losses > target, torch.inf).amin(-1)


def _trainings() -> list[Arguments]:
    rows = [
        ([[3.0, 1.0]], 2.0),
        ([[5.0, 3.0, 2.0, 2.5, 1.0], [1.0, 4.0, 1.5, 1.2, 1.1], [9.0, 8.0, 7.0, 6.0, 5.0]], 2.0),
    ]
    return [(torch.tensor(losses, dtype=torch.float64), target) for losses, target in rows]


def _at(losses: Tensor, reached: Tensor, never: float, start: int) -> Tensor:
    """The first epoch that was reached, counted from ``start``; ``never`` where there is none."""
    epochs = torch.arange(start, losses.shape[-1] + start, dtype=losses.dtype).expand_as(losses)
    first = epochs.masked_fill(~reached, torch.inf).amin(-1)
    return torch.where(first.isinf(), torch.full_like(first, never), first)


EPOCHS_TO_TARGET = Exercise(
    task=(
        "For each run the first epoch, counted from 1, whose loss is at most the target; inf for a run that never gets there. "
        "losses: (runs, epochs)."
    ),
    reference=epochs_to_target,
    cases=_trainings,
    hints=(
        "Number the epochs 1, 2, 3, ... with torch.arange, and strike out those whose loss is above the target.",
        "masked_fill puts torch.inf in the place of those struck out. What is left to do is to take the smallest.",
        "torch.arange(1, losses.shape[-1] + 1, dtype=losses.dtype).expand_as(losses).masked_fill(losses > target, torch.inf)",
    ),
    mistakes=(
        Mistake(
            "Counted from 0",
            lambda losses, target: _at(losses, losses <= target, torch.inf, start=0),
            "The first epoch is number 1: after it one epoch has been paid for.",
        ),
        Mistake(
            "Never became the first epoch",
            lambda losses, target: (losses <= target).to(losses.dtype).argmax(-1).to(losses.dtype) + 1,
            "argmax of a row without any hit is 0. A run that never arrived would look like the fastest of all.",
        ),
        Mistake(
            "Never became the last epoch",
            lambda losses, target: _at(losses, losses <= target, losses.shape[-1], start=1),
            "A run that never arrived must not look as if it had at the end. Answer inf.",
        ),
        Mistake(
            "Strictly below",
            lambda losses, target: _at(losses, losses < target, torch.inf, start=1),
            "At most the target: a loss equal to it has arrived.",
        ),
        Mistake(
            "The last epoch in the place of the first",
            lambda losses, target: (
                torch.arange(1, losses.shape[-1] + 1, dtype=losses.dtype).expand_as(losses) * (losses <= target)
            ).amax(-1),
            "You took the last epoch below the target. The first is asked for.",
        ),
        Mistake(
            "Counted the epochs above the target",
            lambda losses, target: (losses > target).sum(-1).to(losses.dtype) + 1,
            "Losses go up and down. Epochs above the target may come after the first one below it.",
        ),
    ),
)

EXERCISES = (ARTICLES_BOUND, BELIEVED_PIXEL_STD, EPOCHS_TO_TARGET)
