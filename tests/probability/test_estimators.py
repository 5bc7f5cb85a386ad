import math

import pytest
import scipy.special
import torch

from vae_course.probability.distributions import Gaussian, VonMisesFisher
from vae_course.probability.estimators import (
    Estimate,
    effective_sample_size,
    elbo,
    gumbel_noise,
    gumbel_softmax,
    importance_weighted,
    importance_weighted_bound,
    kl_from_samples,
    pathwise_gradient,
    score_function_gradient,
)
from vae_course.training import seeded

FLOAT = torch.float64
MEAN, LOG_VAR = torch.tensor([0.5, -1.0], dtype=FLOAT), torch.tensor([0.4, -0.6], dtype=FLOAT)


def square(z):
    return z.square().sum(-1)


# E[sum z^2] = sum mean^2 + exp(log_var), so the gradients are 2 mean and exp(log_var).
EXACT_MEAN, EXACT_LOG_VAR = 2 * MEAN, LOG_VAR.exp()


def standard_errors(draws, exact):
    return ((draws.mean(0) - exact) / (draws.std(0) / math.sqrt(len(draws)))).abs().max().item()


@pytest.mark.parametrize(
    "estimate",
    [
        pathwise_gradient,
        score_function_gradient,
        lambda *a: score_function_gradient(*a, baseline=True),
    ],
    ids=["pathwise", "score", "score with baseline"],
)
def test_gradient_estimators_are_unbiased(estimate):
    draws = estimate(square, Gaussian(MEAN, LOG_VAR), 20_000, seeded(1))
    assert draws.mean.shape == (20_000, 2)
    assert standard_errors(draws.mean, EXACT_MEAN) < 4
    assert standard_errors(draws.log_var, EXACT_LOG_VAR) < 4


def test_pathwise_variance_is_the_known_one_and_the_baseline_reduces_the_scores():
    q = Gaussian(MEAN, LOG_VAR)
    variances = [
        pathwise_gradient(square, q, 20_000, seeded(2)).mean.var(0),
        score_function_gradient(square, q, 20_000, seeded(2), baseline=True).mean.var(0),
        score_function_gradient(square, q, 20_000, seeded(2)).mean.var(0),
    ]
    # d/dmean of z^2 is 2 z, of variance 4 exp(log_var)
    assert torch.allclose(variances[0], 4 * LOG_VAR.exp(), rtol=0.06)
    assert (variances[0] < variances[1]).all()
    assert (variances[1] < variances[2]).all()


def test_leave_one_out_baseline_is_unbiased_even_for_two_samples():
    """The plain mean as a baseline would shrink the gradient by (n - 1) / n: by half, here."""
    q, generator = Gaussian(MEAN, LOG_VAR), seeded(3)
    means = torch.stack([score_function_gradient(square, q, 2, generator, baseline=True).mean.mean(0) for _ in range(6000)])
    assert standard_errors(means, EXACT_MEAN) < 4


def test_score_function_sees_a_step_that_the_path_cannot():
    def step(z):
        return (z[:, 0] > 0).to(FLOAT)

    q = Gaussian(torch.tensor([0.3], dtype=FLOAT), torch.tensor([0.0], dtype=FLOAT))
    exact = math.exp(-(0.3**2) / 2) / math.sqrt(2 * math.pi)  # d/dmean of P(z > 0)
    assert standard_errors(score_function_gradient(step, q, 20_000, seeded(4)).mean, torch.tensor([exact])) < 4
    with pytest.raises(RuntimeError, match="does not require grad"):
        pathwise_gradient(step, q, 10, seeded(4))


def test_gradient_estimators_refuse_bad_objectives_and_baselines():
    q = Gaussian(MEAN, LOG_VAR)
    with pytest.raises(ValueError, match=r"one value per sample, shape \(5,\), got \(5, 2\)"):
        pathwise_gradient(lambda z: z, q, 5, seeded(0))
    with pytest.raises(ValueError, match="at least 2, got 1"):
        score_function_gradient(square, q, 1, seeded(0), baseline=True)


def test_gumbel_argmax_samples_the_softmax():
    logits = torch.tensor([1.0, 0.0, -1.0], dtype=FLOAT)
    draws = (logits + gumbel_noise((30_000, 3), seeded(5), logits)).argmax(-1)
    share = torch.bincount(draws, minlength=3) / 30_000
    p = logits.softmax(-1)
    assert ((share - p).abs() < 4 * (p * (1 - p) / 30_000).sqrt()).all()


def test_gumbel_softmax_is_a_distribution_and_hardens_as_it_cools():
    logits = torch.tensor([1.0, 0.0, -1.0], dtype=FLOAT).expand(2000, 3)
    warm, cold = (gumbel_softmax(logits, t, seeded(6)) for t in (2.0, 0.05))
    assert torch.allclose(warm.sum(-1), torch.ones(2000, dtype=FLOAT))
    assert warm.max(-1).values.mean() < 0.75 < 0.95 < cold.max(-1).values.mean()


def test_straight_through_is_one_hot_with_the_soft_gradient():
    logits = torch.tensor([0.2, -0.1, 0.4], dtype=FLOAT, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0], dtype=FLOAT)
    hard = gumbel_softmax(logits, 0.7, seeded(7), straight_through=True)
    soft = gumbel_softmax(logits, 0.7, seeded(7))
    assert sorted(hard.tolist()) == pytest.approx([0, 0, 1])
    (hard_gradient,) = torch.autograd.grad((hard * weights).sum(), logits)
    (soft_gradient,) = torch.autograd.grad((soft * weights).sum(), logits)
    assert torch.allclose(hard_gradient, soft_gradient)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_temperature_must_be_positive_and_finite(temperature):
    with pytest.raises(ValueError, match=f"temperature: expected a positive, finite number, got {temperature}"):
        gumbel_softmax(torch.zeros(2), temperature, seeded(0))


@pytest.mark.parametrize("temperature", [1e-20, 1e-39, 1e-300])
def test_the_coldest_sample_is_the_gumbel_argmax(temperature):
    logits = torch.tensor([0.2, -math.inf, 0.4]).expand(50, 3).clone().requires_grad_()
    cold = gumbel_softmax(logits, temperature, seeded(6))
    winner = (logits + gumbel_noise((50, 3), seeded(6), logits)).argmax(-1)
    assert torch.equal(cold, torch.nn.functional.one_hot(winner, 3).float())
    (gradient,) = torch.autograd.grad((cold * torch.tensor([1.0, 2.0, 3.0])).sum(), logits)
    assert (gradient == 0).all()


def test_gumbel_softmax_of_nothing():
    assert gumbel_softmax(torch.zeros(0, 3), 1.0, seeded(0), straight_through=True).shape == (0, 3)
    with pytest.raises(ValueError, match=r"logits: expected categories on the last dimension, .* got shape \(2, 0\)"):
        gumbel_softmax(torch.zeros(2, 0), 1.0, seeded(0), straight_through=True)


def test_kl_from_samples_against_the_closed_form():
    q = Gaussian(torch.tensor([0.5], dtype=FLOAT), torch.tensor([-0.3], dtype=FLOAT))
    p = Gaussian.standard(q.mean)
    x = q.sample(seeded(8), 20_000)
    estimates = kl_from_samples(q.log_density(x), p.log_density(x))
    exact = q.kl_to(p).item()
    assert estimates.plain.standard_errors_from(exact) < 4
    assert estimates.corrected.standard_errors_from(exact) < 4
    assert estimates.corrected.standard_error < estimates.plain.standard_error
    # The squared one is biased: its mean is E[(log r)^2] / 2, here by numerical integration.
    grid = torch.linspace(-8, 8, 16001, dtype=FLOAT)[:, None]
    log_q, log_p = q.log_density(grid), p.log_density(grid)
    squared = (0.5 * (log_p - log_q).square() * log_q.exp()).sum().item() * 0.001
    assert estimates.squared.standard_errors_from(squared) < 4
    assert abs(squared - exact) > 5 * estimates.squared.standard_error


def test_kl_from_samples_refuses_mixed_shapes():
    with pytest.raises(ValueError, match=r"equal shapes, got \(2,\) and \(3,\)"):
        kl_from_samples(torch.zeros(2), torch.zeros(3))


def test_estimate_is_mean_and_standard_error():
    estimate = Estimate.of(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert estimate.value == 2.5
    assert estimate.standard_error == pytest.approx(math.sqrt(5 / 3) / 2)
    assert estimate.standard_errors_from(2.5) == 0
    assert str(estimate) == "2.5000 ± 0.6455"
    with pytest.raises(ValueError, match="at least 2 draws, got 1"):
        Estimate.of(torch.tensor([1.0]))


def test_an_estimate_without_spread_is_exact_or_infinitely_far_off():
    alike = Estimate.of(torch.full((5,), 0.25))
    assert alike.standard_error == 0
    assert alike.standard_errors_from(0.25) == 0
    assert alike.standard_errors_from(0.3) == math.inf


class OneDimension:
    """x = z + noise, z ~ N(0, 1), noise ~ N(0, 1): p(x) = N(0, 2) and p(z given x) = N(x / 2, 1 / 2)."""

    def __init__(self, shift: float = 0.0):
        self.shift = shift  # of the approximate posterior's mean away from the true one

    def posterior(self, x):
        return Gaussian(x / 2 + self.shift, torch.full_like(x, math.log(0.5)))

    def log_likelihood(self, x, z):
        return Gaussian(z, torch.zeros_like(z)).log_density(x)


X = torch.tensor([[0.3], [-2.0]], dtype=FLOAT)
LOG_EVIDENCE = Gaussian(torch.zeros_like(X), torch.full_like(X, math.log(2))).log_density(X)


def test_elbo_is_the_evidence_minus_the_gap():
    gap = 0.4**2 / 2 / 0.5  # KL between Gaussians of variance 1/2 whose means are 0.4 apart
    bound = elbo(OneDimension(0.4), X, seeded(9), samples=50_000)
    assert torch.allclose(bound.value, LOG_EVIDENCE - gap, atol=0.03)
    assert torch.allclose(bound.rate, OneDimension(0.4).posterior(X).kl_to_standard_normal())
    assert torch.equal(bound.value, -bound.distortion - bound.rate)


def test_importance_weighted_bound_is_exact_with_the_true_posterior():
    for samples in (1, 7):
        assert torch.allclose(importance_weighted_bound(OneDimension(), X, seeded(10), samples), LOG_EVIDENCE)


def test_importance_weighted_bound_tightens_with_samples():
    generator = seeded(11)
    x = X.repeat(3000, 1)
    means = [importance_weighted_bound(OneDimension(0.4), x, generator, k).mean().item() for k in (1, 8, 64)]
    exact = LOG_EVIDENCE.mean().item()
    assert means[0] == pytest.approx(exact - 0.16, abs=0.03)
    assert means[0] < means[1] - 0.05 < means[2] < exact + 0.01


def test_chunks_change_memory_not_the_result():
    """Drawing in chunks takes the same noise in the same order, so the bound is the same."""
    whole = importance_weighted_bound(OneDimension(0.4), X, seeded(12), samples=96, chunk=96)
    parts = importance_weighted_bound(OneDimension(0.4), X, seeded(12), samples=96, chunk=16)
    assert torch.allclose(whole, parts)


def test_importance_weighted_bound_survives_likelihoods_that_underflow():
    class Unlikely(OneDimension):
        def log_likelihood(self, x, z):
            return super().log_likelihood(x, z) - 5000.0

    assert torch.allclose(importance_weighted_bound(Unlikely(), X, seeded(13), samples=4), LOG_EVIDENCE - 5000)


def test_importance_weighted_bound_refuses_no_samples():
    with pytest.raises(ValueError, match="at least 1 of each, got 0 and 64"):
        importance_weighted_bound(OneDimension(), X, seeded(0), samples=0)


class OnTheCircle:
    """z uniform on the circle, x a direction with density vMF(z, 3): p(x) is uniform and p(z given x) = vMF(x, 3)."""

    def __init__(self, concentration: float):
        self.concentration = concentration  # of the approximate posterior; the true one's is 3

    def posterior(self, x):
        return VonMisesFisher(x, self.concentration)

    def log_likelihood(self, x, z):
        return VonMisesFisher(x, 3.0).log_density(z)


DIRECTIONS = torch.tensor([[1.0, 0.0], [-0.6, 0.8]], dtype=FLOAT)
ON_CIRCLE = torch.full((2,), -math.log(2 * math.pi), dtype=FLOAT)


def test_bounds_hold_for_a_posterior_with_a_prior_of_its_own():
    """The prior belongs to the posterior: on a circle it is uniform there, not N(0, I)."""
    for samples in (1, 7):
        assert torch.allclose(importance_weighted_bound(OnTheCircle(3.0), DIRECTIONS, seeded(14), samples), ON_CIRCLE)
    model, x = OnTheCircle(1.0), DIRECTIONS.repeat(2000, 1)
    # KL(vMF(x, 1) to vMF(x, 3)) in closed form: (1 - 3) cosine + log I_0(3) - log I_0(1)
    cosine = scipy.special.iv(1, 1.0) / scipy.special.iv(0, 1.0)
    gap = (1 - 3) * cosine + math.log(scipy.special.iv(0, 3.0) / scipy.special.iv(0, 1.0))
    bound = elbo(model, x, seeded(15))
    assert Estimate.of(bound.value).standard_errors_from(ON_CIRCLE[0].item() - gap) < 4
    assert torch.equal(bound.rate, model.posterior(x).kl_to_prior())
    one = Estimate.of(importance_weighted_bound(model, x, seeded(16), 1))
    assert one.standard_errors_from(ON_CIRCLE[0].item() - gap) < 4
    many = Estimate.of(importance_weighted_bound(model, x, seeded(17), 50))
    assert one.value + 0.1 < many.value < ON_CIRCLE[0].item() + 4 * many.standard_error


# --- how many draws count, and a proposal that defends -----------------------------------------------------------------


def test_effective_sample_size_by_hand_at_any_scale():
    weights = torch.tensor([[1.0, 1.0, 4.0], [1.0, 0.0, 2.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]], dtype=FLOAT)
    for offset in (0.0, -3000.0, 900.0):
        found = effective_sample_size(weights.log() + offset)
        assert found.tolist() == pytest.approx([4, 1, 64 / 22])


@pytest.mark.parametrize("from_prior", [0, 3, 5, 12])
@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_the_weighted_bound_by_hand(from_prior, chunk):
    """x given z is N(z, 1), z is N(0, 1), and q misses the posterior: all densities from torch.distributions."""
    model, generator = OneDimension(0.9), seeded(20)
    found = importance_weighted(model, X, seeded(20), 12, chunk, from_prior)
    q, weights = model.posterior(X), []
    # The same noise in the same order: a chunk's draws of q, then its draws of the prior, one by one.
    for start in range(0, 12, chunk):
        of_prior = [k >= 12 - from_prior for k in range(start, min(12, start + chunk))]
        own = of_prior.count(False)
        draws = list(q.sample(generator, own)) if own else []
        draws += [Gaussian.standard(q.mean).sample(generator) for _ in range(of_prior.count(True))]
        for z in draws:
            p_z, q_z = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(q.mean, q.std)
            mixture = (1 - from_prior / 12) * q_z.log_prob(z).exp() + from_prior / 12 * p_z.log_prob(z).exp()
            weights.append((model.log_likelihood(X, z).exp()[:, None] * p_z.log_prob(z).exp() / mixture)[:, 0])
    weights = torch.stack(weights)
    assert torch.allclose(found.bound, weights.mean(0).log())
    assert torch.allclose(found.effective, weights.sum(0).square() / weights.square().sum(0))
    assert torch.allclose(found.effective, effective_sample_size(weights.log()))


@pytest.mark.parametrize("from_prior", [0, 1, 3, 4])
def test_the_mean_weight_is_p_of_x_whatever_the_proposal(from_prior):
    x = X.repeat(40_000, 1)
    found = importance_weighted(OneDimension(0.5), x, seeded(21), 4, from_prior=from_prior)
    for column, exact in zip(found.bound.exp().view(-1, len(X)).T, LOG_EVIDENCE.exp(), strict=True):
        assert Estimate.of(column).standard_errors_from(exact.item()) < 4.5


class TooNarrow(OneDimension):
    """A hundredth of the right std: the weights of its draws hang on the few in the tails."""

    def posterior(self, x):
        q = super().posterior(x)
        return Gaussian(q.mean, q.log_var - 2 * math.log(100))


def test_a_proposal_that_fails_is_seen_by_its_effective_sample_size_and_helped_by_the_prior():
    x = X.repeat(500, 1)
    alone = importance_weighted(TooNarrow(), x, seeded(22), 200)
    helped = importance_weighted(TooNarrow(), x, seeded(22), 200, from_prior=100)
    exact = LOG_EVIDENCE.repeat(500)
    assert (exact - alone.bound).mean() > 1
    assert Estimate.of(exact - helped.bound).value == pytest.approx(0, abs=0.05)
    assert alone.effective.median() < 40 < helped.effective.median()


def test_an_effective_sample_size_may_be_large_where_the_proposal_fails():
    """Narrow and in the wrong place: its draws see nothing but a slope, on which their weights nearly agree."""
    x = X.repeat(50, 1)
    alone = importance_weighted(TooNarrow(2.0), x, seeded(24), 200)
    helped = importance_weighted(TooNarrow(2.0), x, seeded(24), 200, from_prior=100)
    assert (LOG_EVIDENCE.repeat(50) - alone.bound).mean() > 4
    assert (LOG_EVIDENCE.repeat(50) - helped.bound).mean().abs() < 0.1
    assert alone.effective.median() > 20


def test_the_perfect_proposal_uses_every_draw():
    found = importance_weighted(OneDimension(), X, seeded(23), 30)
    assert torch.allclose(found.effective, torch.full_like(found.effective, 30.0))


def test_there_are_no_more_draws_from_the_prior_than_draws():
    for wrong in (-1, 5):
        with pytest.raises(ValueError, match=f"from_prior: expected 0 to 4 of the draws, got {wrong}"):
            importance_weighted(OneDimension(), X, seeded(0), 4, from_prior=wrong)
