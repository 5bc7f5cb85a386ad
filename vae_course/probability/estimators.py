"""Monte Carlo estimators: gradients of an expectation, KL from samples, the ELBO and the importance-weighted bound."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Generator, Tensor
from torch.nn import functional

from vae_course.probability.distributions import Gaussian, standard_uniform


@dataclass(frozen=True)
class Estimate:
    """A Monte Carlo mean with its standard error (standard deviation of the draws / sqrt of their number)."""

    value: float
    standard_error: float

    @classmethod
    def of(cls, draws: Tensor) -> "Estimate":
        """The mean of independent ``draws``, any shape, at least two."""
        if draws.numel() < 2:
            raise ValueError(f"draws: a standard error needs at least 2 draws, got {draws.numel()}")
        draws = draws.detach().double()
        return cls(draws.mean().item(), draws.std().item() / math.sqrt(draws.numel()))

    def standard_errors_from(self, exact: float) -> float:
        """How many standard errors the estimate lies from ``exact``; below 3 in 99.7 % of honest runs.

        With a standard error of 0, of draws that are all alike, it is 0 at ``exact`` itself and infinite elsewhere.
        """
        if self.standard_error == 0:
            return 0.0 if self.value == exact else math.inf
        return abs(self.value - exact) / self.standard_error

    def __str__(self) -> str:
        return f"{self.value:.4f} ± {self.standard_error:.4f}"


# --- gradients of E_q[f(z)], q = N(mean, diag(exp(log_var))) --------------------------------------------------------


@dataclass(frozen=True)
class GradientDraws:
    """One gradient per sample; their mean over samples is the estimate. Both of shape (samples, dimension)."""

    mean: Tensor
    log_var: Tensor


Objective = Callable[[Tensor], Tensor]  # z (samples, dimension) -> f(z) (samples,)


def pathwise_gradient(objective: Objective, q: Gaussian, samples: int, generator: Generator) -> GradientDraws:
    """Gradient of E_q[f(z)] through the sample, z = mean + std * noise (Kingma & Welling 2014; Rezende 2014).

    ``objective`` must be differentiable. ``q``: (dimension,). Needs no closed form of the expectation.
    """
    z = q.sample(generator, samples).detach().requires_grad_()
    (slope,) = torch.autograd.grad(_values(objective, z).sum(), z)
    # dz/dmean = 1 and dz/dlog_var = std * noise / 2 = (z - mean) / 2
    return GradientDraws(slope, slope * 0.5 * (z - q.mean).detach())


def score_function_gradient(
    objective: Objective, q: Gaussian, samples: int, generator: Generator, baseline: bool = False
) -> GradientDraws:
    """Gradient of E_q[f(z)] as E_q[f(z) grad log q(z)] (Williams 1992, REINFORCE); f may be a black box.

    ``baseline=True`` subtracts from each f(z) the mean over the *other* samples: no bias, less variance (Mnih & Rezende 2016).
    """
    if baseline and samples < 2:
        raise ValueError(f"samples: a leave-one-out baseline needs at least 2, got {samples}")
    z = q.sample(generator, samples).detach()
    values = _values(objective, z).detach()
    if baseline:
        values = values - (values.sum() - values) / (samples - 1)
    standardized = ((z - q.mean) / q.std).detach()
    score_mean = standardized / q.std.detach()
    score_log_var = 0.5 * (standardized.square() - 1)
    return GradientDraws(values[:, None] * score_mean, values[:, None] * score_log_var)


def _values(objective: Objective, z: Tensor) -> Tensor:
    values = objective(z)
    if values.shape != z.shape[:1]:
        raise ValueError(f"objective: expected one value per sample, shape {(len(z),)}, got {tuple(values.shape)}")
    return values


# --- discrete choices ----------------------------------------------------------------------------------------------


COLDEST = 1e-30  # Colder, a softmax is no harder: it is one-hot already. But logits / temperature would become inf.


def gumbel_noise(shape: tuple[int, ...], generator: Generator, like: Tensor) -> Tensor:
    """Standard Gumbel noise, -log(-log u) with u uniform on (0, 1)."""
    # The smallest positive float keeps log away from u = 0.
    uniform = standard_uniform(shape, generator, like).clamp_min(torch.finfo(like.dtype).tiny)
    return -torch.log(-torch.log(uniform))


def gumbel_softmax(logits: Tensor, temperature: float, generator: Generator, straight_through: bool = False) -> Tensor:
    """A differentiable, approximate sample from softmax(logits) (Jang 2017; Maddison 2017).

    ``logits``: (..., categories). Returns (..., categories), summing to 1. With ``straight_through`` the value is exactly
    one-hot and the gradient is that of the soft sample. Raises ``ValueError`` for a temperature that is not positive and
    finite, or where there is no category.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature: expected a positive, finite number, got {temperature}")
    if logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits: expected categories on the last dimension, one at least, got shape {tuple(logits.shape)}")
    noisy = logits + gumbel_noise(tuple(logits.shape), generator, logits)
    soft = torch.softmax(noisy / max(temperature, COLDEST), dim=-1)
    if not straight_through:
        return soft
    hard = functional.one_hot(soft.argmax(-1), logits.shape[-1]).to(soft.dtype)
    return hard + (soft - soft.detach())  # the brackets keep the value exact


# --- KL from samples -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KLEstimates:
    """Three estimates of KL(q to p) in nats from the same draws of q (Schulman 2020), with r = p / q.

    ``plain`` averages -log r: unbiased. ``squared`` averages (log r)^2 / 2: biased, little variance.
    ``corrected`` averages r - 1 - log r: unbiased, never negative.
    """

    plain: Estimate
    squared: Estimate
    corrected: Estimate


def kl_from_samples(log_q: Tensor, log_p: Tensor) -> KLEstimates:
    """Estimate KL(q to p) from log q(x) and log p(x) at draws x of **q**. Both (samples,)."""
    if log_q.shape != log_p.shape:
        raise ValueError(f"log_q and log_p: expected equal shapes, got {tuple(log_q.shape)} and {tuple(log_p.shape)}")
    log_ratio = log_p - log_q
    return KLEstimates(
        plain=Estimate.of(-log_ratio),
        squared=Estimate.of(0.5 * log_ratio.square()),
        corrected=Estimate.of(torch.expm1(log_ratio) - log_ratio),
    )


# --- bounds on log p(x) ---------------------------------------------------------------------------------------------


class Density(Protocol):
    """A distribution over z, (batch, latent)."""

    def log_density(self, x: Tensor, /) -> Tensor:
        """In nats. (..., latent) -> (...)."""
        ...

    def sample(self, generator: Generator, /) -> Tensor:
        """One draw each, (batch, latent)."""
        ...


class Posterior(Density, Protocol):
    """What the bounds need of q(z given x), of shape (batch, latent): ``Gaussian`` or ``VonMisesFisher``."""

    @property
    def mean(self) -> Tensor:
        """The posterior's place, (batch, latent)."""
        ...

    @property
    def prior(self) -> Density:
        """The prior p(z) that belongs to it."""
        ...

    def sample(self, generator: Generator, samples: int | None = None) -> Tensor:
        """Draws through which gradients flow, (batch, latent) or (samples, batch, latent)."""
        ...

    def kl_to_prior(self) -> Tensor:
        """The rate in nats, (batch,)."""
        ...


Data = TypeVar("Data", contravariant=True)  # a batch of what the model reads: a tensor, or a pair of them


class LatentModel(Protocol[Data]):
    """What the bounds need of a model with a latent variable."""

    def posterior(self, x: Data) -> Posterior:
        """The encoder's q(z given x), shape (batch, latent)."""
        ...

    def log_likelihood(self, x: Data, z: Tensor) -> Tensor:
        """The decoder's log p(x given z) in nats. ``z``: (..., batch, latent). Returns (..., batch)."""
        ...


@dataclass(frozen=True)
class Elbo:
    """The evidence lower bound of each example in nats, as its two parts; all of shape (batch,).

    ``distortion`` is -E_q[log p(x given z)], ``rate`` is KL(q(z given x) to p(z)) (names as in Alemi 2018).
    """

    distortion: Tensor
    rate: Tensor

    @property
    def value(self) -> Tensor:
        """ELBO = -distortion - rate, at most log p(x)."""
        return -self.distortion - self.rate


def elbo(model: LatentModel[Data], x: Data, generator: Generator, samples: int = 1) -> Elbo:
    """The ELBO (Kingma & Welling 2014, eq. 7): distortion by ``samples`` reparameterized draws, rate in closed form."""
    q = model.posterior(x)
    distortion = -model.log_likelihood(x, q.sample(generator, samples)).mean(0)
    return Elbo(distortion, q.kl_to_prior())


def importance_weighted_bound(model: LatentModel[Data], x: Data, generator: Generator, samples: int, chunk: int = 64) -> Tensor:
    """log 1/K sum_k p(x, z_k) / q(z_k given x), K = ``samples`` (Burda 2016, eq. 8), in nats, shape (batch,).

    With K = 1 it estimates the ELBO; it rises to log p(x) as K grows. At most ``chunk`` samples are held at once, and they
    are combined by logsumexp, so that neither memory nor underflow limits K.
    """
    return importance_weighted(model, x, generator, samples, chunk).bound


@dataclass(frozen=True)
class WeightedBound:
    """log p(x) from below, on average, and how many of the draws it rests on; both of shape (batch,).

    ``bound`` is in nats. ``effective``: the effective sample size of the weights, from 1 to the number of draws. A small one
    shows that the proposal fails. A large one proves nothing: draws that all lie in one narrow place agree with one another.
    """

    bound: Tensor
    effective: Tensor


def importance_weighted(
    model: LatentModel[Data], x: Data, generator: Generator, samples: int, chunk: int = 64, from_prior: int = 0
) -> WeightedBound:
    """``importance_weighted_bound`` with the effective sample size of its weights.

    ``from_prior`` of the ``samples`` draws come from the prior, and then every weight is p(x, z) / m(z) with the density of the
    mixture, m = (1 - a) q(z given x) + a p(z), a = from_prior / samples (defensive importance sampling, Hesterberg 1995; with
    fixed numbers of draws from each part, Veach & Guibas 1995). The mean weight is p(x) on average, as before, so the bound
    is one, and no weight exceeds p(x given z) / a. It helps where q is too narrow or in the wrong place. Raises ``ValueError``
    unless 0 <= from_prior <= samples.
    """
    if samples < 1 or chunk < 1:
        raise ValueError(f"samples and chunk: expected at least 1 of each, got {samples} and {chunk}")
    if not 0 <= from_prior <= samples:
        raise ValueError(f"from_prior: expected 0 to {samples} of the draws, got {from_prior}")
    q = model.posterior(x)
    total = torch.full(q.mean.shape[:-1], -math.inf, dtype=q.mean.dtype, device=q.mean.device)
    of_squares = total.clone()
    for start in range(0, samples, chunk):
        count = min(chunk, samples - start)
        defensive = min(count, max(0, start + count - (samples - from_prior)))  # the last draws are those from the prior
        z = _drawn(q, generator, count - defensive, defensive)
        log_likelihood = model.log_likelihood(x, z)
        if from_prior:
            log_weight = log_likelihood + _log_prior_to_mixture(q, z, from_prior / samples)
        else:
            log_weight = log_importance_weight(q, z, log_likelihood)
        total = torch.logaddexp(total, torch.logsumexp(log_weight, dim=0))
        of_squares = torch.logaddexp(of_squares, torch.logsumexp(2 * log_weight, dim=0))
    return WeightedBound(total - math.log(samples), (2 * total - of_squares).exp())


def _drawn(q: Posterior, generator: Generator, own: int, defensive: int) -> Tensor:
    """``own`` draws of q, then ``defensive`` ones of its prior, (own + defensive, batch, latent)."""
    parts = [q.sample(generator, own)] if own else []
    return torch.cat([*parts, *(q.prior.sample(generator)[None] for _ in range(defensive))])


def _log_prior_to_mixture(q: Posterior, z: Tensor, share: float) -> Tensor:
    """log p(z) / ((1 - share) q(z given x) + share p(z)), (..., batch)."""
    log_prior = q.prior.log_density(z)
    if share == 1:
        return torch.zeros_like(log_prior)
    return log_prior - torch.logaddexp(math.log1p(-share) + q.log_density(z), math.log(share) + log_prior)


def effective_sample_size(log_weight: Tensor) -> Tensor:
    """(sum w)^2 / sum w^2 over the first dimension (Kish 1965; Kong 1992): K equal weights count K, one that outweighs all 1.

    ``log_weight``: (samples, ...), in nats, of any scale. Returns (...).
    """
    return (2 * torch.logsumexp(log_weight, dim=0) - torch.logsumexp(2 * log_weight, dim=0)).exp()


def log_importance_weight(q: Posterior, z: Tensor, log_likelihood: Tensor) -> Tensor:
    """log p(x, z) / q(z given x) in nats, of draws z (..., batch, latent) with their log p(x given z), (..., batch)."""
    return log_likelihood + q.prior.log_density(z) - q.log_density(z)
