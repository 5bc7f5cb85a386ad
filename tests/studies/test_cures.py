import errno
import itertools
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from typer.testing import CliRunner

from vae_course.course.cli import app
from vae_course.studies import catalogue, cures, store, tables
from vae_course.studies.cures import STUDIES, Study, measure
from vae_course.studies.store import LANGUAGE_MODEL, stored
from vae_course.text import corpora
from vae_course.text.cures import CURES, WITH_OTHER_ENCODERS, Budget
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
    monkeypatch.setitem(catalogue.FAMILIES, "cures", (*catalogue.FAMILIES["cures"], "tiny"))
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
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


def test_two_processes_measure_what_one_does_and_go_on_where_they_were(small, monkeypatch):
    one = json.loads(measure("tiny", scratch=small / "one").read_text())
    killed = small / "two"
    shutil.copytree(small / "one", killed)
    for kept in list(killed.glob("*.json"))[1:]:  # all but one row are not yet made
        kept.unlink()
    for checkpoint in killed.glob("*.checkpoint*"):
        checkpoint.unlink()
    two = json.loads(measure("tiny", scratch=killed, processes=2).read_text())
    for mine, theirs in zip(two["rows"], one["rows"], strict=True):
        for row in (mine, theirs):
            row.pop("cpu_seconds_of_training")
            row["history"].pop("cpu_seconds")
        assert mine == theirs
    assert len(list(killed.glob("*.json"))) == len(TINY.parts())


def test_models_may_have_seeds_of_their_own(small, monkeypatch):
    one = replace(TINY, names=("a", "b"), seeds=(0, 1), own_seeds={"a": (0, 1, 2), "b": (1,)})
    assert one.parts() == [(0, "a"), (1, "a"), (1, "b"), (2, "a")]
    world = STUDIES["cures_world"]
    assert len(set(world.names)) == len(world.names) == 1 + len(CURES) + len(WITH_OTHER_ENCODERS)
    assert set(world.own_seeds) <= set(world.names)
    for name in world.names:
        assert len([1 for _, other in world.parts() if other == name]) == (5 if name in (LANGUAGE_MODEL, "plain") else 3)
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, names=(LANGUAGE_MODEL,), seeds=(0,), own_seeds={LANGUAGE_MODEL: (3,)}))
    measure("tiny", scratch=small / "scratch")
    assert [row["seed"] for row in stored("tiny")["rows"]] == [3]


def test_differences_are_paired_over_the_same_sentences(small, monkeypatch):
    """Against what lies in scratch: the NLL of each sentence."""
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, own_seeds={LANGUAGE_MODEL: (0, 1, 2)}))
    measure("tiny", scratch=small / "scratch")
    document = stored("tiny")
    assert all("nll_of_each" not in row for row in document["rows"])
    kept = {}
    for path in (small / "scratch").glob("tiny-20-*.json"):
        figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
        kept.setdefault(figures["name"], {})[figures["seed"]] = np.array(figures["nll_of_each"])
    cured, alone = kept["free bits + annealing"], kept[LANGUAGE_MODEL]
    assert (len(cured), len(alone)) == (2, 3)
    expected = scipy.stats.ttest_rel(sum(cured.values()) / 2, sum(alone.values()) / 3)
    for name, other, sign in (("free bits + annealing", LANGUAGE_MODEL, 1), (LANGUAGE_MODEL, "free bits + annealing", -1)):
        found = tables.difference(document, name, other)
        assert found.value / found.over_sentences == pytest.approx(sign * expected.statistic, rel=1e-3)
        of_seeds = [[row["nll"] for row in document["rows"] if row["name"] == one] for one in (name, other)]
        assert found.value == pytest.approx(np.mean(of_seeds[0]) - np.mean(of_seeds[1]))
        # Welch's standard error
        welch = scipy.stats.ttest_ind(*of_seeds, equal_var=False)
        assert found.value / found.over_seeds == pytest.approx(welch.statistic)
    alone_with_itself = tables.difference(document, LANGUAGE_MODEL, LANGUAGE_MODEL)
    assert (alone_with_itself.value, alone_with_itself.over_sentences) == (0, 0)
    with pytest.raises(ValueError, match="no NLL of 'huge' to be paired; there are those of language model, free bits"):
        tables.difference(document, "huge", LANGUAGE_MODEL)


def test_a_row_says_what_its_information_is_worth(small, monkeypatch):
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, seeds=(0,), others=50))
    measure("tiny", scratch=small / "scratch")
    language_model, vae = stored("tiny")["rows"]
    assert "information_at_least" not in language_model
    assert vae["information_among"] == 30 + 50
    noise = 4 * vae["information_standard_error"]
    assert vae["information_at_least"] - noise < vae["information_at_most"] <= vae["rate"] + 1e-6
    # Of thirty posteriors whose aggregate is the prior: what the estimators say adds up to a rate, within their noise.
    said = vae["mutual_information_without_mismatch"] + vae["aggregate_kl_without_mismatch"]
    assert said == pytest.approx(vae["rate"], abs=1.5)
    assert 1 <= vae["effective_sample_size"] <= 3
    assert 0 <= vae["share_with_few_effective_samples"] <= 1
    assert vae["proposal"] == "encoder"


def test_where_the_encoder_fails_as_a_proposal_the_prior_defends_it(small, monkeypatch):
    """An encoder made too narrow: its row says so, and its bound is a better one."""
    train = cures.train_vae

    def narrow(*arguments, **options):
        trained = train(*arguments, **options)
        with torch.no_grad():
            trained.model.head.linear.bias[3:] -= 14.0
        return trained

    tiny = replace(TINY, names=("free bits + annealing",), seeds=(0,), samples=20, defended=30)
    monkeypatch.setitem(STUDIES, "tiny", tiny)
    measure("tiny", scratch=small / "right")
    (right,) = stored("tiny")["rows"]
    monkeypatch.setattr(cures, "train_vae", narrow)
    measure("tiny", scratch=small / "narrow")
    (failing,) = stored("tiny")["rows"]
    assert (right["proposal"], right["samples"], "nll_by_encoder" in right) == ("encoder", 20, False)
    assert right["lowered_by_defence"] < 0.05
    assert (failing["proposal"], failing["samples"]) == ("half encoder, half prior", 80)
    assert failing["proposal_fails"]
    assert failing["lowered_by_defence"] > 4 * failing["lowered_by_defence_standard_error"]
    assert failing["nll_by_encoder"] > failing["nll"] + 0.5
    assert failing["nll"] == pytest.approx(right["nll"], abs=0.1)  # the decoder is the same, so is what it models


def test_lagging_inference_says_how_long_it_was_aggressive(small, monkeypatch):
    tiny = replace(TINY, names=("lagging inference",), seeds=(0,), budget=replace(TINY.budget, checks=5))
    monkeypatch.setitem(STUDIES, "tiny", tiny)
    measure("tiny", scratch=small / "scratch")
    (row,) = stored("tiny")["rows"]
    assert row["aggressive_steps"] == 4 * len(row["history"]["information_at_most"])


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


def test_other_steps_are_another_run_whose_figures_are_no_results(small):
    measure("tiny", scratch=small / "scratch", steps=20)  # its own
    results = stored("tiny")
    assert results["command"] == "vae-course measure tiny"
    for steps in (10, 30):
        path = measure("tiny", scratch=small / "scratch", steps=steps)
        assert path == small / "scratch" / f"tiny_{steps}_steps.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        assert document["budget"]["steps"] == steps
        assert document["command"] == f"vae-course measure tiny --steps {steps}"
        assert len(list((small / "scratch").glob(f"tiny-{steps}-*.json"))) == 4
    assert stored("tiny") == results


# --- what lies in scratch ---------------------------------------------------------------------------------------------


def rows_kept(small):
    return sorted((small / "scratch").glob("tiny-20-*.json"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sizes": TextSizes(embedding=9, hidden=16, latent=3)}, "sizes.embedding was 8, is now 9"),
        ({"budget": replace(TINY.budget, learning_rate=0.02)}, "budget.learning_rate was 0.01, is now 0.02"),
        ({"budget": replace(TINY.budget, checks=4, batch_size=8)}, "budget.batch_size was 16, is now 8, budget.checks was 2"),
        ({"samples": 4}, "samples was 3, is now 4"),
        ({"weighted": 10}, "weighted was None, is now 10"),
    ],
)
def test_rows_of_other_settings_are_refused_with_what_differs(small, monkeypatch, change, told):
    measure("tiny", scratch=small / "scratch")
    results, rows = stored("tiny"), [path.read_bytes() for path in rows_kept(small)]
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, **change))
    with pytest.raises(ValueError, match=rf"tiny-20-language-model-0\.json: was made under other settings: {told}.*delete it"):
        measure("tiny", scratch=small / "scratch")
    assert stored("tiny") == results
    assert [path.read_bytes() for path in rows_kept(small)] == rows
    measure("tiny", scratch=small / "elsewhere")
    assert stored("tiny") != results


def test_rows_of_another_text_are_refused(small, monkeypatch):
    measure("tiny", scratch=small / "scratch")
    known = cures.load("world")
    other = replace(known, train=[*known.train[:-1], known.train[0]])  # as many sentences, one of them another
    monkeypatch.setattr(cures, "load", lambda name, **options: other)
    with pytest.raises(ValueError, match=r"was made under other settings: corpus\.text was \w+, is now \w+;"):
        measure("tiny", scratch=small / "scratch")


def test_rows_of_other_code_are_refused_and_comments_are_no_code(small, monkeypatch):
    """A copy of the package stands for what an editor makes of it."""
    copy = shutil.copytree(store.PACKAGE, small / "copy" / "vae_course", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(store, "PACKAGE", copy)
    measure("tiny", scratch=small / "scratch")
    source = copy / "text" / "cures.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('"""The yardstick', '"""What is held against') + "\n# a comment\n", encoding="utf-8")
    measure("tiny", scratch=small / "scratch")
    source.write_text(text.replace("free_bits(0.25)", "free_bits(0.5)"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"other settings: code\.vae_course\.text\.cures was \w+, is now \w+;"):
        measure("tiny", scratch=small / "scratch")


def test_rows_of_another_machine_are_refused_for_the_document_says_where_they_were_made(small, monkeypatch):
    measure("tiny", scratch=small / "scratch")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    with pytest.raises(ValueError, match=r"device was CPU, \d+ thread\(s\), is now CPU, 64 thread\(s\)"):
        measure("tiny", scratch=small / "scratch")


def test_further_models_and_seeds_are_added_to_what_is_finished(small, monkeypatch):
    measure("tiny", scratch=small / "scratch")
    before = stored("tiny")["rows"]
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, names=(*TINY.names, "plain"), seeds=(0, 1, 2)))
    measure("tiny", scratch=small / "scratch")
    rows = stored("tiny")["rows"]
    assert len(rows) == 9
    assert [row for row in rows if row["name"] in TINY.names and row["seed"] < 2] == before


def test_a_checkpoint_is_gone_on_from_under_its_own_settings_only(small, monkeypatch):
    measure("tiny", scratch=small / "scratch")
    before = stored("tiny")["rows"]
    for path in rows_kept(small):
        path.unlink()
    measure("tiny", scratch=small / "scratch")
    assert stored("tiny")["rows"] == before  # the seconds of training too: nothing was trained again
    for path in rows_kept(small):
        path.unlink()
    monkeypatch.setitem(STUDIES, "tiny", replace(TINY, budget=replace(TINY.budget, learning_rate=0.02)))
    with pytest.raises(ValueError, match=r"model-0\.checkpoint: was made under other settings: budget\.learning_rate was"):
        measure("tiny", scratch=small / "scratch")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no JSON, or only a piece of it"),
        (b'{"settings": {"seed"', "is no JSON, or only a piece of it"),
        (b"\xff\x00", "is no JSON, or only a piece of it"),
        (b"[1, 2]", "holds no figures"),
        (b'{"name": "plain", "nll": 3}', "was kept by an older version of the course, or by another program"),
    ],
)
def test_the_command_names_a_row_that_cannot_be_used(small, content, told):
    path = small / "s" / "tiny-20-language-model-0.json"
    path.parent.mkdir()
    path.write_bytes(content)
    refused(small, f"{path}: {told}; give another path, or delete it to start anew\n")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02cposix\nsystem\n.", b"PK\x03\x04cut"])
def test_the_command_names_a_checkpoint_that_cannot_be_used(small, content):
    path = small / "s" / "tiny-20-language-model-0.checkpoint"
    path.parent.mkdir()
    path.write_bytes(content)
    refused(small, f"{path}: is no checkpoint, or only a piece of one; give another path, or delete it to start anew\n")


def test_the_command_names_a_foreign_checkpoint(small):
    path = small / "s" / "tiny-20-language-model-0.checkpoint"
    path.parent.mkdir()
    torch.save({"weights": torch.zeros(2)}, path)
    refused(small, f"{path}: was saved by an older version of the course, or by another program; give another path, or delete")


def test_on_a_full_disk_the_command_says_so_and_the_results_stay(small, monkeypatch):
    measure("tiny", scratch=small / "s")
    results = stored("tiny")
    for path in (small / "s").iterdir():
        path.unlink()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    refused(small, "tiny-20-language-model-0.checkpoint: cannot be written: No space left on device\n")
    assert list((small / "s").iterdir()) == []
    assert stored("tiny") == results


def test_the_command_refuses_a_file_for_scratch(small):
    (small / "s").write_text("mine")
    refused(small, f"{small / 's'}: cannot be written: {small / 's'} is a file, not a folder\n")
    assert (small / "s").read_text() == "mine"


def refused(small, told):
    result = call("tiny", "--scratch", small / "s")
    assert result.exit_code == 2
    assert told in result.output
    assert isinstance(result.exception, SystemExit)


def call(*arguments):
    return CliRunner().invoke(app, ["measure", "--device", "cpu", *map(str, arguments)])


def test_studies_of_one_model_after_another_take_no_processes(small):
    result = CliRunner().invoke(app, ["measure", "flickr", "--processes", "2", "--scratch", str(small)])
    assert result.exit_code == 2
    assert "--processes: flickr trains one model after another; cures_world" in result.output


def test_what_is_not_there_is_told(small):
    with pytest.raises(ValueError, match="no study 'huge'; there are cures_world"):
        measure("huge", scratch=small)
    with pytest.raises(FileNotFoundError, match="vae-course measure tiny"):
        stored("tiny")


def test_the_command_runs_a_study(small):
    result = call("tiny", "--scratch", small / "s")
    assert (result.exit_code, result.output) == (0, f"stored {small / 'results' / 'tiny.json'}\n")
    results = stored("tiny")
    result = call("tiny", "--steps", 100, "--scratch", small / "s")
    assert result.exit_code == 0
    elsewhere, told = small / "s" / "tiny_100_steps.json", "holds runs of the study's own steps, and stays as it is"
    assert result.output == f"stored {elsewhere}; {small / 'results'} {told}\n"
    assert stored("tiny") == results
