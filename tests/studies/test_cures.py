import itertools
from dataclasses import replace

import pytest
import torch

from vae_course.studies import cures, store, tables
from vae_course.studies.cures import STUDIES, Study, measure
from vae_course.studies.store import LANGUAGE_MODEL, stored
from vae_course.text import corpora
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes

TINY = Study(
    "world",
    (LANGUAGE_MODEL, "free bits + annealing"),
    TextSizes(embedding=8, hidden=16, latent=3),
    Budget(steps=20, batch_size=16, learning_rate=1e-2, checks=2),
    seeds=(0, 1),
    samples=3,
)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A study of the generated corpus, cut to a few sentences, whose results go to a folder of its own."""
    whole = corpora.load("world")
    cut = replace(whole, train=whole.train[:200], validation=whole.validation[:20], test=whole.test[:30])
    monkeypatch.setattr(cures, "load", lambda name, **options: cut)
    monkeypatch.setitem(STUDIES, "tiny", TINY)
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
    (tmp_path / "results").mkdir()
    return tmp_path


def test_a_study_measures_every_model_under_every_seed_and_says_how(small):
    path = measure("tiny", scratch=small / "scratch")
    document = stored("tiny")
    assert path == small / "results" / "tiny.json"
    assert [(row["name"], row["seed"]) for row in document["rows"]] == [(n, s) for s in TINY.seeds for n in TINY.names]
    assert document["command"] == "vae-course measure tiny"
    assert document["budget"]["steps"] == 20
    assert document["sizes"]["latent"] == 3
    assert document["versions"]["torch"] == torch.__version__
    assert document["entropy"] == pytest.approx(14.684357)
    vae = document["rows"][1]
    assert vae["rate"] + vae["distortion"] == pytest.approx(vae["negative_elbo"], rel=1e-5)
    assert vae["samples"] == 3
    assert vae["sentences"] == 30
    assert set(vae["facts_kept"]) == {"person", "mood", "action", "thing", "colour", "place", "time"}
    language_model = document["rows"][0]
    assert language_model["perplexity"] == pytest.approx(
        torch.tensor(language_model["nll"] * 30 / language_model["tokens"]).exp().item(), rel=1e-4
    )
    assert language_model["nll"] - language_model["nats_above_truth"] == pytest.approx(vae["nll"] - vae["nats_above_truth"])


def test_a_large_test_set_may_be_weighted_in_part(small, monkeypatch):
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, seeds=(0,), weighted=10))
    measure("tiny", scratch=small / "scratch")
    language_model, vae = stored("tiny")["rows"]
    assert (language_model["weighted_sentences"], language_model["sentences"]) == (30, 30)  # exact for all
    assert (vae["weighted_sentences"], vae["sentences"], vae["samples"]) == (10, 30, 3)
    assert vae["nll"] != vae["negative_elbo"]
    told = tables.our_table("tiny")
    assert "3 importance samples for 10 of the 30 test sentences" in told
    assert "free bits + annealing" in told


def test_of_text_without_a_grammar_the_variety_is_measured(small, monkeypatch):
    known = cures.load("world")
    monkeypatch.setattr(cures, "load", lambda name, **options: replace(known, language=None))
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, seeds=(0,)))
    measure("tiny", scratch=small / "scratch")
    bigrams = [pair for sentence in known.test for pair in itertools.pairwise(sentence)]
    for row in stored("tiny")["rows"]:
        assert "nats_above_truth" not in row
        assert row["written"] == 30
        assert row["distinct_2_real"] == pytest.approx(len(set(bigrams)) / len(bigrams))
        assert 0 < row["distinct_2"] <= 1
        assert 0 <= row["self_bleu"] <= 100
        assert row["share_new"] == 1  # after so few steps no real sentence is hit
    language_model, vae = stored("tiny")["rows"]
    assert language_model["greedy_different"] == pytest.approx(1 / 30)  # no chance, one sentence
    assert 1 / 30 <= vae["greedy_different"] <= 1


def test_tang_reads_characters_and_leaves_out_the_rare(small, monkeypatch):
    asked = {}
    known = cures.load("world")
    monkeypatch.setattr(cures, "load", lambda name, **options: asked.update(name=name, **options) or known)
    tiny = replace(STUDIES["tang"], names=(LANGUAGE_MODEL,), sizes=TINY.sizes, budget=TINY.budget)
    monkeypatch.setitem(STUDIES, "tang", tiny)
    measure("tang", scratch=small / "scratch", folder=small)
    assert asked == {"name": "tang_quatrains", "tokens": "character", "min_count": 2, "folder": small}
    assert (stored("tang")["tokens"], stored("tang")["min_count"]) == ("character", 2)


def test_finished_models_are_not_trained_again(small, monkeypatch):
    measure("tiny", scratch=small / "scratch")
    before = stored("tiny")["rows"]
    monkeypatch.setattr(cures, "_measure_one", None)
    measure("tiny", scratch=small / "scratch")
    assert stored("tiny")["rows"] == before


def test_other_steps_are_another_run(small):
    measure("tiny", scratch=small / "scratch", steps=10)
    document = stored("tiny")
    assert document["budget"]["steps"] == 10
    assert document["command"] == "vae-course measure tiny --steps 10"
    assert len(list((small / "scratch").glob("tiny-10-*.json"))) == 4


def test_what_is_not_there_is_told(small):
    with pytest.raises(ValueError, match="no study 'huge'; there are cures_world"):
        measure("huge", scratch=small)
    with pytest.raises(FileNotFoundError, match="vae-course measure tiny"):
        stored("tiny")


def test_the_command_runs_a_study(small, monkeypatch):
    from typer.testing import CliRunner

    from vae_course.course.cli import app

    result = CliRunner().invoke(app, ["measure", "tiny", "--device", "cpu", "--steps", "100", "--scratch", str(small / "s")])
    assert result.exit_code == 0, result.output
    assert stored("tiny")["budget"]["steps"] == 100
    failed = CliRunner().invoke(app, ["measure", "huge", "--device", "cpu"])
    assert failed.exit_code == 2
    assert "no study 'huge'" in failed.output
