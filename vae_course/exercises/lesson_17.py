"""Exercises of lesson 17: what the article's bound says, what noise a mean believes in, and when a training arrives."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import double, numbers, probabilities, size, sizes, whole
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- the article's bound --------------------------------------------------------------------------------------------


def articles_bound(p: Tensor, q: Tensor) -> Tensor:
    return -2 * (q * (q / p).log()).sum(-1)


def _pairs() -> list[Arguments]:
    rows: list[tuple[object, object]] = [
        ([0.5, 0.5], [0.5, 0.5]),
        ([0.5, 0.5], [0.9, 0.1]),
        ([0.2, 0.3, 0.5], [0.6, 0.3, 0.1]),
        ([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]], [[0.6, 0.3, 0.1], [0.25, 0.25, 0.5]]),
        ([[0.9, 0.1]], [[0.2, 0.8]]),
    ]
    return [(double(p), double(q)) for p, q in rows]


def _drawn_pair(generator: Generator) -> Arguments:
    shape = sizes(generator, size(generator, 1, 3), low=2)
    return probabilities(generator, *shape), probabilities(generator, *shape)


def _lessons_pair(generator: Generator) -> Arguments:
    p, q = (torch.rand(1000, 4, generator=generator) + 0.02 for _ in range(2))
    return p / p.sum(-1, keepdim=True), q / q.sum(-1, keepdim=True)


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum(-1)


_OVER_Q = "Both averages run over q: the weight before the log is q."
_LAST = "p and q may hold several distributions, (..., outcomes). Sum over the last dimension only, with .sum(-1)."
_NO_EXPECTATION = "E_q is an average with the probabilities q as weights: multiply each log ratio by q, then sum."
_KL_DIV = "functional.kl_div(a, b) wants *log* probabilities as a, and is then KL from b to exp(a). Give it p.log() and q."
_REDUCTION = (
    'torch\'s kl_div averages over all entries unless told otherwise, and "batchmean" and "sum" join all distributions. '
    'Each has its own KL: reduction="none", then .sum(-1).'
)
_NO_MEAN = "An average over q is a sum of q times the value, for q adds up to 1. Do not divide by the number of outcomes."

ARTICLES_BOUND = Exercise(
    task=(
        "The article's right side, E_q[log p(x)/q(x)] - KL(q to p), for distributions p and q (..., outcomes) without zeros, "
        "in nats: shape (...)."
    ),
    reference=articles_bound,
    cases=_pairs,
    generate=_drawn_pair,
    lesson=_lessons_pair,
    hints=(
        "Both parts are averages over q of a log ratio. Write the first out as a sum, and the second beside it.",
        "E_q[log p/q] is itself minus KL(q to p). So the same KL is taken away twice.",
        "KL(q to p) is (q * (q / p).log()).sum(-1).",
    ),
    mistakes=(
        Mistake(
            "Only one of the two parts",
            lambda p, q: articles_bound(p, q) / 2,
            "The expectation is minus the KL already, and the article takes the KL away once more.",
        ),
        Mistake(
            "The two parts cancelled",
            lambda p, q: 0 * p.sum(-1),
            "E_q[log p/q] is minus the KL, not plus: the parts add up.",
        ),
        Mistake("Summed over the batch", lambda p, q: articles_bound(p, q).sum(), _LAST),
        Mistake("Averaged over the batch", lambda p, q: articles_bound(p, q).mean(), _LAST),
        Mistake("Summed over the first dimension", lambda p, q: -2 * (q * (q / p).log()).sum(0), _LAST),
        Mistake("Not summed", lambda p, q: -2 * q * (q / p).log(), "E_q is a sum over the outcomes: .sum(-1)."),
        Mistake("Mean over the outcomes", lambda p, q: articles_bound(p, q) / p.shape[-1], _NO_MEAN),
        Mistake(
            "Mean over the outcomes",
            lambda p, q: articles_bound(p, q) / 2 * (1 + 1 / p.shape[-1]),
            _NO_MEAN,
        ),
        Mistake("KL the wrong way round", lambda p, q: articles_bound(q, p), _OVER_Q),
        Mistake(
            "KL of the second part the wrong way round",
            lambda p, q: articles_bound(p, q) / 2 - _kl(p, q),
            "KL(q to p) averages over q, like the expectation before it.",
        ),
        Mistake(
            "Expectation over p",
            lambda p, q: articles_bound(p, q) / 2 + _kl(p, q),
            "The expectation has the index q: the weight before log p/q is q, not p.",
        ),
        Mistake(
            "Both weights p",
            lambda p, q: 2 * (p * (p / q).log()).sum(-1),
            _OVER_Q,
        ),
        Mistake(
            "Sign lost",
            lambda p, q: -articles_bound(p, q),
            "A KL is never negative, and it is subtracted. The right side is at most 0.",
        ),
        Mistake(
            "In bits",
            lambda p, q: articles_bound(p, q) / math.log(2),
            "Nats were asked for: log, not log2.",
        ),
        Mistake("Decimal logarithm", lambda p, q: articles_bound(p, q) / math.log(10), "Nats were asked for: log, not log10."),
        Mistake(
            "log q forgotten",
            lambda p, q: articles_bound(p, q) / 2 + (q * p.log()).sum(-1),
            "The article has log p(x)/q(x) in its expectation, not log p(x) alone.",
        ),
        Mistake(
            "Logs divided",
            lambda p, q: articles_bound(p, q) / 2 + (q * p.log() / q.log()).sum(-1),
            "log(p/q) is log p *minus* log q, not log p divided by log q.",
        ),
        Mistake(
            "Expectation without its weights",
            lambda p, q: articles_bound(p, q) / 2 + (p / q).log().sum(-1),
            _NO_EXPECTATION,
        ),
        Mistake(
            "Expectation without its weights",
            lambda p, q: articles_bound(p, q) / 2 + (p / q).log().mean(-1),
            _NO_EXPECTATION,
        ),
        Mistake("No weights at all", lambda p, q: 2 * (p / q).log().sum(-1), _NO_EXPECTATION),
        Mistake("No weights at all", lambda p, q: 2 * (p / q).log().mean(-1), _NO_EXPECTATION),
        Mistake(
            "No expectation",
            lambda p, q: (p / q).log() + (articles_bound(p, q) / 2)[..., None],
            "The first part is still one number for each outcome. Average it over q, so that no x is left.",
        ),
        Mistake(
            "No expectation",
            lambda p, q: p.log() + (articles_bound(p, q) / 2)[..., None],
            "The first part is an average over q, of log p/q, so that no x is left.",
        ),
        Mistake(
            "Weights inside the log",
            lambda p, q: articles_bound(p, q) / 2 + p.log().sum(-1),
            "The log is of the ratio p/q alone; the weight q stands before the log. Mind the parentheses.",
        ),
        Mistake(
            "The first log forgotten",
            lambda p, q: articles_bound(p, q) / 2 + (q * p / q).sum(-1),
            "The average over q of p/q without a log is always 1. Average its log.",
        ),
        Mistake(
            "Both logs forgotten",
            lambda p, q: 1 - (q * q / p).sum(-1),
            "Both parts average a *log* ratio, log p/q and log q/p.",
        ),
        Mistake(
            "Probabilities taken for scores",
            lambda p, q: articles_bound(p.softmax(-1), q.softmax(-1)),
            "p and q are probabilities already: no softmax, and Categorical(probs=...), not logits.",
        ),
        Mistake(
            "kl_div given probabilities",
            lambda p, q: -2 * functional.kl_div(p, q, reduction="none").sum(-1),
            _KL_DIV,
        ),
        Mistake(
            "kl_div given probabilities the wrong way round",
            lambda p, q: -2 * functional.kl_div(q, p, reduction="none").sum(-1),
            _KL_DIV,
        ),
        Mistake(
            "kl_div given probabilities",
            lambda p, q: articles_bound(p, q) / 2 - functional.kl_div(p, q, reduction="none").sum(-1),
            _KL_DIV,
        ),
        Mistake(
            "kl_div given probabilities the wrong way round",
            lambda p, q: articles_bound(p, q) / 2 - functional.kl_div(q, p, reduction="none").sum(-1),
            _KL_DIV,
        ),
        Mistake("kl_div averaged over everything", lambda p, q: articles_bound(p, q).mean() / p.shape[-1], _REDUCTION),
        Mistake(
            "kl_div averaged over everything",
            lambda p, q: articles_bound(p, q) / 2 + articles_bound(p, q).mean() / (2 * p.shape[-1]),
            _REDUCTION,
        ),
        Mistake("kl_div averaged over the batch", lambda p, q: articles_bound(p, q).sum() / len(p), _REDUCTION),
        Mistake(
            "kl_div averaged over the batch",
            lambda p, q: (articles_bound(p, q) + articles_bound(p, q).sum() / len(p)) / 2,
            _REDUCTION,
        ),
        Mistake(
            "kl_div summed over the batch",
            lambda p, q: (articles_bound(p, q) + articles_bound(p, q).sum()) / 2,
            _REDUCTION,
        ),
    ),
)

# --- the noise that a mean believes in ------------------------------------------------------------------------------


def believed_pixel_std(pixels: Tensor, kl_weight: Tensor) -> Tensor:
    return (pixels * kl_weight / 2).sqrt()


def _sizes() -> list[Arguments]:
    rows = [([2.0], [1.0]), ([64.0], [1.0]), ([784.0, 784.0, 784.0], [1.0, 0.01, 0.0001]), ([1.0, 3.0], [0.5, 4.0])]
    return [(double(pixels), double(weight)) for pixels, weight in rows]


def _drawn_sizes(generator: Generator) -> Arguments:
    shape = sizes(generator, size(generator, 0, 2), low=2)
    weight = numbers(generator, *shape, low=0.01, high=4)
    return whole(generator, *shape, low=1, high=999).double(), weight


BELIEVED_PIXEL_STD = Exercise(
    task=(
        "A program minimizes (mean of squared errors over pixels) + kl_weight * KL. "
        "For which standard deviation of the pixels is that the negative ELBO, up to a factor and a constant? "
        "Both are above 0, and of equal shape."
    ),
    reference=believed_pixel_std,
    cases=_sizes,
    generate=_drawn_sizes,
    lesson=lambda g: (torch.full((50,), 784.0), 10 ** (4 * torch.rand(50, generator=g) - 4)),
    hints=(
        "With a Gaussian likelihood the distortion is S / (2 std^2), where S is the squared error summed over pixels.",
        "The program has S / pixels + kl_weight * KL. Divide by kl_weight, so that the KL stands alone as in the ELBO.",
        "S / (pixels * kl_weight) must be S / (2 std^2). Solve for std.",
    ),
    mistakes=(
        Mistake(
            "Forgot the 2",
            lambda pixels, kl_weight: math.sqrt(2) * believed_pixel_std(pixels, kl_weight),
            "The density of a Gaussian has 2 std^2 in its exponent.",
        ),
        Mistake(
            "Multiplied by the 2",
            lambda pixels, kl_weight: 2 * believed_pixel_std(pixels, kl_weight),
            "2 std^2 is pixels times weight, so std^2 is *half* of that.",
        ),
        Mistake(
            "The variance, not the standard deviation",
            lambda pixels, kl_weight: believed_pixel_std(pixels, kl_weight).square(),
            "You found std^2. Take its root.",
        ),
        Mistake(
            "Neither halved nor its root taken",
            lambda pixels, kl_weight: 2 * believed_pixel_std(pixels, kl_weight).square(),
            "2 std^2 is pixels times weight. Divide by 2, then take the root.",
        ),
        Mistake(
            "Squared in place of the root",
            lambda pixels, kl_weight: believed_pixel_std(pixels, kl_weight) ** 4,
            "You found std^2 and squared it. Take its root.",
        ),
        Mistake(
            "The variance, divided by the weight",
            lambda pixels, kl_weight: believed_pixel_std(pixels, 1 / kl_weight).square(),
            "A larger weight makes the noise believed in larger: multiply. And take the root of std^2.",
        ),
        Mistake(
            "The log variance",
            lambda pixels, kl_weight: 2 * believed_pixel_std(pixels, kl_weight).log(),
            "You found log std^2. Leave out the log and take the root.",
        ),
        Mistake(
            "The precision",
            lambda pixels, kl_weight: 1 / believed_pixel_std(pixels, kl_weight).square(),
            "You found 1 / std^2. Turn it over and take the root.",
        ),
        Mistake(
            "The factor before the error",
            lambda pixels, kl_weight: 1 / (2 * believed_pixel_std(pixels, kl_weight).square()),
            "You found 1 / (2 std^2), what the summed error is multiplied by. Solve it for std.",
        ),
        Mistake(
            "Divided by the weight",
            lambda pixels, kl_weight: believed_pixel_std(pixels, 1 / kl_weight),
            "A larger weight on the KL makes the pixels count less: the noise believed in is larger, not smaller.",
        ),
        Mistake(
            "Divided by the weight, and forgot the 2",
            lambda pixels, kl_weight: math.sqrt(2) * believed_pixel_std(pixels, 1 / kl_weight),
            "The exponent of a Gaussian has 2 std^2, and the noise believed in grows with the weight on the KL.",
        ),
        Mistake(
            "The weight forgotten",
            lambda pixels, kl_weight: believed_pixel_std(pixels, torch.ones_like(kl_weight)),
            "In the ELBO the KL has the weight 1. Divide the whole loss by kl_weight first, the error too.",
        ),
        Mistake(
            "Took the mean for a sum",
            lambda pixels, kl_weight: believed_pixel_std(torch.ones_like(pixels), kl_weight),
            "The error is averaged over pixels, so it is smaller by their number. That is the very point.",
        ),
        Mistake(
            "The mean for a sum, and divided by the weight",
            lambda pixels, kl_weight: believed_pixel_std(torch.ones_like(pixels), 1 / kl_weight),
            "The error is smaller by the number of pixels, and counts less the larger kl_weight is. std^2 grows with both.",
        ),
        Mistake(
            "Took the mean for a sum, and forgot the 2",
            lambda pixels, kl_weight: math.sqrt(2) * believed_pixel_std(torch.ones_like(pixels), kl_weight),
            "The error is averaged over pixels, so it is smaller by their number; and a Gaussian has 2 std^2 in its exponent.",
        ),
        Mistake(
            "Divided by the pixels",
            lambda pixels, kl_weight: believed_pixel_std(1 / pixels, kl_weight),
            "S / pixels equals S / (2 std^2), with weight 1. So 2 std^2 is the number of pixels, not one over it.",
        ),
        Mistake(
            "Divided by the pixels, and forgot the 2",
            lambda pixels, kl_weight: math.sqrt(2) * believed_pixel_std(1 / pixels, kl_weight),
            "The exponent of a Gaussian has 2 std^2, and S / pixels is S / (2 std^2) with weight 1. So 2 std^2 is the pixels.",
        ),
        Mistake(
            "Solved upside down",
            lambda pixels, kl_weight: believed_pixel_std(1 / pixels, 1 / kl_weight),
            "S / (pixels * kl_weight) is S / (2 std^2). So 2 std^2 is pixels * kl_weight, not one over it.",
        ),
        Mistake(
            "Solved upside down, without the 2",
            lambda pixels, kl_weight: believed_pixel_std(2 / pixels, 1 / kl_weight),
            "S / (pixels * kl_weight) is S / (2 std^2). So 2 std^2, with its 2, is pixels * kl_weight, not one over it.",
        ),
        Mistake(
            "The weight outside of the root",
            lambda pixels, kl_weight: believed_pixel_std(pixels, kl_weight.square()),
            "It is std^2 that grows with the weight, so the root is of pixels and weight together.",
        ),
        Mistake(
            "The pixels outside of the root",
            lambda pixels, kl_weight: believed_pixel_std(pixels.square(), kl_weight),
            "It is std^2 that grows with the pixels, so the root is of pixels and weight together.",
        ),
        Mistake(
            "The 2 outside of the root",
            lambda pixels, kl_weight: believed_pixel_std(pixels, kl_weight) / math.sqrt(2),
            "2 std^2 is pixels times weight: divide by 2 first, then take the root.",
        ),
        Mistake(
            "The weight taken for a factor before the error",
            lambda pixels, kl_weight: believed_pixel_std(pixels, 1 + kl_weight),
            "The weight stands before the KL alone. Divide the whole loss by it.",
        ),
    ),
)

# --- when a training arrives ----------------------------------------------------------------------------------------


def epochs_to_target(losses: Tensor, target: float) -> Tensor:
    epochs = torch.ones_like(losses).cumsum(-1)  # 1, 2, 3, ... for each run
    return epochs.masked_fill(losses > target, torch.inf).amin(-1)


def _trainings() -> list[Arguments]:
    rows = [
        ([[3.0, 1.0]], 2.0),
        ([[4.0, 2.0, 1.0], [5.0, 3.0, 4.0]], 2.0),
        ([[5.0, 3.0, 2.0, 2.5, 1.0], [1.0, 4.0, 1.5, 1.2, 1.1], [9.0, 8.0, 7.0, 6.0, 5.0]], 2.0),
        ([[0.5], [1.0], [1.5]], 1.0),
        ([[3.0, 2.5], [4.0, 5.0]], 1.0),
        ([[3.0, 0.5, 2.0, 1.0], [1.0, 3.0, 4.0, 0.0]], 1.5),
    ]
    return [(double(losses), target) for losses, target in rows]


def _drawn_trainings(generator: Generator) -> Arguments:
    """Losses in halves, so that some hit the target; every run may never arrive, and may go up again."""
    runs, epochs = sizes(generator, 2, low=2, high=6)
    start = whole(generator, runs, 1, low=0, high=3)
    losses = (whole(generator, runs, epochs, high=7) + start) / 2
    return losses.double(), size(generator, 1, 5) / 2


def _lessons_trainings(generator: Generator) -> Arguments:
    falling = 250 + 60 * torch.linspace(1, -0.5, 24) + torch.arange(-15, 25, 10)[:, None]
    return (falling + 8 * torch.randn(4, 24, generator=generator)).round(), 250.0


def _never(result: Tensor, instead: float) -> Tensor:
    """``instead`` of inf for runs that never arrive."""
    return torch.where(result.isinf(), torch.full_like(result, instead), result)


def _fails(result: Tensor, error: Exception) -> Tensor:
    """The same, but no answer at all where a run never arrives."""
    if bool(result.isinf().any()):
        raise error
    return result


def _where_any(losses: Tensor, target: float, epochs: Tensor) -> Tensor:
    """``epochs`` for runs that arrive, inf for the others."""
    return torch.where((losses <= target).any(-1), epochs.to(losses.dtype), torch.inf)


_NEVER = "A run that never arrived would look like one that did. Answer inf."
_LOWEST = "argmin finds the lowest loss of the whole run. Asked for is the first that is at most the target, low or not."
_NEAREST = "The loss nearest to the target may lie above it, or come late. Take the first that is at most the target."
_LAST_EPOCH = "You took the last epoch at or below the target. The first is asked for."
_NO_ANSWER = "Some runs never get there, and your function fails for them. Their answer is inf."
_UP_AND_DOWN = "Losses go up and down. Epochs above the target may come after the first one below it."
_ALL_TOGETHER = "Each run has a number of its own: losses is (runs, epochs), the result (runs,)."

EPOCHS_TO_TARGET = Exercise(
    task=(
        "For each run the first epoch, counted from 1, whose loss is at most the target; inf for a run that never gets there. "
        "losses: (runs, epochs)."
    ),
    reference=epochs_to_target,
    cases=_trainings,
    generate=_drawn_trainings,
    lesson=_lessons_trainings,
    hints=(
        "Number the epochs 1, 2, 3, ... in each run, and strike out those whose loss is above the target.",
        "Put torch.inf in the place of those struck out. What is left to do is to take the smallest of each run.",
        "torch.ones_like(losses).cumsum(-1) numbers them, .masked_fill(losses > target, torch.inf) strikes out, "
        ".amin(-1) takes it.",
    ),
    mistakes=(
        Mistake(
            "Counted from 0",
            lambda losses, target: epochs_to_target(losses, target) - 1,
            "The first epoch is number 1: after it one epoch has been paid for.",
        ),
        Mistake(
            "One epoch too many",
            lambda losses, target: epochs_to_target(losses, target) + 1,
            "You count one epoch too many: a run that arrives with its first loss needs 1.",
        ),
        Mistake(
            "Never became the first epoch",
            lambda losses, target: _never(epochs_to_target(losses, target), 1),
            "argmax of a row without any hit is 0. A run that never arrived would look like the fastest of all.",
        ),
        Mistake(
            "Counted from 0, and never became the first epoch",
            lambda losses, target: _never(epochs_to_target(losses, target), 1) - 1,
            "argmax counts from 0, and is 0 for a row without any hit as well. Add 1, and answer inf where nothing was hit.",
        ),
        Mistake(
            "Never became the last epoch",
            lambda losses, target: _never(epochs_to_target(losses, target), losses.shape[-1]),
            "A run that never arrived must not look as if it had at the end. Answer inf.",
        ),
        Mistake(
            "Never became one more than the last epoch",
            lambda losses, target: _never(epochs_to_target(losses, target), losses.shape[-1] + 1),
            "Nobody knows whether such a run would have arrived in the next epoch. Answer inf.",
        ),
        Mistake(
            "Struck out with 0",
            lambda losses, target: torch.where((losses <= target).all(-1), torch.ones_like(losses[:, 0]), 0),
            "0 is smaller than the number of any epoch, so the smallest is nearly always 0. Strike out with inf.",
        ),
        Mistake("Never became 0", lambda losses, target: _never(epochs_to_target(losses, target), 0), _NEVER),
        Mistake("Never became -1", lambda losses, target: _never(epochs_to_target(losses, target), -1), _NEVER),
        Mistake(
            "Never became nan",
            lambda losses, target: _never(epochs_to_target(losses, target), torch.nan),
            "nan cannot be compared with other runs. A run that never arrives takes longer than all others: inf.",
        ),
        Mistake(
            "Never became minus infinity",
            lambda losses, target: _never(epochs_to_target(losses, target), -torch.inf),
            "Never is later than any epoch: plus infinity, and the smallest of what is left.",
        ),
        Mistake(
            "Runs that never arrive left out",
            lambda losses, target: epochs_to_target(losses, target)[(losses <= target).any(-1)],
            "Every run has an entry, in order. Those that never get there have inf.",
        ),
        Mistake(
            "No answer for a run that never arrives",
            lambda losses, target: _fails(epochs_to_target(losses, target), IndexError()),
            _NO_ANSWER,
        ),
        Mistake(
            "No answer for a run that never arrives",
            lambda losses, target: _fails(epochs_to_target(losses, target), ValueError()),
            _NO_ANSWER,
        ),
        Mistake(
            "No answer for a run that never arrives",
            lambda losses, target: _fails(epochs_to_target(losses, target), StopIteration()),
            _NO_ANSWER,
        ),
        Mistake(
            "Strictly below",
            lambda losses, target: epochs_to_target(losses.masked_fill(losses == target, torch.inf), target),
            "At most the target: a loss equal to it has arrived.",
        ),
        Mistake(
            "At least the target",
            lambda losses, target: epochs_to_target(-losses, -target),
            "A run arrives when its loss has come *down* to the target.",
        ),
        Mistake(
            "Above the target",
            lambda losses, target: epochs_to_target((-losses).masked_fill(losses == target, torch.inf), -target),
            "The comparison is the wrong way round: masked_fill fills where its mask is True, so strike out losses > target.",
        ),
        Mistake(
            "The last epoch in the place of the first",
            lambda losses, target: (losses.shape[-1] + 1 - epochs_to_target(losses.flip(-1), target)).abs(),
            _LAST_EPOCH,
        ),
        Mistake(
            "The last epoch in the place of the first",
            lambda losses, target: (losses.shape[-1] + 1 - epochs_to_target(losses.flip(-1), target)).clamp_min(0),
            _LAST_EPOCH,
        ),
        Mistake(
            "The epoch of the lowest loss",
            lambda losses, target: (losses.argmin(-1) + 1).to(losses.dtype),
            _LOWEST,
        ),
        Mistake(
            "The epoch of the lowest loss",
            lambda losses, target: _where_any(losses, target, losses.argmin(-1) + 1),
            _LOWEST,
        ),
        Mistake(
            "The lowest loss, not its epoch",
            lambda losses, target: losses.masked_fill(losses > target, torch.inf).amin(-1),
            "You return a loss. Put inf into the *numbers of the epochs*, and take the smallest of those.",
        ),
        Mistake(
            "The epoch nearest to the target",
            lambda losses, target: ((losses - target).abs().argmin(-1) + 1).to(losses.dtype),
            _NEAREST,
        ),
        Mistake(
            "The epoch nearest to the target",
            lambda losses, target: _where_any(losses, target, (losses - target).abs().argmin(-1) + 1),
            _NEAREST,
        ),
        Mistake(
            "Exactly at the target",
            lambda losses, target: epochs_to_target(losses.masked_fill(losses < target, torch.inf), target),
            "A loss below the target has arrived too: at most, <=.",
        ),
        Mistake(
            "Counted the epochs above the target",
            lambda losses, target: ((losses > target).sum(-1) + 1).to(losses.dtype),
            _UP_AND_DOWN,
        ),
        Mistake(
            "Counted the epochs above the target",
            lambda losses, target: (losses > target).sum(-1).to(losses.dtype),
            _UP_AND_DOWN,
        ),
        Mistake(
            "Counted the epochs above the target",
            lambda losses, target: _where_any(losses, target, (losses > target).sum(-1) + 1),
            _UP_AND_DOWN,
        ),
        Mistake(
            "Never because of other epochs",
            lambda losses, target: epochs_to_target(losses, target).where((losses <= target).all(-1), torch.inf),
            "A run has arrived if *any* of its losses is at most the target. You ask for all.",
        ),
        Mistake(
            "One answer to whether runs arrive",
            lambda losses, target: (
                _never(epochs_to_target(losses, target), 1) if (losses <= target).any() else epochs_to_target(losses, target)
            ),
            "any() without a dimension asks whether some run arrives. Each run arrives or not by itself: any(-1).",
        ),
        Mistake(
            "Every epoch that is good enough",
            lambda losses, target: (losses <= target).nonzero()[:, 1] + 1,
            "These are the epochs of all runs in one row. Each run has one number, that of its first.",
        ),
        Mistake(
            "Counted the epochs at or below the target",
            lambda losses, target: (losses <= target).sum(-1).to(losses.dtype),
            "This is how many epochs are good enough. Asked for is the number of the first of them.",
        ),
        Mistake(
            "Counted the epochs at or below the target",
            lambda losses, target: torch.where(
                (losses <= target).any(-1), (losses <= target).sum(-1).to(losses.dtype), torch.inf
            ),
            "This is how many epochs are good enough. Asked for is the number of the first of them.",
        ),
        Mistake(
            "Whether it arrives, not when",
            lambda losses, target: (losses <= target).any(-1),
            "True or False says whether a run arrives. Return the number of the epoch.",
        ),
        Mistake(
            "Below for good",
            lambda losses, target: epochs_to_target(losses.flip(-1).cummax(-1).values.flip(-1), target),
            "A run arrives with its first loss at or below the target, also if it goes up again later.",
        ),
        Mistake("Runs and epochs swapped", lambda losses, target: epochs_to_target(losses.mT, target), _ALL_TOGETHER),
        Mistake(
            "The smallest over the runs",
            lambda losses, target: torch.ones_like(losses).cumsum(-1).masked_fill(losses > target, torch.inf).amin(0),
            "Dimension 0 holds the runs. Take the smallest over the epochs, dimension -1.",
        ),
        Mistake(
            "The run that arrives first",
            lambda losses, target: epochs_to_target(losses, target).min(),
            _ALL_TOGETHER,
        ),
        Mistake(
            "The mean of all runs",
            lambda losses, target: epochs_to_target(losses.mean(0), target),
            _ALL_TOGETHER,
        ),
    ),
)

EXERCISES = (ARTICLES_BOUND, BELIEVED_PIXEL_STD, EPOCHS_TO_TARGET)

PREDICTIONS = (
    Prediction(
        "digits_without_a_kl",
        ("yes", "no"),
        answer="no",
        because="its codes lie far out, each in its own place, and draws from the prior fall between them.",
        wrong={
            "yes": (
                "It rebuilds digits well, so its decoder must know what digits are. But it knows them at the codes that its "
                "encoder makes, and without a KL nothing brings these to where the draws fall."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_to_watch",
        question=(
            "The loss of a program falls, with faults and without. What else would you look at before you believe that a "
            "VAE is being trained, and what does it tell you?"
        ),
        model=(
            "The rate: near zero it says that $z$ is idle, and where it grows while σ shrinks nobody charges for it. And "
            "the error with another image's $z$: if it stays the same, the decoder does not listen, however high the rate. "
            "The loss alone can fall because the decoder reads its input."
        ),
        rubric=(
            "a falling loss proves nothing, since a decoder that sees its input has a low one;",
            "the rate tells whether anything is sent, and whether it is charged for;",
            "another image's $z$ tells whether the decoder listens.",
        ),
    ),
)
