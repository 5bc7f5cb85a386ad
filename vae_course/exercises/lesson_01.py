"""Exercises of lesson 01: an autoencoder's error and step of training, PCA, draws of a Gaussian, codes' moments, whitening."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from vae_course.exercises.attempts import Arguments
from vae_course.exercises.core import Exercise
from vae_course.exercises.explanations import Explanation
from vae_course.exercises.kinds import UpdateExercise, start_of
from vae_course.exercises.making import numbers, size, sizes
from vae_course.exercises.mistakes import Mistake
from vae_course.exercises.predictions import Prediction

# --- reconstruction error -------------------------------------------------------------------------------------------


def reconstruction_error(images: Tensor, reconstructions: Tensor) -> Tensor:
    return (images - reconstructions).square().sum(-1).mean()


def _images() -> list[Arguments]:
    rows = [
        ([[0.0, 1.0]], [[0.5, 0.5]]),
        ([[0.5], [1.0]], [[0.25], [0.0]]),
        ([[0.0, 1.0], [0.5, 0.25]], [[0.0, 1.0], [0.5, 0.75]]),
        ([[0.0, 1.0, 0.3], [1.0, 0.0, 0.8]], [[0.2, 0.7, 0.3], [0.5, -0.1, 1.2]]),
        ([[0.9, 0.1, 0.4, 0.0], [0.0, 0.3, 0.2, 1.0], [0.5, 0.5, 1.0, 0.0]], [[0.5, 0.2, 0.4, 0.1]] * 3),
    ]
    return [(torch.tensor(x, dtype=torch.float64), torch.tensor(r, dtype=torch.float64)) for x, r in rows]


def _drawn_images(generator: Generator) -> Arguments:
    shape = sizes(generator, 2, high=6)
    return numbers(generator, *shape, low=0, high=1), numbers(generator, *shape, low=-0.2, high=1.2)


RECONSTRUCTION_ERROR = Exercise(
    task="Squared error summed over pixels, averaged over images: two tensors (images, pixels) to a scalar.",
    reference=reconstruction_error,
    cases=_images,
    generate=_drawn_images,
    lesson=lambda g: (torch.rand(128, 64, generator=g), torch.rand(128, 64, generator=g)),
    gradients=("reconstructions",),
    hints=(
        "Three steps: the squared difference of every pixel, one number per image, then one number for all.",
        "Pixels lie on the last dimension: .sum(-1) leaves one error for each image.",
        "(images - reconstructions).square().sum(-1), and then the mean over images.",
    ),
    mistakes=(
        Mistake(
            "Mean over pixels",
            lambda images, reconstructions: reconstruction_error(images, reconstructions) / images.shape[-1],
            "That divides by the number of pixels as well, as torch's mse_loss does. An image's pixels add up: .sum(-1) first.",
        ),
        Mistake(
            "Summed over images too",
            lambda images, reconstructions: reconstruction_error(images, reconstructions) * len(images),
            "This grows with the batch. Sum over pixels, .sum(-1), then take the mean over images.",
        ),
        Mistake(
            "Averaged over pixels, summed over images",
            lambda images, reconstructions: reconstruction_error(images, reconstructions) * len(images) / images.shape[-1],
            "The other way round: pixels are summed, images averaged.",
        ),
        Mistake(
            "One error for each image",
            lambda images, reconstructions: (images - reconstructions).square().sum(-1),
            "Each image's error is right; a loss is one number, so take their mean.",
        ),
        Mistake(
            "One averaged error for each image",
            lambda images, reconstructions: (images - reconstructions).square().mean(-1),
            "The other way round: an image's pixels are summed, and the mean is taken over images. One number remains.",
        ),
        Mistake(
            "One error for each pixel",
            lambda images, reconstructions: (images - reconstructions).square().mean(0),
            "The mean over images is right, but the pixels are to be summed as well: one number is asked for.",
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
        Mistake(  # the same, but for the gradient of a perfect reconstruction: 0 here, nan above
            "Square root taken",
            lambda images, reconstructions: torch.linalg.vector_norm(images - reconstructions, dim=-1).mean(),
            "That is the distance. PCA and the Gaussian likelihood both speak of its square: leave the root out.",
        ),
        Mistake(
            "Square root of the mean",
            lambda images, reconstructions: reconstruction_error(images, reconstructions).sqrt(),
            "The mean of the squared errors itself was asked, without a root.",
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
            "Squared after averaging over images",
            lambda images, reconstructions: (images - reconstructions).mean(0).square().sum(),
            "Errors of opposite sign cancel in the mean. Square each image's differences first, average last.",
        ),
        Mistake(
            "Squares subtracted",
            lambda images, reconstructions: (images.square() - reconstructions.square()).sum(-1).mean(),
            "The difference of the squares is not the square of the difference: subtract first, then square.",
        ),
        Mistake(
            "Half the squared error",
            lambda images, reconstructions: 0.5 * reconstruction_error(images, reconstructions),
            "The 1/2 belongs to a Gaussian's log density. Here the error itself was asked.",
        ),
        Mistake(
            "The worst pixel only",
            lambda images, reconstructions: (images - reconstructions).square().amax(-1).mean(),
            "All pixels count: add up their squared errors.",
        ),
        Mistake(
            "Every image against every reconstruction",
            lambda images, reconstructions: (images[:, None] - reconstructions).square().sum(-1).mean(),
            "Each image is compared with its own reconstruction only: subtract two tensors of the same shape.",
        ),
        Mistake(
            "Cross entropy",
            lambda images, reconstructions: (
                functional.binary_cross_entropy(reconstructions, images, reduction="sum") / len(images)
            ),
            "Binary cross entropy is another loss, for outputs between 0 and 1. Here the squared error was asked.",
        ),
    ),
)

# --- a step of training ---------------------------------------------------------------------------------------------

Loss = Callable[[nn.Module, nn.Module, Tensor], Tensor]


def take_step(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, loss_of: Loss, images: Tensor) -> Tensor:
    loss = loss_of(encoder, decoder, images)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _plain_loss(encoder: nn.Module, decoder: nn.Module, images: Tensor) -> Tensor:
    return reconstruction_error(images, decoder(encoder(images)))


def loss_of(encoder: nn.Module, decoder: nn.Module, images: Tensor) -> Tensor:  # as errors name it to the reader
    # Not the lesson's first one, so that an answer with a loss of its own is found out.
    codes: Tensor = encoder(images)
    return reconstruction_error(images, decoder(codes)) + 0.3 * codes.square().sum(-1).mean()


def _steps(order: str, sign: float = 1.0) -> Callable[..., Tensor]:
    """A step of training whose parts are done in another ``order``."""

    def step(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, loss_of: Loss, images: Tensor) -> Tensor:
        loss = loss_of(encoder, decoder, images)
        do: dict[str, Callable[[], object]]
        do = {"zero": optimizer.zero_grad, "backward": (sign * loss).backward, "step": optimizer.step}
        for name in order.split():
            do[name]()
        return loss.detach()

    return step


def _decoder_forgotten(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, loss_of: Loss, images: Tensor) -> Tensor:
    loss = loss_of(encoder, decoder, images)
    encoder.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _encoder_forgotten(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, loss_of: Loss, images: Tensor) -> Tensor:
    loss = loss_of(encoder, decoder, images)
    decoder.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _loss_afterwards(encoder: nn.Module, decoder: nn.Module, optimizer: Optimizer, loss_of: Loss, images: Tensor) -> Tensor:
    take_step(encoder, decoder, optimizer, loss_of, images)
    return loss_of(encoder, decoder, images).detach()


def _start(images: Tensor, latent: int, seed: int) -> Arguments:
    encoder = start_of(lambda: nn.Linear(images.shape[1], latent), seed, like=images)
    decoder = start_of(lambda: nn.Linear(latent, images.shape[1]), seed + 1, like=images)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.05)
    return encoder, decoder, optimizer, loss_of, images


def _drawn_batch(generator: Generator) -> Arguments:
    batch, pixels, latent = sizes(generator, 3, low=2, high=6)
    return numbers(generator, batch, pixels, low=0, high=1), latent, size(generator, 0, 99)


TAKE_STEP = UpdateExercise(
    task="One step on a batch of images: loss_of(encoder, decoder, images), zero_grad, backward, step. Returns the loss.",
    reference=take_step,
    cases=lambda: [(torch.tensor([[1.0, 0.0, 0.5]], dtype=torch.float64), 2, 0)],
    generate=_drawn_batch,
    lesson=lambda g: (torch.rand(128, 64, generator=g), 2, 0),
    start=_start,
    made_from=("images", "latent", "seed"),
    hints=(
        "Compute the loss, make room for new gradients, compute them, and go one step.",
        "The loss is loss_of(encoder, decoder, images). The optimizer has zero_grad() and step(), the loss has backward().",
        "In this order: loss = loss_of(...), optimizer.zero_grad(), loss.backward(), optimizer.step(). Return loss.detach().",
    ),
    mistakes=(
        Mistake(
            "No zero_grad",
            _steps("backward step"),
            "backward adds to the gradients that are there already: put them back to zero before it.",
        ),
        Mistake(
            "The weights do not move",
            _steps("zero backward"),
            "After the call they are what they were. Three lines, in this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "The step first of all",
            _steps("step zero backward"),
            "This goes by the gradients of the batch before. In this order: zero_grad(), loss.backward(), step().",
        ),
        Mistake(
            "Uphill",
            _steps("zero backward step", sign=-1.0),
            "The loss rises: the optimizer minimizes already, so no minus sign is needed.",
        ),
        Mistake(
            "The decoder's gradients add up",
            _decoder_forgotten,
            "Both networks' gradients must be put back to zero: optimizer.zero_grad() does it for all.",
        ),
        Mistake(
            "The encoder's gradients add up",
            _encoder_forgotten,
            "Both networks' gradients must be put back to zero: optimizer.zero_grad() does it for all.",
        ),
        Mistake(
            "A loss of its own",
            lambda encoder, decoder, optimizer, loss_of, images: take_step(encoder, decoder, optimizer, _plain_loss, images),
            "Call the loss that was handed in, loss_of(encoder, decoder, images): later it will be another one.",
        ),
        Mistake(
            "The loss after the step",
            _loss_afterwards,
            "Return the loss from which the step was computed: it need not be computed twice.",
        ),
    ),
)

# --- principal components -------------------------------------------------------------------------------------------


def project(x: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    codes = (x - mean) @ components.T
    return codes @ components + mean


def _planes() -> list[Arguments]:
    rows = [
        ([[1.0, 2.0]], [0.5, 0.0], [[0.6, 0.8]]),
        ([[1.0, 2.0], [0.0, -1.0]], [0.5, 1.0], [[0.6, 0.8], [-0.8, 0.6]]),  # as many codes as pixels: nothing is lost
        (
            [[1.0, 2.0, 0.0], [0.0, -1.0, 1.0], [2.0, 0.5, -0.5]],
            [1.0, 0.5, -0.2],
            [[0.48, 0.6, 0.64], [0.36, -0.8, 0.48]],
        ),
        ([[0.5, -0.5, 1.0]], [0.5, -0.5, 1.0], [[0.48, 0.6, 0.64]]),  # the mean itself
    ]
    return [tuple(torch.tensor(part, dtype=torch.float64) for part in row) for row in rows]


def _orthonormal(generator: Generator, codes: int, pixels: int) -> Tensor:
    basis: Tensor = torch.linalg.qr(torch.randn(pixels, codes, generator=generator, dtype=torch.float64)).Q
    return basis.T


def _drawn_plane(generator: Generator) -> Arguments:
    codes = size(generator, 1, 4)
    pixels = codes + size(generator, 1, 2)
    images = next(n for n in sizes(generator, 3, high=6) if n not in (codes, pixels))
    return numbers(generator, images, pixels), numbers(generator, pixels), _orthonormal(generator, codes, pixels)


def _lesson_plane(generator: Generator) -> Arguments:
    x, mean = torch.rand(200, 64, generator=generator), torch.rand(64, generator=generator)
    return x, mean, _orthonormal(generator, 8, 64).float()


PROJECT = Exercise(
    task="Encode x (images, pixels) by PCA and decode it again: mean (pixels,), components (codes, pixels), orthonormal rows.",
    reference=project,
    cases=_planes,
    generate=_drawn_plane,
    lesson=_lesson_plane,
    gradients=("x", "mean"),
    hints=(
        "Encoding: how far does x lie from the mean along each component? Decoding: go that far along each, from the mean.",
        "A row of components is one direction, so the codes are (x - mean) @ components.T, shape (images, codes).",
        "Back again: codes @ components + mean.",
    ),
    mistakes=(
        Mistake(
            "Not centred",
            lambda x, mean, components: project(x + mean, mean, components),
            "Subtract the mean before encoding: the components are directions from the mean, not from 0.",
        ),
        Mistake(
            "The mean was not added back",
            lambda x, mean, components: project(x, mean, components) - mean,
            "The decoder must end where the encoder began: add the mean.",
        ),
        Mistake(
            "The mean was left out altogether",
            lambda x, mean, components: project(x, torch.zeros_like(mean), components),
            "PCA's plane goes through the mean, not through 0: subtract it first, add it last.",
        ),
        Mistake(
            "The mean was subtracted again",
            lambda x, mean, components: project(x, mean, components) - 2 * mean,
            "Decoding undoes the centring: add the mean.",
        ),
        Mistake(
            "Not centred, and the mean subtracted at the end",
            lambda x, mean, components: project(x + mean, mean, components) - 2 * mean,
            "Subtract the mean before encoding, and add it after decoding.",
        ),
        Mistake(
            "The mean was added where it is subtracted",
            lambda x, mean, components: project(x + 2 * mean, mean, components),
            "Centring is x - mean; only after decoding is the mean added.",
        ),
        Mistake(
            "The mean's signs are swapped",
            lambda x, mean, components: project(x, -mean, components),
            "Subtract the mean before encoding, and add it after decoding.",
        ),
        Mistake(
            "Each image's own mean was used",
            lambda x, mean, components: (x - x.mean(-1, keepdim=True)) @ components.T @ components + x.mean(-1, keepdim=True),
            "The mean is the average image, (pixels,), given as an argument; it is not the average brightness of one image.",
        ),
        Mistake(
            "This batch's mean was used",
            lambda x, mean, components: project(x, x.mean(0), components),
            "Use the mean that was given: it comes from the training images, and a test batch must be treated in the same way.",
        ),
        Mistake(
            "Centred with the batch's mean",
            lambda x, mean, components: project(x - x.mean(0) + mean, mean, components),
            "Subtract the same mean that you add at the end: the one that was given.",
        ),
        Mistake(
            "One mean for all pixels",
            lambda x, mean, components: project(x, x.mean().expand(mean.shape), components),
            "The mean is an image, (pixels,), and was given as an argument: each pixel has its own.",
        ),
        Mistake(
            "What the code loses, not what it keeps",
            lambda x, mean, components: x - project(x, mean, components),
            "This is the residual. Return the reconstruction: the part inside the plane, plus the mean.",
        ),
        Mistake(
            "The part inside the plane was taken away",
            lambda x, mean, components: x - project(x, mean, components) + mean,
            "This is the mean plus what the code loses. Return the mean plus what it keeps.",
        ),
        Mistake(
            "Away from the mean in the opposite direction",
            lambda x, mean, components: 2 * mean - project(x, mean, components),
            "Encode x - mean (not mean - x), and add the decoded code to the mean.",
        ),
        Mistake(
            "Only encoded",
            lambda x, mean, components: (x - mean) @ components.T,
            "These are the codes. Multiply by components and add the mean to come back to pixels.",
        ),
        Mistake(
            "Encoded without the mean, and not decoded",
            lambda x, mean, components: x @ components.T,
            "Subtract the mean before encoding; then multiply by components and add the mean to come back to pixels.",
        ),
        Mistake(
            "Nothing went through the code",
            lambda x, mean, components: x,
            "This gives x itself back. A code keeps only the part of x - mean that lies along the components.",
        ),
        Mistake(
            "One component only",
            lambda x, mean, components: project(x, mean, components[:1]),
            "Every row of components counts: the decoded parts along all of them add up.",
        ),
        Mistake(
            "The matrices are the wrong way round",
            lambda x, mean, components: (x - mean) @ components @ components.T + mean,
            "components is (codes, pixels). Encoding goes from pixels to codes, with components.T; decoding with components.",
        ),
        Mistake(
            "Transposed twice",
            lambda x, mean, components: (x - mean) @ components.T @ components.T + mean,
            "components.T leads from pixels to codes. The way back is components itself.",
        ),
        Mistake(
            "The codes were centred, not the images",
            lambda x, mean, components: (x @ components.T - mean) @ components + mean,
            "The mean is an image, (pixels,): subtract it from x, before the product with components.T.",
        ),
        Mistake(
            "The mean was added to the codes",
            lambda x, mean, components: ((x - mean) @ components.T + mean) @ components,
            "The mean is an image, (pixels,): add it after decoding.",
        ),
        Mistake(
            "The mean was added to the codes, and nothing decoded",
            lambda x, mean, components: (x - mean) @ components.T + mean,
            "Multiply the codes by components first: that leads back to pixels. Then add the mean.",
        ),
        Mistake(
            "Images left as columns",
            lambda x, mean, components: components.T @ (components @ (x - mean).T) + mean,
            "Here the product has images as columns. Transpose it back to (images, pixels) before you add the mean.",
        ),
        Mistake(
            "Transposed",
            lambda x, mean, components: project(x, mean, components).transpose(0, 1),
            "The values are right; images are rows: transpose to (images, pixels).",
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
        ([[1.0], [-2.0], [0.0]], [3.0], [[4.0]]),  # one dimension
        ([[1.0, -0.5], [0.0, 2.0]], [2.0, 1.0], [[1.0, 0.6], [0.6, 3.0]]),  # as many draws as dimensions
        (
            [[0.3, -1.2, 0.8], [1.5, 0.1, -0.4], [-0.7, 0.9, 2.0]],
            [1.0, 0.0, -2.0],
            [[2.0, 0.5, -0.3], [0.5, 1.0, 0.2], [-0.3, 0.2, 0.7]],
        ),
    ]
    return [tuple(torch.tensor(part, dtype=torch.float64) for part in row) for row in rows]


def _drawn_gaussian(generator: Generator) -> Arguments:
    draws, d = sizes(generator, 2)
    root = numbers(generator, d, d, low=-1.5, high=1.5)
    covariance = (root @ root.T).mul(100).round() / 100 + 0.5 * torch.eye(d, dtype=torch.float64)
    return numbers(generator, draws, d), numbers(generator, d), covariance


def _lesson_gaussian(generator: Generator) -> Arguments:
    root = torch.randn(32, 32, generator=generator) / 32**0.5
    noise, mean = torch.randn(200, 32, generator=generator), torch.randn(32, generator=generator)
    return noise, mean, root @ root.T + 0.2 * torch.eye(32)


def _by_symmetric_root(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = (vectors * values.sqrt()) @ vectors.T
    return mean + noise @ root


def _by_eigenvectors(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values.sqrt()
    return mean + noise @ root.T


def _by_singular_vectors(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    vectors, values, _ = torch.linalg.svd(covariance)
    root: Tensor = vectors * values.sqrt()
    return mean + noise @ root.T


def _by_correlations(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    std = covariance.diagonal().sqrt()
    return correlated_draws(noise, mean, covariance / std / std[:, None])


def _whitened(noise: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(covariance)
    white: Tensor = torch.linalg.solve_triangular(factor, noise.T, upper=False)
    return mean + white.T


CORRELATED_DRAWS = Exercise(
    task="Turn noise of N(0, I), (draws, d), into draws of N(mean, covariance), with the Cholesky factor of the covariance.",
    reference=correlated_draws,
    cases=_gaussians,
    generate=_drawn_gaussian,
    lesson=_lesson_gaussian,
    gradients=("noise", "mean"),
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
            lambda noise, mean, covariance: correlated_draws(noise, torch.zeros_like(mean), covariance),
            "The draws lie around 0: add the mean.",
        ),
        Mistake(
            "The mean was subtracted",
            lambda noise, mean, covariance: correlated_draws(noise, -mean, covariance),
            "The draws scatter around the mean: add it.",
        ),
        Mistake(
            "The noise was subtracted",
            lambda noise, mean, covariance: correlated_draws(-noise, mean, covariance),
            "By symmetry these are draws of the same Gaussian, but other ones. Add the noise: mean + noise @ L.T.",
        ),
        Mistake(
            "The mean was stretched too",
            lambda noise, mean, covariance: correlated_draws(noise + mean, torch.zeros_like(mean), covariance),
            "Multiply only the noise by the factor, then add the mean.",
        ),
        Mistake(
            "The mean was added to the noise as well",
            lambda noise, mean, covariance: correlated_draws(noise + mean, mean, covariance),
            "The mean is added once, after the noise has been multiplied by the factor.",
        ),
        Mistake(
            "The noise was centred",
            lambda noise, mean, covariance: correlated_draws(noise - mean, mean, covariance),
            "noise is of N(0, I) already, so there is nothing to subtract. Multiply it by the factor and add the mean.",
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
            "Only the factor's diagonal",
            lambda noise, mean, covariance: mean + noise * torch.linalg.cholesky(covariance).diagonal(),
            "The whole factor counts: without what lies below its diagonal the coordinates no longer move together.",
        ),
        Mistake(
            "Elementwise square root",
            lambda noise, mean, covariance: mean + noise @ covariance.sqrt(),
            "A matrix's square root is not the square root of its entries. You need L with L @ L.T = covariance.",
        ),
        Mistake(
            "The factor's entries were rooted",
            lambda noise, mean, covariance: mean + noise @ torch.linalg.cholesky(covariance).sqrt().T,
            "The Cholesky factor is the square root already: take no root of its entries.",
        ),
        Mistake(
            "Another square root",
            _by_symmetric_root,
            "The symmetric root gives honest draws of the same Gaussian, but other ones for the same noise. Use Cholesky here.",
        ),
        Mistake(
            "A root made of eigenvectors",
            _by_eigenvectors,
            "This gives honest draws of the same Gaussian, but other ones for the same noise. Use the Cholesky factor here.",
        ),
        Mistake(
            "A root made of singular vectors",
            _by_singular_vectors,
            "This gives honest draws of the same Gaussian, but other ones for the same noise. Use the Cholesky factor here.",
        ),
        Mistake(
            "Correlations instead of covariances",
            _by_correlations,
            "Your draws have variance 1 everywhere. Take the factor of the covariance itself.",
        ),
        Mistake(
            "Factor of the inverse covariance",
            lambda noise, mean, covariance: correlated_draws(noise, mean, torch.linalg.inv(covariance)),
            "The inverse (the precision) makes wide directions narrow. Take the factor of the covariance itself.",
        ),
        Mistake(
            "Whitened instead of coloured",
            _whitened,
            "Multiplying by the inverse of L turns draws into noise. Here noise becomes draws: multiply by L.",
        ),
        Mistake(
            "Factor applied twice",
            lambda noise, mean, covariance: correlated_draws(
                correlated_draws(noise, torch.zeros_like(mean), covariance), mean, covariance
            ),
            "Multiply the noise by the factor once.",
        ),
        Mistake(
            "Elementwise product",
            lambda noise, mean, covariance: mean + noise * torch.linalg.cholesky(covariance),
            "L noise is a product of matrices: each coordinate of a draw mixes several coordinates of the noise. Use @.",
        ),
        Mistake(
            "Draws taken for columns",
            lambda noise, mean, covariance: mean + torch.linalg.cholesky(covariance) @ noise,
            "Each row of noise is one draw, and L @ noise works on columns. The row form of L noise is noise @ L.T.",
        ),
        Mistake(
            "Draws left as columns",
            lambda noise, mean, covariance: mean + torch.linalg.cholesky(covariance) @ noise.T,
            "L @ noise.T has draws as columns. Transpose it back to (draws, d) before you add the mean.",
        ),
        Mistake(
            "Transposed",
            lambda noise, mean, covariance: correlated_draws(noise, mean, covariance).transpose(0, 1),
            "The values are right; draws are rows: transpose to (draws, d).",
        ),
    ),
)

# --- the moments of codes -------------------------------------------------------------------------------------------


def moment_gap(codes: Tensor) -> Tensor:
    mean = codes.mean(dim=0)
    covariance = torch.cov(codes.T)
    identity = torch.eye(len(mean)).to(codes)
    return mean.square().sum() + (covariance - identity).square().sum()


def _codes() -> list[Arguments]:
    rows = [
        [[0.5, -1.0], [1.5, 0.0], [-2.0, 3.0]],  # not as many images as coordinates, so rows for columns raises
        [[1.0, 0.0], [3.0, 2.0]],
        [[2.0, 1.0, 0.0], [2.0, -1.0, 0.5], [3.0, 0.3, -0.5], [1.0, 0.2, 0.1]],
        [[3.0, 3.0], [3.0, 3.0], [3.0, 3.0]],  # all in one place
    ]
    return [(torch.tensor(row, dtype=torch.float64),) for row in rows]


def _drawn_codes(generator: Generator) -> Arguments:
    count, latent = sizes(generator, 2, low=2, high=6)
    return (numbers(generator, count, latent),)


def _eye(codes: Tensor) -> Tensor:
    return torch.eye(codes.shape[1], dtype=codes.dtype, device=codes.device)


def _of_mean(codes: Tensor) -> Tensor:
    return codes.mean(0).square().sum()


def _of_covariance(covariance: Tensor, wanted: Tensor) -> Tensor:
    return (covariance - wanted).square().sum()


def _only_off_diagonal(codes: Tensor) -> Tensor:
    covariance = torch.cov(codes.T)
    return _of_mean(codes) + (covariance - covariance.diag().diag()).square().sum()


def _only_variances(codes: Tensor) -> Tensor:
    return _of_mean(codes) + (codes.var(0) - 1).square().sum()


def _only_deviations(codes: Tensor) -> Tensor:
    return _of_mean(codes) + (codes.std(0) - 1).square().sum()


def _about_zero(codes: Tensor) -> Tensor:
    return _of_mean(codes) + _of_covariance(codes.T @ codes / len(codes), _eye(codes))


def _divided_by_the_count(codes: Tensor) -> Tensor:
    return _of_mean(codes) + _of_covariance(torch.cov(codes.T, correction=0), _eye(codes))


def _products_summed(codes: Tensor) -> Tensor:
    centred = codes - codes.mean(0)
    return _of_mean(codes) + _of_covariance(centred.T @ centred, _eye(codes))


def _mean_of_all(codes: Tensor) -> Tensor:
    return codes.mean().square() + _of_covariance(torch.cov(codes.T), _eye(codes))


MOMENT_GAP = Exercise(
    task="Squared length of the codes' mean, plus summed squared differences of their covariance from I: a scalar.",
    reference=moment_gap,
    cases=_codes,
    generate=_drawn_codes,
    lesson=lambda g: (0.5 * torch.randn(128, 8, generator=g) + 0.3,),
    gradients=("codes",),
    hints=(
        "N(0, I) has mean 0 and covariance I. How far are the codes from the one, and how far from the other?",
        "codes.mean(dim=0) is the mean, torch.cov(codes.T) the covariance, and torch.eye(d).to(codes) is I. "
        "Differences are squared and summed over all entries.",
        "mean.square().sum() + (covariance - torch.eye(codes.shape[1]).to(codes)).square().sum()",
    ),
    mistakes=(
        Mistake(
            "Only the mean",
            _of_mean,
            "The covariance counts as well: add its summed squared differences from the identity.",
        ),
        Mistake(
            "Only the covariance",
            lambda codes: _of_covariance(torch.cov(codes.T), _eye(codes)),
            "The mean counts as well: add its squared length.",
        ),
        Mistake(
            "The covariance is pulled to zero",
            lambda codes: _of_mean(codes) + torch.cov(codes.T).square().sum(),
            "N(0, I) has covariance I: subtract torch.eye(d).to(codes) before you square.",
        ),
        Mistake(
            "Ones everywhere",
            lambda codes: _of_mean(codes) + _of_covariance(torch.cov(codes.T), torch.ones_like(_eye(codes))),
            "The identity has ones on its diagonal only: subtract torch.eye(d).to(codes). Elsewhere it is 0.",
        ),
        Mistake(
            "Only the variances",
            _only_variances,
            "Each coordinate may have variance 1 while two of them move together: the whole covariance counts.",
        ),
        Mistake(
            "Only the standard deviations",
            _only_deviations,
            "Two coordinates may still move together. Take the whole covariance, torch.cov(codes.T).",
        ),
        Mistake(
            "Without the variances",
            _only_off_diagonal,
            "The diagonal counts too: the variances should be 1.",
        ),
        Mistake(
            "Not centred",
            _about_zero,
            "The covariance is taken about the codes' own mean: torch.cov(codes.T).",
        ),
        Mistake(
            "Divided by the number of images",
            _divided_by_the_count,
            "torch.cov divides by one less than the number of images. Use it as it is.",
        ),
        Mistake(
            "Not divided by the number of images",
            _products_summed,
            "A covariance is a mean of products. torch.cov(codes.T) computes it.",
        ),
        Mistake(
            "Correlations in place of covariances",
            lambda codes: _of_mean(codes) + _of_covariance(torch.corrcoef(codes.T), _eye(codes)),
            "Correlations have 1 on their diagonal, whatever the variances are. Take torch.cov(codes.T).",
        ),
        Mistake(
            "One mean for all coordinates",
            _mean_of_all,
            "Each coordinate has its own mean: codes.mean(dim=0).",
        ),
        Mistake(
            "Averages in place of sums",
            lambda codes: codes.mean(0).square().mean() + (torch.cov(codes.T) - _eye(codes)).square().mean(),
            "Add up the squares of all entries; do not average them.",
        ),
        Mistake(
            "The mean's square averaged",
            lambda codes: codes.mean(0).square().mean() + _of_covariance(torch.cov(codes.T), _eye(codes)),
            "The squared length of the mean is a sum over coordinates.",
        ),
        Mistake(
            "The covariance's squares averaged",
            lambda codes: _of_mean(codes) + (torch.cov(codes.T) - _eye(codes)).square().mean(),
            "Add up the squared differences of all entries; do not average them.",
        ),
        Mistake(
            "Lengths, not squared lengths",
            lambda codes: codes.mean(0).norm() + (torch.cov(codes.T) - _eye(codes)).norm(),
            "Leave the roots out: the square of each is asked.",
        ),
        Mistake(
            "Neither is squared",
            lambda codes: codes.mean(0).sum() + (torch.cov(codes.T) - _eye(codes)).sum(),
            "Differences of opposite sign cancel in a sum: square each entry before you add it.",
        ),
        Mistake(
            "The covariance's differences are not squared",
            lambda codes: _of_mean(codes) + (torch.cov(codes.T) - _eye(codes)).sum(),
            "Differences of opposite sign cancel in a sum: square each entry of C - I before you add it.",
        ),
        Mistake(
            "The covariance's differences are summed before the square",
            lambda codes: _of_mean(codes) + (torch.cov(codes.T) - _eye(codes)).sum().square(),
            "Differences of opposite sign cancel in a sum: square each entry of C - I first, add them after.",
        ),
        Mistake(
            "Both are summed before the square",
            lambda codes: codes.mean(0).sum().square() + (torch.cov(codes.T) - _eye(codes)).sum().square(),
            "Entries of opposite sign cancel in a sum: square each entry first, add them after.",
        ),
        Mistake(
            "The mean's entries are summed before the square",
            lambda codes: codes.mean(0).sum().square() + _of_covariance(torch.cov(codes.T), _eye(codes)),
            "Entries of opposite sign cancel in a sum: square each entry of the mean first, add them after.",
        ),
        Mistake(
            "The mean is not squared",
            lambda codes: codes.mean(0).sum() + _of_covariance(torch.cov(codes.T), _eye(codes)),
            "Entries of opposite sign cancel in a sum: square each entry of the mean before you add it.",
        ),
        Mistake(
            "Absolute differences",
            lambda codes: codes.mean(0).abs().sum() + (torch.cov(codes.T) - _eye(codes)).abs().sum(),
            "Square each entry before you add it.",
        ),
        Mistake(
            "The covariance of the images",
            lambda codes: _of_mean(codes) + (torch.cov(codes) - torch.eye(len(codes)).to(codes)).square().sum(),
            "torch.cov takes a row for each coordinate: give it codes.T.",
        ),
        Mistake(  # the same, but for the identity, which fits where there are as many images as coordinates
            "The covariance of the images",
            lambda codes: _of_mean(codes) + _of_covariance(torch.cov(codes), _eye(codes)),
            "torch.cov takes a row for each coordinate: give it codes.T.",
        ),
        Mistake(
            "The mean was taken over coordinates",
            lambda codes: codes.mean(1).square().sum() + _of_covariance(torch.cov(codes.T), _eye(codes)),
            "The mean code is an average over images: codes.mean(dim=0).",
        ),
    ),
)

# --- whitening ------------------------------------------------------------------------------------------------------


def whiten(codes: Tensor) -> Tensor:
    centred = codes - codes.mean(dim=0)
    factor = torch.linalg.cholesky(torch.cov(codes.T))
    back: Tensor = torch.linalg.inv(factor)
    return centred @ back.T


def _scattered_codes() -> list[Arguments]:
    rows = [
        [[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]],
        [[0.5, -1.0], [1.5, 0.0], [-2.0, 3.0], [1.0, 0.5]],
        [[2.0, 1.0, 0.0], [2.0, -1.0, 0.5], [3.0, 0.3, -0.5], [1.0, 0.2, 0.1], [0.5, 0.5, 2.0]],
    ]
    return [(torch.tensor(row, dtype=torch.float64),) for row in rows]


def _drawn_scattered_codes(generator: Generator) -> Arguments:
    latent = size(generator, 2, 4)
    count = latent + size(generator, 3, 6)  # enough images for a covariance that has an inverse
    return (numbers(generator, count, latent),)


def _lesson_codes(generator: Generator) -> Arguments:
    mixing = torch.eye(8) + 0.2 * torch.randn(8, 8, generator=generator)
    return (torch.randn(500, 8, generator=generator) @ mixing + 0.3,)


def _unmixed(centred: Tensor, covariance: Tensor) -> Tensor:
    back: Tensor = torch.linalg.inv(torch.linalg.cholesky(covariance))
    return centred @ back.T


def _centred(codes: Tensor) -> Tensor:
    return codes - codes.mean(0)


def _by_inverse_root(codes: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(torch.cov(codes.T))
    root: Tensor = vectors * values.rsqrt() @ vectors.T
    return _centred(codes) @ root


def _on_principal_axes(codes: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(torch.cov(codes.T))
    axes: Tensor = vectors * values.rsqrt()
    return _centred(codes) @ axes


def _only_turned(codes: Tensor) -> Tensor:
    axes: Tensor = torch.linalg.eigh(torch.cov(codes.T)).eigenvectors
    return _centred(codes) @ axes


def _factor_of(codes: Tensor) -> Tensor:
    factor: Tensor = torch.linalg.cholesky(torch.cov(codes.T))
    return factor


# All of these raise, each with words of its own: where a covariance has an inverse, images are more than coordinates.
CODES_FOR_COLUMNS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda codes: torch.linalg.inv(_factor_of(codes)) @ _centred(codes),
    lambda codes: torch.linalg.solve(_factor_of(codes), _centred(codes)),
    lambda codes: torch.linalg.solve_triangular(_factor_of(codes), _centred(codes), upper=False),
)


WHITEN = Exercise(
    task="Codes (images, d) to mean 0 and covariance I: the epsilon of codes = mean + L epsilon, with the Cholesky factor L.",
    reference=whiten,
    cases=_scattered_codes,
    generate=_drawn_scattered_codes,
    lesson=_lesson_codes,
    hints=(
        "Exercise 1.4 multiplies noise by L and adds the mean. What undoes the one, what the other, and which comes first?",
        "Subtract codes.mean(dim=0), then multiply by the inverse of L, where L is torch.linalg.cholesky(torch.cov(codes.T)).",
        "Codes are rows, so the row form is centred @ torch.linalg.inv(L).T.",
    ),
    mistakes=(
        Mistake(
            "Only centred",
            _centred,
            "The mean is 0 now, the covariance still C. Multiply by the inverse of its Cholesky factor as well.",
        ),
        Mistake(
            "Each coordinate by itself",
            lambda codes: _centred(codes) / codes.std(0),
            "Each coordinate has variance 1 now, but two of them may still move together: the whole factor of C is needed.",
        ),
        Mistake(
            "Divided by the variances",
            lambda codes: _centred(codes) / codes.var(0),
            "A variance is a square, and coordinates may still move together. Multiply by the inverse of the Cholesky factor.",
        ),
        Mistake(
            "Not centred",
            lambda codes: _unmixed(codes, torch.cov(codes.T)),
            "The covariance is I now, the mean is not 0: subtract codes.mean(dim=0) first.",
        ),
        Mistake(
            "The mean was subtracted last",
            lambda codes: _unmixed(codes, torch.cov(codes.T)) - codes.mean(0),
            "Exercise 1.4 adds the mean last, so to go back subtract it first, before the product.",
        ),
        Mistake(
            "The mean was added",
            lambda codes: _unmixed(codes + codes.mean(0), torch.cov(codes.T)),
            "Exercise 1.4 adds the mean, so to go back subtract it.",
        ),
        Mistake(
            "One mean for all coordinates",
            lambda codes: _unmixed(codes - codes.mean(), torch.cov(codes.T)),
            "Each coordinate has its own mean: codes.mean(dim=0).",
        ),
        Mistake(
            "Each code's own mean was subtracted",
            lambda codes: _unmixed(codes - codes.mean(1, keepdim=True), torch.cov(codes.T)),
            "The mean code is an average over images: codes.mean(dim=0).",
        ),
        Mistake(
            "Coloured instead of whitened",
            lambda codes: _centred(codes) @ _factor_of(codes).T,
            "This stretches the codes once more, as Exercise 1.4 does with noise. Multiply by the inverse of L.",
        ),
        Mistake(
            "Transposed factor",
            lambda codes: _centred(codes) @ torch.linalg.inv(_factor_of(codes)),
            "Codes are rows, so the inverse of L stands transposed: centred @ torch.linalg.inv(L).T.",
        ),
        Mistake(
            "Coloured by the transposed factor",
            lambda codes: _centred(codes) @ _factor_of(codes),
            "This stretches the codes once more. Multiply by the inverse of L, transposed, since codes are rows.",
        ),
        Mistake(
            "Inverse covariance instead of its factor's",
            lambda codes: _centred(codes) @ torch.linalg.inv(torch.cov(codes.T)),
            "That is dividing by the variance where the standard deviation belongs: take the inverse of the Cholesky factor.",
        ),
        Mistake(
            "Only the factor's diagonal",
            lambda codes: _centred(codes) / _factor_of(codes).diagonal(),
            "What lies below the diagonal of L counts as well; solve_triangular sees it with upper=False.",
        ),
        Mistake(
            "Another whitening, by the symmetric root",
            _by_inverse_root,
            "Its gap is 0 as well: an honest whitening, but turned against ours. Use the Cholesky factor, as in Exercise 1.4.",
        ),
        Mistake(
            "Another whitening, on the principal axes",
            _on_principal_axes,
            "Its gap is 0 as well: an honest whitening, but turned against ours. Use the Cholesky factor, as in Exercise 1.4.",
        ),
        Mistake(
            "Another whitening, by the factor of the inverse",
            lambda codes: _centred(codes) @ torch.linalg.cholesky(torch.linalg.inv(torch.cov(codes.T))),
            "Its gap is 0 as well: an honest whitening, but turned against ours. Factor the covariance itself, then invert.",
        ),
        Mistake(
            "Only turned",
            _only_turned,
            "On the principal axes coordinates no longer move together, but their variances are not 1 yet.",
        ),
        Mistake(
            "Divided by the number of images",
            lambda codes: _unmixed(_centred(codes), torch.cov(codes.T, correction=0)),
            "torch.cov divides by one less than the number of images, and moment_gap uses it so. Use it as it is.",
        ),
        Mistake(
            "Products about zero",
            lambda codes: _unmixed(_centred(codes), codes.T @ codes / len(codes)),
            "The covariance is taken about the codes' own mean: torch.cov(codes.T).",
        ),
        Mistake(
            "Correlations in place of covariances",
            lambda codes: _unmixed(_centred(codes), torch.corrcoef(codes.T)),
            "Correlations leave the widths of the coordinates as they are. Take the factor of torch.cov(codes.T).",
        ),
        Mistake(
            "Whitened images, not coordinates",
            lambda codes: _unmixed(_centred(codes), torch.cov(codes)),
            "torch.cov takes a row for each coordinate: give it codes.T.",
        ),
        *(
            Mistake(
                "Codes taken for columns",
                function,
                "Each row is one code, and this works on columns. Give it centred.T, and transpose the result back.",
            )
            for function in CODES_FOR_COLUMNS
        ),
        Mistake(
            "Codes left as columns",
            lambda codes: whiten(codes).T,
            "The values are right; codes are rows: transpose to (images, d).",
        ),
    ),
)

EXERCISES = (RECONSTRUCTION_ERROR, TAKE_STEP, PROJECT, CORRELATED_DRAWS, MOMENT_GAP, WHITEN)

PREDICTIONS = (
    Prediction(
        "code_that_generates",
        ("narrow", "wide"),
        answer="narrow",
        because="most of its images lie near real digits, and not one of the wide code's does. Section 6 finds out why.",
        wrong={
            "wide": (
                "It rebuilds an image almost without loss, so one expects the better pictures from it. But to rebuild is to "
                "decode a real code, and that says nothing about a code that is made up."
            ),
        },
    ),
    Prediction(
        "gap_near_zero",
        ("most", "few"),
        answer="few",
        because="mean and covariance say little about a distribution. Islands with wide gaps between them can have both right.",
        wrong={
            "most": (
                "By the two things that we measured, the codes can hardly be told from draws of N(0, I), so one expects the "
                "draws to fall among them. But codes can have mean 0 and covariance I and still leave most places empty."
            ),
        },
    ),
)

EXPLANATIONS = (
    Explanation(
        "why_made_up_codes_fail",
        question="The wide autoencoder rebuilds an image almost without loss. Why does it draw no digits from made-up codes?",
        model=(
            "Its loss looks at one image at a time and asks that it come back; where the codes lie is left to chance. So "
            "they settle in places of their own, the draws fall elsewhere, and there the decoder was never asked for "
            "anything. With draws from where the codes do lie, the same decoder draws digits."
        ),
        rubric=(
            "the loss asks for good reconstructions and leaves the place of the codes free;",
            "the draws fall where no codes lie, and nothing trained the decoder there;",
            "lost information is not the cause: the same decoder draws digits from better draws.",
        ),
    ),
)
