import math

import pytest
import torch

from vae_course.exercises import lesson_08
from vae_course.probability.distributions import Gaussian, VonMisesFisher
from vae_course.probability.estimators import Estimate
from vae_course.text.batches import SentenceBatches, pad
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import (
    AggressiveEncoder,
    CapacityTarget,
    ImportanceWeighted,
    InfoVAE,
    NegativeElbo,
    Objective,
    Wasserstein,
    constant,
    cyclical_annealing,
    free_bits,
    free_bits_in_total,
    linear_annealing,
    mean_rate,
    squared_mmd,
)
from vae_course.text.posteriors import BatchNormHead, VonMisesFisherHead
from vae_course.text.vocabulary import BOS, EOS, UNK
from vae_course.training import Update, seeded, seeded_module, train

FLOAT = torch.float64
A, B, C = 4, 5, 6
SENTENCES = [
    [BOS, A, EOS],
    [BOS, A, B, EOS],
    [BOS, B, B, C, EOS],
    [BOS, C, C, B, A, EOS],
    [BOS, UNK, A, EOS],
    [BOS, B, EOS],
]
TOKENS = pad(SENTENCES)
SMALL = TextSizes(embedding=5, hidden=6, latent=2)


def vae(sizes=SMALL, head=None):
    return seeded_module(0, lambda: TextVAE(7, sizes, head)).double()


# --- schedules ------------------------------------------------------------------------------------------------------


def values(schedule, steps):
    return [schedule(step) for step in steps]


def test_schedules_by_hand():
    assert values(constant(), [0, 7]) == [1, 1]
    assert values(constant(4.0), [0, 7]) == [4, 4]
    assert values(constant(0.0), [0, 7]) == [0, 0]
    assert values(linear_annealing(4), [0, 1, 2, 3, 4, 5, 100]) == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert values(linear_annealing(10, final=0.2), [0, 5, 10, 11]) == pytest.approx([0, 0.1, 0.2, 0.2])
    assert values(linear_annealing(1), [0, 1]) == [0, 1]


def test_the_cyclical_schedule_by_hand():
    half = cyclical_annealing(period=8, cycles=2)
    cycle = [0, 0.25, 0.5, 0.75, 1, 1, 1, 1]
    assert values(half, range(18)) == pytest.approx([*cycle, *cycle, 1, 1])  # no third fall
    whole = cyclical_annealing(period=4, cycles=1, rising=1.0)
    assert values(whole, range(6)) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: constant(-0.5), "kl_weight: expected a finite number, at least 0, got -0.5"),
        (lambda: constant(math.nan), "kl_weight: expected a finite number, at least 0, got nan"),
        (lambda: constant(math.inf), "kl_weight: .* got inf"),
        (lambda: linear_annealing(0), "steps: expected a finite number, at least 1, got 0"),
        (lambda: linear_annealing(math.inf), "steps: .* got inf"),
        (lambda: linear_annealing(5, final=-1.0), "final: expected a finite number, at least 0, got -1.0"),
        (lambda: linear_annealing(5, final=math.nan), "final: .* got nan"),
        (lambda: cyclical_annealing(0, 2), "period: expected a finite number, at least 1, got 0"),
        (lambda: cyclical_annealing(math.nan, 2), "period: .* got nan"),
        (lambda: cyclical_annealing(5, 0), "cycles: .* got 0"),
        (lambda: cyclical_annealing(5, math.inf), "cycles: .* got inf"),
        (lambda: cyclical_annealing(5, 1, rising=0.0), "rising: expected a share above 0 and at most 1, got 0.0"),
        (lambda: cyclical_annealing(5, 1, rising=1.5), "rising: .* got 1.5"),
        (lambda: cyclical_annealing(5, 1, rising=math.nan), "rising: .* got nan"),
    ],
)
def test_schedules_refuse_what_is_none(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# --- penalties ------------------------------------------------------------------------------------------------------

# With unit variances a coordinate's rate is mean^2 / 2: here (2, 0), (0, 0.1) and (0, 0.3).
RATES = torch.tensor([[2.0, 0.0], [0.0, 0.1], [0.0, 0.3]], dtype=FLOAT)


def posterior(rates=RATES):
    means = (2 * rates).sqrt().requires_grad_()
    return means, Gaussian(means, torch.zeros_like(means))


def test_the_mean_rate_by_hand():
    assert mean_rate(posterior()[1]).item() == pytest.approx((2 + 0.1 + 0.3) / 3)


def test_free_bits_are_floored_after_the_batch_and_before_the_sum():
    """Coordinates' means: 2/3 and 0.4/3. The other orders give other numbers."""
    _, q = posterior()
    result = free_bits(0.5)(q).item()
    assert result == pytest.approx(2 / 3 + 0.5)
    floored_first = RATES.clamp_min(0.5).mean(0).sum().item()
    summed_first = RATES.sum(1).mean().clamp_min(0.5).item()
    each_sentence = RATES.sum(1).clamp_min(0.5).mean().item()
    assert min(abs(result - other) for other in (floored_first, summed_first, each_sentence)) > 0.1
    assert free_bits(0.0)(q).item() == pytest.approx(mean_rate(q).item())


def test_below_the_floor_a_coordinate_has_no_gradient():
    means, q = posterior()
    (gradient,) = torch.autograd.grad(free_bits(0.5)(q), means)
    assert torch.allclose(gradient[:, 0], means[:, 0] / 3)  # d/dmean of mean^2 / 2, averaged over 3 sentences
    assert (gradient[:, 1] == 0).all()


def test_free_bits_in_total_floor_the_mean_over_the_batch():
    """Sentences' rates: 2, 0.1 and 0.3, of mean 0.8."""
    means, q = posterior()
    assert free_bits_in_total(0.7)(q).item() == pytest.approx(0.8)
    assert free_bits_in_total(3.0)(q).item() == 3
    (above,) = torch.autograd.grad(free_bits_in_total(0.7)(q), means)
    assert torch.allclose(above, means / 3)
    (below,) = torch.autograd.grad(free_bits_in_total(3.0)(posterior()[1]), means, allow_unused=True)
    assert below is None
    means, q = posterior()
    assert (torch.autograd.grad(free_bits_in_total(3.0)(q), means)[0] == 0).all()


def test_penalties_know_which_posteriors_they_can_take():
    q = VonMisesFisher(torch.eye(3, dtype=FLOAT), 4.0)
    assert free_bits_in_total(0.0)(q).item() == mean_rate(q).item() == pytest.approx(q.kl_to_prior()[0].item())
    with pytest.raises(TypeError, match=r"free_bits: needs a posterior with a rate for each coordinate .* got VonMisesFisher"):
        free_bits(0.5)(q)


# --- the ELBO and its variants --------------------------------------------------------------------------------------


def test_the_negative_elbo_by_hand():
    """The same draws of z, and the sum of its two parts sentence by sentence."""
    model = vae()
    q = model.posterior(TOKENS)
    z = q.sample(seeded(3))
    distortions = [-model.log_likelihood(torch.tensor([s]), z[i : i + 1]).item() for i, s in enumerate(SENTENCES)]
    rates = 0.5 * (q.mean**2 + q.log_var.exp() - 1 - q.log_var).sum(1)
    for kl_weight in (0.0, 1.0, 4.0):
        metrics = NegativeElbo(model, constant(kl_weight)).loss(TOKENS, seeded(3))
        assert metrics["distortion"].item() == pytest.approx(sum(distortions) / 6)
        assert metrics["rate"].item() == pytest.approx(rates.mean().item())
        assert metrics["kl_weight"].item() == kl_weight
        assert metrics["loss"].item() == pytest.approx(sum(distortions) / 6 + kl_weight * rates.mean().item())
    assert NegativeElbo(model).loss(TOKENS, seeded(3))["kl_weight"] == 1


def test_the_penalty_is_minimized_and_the_rate_reported():
    metrics = NegativeElbo(vae(), constant(2.0), free_bits_in_total(50.0)).loss(TOKENS, seeded(3))
    assert metrics["loss"].item() == pytest.approx(metrics["distortion"].item() + 100)
    assert metrics["rate"] < 5


def test_the_schedule_follows_the_steps_taken():
    objective = NegativeElbo(vae(), linear_annealing(4))
    weights = [objective.loss(TOKENS, seeded(0))["kl_weight"].item() for _ in range(6)]
    assert weights == [0, 0.25, 0.5, 0.75, 1, 1]
    objective.measured(TOKENS, seeded(0))
    assert objective.step == 6


def test_the_elbo_loss_uses_dropout():
    model = vae(TextSizes(embedding=5, hidden=6, latent=2, word_dropout=1.0))
    hidden = TOKENS.clone()
    hidden[:, 1:][hidden[:, 1:] > EOS] = UNK
    z = model.posterior(TOKENS).sample(seeded(0))
    logits = model.decoder.logits(hidden[:, :-1], z)
    nll = -logits.log_softmax(-1).gather(-1, TOKENS[:, 1:, None])[..., 0]
    expected = nll[TOKENS[:, 1:] != 0].sum() / len(TOKENS)
    assert NegativeElbo(model).loss(TOKENS, seeded(0))["distortion"].item() == pytest.approx(expected.item())


def test_the_elbo_of_a_point_on_a_sphere():
    model = vae(head=VonMisesFisherHead(5.0))
    metrics = NegativeElbo(model).loss(TOKENS, seeded(0))
    assert metrics["rate"].item() == pytest.approx(model.posterior(TOKENS).kl_to_prior()[0].item())
    metrics["loss"].backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


# --- resuming -------------------------------------------------------------------------------------------------------

NOISY = TextSizes(embedding=5, hidden=6, latent=2, dropout=0.2, word_dropout=0.3)
BATCHES = SentenceBatches(SENTENCES * 4, batch_size=5)  # 5 batches an epoch, the last of 4 sentences


def annealed(model):
    return NegativeElbo(model, cyclical_annealing(period=12, cycles=2), free_bits(0.1))


def aggressive(model):
    return AggressiveEncoder(model, BATCHES, learning_rate=1e-2, most=15, kl_weight=linear_annealing(20))


OBJECTIVES = {
    "annealed": annealed,
    "aggressive": aggressive,
    "importance weighted": lambda model: ImportanceWeighted(model, samples=3),
    "Wasserstein": lambda model: Wasserstein(model, weight=5.0),
    "InfoVAE": lambda model: InfoVAE(model, alpha=0.5, scale=5.0),
    "capacity target": lambda model: CapacityTarget(model, linear_annealing(20, 3.0), strength=10.0),
}


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_resumed_run_gives_exactly_the_uninterrupted_numbers(objective, tmp_path):
    """With batch normalization, dropout, a schedule of the KL weight, one of the learning rate, and clipping."""

    def run(epochs, checkpoint=None):
        model = objective(vae(NOISY, BatchNormHead(0.5)))
        update = Update.adam(model, model.loss, 1e-2, decay_over=30, max_norm=1.0)
        history = train(update, BATCHES, epochs=epochs, generator=seeded(1), checkpoint=checkpoint)
        return model, history

    whole, expected = run(5)
    assert whole.step == 25
    run(2, tmp_path / "run.pt")
    resumed, history = run(5, tmp_path / "run.pt")
    assert history.metrics == expected.metrics
    for name, value in whole.state_dict().items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(value, resumed.state_dict()[name]), name
    if "kl_weight" in expected.metrics:
        assert len(set(expected["kl_weight"])) == 5


# --- lagging inference ----------------------------------------------------------------------------------------------


def parameters(*modules):
    return [p.detach().clone() for module in modules for p in module.parameters()]


def same(before, after):
    return all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_encoder_alone_catches_up_until_it_is_calm():
    model = vae()
    objective = aggressive(model)
    encoder, decoder = parameters(model.encoder, model.head), parameters(model.decoder)
    objective.loss(TOKENS, seeded(0))
    assert not same(encoder, parameters(model.encoder, model.head))
    assert same(decoder, parameters(model.decoder))
    assert objective.step == 1
    assert all(p.grad is None for p in model.decoder.parameters())
    objective.calm()
    encoder = parameters(model.encoder, model.head)
    calm = objective.loss(TOKENS, seeded(0))
    assert same(encoder, parameters(model.encoder, model.head))
    assert calm["loss"].item() == pytest.approx(NegativeElbo(model, constant(1 / 20)).loss(TOKENS, seeded(0))["loss"].item())


class Counting(AggressiveEncoder):
    """The encoder's losses are given, so that its steps can be counted."""

    def __init__(self, model, losses, batches, most):
        super().__init__(model, batches, learning_rate=1e-2, most=most)
        self.losses, self.taken = losses, 0

    def _encoder_step(self, tokens, generator):
        self.taken += 1
        return self.losses[(self.taken - 1) // 10]


@pytest.mark.parametrize(
    ("losses", "most", "steps"),
    [
        ([5, 4, 3, 3, 2], 100, 40),  # the fourth ten is no better than the third
        ([5, 6, 1], 100, 20),
        ([5, 4, 3, 2, 1], 25, 25),
        ([5, 4, 3, 2, 1], 100, 48),  # there are no more batches
    ],
)
def test_the_encoder_stops_when_ten_more_steps_no_longer_help(losses, most, steps):
    objective = Counting(vae(), losses, SentenceBatches(SENTENCES * 8, batch_size=1), most)
    objective.loss(TOKENS, seeded(0))
    assert objective.taken == steps


def test_aggression_and_its_end_are_saved():
    objective, restored = aggressive(vae()), aggressive(vae())
    objective.loss(TOKENS, seeded(0))
    objective.calm()
    assert restored.aggressive
    restored.load_state_dict(objective.state_dict())
    assert not restored.aggressive
    saved, loaded = objective.optimizer.state_dict()["state"], restored.optimizer.state_dict()["state"]
    assert len(loaded) == len(objective.encoder_parameters)
    assert torch.equal(saved[0]["exp_avg"], loaded[0]["exp_avg"])


# --- tighter bounds, other distances --------------------------------------------------------------------------------


def test_the_importance_weighted_loss_by_hand():
    model = vae()
    q = model.posterior(TOKENS)
    z = q.sample(seeded(4), samples=3)
    total = 0.0
    for row, sentence in enumerate(SENTENCES):
        weights = []
        for draw in z[:, row]:
            log_p = model.log_likelihood(torch.tensor([sentence]), draw[None]).item()
            log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(draw).sum().item()
            log_q = torch.distributions.Normal(q.mean[row], q.std[row]).log_prob(draw).sum().item()
            weights.append(math.exp(log_p + log_prior - log_q))
        total -= math.log(sum(weights) / 3)
    metrics = ImportanceWeighted(model, samples=3).loss(TOKENS, seeded(4))
    assert metrics["loss"].item() == pytest.approx(total / 6)
    assert metrics["rate"].item() == pytest.approx(q.kl_to_prior().mean().item())
    with pytest.raises(ValueError, match="samples: expected a finite number, at least 1, got 0"):
        ImportanceWeighted(model, samples=0).loss(TOKENS, seeded(4))


def brute_force_mmd(x, y):
    """The definition, one pair at a time."""
    n, d = x.shape

    def kernel(a, b):
        return 2 * d / (2 * d + float(((a - b) ** 2).sum()))

    within = sum(kernel(s[i], s[j]) for s in (x, y) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    return within - 2 * sum(kernel(a, b) for a in x for b in y) / n**2


@pytest.mark.parametrize("shape", [(2, 1), (5, 3), (8, 16)])
def test_squared_mmd_against_two_loops(shape):
    x = torch.randn(*shape, generator=seeded(1), dtype=FLOAT)
    y = 0.3 + 2 * torch.randn(*shape, generator=seeded(2), dtype=FLOAT)
    assert squared_mmd(x, y).item() == pytest.approx(brute_force_mmd(x, y))
    assert squared_mmd(x, x).item() == pytest.approx(brute_force_mmd(x, x))


def test_squared_mmd_is_the_same_far_from_the_origin_in_float32():
    """Coordinates in eighths, so that an offset of 1e4 changes none of their differences."""
    x, y = ((8 * torch.randn(20, 4, generator=seeded(seed))).round() / 8 for seed in (1, 2))
    exact = brute_force_mmd(x.double(), y.double())
    for offset in (0.0, 1e4):
        assert squared_mmd(x + offset, y + offset).item() == pytest.approx(exact, abs=1e-6)
    two = torch.cat([x, x + 1e4]), torch.cat([y, y - 1e4])  # no common centre
    assert squared_mmd(*two).item() == pytest.approx(brute_force_mmd(*(draws.double() for draws in two)), abs=1e-6)


def test_squared_mmd_has_the_gradient_of_finite_differences_also_at_equal_draws():
    x = torch.randn(5, 3, generator=seeded(1), dtype=FLOAT)
    x[1] = x[0]
    y = torch.cat([x[:1], torch.randn(4, 3, generator=seeded(2), dtype=FLOAT)])
    (gradient,) = torch.autograd.grad(squared_mmd(x.requires_grad_(), y), x)
    for place in torch.cartesian_prod(torch.arange(5), torch.arange(3)).tolist():
        step = torch.zeros(5, 3, dtype=FLOAT)
        step[tuple(place)] = 1e-5
        difference = (brute_force_mmd(x.detach() + step, y) - brute_force_mmd(x.detach() - step, y)) / 2e-5
        assert gradient[tuple(place)].item() == pytest.approx(difference, abs=1e-8)


def test_squared_mmd_averages_zero_for_equal_distributions_and_not_for_others():
    generator = seeded(3)
    draws = torch.randn(3000, 2, 6, 2, generator=generator, dtype=FLOAT)
    equal = Estimate.of(torch.stack([squared_mmd(x, y) for x, y in draws]))
    assert equal.standard_errors_from(0.0) < 4
    assert equal.standard_error < 0.005
    shifted = Estimate.of(torch.stack([squared_mmd(x + 1, y) for x, y in draws[:500]]))
    assert shifted.value > 20 * shifted.standard_error


def test_squared_mmd_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match=r"equal shapes \(n >= 2, dimension\), got \(3, 2\) and \(4, 2\)"):
        squared_mmd(torch.zeros(3, 2), torch.zeros(4, 2))
    with pytest.raises(ValueError, match=r"got \(1, 2\) and \(1, 2\)"):
        squared_mmd(torch.zeros(1, 2), torch.zeros(1, 2))


def test_the_wasserstein_loss_by_hand():
    model, generator = vae(), seeded(5)
    q = model.posterior(TOKENS)
    z = q.sample(generator)
    distortion = -model.log_likelihood(TOKENS, z).mean().item()
    mmd = brute_force_mmd(z.detach(), torch.randn(6, 2, generator=generator, dtype=FLOAT))
    metrics = Wasserstein(model, weight=3.0).loss(TOKENS, seeded(5))
    assert metrics["distortion"].item() == pytest.approx(distortion)
    assert metrics["mmd"].item() == pytest.approx(mmd)
    assert metrics["loss"].item() == pytest.approx(distortion + 3 * mmd)
    assert metrics["rate"].item() == pytest.approx(q.kl_to_prior().mean().item())
    with pytest.raises(TypeError, match=r"Wasserstein: compares with N\(0, I\), needs a Gaussian .* got VonMisesFisher"):
        Wasserstein(vae(head=VonMisesFisherHead()), weight=3.0).loss(TOKENS, seeded(5))


@pytest.mark.parametrize(("alpha", "scale"), [(0.0, 1.0), (0.5, 3.0), (1.0, 3.0), (-1.0, 4.0)])
def test_the_info_vae_loss_by_hand(alpha, scale):
    model, generator = vae(), seeded(5)
    q = model.posterior(TOKENS)
    z = q.sample(generator)
    distortion = -model.log_likelihood(TOKENS, z).mean().item()
    mmd = brute_force_mmd(z.detach(), torch.randn(6, 2, generator=generator, dtype=FLOAT))
    rate = torch.distributions.kl_divergence(torch.distributions.Normal(q.mean, q.std), torch.distributions.Normal(0.0, 1.0))
    rate = rate.sum(-1).mean().item()
    metrics = InfoVAE(model, alpha, scale).loss(TOKENS, seeded(5))
    assert metrics["loss"].item() == pytest.approx(distortion + (1 - alpha) * rate + (alpha + scale - 1) * mmd)
    assert metrics["rate"].item() == pytest.approx(rate)
    if (alpha, scale) == (0.0, 1.0):  # the ELBO
        assert metrics["loss"].item() == pytest.approx(NegativeElbo(model).loss(TOKENS, seeded(5))["loss"].item())
    if alpha == 1:  # MMD-VAE, and WAE-MMD
        assert metrics["loss"].item() == pytest.approx(Wasserstein(model, scale).loss(TOKENS, seeded(5))["loss"].item())


def test_the_capacity_target_by_hand_and_its_slope():
    model = vae()
    q = model.posterior(TOKENS)
    rate = torch.distributions.kl_divergence(torch.distributions.Normal(q.mean, q.std), torch.distributions.Normal(0.0, 1.0))
    rate = rate.sum(-1).mean().item()
    distortion = -model.log_likelihood(TOKENS, q.sample(seeded(5))).mean().item()
    target = CapacityTarget(model, lambda step: rate / 2 * step, strength=10.0)  # 0, half the rate, all, half as much again
    expected = [10 * rate, 5 * rate, 0.0, 5 * rate]
    for step, charged in enumerate(expected):
        metrics = target.loss(TOKENS, seeded(5))
        assert metrics["loss"].item() == pytest.approx(distortion + charged)
        assert metrics["capacity"].item() == pytest.approx(rate / 2 * step)
    # Below the target a nat more is rewarded, above it charged: the loss's gradient is the distortion's -+ 10 times the rate's.
    by_hand = {}
    for sign in (-1, 1):
        q = model.posterior(TOKENS)
        loss = -model.log_likelihood(TOKENS, q.sample(seeded(5))).mean() + sign * 10 * q.kl_to_prior().mean()
        by_hand[sign] = torch.autograd.grad(loss, list(model.head.parameters()))
    for sign, capacity in ((-1, 2 * rate), (1, rate / 2)):
        loss = CapacityTarget(model, constant(capacity), 10.0).loss(TOKENS, seeded(5))["loss"]
        found = torch.autograd.grad(loss, list(model.head.parameters()))
        assert all(torch.allclose(a, b) for a, b in zip(found, by_hand[sign], strict=True))


def test_an_objective_has_the_models_parameters_and_no_others():
    model = vae()
    for build in OBJECTIVES.values():
        assert {id(p) for p in build(model).parameters()} == {id(p) for p in model.parameters()}
    with pytest.raises(NotImplementedError):
        Objective(model).loss(TOKENS, seeded(0))


def test_while_aggressive_the_counted_step_moves_the_decoder_alone():
    objective = AggressiveEncoder(vae(TextSizes(embedding=5, hidden=6, latent=2)), BATCHES, learning_rate=1e-2, most=10)

    def moved():
        loss = objective.loss(TOKENS, seeded(0))["loss"]
        objective.zero_grad(set_to_none=True)  # as a training step does
        loss.backward()
        return [
            {p.grad is not None for p in part} for part in (objective.model.decoder.parameters(), objective.encoder_parameters)
        ]

    assert moved() == [{True}, {False}]
    objective.calm()
    assert moved() == [{True}, {True}]


def test_an_aggressive_step_is_that_of_the_exercise():
    """The batches of an epoch for the encoder first, then the noise of each step in turn, all from one generator."""
    ours, theirs = vae(TextSizes(embedding=5, hidden=6, latent=2)), vae(TextSizes(embedding=5, hidden=6, latent=2))
    objective = AggressiveEncoder(ours, BATCHES, learning_rate=1e-2, most=10)
    decoder_optimizer = torch.optim.Adam(ours.decoder.parameters(), lr=1e-2)
    loss = objective.loss(TOKENS, seeded(0))["loss"]
    loss.backward()
    decoder_optimizer.step()

    generator = seeded(0)
    of_an_epoch = list(BATCHES.epoch(generator))
    optimizers = [torch.optim.Adam(some, lr=1e-2) for some in (encoder_of(theirs), theirs.decoder.parameters())]
    returned = lesson_08.aggressive_step(
        lambda tokens: NegativeElbo(theirs).loss(tokens, generator)["loss"], *optimizers, [*of_an_epoch, TOKENS]
    )
    assert returned == pytest.approx(loss.item(), rel=1e-5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def encoder_of(model):
    return [*model.encoder.parameters(), *model.head.parameters()]


def test_importance_weighting_uses_dropout():
    objective = ImportanceWeighted(vae(TextSizes(embedding=5, hidden=6, latent=2, word_dropout=1.0)), samples=2)
    heard = ImportanceWeighted(vae(TextSizes(embedding=5, hidden=6, latent=2)), samples=2)
    assert objective.loss(TOKENS, seeded(0))["loss"] != heard.loss(TOKENS, seeded(0))["loss"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: free_bits(-1.0), "nats_per_dimension"),
        (lambda: Wasserstein(vae(TextSizes(embedding=5, hidden=6, latent=2)), weight=-1), "weight"),
        (lambda: AggressiveEncoder(vae(TextSizes(embedding=5, hidden=6, latent=2)), BATCHES, 1e-2, most=0), "most"),
        (lambda: AggressiveEncoder(vae(), BATCHES, 1e-2, most=math.nan), "most: .* got nan"),
        (lambda: AggressiveEncoder(vae(), BATCHES, math.inf), "learning_rate: .* got inf"),
        (lambda: free_bits(math.nan), "nats_per_dimension: expected a finite number, at least 0, got nan"),
        (lambda: free_bits(math.inf), "nats_per_dimension: .* got inf"),
        (lambda: free_bits_in_total(-1.0), "nats: expected a finite number, at least 0, got -1.0"),
        (lambda: free_bits_in_total(math.nan), "nats: .* got nan"),
        (lambda: free_bits_in_total(math.inf), "nats: .* got inf"),
        (lambda: Wasserstein(vae(), weight=math.nan), "weight: expected a finite number, at least 0, got nan"),
        (lambda: Wasserstein(vae(), weight=math.inf), "weight: .* got inf"),
        (lambda: ImportanceWeighted(vae(), samples=math.nan), "samples: .* got nan"),
        (lambda: InfoVAE(vae(), alpha=1.5, scale=1.0), "alpha: expected a finite number, at most 1, got 1.5"),
        (lambda: InfoVAE(vae(), alpha=math.nan, scale=1.0), "alpha: .* got nan"),
        (lambda: InfoVAE(vae(), alpha=0.5, scale=0.2), "weight: expected a finite number, at least 0, got -0.3"),
        (lambda: CapacityTarget(vae(), constant(), strength=-1.0), "strength: expected a finite number, at least 0"),
    ],
)
def test_objectives_refuse_numbers_that_make_no_sense(build, message):
    with pytest.raises(ValueError, match=message):
        build()
