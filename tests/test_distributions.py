import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

from vae_course.distributions import (
    Gaussian,
    GaussianMixture,
    discrete_cross_entropy,
    discrete_entropy,
    discrete_kl_p_to_q,
    nats_to_bits,
    standard_normal,
    standard_uniform,
)
from vae_course.training import seeded

FLOAT = torch.float64


def weights(size, smallest=0.0):
    """Probabilities, some of them 0 unless ``smallest`` is above."""
    return (
        st.lists(st.one_of(st.just(smallest), st.floats(1e-3, 1)), min_size=size, max_size=size)
        .filter(lambda w: sum(w) > 0)
        .map(lambda w: torch.tensor(w, dtype=FLOAT) / sum(w))
    )


numbers = st.floats(-4, 4)


def gaussians(size):
    vector = st.lists(numbers, min_size=size, max_size=size).map(lambda v: torch.tensor(v, dtype=FLOAT))
    return st.builds(Gaussian, vector, vector)


def as_torch(g):
    return Independent(Normal(g.mean, torch.exp(g.log_var / 2)), 1)


@given(weights(5), weights(5))
def test_discrete_quantities_agree_with_scipy(p, q):
    assert discrete_entropy(p).item() == pytest.approx(scipy.stats.entropy(p.numpy()), abs=1e-12)
    assert discrete_kl_p_to_q(p, q).item() == pytest.approx(scipy.stats.entropy(p.numpy(), q.numpy()), abs=1e-9)


@given(weights(4), weights(4))
def test_cross_entropy_is_entropy_plus_kl_and_kl_is_never_negative(p, q):
    kl = discrete_kl_p_to_q(p, q).item()
    assert kl >= -1e-12
    assert discrete_cross_entropy(p, q).item() == pytest.approx(discrete_entropy(p).item() + kl, abs=1e-9)
    assert not math.isnan(kl)


def test_support_gives_infinity_not_nan():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    assert discrete_kl_p_to_q(p, q).item() == math.inf
    assert discrete_cross_entropy(p, q).item() == math.inf
    assert discrete_kl_p_to_q(q, p).item() == pytest.approx(math.log(2))
    assert discrete_kl_p_to_q(p, p).item() == 0


def test_discrete_functions_work_on_batches():
    p = torch.tensor([[0.5, 0.5], [1.0, 0.0]], dtype=FLOAT)
    assert discrete_entropy(p).tolist() == pytest.approx([math.log(2), 0.0])


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (torch.tensor([0.5, 0.6]), "sum to 1.1"),
        (torch.tensor([1.5, -0.5]), "negative probability, -0.5"),
        (torch.tensor([math.nan, 1.0]), "not finite"),
        (torch.tensor([math.inf, 1.0]), "not finite"),
        (torch.tensor([1, 0]), "floating-point"),
        (torch.tensor(1.0), "last dimension"),
    ],
)
def test_what_is_no_distribution_is_refused_by_name(p, message):
    good = torch.tensor([0.5, 0.5])
    for call in (lambda: discrete_entropy(p), lambda: discrete_kl_p_to_q(p, good), lambda: discrete_kl_p_to_q(good, p)):
        with pytest.raises(ValueError, match=message):
            call()


def test_mixed_shapes_are_refused():
    with pytest.raises(ValueError, match=r"equal shapes, got \(2,\) and \(3,\)"):
        discrete_kl_p_to_q(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.5, 0.0]))
    with pytest.raises(ValueError, match="mean and log_var: expected equal shapes"):
        Gaussian(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="equal dimension, got 2 and 3"):
        Gaussian.standard(torch.zeros(2)).kl_to(Gaussian.standard(torch.zeros(3)))
    with pytest.raises(ValueError, match="expected 2 coordinates"):
        Gaussian.standard(torch.zeros(2)).log_density(torch.zeros(3))


def test_gaussian_refuses_scalars_and_values_that_are_not_finite():
    with pytest.raises(ValueError, match="got a scalar"):
        Gaussian(torch.tensor(0.0), torch.tensor(0.0))
    with pytest.raises(ValueError, match="log_var: has a value that is not finite"):
        Gaussian(torch.zeros(1), torch.tensor([math.inf]))


@given(gaussians(3), gaussians(3))
def test_gaussian_closed_forms_agree_with_torch(q, p):
    assert q.kl_to(p).item() == pytest.approx(kl_divergence(as_torch(q), as_torch(p)).item(), rel=1e-9, abs=1e-9)
    assert q.entropy().item() == pytest.approx(as_torch(q).entropy().item(), rel=1e-9)
    assert q.log_density(p.mean).item() == pytest.approx(as_torch(q).log_prob(p.mean).item(), rel=1e-9)


@given(gaussians(4))
def test_kl_to_standard_normal_is_the_general_one_and_sums_its_dimensions(q):
    standard = Gaussian.standard(q.mean)
    assert torch.allclose(q.kl_to_standard_normal_per_dimension(), q.kl_to_per_dimension(standard), rtol=1e-9, atol=1e-12)
    assert q.kl_to_standard_normal().item() == pytest.approx(q.kl_to_per_dimension(standard).sum().item(), rel=1e-9, abs=1e-12)
    assert (q.kl_to_standard_normal_per_dimension() >= 0).all()


def test_tiny_kl_keeps_its_digits():
    q = Gaussian(torch.zeros(1), torch.tensor([1e-3]))  # float32: exp(r) - 1 - r would keep one digit
    exact = 0.5 * (np.expm1(np.float64(1e-3)) - 1e-3)
    assert q.kl_to_standard_normal().item() == pytest.approx(exact, rel=1e-3)


def test_log_density_against_a_full_covariance_implementation():
    q = Gaussian(torch.tensor([[0.5, -1.0]], dtype=FLOAT), torch.tensor([[0.3, -0.7]], dtype=FLOAT))
    x = torch.tensor([[[0.1, 0.2]], [[3.0, -2.0]]], dtype=FLOAT)
    expected = MultivariateNormal(q.mean, torch.diag_embed(q.log_var.exp())).log_prob(x)
    assert torch.allclose(q.log_density(x), expected)


def test_samples_have_the_right_moments_and_carry_gradients():
    mean, log_var = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor([0.0, 1.0], requires_grad=True)
    draws = Gaussian(mean, log_var).sample(seeded(0), samples=40_000)
    standard_error = torch.exp(log_var / 2) / math.sqrt(40_000)
    assert ((draws.mean(0) - mean).abs() < 4 * standard_error).all()
    assert torch.allclose(draws.var(0), log_var.exp(), rtol=4 * math.sqrt(2 / 40_000))
    gradient = torch.autograd.grad(draws.mean(0).sum(), mean)[0]
    assert torch.allclose(gradient, torch.ones(2))


def test_one_seed_gives_one_draw_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    like = torch.zeros(1, dtype=FLOAT)
    assert torch.equal(standard_normal((5,), seeded(3), like), standard_normal((5,), seeded(3), like))
    uniform = standard_uniform((1000,), seeded(3), like)
    assert uniform.dtype == FLOAT
    assert 0 <= uniform.min() < uniform.max() < 1
    assert torch.equal(torch.get_rng_state(), before)


@settings(max_examples=25)
@given(weights(3, smallest=1e-3), st.lists(numbers, min_size=6, max_size=6), st.lists(numbers, min_size=6, max_size=6))
def test_mixture_density_agrees_with_torch(w, means, log_vars):
    """Weights above 0, since torch replaces a weight of 0 by a tiny one."""
    mixture = GaussianMixture(w, torch.tensor(means, dtype=FLOAT).view(3, 2), torch.tensor(log_vars, dtype=FLOAT).view(3, 2))
    x = torch.tensor([[0.0, 0.0], [1.0, -3.0]], dtype=FLOAT)
    expected = MixtureSameFamily(Categorical(w), as_torch(mixture.components())).log_prob(x)
    assert torch.allclose(mixture.log_density(x), expected, rtol=1e-8)


def test_ring_samples_lie_on_the_ring_in_equal_shares():
    ring = GaussianMixture.ring(modes=8, radius=2.0, std=0.1)
    x = ring.sample(seeded(0), 8000)
    nearest = torch.cdist(x, ring.means).argmin(1)
    counts = torch.bincount(nearest, minlength=8)
    assert (counts - 1000).abs().max() < 4 * math.sqrt(1000)
    assert (x - ring.means[nearest]).std().item() == pytest.approx(0.1, rel=0.05)


def test_mixture_refuses_mixed_shapes_and_bad_weights():
    with pytest.raises(ValueError, match="means \\(components, dimension\\)"):
        GaussianMixture(torch.tensor([0.5, 0.5]), torch.zeros(3, 1), torch.zeros(3, 1))
    with pytest.raises(ValueError, match="weights: probabilities sum to 2"):
        GaussianMixture(torch.tensor([1.0, 1.0]), torch.zeros(2, 1), torch.zeros(2, 1))


def test_nats_to_bits():
    assert nats_to_bits(math.log(8)) == pytest.approx(3)
