"""Exercises of lesson 00: two small ones, to learn how exercises answer."""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import binary_cross_entropy

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.making import numbers, size, sizes
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction


def to_bits(nats: Tensor) -> Tensor:
    return nats / math.log(2)


def _amounts() -> list[Arguments]:
    return [(torch.tensor(amount, dtype=torch.float64),) for amount in ([0.0], [1.0], [0.5, 2.0, -1.0], [[3.0], [0.1]])]


def _drawn_amounts(generator: Generator) -> Arguments:
    """Of one dimension or two."""
    return (numbers(generator, *sizes(generator, size(generator, 1, 2)), low=-3, high=9),)


TO_BITS = Exercise(
    task="Convert amounts of information from nats to bits.",
    reference=to_bits,
    cases=_amounts,
    generate=_drawn_amounts,
    lesson=lambda g: (numbers(g, 200).float(),),
    hints=(
        "A nat is the larger unit: 1 nat is about 1.4427 bits. So the number must grow.",
        "How many nats are one bit? ln 2, about 0.693. So the question is how often that goes into the number of nats.",
        "Divide nats by the natural logarithm of 2, math.log(2).",
    ),
    mistakes=(
        Mistake(
            "Multiplied instead of divided",
            lambda nats: to_bits(nats) * math.log(2) ** 2,
            "That turns bits into nats.",
        ),
        Mistake("ln 2 rounded", lambda nats: nats / 0.693, "0.693 is rounded: write math.log(2)."),
        Mistake(
            "Multiplied, by ln 2 rounded",
            lambda nats: nats * 0.693,
            "Divide: that turns bits into nats. And 0.693 is rounded: write math.log(2).",
        ),
        Mistake("Nothing converted", lambda nats: to_bits(nats) * math.log(2), "These are still nats: divide by ln 2."),
        Mistake(
            "Wrong base",
            lambda nats: to_bits(nats) * math.log(2) / math.log(10),
            "Dividing by ln 10 gives decimal digits; bits need ln 2.",
        ),
        Mistake(
            "Decimal logarithm of 2",
            lambda nats: to_bits(nats) * math.log(2) / math.log10(2),
            "A nat goes with the natural logarithm: math.log(2), 0.693, not math.log10(2), 0.301.",
        ),
        Mistake("Divided by 2", lambda nats: nats / 2, "It is the logarithm of 2 that converts, 0.693, not 2 itself."),
        Mistake("Multiplied by 2", lambda nats: nats * 2, "A nat is 1 / ln 2, about 1.44 bits, not 2: divide by ln 2."),
        Mistake("Divided by 8", lambda nats: nats / 8, "That would turn bits into bytes. Divide nats by ln 2."),
        Mistake("Divided by e", lambda nats: nats / math.e, "Not e itself converts, but the natural logarithm of 2."),
        Mistake(
            "Binary logarithm of the amount",
            lambda nats: torch.log2(nats),
            "The amount is already a logarithm; only its unit changes.",
        ),
        Mistake(
            "Natural logarithm of the amount",
            lambda nats: torch.log(nats),
            "The amount is already a logarithm; only its unit changes.",
        ),
        Mistake(
            "A power of e",
            lambda nats: torch.exp(nats),
            "An amount in nats is a logarithm, and stays one in bits; only its unit changes.",
        ),
        Mistake(
            "A power of 2",
            lambda nats: torch.exp2(nats),
            "An amount in nats is a logarithm, and stays one in bits; only its unit changes.",
        ),
        Mistake(
            "Rounded to whole bits",
            lambda nats: to_bits(nats).round(),
            "Amounts of information need not be whole: leave out the rounding.",
        ),
        Mistake(
            "Rounded up to whole bits",
            lambda nats: to_bits(nats).ceil(),
            "Amounts of information need not be whole: leave out the rounding.",
        ),
        Mistake(
            "Rounded down to whole bits",
            lambda nats: to_bits(nats).floor(),
            "Amounts of information need not be whole: / divides, // rounds down.",
        ),
        Mistake(
            "The sign lost",
            lambda nats: to_bits(nats).abs(),
            "A negative amount stays negative: only the unit changes.",
        ),
        Mistake(
            "Added up",
            lambda nats: to_bits(nats).sum(),
            "Each amount is right. Convert each for itself: the result has the shape of what was given.",
        ),
    ),
)


def error_per_image(originals: Tensor, reconstructions: Tensor) -> Tensor:
    return (originals - reconstructions).square().sum(-1)


def _batches() -> list[Arguments]:
    rows: list[tuple[object, object]] = [
        ([[1.0, 0.0]], [[0.5, 0.0]]),
        ([[1.0, 0.0, 0.25], [0.0, 0.5, 1.0]], [[0.5, 0.0, 0.5], [1.0, 1.0, 0.0]]),
        ([[0.5], [0.25], [1.0]], [[0.5], [1.0], [0.0]]),
    ]
    return [(torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)) for x, y in rows]


def _drawn_images(generator: Generator) -> Arguments:
    batch, pixels = sizes(generator, 2)
    return numbers(generator, batch, pixels, low=0, high=1), numbers(generator, batch, pixels, low=0, high=1)


ERROR_PER_IMAGE = Exercise(
    task="The squared error of each image (batch, pixels), summed over its pixels: shape (batch,).",
    reference=error_per_image,
    cases=_batches,
    generate=_drawn_images,
    lesson=lambda g: (torch.rand(100, 64, generator=g), torch.rand(100, 64, generator=g)),
    gradients=("reconstructions",),
    hints=(
        "Each image keeps a number of its own; only its pixels are added up.",
        "Subtract, square, then sum over the last dimension only: the pixels lie there.",
        ".square() squares each number, and .sum(-1) leaves one number for each image.",
    ),
    mistakes=(
        Mistake(
            "Mean where a sum was asked",
            lambda images, reconstructions: error_per_image(images, reconstructions) / images.shape[-1],
            "A mean over pixels makes the error smaller by the number of pixels. In a VAE's loss that matters very much.",
        ),
        Mistake(
            "Divided by 64",
            lambda images, reconstructions: error_per_image(images, reconstructions) / 64,
            "That is a mean over the pixels of the lesson's images. The sum is asked for.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda images, reconstructions: error_per_image(images, reconstructions).sum(),
            "Keep one number for each image: sum over the last dimension only, .sum(-1).",
        ),
        Mistake(
            "Averaged over everything",
            lambda images, reconstructions: error_per_image(images, reconstructions).sum() / images.numel(),
            "Keep one number for each image, and sum over its pixels: .sum(-1).",
        ),
        Mistake(
            "Averaged over the batch",
            lambda images, reconstructions: error_per_image(images, reconstructions).mean(),
            "Each image's error is right. Keep one number for each image, and do not average them.",
        ),
        Mistake(
            "Not summed",
            lambda images, reconstructions: (images - reconstructions).square(),
            "These are the squared errors of the pixels. Add them up for each image: .sum(-1).",
        ),
        Mistake(
            "Not squared",
            lambda images, reconstructions: (images - reconstructions).sum(-1),
            "Without the square, errors up and errors down cancel.",
        ),
        Mistake(
            "Summed before it was squared",
            lambda images, reconstructions: (images - reconstructions).sum(-1).square(),
            "Errors up and errors down cancel in the sum: square first, then sum.",
        ),
        Mistake(
            "Difference of the squares",
            lambda images, reconstructions: (images.square() - reconstructions.square()).sum(-1),
            "Subtract first, then square the difference.",
        ),
        Mistake(
            "Absolute instead of squared",
            lambda images, reconstructions: (images - reconstructions).abs().sum(-1),
            "That is a fine measure too, but here the *squared* error was asked.",
        ),
        Mistake(
            "The square root taken",
            lambda images, reconstructions: (images - reconstructions).norm(dim=-1),
            "That is the distance, a norm: the square root of what was asked. Leave the root out.",
        ),
        Mistake(
            "Cross-entropy",
            lambda images, reconstructions: binary_cross_entropy(reconstructions, images, reduction="none").sum(-1),
            "That is another measure, for pixels that are on or off. Here the squared error was asked.",
        ),
        Mistake(
            "Half of the squared error",
            lambda images, reconstructions: error_per_image(images, reconstructions) / 2,
            "The half belongs to a Gaussian's log density. Here the squared error itself was asked.",
        ),
        Mistake(
            "Largest error only",
            lambda images, reconstructions: (images - reconstructions).square().amax(-1),
            "All pixels count: sum over them.",
        ),
        Mistake(
            "Added instead of subtracted",
            lambda images, reconstructions: error_per_image(images, -reconstructions),
            "An error is a difference: images - reconstructions.",
        ),
        Mistake(
            "Wrong dimension",
            lambda images, reconstructions: (images - reconstructions).square().sum(0),
            "Dimension 0 holds the images. Sum over the pixels, dimension -1.",
        ),
        Mistake(
            "Mean over the images, for each pixel",
            lambda images, reconstructions: (images - reconstructions).square().mean(0),
            "Dimension 0 holds the images. Sum over the pixels, dimension -1.",
        ),
    ),
)

EXERCISES = (TO_BITS, ERROR_PER_IMAGE)

PREDICTIONS = (
    Prediction(
        "random_codes",
        ("noise", "always the same", "like digits"),
        answer="like digits",
        because="a VAE is trained so that codes from the bell curve decode to something like its data.",
        wrong={
            "noise": (
                "No digit ever had these codes, so they might decode to anything, and a plain autoencoder promises nothing "
                "better. But this decoder was trained on noisy codes that were held to the very bell curve that they are "
                "drawn from."
            ),
            "always the same": (
                "A decoder that ignores its code does that, and later lessons will meet one. This one needs the code: without "
                "it, it could not draw the scanned digits again."
            ),
        },
    ),
)

EXPLANATIONS: tuple[Explanation, ...] = ()
