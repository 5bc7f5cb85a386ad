"""Discrete distributions, diagonal Gaussians and Gaussian mixtures: densities, entropies, every KL of the course.

All amounts of information are in nats. Randomness comes only from the ``torch.Generator`` that is passed.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import gammaln, ive, logsumexp
from torch import Generator, Tensor
from torch.nn import functional

LOG_2_PI = math.log(2 * math.pi)


def standard_normal(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Noise from N(0, 1) of the given shape, with the dtype and device of ``like``.

    It is drawn on the generator's own device and moved afterwards, so that one seed gives the same noise on CPU and GPU.
    """
    return torch.randn(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)


def standard_uniform(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Noise from U[0, 1) of the given shape, with the dtype and device of ``like``; drawn as in ``standard_normal``."""
    return torch.rand(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)


def nats_to_bits(nats: float) -> float:
    """Nats (base e) to bits (base 2): one nat is 1 / ln 2 = 1.4427 bits."""
    return nats / math.log(2)


# --- discrete distributions -----------------------------------------------------------------------------------------


class NotFiniteError(ValueError):
    """A value that must be finite is inf or nan."""


def _check_finite(name: str, value: Tensor) -> None:
    if not torch.isfinite(value).all():
        raise NotFiniteError(f"{name}: has a value that is not finite (inf or nan)")


def check_probabilities(name: str, probabilities: Tensor) -> None:
    """Raise ``ValueError``, naming ``name`` and the fault, unless each (..., outcomes) is a distribution.

    A batch without distributions, such as (0, outcomes), has none that is at fault.
    """
    if not probabilities.is_floating_point() or probabilities.dim() == 0 or probabilities.shape[-1] == 0:
        raise ValueError(
            f"{name}: expected a floating-point tensor with the outcomes, one at least, on its last dimension, "
            f"got {probabilities.dtype} of shape {tuple(probabilities.shape)}"
        )
    _check_finite(name, probabilities)
    if (probabilities < 0).any():
        raise ValueError(f"{name}: has a negative probability, {probabilities.min().item():g}; the smallest allowed is 0")
    total = probabilities.detach().sum(-1)
    tolerance = 1e-4 if probabilities.dtype.itemsize <= 4 else 1e-8
    if total.numel() == 0:
        return
    worst = total.flatten()[(total.flatten() - 1).abs().argmax()].item()
    if abs(worst - 1) > tolerance:
        raise ValueError(f"{name}: probabilities sum to {worst:g} over the last dimension, expected 1; divide by the sum")


def _check_same_shape(names: str, a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise ValueError(f"{names}: expected equal shapes, got {tuple(a.shape)} and {tuple(b.shape)}")


def p_log_q(p: Tensor, q: Tensor) -> Tensor:
    """p log q of probabilities of one shape, term by term. Where both are 0 it is 0, and so are its gradients."""
    return torch.xlogy(p, q.where((p > 0) | (q > 0), 1))  # the gradient of xlogy(0, 0) would be nan


def discrete_entropy(p: Tensor) -> Tensor:
    """Entropy H(p) = -sum p log p in nats (Shannon 1948), with 0 log 0 = 0.

    ``p``: (..., outcomes), probabilities. Returns (...). Raises ``ValueError`` if ``p`` is not a distribution.
    An outcome of probability 0 has a gradient of 0, so that one that is ruled out, by a logit of -inf, stays so.
    """
    check_probabilities("p", p)
    return -p_log_q(p, p).sum(-1)


def discrete_cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Cross entropy H(p, q) = -sum p log q in nats: the mean code length of p's outcomes in q's code.

    ``p``, ``q``: (..., outcomes). Returns (...), infinite where q = 0 < p. Raises ``ValueError`` as ``discrete_entropy``.
    An outcome with p = q = 0 has gradients of 0.
    """
    check_probabilities("p", p)
    check_probabilities("q", q)
    _check_same_shape("p and q", p, q)
    return -p_log_q(p, q).sum(-1)


def discrete_kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p to q) = sum p log(p / q) in nats (Kullback & Leibler 1951).

    ``p``, ``q``: (..., outcomes). Returns (...): 0 only where p = q, infinite where q = 0 < p, never NaN.
    Raises ``ValueError`` as ``discrete_entropy``. An outcome with p = 0 has gradients of 0.
    """
    check_probabilities("p", p)
    check_probabilities("q", q)
    _check_same_shape("p and q", p, q)
    # Where p = 0 the term is log(1 / 1), lest nan come back from log 0 and 0 / 0 into the gradients.
    p, q = p.where(p > 0, 1), q.where(p > 0, 1)
    # One term at a time: H(p, q) - H(p) would lose digits where the two nearly agree. But p / q, or its gradient p / q^2,
    # would be too large for the dtype if q were tiny: such a q is divided by after the log.
    tiny = q < math.sqrt(torch.finfo(q.dtype).tiny)
    return (torch.xlogy(p, p / q.where(~tiny, 1)) - torch.xlogy(p, q.where(tiny, 1))).sum(-1)


# --- diagonal Gaussians ---------------------------------------------------------------------------------------------


def _distance_in_variances(distance: Tensor, log_var: Tensor) -> Tensor:
    """distance^2 / exp(log_var), shapes as they broadcast; without nan where exp(-log_var) is too large for the dtype.

    In float32 it is so below log_var = -88. There the distance is divided by the std itself, in two parts that both fit.
    """
    limit = math.log(torch.finfo(log_var.dtype).max) - 1
    extreme = log_var.abs() > limit
    root_std = torch.exp((0.25 * log_var.where(extreme, 0)).clamp(-limit, limit))
    return (distance / root_std / root_std).square() * torch.exp(-log_var.where(~extreme, 0))


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian over the last dimension: N(mean, diag(exp(log_var))).

    ``mean``, ``log_var``: (..., dimension), equal shapes, finite. ``log_var`` is the log of the *variance*, not of std.
    Raises ``ValueError`` for unequal shapes or a scalar, ``NotFiniteError`` for inf or nan.
    """

    mean: Tensor
    log_var: Tensor

    def __post_init__(self) -> None:
        _check_same_shape("mean and log_var", self.mean, self.log_var)
        if self.mean.dim() == 0:
            raise ValueError("mean: expected a last dimension to hold the coordinates, got a scalar; use shape (1,)")
        _check_finite("mean", self.mean)
        _check_finite("log_var", self.log_var)

    @classmethod
    def standard(cls, like: Tensor) -> "Gaussian":
        """N(0, I) with the shape, dtype and device of ``like``."""
        return cls(torch.zeros_like(like), torch.zeros_like(like))

    @property
    def std(self) -> Tensor:
        """Standard deviation, exp(log_var / 2), shape (..., dimension)."""
        return torch.exp(0.5 * self.log_var)

    def sample(self, generator: Generator, samples: int | None = None) -> Tensor:
        """Draw z = mean + std * noise, noise from N(0, I): the reparameterization trick (Kingma & Welling 2014, eq. 4).

        Gradients flow into ``mean`` and ``log_var``. Returns (..., dimension), or (samples, ..., dimension).
        """
        shape = tuple(self.mean.shape) if samples is None else (samples, *self.mean.shape)
        return self.mean + self.std * standard_normal(shape, generator, like=self.mean)

    def log_density(self, x: Tensor) -> Tensor:
        """log N(x; mean, diag(exp(log_var))) in nats. ``x``: (..., dimension), may broadcast. Returns (...)."""
        if x.shape[-1:] != self.mean.shape[-1:]:
            raise ValueError(f"x: expected {self.mean.shape[-1]} coordinates on the last dimension, got {tuple(x.shape)}")
        return -0.5 * (LOG_2_PI + self.log_var + _distance_in_variances(x - self.mean, self.log_var)).sum(-1)

    def entropy(self) -> Tensor:
        """Differential entropy in nats, 1/2 sum(log(2 pi e) + log_var); it may be negative. Returns (...)."""
        return 0.5 * (LOG_2_PI + 1 + self.log_var).sum(-1)

    def kl_to(self, other: "Gaussian") -> Tensor:
        """KL(self to other) in nats, closed form, summed over dimensions. Returns (...)."""
        return self.kl_to_per_dimension(other).sum(-1)

    def kl_to_per_dimension(self, other: "Gaussian") -> Tensor:
        """KL(self to other) in nats for each dimension, shape (..., dimension).

        1/2 (log_var_2 - log_var_1 + (exp(log_var_1) + (mean_1 - mean_2)^2) / exp(log_var_2) - 1).
        """
        if self.mean.shape[-1] != other.mean.shape[-1]:
            raise ValueError(f"expected Gaussians of equal dimension, got {self.mean.shape[-1]} and {other.mean.shape[-1]}")
        log_ratio = self.log_var - other.log_var
        distance = _distance_in_variances(self.mean - other.mean, other.log_var)
        # expm1 keeps the digits where the two variances nearly agree and exp(r) - 1 - r is tiny.
        return 0.5 * (torch.expm1(log_ratio) - log_ratio + distance)

    def kl_to_standard_normal(self) -> Tensor:
        """KL(self to N(0, I)) in nats, summed over dimensions (Kingma & Welling 2014, appendix B). Returns (...)."""
        return self.kl_to_standard_normal_per_dimension().sum(-1)

    @property
    def prior(self) -> "Gaussian":
        """The prior that a VAE with this posterior has, N(0, I)."""
        return Gaussian.standard(self.mean)

    def kl_to_prior(self) -> Tensor:
        """The rate of a VAE with this posterior: ``kl_to_standard_normal``. Returns (...)."""
        return self.kl_to_standard_normal()

    def kl_to_standard_normal_per_dimension(self) -> Tensor:
        """KL(self to N(0, I)) for each dimension: 1/2 (mean^2 + exp(log_var) - 1 - log_var). Shape (..., dimension)."""
        return 0.5 * (self.mean.square() + torch.expm1(self.log_var) - self.log_var)

    def kl_to_prior_per_dimension(self) -> Tensor:
        """The rate of each coordinate, shape (..., dimension)."""
        return self.kl_to_standard_normal_per_dimension()


@dataclass(frozen=True)
class GaussianGiven(Gaussian):
    """A posterior of a conditional VAE, q(z given source, target): its prior is p(z given source), ``given``, not N(0, I)."""

    given: Gaussian

    @property
    def prior(self) -> Gaussian:
        """p(z given source)."""
        return self.given

    def kl_to_prior(self) -> Tensor:
        """The rate, KL(q(z given source, target) to p(z given source)), in nats. Returns (...)."""
        return self.kl_to(self.given)

    def kl_to_prior_per_dimension(self) -> Tensor:
        """The rate of each coordinate, shape (..., dimension)."""
        return self.kl_to_per_dimension(self.given)


# --- von Mises-Fisher -----------------------------------------------------------------------------------------------


def _log_ive(order: float, argument: float) -> float:
    """log of SciPy's ``ive``, the modified Bessel function of the first kind times exp(-argument), also where that is 0."""
    scaled = float(ive(order, argument))
    if scaled > 0:
        return math.log(scaled)
    # The power series in logs. Its terms, n = 0, 1, ..., are all positive, and from n = argument on each is below a quarter
    # of the one before.
    n = np.arange(int(argument) + 40)
    logs = (2 * n + order) * math.log(argument / 2) - gammaln(n + 1) - gammaln(n + order + 1)
    return float(logsumexp(logs)) - argument


@dataclass(frozen=True)
class UniformOnSphere:
    """Uniform on the unit sphere, with the shape (..., dimension), dtype and device of ``like``."""

    like: Tensor

    @property
    def log_area(self) -> float:
        """log of the sphere's area, 2 pi^(d/2) / Gamma(d/2)."""
        half = self.like.shape[-1] / 2
        return math.log(2) + half * math.log(math.pi) - math.lgamma(half)

    def log_density(self, x: Tensor) -> Tensor:
        """The same at each unit vector. ``x``: (..., dimension). Returns (...)."""
        return x.new_full(x.shape[:-1], -self.log_area)

    def sample(self, generator: Generator) -> Tensor:
        """Draw unit vectors (..., dimension)."""
        return functional.normalize(standard_normal(tuple(self.like.shape), generator, self.like), dim=-1)


@dataclass(frozen=True)
class VonMisesFisher:
    """The von Mises-Fisher distribution on the unit sphere, density C exp(concentration * direction . x).

    ``direction``: (..., dimension), unit vectors of at least 2 dimensions; ``concentration``: positive, the same for all,
    1e9 at most. Raises ``ValueError`` for anything else, ``NotFiniteError`` for inf or nan.
    """

    direction: Tensor
    concentration: float

    def __post_init__(self) -> None:
        if self.direction.dim() == 0 or self.direction.shape[-1] < 2:
            raise ValueError(f"direction: expected at least 2 dimensions, got shape {tuple(self.direction.shape)}")
        if not 0 < self.concentration <= 1e9:  # beyond, SciPy's Bessel functions are nan
            raise ValueError(f"concentration: expected a positive number, 1e9 at most, got {self.concentration}")
        _check_finite("direction", self.direction)
        norm = self.direction.norm(dim=-1)
        if ((norm - 1).abs() > 1e-3).any():
            raise ValueError(
                f"direction: expected unit vectors, got norms from {norm.min():g} to {norm.max():g}; divide by the norm"
            )

    @property
    def mean(self) -> Tensor:
        """The mean direction, as the posterior's place in the latent space."""
        return self.direction

    @property
    def prior(self) -> UniformOnSphere:
        """The prior that a VAE with this posterior has (Xu & Durrett 2018)."""
        return UniformOnSphere(self.direction)

    def _log_normalizer(self) -> float:
        half = self.direction.shape[-1] / 2
        k = self.concentration
        # ive is the Bessel function times exp(-k), which does not overflow.
        return (half - 1) * math.log(k) - half * LOG_2_PI - _log_ive(half - 1, k) - k

    def _mean_cosine(self) -> float:
        half, k = self.direction.shape[-1] / 2, self.concentration
        above, below = float(ive(half, k)), float(ive(half - 1, k))
        return above / below if above > 0 else math.exp(_log_ive(half, k) - _log_ive(half - 1, k))

    def log_density(self, x: Tensor) -> Tensor:
        """log density in nats with respect to the sphere's area. ``x``: (..., dimension), unit vectors. Returns (...)."""
        return self._log_normalizer() + self.concentration * (self.direction * x).sum(-1)

    def kl_to_prior(self) -> Tensor:
        """KL to the uniform distribution, in nats: k I_{d/2}(k) / I_{d/2-1}(k) + log C + log area, whatever the direction."""
        rate = self.concentration * self._mean_cosine() + self._log_normalizer() + self.prior.log_area
        return self.direction.new_full(self.direction.shape[:-1], rate)

    def sample(self, generator: Generator, samples: int | None = None) -> Tensor:
        """Draw unit vectors (..., dimension), or (samples, ..., dimension); gradients flow into ``direction``.

        The cosine with the direction is drawn by rejection (Wood 1994), the rest uniformly around it.
        """
        shape = tuple(self.direction.shape) if samples is None else (samples, *self.direction.shape)
        cosine = self._cosines(math.prod(shape[:-1]), generator).to(self.direction)
        cosine = cosine.view(*shape[:-1], 1)
        around = standard_normal(shape, generator, like=self.direction)
        around = around - (around * self.direction).sum(-1, keepdim=True) * self.direction
        around = around / around.norm(dim=-1, keepdim=True)
        drawn: Tensor = cosine * self.direction + (1 - cosine.square()).clamp_min(0).sqrt() * around
        return drawn

    def _cosines(self, count: int, generator: Generator) -> Tensor:
        dimension, k = self.direction.shape[-1], self.concentration
        b = (dimension - 1) / (2 * k + math.sqrt(4 * k * k + (dimension - 1) ** 2))
        x = (1 - b) / (1 + b)
        c = k * x + (dimension - 1) * math.log(1 - x * x)
        accepted = torch.empty(0, dtype=torch.float64)
        while len(accepted) < count:
            half = torch.full((2 * (count - len(accepted)) + 16,), (dimension - 1) / 2, dtype=torch.float64)
            # A Beta(a, a) draw from two Gamma(a) draws.
            one, other = (torch._standard_gamma(half, generator=generator) for _ in range(2))
            beta = one / (one + other)
            w = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
            uniform = torch.rand(len(w), generator=generator, dtype=torch.float64)
            keep = k * w + (dimension - 1) * torch.log(1 - x * w) - c >= torch.log(uniform)
            accepted = torch.cat([accepted, w[keep]])
        return accepted[:count]


TextPosterior = Gaussian | VonMisesFisher  # the posteriors that the text models know


# --- Gaussian mixtures ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GaussianMixture:
    """A mixture of diagonal Gaussians.

    ``weights``: (components,), a distribution. ``means``, ``log_vars``: (components, dimension).
    A component of weight 0 is left out of densities, and has gradients of 0.
    Raises ``ValueError`` for mixed shapes or weights that are not a distribution.
    """

    weights: Tensor
    means: Tensor
    log_vars: Tensor

    def __post_init__(self) -> None:
        check_probabilities("weights", self.weights)
        if self.weights.dim() != 1 or self.means.dim() != 2 or len(self.means) != len(self.weights):
            raise ValueError(
                "expected weights (components,) and means (components, dimension), "
                f"got {tuple(self.weights.shape)} and {tuple(self.means.shape)}"
            )
        self.components()  # checks means against log_vars

    @classmethod
    def ring(cls, modes: int = 8, radius: float = 2.0, std: float = 0.1) -> "GaussianMixture":
        """Equal Gaussians evenly spaced on a circle in the plane: the classic test of mode coverage (Metz 2017)."""
        angles = 2 * math.pi * torch.arange(modes) / modes
        means = radius * torch.stack([angles.cos(), angles.sin()], dim=-1)
        return cls(torch.full((modes,), 1 / modes), means, torch.full_like(means, 2 * math.log(std)))

    def components(self) -> Gaussian:
        """The components as one batch of Gaussians, shape (components, dimension)."""
        return Gaussian(self.means, self.log_vars)

    def sample(self, generator: Generator, samples: int) -> Tensor:
        """Draw (samples, dimension): a component by its weight, then a point from it."""
        weights = self.weights.to(generator.device)
        chosen = torch.multinomial(weights, samples, replacement=True, generator=generator).to(self.means.device)
        return Gaussian(self.means[chosen], self.log_vars[chosen]).sample(generator)

    def log_density(self, x: Tensor) -> Tensor:
        """log of the mixture's density in nats. ``x``: (..., dimension). Returns (...)."""
        present = self.weights > 0  # log 0 would bring nan into the gradients
        components = Gaussian(self.means[present], self.log_vars[present])
        return torch.logsumexp(components.log_density(x.unsqueeze(-2)) + self.weights[present].log(), dim=-1)
