"""Heads: from an encoder's features to the posterior q(z given x). Some promise by construction that z is used."""

import math
from abc import ABC, abstractmethod

import torch
from scipy.optimize import brentq
from torch import Tensor, nn
from torch.nn import functional

from vae_course.probability.distributions import Gaussian, TextPosterior, VonMisesFisher


class Head(nn.Module, ABC):
    """The last layer of an encoder. It is made without sizes, which the model gives it by ``built``."""

    @abstractmethod
    def built(self, features: int, latent: int) -> "Head":
        """Make the weights for ``features`` inputs and ``latent`` coordinates; returns itself."""

    @abstractmethod
    def forward(self, features: Tensor) -> TextPosterior:
        """(batch, features) -> posterior over (batch, latent)."""


class GaussianHead(Head):
    """A diagonal Gaussian: mean and log_var are linear in the features (Kingma & Welling 2014)."""

    def built(self, features: int, latent: int) -> "Head":  # noqa: D102 - see Head, also below
        self.linear = nn.Linear(features, 2 * latent)
        return self

    def forward(self, features: Tensor) -> Gaussian:  # noqa: D102
        mean, log_var = self.linear(features).chunk(2, dim=-1)
        return Gaussian(mean, log_var)


class BatchNormHead(GaussianHead):
    """BN-VAE (Zhu 2020): the means are batch-normalized to the fixed std ``gamma`` in every coordinate.

    Then the rate averages at least latent * gamma^2 / 2 nats, whatever the decoder does. In training mode a batch needs at
    least two sentences: ``forward`` raises ``ValueError`` for one.
    """

    def __init__(self, gamma: float = 0.6):
        super().__init__()
        if not 0 < gamma < math.inf:
            raise ValueError(f"gamma: expected a positive, finite std of the means, got {gamma}")
        self.gamma = gamma

    def built(self, features: int, latent: int) -> "Head":  # noqa: D102
        self.normalize = nn.BatchNorm1d(latent, affine=False)
        self.shift = nn.Parameter(torch.zeros(latent))
        return super().built(features, latent)

    def forward(self, features: Tensor) -> Gaussian:  # noqa: D102
        if self.training and len(features) < 2:
            raise ValueError("features: a batch of one sentence has no std; choose a batch_size that leaves none of one behind")
        q = super().forward(features)
        return Gaussian(self.gamma * self.normalize(q.mean) + self.shift, q.log_var)


class CappedStdHead(GaussianHead):
    """The posterior's std is capped so that the rate is never below ``rate`` nats: a variation of delta-VAE, for one vector.

    Razavi et al. (2019) commit a rate by an autoregressive prior over a *sequence* of latents, with an encoder that reads the
    sentence from its end; here z is one vector, its prior N(0, I). With independent coordinates
    1/2 (std^2 - 1 - log std^2) >= rate / latent for every std below a largest one. The rate is
    committed, information is not: a narrow posterior in the same place for all sentences has a KL and says nothing.
    """

    def __init__(self, rate: float):
        super().__init__()
        if not 0 < rate < math.inf:
            raise ValueError(f"rate: expected a positive, finite number of nats, got {rate}")
        self.rate = rate

    def built(self, features: int, latent: int) -> "Head":  # noqa: D102
        share = self.rate / latent
        self.largest_log_var = float(brentq(lambda log_var: 0.5 * (math.expm1(log_var) - log_var) - share, -2 * share - 2, 0))
        return super().built(features, latent)

    def forward(self, features: Tensor) -> Gaussian:  # noqa: D102
        q = super().forward(features)
        return Gaussian(q.mean, self.largest_log_var - functional.softplus(q.log_var))


class VonMisesFisherHead(Head):
    """A von Mises-Fisher posterior of fixed concentration on the unit sphere: its rate is a constant (Xu & Durrett 2018)."""

    def __init__(self, concentration: float = 40.0):
        super().__init__()
        self.concentration = concentration

    def built(self, features: int, latent: int) -> "Head":  # noqa: D102
        self.linear = nn.Linear(features, latent)
        return self

    def forward(self, features: Tensor) -> VonMisesFisher:  # noqa: D102
        return VonMisesFisher(functional.normalize(self.linear(features), dim=-1), self.concentration)
