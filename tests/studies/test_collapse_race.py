"""The study of encoder against decoder: its trainings, who steps in which, and that a stopped run goes on from what is kept."""

import json

import pytest
import torch

from vae_course.studies import collapse_race, store


def test_it_measures_each_training_and_keeps_what_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(collapse_race, "SEEDS", (1,))
    monkeypatch.setattr(collapse_race, "TEST", 40)
    monkeypatch.setattr(collapse_race, "LOOKS", 5)
    document = json.loads(collapse_race.measure(scratch=tmp_path, steps=10).read_text())
    rows = {row["name"]: row for row in document["rows"]}
    assert list(rows) == list(collapse_race.TRAININGS)
    for row in rows.values():
        assert len(row["correlation"]) == len(row["spread_of_the_model"]) == len(row["spread_of_the_encoder"]) == 6
        assert row["correlation"][0] == rows["plain"]["correlation"][0]  # all begin from the same weights
    both = ("aggressive", "aggressive at first")
    assert rows[both[0]]["correlation"][1] == rows[both[1]]["correlation"][1]  # after two steps of ten, the first fifth
    assert rows[both[0]]["correlation"][2] != rows[both[1]]["correlation"][2]

    def stop(*_):
        raise AssertionError("this part was finished")

    monkeypatch.setattr(collapse_race, "_trained", stop)
    assert json.loads(collapse_race.measure(scratch=tmp_path, steps=10).read_text())["rows"] == document["rows"]


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
