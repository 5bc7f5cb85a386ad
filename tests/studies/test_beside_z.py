"""The study of z beside the words: a tiny run, and what its figures mean."""

import json

import pytest

from vae_course.studies import beside_z, store
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes


def test_a_tiny_run_is_stored_and_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(beside_z, "SIZES", TextSizes(embedding=4, hidden=8, latent=3, z_to="steps"))
    monkeypatch.setattr(beside_z, "BUDGET", Budget(4, 8, 1e-2, checks=2))
    monkeypatch.setattr(beside_z, "SENTENCES", 20)
    monkeypatch.setattr(beside_z, "SAMPLES", 3)
    monkeypatch.setattr(beside_z, "PAIRS", [(2, 4, 0), (None, 4, 1)])
    kept = tmp_path / "kept"
    kept.mkdir()
    first, second = (json.loads(beside_z.measure(scratch=kept).read_text(encoding="utf-8")) for _ in range(2))
    assert first["rows"] == second["rows"]
    assert len(list(kept.iterdir())) == 2
    assert [(row["context"], row["steps"], row["seed"]) for row in first["rows"]] == [(2, 4, 0), (None, 4, 1)]
    for row in first["rows"]:
        for way in ("annealing", "plain"):
            # Paired by sentence, so the means agree: what z saves is the distance without it less the one with it.
            assert row["without_z"] - row[way]["with_z"] == pytest.approx(row[way]["z_saves"], abs=1e-4)
            assert row[way]["negative_elbo"] > 0
            assert row[way]["rate"] >= 0
