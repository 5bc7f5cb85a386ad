import math

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings, strategies as st
from torch.distributions import Categorical, Independent, MixtureSameFamily, MultivariateNormal, Normal, kl_divergence

from vae_course.probability.distributions import (
    Gaussian,
    GaussianMixture,
    UniformOnSphere,
    VonMisesFisher,
    discrete_cross_entropy,
    discrete_entropy,
    discrete_kl,
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
    assert discrete_kl(p, q).item() == pytest.approx(scipy.stats.entropy(p.numpy(), q.numpy()), abs=1e-9)


@given(weights(4), weights(4))
def test_cross_entropy_is_entropy_plus_kl_and_kl_is_never_negative(p, q):
    kl = discrete_kl(p, q).item()
    assert kl >= -1e-12
    assert discrete_cross_entropy(p, q).item() == pytest.approx(discrete_entropy(p).item() + kl, abs=1e-9)
    assert not math.isnan(kl)


def test_support_gives_infinity_not_nan():
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    assert discrete_kl(p, q).item() == math.inf
    assert discrete_cross_entropy(p, q).item() == math.inf
    assert discrete_kl(q, p).item() == pytest.approx(math.log(2))
    assert discrete_kl(p, p).item() == 0


def test_discrete_functions_work_on_batches():
    p = torch.tensor([[0.5, 0.5], [1.0, 0.0]], dtype=FLOAT)
    assert discrete_entropy(p).tolist() == pytest.approx([math.log(2), 0.0])


@pytest.mark.parametrize("shape", [(0, 3), (0, 4, 3), (4, 0, 3)])
def test_a_batch_without_distributions_has_no_result(shape):
    p = torch.zeros(shape)
    for result in (discrete_entropy(p), discrete_cross_entropy(p, p), discrete_kl(p, p)):
        assert result.shape == shape[:-1]


DISCRETE = [discrete_entropy, discrete_cross_entropy, discrete_kl]


@pytest.mark.parametrize("function", DISCRETE)
def test_outcomes_that_are_ruled_out_leave_the_gradients_of_the_others_alone(function):
    """Against finite differences: logits of -inf, of which there is no more to say than that their gradients are 0."""
    count = 1 if function is discrete_entropy else 2
    logits = torch.tensor([[0.3, -math.inf, 1.2, -0.5, -math.inf], [-0.4, -math.inf, 0.1, 0.9, 0.6]], dtype=FLOAT)[:count]

    def value(logits):
        return function(*logits.softmax(-1))

    (gradients,) = torch.autograd.grad(value(logits.requires_grad_()), logits)
    for place in torch.cartesian_prod(torch.arange(count), torch.arange(5)).tolist():
        step = torch.zeros_like(logits)
        step[tuple(place)] = 1e-6
        difference = (value(logits.detach() + step) - value(logits.detach() - step)) / 2e-6
        assert gradients[tuple(place)].item() == pytest.approx(difference.item(), abs=1e-8), place


def test_gradients_at_probabilities_of_zero_are_the_known_ones():
    """d/dp of KL is log(p / q) + 1 and d/dq is -p / q; where p = 0 both are taken as 0."""
    p = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=FLOAT, requires_grad=True)
    q = torch.tensor([0.2, 0.5, 0.3, 0.0], dtype=FLOAT, requires_grad=True)
    in_p, in_q = torch.autograd.grad(discrete_kl(p, q), (p, q))
    assert in_p.tolist() == pytest.approx([math.log(2.5) + 1, 1, 0, 0])
    assert in_q.tolist() == pytest.approx([-2.5, -1, 0, 0])
    in_p, in_q = torch.autograd.grad(discrete_cross_entropy(p, q), (p, q))
    assert in_p.tolist() == pytest.approx([-math.log(0.2), -math.log(0.5), -math.log(0.3), 0])
    assert in_q.tolist() == pytest.approx([-2.5, -1, 0, 0])
    (in_p,) = torch.autograd.grad(discrete_entropy(p), p)
    assert in_p.tolist() == pytest.approx([math.log(2) - 1, math.log(2) - 1, 0, 0])


@pytest.mark.parametrize("tiny", [1e-19, 1e-25, 1e-37, 1e-39, 1e-44])
def test_kl_to_a_tiny_probability_is_large_but_not_infinite(tiny):
    """Down to float32's smallest numbers, against the same in float64; and the gradient as far as it can be said."""
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([tiny, 1.0], requires_grad=True)
    kl = discrete_kl(p, q)
    assert kl.item() == pytest.approx(scipy.stats.entropy(p.numpy(), q.detach().double().numpy()), rel=1e-6)
    (gradient,) = torch.autograd.grad(kl, q)
    exact = -0.5 / q[0].double().item()
    assert gradient[0].item() == (pytest.approx(exact, rel=1e-6) if exact > -3e38 else -math.inf)
    assert gradient[1].item() == pytest.approx(-0.5)


def test_kl_to_a_tiny_probability_in_float64():
    p, q = torch.tensor([0.5, 0.5], dtype=FLOAT), torch.tensor([1e-310, 1.0], dtype=FLOAT)
    assert discrete_kl(p, q).item() == pytest.approx(math.log(0.5) + 0.5 * 310 * math.log(10))


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (torch.tensor([0.5, 0.6]), "sum to 1.1"),
        (torch.tensor([1.5, -0.5]), "negative probability, -0.5"),
        (torch.tensor([math.nan, 1.0]), "not finite"),
        (torch.tensor([math.inf, 1.0]), "not finite"),
        (torch.tensor([1, 0]), "floating-point"),
        (torch.tensor(1.0), "last dimension"),
        (torch.zeros(0), r"outcomes, one at least, on its last dimension, got torch.float32 of shape \(0,\)"),
        (torch.zeros(0, 0), r"got torch.float32 of shape \(0, 0\)"),
    ],
)
def test_what_is_no_distribution_is_refused_by_name(p, message):
    good = torch.tensor([0.5, 0.5])
    for call in (lambda: discrete_entropy(p), lambda: discrete_kl(p, good), lambda: discrete_kl(good, p)):
        with pytest.raises(ValueError, match=message):
            call()


def test_mixed_shapes_are_refused():
    with pytest.raises(ValueError, match=r"equal shapes, got \(2,\) and \(3,\)"):
        discrete_kl(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.5, 0.0]))
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


LOG_VARS = [-1e4, -350.0, -250.0, -200.0, -120.0, -90.0, -88.0, -60.0, 60.0, 90.0, 200.0, 1e4]


@pytest.mark.parametrize("log_var", LOG_VARS)
@pytest.mark.parametrize("away", [0.0, 1e-40, 1e-20, 1.0, 1e15])
def test_densities_of_narrow_and_wide_gaussians_in_float32(log_var, away):
    """Against the logs of distance and variance in float64. Where the truth is too large for float32 it is infinite."""
    q = Gaussian(torch.zeros(1), torch.tensor([log_var]))
    x = torch.tensor([away])
    exponent = 2 * math.log(x.item()) - log_var if away else -math.inf
    squared = math.exp(exponent) if exponent < math.log(3e38) else math.inf
    exact = -0.5 * (math.log(2 * math.pi) + log_var + squared)
    assert q.log_density(x).item() == pytest.approx(exact, rel=3e-5)
    narrow = Gaussian(x, torch.tensor([log_var]))
    assert narrow.kl_to(q).item() == pytest.approx(0.5 * squared, rel=3e-5)  # equal variances


@pytest.mark.parametrize("log_var", LOG_VARS)
def test_gradients_of_narrow_and_wide_gaussians_in_float32(log_var):
    """With x four stds from a mean of 0: d/dmean = 4 / std, d/dlog_var = (4^2 - 1) / 2."""
    mean, spread = torch.zeros(1, requires_grad=True), torch.tensor([log_var], requires_grad=True)
    std = math.exp(log_var / 2) if log_var < 1000 else math.inf
    if 1e-30 < std < 1e30:
        slopes = torch.autograd.grad(Gaussian(mean, spread).log_density(torch.tensor([4 * std])), (mean, spread))
        assert [slope.item() for slope in slopes] == pytest.approx([4 / std, 7.5], rel=3e-5)
    at_mean = torch.autograd.grad(Gaussian(mean, spread).log_density(torch.zeros(1)), (mean, spread))
    assert [slope.item() for slope in at_mean] == [0, -0.5]


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


def test_a_component_of_weight_zero_is_not_there():
    """Value and gradients against the mixture without it; its weight comes from a logit of -inf."""
    x = torch.tensor([[0.4], [-1.0]], dtype=FLOAT)

    def density(logits, means):
        return GaussianMixture(logits.softmax(-1), means, torch.zeros_like(means)).log_density(x)

    logits = torch.tensor([0.2, -math.inf, -0.7], dtype=FLOAT, requires_grad=True)
    means = torch.tensor([[-1.0], [0.4], [2.0]], dtype=FLOAT, requires_grad=True)
    others = [values.detach()[[0, 2]].requires_grad_() for values in (logits, means)]
    assert torch.allclose(density(logits, means), density(*others))
    found = torch.autograd.grad(density(logits, means).sum(), (logits, means))
    for gradients, expected in zip(found, torch.autograd.grad(density(*others).sum(), others), strict=True):
        assert torch.allclose(gradients[[0, 2]], expected)
        assert (gradients[1] == 0).all()


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


@given(gaussians(3))
def test_the_rate_of_a_gaussian_is_its_kl_to_its_prior(q):
    prior = Independent(Normal(torch.zeros(3, dtype=FLOAT), 1), 1)
    assert q.kl_to_prior().item() == pytest.approx(kl_divergence(as_torch(q), prior).item(), rel=1e-9, abs=1e-9)
    assert q.prior.log_density(q.mean).item() == pytest.approx(prior.log_prob(q.mean).item(), rel=1e-9)


# --- von Mises-Fisher ---


def unit(*coordinates):
    direction = torch.tensor(coordinates, dtype=FLOAT)
    return direction / direction.square().sum(-1, keepdim=True).sqrt()


# Points on a circle and a sphere, with the length or area that belongs to each (midpoint rule).
ANGLES = (torch.arange(4000, dtype=FLOAT) + 0.5) / 4000 * 2 * math.pi
CIRCLE = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=-1), torch.full((4000,), 2 * math.pi / 4000, dtype=FLOAT)
HEIGHTS = ((torch.arange(2000, dtype=FLOAT) + 0.5) / 1000 - 1)[:, None]
ACROSS = (1 - HEIGHTS.square()).sqrt()
SPHERE = (
    torch.stack([ACROSS * ANGLES[::40].cos(), ACROSS * ANGLES[::40].sin(), HEIGHTS.expand(-1, 100)], dim=-1).flatten(0, 1),
    torch.full((200_000,), 4 * math.pi / 200_000, dtype=FLOAT),
)


@pytest.mark.parametrize("concentration", [0.1, 3.0, 40.0])
@pytest.mark.parametrize(("direction", "grid"), [(unit(1.0, -2.0), CIRCLE), (unit(0.3, 1.0, -0.5), SPHERE)])
def test_von_mises_fisher_against_numerical_integration(direction, grid, concentration):
    points, areas = grid
    q = VonMisesFisher(direction, concentration)
    log_density = q.log_density(points)
    mass = log_density.exp() * areas
    assert mass.sum().item() == pytest.approx(1, abs=1e-4)
    uniform = -math.log(areas.sum().item())
    assert q.kl_to_prior().item() == pytest.approx((mass * (log_density - uniform)).sum().item(), abs=1e-3)
    assert torch.allclose(q.prior.log_density(points), torch.tensor(uniform, dtype=FLOAT))


@pytest.mark.parametrize("dimension", [2, 3, 5, 16, 64])
@pytest.mark.parametrize("concentration", [0.5, 40.0, 300.0])
def test_von_mises_fisher_agrees_with_scipy(dimension, concentration):
    directions = UniformOnSphere(torch.zeros(3, dimension, dtype=FLOAT)).sample(seeded(0))
    points = UniformOnSphere(directions).sample(seeded(1))
    q = VonMisesFisher(directions, concentration)
    for row in range(3):
        known = scipy.stats.vonmises_fisher(directions[row].numpy(), concentration)
        assert q.log_density(points)[row].item() == pytest.approx(known.logpdf(points[row].numpy()), rel=1e-9)
        # KL to the uniform = log area - entropy
        log_area = math.log(2) + dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2)
        assert q.kl_to_prior()[row].item() == pytest.approx(log_area - known.entropy(), rel=1e-7, abs=1e-9)


def of_the_cosine(dimension, concentration):
    """log of the cosine's normalizer, and its mean, by integration of exp(concentration t) (1 - t^2)^((dimension - 3) / 2)."""
    power = (dimension - 3) / 2
    slope = power / concentration
    peak = 1 / (slope + math.sqrt(slope * slope + 1))  # where the derivative of the log is 0

    def log_weight(t):
        return concentration * (t - peak) + power * (math.log1p(-t * t) - math.log1p(-peak * peak))

    width = 12 / math.sqrt(dimension)
    ends = max(-1 + 1e-12, peak - width), min(1 - 1e-12, peak + width)
    options = {"points": [peak], "epsabs": 1e-14, "epsrel": 1e-13, "limit": 500}
    total, _ = scipy.integrate.quad(lambda t: math.exp(log_weight(t)), *ends, **options)
    mean, _ = scipy.integrate.quad(lambda t: t * math.exp(log_weight(t)), *ends, **options)
    return math.log(total) + concentration * peak + power * math.log1p(-peak * peak), mean / total


@pytest.mark.parametrize(
    ("dimension", "concentration"),
    [(64, 40.0), (400, 300.0), (706, 40.0), (708, 40.0), (2000, 40.0), (2000, 0.5), (20_000, 3000.0), (10_000, 1e4)],
)
def test_von_mises_fisher_of_many_dimensions_against_integration(dimension, concentration):
    """The Bessel functions of SciPy are 0 for most of these. Beside the cosine there is a sphere of one dimension less."""
    log_normalizer, mean_cosine = of_the_cosine(dimension, concentration)
    log_normalizer += math.log(2) + (dimension - 1) / 2 * math.log(math.pi) - math.lgamma((dimension - 1) / 2)
    direction = UniformOnSphere(torch.zeros(dimension, dtype=FLOAT)).sample(seeded(0))
    q = VonMisesFisher(direction, concentration)
    tolerance = 1e-12 * abs(log_normalizer) + 1e-9
    assert q.log_density(direction).item() == pytest.approx(concentration - log_normalizer, abs=tolerance)
    rate = concentration * mean_cosine - log_normalizer + q.prior.log_area
    assert q.kl_to_prior().item() == pytest.approx(rate, abs=tolerance)
    cosine = q.sample(seeded(1), samples=200) @ direction
    assert abs(cosine.mean().item() - mean_cosine) < 4 * cosine.std().item() / math.sqrt(200)


@pytest.mark.parametrize("concentration", [1e-300, 1e-10, 1e9])
def test_von_mises_fisher_at_the_ends_of_what_it_takes(concentration):
    """Almost uniform: the same density everywhere. Almost a point: the density of a Gaussian on the tangent plane."""
    directions = UniformOnSphere(torch.zeros(2, 60, dtype=FLOAT)).sample(seeded(0))
    q = VonMisesFisher(directions, concentration)
    flat = 59 / 2 * math.log(concentration / (2 * math.pi))
    expected = -q.prior.log_area if concentration < 1 else flat
    assert q.log_density(directions).tolist() == pytest.approx([expected] * 2, rel=1e-6)
    assert q.kl_to_prior().tolist() == pytest.approx([max(0, flat - 59 / 2 + q.prior.log_area)] * 2, rel=1e-6, abs=1e-9)
    assert torch.allclose(q.sample(seeded(1)).norm(dim=-1), torch.ones(2, dtype=FLOAT))


@pytest.mark.parametrize("dimension", [2, 3, 16])
@pytest.mark.parametrize("concentration", [0.5, 5.0, 80.0])
def test_von_mises_fisher_samples_have_the_right_cosine_and_no_other_direction(dimension, concentration):
    direction = UniformOnSphere(torch.zeros(dimension, dtype=FLOAT)).sample(seeded(2))
    draws = VonMisesFisher(direction, concentration).sample(seeded(3), samples=20_000)
    assert draws.shape == (20_000, dimension)
    assert torch.allclose(draws.norm(dim=-1), torch.ones(20_000, dtype=FLOAT))
    cosine = draws @ direction
    exact = scipy.special.ive(dimension / 2, concentration) / scipy.special.ive(dimension / 2 - 1, concentration)
    assert abs(cosine.mean().item() - exact) < 4 * cosine.std().item() / math.sqrt(20_000)
    # E[cosine^2] = 1 - (dimension - 1) / concentration * E[cosine], from the Bessel functions' recurrence
    square = cosine.square()
    exact_square = 1 - (dimension - 1) / concentration * exact
    assert abs(square.mean().item() - exact_square) < 4 * square.std().item() / math.sqrt(20_000)
    beside = draws - cosine[:, None] * direction
    standard_error = beside.std(0) / math.sqrt(20_000)
    assert (beside.mean(0).abs() < 4.5 * standard_error + 1e-12).all()


def test_von_mises_fisher_samples_of_a_batch_belong_to_its_rows():
    directions = torch.eye(3, dtype=FLOAT)
    q = VonMisesFisher(directions, 500.0)
    assert q.mean is directions
    assert (q.sample(seeded(4)).argmax(-1) == torch.arange(3)).all()
    draws = q.sample(seeded(4), samples=7)
    assert draws.shape == (7, 3, 3)
    assert (draws.argmax(-1) == torch.arange(3)).all()
    assert torch.equal(draws, q.sample(seeded(4), samples=7))
    assert not torch.allclose(draws, q.sample(seeded(5), samples=7))


def test_von_mises_fisher_gradient_of_a_draw_against_finite_differences():
    towards = torch.tensor([0.3, -1.0, 0.7], dtype=FLOAT, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, -3.0], dtype=FLOAT)

    def value(v):
        return VonMisesFisher(v / v.norm(), 4.0).sample(seeded(6)) @ weights

    (gradient,) = torch.autograd.grad(value(towards), towards)
    for k in range(3):
        step = torch.zeros(3, dtype=FLOAT)
        step[k] = 1e-6
        difference = (value(towards.detach() + step) - value(towards.detach() - step)) / 2e-6
        assert gradient[k].item() == pytest.approx(difference.item(), abs=1e-7)


def test_von_mises_fisher_gradients_average_to_that_of_the_mean():
    """E[weights . x] = cosine * weights . direction, whose gradient in the angle is known."""
    angle = torch.full((20_000,), 0.8, dtype=FLOAT, requires_grad=True)
    direction = torch.stack([angle.cos(), angle.sin()], dim=-1)
    weights = torch.tensor([1.0, 2.0], dtype=FLOAT)
    (gradients,) = torch.autograd.grad((VonMisesFisher(direction, 3.0).sample(seeded(7)) @ weights).sum(), angle)
    cosine = scipy.special.iv(1, 3.0) / scipy.special.iv(0, 3.0)
    exact = cosine * (-math.sin(0.8) + 2 * math.cos(0.8))
    assert abs(gradients.mean().item() - exact) < 4 * gradients.std().item() / math.sqrt(20_000)


def test_uniform_draws_on_the_sphere_have_no_direction():
    draws = UniformOnSphere(torch.zeros(20_000, 4, dtype=FLOAT)).sample(seeded(8))
    assert torch.allclose(draws.norm(dim=-1), torch.ones(20_000, dtype=FLOAT))
    # E[x x^T] = I / 4, each entry of variance below 1 / 16
    assert (draws.mean(0).abs() < 4 * math.sqrt(1 / 4 / 20_000)).all()
    assert torch.allclose(draws.T @ draws / 20_000, torch.eye(4, dtype=FLOAT) / 4, atol=4 * math.sqrt(1 / 16 / 20_000))


@pytest.mark.parametrize(
    ("direction", "concentration", "message"),
    [
        (torch.ones(3, 1), 1.0, r"direction: expected at least 2 dimensions, got shape \(3, 1\)"),
        (torch.tensor(1.0), 1.0, r"direction: expected at least 2 dimensions, got shape \(\)"),
        (unit(1.0, 1.0), 0.0, "concentration: expected a positive number, 1e9 at most, got 0.0"),
        (unit(1.0, 1.0), -2.0, "got -2.0"),
        (unit(1.0, 1.0), math.inf, "got inf"),
        (unit(1.0, 1.0), math.nan, "got nan"),
        (unit(1.0, 1.0), 1e10, "got 10000000000.0"),
        (torch.tensor([math.nan, 1.0]), 1.0, "direction: has a value that is not finite"),
        (torch.tensor([[1.0, 0.0], [3.0, 4.0]]), 1.0, "direction: expected unit vectors, got norms from 1 to 5"),
        (torch.zeros(2), 1.0, "direction: expected unit vectors, got norms from 0 to 0; divide by the norm"),
    ],
)
def test_von_mises_fisher_refuses_what_is_none(direction, concentration, message):
    with pytest.raises(ValueError, match=message):
        VonMisesFisher(direction, concentration)
