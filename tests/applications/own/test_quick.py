"""What a lesson shows of the commands on a reader's own file."""

import re
from itertools import product

import pytest

from vae_course.applications.own import correct, generate, quick, sentences, translate
from vae_course.text.cures import Budget
from vae_course.text.models import TextSizes

WHO, DOES, WHAT = (
    ("a cat", "the dog", "my boy", "her girl"),
    ("saw", "took", "has", "likes"),
    ["cap", "mug", "pen", "toy", "rug", "box"],
)
TEXTS = [f"{who} {does} the {what}, {when}." for who, does, what, when in product(WHO, DOES, WHAT, ("now", "today", "again"))]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    sizes, budget = TextSizes(embedding=16, hidden=16, latent=4), Budget(steps=40, batch_size=32, checks=4)
    for module in (sentences, correct):
        monkeypatch.setattr(module, "SIZES", sizes)
        monkeypatch.setattr(module, "BUDGET", budget)
    monkeypatch.setattr(translate, "SMALL", TextSizes(embedding=16, hidden=16, encoder="lstm", tied=True))
    monkeypatch.setattr(translate, "SMALL_BUDGET", budget)
    for module in (sentences, correct, translate):
        monkeypatch.setattr(module, "QUICK_STEPS", 10)
    monkeypatch.setattr(generate, "TRIED", 10)
    monkeypatch.setattr(correct, "LEAVES", (12.0,))
    monkeypatch.setattr(correct, "COSTS", (6.0,))


def written(tmp_path, lines):
    file = tmp_path / "mine.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("application", "lines", "figures"),
    [
        ("translate", [f"{text}\t{text.upper()}" for text in TEXTS], "BLEU"),
        ("generate", TEXTS, "nats"),
        ("correct", [f"{text.replace('saw', 'swa')}\t{text}" for text in TEXTS], "F0.5"),
    ],
)
def test_it_tells_and_scores_what_the_command_does_and_leaves_nothing(application, lines, figures, tmp_path):
    file = written(tmp_path, lines)
    told = quick.result(application, file)
    assert told.startswith(f"vae-course train {application} {file} --quick\n")
    assert "Quick: 25% of the usual 40 steps" in told
    assert figures in told
    assert re.search(r"for train|for training", told)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_corrector_is_scored_on_pairs_whose_right_side_it_has_not_read(tmp_path, monkeypatch):
    read = {}
    prepared, on_file = correct.prepared, correct.on_file
    monkeypatch.setattr(correct, "prepared", lambda file, **kw: read.update(right=file.read_text()) or prepared(file, **kw))
    monkeypatch.setattr(correct, "on_file", lambda model, file: read.update(pairs=file.read_text()) or on_file(model, file))
    told = quick.result("correct", written(tmp_path, [f"{text.replace('saw', 'swa')}\t{text}" for text in TEXTS]))
    meant = {line.split("\t")[1] for line in read["pairs"].splitlines()}
    assert len(meant) >= correct.LEAST
    assert meant.isdisjoint(read["right"].splitlines())
    assert meant | set(read["right"].splitlines()) == set(TEXTS)
    assert "on pairs kept apart" in told
    assert f"what is meant in {tmp_path / 'mine.txt'}: " in told


def test_a_file_that_the_command_cannot_use_is_told(tmp_path):
    file = written(tmp_path, [f"{text}\t{text}" for text in TEXTS[:30]])
    told = quick.result("translate", file).splitlines()
    assert told[1].startswith(f"not tried: {file}: ")
    assert "at least 10" in told[1]


def test_a_corpus_of_the_course_is_no_file_of_ones_own():
    told = quick.result("generate", "docstrings")
    assert told.endswith("not tried: docstrings is no file; the command takes one of your own")
