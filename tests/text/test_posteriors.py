import math

import pytest
import torch
from scipy.optimize import brentq

from vae_course.text.posteriors import BatchNormHead, CappedStdHead, GaussianHead, VonMisesFisherHead
from vae_course.training import seeded, seeded_module

FLOAT = torch.float64
FEATURES, LATENT = 6, 4


def built(head):
    return seeded_module(0, lambda: head.built(FEATURES, LATENT)).double()


def features(batch, scale=1.0, seed=1):
    return scale * torch.randn(batch, FEATURES, generator=seeded(seed), dtype=FLOAT)


def test_the_gaussian_head_is_linear():
    head, x = built(GaussianHead()), features(5)
    q = head(x)
    expected = x @ head.linear.weight.T + head.linear.bias
    assert torch.allclose(q.mean, expected[:, :LATENT])
    assert torch.allclose(q.log_var, expected[:, LATENT:])


# --- batch normalization --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_batch_normalized_means_have_the_chosen_std(scale):
    head = built(BatchNormHead(gamma=0.7))
    head.shift.data = torch.tensor([0.0, 1.0, -2.0, 0.5], dtype=FLOAT)
    q = head(features(200, scale))
    # Up to the 1e-5 that batch normalization adds to a variance.
    assert torch.allclose(q.mean.std(0, correction=0), torch.full((LATENT,), 0.7, dtype=FLOAT), rtol=1e-3)
    assert torch.allclose(q.mean.mean(0), head.shift, atol=1e-9)


@pytest.mark.parametrize("gamma", [0.3, 1.2])
def test_batch_normalization_keeps_the_average_rate_above_its_bound(gamma):
    """KL averages latent gamma^2 / 2 from the means, and at least 0 from the variances; here those are 1."""
    head, bound = built(BatchNormHead(gamma)), LATENT * gamma**2 / 2
    assert head(features(300, scale=5.0)).kl_to_prior().mean() > bound
    head.linear.weight.data[LATENT:] = 0
    head.linear.bias.data[LATENT:] = 0
    assert head(features(300, scale=5.0)).kl_to_prior().mean().item() == pytest.approx(bound, rel=1e-3)


def test_in_evaluation_a_mean_depends_on_its_own_sentence_alone():
    head = built(BatchNormHead(0.5))
    for step in range(200):
        head(features(50, seed=step))
    head.eval()
    running = head.normalize.running_mean.clone()
    x = features(10, seed=999)
    q = head(x)
    for row in range(10):
        assert torch.allclose(head(x[row : row + 1]).mean[0], q.mean[row])
    assert torch.equal(head.normalize.running_mean, running)
    # By hand, from the statistics that training left behind.
    mean, var = head.normalize.running_mean, head.normalize.running_var
    linear = x @ head.linear.weight[:LATENT].T + head.linear.bias[:LATENT]
    assert torch.allclose(q.mean, 0.5 * (linear - mean) / (var + 1e-5).sqrt())
    # Those are the corpus's own: here features ~ N(0, I).
    assert torch.allclose(var, head.linear.weight[:LATENT].square().sum(1), rtol=0.2)


def test_a_batch_of_one_sentence_has_no_std():
    head = built(BatchNormHead())
    with pytest.raises(ValueError, match="features: a batch of one sentence has no std; choose a batch_size"):
        head(features(1))
    assert head.eval()(features(1)).mean.shape == (1, LATENT)


# --- a capped std --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.01, 1.0, 8.0, 60.0])
@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
def test_the_rate_of_a_capped_std_is_kept_for_any_features(rate, scale):
    q = built(CappedStdHead(rate))(features(500, scale))
    assert (q.kl_to_prior() >= rate * (1 - 1e-9)).all()


def test_the_rate_of_a_capped_std_is_met_exactly_at_the_bound():
    head = built(CappedStdHead(3.0))
    head.linear.weight.data.zero_()
    head.linear.bias.data = torch.tensor([0.0] * LATENT + [-800.0] * LATENT, dtype=FLOAT)  # softplus(-800) = 0
    q = head(features(3))
    assert torch.allclose(q.kl_to_prior(), torch.tensor(3.0, dtype=FLOAT))
    # The largest std by a search of its own.
    std = brentq(lambda s: LATENT * 0.5 * (s * s - 1 - math.log(s * s)) - 3.0, 1e-6, 1)
    assert torch.allclose(q.std, torch.tensor(std, dtype=FLOAT))


def test_a_capped_std_promises_no_information():
    """All sentences in one place: a rate without any difference between them."""
    head = built(CappedStdHead(3.0))
    head.linear.weight.data.zero_()
    q = head(features(5))
    assert (q.kl_to_prior() >= 3).all()
    assert torch.equal(q.mean, q.mean[:1].expand(5, -1))


# --- von Mises-Fisher -----------------------------------------------------------------------------------------------


def test_the_von_mises_fisher_head_points_and_has_one_rate():
    head, x = built(VonMisesFisherHead(7.0)), features(20)
    q = head(x)
    linear = x @ head.linear.weight.T + head.linear.bias
    assert torch.allclose(q.direction, linear / linear.square().sum(-1, keepdim=True).sqrt())
    assert q.concentration == 7.0
    rates = q.kl_to_prior()
    assert rates.shape == (20,)
    assert (rates == rates[0]).all()
    assert rates[0] > 0


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_heads_refuse_what_is_not_positive_and_finite(value):
    with pytest.raises(ValueError, match="gamma: expected a positive, finite std of the means, got"):
        BatchNormHead(value)
    with pytest.raises(ValueError, match="rate: expected a positive, finite number of nats, got"):
        CappedStdHead(value)
    with pytest.raises(ValueError, match="concentration: expected a positive number, 1e9 at most, got"):
        built(VonMisesFisherHead(value))(features(2))
