"""Models small enough that log p(x) and the posterior are exact: what a bound claims can be held against the truth.

All amounts of information are in nats. "Evidence" is the field's word for p(x), the z summed or integrated out.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vae_course.probability.distributions import LOG_2_PI, Gaussian, check_probabilities, discrete_kl, p_log_q
from vae_course.probability.estimators import Elbo

# --- a few states, a few observations -------------------------------------------------------------------------------


@dataclass(frozen=True)
class DiscreteModel:
    """A hidden state z and an observation x, both from short lists, so that every sum can be written out.

    ``prior``: (states,), p(z). ``likelihood``: (states, observations), p(x given z), each row a distribution.
    Raises ``ValueError`` for tables that do not fit each other or rows that are not distributions.
    """

    prior: Tensor
    likelihood: Tensor

    def __post_init__(self) -> None:
        if self.prior.dim() != 1 or self.likelihood.dim() != 2 or len(self.likelihood) != len(self.prior):
            raise ValueError(
                "expected a prior (states,) and a likelihood (states, observations), "
                f"got {tuple(self.prior.shape)} and {tuple(self.likelihood.shape)}"
            )
        check_probabilities("prior", self.prior)
        check_probabilities("likelihood", self.likelihood)

    def log_evidence(self, x: int | Tensor) -> Tensor:
        """log p(x) = log sum_z p(z) p(x given z), for observations given by index. ``x``: (...). Returns (...)."""
        return (self.prior @ self.likelihood)[x].log()  # of those asked for alone: log 0 has no gradient

    def exact_posterior(self, x: int | Tensor) -> Tensor:
        """p(z given x) by Bayes' rule. ``x``: (...). Returns (..., states). Undefined (nan) where p(x) = 0."""
        joint: Tensor = self.prior * self.likelihood.T[x]
        return joint / joint.sum(-1, keepdim=True)

    def elbo(self, q: Tensor, x: int | Tensor) -> Elbo:
        """The ELBO of any q(z), every term a sum over states. ``q``: (..., states), ``x``: (...), which broadcast."""
        q, likelihood = torch.broadcast_tensors(q, self.likelihood.T[x])
        # A state that q excludes counts nothing, one that it believes and x rules out costs infinitely much.
        return Elbo(distortion=-p_log_q(q, likelihood).sum(-1), rate=discrete_kl(q, self.prior.expand_as(q)))

    def gap(self, q: Tensor, x: int | Tensor) -> Tensor:
        """KL(q to p(z given x)), computed as just that, without log p(x) or the ELBO. Shapes as in ``elbo``."""
        q, posterior = torch.broadcast_tensors(q, self.exact_posterior(x))
        return discrete_kl(q, posterior)


# --- linear and Gaussian --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LinearGaussian:
    """z ~ N(0, I), x = weights z + bias + noise, noise ~ N(0, noise_std^2 I): probabilistic PCA (Tipping & Bishop 1999).

    ``weights``: (observed, latent), ``bias``: (observed,). It is a VAE whose decoder is one matrix. What is exact is computed
    in float64 and given back in the dtype of the data: in float32, noise_std^2 would soon be lost beside the squared weights.
    Raises ``ValueError`` for shapes that do not fit or a ``noise_std`` that is not positive and finite.
    """

    weights: Tensor
    bias: Tensor
    noise_std: float = 1.0

    def __post_init__(self) -> None:
        if self.weights.dim() != 2 or self.bias.shape != self.weights.shape[:1]:
            raise ValueError(
                "expected weights (observed, latent) and a bias (observed,), "
                f"got {tuple(self.weights.shape)} and {tuple(self.bias.shape)}"
            )
        if not 0 < self.noise_std < math.inf:
            raise ValueError(f"noise_std: expected a positive, finite number, got {self.noise_std}")

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x given z). ``x``: (batch, observed), ``z``: (..., batch, latent). Returns (..., batch)."""
        return self._noise(z @ self.weights.T + self.bias).log_density(x)

    def log_evidence(self, x: Tensor) -> Tensor:
        """log p(x), exact: x is N(bias, weights weights^T + noise_std^2 I). ``x``: (batch, observed). Returns (batch,)."""
        weights, deviation = self.weights.double(), x.double() - self.bias.double()
        identity = torch.eye(len(weights), dtype=weights.dtype, device=weights.device)
        factor = torch.linalg.cholesky(weights @ weights.T + self.noise_std**2 * identity)
        standardized = torch.linalg.solve_triangular(factor, deviation.T, upper=False)
        log_evidence: Tensor = -0.5 * (len(weights) * LOG_2_PI + standardized.square().sum(0)) - factor.diagonal().log().sum()
        return log_evidence.to(x.dtype)

    def exact_posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """p(z given x) = N(mean, covariance), exact (Bishop 2006, eq. 2.116): (batch, latent) and (latent, latent)."""
        mean, precision = self._posterior(x)
        return mean.to(x.dtype), torch.linalg.inv(precision).to(x.dtype)

    def elbo(self, q: Gaussian, x: Tensor) -> Elbo:
        """The ELBO of any diagonal Gaussian q(z given x), (batch, latent), in closed form: no sampling at all."""
        at_mean = self.log_likelihood(x, q.mean)
        spread = (q.log_var.exp() * self.weights.square().sum(0)).sum(-1) / (2 * self.noise_std**2)
        return Elbo(distortion=spread - at_mean, rate=q.kl_to_standard_normal())

    def gap(self, q: Gaussian, x: Tensor) -> Tensor:
        """KL(q to p(z given x)), computed as just that, without log p(x) or the ELBO. Returns (batch,)."""
        mean, precision = self._posterior(x)
        away, log_var = q.mean.double() - mean, q.log_var.double()
        trace = (log_var.exp() * precision.diagonal()).sum(-1)
        distance = (away @ precision * away).sum(-1)
        return (0.5 * (trace + distance - len(precision) - torch.logdet(precision) - log_var.sum(-1))).to(x.dtype)

    def with_encoder(self, q: Gaussian) -> "WithEncoder":
        """This model with a chosen q(z given x), for ``estimators.elbo`` and ``estimators.importance_weighted_bound``."""
        return WithEncoder(self, q)

    def _noise(self, mean: Tensor) -> Gaussian:
        return Gaussian(mean, torch.full_like(mean, self.noise_std).log() * 2)

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The exact posterior's mean (batch, latent) and precision (latent, latent), in float64."""
        weights, deviation = self.weights.double(), x.double() - self.bias.double()
        identity = torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
        precision = identity + weights.T @ weights / self.noise_std**2
        return torch.linalg.solve(precision, weights.T @ deviation.T / self.noise_std**2).T, precision


@dataclass(frozen=True)
class WithEncoder:
    """A ``LinearGaussian`` model together with a q chosen by hand for each example: an ``estimators.LatentModel``."""

    model: LinearGaussian
    q: Gaussian

    def posterior(self, x: Tensor) -> Gaussian:
        """The chosen q, whatever ``x``: (batch, latent), expanded where it was given once for all examples."""
        shape = (len(x), self.q.mean.shape[-1])
        return Gaussian(self.q.mean.expand(shape), self.q.log_var.expand(shape))

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """The model's log p(x given z)."""
        return self.model.log_likelihood(x, z)
