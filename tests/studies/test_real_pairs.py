"""The studies of real translation, on tiny made-up folders."""

import json
from dataclasses import replace

import pytest
import torch

from vae_course.applications import translation
from vae_course.studies import real_pairs, store
from vae_course.studies.real_pairs import NEAREST, PLAIN, VAE, RealStudy
from vae_course.text import corpora
from vae_course.text.cures import Budget
from vae_course.text.decoding import beam, greedy
from vae_course.text.models import TextSizes

ENGLISH, GERMAN = ("a man", "two dogs", "the girl"), ("ein mann", "zwei hunde", "das mädchen")
DO, TUT = ("runs", "sleeps", "sees a cat", "swims"), ("rennt", "schläft", "sieht eine katze", "schwimmt")
WHERE, WO = ("at home", "in the park", "by the sea"), ("zu hause", "im park", "am meer")
LINES = [
    (f"{s} {d} {w} .", f"{a} {b} {c} .")
    for s, a in zip(ENGLISH, GERMAN, strict=True)
    for d, b in zip(DO, TUT, strict=True)
    for w, c in zip(WHERE, WO, strict=True)
]
TINY = RealStudy(
    "multi30k",
    ("en", "de"),
    subwords=60,
    longest=30,
    sizes=TextSizes(embedding=24, hidden=24, latent=4, encoder="lstm", tied=True),
    budget=Budget(300, 12, 2e-2, checks=3),
    width=2,
    samples=3,
    weighted=4,
)


@pytest.fixture
def folder(tmp_path):
    """A folder as of Multi30k: most pairs to learn from, the last ones to test."""
    (tmp_path / "data" / "multi30k").mkdir(parents=True)
    for split, lines in (("train", LINES[::2] + LINES[1:25:2]), ("val", LINES[25:31:2]), ("test2016", LINES[31::2])):
        for side, language in enumerate(("en", "de")):
            text = "".join(pair[side] + "\n" for pair in lines)
            (tmp_path / "data" / "multi30k" / f"{split}.{language}").write_text(text, encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    monkeypatch.setattr(real_pairs, "STUDIES", {"tiny": TINY})
    return tmp_path


def test_a_study_is_measured_stored_and_goes_on_where_it_was(folder, results, monkeypatch):
    path = real_pairs.measure("tiny", scratch=results / "scratch", folder=folder)
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert path == results / "tiny.json"
    rows = {row["name"]: row for row in stored["rows"]}
    assert list(rows) == [NEAREST, PLAIN, VAE]
    assert stored["pairs"] == {"train": 30, "validation": 3, "test": 3}
    assert rows[PLAIN]["bleu"] > 40
    assert rows[PLAIN]["bleu"] > rows[NEAREST]["bleu"]
    assert 0 < rows[PLAIN]["nll"] < 20
    assert rows[VAE]["negative_elbo"] > rows[VAE]["rate"] > 0
    assert 1 <= rows[VAE]["different_of_ten"] <= 10
    assert all(0 <= row["exact"] <= 1 for row in rows.values())
    text = path.read_text(encoding="utf-8")
    assert not any(word in text for pair in LINES for side in pair for word in side.split() if len(word) > 4)  # no sentences

    def must_not(*_, **__):
        raise AssertionError("what was finished is trained again")

    monkeypatch.setattr(real_pairs, "fit", must_not)
    again = json.loads(real_pairs.measure("tiny", scratch=results / "scratch", folder=folder).read_text(encoding="utf-8"))
    assert again["rows"] == stored["rows"]

    monkeypatch.setattr(real_pairs, "STUDIES", {"tiny": replace(TINY, width=3)})
    with pytest.raises(ValueError, match=r"json: was made under other settings: width was 2, is now 3;"):
        real_pairs.measure("tiny", scratch=results / "scratch", folder=folder)
    monkeypatch.setattr(real_pairs, "STUDIES", {"tiny": TINY})
    german = folder / "multi30k" / "test2016.de"
    german.write_text(german.read_text(encoding="utf-8").replace("mädchen", "kind"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"json: was made under other settings: corpus\.target\.text was"):
        real_pairs.measure("tiny", scratch=results / "scratch", folder=folder)


def test_a_study_of_text_that_may_be_shown_stores_the_first_translations(folder, results, monkeypatch):
    monkeypatch.setattr(real_pairs, "STUDIES", {"tiny": replace(TINY, shown=2, budget=Budget(20, 12, 2e-2, checks=1))})
    document = json.loads(real_pairs.measure("tiny", scratch=results, folder=folder).read_text(encoding="utf-8"))
    assert all(len(row["said"]) == 2 for row in document["rows"])
    source, target = translation.sides("multi30k", ("en", "de"), ("subword", "subword"), subwords=60, folder=folder)
    found = translation.nearest(source, target)
    assert document["rows"][0]["said"] == [target.tokenizer.join(tokens) for tokens in found[:2]]
    same = [tokens == expected for tokens, expected in zip(found, target.test, strict=True)]
    assert document["rows"][0]["exact"] == sum(same) / len(same)


def test_the_table_shows_what_is_stored_and_says_what_is_not(monkeypatch):
    rows = [
        {"name": NEAREST, "bleu": 3.21, "chrf": 20.0},
        {"name": VAE, "bleu": 30.0, "chrf": 50.0, "nll": 20.0, "negative_elbo": 21.5, "cpu_seconds_of_training": 600.0},
    ]
    document = {"pairs": {"train": 29_000, "test": 1000}, "budget": {"steps": 6000}, "rows": rows}
    monkeypatch.setattr(real_pairs, "stored", {"multi30k_de": document}.__getitem__)
    head, columns, nearest, vae = real_pairs.table("multi30k_de").split("\n")
    assert head == "English to German (Multi30k): 29,000 pairs, 6,000 steps, 1,000 test sentences, one reference each"
    assert columns.split() == ["BLEU", "chrF", "NLL", "-ELBO", "minutes"]
    assert nearest.split()[-5:] == ["3.2", "20.0", "–", "–", "–"]
    assert vae.split()[-5:] == ["30.0", "50.0", "20.0", "21.5", "10"]

    def nothing(name):
        raise FileNotFoundError(name)

    monkeypatch.setattr(real_pairs, "stored", nothing)
    for name in real_pairs.STUDIES:
        assert real_pairs.table(name).endswith(f"not measured yet (`vae-course measure {name}`)")


def test_an_unknown_study_is_told():
    with pytest.raises(
        ValueError, match="no study 'latin'; there are jupyterlab_zh, jupyterlab_fr, multi30k_de, multi30k_fr, tatoeba_zh"
    ):
        real_pairs.measure("latin", scratch=None)


def test_a_checkpoint_is_gone_on_from(folder, tmp_path):
    source, target = translation.sides("multi30k", ("en", "de"), ("subword", "subword"), subwords=60, folder=folder)
    budget = replace(TINY.budget, steps=9)
    whole, _ = real_pairs.trained(PLAIN, source, target, TINY, budget)
    checkpoint = tmp_path / "model.checkpoint"
    real_pairs.trained(PLAIN, source, target, TINY, budget, checkpoint=checkpoint)
    resumed, _ = real_pairs.trained(PLAIN, source, target, TINY, budget, checkpoint=checkpoint)  # nothing is left to do
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("system", [PLAIN, VAE])
def test_translations_keep_the_order_of_their_sources(folder, system):
    source, target = translation.sides("multi30k", ("en", "de"), ("subword", "subword"), subwords=60, folder=folder)
    model, _ = real_pairs.trained(system, source, target, TINY, replace(TINY.budget, steps=30))
    question = source.encoded("train")[:7]
    for width, search in ((1, greedy), (2, None)):
        together = translation.translated(model, question, width, longest=12, batch_size=3)
        for tokens, written in zip(question, together, strict=True):
            alone = torch.tensor([tokens])
            z, count = (None, 1) if system == PLAIN else (model.prior(alone).mean, None)
            if search is not None:
                assert written == search(model.writer(alone), z, count, 12)[0]
            else:
                assert written == beam(model.writer(alone), z, count, width, 12, 1.0)[0]


def test_both_sides_share_their_subwords_and_text_comes_back(folder):
    source, target = translation.sides("multi30k", ("en", "de"), ("subword", "subword"), subwords=60, folder=folder)
    assert source.tokenizer is target.tokenizer
    for side, corpus in enumerate((source, target)):
        assert corpus.tokenizer.join(corpus.train[0]) == LINES[0][side]
    assert len(set(source.vocabulary.words) | set(target.vocabulary.words)) <= 64
    more, _ = translation.sides(
        "multi30k", ("en", "de"), ("subword", "subword"), folder=folder
    )  # thousands, if there are as many
    assert len(more.train[0]) < len(source.train[0])
    with pytest.raises(ValueError, match=r"expected at least .* one for each different character"):
        translation.sides("multi30k", ("en", "de"), ("subword", "subword"), subwords=2, folder=folder)


def test_no_sentence_of_tatoebas_test_set_is_in_train_in_either_language(tmp_path):
    lines = [(f"e{k}", f"c{k}") for k in range(300)]
    lines += [(f"e{k}", f"c{k + 1}") for k in range(0, 120, 3)]  # a second translation, which another sentence has too
    lines += [("e5", "c200"), ("e200", "c7")]
    (tmp_path / "tatoeba_en_zh").mkdir()
    text = "".join(f"{a}\t{b}\n" for a, b in lines)
    (tmp_path / "tatoeba_en_zh" / "pairs.tsv").write_text(text, encoding="utf-8")
    found = corpora.pairs("tatoeba_en_zh", folder=tmp_path)
    assert sorted(found.train + found.validation + found.test) == sorted(lines)
    assert min(map(len, (found.test, found.validation))) > 5
    for side in (0, 1):
        parts = [{pair[side] for pair in part} for part in (found.train, found.validation, found.test)]
        assert sum(map(len, parts)) == len(set.union(*parts))
    with pytest.raises(ValueError, match="is there in pairs"):
        corpora.load("tatoeba_en_zh", folder=tmp_path)
    (tmp_path / "tatoeba_en_zh" / "pairs.tsv").write_text("a\tb\nc\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"pairs\.tsv, line 2: has 1 columns, where line 1 has 2"):
        corpora.pairs("tatoeba_en_zh", folder=tmp_path)
