import copy
import math
import re
from dataclasses import replace

import pytest
import torch

from vae_course.probability.estimators import Estimate
from vae_course.text import cures
from vae_course.text.batches import PairBatches, SentenceBatches
from vae_course.text.conditional import SequenceToSequence
from vae_course.text.cures import CURES, WITH_OTHER_ENCODERS, Budget, Cure, train_language_model, train_vae
from vae_course.text.evaluation import encode, information, likelihood
from vae_course.text.models import TextSizes
from vae_course.text.objectives import AggressiveEncoder, NegativeElbo
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import History, seeded, seeded_module
from vae_course.world.languages import WORLD

SIZES = TextSizes(embedding=8, hidden=12, latent=3)
BUDGET = Budget(steps=12, batch_size=8, learning_rate=1e-2, checks=3)


@pytest.fixture(scope="module")
def corpus():
    sentences = WORLD.english.sample(120, seeded(5))
    vocabulary = Vocabulary.build(sentences)
    return [vocabulary.encode(sentence) for sentence in sentences], len(vocabulary)


def trained(cure, corpus, **options):
    sentences, size = corpus
    return train_vae(cure, sentences[:100], size, sizes=SIZES, validation=sentences[100:], **({"budget": BUDGET} | options))


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_names_are_unique_and_papers_are_years_or_called_variations():
    assert not set(CURES) & set(WITH_OTHER_ENCODERS)
    for name, cure in (CURES | WITH_OTHER_ENCODERS).items():
        assert cure.name == name
        assert re.search(r" 20\d\d", cure.paper), name


def test_each_factor_is_there_with_annealing_and_without_under_both_encoders(corpus):
    assert len(cures.FACTORIAL) == len(set(cures.FACTORIAL)) == 12
    for plain, annealed in zip(cures.FACTORIAL[::2], cures.FACTORIAL[1::2], strict=True):
        for suffix in ("", ", last-state encoder"):
            one, other = ((CURES | WITH_OTHER_ENCODERS)[name + suffix] for name in (plain, annealed))
            assert one.sizes == other.sizes
            assert one.sizes.get("encoder", "convolution") == ("lstm" if suffix else "convolution")
            weights_seen = [trained(cure, corpus).history["kl_weight"] for cure in (one, other)]
            assert weights_seen[0] == [1.0] * 3
            assert weights_seen[1][0] < weights_seen[1][1] <= weights_seen[1][2] == 1.0
    assert trained(WITH_OTHER_ENCODERS["plain, pooled LSTM"], corpus).model.sizes.encoder == "pooled lstm"


@pytest.mark.parametrize("name", CURES)
def test_every_cure_trains_reports_and_repeats_itself(corpus, name):
    one, other = trained(CURES[name], corpus), trained(CURES[name], corpus)
    assert torch.equal(weights(one.model), weights(other.model))
    assert all(torch.isfinite(torch.tensor(values)).all() for values in one.history.metrics.values())
    assert {"loss", "rate"} <= set(one.history.metrics)
    assert one.seconds > 0
    assert not torch.equal(weights(one.model), weights(trained(CURES[name], corpus, seed=1).model))


@pytest.mark.parametrize("name", ["annealing", "batch-normalized means", "pretraining + free bits", "lagging inference"])
def test_a_stopped_training_goes_on_to_the_same_weights(corpus, name, tmp_path):
    def stop(model, history):
        if history.epochs == 2:
            raise KeyboardInterrupt

    whole = trained(CURES[name], corpus)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        trained(CURES[name], corpus, checkpoint=path, after_check=stop)
    resumed = trained(CURES[name], corpus, checkpoint=path)
    assert resumed.history.steps == whole.history.steps
    assert torch.equal(weights(resumed.model), weights(whole.model))
    assert len(resumed.history["cpu_seconds"]) == BUDGET.checks


def test_pretraining_keeps_the_encoder_and_renews_the_decoder(corpus, monkeypatch):
    seen = []

    def objective(model, batches, budget):
        seen.append((copy.deepcopy(model), budget))
        return NegativeElbo(model)

    with_pretraining = Cure("test", "", objective, pretraining=0.5)
    trained(with_pretraining, corpus)
    model, budget = seen[0]
    assert budget.steps == BUDGET.steps // 2
    fresh = seeded_module(0, lambda: cures.TextVAE(corpus[1], SIZES))
    assert not torch.equal(weights(model.encoder), weights(fresh.encoder))  # trained as an autoencoder
    decoder = seeded_module(1, lambda: cures.TextVAE(corpus[1], SIZES).decoder)
    assert weights(model.decoder).std() == pytest.approx(float(weights(decoder).std()), rel=0.1)  # new: not yet trained
    changed = [
        name for name, p in model.decoder.named_parameters() if torch.equal(p, dict(fresh.decoder.named_parameters())[name])
    ]
    assert not changed  # and not the weights of the beginning either


def test_pretraining_is_an_autoencoder(corpus):
    """With all steps spent before the objective begins, the loss that fell is the distortion: the KL weight is 0."""
    rates = []

    def objective(model, batches, budget):
        tokens = next(batches.epoch(seeded(0)))
        rates.append(float(model.posterior(tokens).kl_to_prior().mean().detach()))
        return NegativeElbo(model)

    long = replace(BUDGET, steps=200, learning_rate=2e-2)
    trained(Cure("test", "", objective, pretraining=0.9), corpus, budget=long)
    trained(Cure("test", "", objective, pretraining=0.005), corpus, budget=long)
    assert rates[0] > 3 * rates[1]


def test_aggression_ends_when_information_has_stopped_climbing(corpus, monkeypatch):
    values = iter([0.5, 0.3, 0.4, 2.0, 1.9, 1.8, 1.9, 5.0])
    said = type("Bounds", (), {"upper": property(lambda self: Estimate(next(values), 0.1))})
    monkeypatch.setattr(cures, "information_bounds", lambda q, generator: said())
    aggressive = []

    def watch(model, history):
        aggressive.append(bool(watched[0].aggressive))

    watched = []

    def objective(model, batches, budget):
        watched.append(AggressiveEncoder(model, batches, 1e-2, most=10))
        return watched[0]

    trained(Cure("test", "", objective), corpus, budget=replace(BUDGET, steps=8, checks=8), after_check=watch)
    # Two checks below 0.5 are no reason to stop, three below 2.0 are.
    assert aggressive == [True] * 6 + [False] * 2


def test_what_ends_the_aggression_has_no_cap(corpus):
    """Posteriors so far apart that the information among 20 sentences is ln 20, and the statistic goes on climbing."""
    model = trained(CURES["plain"], corpus).model
    checks = cures._Checks(AggressiveEncoder(model, [], 1e-2), corpus[0][100:], None)
    history = History()
    with torch.no_grad():
        for scale in (30.0, 2.0, 2.0):
            model.head.linear.weight.mul_(scale)
            checks(history)
    climbed = history["information_at_most"]
    assert math.log(20) < climbed[0] < climbed[1] < climbed[2]
    assert information(encode(model, corpus[0][100:]), seeded(0)).mutual_information.value == pytest.approx(
        math.log(20), abs=0.3
    )


def test_lagging_inference_asks_for_validation_sentences(corpus):
    with pytest.raises(ValueError, match="validation"):
        train_vae(CURES["lagging inference"], corpus[0], corpus[1], sizes=SIZES, budget=BUDGET)


def test_changes_of_a_cure_reach_the_model_and_the_objective(corpus):
    assert trained(CURES["word dropout + annealing"], corpus).model.sizes.word_dropout == 0.4
    assert trained(CURES["skip connections + annealing"], corpus).model.decoder.output.skip is not None
    weights_seen = trained(CURES["annealing"], corpus).history["kl_weight"]
    assert weights_seen[0] < weights_seen[1] <= weights_seen[2] == 1.0  # up to half of the steps
    half = trained(CURES["KL weight 0.5"], corpus).history
    assert half["loss"] == pytest.approx([d + 0.5 * r for d, r in zip(half["distortion"], half["rate"], strict=True)])
    cyclical = trained(CURES["cyclical annealing"], corpus, budget=replace(BUDGET, steps=100, checks=20)).history["kl_weight"]
    assert [w < 0.5 for w in cyclical[::4]] == [True] * 4 + [False]  # four cycles of 20 steps begin at 0, then it stays at 1
    assert cyclical[16:] == [1.0] * 4


def test_the_language_model_is_the_same_decoder_trained_alike(corpus):
    _, history = train_language_model(corpus[0], corpus[1], sizes=SIZES, budget=replace(BUDGET, steps=60))
    assert history.steps == 60
    assert history["loss"][-1] < history["loss"][0]
    assert sum(history["cpu_seconds"]) > 0


# --- budgets ------------------------------------------------------------------------------------------------------------


def test_a_kl_weight_rises_over_a_share_of_the_steps_and_within_a_pass_of_ones_own_text():
    assert Budget(600).rise(0.5) == 300
    assert Budget(1).rise(0.2) == 1
    own = Budget(600, batch_size=32).fitted(1620)
    assert own.rise(0.5) == 51  # 1,620 sentences are 51 batches
    assert own.rise(0.05) == 30


@pytest.mark.parametrize(("sentences", "checks"), [(54, 300), (1620, 32), (100_000, 32), (3 * 32, 200), (10, 600)])
def test_held_out_text_is_asked_after_each_pass_and_32_times_at_least(sentences, checks):
    assert Budget(600, batch_size=32).fitted(sentences) == Budget(600, 32, checks=checks, longest_rise=-(-sentences // 32))


def test_no_more_checks_than_steps():
    assert Budget(20, batch_size=32).fitted(1620).checks == 20


def test_annealing_on_ones_own_text_ends_with_the_first_pass(corpus):
    budget = replace(LONG, checks=10).fitted(40)  # 5 batches a pass
    history = trained(CURES["annealing"], corpus, budget=budget, early_stopping=corpus[0][100:]).history
    assert history["kl_weight"][0] < 1
    assert set(history["kl_weight"][1:]) == {1.0}
    assert history.steps < LONG.steps


# --- early stopping ---------------------------------------------------------------------------------------------------

LONG = replace(BUDGET, steps=600, checks=30, learning_rate=2e-2)


def held_out_cost(model, corpus):
    measured = likelihood(model, corpus[0][100:], seeded(0), samples=1)
    return (measured.nats_per_sentence if measured.rate is None else measured.negative_elbo).value


def test_a_language_model_of_a_small_text_stops_at_its_best(corpus):
    sentences, size = corpus
    run = {"sizes": SIZES, "budget": LONG, "early_stopping": sentences[100:]}
    model, history = train_language_model(sentences[:40], size, **run)
    to_the_end, _ = train_language_model(sentences[:40], size, **{**run, "early_stopping": ()})
    assert history.steps < LONG.steps
    assert len(history["validation"]) == history.epochs
    assert held_out_cost(model, corpus) == pytest.approx(min(history["validation"]))
    assert held_out_cost(model, corpus) < held_out_cost(to_the_end, corpus) - 1


def test_a_vae_is_held_to_its_elbo_once_its_kl_weight_has_risen(corpus):
    found = trained(CURES["annealing"], corpus, budget=LONG, early_stopping=corpus[0][100:])
    weight, validation = found.history["kl_weight"], found.history["validation"]
    risen = next(k for k, value in enumerate(weight) if value == 1.0)
    assert risen == 15
    assert held_out_cost(found.model, corpus) == pytest.approx(min(validation[risen:]))


@pytest.mark.parametrize(
    ("name", "warmup"),
    # Of 600 steps in 30 parts annealing takes 300; the last of four cycles of 120 steps has risen after half of it, at 420.
    [("plain", 0), ("annealing", 15), ("cyclical annealing", 21), ("lagging inference", 0), ("Wasserstein, weight 100", 0)],
)
def test_parts_in_which_the_kl_weight_moves_are_not_counted(corpus, name, warmup):
    model = seeded_module(0, lambda: cures.TextVAE(corpus[1], SIZES))
    batches = SentenceBatches(corpus[0][:40], 8)
    assert cures._warmup(CURES[name].objective(model, batches, LONG), LONG) == warmup


def test_a_stopped_run_of_a_cure_goes_on_to_the_same_step(corpus, tmp_path):
    def interrupt(model, history):
        if history.epochs == 4:
            raise KeyboardInterrupt

    options = {"budget": LONG, "early_stopping": corpus[0][100:]}
    whole = trained(CURES["plain"], corpus, **options)
    with pytest.raises(KeyboardInterrupt):
        trained(CURES["plain"], corpus, checkpoint=tmp_path / "run", after_check=interrupt, **options)
    resumed = trained(CURES["plain"], corpus, checkpoint=tmp_path / "run", **options)
    assert resumed.history.steps == whole.history.steps < LONG.steps
    assert torch.equal(weights(resumed.model), weights(whole.model))


def test_pairs_stop_too(corpus):
    sentences, size = corpus
    some, others = PairBatches(sentences[:20], sentences[20:40], 8), PairBatches(sentences[100:110], sentences[110:120], 8)
    model = seeded_module(0, lambda: SequenceToSequence(size, size, SIZES))
    history = cures.fit(model, some, LONG, seed=0, early_stopping=others)
    assert history.steps < LONG.steps
    assert likelihood(model, others, seeded(0)).nats_per_sentence.value == pytest.approx(min(history["validation"]))
