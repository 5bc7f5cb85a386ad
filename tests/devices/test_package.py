"""What trains and evaluates gives on an accelerator what it gives on the CPU: noise is drawn on the CPU, from generators."""

import dataclasses
from collections.abc import Mapping

import pytest
import simulated_device
import torch
from torch import Tensor

from vae_course import images, training
from vae_course.applications import correction, generation, summarization
from vae_course.exercises import catalogue
from vae_course.probability import distributions, estimators, exact
from vae_course.probability.distributions import Gaussian, GaussianMixture, VonMisesFisher
from vae_course.text import decoding, evaluation, factors, shared_latent
from vae_course.text.batches import PairBatches, SentenceBatches
from vae_course.text.conditional import ConditionalTextVAE, SequenceToSequence
from vae_course.text.cures import CURES, Budget, fit, train_language_model, train_vae
from vae_course.text.models import TextSizes, TextVAE
from vae_course.text.objectives import NegativeElbo, linear_annealing
from vae_course.text.parallel import ParallelTextVAE, ParallelTranslator
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded, seeded_module
from vae_course.world.languages import WORLD

simulated_device.install()  # now: autograd counts the devices when it first runs, which may be in another file's test

SIZES = TextSizes(embedding=8, hidden=12, latent=3)
BUDGET = Budget(steps=8, batch_size=16, learning_rate=1e-2, checks=2)
WORDS = WORLD.english.sample(140, seeded(5))
VOCABULARY = Vocabulary.build(WORDS)
SENTENCES = [VOCABULARY.encode(sentence) for sentence in WORDS]
SIZE = len(VOCABULARY)


def plain(value):
    """Anything computed as numbers, texts and lists of them, wherever it lay."""
    if isinstance(value, Tensor):
        return value.detach().cpu().double().tolist()
    if isinstance(value, torch.nn.Module):
        return {name: plain(weights) for name, weights in value.state_dict().items()}
    if isinstance(value, training.History):
        return {name: values for name, values in value.metrics.items() if name != "cpu_seconds"}
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def assert_same(on_cpu, there, rel, path=""):
    if isinstance(on_cpu, dict):
        assert on_cpu.keys() == there.keys(), path
        for name in on_cpu:
            assert_same(on_cpu[name], there[name], rel, f"{path}.{name}")
    elif isinstance(on_cpu, list):
        assert len(on_cpu) == len(there), path
        for number, (a, b) in enumerate(zip(on_cpu, there, strict=True)):
            assert_same(a, b, rel, f"{path}[{number}]")
    else:
        assert there == (pytest.approx(on_cpu, rel=rel, abs=rel) if isinstance(on_cpu, float) else on_cpu), path


# --- images and probability -----------------------------------------------------------------------------------------


def image_models(device, folder):
    digits = images.digits(device=device)
    x, batches = digits.train[:64], training.ShuffledBatches(digits.train[:64], 32)
    vae = seeded_module(0, lambda: images.VAE(64, [16], 2)).to(device)
    update = training.Update.adam(vae, vae.loss, decay_over=8, max_norm=1.0)
    yield training.train(update, batches, epochs=2, generator=seeded(0), checkpoint=folder / f"{device.type}.checkpoint")
    resumed = seeded_module(1, lambda: images.VAE(64, [16], 2)).to(device)
    update = training.Update.adam(resumed, resumed.loss, decay_over=8, max_norm=1.0)
    training.train(update, batches, epochs=3, generator=seeded(1), checkpoint=folder / f"{device.type}.checkpoint")
    yield resumed
    yield vae.sample(5, seeded(1)), vae.decode(vae.posterior(x).mean)
    yield estimators.elbo(vae, x, seeded(2), samples=3)
    yield estimators.importance_weighted_bound(vae, x, seeded(2), samples=8)
    coder = seeded_module(0, lambda: images.Autoencoder(64, [16], 2)).to(device)
    yield training.train(training.Update.adam(coder, coder.loss), batches, epochs=1, generator=seeded(0))
    yield images.precision_recall(digits.test, coder(digits.test))


def adversaries(device, folder):
    gan = seeded_module(0, lambda: images.GAN(2, [16], 2, bounded=False)).to(device)
    mixture = GaussianMixture.ring(8)
    points = mixture.sample(seeded(0), 128).float().to(device)
    players = [
        training.Update.adam(gan.discriminator, gan.discriminator_loss),
        training.Update.adam(gan.generator, gan.generator_loss),
    ]
    yield training.train(players, training.ShuffledBatches(points, 32), epochs=2, generator=seeded(0))
    yield images.mode_coverage(gan.sample(50, seeded(1)), mixture)


def estimates(device, folder):
    x = torch.tensor([[2.5]], dtype=torch.float64, device=device)
    one = torch.ones(1, dtype=torch.float64, device=device)
    sensor = exact.LinearGaussian(one[:, None], 0 * one, noise_std=0.75)
    q = Gaussian(0.6 * one[None], -0.2 * one[None])
    yield sensor.exact_posterior(x), sensor.log_evidence(x), sensor.elbo(q, x), sensor.gap(q, x)
    yield estimators.importance_weighted_bound(sensor.with_encoder(q), x, seeded(0), 16)
    for recipe in (estimators.pathwise_gradient, estimators.score_function_gradient):
        yield recipe(lambda z: z.square().sum(-1), Gaussian(one.clone(), 0 * one), 100, seeded(0))
    draws = q.sample(seeded(0), 50)
    yield estimators.kl_from_samples(q.log_density(draws), Gaussian.standard(x).log_density(draws))
    logits = torch.tensor([0.5, 0.3, 0.2], device=device).log().expand(4, 3)
    yield estimators.gumbel_softmax(logits, 0.5, seeded(0))
    coin = exact.DiscreteModel(torch.tensor([0.3, 0.7], device=device), torch.tensor([[0.8, 0.2], [0.1, 0.9]], device=device))
    yield coin.log_evidence(0), coin.exact_posterior(0)
    sphere = VonMisesFisher(torch.nn.functional.normalize(torch.ones(4, 3, device=device), dim=-1), 5.0)
    yield sphere.sample(seeded(0)), sphere.kl_to_prior()
    yield distributions.discrete_kl(coin.exact_posterior(0), coin.exact_posterior(1))


# --- text -----------------------------------------------------------------------------------------------------------


def cure(name):
    def computed(device, folder):
        trained = train_vae(
            CURES[name], SENTENCES[:100], SIZE, sizes=SIZES, budget=BUDGET, device=device, validation=SENTENCES[100:]
        )
        yield trained.history
        # Not of the trained model: where a bias stands before a batch norm its gradient is rounding error alone, of which Adam
        # makes steps of full size.
        sizes = dataclasses.replace(SIZES, **CURES[name].sizes)
        fresh = seeded_module(0, lambda: TextVAE(SIZE, sizes, CURES[name].head())).to(device).eval()
        yield evaluation.likelihood(fresh, SENTENCES[:20], seeded(1), samples=4)

    return computed


def measured(device, folder):
    vae = train_vae(CURES["annealing"], SENTENCES[:100], SIZE, sizes=SIZES, budget=BUDGET, device=device).model
    q = evaluation.encode(vae, SENTENCES)
    yield q, evaluation.information(q, seeded(0)), evaluation.active_units(q.mean)
    yield evaluation.ablation(vae, SENTENCES[:40], seeded(0))
    yield evaluation.reconstruction(vae, SENTENCES[:10], VOCABULARY)
    yield evaluation.likelihood_from_some(vae, SENTENCES[:40], seeded(0), samples=4, some=10)
    z = q.mean[:4].to(device)
    yield decoding.greedy(vae.decoder, z, longest=8), decoding.sampled(vae.decoder, z, seeded(0), longest=8)
    yield decoding.sampled(vae.decoder, z, seeded(0), longest=8, temperature=0.8, nucleus=0.9)
    yield decoding.beam(vae.decoder, z, width=3, longest=8)
    yield summarization.written_from(vae.decoder, z)
    line = seeded_module(0, lambda: TextVAE(SIZE, dataclasses.replace(SIZES, latent=1))).to(device)
    yield evaluation.posterior_means(line, torch.tensor(SENTENCES[0], device=device)[None])
    table = torch.tensor([[len(s) % 3, s[1] % 2] for s in SENTENCES])
    yield factors.mutual_information(q.mean, table, bins=4)
    yield factors.probe(q.mean[:100], table[:100, 1], q.mean[100:], table[100:, 1])


def language_model(device, folder):
    model, history = train_language_model(SENTENCES, SIZE, sizes=SIZES, budget=BUDGET, device=device)
    yield history, evaluation.likelihood(model, SENTENCES[:20], seeded(0))
    yield decoding.greedy(model.decoder, None, count=2, longest=8)
    yield generation.reverse(WORDS[:40], SENTENCES[:20], VOCABULARY, budget=BUDGET, device=device)
    yield correction.surprisals(model, VOCABULARY, WORDS[:5])


def pairs_of_texts(device, folder):
    pairs = PairBatches(SENTENCES[:60], SENTENCES[60:120], 16, device)
    for kind in (SequenceToSequence, ConditionalTextVAE):
        for sizes in (SIZES, dataclasses.replace(SIZES, encoder="lstm")):
            model = seeded_module(0, lambda kind=kind, sizes=sizes: kind(SIZE, SIZE, sizes)).to(device)
            yield fitted(model, pairs, device), evaluation.likelihood(model, pairs, seeded(0), samples=3)
            yield written_by(model, device)
    for kind in (ParallelTranslator, ParallelTextVAE):
        model = seeded_module(0, lambda kind=kind: kind(SIZE, SIZE, SIZES, 20)).to(device)
        yield fitted(model, pairs, device)
        yield written_by(model, device)


def fitted(model, pairs, device):
    has_z = isinstance(model, ConditionalTextVAE)
    return fit(NegativeElbo(model, linear_annealing(4)).to(device) if has_z else model, pairs, BUDGET, seed=0)


@torch.no_grad()
def written_by(model, device):
    source = torch.tensor([SENTENCES[0], SENTENCES[0]], device=device)
    z = model.prior(source).sample(seeded(1)) if isinstance(model, ConditionalTextVAE) else None
    return decoding.greedy(model.writer(source), z, None if z is not None else 2, longest=8)


def one_latent_for_two_languages(device, folder):
    rows = SentenceBatches(SENTENCES[:60], 16, device), PairBatches(SENTENCES[:60], SENTENCES[60:120], 16, device)
    kinds = [(("a",), rows[0]), (("a", "b"), rows[1])]
    model, history = shared_latent.train_shared(kinds, {"a": SIZE, "b": SIZE}, SIZES, 4, device=device)
    yield history, model.translate(SENTENCES[:3], "a", "b", longest=8)


def correctors(device, folder):
    pairs = correction.Encoded.of(WORDS[:60], WORDS[60:120])
    for kind in (correction.DenoisingVAE, SequenceToSequence):
        model, _ = correction.trained(kind, pairs, BUDGET, SIZES, 0, device)
        yield correction.corrections(model, pairs, WORDS[:4])


COMPUTED = {
    "images": image_models,
    "GAN": adversaries,
    "estimators and exact models": estimates,
    "evaluation and writing": measured,
    "language model": language_model,
    "pairs of texts": pairs_of_texts,
    "one latent, two languages": one_latent_for_two_languages,
    "correctors": correctors,
    **{f"cure: {name}": cure(name) for name in CURES},
}


@pytest.mark.parametrize("name", COMPUTED)
def test_the_device_computes_what_the_cpu_computes(name, place, tmp_path):
    rel = 1e-4 if place.type == "sim" else 0.05
    for on_cpu, there in zip(COMPUTED[name](torch.device("cpu"), tmp_path), COMPUTED[name](place, tmp_path), strict=True):
        assert_same(plain(on_cpu), plain(there), rel)


def test_answers_are_judged_there(place, monkeypatch):
    """Exercises that lessons use are tried on the device of the lesson, where ours are right."""
    for module in ("core", "attempts"):
        monkeypatch.setattr(f"vae_course.exercises.{module}.find_device", lambda: place)
    for exercise in catalogue.all_exercises().values():
        assert exercise.grade(exercise.reference).status.name == "CORRECT", exercise.name
