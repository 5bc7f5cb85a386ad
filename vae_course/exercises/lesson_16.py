"""Exercises of lesson 16: soft discrete choices, and hard ones with the gradient of soft ones."""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import doubles, flags, numbers, probabilities, size, sizes
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def _drawn_shape(generator: Generator) -> list[int]:
    """One to three different sizes, each at least 2."""
    return sizes(generator, size(generator, 1, 3), 2, 5)


# --- Gumbel-softmax -------------------------------------------------------------------------------------------------


def gumbel_softmax(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    gumbel = -torch.log(-torch.log(uniform))
    return torch.softmax((logits + gumbel) / temperature, dim=-1)


def _logits_and_noise() -> list[Arguments]:
    rows: list[tuple[list[object], list[object], float]] = [
        ([0.2, -0.3], [0.7, 0.4], 0.5),
        ([1.5, 0.5], [0.3, 0.5], 1.0),
        ([1.0, 0.0, -1.0], [0.3, 0.6, 0.9], 2.0),
        ([[0.5, 0.1, -0.4], [2.0, 0.0, 1.0]], [[0.2, 0.8, 0.5], [0.35, 0.95, 0.6]], 0.7),
        ([[[0.5, 0.1], [-0.4, 1.0], [0.0, 0.3]]], [[[0.2, 0.8], [0.5, 0.6], [0.9, 0.1]]], 1.5),
    ]
    return [(*doubles(logits, uniform), temperature) for logits, uniform, temperature in rows]


def _drawn_logits_and_noise(generator: Generator) -> Arguments:
    shape = _drawn_shape(generator)
    temperature = size(generator, 3, 30) / 10
    return numbers(generator, *shape), numbers(generator, *shape, low=0.02, high=0.98), temperature


def _lesson_logits_and_noise(generator: Generator) -> Arguments:
    uniform = torch.rand(128, 20, generator=generator).clamp(0.001, 0.999)
    return torch.randn(128, 20, generator=generator), uniform, 0.5


def _gumbel(uniform: Tensor) -> Tensor:
    return -torch.log(-torch.log(uniform))


GUMBEL_SOFTMAX = Exercise(
    task="A soft sample from softmax(logits), made from uniform noise in (0, 1) at a temperature: (..., categories).",
    reference=gumbel_softmax,
    cases=_logits_and_noise,
    generate=_drawn_logits_and_noise,
    lesson=_lesson_logits_and_noise,
    gradients=("logits",),
    hints=(
        "First turn the uniform noise u into Gumbel noise, -log(-log u).",
        "Add it to the logits. The temperature divides the sum of both.",
        "torch.softmax((logits + gumbel) / temperature, dim=-1)",
    ),
    mistakes=(
        Mistake(
            "The sign of the Gumbel noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits - 2 * _gumbel(uniform), uniform, temperature),
            "Gumbel noise is -log(-log u), and it is added. It is not symmetric, so its sign matters.",
        ),
        Mistake(
            "Only one logarithm",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits - uniform.log() - _gumbel(uniform), uniform, temperature
            ),
            "-log u is exponential noise. Gumbel noise takes the log once more: -log(-log u).",
        ),
        Mistake(
            "The logarithm of the uniform noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits + uniform.log() - _gumbel(uniform), uniform, temperature
            ),
            "Gumbel noise takes two logarithms, each with a minus in front: -log(-log u).",
        ),
        Mistake(
            "The logarithm of a negative number",
            lambda logits, uniform, temperature: gumbel_softmax(logits - uniform.log().log(), uniform, temperature),
            "log u is negative, so its log is nan: the inner minus sign is missing in -log(-log u).",
        ),
        Mistake(
            "Uniform noise added",
            lambda logits, uniform, temperature: gumbel_softmax(logits + uniform - _gumbel(uniform), uniform, temperature),
            "Turn the uniform noise into Gumbel noise first, -log(-log u); only that makes the argmax an exact sample.",
        ),
        Mistake(
            "Logistic noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits + uniform.logit() - _gumbel(uniform), uniform, temperature
            ),
            "log u - log(1 - u) is the difference of two Gumbel noises, right for a choice between two. Here each category "
            "gets one, -log(-log u).",
        ),
        Mistake(
            "Gumbel noise of 1 - u",
            lambda logits, uniform, temperature: gumbel_softmax(logits, 1 - uniform, temperature),
            "1 - u is uniform too, so the distribution is right. But it is another draw than -log(-log u), asked for here.",
        ),
        Mistake(
            "No noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits - _gumbel(uniform), uniform, temperature),
            "Without noise every sample is the same. Add -log(-log u) to the logits.",
        ),
        Mistake(
            "The logits are multiplied by the noise",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits * _gumbel(uniform) - _gumbel(uniform), uniform, temperature
            ),
            "Gumbel noise is added to the logits.",
        ),
        Mistake(
            "No temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1.0),
            "This is the sample at temperature 1. Divide the sum of logits and noise by the temperature.",
        ),
        Mistake(
            "Multiplied by the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1 / temperature),
            "Cold must mean decided: a small temperature makes the differences large, so divide by it.",
        ),
        Mistake(
            "A minus in front of the logits and the noise",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, -temperature),
            "With a minus the *least* likely category wins. Divide logits plus noise by the temperature, without one.",
        ),
        Mistake(
            "Only the noise is divided",
            lambda logits, uniform, temperature: gumbel_softmax(logits * temperature, uniform, temperature),
            "Divide the sum of logits and noise, or the argmax is no longer a sample of softmax(logits).",
        ),
        Mistake(
            "The noise is outside the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits / temperature, uniform, 1.0),
            "Divide the sum of logits and noise: here the noise escapes the temperature, and never becomes decided.",
        ),
        Mistake(
            "The noise is multiplied by the temperature",
            lambda logits, uniform, temperature: gumbel_softmax(logits / temperature, uniform, 1 / temperature),
            "The noise is added as it is, and the temperature divides the sum of logits and noise.",
        ),
        Mistake(
            "Divided after the softmax",
            lambda logits, uniform, temperature: gumbel_softmax(logits, uniform, 1.0) / temperature,
            "Then the result does not add up to 1. The temperature divides what goes *into* the softmax.",
        ),
        Mistake(
            "Softmax over the wrong dimension",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits.transpose(0, -1), uniform.transpose(0, -1), temperature
            ).transpose(0, -1),
            "Categories are on the last dimension, dim=-1; the others hold independent choices.",
        ),
        Mistake(
            "Softmax over dimension 1",
            lambda logits, uniform, temperature: gumbel_softmax(
                logits.transpose(1, -1), uniform.transpose(1, -1), temperature
            ).transpose(1, -1),
            "There may be one dimension or three, and the categories are always on the last: dim=-1.",
        ),
        Mistake(
            "Normalized over everything",
            lambda logits, uniform, temperature: gumbel_softmax(logits.flatten(), uniform.flatten(), temperature).reshape(
                logits.shape
            ),
            "Each choice adds up to 1 over its own categories, the last dimension, not all choices together.",
        ),
        Mistake(
            "Noise added to probabilities",
            lambda logits, uniform, temperature: gumbel_softmax(logits.softmax(-1), uniform, temperature),
            "The noise is added to the logits themselves (log probabilities), before any softmax.",
        ),
        Mistake(
            "Logits read as probabilities",
            lambda logits, uniform, temperature: gumbel_softmax(logits.log(), uniform, temperature),
            "Logits are logs already, up to a constant, and may be negative: take no log of them.",
        ),
        Mistake(
            "The softmax is missing",
            lambda logits, uniform, temperature: (logits + _gumbel(uniform)) / temperature,
            "These are the noisy logits. A softmax over the last dimension turns them into a soft choice.",
        ),
        Mistake(
            "Not normalized",
            lambda logits, uniform, temperature: ((logits + _gumbel(uniform)) / temperature).exp(),
            "A soft choice adds up to 1 over the categories: divide by the sum, or use torch.softmax.",
        ),
        Mistake(
            "A sigmoid in place of the softmax",
            lambda logits, uniform, temperature: torch.sigmoid((logits + _gumbel(uniform)) / temperature),
            "A sigmoid decides about every category for itself. One choice among them adds up to 1: use a softmax.",
        ),
        Mistake(
            "A hard choice",
            lambda logits, uniform, temperature: functional.one_hot(
                gumbel_softmax(logits, uniform, temperature).argmax(-1), logits.shape[-1]
            ).to(logits.dtype),
            "This is the exact sample, but argmax passes no gradient on: replace it by a softmax with a temperature.",
        ),
        Mistake(
            "Straight through already",
            lambda logits, uniform, temperature: straight_through(gumbel_softmax(logits, uniform, temperature)),
            "The gradient is right and the value one-hot. That is the next exercise; here the value is soft as well.",
        ),
    ),
)

# --- straight through -----------------------------------------------------------------------------------------------


def straight_through(soft: Tensor) -> Tensor:
    hard = torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return hard + (soft - soft.detach())


def _soft_samples() -> list[Arguments]:
    return [
        doubles([0.3, 0.7]),
        doubles([0.5, 0.5]),
        doubles([0.4, 0.35, 0.25]),
        doubles([1.0, 0.0, 0.0]),
        doubles([[0.1, 0.2, 0.7], [0.45, 0.3, 0.25]]),
        doubles([[[0.1, 0.9], [0.6, 0.4], [0.2, 0.8]]]),
    ]


def _drawn_soft_samples(generator: Generator) -> Arguments:
    """The largest is the only one: a tie is among the cases made by hand."""
    shape = _drawn_shape(generator)
    soft = probabilities(generator, *shape, zeros=bool(flags(generator)))
    return (0.9 * soft + 0.1 * functional.one_hot(soft.argmax(-1), shape[-1]),)


def _hard_at(winner: Tensor, categories: int) -> Tensor:
    """``one_hot``; an index that is too large raises on every device, while a GPU would stop for good."""
    if int(winner.max()) >= categories:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return functional.one_hot(winner, categories)


STRAIGHT_THROUGH = Exercise(
    task="From soft samples (..., categories): the value is the one-hot of the largest (of equal ones the first), the gradient "
    "that of the soft sample.",
    reference=straight_through,
    cases=_soft_samples,
    generate=_drawn_soft_samples,
    lesson=lambda g: (torch.softmax(2 * torch.randn(128, 20, generator=g), dim=-1),),
    gradients=("soft",),
    hints=(
        "Value and gradient come from two different things: the one from a hard choice, the other from soft.",
        "Add to the hard choice something whose value is 0 and whose gradient is that of soft: soft - soft.detach().",
        "hard is torch.nn.functional.one_hot(soft.argmax(-1), soft.shape[-1]), which is of integers: .to(soft.dtype). "
        "Then add.",
    ),
    mistakes=(
        Mistake(
            "The gradient is lost",
            lambda soft: straight_through(soft).detach(),
            "argmax has no gradient. Add soft - soft.detach(): it is 0, and carries the gradient.",
        ),
        Mistake(
            "The value is still soft",
            lambda soft: straight_through(soft) - straight_through(soft).detach() + soft.detach(),
            "The value must be exactly one-hot; only the gradient is that of the soft sample.",
        ),
        Mistake(
            "The wrong half is detached",
            lambda soft: 2 * straight_through(soft).detach() - straight_through(soft),
            "The values are right, but the gradient has the wrong sign: detach the half that is subtracted.",
        ),
        Mistake(
            "The soft value is not taken off again",
            lambda soft: straight_through(soft) + soft.detach(),
            "The gradient is right, but the value is one-hot plus soft: subtract soft.detach().",
        ),
        Mistake(
            "The soft value is taken off without being added",
            lambda soft: (straight_through(soft) - soft).detach(),
            "This is the one-hot minus the soft sample. Add soft itself as well: the values cancel, and its gradient stays.",
        ),
        Mistake(
            "The hard value is missing",
            lambda soft: straight_through(soft) - straight_through(soft).detach(),
            "soft - soft.detach() has the gradient, and the value 0. Add the one-hot of the largest.",
        ),
        Mistake(
            "The soft sample is masked",
            lambda soft: straight_through(soft).detach() * soft,
            "Masking keeps the winner's weight below 1 and passes no gradient to the others.",
        ),
        Mistake(
            "Only the winner gets a gradient",
            lambda soft: straight_through(soft).detach() * (1 + soft - soft.detach()),
            "The values are right, but the gradient must be that of the whole soft sample: the losers have theirs too.",
        ),
        Mistake(
            "The soft sample divided by its own value",
            lambda soft: straight_through(soft).detach() * soft / soft.detach(),
            "The winner is 1, but its gradient is divided by its value, and the others get none (or nan, where soft is 0). "
            "*Add* something whose value is 0: soft - soft.detach().",
        ),
        Mistake(
            "A threshold instead of the largest",
            lambda soft: (soft > 0.5).to(soft.dtype) + soft - soft.detach(),
            "With three categories the largest may lie below 0.5, and then nothing is chosen: use argmax.",
        ),
        Mistake(
            "A threshold that two may reach",
            lambda soft: (soft >= 0.5).to(soft.dtype) + soft - soft.detach(),
            "The largest may lie below 0.5, and then nothing is chosen; and two may have 0.5 each. Use argmax.",
        ),
        Mistake(
            "Several winners",
            lambda soft: (soft == soft.amax(-1, keepdim=True)).to(soft.dtype) + soft - soft.detach(),
            "Two categories may share the largest value, and both become 1 here. One-hot has one 1; argmax gives the first.",
        ),
        Mistake(
            "The largest number of all samples",
            lambda soft: (soft == soft.max()).to(soft.dtype) + soft - soft.detach(),
            "Each sample has a winner of its own, and exactly one: soft.argmax(-1).",
        ),
        Mistake(
            "The last of equal ones",
            lambda soft: straight_through(soft.flip(-1)).flip(-1),
            "Where two categories share the largest value, the first of them is asked for; argmax gives that.",
        ),
        Mistake(
            "The smallest wins",
            lambda soft: straight_through(-soft).detach() + soft - soft.detach(),
            "The one-hot belongs to the largest soft value: argmax.",
        ),
        Mistake(
            "The largest over the wrong dimension",
            lambda soft: straight_through(soft.transpose(0, -1)).transpose(0, -1),
            "Categories are on the last dimension: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over dimension 0",
            lambda soft: _hard_at(soft.argmax(0), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "Categories are on the last dimension, and there may be several samples: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over dimension 1",
            lambda soft: _hard_at(soft.argmax(1), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "There may be one dimension or three, and the categories are always on the last: soft.argmax(-1).",
        ),
        Mistake(
            "argmax over everything",
            lambda soft: _hard_at(soft.argmax(), soft.shape[-1]).to(soft.dtype) + soft - soft.detach(),
            "Without a dimension argmax looks for the one largest number of all samples. Each sample has a winner: argmax(-1).",
        ),
        Mistake(
            "one_hot without the number of categories",
            lambda soft: functional.one_hot(soft.argmax(-1)).to(soft.dtype) + soft - soft.detach(),
            "one_hot guesses the number of categories from the largest index that it sees. Tell it: soft.shape[-1].",
        ),
        Mistake(
            "The index of the winner",
            lambda soft: soft.argmax(-1).to(soft.dtype),
            "argmax gives the place of the largest. Make a one-hot of it, with torch.nn.functional.one_hot.",
        ),
        Mistake(
            "Softmax taken again",
            lambda soft: straight_through(soft.softmax(-1)),
            "The values are right, but the gradient goes through a second softmax. The samples are soft already.",
        ),
        Mistake(
            "The value of the largest",
            lambda soft: soft.max(-1).values,
            "This is how large the winner is. Asked for is a one-hot, as long as the soft sample.",
        ),
    ),
)

EXERCISES = (GUMBEL_SOFTMAX, STRAIGHT_THROUGH)

PREDICTIONS = (
    Prediction(
        "best_temperature",
        ("coldest", "in between", "hottest"),
        answer="in between",
        because="a cold softmax is noisy and a hot one is biased, and with 100 draws neither error may be left out.",
        wrong={
            "coldest": (
                "The coldest softmax comes nearest to a real choice, so its bias is the smallest. But its slope is almost "
                "always near 0 and now and then huge, and 100 draws do not average that away."
            ),
            "hottest": (
                "Hot draws have the least noise. But they are far from a choice of one category, and more draws do nothing "
                "about the bias that comes of it."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "what_a_soft_choice_is_for",
        question="An argmax of logits plus Gumbel noise is an exact draw. Why does Gumbel-softmax give that exactness away?",
        model=(
            "An argmax is flat wherever a draw lands, so no gradient passes through it. The softmax is an approximation that "
            "has a slope, and its temperature sets how far it is from a real choice and how noisy its gradient is."
        ),
        rubric=(
            "the slope of an argmax is 0 wherever a draw lands;",
            "a softmax has a slope, but is no choice of one category, so its gradient is biased;",
            "the temperature sets bias against noise.",
        ),
    ),
)
