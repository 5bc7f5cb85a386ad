"""A translator of one's own: trained from a file, stopped and gone on, kept and read again, scored."""

import itertools
from pathlib import Path

import pytest
import torch

from vae_course.applications.own import evaluation, folder as folders, task as tasks, translate
from vae_course.applications.own.sides import subwords_for
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes

WORDS = {"a": "un", "red": "rouge", "big": "grand", "cat": "chat", "dog": "chien"}
WORDS |= {"sleeps": "dort", "runs": "court", "here": "ici"}
ADJECTIVES, ENDS = ("red", "big", "red big", "big red"), (" .", " !", " ?", " ;", "")
PLACES = ("here", "a cat", "a dog")
SENTENCES = list(map(" ".join, itertools.product(["a"], ADJECTIVES, ["cat", "dog"], ["sleeps", "runs"], PLACES)))
PAIRS = [(text + end, " ".join(WORDS[word] for word in text.split()) + end) for text in SENTENCES for end in ENDS]


def write(path: Path, pairs=PAIRS) -> Path:
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    return path


@pytest.fixture
def tiny(monkeypatch):
    """Sizes and a budget of seconds, with which such pairs are learned."""
    monkeypatch.setattr(translate, "SMALL", TextSizes(embedding=48, hidden=48, encoder="lstm", tied=True))
    monkeypatch.setattr(translate, "SMALL_BUDGET", Budget(steps=240, batch_size=32, learning_rate=2e-2, checks=4))
    monkeypatch.setattr(translate, "QUICK_STEPS", 20)
    monkeypatch.setattr(translate, "VALIDATED", 12)


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "pairs.tsv")


def test_a_file_becomes_a_translator_that_is_the_same_when_it_is_read_again(tiny, file, tmp_path):
    told = []
    report = tasks.run(translate.prepared(file), tmp_path / "model", None, told.append)
    similar, model = (figures for _, figures in report.scores)
    assert model["chrF"] > 95 > similar["chrF"]
    assert "216 for train, 12 for validation, 12 for test" in told[0]
    assert not (tmp_path / "model" / folders.CHECKPOINT).exists()
    first, second = (evaluation.loaded(tmp_path / "model", "translate") for _ in range(2))
    asked = [source for source, _ in PAIRS[::7]]
    assert first(asked) == second(asked)
    assert dict(folders.described(tmp_path / "model")["about"]["scores"])["the model"] == pytest.approx(model)
    # What was kept translates the test part as the trained model did.
    again = translate.prepared(file).scores(first)
    assert again[1][1] == pytest.approx(model)


def test_a_stopped_training_goes_on_to_the_same_weights(tiny, file, tmp_path, monkeypatch):
    task = translate.prepared(file)
    tasks.run(task, tmp_path / "whole", None, print)
    chrf, calls = translate.chrf, []

    def stopped(written, expected):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return chrf(written, expected)

    monkeypatch.setattr(translate, "chrf", stopped)
    with pytest.raises(KeyboardInterrupt):
        tasks.run(task, tmp_path / "stopped", None, print)
    with pytest.raises(ValueError, match="its training was stopped"):
        folders.read(tmp_path / "stopped")
    told = []
    tasks.run(task, tmp_path / "stopped", None, told.append)
    assert "going on from where it was stopped" in told
    whole, gone_on = (folders.read(tmp_path / name).weights for name in ("whole", "stopped"))
    assert all(torch.equal(whole[name], gone_on[name]) for name in whole)


def test_a_stopped_training_is_not_taken_for_that_of_another_file(tiny, file, tmp_path, monkeypatch):
    def stopped(self, texts, width):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(translate.Translator, "written", stopped)
        with pytest.raises(KeyboardInterrupt):
            tasks.run(translate.prepared(file), tmp_path / "model", None, print)
    assert not (tmp_path / "model" / folders.CHECKPOINT).exists()  # nothing had been finished yet
    tasks.run(translate.prepared(file, quick=True), tmp_path / "model", None, print)
    other = write(tmp_path / "other.tsv", PAIRS[1:])
    with monkeypatch.context() as patch:
        patch.setattr(translate, "chrf", lambda *texts: next(scores))
        scores = iter([1.0, 2.0])  # then it stops
        with pytest.raises(StopIteration):
            tasks.run(translate.prepared(file), tmp_path / "stopped", None, print)
    with pytest.raises(ValueError, match="begun with another file or other options; give the same ones, with --quick if"):
        tasks.run(translate.prepared(file, quick=True), tmp_path / "stopped", None, print)
    with pytest.raises(ValueError, match="holds a trained model already"):
        tasks.run(translate.prepared(other), tmp_path / "model", None, print)


def test_a_folder_of_another_application_or_of_nothing_is_refused(tiny, file, tmp_path):
    tasks.run(translate.prepared(file, quick=True), tmp_path / "model", None, print)
    with pytest.raises(ValueError, match="trained to translate; use vae-course translate"):
        evaluation.loaded(tmp_path / "model", "summarize")
    kept = folders.read(tmp_path / "model")
    wrong = {**kept.settings, "sizes": {**kept.settings["sizes"], "embedding": 8, "hidden": 8}}
    folders.write(tmp_path / "model", folders.Kept("translate", wrong, kept.weights, kept.files, kept.about))
    with pytest.raises(ValueError, match="do not belong together"):
        evaluation.loaded(tmp_path / "model", "translate")


def test_blank_lines_stay_where_they_are(tiny, file, tmp_path):
    tasks.run(translate.prepared(file, quick=True), tmp_path / "model", None, print)
    translator = evaluation.loaded(tmp_path / "model", "translate")
    written = translator(["", "a red cat runs here", "  ", "a big dog sleeps here"])
    assert (written[0], written[2]) == ("", "  ")
    assert written[1] == translator(["a red cat runs here"])[0]
    assert translator([]) == []


def test_how_a_text_is_cut_is_seen_from_the_text(file, tmp_path):
    task = translate.prepared(file)
    assert task.settings["cut"] == ["subwords", "subwords"]
    chinese = write(
        tmp_path / "zh.tsv",
        [(source, "一只" + "红大"[k % 2] + "猫在这里" + "睡跑"[k % 2]) for k, (source, _) in enumerate(PAIRS)],
    )
    task = translate.prepared(chinese)
    assert task.settings["cut"] == ["subwords", "characters"]
    assert task.is_unspaced()


def test_subwords_grow_with_the_root_of_the_text():
    few, many = ["ab ba"] * 5_000, ["ab ba"] * 500_000
    assert subwords_for(few, 500, 8_000) == 3 + 600
    assert subwords_for(many, 500, 8_000) == 3 + 6_000
    assert subwords_for(many, 300, 4_000) == 3 + 4_000
    assert subwords_for(["ab"], 500, 8_000) == 2 + 500


def test_columns_are_chosen_and_too_few_pairs_refused(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("id,en,fr\n" + "".join(f"{k},{a},{b}\n" for k, (a, b) in enumerate(PAIRS)), encoding="utf-8")
    assert (
        translate.prepared(table, columns=("en", "fr")).source.train
        == translate.prepared(write(tmp_path / "p.tsv")).source.train
    )
    with pytest.raises(ValueError, match="expected at least 10 for each, for which 190 different pairs are enough"):
        translate.prepared(write(tmp_path / "few.tsv", PAIRS[:60]))


def test_a_quick_training_takes_a_part_of_the_steps(file):
    task = translate.prepared(file, quick=True)
    assert task.budget.steps == translate.QUICK_STEPS < task.usual_steps == translate.SMALL_BUDGET.steps
    assert task.sizes == translate.SMALL


def test_pairs_that_are_too_long_are_left_out_and_told(file, tmp_path):
    long = write(tmp_path / "long.tsv", [*PAIRS, *((f"{k} " + "a red cat " * 60, "x") for k in range(3))])
    task = translate.prepared(long)
    assert task.longest < 60
    assert task.told[-1].endswith(f"training pairs are not used, for they are longer than {task.longest} tokens")


def test_scores_are_those_of_sacrebleu():
    perfect = translate.scored(["un chat dort .", "oui"], ["un chat dort .", "oui"], unspaced=False)
    assert perfect == pytest.approx({"BLEU": 100, "chrF": 100, "exactly right, %": 100})
    half = translate.scored(["un chat dort ici .", "non"], ["un chat dort ici .", "oui"], unspaced=False)
    assert half["exactly right, %"] == 50
    # As characters 4 of 5 agree; as one word nothing would.
    chinese = translate.scored(["一只猫睡着"], ["一只猫睡了"], unspaced=True)
    assert chinese["BLEU"] > 50 > translate.scored(["一只猫睡着"], ["一只猫睡了"], unspaced=False)["BLEU"]


def test_a_model_is_scored_on_another_file(tiny, file, tmp_path):
    tasks.run(translate.prepared(file), tmp_path / "model", None, print)
    same, model = (figures for _, figures in evaluation.scores(tmp_path / "model", file))
    assert same["exactly right, %"] == 0
    assert model["chrF"] > 95


def test_what_recurs_with_small_changes_is_looked_up(tiny, tmp_path, monkeypatch):
    """A training too short to learn anything, on texts that come again with another sign at the end."""
    monkeypatch.setattr(translate, "QUICK_STEPS", 1)
    pairs = [(f"{source} {end}", f"{target} {end}") for source, target in PAIRS[4::5] for end in ("1", "2", "3", "4", "5")]
    task = translate.prepared(write(tmp_path / "pairs.tsv", pairs), quick=True)
    report = tasks.run(task, tmp_path / "model", None, print)
    scores = dict(report.scores)
    assert scores["the model"]["looked up, %"] > 50
    assert scores["the model"]["chrF"] > scores["the model, with nothing looked up"]["chrF"] + 20
    translator = evaluation.loaded(tmp_path / "model", "translate")
    source, target = task.source.train[0], task.target.train[0]
    known = task.source.tokenizer.join(source)
    assert translator([known, ""]) == [task.target.tokenizer.join(target), ""]
    assert translator.written([known]) != translator([known])


GERMAN = {"a": "ein", "red": "rotes", "big": "grosses", "cat": "kätzchen", "dog": "hündchen"}
GERMAN |= {"sleeps": "schläft", "runs": "rennt", "here": "hier"}


def test_one_model_translates_into_several_languages(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(translate, "SMALL_BUDGET", Budget(steps=400, batch_size=32, learning_rate=2e-2, checks=4))
    lines = [f"{source}\t{target}\t{' '.join(GERMAN.get(word, word) for word in source.split())}\n" for source, target in PAIRS]
    table = tmp_path / "three.tsv"
    table.write_text("english\tfrench\tgerman\n" + "".join(lines), encoding="utf-8")
    task = translate.prepared(table, columns=("english", "french", "german"))
    # A source and all its translations are in the same split.
    plain = [{text.partition("> ")[2] for text in task._texts(split)[0]} for split in ("train", "validation", "test")]
    assert sum(map(len, plain)) == len(set.union(*plain)) == len(PAIRS)
    report = tasks.run(task, tmp_path / "model", None, print)
    scores = dict(report.scores)
    assert scores["the model, french"]["chrF"] > 90
    assert scores["the model, german"]["chrF"] > 90
    translator = evaluation.loaded(tmp_path / "model", "translate")
    asked = translator.into("german", ["a red cat sleeps here", ""])
    assert asked == ["<german> a red cat sleeps here", ""]
    assert translator(asked) == ["ein rotes kätzchen schläft hier", ""]
    with pytest.raises(ValueError, match="choose one: --into french or german"):
        translator.into(None, ["a"])
    with pytest.raises(ValueError, match="--into danish: the model translates into french or german"):
        translator.into("danish", ["a"])
    rows = dict(evaluation.scores(tmp_path / "model", table, ("english", "german", "french")))
    assert min(rows["the model, german"]["chrF"], rows["the model, french"]["chrF"]) > 90
    with pytest.raises(ValueError, match="name the column of the source and those of languages: --columns A,french"):
        evaluation.scores(tmp_path / "model", table)


def test_a_model_of_one_language_wants_none_named(tiny, file, tmp_path):
    tasks.run(translate.prepared(file, quick=True), tmp_path / "model", None, print)
    with pytest.raises(ValueError, match="one language only; leave it out"):
        evaluation.loaded(tmp_path / "model", "translate").into("french", ["a"])
