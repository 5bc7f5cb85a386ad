"""What a text VAE minimizes: schedules of the KL weight, penalties on the rate, and the objectives that put them together.

Every loss is in nats per sentence: summed over words and latent coordinates, then averaged over the batch.
"""

import math
from collections.abc import Callable
from itertools import islice
from typing import Any, Generic, TypeVar

import torch
from torch import Generator, Tensor, nn

from vae_course.probability.distributions import Gaussian, TextPosterior
from vae_course.probability.estimators import log_importance_weight
from vae_course.text.conditional import ConditionalTextVAE
from vae_course.text.models import TextVAE
from vae_course.training import Batches, Metrics

# --- schedules of the KL weight -------------------------------------------------------------------------------------

Schedule = Callable[[int], float]  # step, from 0 -> KL weight


def _check_at_least(least: float, **options: float) -> None:
    """Raise ``ValueError``, naming the option, unless each is a finite number and at least ``least``; nan is not."""
    for name, value in options.items():
        if not least <= value < math.inf:
            raise ValueError(f"{name}: expected a finite number, at least {least:g}, got {value}")


def constant(kl_weight: float = 1.0) -> Schedule:
    """The same weight at every step: 1 is the ELBO, more is beta-VAE (Higgins 2017), less asks for more rate (Alemi 2018).

    Raises ``ValueError`` for a weight that is negative or not finite, as all below do for numbers that make no sense.
    """
    _check_at_least(0, kl_weight=kl_weight)
    return lambda step: kl_weight


def linear_annealing(steps: int, final: float = 1.0) -> Schedule:
    """From 0 to ``final`` in ``steps`` steps, then constant (Bowman 2016, with a straight line for their sigmoid)."""
    _check_at_least(1, steps=steps)
    _check_at_least(0, final=final)
    return lambda step: final * min(1.0, step / steps)


def cyclical_annealing(period: int, cycles: int, rising: float = 0.5) -> Schedule:
    """``cycles`` times from 0 to 1 over the share ``rising`` of ``period`` steps, and 1 ever after (Fu 2019)."""
    _check_at_least(1, period=period, cycles=cycles)
    if not 0 < rising <= 1:
        raise ValueError(f"rising: expected a share above 0 and at most 1, got {rising}")
    return lambda step: 1.0 if step >= period * cycles else min(1.0, (step % period) / period / rising)


# --- penalties on the rate ------------------------------------------------------------------------------------------

Penalty = Callable[[TextPosterior], Tensor]  # q(z given x) of a batch -> nats per sentence, a scalar


def mean_rate(q: TextPosterior) -> Tensor:
    """The rate KL(q(z given x) to p(z)), the mean over the batch: the ELBO's own penalty."""
    return q.kl_to_prior().mean()


def free_bits(nats_per_dimension: float) -> Penalty:
    """Each coordinate costs at least ``nats_per_dimension``, so going below gains nothing (Kingma 2016).

    The floor is applied to each coordinate's mean over the batch, *before* coordinates are summed.
    """
    _check_at_least(0, nats_per_dimension=nats_per_dimension)

    def penalty(q: TextPosterior) -> Tensor:
        if not isinstance(q, Gaussian):
            raise TypeError(f"free_bits: needs a posterior with a rate for each coordinate (Gaussian), got {type(q).__name__}")
        return q.kl_to_prior_per_dimension().mean(0).clamp_min(nats_per_dimension).sum()

    return penalty


def free_bits_in_total(nats: float) -> Penalty:
    """The whole rate costs at least ``nats``, however it is spread over coordinates (after Kingma 2016)."""
    _check_at_least(0, nats=nats)
    return lambda q: mean_rate(q).clamp_min(nats)


# --- objectives -----------------------------------------------------------------------------------------------------


Model = TypeVar("Model", bound=TextVAE | ConditionalTextVAE)
Batch = Any  # what the model reads: token numbers (batch, time), or a Pair of them


class Objective(nn.Module, Generic[Model]):
    """A loss for ``training.Update`` that knows how many steps were taken; the count is saved with the weights.

    ``Update(objective, optimizer, objective.loss)``: as a module it has all parameters of ``model``.
    """

    step: Tensor

    def __init__(self, model: Model):
        super().__init__()
        self.model = model
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def loss(self, tokens: Batch, generator: Generator) -> Metrics:
        """Metrics of a batch, among them "loss"; counts the step."""
        metrics = self.measured(tokens, generator)
        self.step += 1
        return metrics

    def measured(self, tokens: Batch, generator: Generator) -> Metrics:
        """The metrics, without counting."""
        raise NotImplementedError


class NegativeElbo(Objective[Model]):
    """distortion + kl_weight * penalty: the ELBO (Kingma & Welling 2014), or a variant of it."""

    def __init__(self, model: Model, kl_weight: Schedule | None = None, penalty: Penalty = mean_rate):
        super().__init__(model)
        self.kl_weight = kl_weight or constant()
        self.penalty = penalty

    def measured(self, tokens: Batch, generator: Generator) -> Metrics:
        """Also the distortion, the rate (not the penalty) and the KL weight of the step."""
        q = self.model.posterior(tokens)
        distortion = -self.model.log_likelihood(tokens, q.sample(generator), generator).mean()
        kl_weight = self.kl_weight(int(self.step))
        loss = distortion + kl_weight * self.penalty(q)
        return {"loss": loss, "distortion": distortion, "rate": mean_rate(q), "kl_weight": torch.tensor(kl_weight)}


class CapacityTarget(NegativeElbo[Model]):
    """distortion + strength * |rate - capacity(step)|, the rate being the batch's mean (Burgess 2018).

    ``capacity``: nats per sentence at each step; Burgess et al. let it rise from 0 in a straight line, as ``linear_annealing``
    does. With a ``strength`` above 1 a nat more than the capacity costs more than it can save, so the rate stays there.
    """

    def __init__(self, model: Model, capacity: Schedule, strength: float):
        _check_at_least(0, strength=strength)
        super().__init__(model)
        self.capacity, self.strength = capacity, strength

    def measured(self, tokens: Batch, generator: Generator) -> Metrics:
        """Distortion, rate, and the capacity of the step."""
        q = self.model.posterior(tokens)
        distortion = -self.model.log_likelihood(tokens, q.sample(generator), generator).mean()
        rate, capacity = mean_rate(q), self.capacity(int(self.step))
        loss = distortion + self.strength * (rate - capacity).abs()
        return {"loss": loss, "distortion": distortion, "rate": rate, "capacity": torch.tensor(capacity)}


class AggressiveEncoder(NegativeElbo[TextVAE]):
    """Lagging inference networks (He 2019): before each step of the decoder the encoder alone catches up.

    The encoder takes up to ``most`` steps on other ``batches``, ten at a time, for as long as the mean loss of the ten falls;
    the step that follows moves the decoder alone. ``calm`` ends that, and both move together as in any VAE: He et al. call it
    when the mutual information on validation sentences has stopped climbing.
    """

    aggressive: Tensor

    def __init__(
        self, model: TextVAE, batches: Batches, learning_rate: float, most: int = 100, kl_weight: Schedule | None = None
    ):
        _check_at_least(1, most=most)
        _check_at_least(0, learning_rate=learning_rate)
        super().__init__(model, kl_weight)
        self.batches, self.most = batches, most
        self.register_buffer("aggressive", torch.ones((), dtype=torch.bool))
        self.encoder_parameters = [*model.encoder.parameters(), *model.head.parameters()]
        self.optimizer = torch.optim.Adam(self.encoder_parameters, lr=learning_rate)

    def calm(self) -> None:
        """From now on train as any VAE."""
        self.aggressive.fill_(False)

    def loss(self, tokens: Tensor, generator: Generator) -> Metrics:
        """See ``Objective``; the encoder's own steps are not counted."""
        if not self.aggressive:
            return super().loss(tokens, generator)
        self._catch_up(generator)
        try:
            self._encoder_learns(False)
            return super().loss(tokens, generator)
        finally:
            self._encoder_learns(True)

    def _encoder_learns(self, learns: bool) -> None:
        for parameter in self.encoder_parameters:
            parameter.requires_grad_(learns)

    def _catch_up(self, generator: Generator) -> None:
        others = islice(self.batches.epoch(generator), self.most)
        before = math.inf
        while ten := list(islice(others, 10)):
            losses = [self._encoder_step(tokens, generator) for tokens in ten]
            mean = sum(losses) / len(losses)
            if mean >= before:
                break
            before = mean

    def _encoder_step(self, tokens: Tensor, generator: Generator) -> float:
        loss = self.measured(tokens, generator)["loss"]
        gradients = torch.autograd.grad(loss, self.encoder_parameters)
        for parameter, gradient in zip(self.encoder_parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        return float(loss.detach())

    def get_extra_state(self) -> dict[str, object]:
        """The encoder's own optimizer belongs to a checkpoint too."""
        return dict(self.optimizer.state_dict())

    def set_extra_state(self, state: dict[str, object]) -> None:
        """See ``get_extra_state``."""
        self.optimizer.load_state_dict(state)


class ImportanceWeighted(Objective[Model]):
    """The importance-weighted bound with ``samples`` draws of z a sentence (Burda 2016, eq. 8): tighter than the ELBO."""

    def __init__(self, model: Model, samples: int):
        _check_at_least(1, samples=samples)
        super().__init__(model)
        self.samples = samples

    def measured(self, tokens: Batch, generator: Generator) -> Metrics:
        """The negative bound, and the rate."""
        q = self.model.posterior(tokens)
        z = q.sample(generator, self.samples)
        log_weight = log_importance_weight(q, z, self.model.log_likelihood(tokens, z, generator))
        bound = log_weight.logsumexp(0) - math.log(self.samples)
        return {"loss": -bound.mean(), "rate": mean_rate(q).detach()}


class InfoVAE(Objective[Model]):
    """distortion + (1 - alpha) * rate + (alpha + scale - 1) * MMD^2(draws of q(z) against p(z)) (Zhao 2019).

    ``scale`` is their lambda. The mutual information of z and sentence is charged with 1 - alpha, the mismatch of q(z) and p(z)
    with alpha + scale - 1, and with alpha = 1 the information is free: that is their MMD-VAE. Raises ``ValueError`` for an
    ``alpha`` above 1, or where the weight of the MMD would be negative.
    """

    def __init__(self, model: Model, alpha: float, scale: float):
        if not -math.inf < alpha <= 1:
            raise ValueError(f"alpha: expected a finite number, at most 1, got {alpha}")
        weight = alpha + scale - 1
        _check_at_least(0, weight=weight)
        super().__init__(model)
        self.kl_weight, self.weight = 1 - alpha, weight

    def measured(self, tokens: Batch, generator: Generator) -> Metrics:
        """Also the squared MMD, the distortion and the rate."""
        q = self.model.posterior(tokens)
        if not isinstance(q, Gaussian):
            name = type(self).__name__
            raise TypeError(f"{name}: compares with N(0, I), needs a Gaussian posterior, got {type(q).__name__}")
        z = q.sample(generator)
        distortion = -self.model.log_likelihood(tokens, z, generator).mean()
        mmd, rate = squared_mmd(z, Gaussian.standard(z).sample(generator)), mean_rate(q)
        loss = distortion + self.weight * mmd
        if self.kl_weight:
            loss = loss + self.kl_weight * rate
        return {"loss": loss, "distortion": distortion, "mmd": mmd, "rate": rate}


class Wasserstein(InfoVAE[Model]):
    """distortion + weight * MMD^2(draws of q(z) against p(z)): WAE-MMD, with a Gaussian encoder (Tolstikhin 2018, alg. 2).

    Only the *aggregate* posterior is held to the prior, so no sentence is asked to give up its own place. It is InfoVAE with
    alpha = 1. A weight binds where weight * MMD^2 is not small against the distortion: among codes that are nowhere near the
    prior MMD^2 is some tenths, so that needs a weight of a hundred, or hundreds.
    """

    def __init__(self, model: Model, weight: float):
        _check_at_least(0, weight=weight)
        super().__init__(model, alpha=1.0, scale=weight)


def squared_mmd(x: Tensor, y: Tensor) -> Tensor:
    """Unbiased estimate of the squared maximum mean discrepancy between draws x and y (n, dimension) (Gretton 2012).

    Kernel: inverse multiquadratic c / (c + |x - y|^2) with c = 2 * dimension (Tolstikhin 2018). It may be slightly negative.
    """
    if x.shape != y.shape or len(x) < 2:
        raise ValueError(f"x and y: expected equal shapes (n >= 2, dimension), got {tuple(x.shape)} and {tuple(y.shape)}")
    n, c = len(x), 2.0 * x.shape[1]

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        # The direct form: far from the origin |a|^2 + |b|^2 - 2 a . b would lose the distance in rounding.
        return c / (c + torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square())

    # The diagonal compares a point with itself: its kernel is 1 and it does not belong to the estimate.
    within = (kernel(x, x).sum() + kernel(y, y).sum() - 2 * n) / (n * (n - 1))
    return within - 2 * kernel(x, y).mean()
