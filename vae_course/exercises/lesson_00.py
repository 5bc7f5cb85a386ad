"""Exercises of lesson 00: two small ones, to learn how exercises answer."""

import math

import torch
from torch import Generator, Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.making import numbers, size, sizes
from vae_course.exercises.mistakes import Mistake


def to_bits(nats: Tensor) -> Tensor:
    return nats / math.log(2)


def _amounts() -> list[Arguments]:
    return [(torch.tensor(amount, dtype=torch.float64),) for amount in ([0.0], [1.0], [0.5, 2.0, -1.0])]


TO_BITS = Exercise(
    task="Convert amounts of information from nats to bits.",
    reference=to_bits,
    cases=_amounts,
    generate=lambda g: (numbers(g, size(g), low=-3, high=9),),
    lesson=lambda g: (numbers(g, 200).float(),),
    hints=(
        "A nat is the larger unit: 1 nat is about 1.4427 bits. So the number must grow.",
        "Divide by the natural logarithm of 2, math.log(2), which is about 0.693.",
    ),
    mistakes=(
        Mistake("Multiplied instead of divided", lambda nats: nats * math.log(2), "That turns bits into nats."),
        Mistake("Wrong base", lambda nats: nats / math.log(10), "Dividing by ln 10 gives decimal digits; bits need ln 2."),
        Mistake("Divided by 2", lambda nats: nats / 2, "It is the logarithm of 2 that converts, 0.693, not 2 itself."),
        Mistake(
            "Logarithm of the amount",
            lambda nats: torch.log2(nats),
            "The amount is already a logarithm; only its unit changes.",
        ),
    ),
)


def error_per_image(images: Tensor, reconstructions: Tensor) -> Tensor:
    return (images - reconstructions).square().sum(-1)


def _batches() -> list[Arguments]:
    rows: list[tuple[object, object]] = [
        ([[1.0, 0.0]], [[0.5, 0.0]]),
        ([[1.0, 0.0, 0.25], [0.0, 0.5, 1.0]], [[0.5, 0.0, 0.5], [1.0, 1.0, 0.0]]),
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
    hints=(
        "Subtract, square, then sum over the last dimension only.",
        ".sum(-1) sums over the last dimension and leaves one number for each image.",
    ),
    mistakes=(
        Mistake(
            "Mean where a sum was asked",
            lambda images, reconstructions: error_per_image(images, reconstructions) / images.shape[-1],
            "A mean over pixels makes the error smaller by the number of pixels. In a VAE's loss that matters very much.",
        ),
        Mistake(
            "Summed over the batch too",
            lambda images, reconstructions: error_per_image(images, reconstructions).sum(),
            "Keep one number for each image: sum over the last dimension only, .sum(-1).",
        ),
        Mistake(
            "Averaged over everything",
            lambda images, reconstructions: (images - reconstructions).square().mean(),
            "Keep one number for each image, and sum over its pixels: .sum(-1).",
        ),
        Mistake(
            "Not squared",
            lambda images, reconstructions: (images - reconstructions).sum(-1),
            "Without the square, errors up and errors down cancel.",
        ),
        Mistake(
            "Absolute instead of squared",
            lambda images, reconstructions: (images - reconstructions).abs().sum(-1),
            "That is a fine measure too, but here the *squared* error was asked.",
        ),
        Mistake(
            "Wrong dimension",
            lambda images, reconstructions: (images - reconstructions).square().sum(0),
            "Dimension 0 holds the images. Sum over the pixels, dimension -1.",
        ),
    ),
)

EXERCISES = (TO_BITS, ERROR_PER_IMAGE)
