"""A corrector of one's own: its search against enumeration, its channel set on errors made on purpose, kept and read again."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import pytest
import torch

from vae_course.applications import spelling
from vae_course.applications.own import correct, corrector as correctors, errors, evaluation, task as tasks
from vae_course.applications.own.corrector import Channel, Corrector, Words
from vae_course.text.cures import Budget
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary
from vae_course.training import seeded_module

TEXT = [("the", "cat", "sat"), ("a", "cart", "sat"), ("the", "cat", "sat", "there"), ("their", "cat", "sat")]
WORDS = Words(
    Vocabulary.build(TEXT),
    frozenset(word for line in TEXT for word in line) | {"zebra"},
    ("the", "a"),
    spelling.EditChannel(Counter({("c", "at", "ta"): 3}), Counter({("at", "ta"): 3}), 10),
)


@pytest.fixture
def corrector(monkeypatch):
    """Nothing is trained: a search must find the best under any model. It keeps all beginnings."""
    monkeypatch.setattr(correctors, "WIDTH", 10_000)
    monkeypatch.setattr(correctors, "PUT_IN", 10_000)
    model = seeded_module(3, lambda: LanguageModel(len(WORDS.vocabulary), TextSizes(embedding=8, hidden=8)))
    return Corrector(model.eval(), WORDS, Channel(leave=2.0, take_for=0.5, put_in=1.0, take_out=0.7, said_twice=0.4))


def enumerated(corrector, written):
    """The best reading by trying them all: of each place what the channel allows, with at most one word put in before it."""
    channel, words = corrector.channel, corrector.words
    places = []
    for place, word in enumerate(written):
        here = {}
        if word in words.right:
            here[(word,)] = 0.0
            others = corrector.others.get(word, ())
            here |= {(other,): -channel.take_for - math.log(len(corrector.others[other])) for other in others}
            if place and word == written[place - 1]:
                here[()] = -channel.said_twice
            elif word in words.little and "zebra" not in written[max(0, place - 1) : place + 2]:
                here[()] = -channel.take_out
        else:
            here[(word,)] = -channel.leave
            known = [one for one in words.vocabulary.ordinary_words]
            for meant in spelling.candidates([word], known, correctors.CANDIDATES)[0]:
                here[(meant,)] = float(words.edits([(word, meant)]))
        before = {(): 0.0} | {(one,): -channel.put_in for one in words.little}
        places.append([(a + b, x + y) for a, x in before.items() for b, y in here.items()])
    scored = {}
    for way in itertools.product(*places):
        said = tuple(itertools.chain.from_iterable(part for part, _ in way))
        tokens = torch.tensor([words.vocabulary.encode(said)])
        with torch.no_grad():
            log = float(corrector.model.log_likelihood(tokens)) + sum(weight for _, weight in way)
        scored[said] = max(scored.get(said, -math.inf), log)
    return max(scored, key=scored.get)


@pytest.mark.parametrize(
    "written",
    [("the", "cat"), ("cta", "sat"), ("the", "the", "cat"), ("sat", "sat"), ("there", "zebra"), ("a", "zebra"), ("a",)],
)
def test_the_search_finds_what_trying_everything_finds(corrector, written):
    assert corrector.corrected([written]) == [enumerated(corrector, written)]


def test_sentences_of_different_lengths_are_searched_together(corrector):
    sentences = [("the", "cat", "sat", "there"), ("a",), (), ("cta", "sat")]
    assert corrector.corrected(sentences) == [corrector.corrected([one])[0] for one in sentences]


def test_without_errors_believed_in_nothing_is_changed(corrector):
    silent = replace(corrector, channel=Channel(leave=-1e9))
    assert silent(["The CAT sat  there, zebra!", ""]) == ["The CAT sat  there, zebra!", ""]


def test_neighbours_are_one_edit_or_one_sound_apart():
    found = WORDS.neighbours()
    assert found["cat"] == ("cart", "sat")
    assert found["there"] == ("their",)
    assert "a" not in found
    assert all(word in found[other] for word, others in found.items() for other in others)


def test_words_are_the_same_after_they_were_kept():
    again = Words.from_json(WORDS.to_json())
    assert again == WORDS


def test_made_up_misspellings_are_no_words():
    found = correct.forms(WORDS, [("thier", "their"), ("sat", "cat"), ("thre", "there")], seed=0)
    assert found["their"][0] == "thier"
    assert "sat" not in found.get("cat", [])
    assert all(form not in WORDS.right and form != word for word, forms in found.items() for form in forms)
    assert [correct._slip("abcd", kind, 1) for kind in range(4)] == ["acbd", "acd", "abbcd", "aacd"]


# --- from a file --------------------------------------------------------------------------------------------------------

SUBJECTS, VERBS = ("the man", "a woman", "the old farmer", "a young teacher"), ("buys", "sees", "paints", "sells")
THINGS, PLACES = ("a house", "the horse", "a chair", "the bread"), ("in the village", "at the market", "by the river")
LINES = [f"{' '.join(words)}." for words in itertools.product(SUBJECTS, VERBS, THINGS, PLACES)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(line.capitalize() for line in LINES * 2) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(correct, "SIZES", TextSizes(embedding=32, hidden=32))
    monkeypatch.setattr(correct, "BUDGET", Budget(steps=200, batch_size=32, learning_rate=1e-2, checks=4))
    monkeypatch.setattr(correct, "TUNED", 12)
    monkeypatch.setattr(correct, "LEAVES", (12.0,))
    monkeypatch.setattr(correct, "COSTS", (9.0, 6.0))


def test_right_text_becomes_a_corrector(tiny, file, tmp_path):
    told = []
    report = tasks.run(correct.prepared(file), tmp_path / "model", None, told.append)
    similar, model = (figures for _, figures in report.scores)
    assert model["F0.5"] > similar["F0.5"]
    assert model["precision"] > 60
    assert set(model) - {"precision", "F0.5"} <= {f"{kind}, %" for kind in errors.KINDS}  # those that the test part has
    assert told[1].startswith("27 words and signs are known to the model; it may put in or take out: the a ")
    corrector = evaluation.loaded(tmp_path / "model", "correct")
    assert corrector(["The man bys the horse in the village.", ""]) == ["The man buys the horse in the village.", ""]
    assert corrector.marked(["A woman sees teh horse by the river."]) == ["A woman sees [teh>the] horse by the river."]
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("The man bys a chair by the river.\tThe man buys a chair by the river.\n", encoding="utf-8")
    (_, _), (_, figures) = evaluation.scores(tmp_path / "model", pairs)
    assert figures["precision"] == figures["non-words, %"] == 100
    assert "put in, %" not in figures  # there is none in the file


def test_text_without_words_is_refused(tmp_path):
    path = tmp_path / "zh.txt"
    path.write_text("\n".join(f"猫在家里睡觉{k}很久" for k in range(300)), encoding="utf-8")
    with pytest.raises(ValueError, match="correction needs sentences of words"):
        correct.prepared(path)


def test_another_language_has_little_words_of_its_own():
    french = Vocabulary.build([("le", "chat", "dort", "de", "jour")] * 3)
    assert correct.little_words(french) == ("de", "le")
