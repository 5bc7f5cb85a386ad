"""The study of encoder against decoder: its trainings, who steps in which, and that a stopped run goes on from what is kept."""

import json

import pytest
import torch

from vae_course.studies import collapse_race, store
from vae_course.studies.collapse_race import LANGUAGE_MODEL, TRAININGS, Training
from vae_course.text.batches import SentenceBatches
from vae_course.text.models import LanguageModel, TextSizes, TextVAE
from vae_course.training import seeded_module


def test_it_measures_each_training_and_keeps_what_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(collapse_race, "SEEDS", (1, 2))
    monkeypatch.setattr(collapse_race, "TEST", 40)
    monkeypatch.setattr(collapse_race, "LOOKS", 5)
    monkeypatch.setattr(collapse_race, "SAMPLES", 2)
    document = json.loads(collapse_race.measure(scratch=tmp_path, steps=10).read_text())
    rows = {(row["seed"], row["name"]): row for row in document["rows"]}
    assert list(rows) == [(seed, name) for seed in (1, 2) for name in (LANGUAGE_MODEL, *TRAININGS)]
    with_z = {name: rows[1, name] for name in TRAININGS}
    for row in with_z.values():
        assert len(row["correlation"]) == len(row["spread_of_the_model"]) == len(row["spread_of_the_encoder"]) == 6
        assert row["correlation"][0] == with_z["plain"]["correlation"][0]  # all begin from the same weights
        value, error = row["nll_minus"][LANGUAGE_MODEL]
        assert value == pytest.approx(row["nll"] - rows[1, LANGUAGE_MODEL]["nll"])
        assert error > 0
    both = ("aggressive", "aggressive at first")
    assert with_z[both[0]]["correlation"][1] == with_z[both[1]]["correlation"][1]  # after two steps of ten, the first fifth
    assert with_z[both[0]]["correlation"][2] != with_z[both[1]]["correlation"][2]
    assert with_z["plain"]["nll_minus"]["plain"] == [0, 0]
    assert rows[1, LANGUAGE_MODEL]["nll"] == rows[1, LANGUAGE_MODEL]["negative_elbo"]

    own, other = document["orders"]  # the same weights, other batches and noise
    assert [(row["seed"], row["order"], row["name"]) for row in (own, other)] == [(1, 1, "plain"), (1, 2, "plain")]
    assert own["rate"] == with_z["plain"]["rate"]
    assert own["correlation"][0] == other["correlation"][0]
    assert own["rate"] != other["rate"]

    def stop(*_):
        raise AssertionError("this part was finished")

    monkeypatch.setattr(collapse_race, "_trained", stop)
    assert json.loads(collapse_race.measure(scratch=tmp_path, steps=10).read_text())["rows"] == document["rows"]


def sentences():
    return [[1, *range(4, 4 + length), 2] for length in (1, 2, 3, 4, 5)] * 4


def test_all_decoders_of_a_seed_see_the_same_batches_with_the_same_noise(monkeypatch):
    """Whatever the encoder does on its own; and those of another order see others."""
    sizes, batches = TextSizes(embedding=3, hidden=4, latent=1, context=2), SentenceBatches(sentences(), 5)
    seen = {}

    class Watched(collapse_race.NegativeElbo):
        def loss(self, tokens, generator):
            drawn.append((tokens.tolist(), generator.get_state().tolist()))
            return super().loss(tokens, generator)

    monkeypatch.setattr(collapse_race, "NegativeElbo", Watched)
    runs = {"plain": (Training(), 0), "aggressive": (Training(ahead=1.0), 0), "other order": (Training(), 1)}
    for name, (training, order) in runs.items():
        drawn = []
        model = seeded_module(0, lambda: TextVAE(10, sizes))
        collapse_race._race(model, batches, batches._packed.batch(torch.arange(3)), training, 4, order)
        every = collapse_race.INNER + 1 if training.ahead else 1
        assert len(drawn) == 4 * every
        seen[name] = drawn[every - 1 :: every]
    assert seen["plain"] == seen["aggressive"]
    assert seen["plain"] != seen["other order"]

    alone, read = seeded_module(0, lambda: LanguageModel(10, sizes)), []
    monkeypatch.setattr(
        alone, "log_likelihood", lambda tokens: read.append(tokens) or LanguageModel.log_likelihood(alone, tokens)
    )
    collapse_race._train_alone(alone, batches, 4, 0)
    assert [tokens.tolist() for tokens in read] == [tokens for tokens, _ in seen["plain"]]


def test_a_slow_encoder_moves_less():
    sizes, batches = TextSizes(embedding=3, hidden=4, latent=1, context=2), SentenceBatches(sentences(), 5)
    moved = []
    for speed in (1.0, 0.2):
        model = seeded_module(0, lambda: TextVAE(10, sizes))
        before = torch.nn.utils.parameters_to_vector(model.encoder.parameters()).detach()
        collapse_race._race(model, batches, batches._packed.batch(torch.arange(3)), Training(speed=speed), 1, 0)
        after = torch.nn.utils.parameters_to_vector(model.encoder.parameters()).detach()
        moved.append(float((after - before).norm()))
    assert moved[1] / moved[0] == pytest.approx(0.2, rel=1e-3)


def test_a_step_moves_the_weights_of_its_optimizers_alone():
    encoder, decoder = torch.nn.Linear(2, 1), torch.nn.Linear(1, 2)
    optimizers = [torch.optim.SGD(part.parameters(), lr=0.1) for part in (encoder, decoder)]
    before = [encoder.weight.clone(), decoder.weight.clone()]
    collapse_race._step(decoder(encoder(torch.ones(3, 2))).square().sum(), optimizers[0])
    assert not torch.equal(encoder.weight, before[0])
    assert torch.equal(decoder.weight, before[1])
    assert decoder.weight.grad is None


@pytest.mark.parametrize("name", collapse_race.TRAININGS)
def test_what_is_stored_has_every_seed_of_every_training(name):
    rows = store.stored(collapse_race.NAME)["rows"]
    assert [row["seed"] for row in rows if row["name"] == name] == list(collapse_race.SEEDS)
