"""The exact models against scipy, torch.distributions, brute-force sums and numerical integration."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from vae_course.probability import estimators
from vae_course.probability.distributions import Gaussian
from vae_course.probability.exact import DiscreteModel, LinearGaussian
from vae_course.training import seeded


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


# --- the discrete model, against sums in plain Python ---------------------------------------------------------------

PRIOR = [0.6, 0.3, 0.1]
LIKELIHOOD = [[0.7, 0.2, 0.1, 0.0], [0.1, 0.1, 0.3, 0.5], [0.0, 0.25, 0.25, 0.5]]
DISCRETE = DiscreteModel(tensor(PRIOR), tensor(LIKELIHOOD))


@pytest.mark.parametrize("x", range(4))
def test_discrete_evidence_and_posterior_by_brute_force(x):
    joint = [PRIOR[z] * LIKELIHOOD[z][x] for z in range(3)]
    assert DISCRETE.log_evidence(x).item() == pytest.approx(math.log(sum(joint)), abs=1e-14)
    np.testing.assert_allclose(DISCRETE.exact_posterior(x), [j / sum(joint) for j in joint], atol=1e-15)


def test_discrete_evidence_is_a_distribution_and_takes_batches():
    x = torch.arange(4)
    assert DISCRETE.log_evidence(x).exp().sum().item() == pytest.approx(1, abs=1e-14)
    assert DISCRETE.exact_posterior(x).shape == (4, 3)


@pytest.mark.parametrize("q", [[0.2, 0.5, 0.3], [1 / 3, 1 / 3, 1 / 3], [0.0, 1.0, 0.0]])
def test_discrete_elbo_and_gap_by_brute_force(q):
    x = 1
    terms = [(q[z], math.log(PRIOR[z] * LIKELIHOOD[z][x] / q[z])) for z in range(3) if q[z] > 0]
    value = sum(weight * term for weight, term in terms)
    found = DISCRETE.elbo(tensor(q), x)
    assert found.value.item() == pytest.approx(value, abs=1e-14)
    assert found.rate.item() == pytest.approx(sum(q[z] * math.log(q[z] / PRIOR[z]) for z in range(3) if q[z] > 0), abs=1e-14)
    assert (DISCRETE.log_evidence(x) - found.value).item() == pytest.approx(DISCRETE.gap(tensor(q), x).item(), abs=1e-14)


def test_discrete_bound_touches_at_the_posterior_and_is_minus_infinity_where_q_believes_the_impossible():
    for x in range(4):
        posterior = DISCRETE.exact_posterior(x)
        assert DISCRETE.elbo(posterior, x).value.item() == pytest.approx(DISCRETE.log_evidence(x).item(), abs=1e-14)
    impossible = DISCRETE.elbo(tensor([0.5, 0.5, 0.0]), 3)
    assert impossible.value.item() == -math.inf
    assert DISCRETE.gap(tensor([0.5, 0.5, 0.0]), 3).item() == math.inf


def test_discrete_takes_many_q_and_x_at_once():
    q = tensor([[0.2, 0.5, 0.3], [0.6, 0.2, 0.2]])
    x = torch.tensor([1, 2])
    for many in (q, q[0]):  # a q for each x, or one for all
        bounds, gaps = DISCRETE.elbo(many, x), DISCRETE.gap(many, x)
        assert bounds.distortion.shape == bounds.rate.shape == gaps.shape == (2,)
        for row, one in enumerate(many.expand(2, 3)):
            assert bounds.value[row].item() == pytest.approx(DISCRETE.elbo(one, int(x[row])).value.item(), abs=1e-15)
            assert gaps[row].item() == pytest.approx(DISCRETE.gap(one, int(x[row])).item(), abs=1e-15)


def test_an_observation_that_is_never_made_leaves_gradients_alone():
    """A table with zeros from logits of -inf: gradients as without the column that no state allows."""

    def value(logits, x):
        model = DiscreteModel(tensor([0.4, 0.6]), logits.softmax(-1))
        return model.log_evidence(x) + model.elbo(tensor([1.0, 0.0]), x).value + model.elbo(tensor([0.3, 0.7]), 0).value

    logits = tensor([[0.2, -0.3, -math.inf], [0.5, -math.inf, -math.inf]]).requires_grad_()
    (gradient,) = torch.autograd.grad(value(logits, 1), logits)
    assert (gradient[:, 2] == 0).all()
    assert gradient[1, 1] == 0
    for place in ((0, 0), (0, 1), (1, 0)):
        step = torch.zeros_like(logits)
        step[place] = 1e-6
        difference = (value(logits.detach() + step, 1) - value(logits.detach() - step, 1)) / 2e-6
        assert gradient[place].item() == pytest.approx(difference.item(), abs=1e-8)


def test_discrete_takes_no_observations_at_all():
    none, q = torch.zeros(0, dtype=torch.long), torch.zeros(0, 3, dtype=torch.float64)
    assert DISCRETE.log_evidence(none).shape == DISCRETE.elbo(q, none).value.shape == DISCRETE.gap(q, none).shape == (0,)


@pytest.mark.parametrize(
    ("prior", "likelihood", "match"),
    [
        ([0.5, 0.5], [[1.0, 0.0]], "expected a prior"),
        ([0.5, 0.6], [[1.0, 0.0], [0.0, 1.0]], "prior: probabilities sum to"),
        ([0.5, 0.5], [[1.0, 0.5], [0.0, 1.0]], "likelihood: probabilities sum to"),
    ],
)
def test_discrete_rejects_bad_tables(prior, likelihood, match):
    with pytest.raises(ValueError, match=match):
        DiscreteModel(tensor(prior), tensor(likelihood))


# --- the linear-Gaussian model --------------------------------------------------------------------------------------


def a_model():
    return LinearGaussian(tensor([[2.0, 0.3], [-0.5, 1.0], [0.7, 0.7]]), tensor([0.5, -1.0, 0.0]), noise_std=0.6)


X = tensor([[0.4, -2.0, 1.0], [3.0, 0.0, -1.0]])


def test_log_evidence_is_scipys_multivariate_normal():
    model = a_model()
    covariance = model.weights @ model.weights.T + 0.36 * torch.eye(3, dtype=torch.float64)
    expected = multivariate_normal(model.bias.numpy(), covariance.numpy()).logpdf(X.numpy())
    np.testing.assert_allclose(model.log_evidence(X), expected, atol=1e-12)


def test_log_likelihood_is_scipys_and_broadcasts_over_samples():
    model = a_model()
    z = Gaussian.standard(torch.zeros(2, 2, dtype=torch.float64)).sample(seeded(0), samples=5)
    found = model.log_likelihood(X, z)
    assert found.shape == (5, 2)
    mean = (model.weights @ z[3, 1] + model.bias).numpy()
    assert found[3, 1].item() == pytest.approx(multivariate_normal(mean, 0.36 * np.eye(3)).logpdf(X[1].numpy()), abs=1e-12)


def test_posterior_by_conditioning_the_joint_gaussian():
    # Another road to it: condition the joint covariance of (z, x) by its Schur complement.
    model = a_model()
    mean, covariance = model.exact_posterior(X)
    w = model.weights.numpy()
    gain = w.T @ np.linalg.inv(w @ w.T + 0.36 * np.eye(3))
    np.testing.assert_allclose(mean, (X - model.bias).numpy() @ gain.T, atol=1e-12)
    np.testing.assert_allclose(covariance, np.eye(2) - gain @ w, atol=1e-12)


@pytest.mark.parametrize("noise_std", [1e-2, 1e-4, 1e-5])
@pytest.mark.parametrize(("observed", "latent"), [(6, 2), (2, 6), (3, 1)])
def test_little_noise_is_not_lost_in_float32(observed, latent, noise_std):
    """Against another road in float64: the singular values of the weights."""
    noise = seeded(0)
    weights, bias = torch.randn(observed, latent, generator=noise), torch.randn(observed, generator=noise)
    x = torch.randn(4, latent, generator=noise) @ weights.T + bias + noise_std * torch.randn(4, observed, generator=noise)
    q = Gaussian(torch.randn(4, latent, generator=noise), torch.randn(4, latent, generator=noise))
    left, scale, right = np.linalg.svd(weights.double().numpy())
    deviation, extra = (x.double() - bias.double()).numpy() @ left, observed - len(scale)
    variance = np.append(scale**2, np.zeros(extra)) + noise_std**2
    evidence = -0.5 * (np.log(2 * np.pi * variance) + deviation**2 / variance).sum(1)
    model = LinearGaussian(weights, bias, noise_std)
    assert model.log_evidence(x).dtype == torch.float32
    np.testing.assert_allclose(model.log_evidence(x), evidence, rtol=1e-6)
    precision = np.append((scale / noise_std) ** 2, np.zeros(latent - len(scale))) + 1
    mean = (deviation[:, : len(scale)] * scale / variance[: len(scale)]) @ right[: len(scale)]
    found = model.exact_posterior(x)
    np.testing.assert_allclose(found[0], mean, atol=1e-5)
    np.testing.assert_allclose(found[1], right.T / precision @ right, atol=1e-5)
    away, var = q.mean.double().numpy() - mean, q.log_var.double().exp().numpy()
    kl = (var @ (right.T**2) + (away @ right.T) ** 2) @ precision - latent - np.log(precision).sum()
    np.testing.assert_allclose(model.gap(q, x), 0.5 * (kl - np.log(var).sum(1)), rtol=1e-5)


def test_one_dimension_by_numerical_integration():
    model = LinearGaussian(tensor([[1.5]]), tensor([0.2]), noise_std=0.8)
    x = tensor([[2.0]])
    q = Gaussian(tensor([[0.3]]), tensor([[-0.5]]))

    def log_joint(z):
        return (model.log_likelihood(x, tensor([[z]])) + Gaussian.standard(tensor([[z]])).log_density(tensor([[z]]))).item()

    def log_q(z):
        return q.log_density(tensor([[z]])).item()

    evidence, _ = quad(lambda z: math.exp(log_joint(z)), -8, 8, epsabs=1e-13)
    bound, _ = quad(lambda z: math.exp(log_q(z)) * (log_joint(z) - log_q(z)), -8, 8, epsabs=1e-12)
    gap, _ = quad(lambda z: math.exp(log_q(z)) * (log_q(z) - log_joint(z) + math.log(evidence)), -8, 8, epsabs=1e-12)
    assert model.log_evidence(x).item() == pytest.approx(math.log(evidence), abs=1e-10)
    assert model.elbo(q, x).value.item() == pytest.approx(bound, abs=1e-8)
    assert model.gap(q, x).item() == pytest.approx(gap, abs=1e-8)


def test_gap_is_torchs_kl_between_full_gaussians():
    model = a_model()
    q = Gaussian(tensor([[0.1, -0.4], [1.0, 0.0]]), tensor([[-1.0, 0.3], [0.0, -2.0]]))
    mean, covariance = model.exact_posterior(X)
    normal = torch.distributions.MultivariateNormal
    expected = torch.distributions.kl_divergence(normal(q.mean, torch.diag_embed(q.log_var.exp())), normal(mean, covariance))
    np.testing.assert_allclose(model.gap(q, X), expected, atol=1e-12)
    np.testing.assert_allclose(model.log_evidence(X) - model.elbo(q, X).value, expected, atol=1e-12)


def test_estimators_agree_with_the_closed_forms():
    model = a_model()
    q = Gaussian(tensor([[0.1, -0.4]]), tensor([[-1.0, 0.3]]))
    x = X[:1].expand(4000, -1)
    estimated = estimators.elbo(model.with_encoder(q), x, seeded(0))
    exact = model.elbo(q, X[:1])
    assert estimators.Estimate.of(estimated.value).standard_errors_from(exact.value.item()) < 4
    assert estimated.rate[0].item() == pytest.approx(exact.rate.item(), abs=1e-12)
    bound = estimators.importance_weighted_bound(model.with_encoder(q), x[:200], seeded(0), samples=2000)
    assert estimators.Estimate.of(bound).standard_errors_from(model.log_evidence(X[:1]).item()) < 4


def test_any_log_weight_is_log_p_of_x_where_q_is_the_posterior():
    model = LinearGaussian(tensor([[1.5]]), tensor([0.2]), noise_std=0.8)
    x = tensor([[2.0], [-1.0]])
    mean, covariance = model.exact_posterior(x)
    q = Gaussian(mean, covariance.log().expand(2, 1))
    bound = estimators.importance_weighted_bound(model.with_encoder(q), x, seeded(0), samples=1)
    np.testing.assert_allclose(bound, model.log_evidence(x), atol=1e-12)
    np.testing.assert_allclose(model.gap(q, x), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "bias", "noise_std"),
    [
        ([1.0], [0.0], 1.0),
        ([[1.0]], [0.0, 0.0], 1.0),
        ([[1.0]], [0.0], 0.0),
        ([[1.0]], [0.0], math.nan),
        ([[1.0]], [0.0], math.inf),
    ],
)
def test_linear_gaussian_rejects_what_does_not_fit(weights, bias, noise_std):
    with pytest.raises(ValueError, match="expected"):
        LinearGaussian(tensor(weights), tensor(bias), noise_std)


def test_logsumexp_is_what_combines_importance_weights():
    model = a_model()
    q = Gaussian(tensor([[0.1, -0.4], [1.0, 0.0]]), tensor([[-1.0, 0.3], [0.0, -1.0]]))
    z = q.sample(seeded(3), samples=7)
    log_weights = model.log_likelihood(X, z) + Gaussian.standard(z).log_density(z) - q.log_density(z)
    expected = logsumexp(log_weights.numpy(), axis=0, b=1 / 7)
    found = estimators.importance_weighted_bound(model.with_encoder(q), X, seeded(3), samples=7)
    np.testing.assert_allclose(found, expected, atol=1e-12)
