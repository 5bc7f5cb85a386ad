"""Exercises of lesson 01: reconstruction error, projection onto principal components, draws with a fitted covariance."""

import torch
from torch import Tensor

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.mistakes import Mistake

# --- reconstruction error -------------------------------------------------------------------------------------------


def reconstruction_error(images: Tensor, reconstructions: Tensor) -> Tensor:
    return (images - reconstructions).square().sum(-1).mean()


def _images() -> list[Arguments]:
    rows = [
        ([[0.0, 1.0]], [[0.5, 0.5]]),
        ([[0.0, 1.0, 0.3], [1.0, 0.0, 0.8]], [[0.2, 0.7, 0.3], [0.5, -0.1, 1.2]]),
        ([[0.9, 0.1, 0.4, 0.0], [0.0, 0.3, 0.2, 1.0], [0.5, 0.5, 1.0, 0.0]], [[0.5, 0.2, 0.4, 0.1]] * 3),
    ]
    return [(torch.tensor(x, dtype=torch.float64), torch.tensor(r, dtype=torch.float64)) for x, r in rows]


RECONSTRUCTION_ERROR = Exercise(
    task="Squared error summed over pixels, averaged over images: two tensors (images, pixels) to a scalar.",
    reference=reconstruction_error,
    cases=_images,
    gradients=("reconstructions",),
    hints=(
        "Three steps: the squared difference of every pixel, one number per image, then one number for all.",
        "Pixels lie on the last dimension: .sum(-1) leaves one error for each image.",
        "(images - reconstructions).square().sum(-1), and then the mean over images.",
    ),
    mistakes=(
        Mistake(
            "Mean over pixels",
            lambda images, reconstructions: (images - reconstructions).square().mean(),
            "That divides by the number of pixels as well, as torch's mse_loss does. An image's pixels add up: .sum(-1) first.",
        ),
        Mistake(
            "Summed over images too",
            lambda images, reconstructions: (images - reconstructions).square().sum(),
            "This grows with the batch. Sum over pixels, .sum(-1), then take the mean over images.",
        ),
        Mistake(
            "Averaged over pixels, summed over images",
            lambda images, reconstructions: (images - reconstructions).square().mean(-1).sum(),
            "The other way round: pixels are summed, images averaged.",
        ),
        Mistake(
            "One error for each image",
            lambda images, reconstructions: (images - reconstructions).square().sum(-1),
            "Each image's error is right; a loss is one number, so take their mean.",
        ),
        Mistake(
            "Absolute error",
            lambda images, reconstructions: (images - reconstructions).abs().sum(-1).mean(),
            "Square the difference. Absolute error is another loss, whose best constant is the median, not the mean.",
        ),
        Mistake(
            "Square root taken",
            lambda images, reconstructions: (images - reconstructions).square().sum(-1).sqrt().mean(),
            "That is the distance. PCA and the Gaussian likelihood both speak of its square: leave the root out.",
        ),
        Mistake(
            "Not squared",
            lambda images, reconstructions: (images - reconstructions).sum(-1).mean(),
            "Errors of opposite sign cancel. Square each pixel's difference before summing.",
        ),
        Mistake(
            "Squared after summing",
            lambda images, reconstructions: (images - reconstructions).sum(-1).square().mean(),
            "Errors of opposite sign cancel in the sum. Square each pixel's difference first.",
        ),
        Mistake(
            "Half the squared error",
            lambda images, reconstructions: 0.5 * (images - reconstructions).square().sum(-1).mean(),
            "The 1/2 belongs to a Gaussian's log density. Here the error itself was asked.",
        ),
    ),
)

# --- principal components -------------------------------------------------------------------------------------------


def project(x: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    codes = (x - mean) @ components.T
    return codes @ components + mean


def _planes() -> list[Arguments]:
    def orthonormal(rows: list[list[float]]) -> Tensor:
        basis: Tensor = torch.linalg.qr(torch.tensor(rows, dtype=torch.float64).T).Q
        return basis.T

    def tensor(values: list[list[float]] | list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64)

    return [
        (tensor([[1.0, 2.0]]), tensor([0.5, 0.0]), orthonormal([[3.0, 4.0]])),
        (tensor([[1.0, 2.0], [0.0, -1.0]]), tensor([0.5, 1.0]), orthonormal([[1.0, 2.0], [1.0, -1.0]])),
        (
            tensor([[1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [2.0, 0.5, -0.5]]),
            tensor([1.0, 0.5, -0.2]),
            orthonormal([[1.0, 2.0, 0.5], [1.0, -1.0, 2.0]]),
        ),
    ]


PROJECT = Exercise(
    task="Encode x (images, pixels) by PCA and decode it again: mean (pixels,), components (codes, pixels), orthonormal rows.",
    reference=project,
    cases=_planes,
    hints=(
        "Encoding: how far does x lie from the mean along each component? Decoding: go that far along each, from the mean.",
        "A row of components is one direction, so the codes are (x - mean) @ components.T, shape (images, codes).",
        "Back again: codes @ components + mean.",
    ),
    mistakes=(
        Mistake(
            "Not centred",
            lambda x, mean, components: x @ components.T @ components + mean,
            "Subtract the mean before encoding: the components are directions from the mean, not from 0.",
        ),
        Mistake(
            "The mean was not added back",
            lambda x, mean, components: (x - mean) @ components.T @ components,
            "The decoder must end where the encoder began: add the mean.",
        ),
        Mistake(
            "The mean was left out altogether",
            lambda x, mean, components: x @ components.T @ components,
            "PCA's plane goes through the mean, not through 0: subtract it first, add it last.",
        ),
        Mistake(
            "The mean was subtracted again",
            lambda x, mean, components: (x - mean) @ components.T @ components - mean,
            "Decoding undoes the centring: add the mean.",
        ),
        Mistake(
            "Each image's own mean was used",
            lambda x, mean, components: (x - x.mean(-1, keepdim=True)) @ components.T @ components + x.mean(-1, keepdim=True),
            "The mean is the average image, (pixels,), given as an argument; it is not the average brightness of one image.",
        ),
        Mistake(
            "This batch's mean was used",
            lambda x, mean, components: (x - x.mean(0)) @ components.T @ components + x.mean(0),
            "Use the mean that was given: it comes from the training images, and a test batch must be treated in the same way.",
        ),
        Mistake(
            "What the code loses, not what it keeps",
            lambda x, mean, components: (x - mean) - (x - mean) @ components.T @ components,
            "This is the residual. Return the reconstruction: the part inside the plane, plus the mean.",
        ),
        Mistake(
            "Only encoded",
            lambda x, mean, components: (x - mean) @ components.T,
            "These are the codes. Multiply by components and add the mean to come back to pixels.",
        ),
    ),
)

# --- draws with a covariance ----------------------------------------------------------------------------------------


def correlated_draws(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(covariance)
    return mean + noise @ factor.T


def _gaussians() -> list[Arguments]:
    rows = [
        ([[1.0, 1.0]], [0.5, -1.0], [[4.0, 1.0], [1.0, 2.0]]),
        ([[1.0, -0.5], [0.0, 2.0]], [2.0, 1.0], [[1.0, 0.6], [0.6, 3.0]]),
        (
            [[0.3, -1.2, 0.8], [1.5, 0.1, -0.4], [-0.7, 0.9, 2.0]],
            [1.0, 0.0, -2.0],
            [[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 0.7]],
        ),
    ]
    return [tuple(torch.tensor(part, dtype=torch.float64) for part in row) for row in rows]


def _by_symmetric_root(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = (vectors * values.sqrt()) @ vectors.T
    return mean + noise @ root


CORRELATED_DRAWS = Exercise(
    task="Turn noise of N(0, I), (draws, d), into draws of N(mean, covariance), with the Cholesky factor of the covariance.",
    reference=correlated_draws,
    cases=_gaussians,
    hints=(
        "In one dimension: mean + std * noise. The factor L with L L^T = covariance plays the part of std.",
        "torch.linalg.cholesky(covariance) is L. For one draw, as a column, z = mean + L noise.",
        "Here every draw is a row, and the row form of L noise is noise @ L.T.",
    ),
    mistakes=(
        Mistake(
            "Covariance instead of its factor",
            lambda noise, mean, covariance: mean + noise @ covariance,
            "That is multiplying by the variance where the standard deviation belongs: your draws have covariance C C^T.",
        ),
        Mistake(
            "Transposed factor",
            lambda noise, mean, covariance: mean + noise @ torch.linalg.cholesky(covariance),
            "Draws are rows here, so L noise becomes noise @ L.T. With noise @ L the covariance is L^T L, another matrix.",
        ),
        Mistake(
            "Forgot the mean",
            lambda noise, mean, covariance: noise @ torch.linalg.cholesky(covariance).T,
            "The spread is right, the place is not: add the mean.",
        ),
        Mistake(
            "The mean was stretched too",
            lambda noise, mean, covariance: (mean + noise) @ torch.linalg.cholesky(covariance).T,
            "Multiply only the noise by the factor, then add the mean.",
        ),
        Mistake(
            "Only the variances",
            lambda noise, mean, covariance: mean + noise * covariance.diagonal().sqrt(),
            "Each coordinate has the right width, but they no longer move together: the off-diagonal part is lost.",
        ),
        Mistake(
            "Variances where standard deviations belong",
            lambda noise, mean, covariance: mean + noise * covariance.diagonal(),
            "The diagonal holds variances, and the off-diagonal part is lost. Use the Cholesky factor.",
        ),
        Mistake(
            "Elementwise square root",
            lambda noise, mean, covariance: mean + noise @ covariance.abs().sqrt(),
            "A matrix's square root is not the square root of its entries. You need L with L @ L.T = covariance.",
        ),
        Mistake(
            "Another square root",
            _by_symmetric_root,
            "The symmetric root gives honest draws of the same Gaussian, but other ones for the same noise. Use Cholesky here.",
        ),
    ),
)

EXERCISES = (RECONSTRUCTION_ERROR, PROJECT, CORRELATED_DRAWS)
