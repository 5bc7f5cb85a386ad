import json
import math
from itertools import product

import pytest
import torch

from vae_course.applications import spelling
from vae_course.studies import learners, store
from vae_course.studies.learners import Change, Learners, as_written, by_halves, changes, cheapest, gains, word_forms
from vae_course.text import corpora
from vae_course.text.cures import Budget
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded_module

FORMS = word_forms({"walk", "walks", "walked", "walker", "city", "cities", "make", "making", "is", "was", "a", "as"})


@pytest.mark.parametrize(
    ("word", "others"),
    [
        ("walk", ["walked", "walks"]),
        ("walks", ["walk", "walked"]),
        ("cities", ["city"]),
        ("making", ["make"]),
        ("is", ["was"]),
        ("walker", None),
        ("a", None),
    ],
)
def test_forms_of_a_word(word, others):
    assert FORMS.get(word) == others


def test_every_single_change():
    found = changes(("walk", "in", "the", "city"), {"city": ["cities"]})
    assert [new for kind, new in found if kind == "article put in"] == [
        (article, "walk", "in", "the", "city") for article in ("a", "an", "the")
    ] + [("walk", article, "in", "the", "city") for article in ("a", "an", "the")]
    assert {new for kind, new in found if kind == "other article"} == {
        ("walk", "in", "a", "city"),
        ("walk", "in", "an", "city"),
        ("walk", "in", "city"),
    }
    assert {new[1] for kind, new in found if kind == "other preposition"} == set(learners.PREPOSITIONS) - {"in"}
    assert [new for kind, new in found if kind == "other form"] == [("walk", "in", "the", "cities")]


def test_gains_are_differences_of_log_likelihood():
    vocabulary = Vocabulary.build([("walk", "walks", "in", "the", "city", "cities")])
    model = seeded_module(0, lambda: LanguageModel(len(vocabulary), TextSizes(embedding=4, hidden=5)))
    sentences = [("walk", "in", "city"), ("the", "city")]

    def log_p(sentence):
        return model.log_likelihood(torch.tensor([vocabulary.encode(sentence)])).item()

    found = gains(model, vocabulary, sentences, {"city": ["cities"]})
    for sentence, row in zip(sentences, found, strict=True):
        assert [(change.kind, change.sentence) for change in row] == changes(sentence, {"city": ["cities"]})
        for change in row:
            assert change.gain == pytest.approx(log_p(change.sentence) - log_p(sentence), abs=1e-4)


def test_a_change_must_be_worth_its_price():
    row = [Change("other form", ("a",), 3.0), Change("other article", ("b",), 2.5)]
    prices = dict.fromkeys(learners.KINDS, math.inf)
    assert cheapest(("c",), row, prices) == ("c",)
    assert cheapest(("c",), row, prices | {"other form": 2.9}) == ("a",)
    assert cheapest(("c",), row, prices | {"other form": 2.9, "other article": 1.0}) == ("b",)
    assert cheapest(("c",), row, prices | {"other form": 3.0}) == ("c",)
    assert cheapest(("c",), [], prices) == ("c",)


@pytest.mark.parametrize(
    ("said", "written", "expected"),
    [
        ("i like paris .", "I likes Paris .", "I like Paris ."),
        ("they're nice", "Their NASA", "They're Nice"),
        ("the dogs run", "Dogs run", "The dogs run"),
        ("the i run", "I run", "The I run"),
        ("we go to the park", "we go to park", "we go to the park"),
        ("their", "thier", "their"),
        ("dog", "The dog", "Dog"),
    ],
)
def test_capitals_are_kept(said, written, expected):
    assert as_written(tuple(said.split()), tuple(written.split())) == tuple(expected.split())


def test_what_is_used_on_one_half_was_chosen_on_the_other():
    right, wrong = ("a", "b", "c", "d", "e"), ("v", "w", "x", "y", "z")
    data = Learners([wrong] * 4, [[right]] * 4)
    tried = {1.0: [right, wrong, right, wrong], 2.0: [wrong, right, wrong, right]}  # 1.0 is right for the even ones
    said, chosen = by_halves(tried, data)
    assert chosen == [2.0, 1.0]
    assert said == [wrong] * 4


def test_prices_for_one_half_come_from_the_other(monkeypatch):
    """A change that mends the even sentences and spoils the odd ones is made in the odd ones, and only there."""
    before, after = ("a", "b", "c", "d", "e"), ("v", "w", "x", "y", "z")
    monkeypatch.setattr(
        learners, "gains", lambda _model, _words, rows, _forms: [[Change("other form", after, 9.0)] for _ in rows]
    )
    data = Learners([before] * 4, [[after], [before], [after], [before]])
    said, prices = learners._changed(None, Vocabulary.build([before]), [before] * 4, data)
    assert said == [before, after, before, after]
    assert prices["other form"] == [None, 1.0]


# --- the study, in a tiny world -----------------------------------------------------------------------------------------

SUBJECTS, VERBS, PLACES = ("the girl", "a boy", "the teacher"), ("walks", "sings", "reads"), ("in the park", "at the market")
RIGHT = [" ".join((*parts, ".")) for parts in product(SUBJECTS, VERBS, PLACES)]


@pytest.fixture
def folder(tmp_path):
    """Files as of the corpora, with sentences of three subjects, verbs and places; learners make one error in each."""
    for name in ("tatoeba_en_zh", "ptb", "compression", "jfleg"):
        (tmp_path / name).mkdir()
    (tmp_path / "tatoeba_en_zh" / "pairs.tsv").write_text(
        "".join(f"{line}\t{number} 。\n" for number, line in enumerate(RIGHT)), encoding="utf-8"
    )
    for split in ("train", "valid", "test"):
        (tmp_path / "ptb" / f"{split}.txt").write_text("\n".join(RIGHT) + "\n", encoding="utf-8")
    for name in ("google", "gigaword"):
        text = "".join(json.dumps({"text": line, "summaries": []}) + "\n" for line in RIGHT)
        (tmp_path / "compression" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    meant = [line.capitalize() for line in RIGHT]
    written = [line.replace("park", "prak").replace("at the market", "at market") for line in meant]
    for side, lines in {"src": written, **{f"ref{k}": meant for k in range(4)}}.items():
        (tmp_path / "jfleg" / f"dev.{side}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_the_files_are_read(folder):
    rows = corpora.learners(folder)
    assert rows[0][0] == ("The", "girl", "walks", "in", "the", "prak", ".")
    assert rows[0][1] == [("The", "girl", "walks", "in", "the", "park", ".")] * 4
    assert corpora.compression_texts(folder) == RIGHT * 2
    assert sorted(learners.english(folder)) == sorted({tuple(line.split()) for line in RIGHT})
    (folder / "jfleg" / "dev.ref2").write_text("one\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"dev\.ref2, line 2: is missing or blank"):
        corpora.learners(folder)
    (folder / "jfleg" / "dev.ref2").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*dev\.ref2.*learners' English"):
        corpora.learners(folder)


def test_the_study_corrects_a_tiny_world_and_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(learners, "SIZES", TextSizes(embedding=16, hidden=24))
    monkeypatch.setattr(learners, "BUDGET", Budget(steps=300, learning_rate=1e-2))
    pairs = [("teh", "the"), ("hte", "the"), ("pakr", "park"), ("bool", "boo")]
    monkeypatch.setattr(spelling, "misspellings", lambda: spelling.Misspellings(pairs, [], ["prank", "boo"]))
    path = learners.measure(scratch=tmp_path / "scratch", folder=folder)
    document = json.loads(path.read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in document["rows"]}
    untouched, similar, counted, spelled, changed, people = (row["gleu"] for row in rows.values())
    assert untouched < similar < 100  # "prank" is as like "prak" as "park" is
    assert untouched < counted <= spelled < changed == people == pytest.approx(100)
    assert rows["the same, then single changes"]["as_a_reference"] == 1
    assert rows["untouched"]["changed"] == 0
    assert not any(line in path.read_text(encoding="utf-8") for line in RIGHT)
    again = json.loads(learners.measure(scratch=tmp_path / "scratch", folder=folder).read_text(encoding="utf-8"))
    assert again["rows"] == document["rows"]
    assert again["cpu_seconds_of_training"] == document["cpu_seconds_of_training"]
    monkeypatch.setattr(learners, "BUDGET", Budget(steps=300, learning_rate=2e-2))
    with pytest.raises(ValueError, match=r"checkpoint: was made under other settings: budget\.learning_rate was 0\.01, is now"):
        learners.measure(scratch=tmp_path / "scratch", folder=folder)
