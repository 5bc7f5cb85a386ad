import math
from collections import Counter

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
import torch
from torch import nn
from torch.distributions import Normal

from vae_course.probability.distributions import Gaussian, VonMisesFisher
from vae_course.text.batches import SentenceBatches, count_tokens, pad
from vae_course.text.evaluation import (
    Likelihood,
    ablation,
    active_units,
    encode,
    exact_nll,
    facts_kept,
    information,
    information_bounds,
    likelihood,
    likelihood_from_some,
    posterior_means,
    reconstruction,
    refused,
    share_in_language,
    without_mismatch,
    writing_shares,
)
from vae_course.text.models import LanguageModel, Step, TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo, constant
from vae_course.text.posteriors import GaussianHead, VonMisesFisherHead
from vae_course.text.vocabulary import BOS, EOS, SPECIAL, UNK, Vocabulary
from vae_course.training import Update, seeded, seeded_module, train
from vae_course.world.languages import WORLD

FLOAT = torch.float64
A, B = 4, 5
# Neither sorted by length nor without ties.
CORPUS = [
    [BOS, A, B, EOS],
    [BOS, A, EOS],
    [BOS, B, B, A, B, EOS],
    [BOS, EOS],
    [BOS, B, EOS],
    [BOS, B, A, EOS],
]
N = len(CORPUS)


def enlarged(build, seed=0, factor=2.5):
    """In double precision, with weights so large that z matters."""
    model = seeded_module(seed, build).double().requires_grad_(False)
    for parameter in model.parameters():
        parameter.mul_(factor)
    return model


# --- a model small enough to integrate z out ------------------------------------------------------------------------


class Integrated:
    """Everything about a model with a z on a line or on a circle by quadrature, on ``points`` (grid, latent)."""

    def __init__(self, model, points, spacing, log_prior, log_q):
        self.model, self.spacing = model, spacing
        self.log_prior, self.log_q = log_prior, log_q  # (grid,) and (sentences, grid)
        # (sentences, grid)
        self.log_p = torch.stack([model.log_likelihood(torch.tensor([s]), points[:, None])[:, 0] for s in CORPUS])

    def integral(self, values):
        return values.sum(-1) * self.spacing

    @property
    def log_evidence(self):
        return self.integral((self.log_p + self.log_prior).exp()).log()

    @property
    def gap(self):
        """KL(q to the true posterior)."""
        log_posterior = self.log_p + self.log_prior - self.log_evidence[:, None]
        return self.integral(self.log_q.exp() * (self.log_q - log_posterior))

    @property
    def rate(self):
        return self.integral(self.log_q.exp() * (self.log_q - self.log_prior))

    def distortion(self, log_q):
        """E[-log p(x given z)] of every sentence with z from each of ``log_q`` (..., grid): (..., sentences)."""
        return -self.integral(log_q[..., None, :].exp() * self.log_p)

    @property
    def log_aggregate(self):
        return self.log_q.exp().mean(0).log()

    @property
    def mutual_information(self):
        return self.integral(self.log_q.exp() * (self.log_q - self.log_aggregate)).mean().item()

    @property
    def aggregate_kl(self):
        return self.integral(self.log_aggregate.exp() * (self.log_aggregate - self.log_prior)).item()


def shortly_trained(latent, head):
    """So long that z matters, and not so long that the encoder is perfect; with less weight on the KL than the ELBO's."""
    sizes = TextSizes(embedding=4, hidden=6, latent=latent, context=0)
    model = NegativeElbo(seeded_module(1, lambda: TextVAE(6, sizes, head)).double(), constant(0.4))
    update = Update.adam(model, model.loss, learning_rate=0.03)
    train(update, SentenceBatches(CORPUS * 4, batch_size=24), epochs=120, generator=seeded(0))
    return model.model.requires_grad_(False)


def on_a_line():
    model = shortly_trained(1, GaussianHead())
    points = torch.linspace(-12, 12, 4801, dtype=FLOAT)
    codes = [model.posterior(torch.tensor([s])) for s in CORPUS]
    log_q = torch.stack([Normal(q.mean[0, 0], (q.log_var[0, 0] / 2).exp()).log_prob(points) for q in codes])
    return Integrated(model, points[:, None], 0.005, Normal(0.0, 1.0).log_prob(points), log_q)


def on_a_circle():
    model = shortly_trained(2, VonMisesFisherHead(2.0))
    angles = torch.arange(2000, dtype=FLOAT) / 2000 * 2 * math.pi
    points = torch.stack([angles.cos(), angles.sin()], dim=-1)
    directions = torch.cat([model.posterior(torch.tensor([s])).direction for s in CORPUS])
    log_q = 2 * directions @ points.T - math.log(2 * math.pi * scipy.special.i0(2))
    log_prior = torch.full_like(angles, -math.log(2 * math.pi))
    return Integrated(model, points, 2 * math.pi / 2000, log_prior, log_q)


@pytest.fixture(scope="module", params=[on_a_line, on_a_circle], ids=["line", "circle"])
def exact(request):
    return request.param()


def errors(draws, truth):
    """By how many standard errors the means of ``draws`` (repeats, sentences) miss ``truth`` (sentences,), at most."""
    draws = draws.double()
    return ((draws.mean(0) - truth).abs() / (draws.std(0) / math.sqrt(len(draws)) + 1e-12)).max().item()


def test_the_integrals_are_a_model(exact):
    """The truth of the tests below is itself consistent, and about a z that matters."""
    assert torch.allclose(exact.integral(exact.log_q.exp()), torch.ones(N, dtype=FLOAT))
    elbo = -exact.distortion(exact.log_q).diagonal() - exact.rate
    assert torch.allclose(elbo, exact.log_evidence - exact.gap)
    assert exact.gap.min() > 0.01
    assert exact.log_evidence.exp().sum() < 1
    assert exact.mutual_information > 0.2
    assert exact.rate.mean().item() == pytest.approx(exact.mutual_information + exact.aggregate_kl)


def test_likelihood_is_unbiased_for_p_of_x(exact):
    """The mean of the importance weights is p(x), for however few draws."""
    for samples in (1, 25):
        result = likelihood(exact.model, CORPUS * 600, seeded(0), samples)
        assert errors((-result.nll.double()).exp().view(600, N), exact.log_evidence.exp()) < 4.5
        assert result.samples == samples


def test_the_parts_of_the_elbo_are_exact_on_average(exact):
    result = likelihood(exact.model, CORPUS * 600, seeded(1), samples=1)
    assert torch.allclose(result.rate.view(600, N).double(), exact.rate, rtol=1e-4)
    assert errors(result.distortion.view(600, N), exact.distortion(exact.log_q).diagonal()) < 4.5
    assert errors(result.nll.view(600, N), exact.gap - exact.log_evidence) < 4.5  # with one draw the bound is the ELBO
    assert result.negative_elbo.standard_errors_from((exact.gap - exact.log_evidence).mean().item()) < 4


def test_the_nll_falls_towards_the_exact_one_with_more_samples(exact):
    truth = (-exact.log_evidence).repeat(200)
    measured = [likelihood(exact.model, CORPUS * 200, seeded(2), samples) for samples in (1, 5, 25, 250)]
    above = [result.above(truth) for result in measured]
    assert above[0].value > above[1].value > above[2].value > above[3].value > -4 * above[3].standard_error
    assert above[0].value == pytest.approx(exact.gap.mean().item(), abs=4.5 * above[0].standard_error)
    assert abs(above[3].value) < 0.1 * above[0].value
    # The pairing: sentences differ more than the estimates of one sentence's NLL.
    assert above[3].standard_error < 0.5 * measured[3].nats_per_sentence.standard_error


def test_half_of_the_draws_from_the_prior_is_unbiased_for_p_of_x_too(exact):
    result = likelihood(exact.model, CORPUS * 400, seeded(5), samples=6, from_prior=3)
    assert errors((-result.nll.double()).exp().view(400, N), exact.log_evidence.exp()) < 4.5
    assert result.effective.shape == (400 * N,)
    assert 1 - 1e-6 <= result.effective.min() <= result.effective.max() <= 6 + 1e-6
    assert result.share_below(1.5) == (result.effective < 1.5).double().mean().item()
    assert 0 < result.share_below(4.0) < 1


def test_the_nll_from_some_sentences_is_that_of_all(exact):
    """Every 5th of each sentence's copies is weighted: the same mean as by weighting all, and no less sure."""
    whole = likelihood(exact.model, CORPUS * 200, seeded(6), samples=250)
    part = likelihood_from_some(exact.model, CORPUS * 200, seeded(7), samples=250, some=241)
    assert (part.samples, part.weighted, whole.weighted) == (250, 241, None)
    assert (len(part.effective), len(whole.effective)) == (241, 1200)
    assert part.effective.mean().item() == pytest.approx(whole.effective.mean().item(), rel=0.1)
    assert part.tokens == whole.tokens
    assert torch.allclose(part.rate, whole.rate)
    truth = (-exact.log_evidence).repeat(200)
    error = part.above(truth).standard_error + part.negative_elbo.standard_error
    assert part.nats_per_sentence.value == pytest.approx(whole.nats_per_sentence.value, abs=3 * error)
    assert part.negative_elbo.value - part.nats_per_sentence.value > 0.5 * exact.gap.mean().item()
    for some in (1, 1201):
        with pytest.raises(ValueError, match=f"some: expected 2 to 1200 sentences, got {some}"):
            likelihood_from_some(exact.model, CORPUS * 200, seeded(7), samples=2, some=some)


def test_information_is_exact_on_average(exact):
    """Repeated sentences leave the aggregate posterior as it is, so the information too."""
    q = encode(exact.model, CORPUS * 600)
    result = information(q, seeded(3))
    assert result.mutual_information.standard_errors_from(exact.mutual_information) < 4
    assert result.aggregate_kl.standard_errors_from(exact.aggregate_kl) < 4
    assert result.cap == pytest.approx(math.log(600 * N))
    once = information(encode(exact.model, CORPUS), seeded(3))
    assert once.cap == pytest.approx(math.log(N))
    assert once.mutual_information.value <= once.cap


def test_ablation_is_exact_on_average(exact):
    repeats = 300
    result = ablation(exact.model, CORPUS * repeats, seeded(4))
    given = exact.distortion(exact.log_q)  # (whose z, which sentence)
    assert result.own.standard_errors_from(given.diagonal().mean().item()) < 4
    assert result.prior.standard_errors_from(exact.distortion(exact.log_prior).mean().item()) < 4
    # Another one of the 1800, though it may have the same words.
    weights = torch.full((N, N), repeats, dtype=FLOAT) - torch.eye(N, dtype=FLOAT)
    shuffled = ((weights * given).sum(0) / weights.sum(0)).mean().item()
    assert result.shuffled.standard_errors_from(shuffled) < 4
    assert abs(result.shuffled.value - given.diagonal().mean().item()) > 6 * result.shuffled.standard_error


# --- likelihood -----------------------------------------------------------------------------------------------------

SIX_LENGTHS = [[BOS, *[A, B, B, A, UNK][:length], EOS] for length in (3, 0, 5, 1, 4, 2)]


@pytest.mark.parametrize("head", [GaussianHead(), VonMisesFisherHead(6.0)], ids=["Gaussian", "von Mises-Fisher"])
def test_rows_belong_to_their_sentences(head):
    """No two lengths are equal, so the batches are the same in any order of the sentences, and with them the noise."""
    model = enlarged(lambda: TextVAE(6, TextSizes(embedding=4, hidden=5, latent=2), head))
    order = [4, 2, 0, 5, 1, 3]
    shuffled = [SIX_LENGTHS[i] for i in order]
    one = likelihood(model, SIX_LENGTHS, seeded(0), samples=3, batch_size=4)
    other = likelihood(model, shuffled, seeded(0), samples=3, batch_size=4)
    for name in ("nll", "rate", "distortion"):
        values = getattr(one, name)
        assert len(set(values.tolist())) >= (1 if name == "rate" else 6)
        assert torch.allclose(values[order], getattr(other, name))
    q = encode(model, SIX_LENGTHS, batch_size=4)
    for row, sentence in enumerate(SIX_LENGTHS):
        alone = model.posterior(torch.tensor([sentence]))
        assert torch.allclose(q.mean[row], alone.mean[0])
        if isinstance(q, Gaussian):
            assert torch.allclose(q.log_var[row], alone.log_var[0])
    assert type(q) is type(alone)


def test_a_language_models_likelihood_is_exact():
    model = enlarged(lambda: LanguageModel(6, TextSizes(embedding=4, hidden=5, latent=1)))
    result = likelihood(model, CORPUS, seeded(0), batch_size=4)
    nll = [-model.log_likelihood(torch.tensor([s])).item() for s in CORPUS]
    assert result.nll.tolist() == pytest.approx(nll)
    assert (result.samples, result.rate, result.distortion) == (0, None, None)
    assert result.tokens == count_tokens(CORPUS) == 16  # 10 words and 6 ends
    assert result.nats_per_token == pytest.approx(sum(nll) / 16)
    assert result.perplexity == pytest.approx(math.exp(sum(nll) / 16))
    assert result.nats_per_sentence.value == pytest.approx(sum(nll) / 6)
    with pytest.raises(ValueError, match="without z: it has no ELBO, its NLL is exact"):
        _ = result.negative_elbo
    with pytest.raises(ValueError, match="without z: its NLL is exact, there are no weights"):
        result.share_below(5)


def test_likelihood_by_hand():
    result = Likelihood(torch.tensor([1.0, 2.0, 6.0]), tokens=12, rate=torch.ones(3), distortion=torch.tensor([0.0, 2.0, 7.0]))
    assert result.nats_per_token == pytest.approx(0.75)
    assert result.perplexity == pytest.approx(math.exp(0.75))
    assert (result.nats_per_sentence.value, result.negative_elbo.value) == (3, 4)
    above = result.above(torch.tensor([0.5, 1.5, 4.5], dtype=FLOAT))
    assert above.value == pytest.approx(2.5 / 3)
    assert above.standard_error == pytest.approx(torch.tensor([0.5, 0.5, 1.5]).std().item() / math.sqrt(3))
    for wrong in (torch.zeros(3, 1), torch.tensor(1.0), torch.zeros(2)):
        with pytest.raises(ValueError, match=r"exact: expected one NLL a sentence, \(3,\), got"):
            result.above(wrong)


def test_a_likelihood_needs_samples():
    model = enlarged(lambda: TextVAE(6, TextSizes(embedding=4, hidden=5, latent=1)))
    with pytest.raises(ValueError, match="at least 1 of each, got 0"):
        likelihood(model, CORPUS, seeded(0), samples=0)


# --- information ----------------------------------------------------------------------------------------------------


def test_codes_far_apart_tell_which_sentence_it_was():
    means = 100.0 * torch.arange(40.0)[:, None].expand(-1, 3)
    result = information(Gaussian(means, torch.zeros(40, 3)), seeded(0))
    assert result.mutual_information.value == pytest.approx(math.log(40))
    assert result.cap == pytest.approx(math.log(40))
    directions = torch.stack([(2 * math.pi * torch.arange(8) / 8).cos(), (2 * math.pi * torch.arange(8) / 8).sin()], dim=-1)
    result = information(VonMisesFisher(directions, 5000.0), seeded(0))
    assert result.mutual_information.value == pytest.approx(math.log(8))


def test_codes_in_one_place_tell_nothing():
    q = Gaussian(torch.full((2000, 2), 0.7), torch.full((2000, 2), -1.0))
    result = information(q, seeded(1))
    assert result.mutual_information.value == pytest.approx(0, abs=1e-9)
    assert result.aggregate_kl.standard_errors_from(q.kl_to_prior()[0].item()) < 4
    q = VonMisesFisher(torch.tensor([[0.6, 0.8]]).expand(2000, -1), 7.0)
    result = information(q, seeded(1))
    assert result.mutual_information.value == pytest.approx(0, abs=1e-9)
    assert result.aggregate_kl.standard_errors_from(q.kl_to_prior()[0].item()) < 4


def test_information_is_about_the_whole_set_whatever_the_chunks():
    """Chunks of 3 of 40 sentences: inside them at most ln 3 could be seen."""
    q = Gaussian(100.0 * torch.arange(40.0)[:, None], torch.zeros(40, 1))
    whole, parts = (information(q, seeded(2), chunk) for chunk in (64, 3))
    assert whole == parts
    assert parts.mutual_information.value > math.log(39)


# A source whose information is known: a mean from N(0, 1 - std^2), z from N(mean, std^2). Then z is N(0, 1) and I = -log std.


def of_known_information(rates, sentences, seed):
    return without_mismatch(
        Gaussian((2 * torch.tensor(rates)).sqrt().expand(sentences, -1), torch.zeros(sentences, len(rates))), seeded(seed)
    )


@pytest.mark.parametrize("rates", [[0.5, 0.0, 1.5], [2.0, 2.0]])
def test_posteriors_without_mismatch_have_the_rates_and_the_prior_as_their_aggregate(rates):
    q = of_known_information(rates, 20_000, 1)
    per_coordinate = q.kl_to_prior_per_dimension()
    for rate, found in zip(rates, per_coordinate.T, strict=True):
        assert found.mean().item() == pytest.approx(rate, abs=4 * found.std().item() / math.sqrt(20_000) + 1e-6)
    for draws in q.sample(seeded(2)).T:  # 1.95: a Kolmogorov-Smirnov distance that one in 1,000 exceeds
        assert scipy.stats.kstest(draws.numpy(), "norm").statistic < 1.95 / math.sqrt(20_000)
    sphere = without_mismatch(VonMisesFisher(torch.tensor([[1.0, 0.0, 0.0]]).expand(20_000, -1), 9.0), seeded(3))
    assert torch.allclose(sphere.kl_to_prior(), VonMisesFisher(torch.tensor([[0.0, 0.0, 1.0]]), 9.0).kl_to_prior())
    for draws in sphere.sample(seeded(4)).T:  # each coordinate of a uniform point in three dimensions is uniform (Archimedes)
        assert scipy.stats.kstest(draws.numpy(), scipy.stats.uniform(-1, 2).cdf).statistic < 1.95 / math.sqrt(20_000)


@pytest.mark.parametrize(("rate", "information_said", "mismatch_said"), [(8.14, 7.01, 1.18), (14.0, 8.24, 5.75)])
def test_what_the_estimators_say_where_there_is_no_mismatch_is_their_bias(rate, information_said, mismatch_said):
    """The figures were found by another program, which built such posteriors for itself."""
    result = information(of_known_information([rate / 16] * 16, 4000, 5), seeded(6))
    assert result.mutual_information.value == pytest.approx(information_said, abs=0.1)
    assert result.aggregate_kl.value == pytest.approx(mismatch_said, abs=0.2)
    low = information(of_known_information([0.1] * 16, 1000, 5), seeded(6))
    assert low.mutual_information.standard_errors_from(1.6) < 4
    assert low.aggregate_kl.value < 0.04


def test_information_bounds_pair_by_pair():
    q = Gaussian(torch.tensor([[0.0, 1.0], [0.5, -1.0], [2.0, 0.3]]), torch.tensor([[-1.0, 0.2], [-3.0, -0.5], [0.4, -2.0]]))
    others = Gaussian(torch.tensor([[1.0, 1.0], [-0.5, 0.0]]), torch.tensor([[-0.3, -1.0], [0.0, 0.1]]))
    z = Gaussian(q.mean.double(), q.log_var.double()).sample(seeded(0))
    normals = [Normal(m.double(), (v.double() / 2).exp()) for p in (q, others) for m, v in zip(p.mean, p.log_var, strict=True)]
    density = [[normal.log_prob(draw).sum().exp().item() for normal in normals] for draw in z]
    with_own = [math.log(row[i] / (sum(row) / 5)) for i, row in enumerate(density)]
    without = [math.log(row[i] / ((sum(row) - row[i]) / 4)) for i, row in enumerate(density)]
    for chunk in (2, 64):
        result = information_bounds(q, seeded(0), others, chunk)
        assert result.lower.value == pytest.approx(sum(with_own) / 3)
        assert result.upper.value == pytest.approx(sum(without) / 3)
        assert (result.sentences, result.cap) == (5, pytest.approx(math.log(5)))
    rate = q.kl_to_prior().mean().item()
    assert result.rate == pytest.approx(rate)
    low, high = max(0, rate - sum(without) / 3), max(0, rate - sum(with_own) / 3)
    assert result.aggregate_kl == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("rates", [[0.7, 0.3], [3.0, 2.0, 1.0]])
def test_the_information_of_a_source_lies_between_its_bounds_and_others_narrow_them(rates):
    q, others = of_known_information(rates, 1000, 7), of_known_information(rates, 5000, 8)
    truth, alone, among = sum(rates), information_bounds(q, seeded(9)), information_bounds(q, seeded(9), others)
    for result in (alone, among):
        assert result.lower.value < truth + 4 * result.lower.standard_error
        assert result.upper.value > truth - 4 * result.upper.standard_error
    assert among.upper.value - among.lower.value < 0.6 * (alone.upper.value - alone.lower.value)
    assert among.upper.value - among.lower.value > 0


def test_the_lower_bound_is_the_information_among_the_same_sentences():
    q = of_known_information([1.0, 2.0], 500, 1)
    assert information_bounds(q, seeded(2)).lower.value == pytest.approx(information(q, seeded(2)).mutual_information.value)
    sphere = VonMisesFisher(torch.nn.functional.normalize(torch.randn(300, 4, generator=seeded(3)), dim=-1), 20.0)
    result = information_bounds(sphere, seeded(4))
    assert result.lower.value == pytest.approx(information(sphere, seeded(4)).mutual_information.value)
    assert result.upper.value > result.lower.value


def test_the_upper_bound_has_no_cap():
    far = Gaussian(100.0 * torch.arange(40.0)[:, None], torch.zeros(40, 1))
    result = information_bounds(far, seeded(0))
    assert result.lower.value == pytest.approx(math.log(40))
    assert result.upper.value > 1000
    narrow = Gaussian(torch.randn(50, 3, generator=seeded(1)), torch.full((50, 3), -75.0))  # of std 5e-17
    assert information_bounds(narrow, seeded(0)).lower.value == pytest.approx(math.log(50))
    same = Gaussian(torch.zeros(40, 3), torch.zeros(40, 3))
    assert information_bounds(same, seeded(0)).upper.value == pytest.approx(0, abs=1e-9)


def test_information_bounds_refuse_what_they_cannot_compare():
    one, sphere = Gaussian(torch.zeros(1, 2), torch.zeros(1, 2)), VonMisesFisher(torch.tensor([[1.0, 0.0]] * 3), 2.0)
    with pytest.raises(ValueError, match="needs two at least, got 1"):
        information_bounds(one, seeded(0))
    with pytest.raises(ValueError, match="others: expected posteriors of the kind of q, VonMisesFisher, got Gaussian"):
        information_bounds(sphere, seeded(0), one)


def test_information_never_exceeds_its_cap():
    generator = seeded(3)
    for scale in (0.1, 1.0, 3.0, 30.0):
        q = Gaussian(scale * torch.randn(50, 2, generator=generator), torch.randn(50, 2, generator=generator))
        result = information(q, generator)
        assert result.mutual_information.value <= result.cap + 1e-9
        total = result.mutual_information.value + result.aggregate_kl.value
        error = result.mutual_information.standard_error + result.aggregate_kl.standard_error
        assert total == pytest.approx(q.kl_to_prior().mean().item(), abs=4 * error)


def test_active_units_by_hand():
    means = torch.tensor([[0.0, 5.0, 0.0, -1.0], [0.3, 5.0, 0.1, 1.0], [0.6, 5.0, 0.2, 0.0]])
    # variances 0.09, 0, 0.01 (not above 0.01 by more than rounding) and 1
    assert active_units(means * torch.tensor([1, 1, 0.99, 1])) == 2
    assert active_units(means * torch.tensor([1, 1, 1.01, 1])) == 3
    assert active_units(means, threshold=0.5) == 1
    assert active_units(means + 100, threshold=0.05) == 2


# --- ablation -------------------------------------------------------------------------------------------------------


def test_shuffling_gives_nobody_their_own_code():
    """Of two sentences each gets the other's, with every seed; with stds of e^-20 the codes are the means."""
    model = enlarged(lambda: TextVAE(6, TextSizes(embedding=4, hidden=5, latent=2)))
    model.head.linear.weight[2:] = 0
    model.head.linear.bias[2:] = -40
    two = CORPUS[:2]
    means = torch.cat([model.posterior(torch.tensor([s])).mean for s in two])
    own, other = (-model.log_likelihood(pad(two), z).mean().item() for z in (means, means.flip(0)))
    assert abs(own - other) > 0.01
    for seed in range(10):
        result = ablation(model, two, seeded(seed))
        assert result.own.value == pytest.approx(own, abs=1e-5)
        assert result.shuffled.value == pytest.approx(other, abs=1e-5)
    for seed in range(30):  # every permutation that leaves nobody in place is one circle or several
        shuffled = ablation(model, CORPUS[:3], seeded(seed)).shuffled.value
        three = torch.cat([model.posterior(torch.tensor([s])).mean for s in CORPUS[:3]])
        circles = [-model.log_likelihood(pad(CORPUS[:3]), three.roll(k, 0)).mean().item() for k in (1, 2)]
        assert min(abs(shuffled - value) for value in circles) < 1e-5


def test_a_decoder_that_ignores_z_loses_nothing():
    model = enlarged(lambda: TextVAE(6, TextSizes(embedding=4, hidden=5, latent=2, z_to="neither")))
    result = ablation(model, CORPUS, seeded(0))
    assert result.own.value == pytest.approx(result.shuffled.value, abs=1e-6)
    assert result.own.value == pytest.approx(result.prior.value, abs=1e-6)


# --- reconstruction and language ------------------------------------------------------------------------------------

VOCABULARY = Vocabulary((*SPECIAL, *"abcdefgh"))
PAIRS = [  # a sentence, and what the stub below writes for it
    ("a b c d e f", "a b c d e f"),
    ("a b", "a b"),
    ("h g f e d c b", "h g f e a c b"),
    ("c c c", "c c c c"),
    ("d", ""),
    ("e f g h a", "e f g h"),
]


class Scribe(nn.Module):
    """Its code of a sentence is the number of its pair, and its decoder writes the pair's other half."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.decoder = self
        self.codes = {tuple(VOCABULARY.encode(original.split())): k for k, (original, _) in enumerate(PAIRS)}

    def posterior(self, tokens):
        numbers = [self.codes[tuple(row[row != 0].tolist())] for row in tokens]
        mean = torch.tensor(numbers, dtype=torch.float32)[:, None]
        return Gaussian(mean, torch.full_like(mean, 5.0))  # so wide that a draw would be another sentence's

    def start(self, z, count):
        return Step(z, (torch.zeros(1, dtype=torch.long),))

    def step(self, inputs, state):
        place = int(state.memory[0])
        logits = torch.zeros(len(inputs), len(VOCABULARY))
        for row, number in enumerate(state.z[:, 0].tolist()):
            written = [*VOCABULARY.encode(PAIRS[round(number)][1].split())[1:], EOS]
            logits[row, written[min(place, len(written) - 1)]] = 9.0
        return logits, Step(state.z, (state.memory[0] + 1,))


def bleu(pairs):
    """Corpus BLEU-4 (Papineni 2002): clipped n-gram precisions, their geometric mean, and the brevity penalty."""
    log_precision = 0.0
    for n in (1, 2, 3, 4):
        right = total = 0
        for original, written in pairs:
            grams = [Counter(tuple(side[k : k + n]) for k in range(len(side) - n + 1)) for side in (original, written)]
            right += sum((grams[0] & grams[1]).values())
            total += sum(grams[1].values())
        log_precision += math.log(right / total) / 4
    lengths = [sum(len(pair[side]) for pair in pairs) for side in (0, 1)]
    return 100 * math.exp(log_precision + min(0.0, 1 - lengths[0] / lengths[1]))


def test_reconstruction_by_hand():
    pairs = [(tuple(original.split()), tuple(written.split())) for original, written in PAIRS]
    result = reconstruction(Scribe(), [VOCABULARY.encode(original) for original, _ in pairs], VOCABULARY)
    assert result.sentences == [written for _, written in pairs]
    assert result.exact == pytest.approx(2 / 6)
    assert result.bleu == pytest.approx(bleu(pairs))
    assert 50 < result.bleu < 95
    perfect = reconstruction(Scribe(), [VOCABULARY.encode(original) for original, _ in pairs[:2]], VOCABULARY)
    assert perfect.exact == 1
    assert perfect.bleu == pytest.approx(100)


def test_a_trained_autoencoder_writes_its_sentences():
    sentences = [VOCABULARY.encode(original.split()) for original, _ in PAIRS[:4]]
    sizes = TextSizes(embedding=12, hidden=24, latent=4)
    model = NegativeElbo(seeded_module(0, lambda: TextVAE(len(VOCABULARY), sizes)), constant(0.0))
    update = Update.adam(model, model.loss, learning_rate=0.03)
    train(update, SentenceBatches(sentences, batch_size=4), epochs=60, generator=seeded(0))
    result = reconstruction(model.model, sentences, VOCABULARY)
    assert result.sentences == [tuple(original.split()) for original, _ in PAIRS[:4]]
    assert result.exact == 1


ORIGINAL = "the happy baker bought a red boat at the harbour this morning"
COPIES = [
    ORIGINAL,
    "at sunrise the baker was cheerful and purchased a dinghy that was scarlet near the ships",  # every fact, other words
    "the happy baker bought a green hat at the harbour this morning",  # another colour and thing
    "the sad doctor sold a red boat at the market at noon",  # only colour and thing
    "the happy baker bought a red boat at the harbour",  # not a sentence: no time
]


def test_facts_kept_by_hand():
    copies = [tuple(copy.split()) for copy in COPIES]
    assert facts_kept([tuple(ORIGINAL.split())] * 5, copies, WORLD.english) == {
        "person": 3 / 5,
        "action": 3 / 5,
        "mood": 3 / 5,
        "thing": 3 / 5,
        "colour": 3 / 5,
        "place": 3 / 5,
        "time": 3 / 5,
    }
    kept = facts_kept([tuple(ORIGINAL.split())] * 2, copies[2:4], WORLD.english)
    assert kept == {"person": 0.5, "action": 0.5, "mood": 0.5, "thing": 0.5, "colour": 0.5, "place": 0.5, "time": 0.5}
    kept = facts_kept([tuple(ORIGINAL.split())], copies[3:4], WORLD.english)
    assert [name for name, share in kept.items() if share] == ["thing", "colour"]
    assert share_in_language(copies, WORLD.english) == 4 / 5


def test_facts_are_kept_from_sentences_of_the_language():
    with pytest.raises(ValueError, match="original 1 is not a sentence of english: a boat"):
        facts_kept([tuple(ORIGINAL.split()), ("a", "boat")], [tuple(ORIGINAL.split())] * 2, WORLD.english)
    with pytest.raises(ValueError, match="shorter"):
        facts_kept([tuple(ORIGINAL.split())], [], WORLD.english)


def test_what_is_refused_is_no_sentence_or_has_facts_that_never_go_together():
    copies = [tuple(copy.split()) for copy in COPIES]
    at_night = tuple(ORIGINAL.replace("at the harbour this morning", "at school last night").split())  # which never happens
    assert refused([*copies, at_night], WORLD.english) == ([copies[-1]], [at_night])


def test_shares_of_what_a_writer_wrote_by_hand():
    said = ["the sad girl lost a red kite in the park at noon", "the sad girl found a red kite at school at noon"]
    said += ["the sad kite lost", "the sad girl found a red kite at school at noon"]
    sentences = [tuple(sentence.split()) for sentence in said]
    shares = writing_shares(sentences, {sentences[0]}, WORLD.english)
    assert {name: share.value for name, share in shares.items()} == {
        "accepted": 3 / 4,
        "accepted and new": 2 / 4,
        "different": 3 / 4,
    }
    shares = writing_shares(sentences, {sentences[0]}, None)
    assert {name: share.value for name, share in shares.items()} == {"new": 3 / 4, "different": 3 / 4}


def test_the_grammars_own_nll():
    sentences = [tuple(copy.split()) for copy in COPIES]
    nll = exact_nll(WORLD.english, sentences)
    for value, sentence in zip(nll.tolist()[:4], sentences[:4], strict=True):
        # By enumeration of every wording of the facts.
        facts = WORLD.english.recognize(sentence).facts
        wordings = [log_p for tokens, log_p in WORLD.english.grammar.wordings(facts) if tokens == sentence]
        assert value == pytest.approx(-WORLD.facts.log_probability(facts) - math.log(sum(map(math.exp, wordings))))
    assert nll[4] == math.inf


# --- means of posteriors -----------------------------------------------------------------------------------------------


LISTENED = [[1, 4, 2], [1, 5, 6, 4, 2], [1, 6, 2], [1, 5, 5, 6, 2]]


def model_of(latent):
    sizes = TextSizes(embedding=6, hidden=6, latent=latent, context=1)
    model = seeded_module(3, lambda: TextVAE(7, sizes))
    with torch.no_grad():
        model.decoder.z_in.weight *= 6  # a decoder that listens, so that posteriors differ from the prior
    return model


@torch.no_grad()
def test_the_means_are_those_of_the_exact_posterior_and_of_the_encoders():
    model = model_of(latent=1)
    exact, encoded = posterior_means(model, pad(LISTENED))
    z = np.linspace(-7, 7, 1401)
    for number, sentence in enumerate(LISTENED):  # alone, so without padding
        tokens = torch.tensor([sentence])
        likelihood = np.exp([model.log_likelihood(tokens, torch.tensor([[value]], dtype=torch.float)).item() for value in z])
        joint = scipy.stats.norm.pdf(z) * likelihood
        mean = scipy.integrate.simpson(z * joint, x=z) / scipy.integrate.simpson(joint, x=z)
        assert exact[number].item() == pytest.approx(mean, abs=2e-3)
        assert encoded[number].item() == pytest.approx(model.posterior(tokens).mean.item(), abs=1e-5)
    assert exact.std() > 0.1  # else nothing was compared


def test_a_grid_is_refused_for_more_than_one_latent():
    with pytest.raises(ValueError, match="needs one latent, got 2"):
        posterior_means(model_of(latent=2), pad(LISTENED))
