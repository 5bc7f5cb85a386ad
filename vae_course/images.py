"""Handwritten digits, the models of images that lessons 01-06 train on them, and precision and recall of samples."""

import gzip
import itertools
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from sklearn.datasets import fetch_openml, load_digits
from torch import Generator, Tensor, nn
from torch.nn import functional

from vae_course.probability.distributions import LOG_2_PI, Gaussian, GaussianMixture, standard_normal
from vae_course.training import Metrics

# --- data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImageSet:
    """Images in [0, 1] of shape (images, pixels), row by row, with their labels (images,), split in train and test."""

    train: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor

    def __repr__(self) -> str:
        return f"{len(self.train)} training and {len(self.test)} test images of {self.train.shape[1]} pixels"


def digits(size: Literal[8, 28] = 8, device: torch.device | None = None) -> ImageSet:
    """The 1,797 scanned digits that come with scikit-learn (UCI, Alpaydin & Kaynak 1998): no download.

    ``size`` 8 is the original, 28 the same enlarged bilinearly to MNIST's 784 pixels. The last fifth of
    the file, in its own order, is the test set.
    """
    if size not in (8, 28):
        raise ValueError(f"size: expected 8 (original) or 28 (enlarged to MNIST's size), got {size}")
    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32) / 16
    if size == 28:
        images = functional.interpolate(images[:, None], size=(28, 28), mode="bilinear", align_corners=False)[:, 0]
    return _split(images.flatten(1), torch.tensor(bunch.target), train=len(images) * 4 // 5, device=device)


def mnist(path: Path | None = None, device: torch.device | None = None) -> ImageSet:
    """MNIST's 60,000 + 10,000 digits of 784 pixels (LeCun 1998).

    ``path``: a folder with the four original IDX files, gzipped or not (``train-images-idx3-ubyte`` and so on).
    Without it, scikit-learn's OpenML client downloads the set once and keeps it in its own cache.
    Raises ``FileNotFoundError`` for missing files, ``ValueError`` for damaged ones, ``ConnectionError`` when offline.
    """
    if path is not None:
        images, labels = (
            np.concatenate([_read_idx(Path(path), f"{part}-{kind}") for part in ("train", "t10k")])
            for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
        )
        train = len(_read_idx(Path(path), "train-labels-idx1-ubyte"))
    else:
        try:
            bunch = fetch_openml("mnist_784", version=1, as_frame=False)
        except OSError as error:  # urllib's URLError is one
            raise ConnectionError(
                f"MNIST could not be downloaded from OpenML ({error}). Connect once, or download the four IDX files "
                "elsewhere and pass their folder: mnist(path=...); digits() needs no download at all."
            ) from error
        images, labels, train = bunch.data, bunch.target.astype(np.int64), 60_000
    pixels = torch.tensor(images, dtype=torch.float32).flatten(1) / 255
    return _split(pixels, torch.tensor(labels.astype(np.int64)), train, device)


def _split(images: Tensor, labels: Tensor, train: int, device: torch.device | None) -> ImageSet:
    images, labels = images.to(device or "cpu"), labels.to(device or "cpu")
    return ImageSet(images[:train], images[train:], labels[:train], labels[train:])


def _read_idx(folder: Path, name: str) -> np.ndarray:
    """An IDX file: two zero bytes, type 8 (unsigned byte), the number of dimensions, each size big-endian, the bytes."""
    for file in (folder / name, folder / f"{name}.gz"):
        if file.exists():
            content = file.read_bytes()
            break
    else:
        raise FileNotFoundError(f"{folder}: has neither {name} nor {name}.gz; MNIST's four IDX files belong there")
    if file.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:  # cut; not gzipped at all; other bytes inside
            raise ValueError(f"{file}: is damaged, it cannot be unpacked ({error}); download it anew") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"{file}: is not an IDX file of bytes (it should begin with 00 00 08); download it anew")
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise ValueError(f"{file}: is cut, it ends within its header of {header} bytes; download it anew")
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise ValueError(f"{file}: holds {len(content) - header:,} bytes, its header promises {shape}; download it anew")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


# --- autoencoder and VAE --------------------------------------------------------------------------------------------


def layers(sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Fully connected layers of the given sizes with ``activation`` between them (none after the last)."""
    parts: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        parts += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*parts[:-1])


class Autoencoder(nn.Module):
    """Encoder and decoder of mirrored fully connected layers; with no hidden sizes both are linear.

    Its loss is the squared error *summed* over pixels, averaged over images.
    """

    def __init__(self, pixels: int, hidden: Sequence[int], latent: int):
        super().__init__()
        self.encoder = layers([pixels, *hidden, latent])
        self.decoder = layers([latent, *reversed(hidden), pixels])

    def forward(self, images: Tensor) -> Tensor:
        """Reconstruct ``images`` (batch, pixels); same shape."""
        reconstruction: Tensor = self.decoder(self.encoder(images))
        return reconstruction

    def loss(self, images: Tensor, generator: Generator) -> Metrics:
        """Squared error per image, to be passed to ``training.Update``."""
        return {"loss": squared_error(images, self(images))}


def squared_error(images: Tensor, reconstructions: Tensor) -> Tensor:
    """Squared error summed over pixels, averaged over images: a scalar."""
    return (images - reconstructions).square().sum(-1).mean()


Likelihood = Literal["bernoulli", "gaussian"]


class VAE(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014) of fully connected layers with prior N(0, I).

    ``likelihood`` "bernoulli" reads pixels as probabilities of ink (cross entropy; for pixels strictly between 0 and 1
    it is not a density of theirs, only the customary loss); "gaussian" has one standard deviation ``pixel_std`` for all pixels.
    ``kl_weight`` multiplies the rate in the loss (1 is the ELBO; Higgins 2017 for others).
    """

    def __init__(
        self,
        pixels: int,
        hidden: Sequence[int],
        latent: int,
        likelihood: Likelihood = "bernoulli",
        pixel_std: float = 0.2,
        kl_weight: float = 1.0,
    ):
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f'likelihood: expected "bernoulli" or "gaussian", got {likelihood!r}')
        if not (0 < pixel_std < math.inf and 0 <= kl_weight < math.inf):
            raise ValueError(f"expected pixel_std > 0 and kl_weight >= 0, both finite, got {pixel_std} and {kl_weight}")
        self.latent, self.likelihood, self.pixel_std, self.kl_weight = latent, likelihood, pixel_std, kl_weight
        self.encoder = layers([pixels, *hidden, 2 * latent])
        self.decoder = layers([latent, *reversed(hidden), pixels])

    def posterior(self, images: Tensor) -> Gaussian:
        """q(z given x): the encoder's mean and log_var, each (batch, latent)."""
        mean, log_var = self.encoder(images).chunk(2, dim=-1)
        return Gaussian(mean, log_var)

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each z, (..., latent) to (..., pixels)."""
        output: Tensor = self.decoder(z)
        return output.sigmoid() if self.likelihood == "bernoulli" else output

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x given z) in nats, summed over pixels. ``x``: (batch, pixels), ``z``: (..., batch, latent)."""
        output: Tensor = self.decoder(z)
        if self.likelihood == "bernoulli":
            return -functional.binary_cross_entropy_with_logits(output, x.expand_as(output), reduction="none").sum(-1)
        return -0.5 * (LOG_2_PI + 2 * math.log(self.pixel_std) + (x - output).square() / self.pixel_std**2).sum(-1)

    def loss(self, images: Tensor, generator: Generator) -> Metrics:
        """-ELBO in nats per image (summed over pixels and latent dimensions), with the rate weighted by ``kl_weight``."""
        q = self.posterior(images)
        distortion = -self.log_likelihood(images, q.sample(generator)).mean()
        rate = q.kl_to_standard_normal().mean()
        return {"loss": distortion + self.kl_weight * rate, "distortion": distortion, "rate": rate}

    @torch.no_grad()
    def sample(self, count: int, generator: Generator) -> Tensor:
        """Decode ``count`` draws from N(0, I) to mean images, (count, pixels)."""
        like = next(self.parameters())
        return self.decode(standard_normal((count, self.latent), generator, like))


# --- GAN ------------------------------------------------------------------------------------------------------------


class GAN(nn.Module):
    """A generative adversarial network (Goodfellow 2014): a generator from N(0, I), and a discriminator with one logit.

    ``bounded`` ends the generator in a sigmoid, for images in [0, 1].
    """

    def __init__(self, outputs: int, hidden: Sequence[int], latent: int, bounded: bool):
        super().__init__()
        self.latent = latent
        self.generator = layers([latent, *hidden, outputs])
        if bounded:
            self.generator.append(nn.Sigmoid())
        self.discriminator = layers([outputs, *hidden, 1], activation=lambda: nn.LeakyReLU(0.2))  # type: ignore[arg-type]

    def draw(self, count: int, generator: Generator) -> Tensor:
        """``count`` samples (count, outputs), through which gradients flow to the generator."""
        like = next(self.parameters())
        fake: Tensor = self.generator(standard_normal((count, self.latent), generator, like))
        return fake

    @torch.no_grad()
    def sample(self, count: int, generator: Generator) -> Tensor:
        """``count`` samples (count, outputs)."""
        return self.draw(count, generator)

    def discriminator_loss(self, real: Tensor, generator: Generator) -> Metrics:
        """-log D(real) - log(1 - D(fake)), averaged over the batch, in nats; 2 ln 2 = 1.386 if D cannot tell."""
        fake = self.draw(len(real), generator).detach()
        loss = functional.softplus(-self.discriminator(real)).mean() + functional.softplus(self.discriminator(fake)).mean()
        return {"loss": loss, "discriminator": loss}

    def generator_loss(self, real: Tensor, generator: Generator) -> Metrics:
        """-log D(fake), the non-saturating loss of Goodfellow 2014, section 3; ln 2 = 0.693 if D cannot tell."""
        loss = functional.softplus(-self.discriminator(self.draw(len(real), generator))).mean()
        return {"loss": loss, "generator": loss}


# --- judging samples ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrecisionRecall:
    """``precision``: share of samples near real data (fidelity). ``recall``: share of real data near samples (coverage)."""

    precision: float
    recall: float


def precision_recall(real: Tensor, samples: Tensor, neighbours: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi 2019), on the points as they are.

    A set's manifold is the union of balls round its points, each reaching to the point's k-th nearest neighbour within
    the set; precision is the share of samples inside the real manifold, recall the share of real points inside the samples'.
    ``real``, ``samples``: (points, dimension), each with more than ``neighbours`` points.
    """
    for name, points in (("real", real), ("samples", samples)):
        if points.dim() != 2 or len(points) <= neighbours:
            raise ValueError(f"{name}: expected (points, dimension), over {neighbours} points, got {tuple(points.shape)}")
        if not torch.isfinite(points).all():
            raise ValueError(f"{name}: has a value that is not finite (inf or nan)")
    return PrecisionRecall(
        precision=_share_inside(samples, manifold=real, neighbours=neighbours),
        recall=_share_inside(real, manifold=samples, neighbours=neighbours),
    )


def _share_inside(points: Tensor, manifold: Tensor, neighbours: int) -> float:
    # k + 1 because each point is its own nearest neighbour, at distance 0.
    radii = _distances(manifold, manifold).kthvalue(neighbours + 1, dim=1).values
    return (_distances(points, manifold) <= radii).any(dim=1).double().mean().item()


def kinds(pictures: Tensor, digits: ImageSet, smallest_share: float = 0.02) -> int:
    """How many of the labels occur among ``pictures`` (count, pixels), each read as its nearest training image.

    A label counts from ``smallest_share`` of the pictures on. One picture over and over is of one kind, however good it is.
    """
    labels = digits.train_labels[torch.cdist(pictures, digits.train).argmin(dim=1)]
    shares = torch.bincount(labels).double() / len(pictures)
    return int((shares >= smallest_share).sum())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # The direct form: the faster matrix product form gives a point a distance to itself that is not quite 0.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


@dataclass(frozen=True)
class ModeCoverage:
    """``covered``: how many modes have samples. ``good_samples``: share of samples that lie at some mode."""

    covered: int
    good_samples: float


def mode_coverage(samples: Tensor, mixture: GaussianMixture, within: float = 3.0, smallest_share: float = 0.01) -> ModeCoverage:
    """Count a mixture's modes among samples (samples, dimension), in the manner of Metz 2017 and Srivastava 2017.

    A sample lies at its nearest mode if it is no further from it than ``within`` of that mode's standard deviations in every
    coordinate together (root mean square). A mode is covered if at least ``smallest_share`` of all samples lie at it.
    """
    component = mixture.components()
    scaled = (samples[:, None] - component.mean.to(samples)) / component.std.to(samples)
    distance, nearest = scaled.square().mean(-1).sqrt().min(dim=1)
    at_mode = nearest[distance <= within]
    counts = torch.bincount(at_mode, minlength=len(mixture.weights))
    return ModeCoverage(int((counts >= smallest_share * len(samples)).sum()), len(at_mode) / len(samples))
