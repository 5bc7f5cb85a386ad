"""The study of collapse: its three kinds of rows, and that a stopped run goes on from what is kept."""

import json

import pytest

from vae_course.studies import collapse, store


def test_it_measures_three_kinds_of_rows_and_keeps_what_is_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(collapse, "SEEDS", (0,))
    monkeypatch.setattr(collapse, "DECODERS", {"2": collapse.DECODERS["2"]})
    monkeypatch.setattr(collapse, "WEIGHTED", 10)
    document = json.loads(collapse.measure(scratch=tmp_path, steps=12).read_text())
    rows = {row["kind"]: row for row in document["rows"]}
    assert set(rows) == {"decoder", "optimizer", "continued"}
    assert rows["continued"]["before"] == {
        key: row[key]
        for row in document["rows"]
        if row.get("learning_rate") == max(collapse.RATES)
        for key in ("rate", "negative_elbo")
    }
    assert rows["continued"]["negative_elbo"] < rows["continued"]["before"]["negative_elbo"]
    decoder = rows["decoder"]
    difference = decoder["language_model_above_truth"] - decoder["vae_above_truth"]
    assert decoder["saved_by_z"] == pytest.approx(difference, abs=1e-9)

    def stop(*_):
        raise AssertionError("this part was finished")

    for part in ("_decoder", "_optimizer", "_continued"):
        monkeypatch.setattr(collapse, part, stop)
    assert json.loads(collapse.measure(scratch=tmp_path, steps=12).read_text())["rows"] == document["rows"]


def test_what_is_stored_has_every_seed_of_every_kind():
    rows = store.stored(collapse.NAME)["rows"]
    kinds = [row["kind"] for row in rows]
    assert kinds.count("decoder") == len(collapse.SEEDS) * len(collapse.DECODERS)
    assert kinds.count("optimizer") == len(collapse.SEEDS) * len(collapse.RATES) * len(collapse.LENGTHS)
    assert kinds.count("continued") == len(collapse.SEEDS)
