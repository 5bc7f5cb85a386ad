"""Texts larger than memory: the same numbers and the same batches as in memory, and memory that does not grow with the text."""

import subprocess
import sys
from collections import Counter

import pytest
import torch

from vae_course.text.batches import FixedSteps, SentenceBatches
from vae_course.text.cures import Budget, fit
from vae_course.text.mapped import LargeText, MappedBatches
from vae_course.text.models import LanguageModel, TextSizes
from vae_course.text.vocabulary import Vocabulary, Words
from vae_course.training import seeded, seeded_module

pytest.importorskip("datasets", reason="the extra corpora is not installed")

LINES = [" ".join(f"w{(7 * k + 3 * j) % 23}" for j in range(1 + k % 6)) for k in range(101)]


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "large.txt"
    file.write_text("\n".join([*LINES[:50], "", "  ", *LINES[50:]]) + "\n", encoding="utf-8")
    return LargeText(file, Words(), tmp_path / "kept")


def numbers_of(batches, generator):
    return Counter(tuple(row[row != 0].tolist()) for batch in batches.epoch(generator) for row in batch)


def test_its_sentences_are_those_of_the_file(text):
    vocabulary = text.vocabulary(max_size=20)
    split = [tuple(line.split()) for line in LINES]
    assert vocabulary == Vocabulary.build(split, max_size=20)
    assert list(text.encoded(vocabulary)["numbers"]) == [vocabulary.encode(tokens) for tokens in split]


def test_what_was_encoded_is_kept_until_file_or_vocabulary_change(text, monkeypatch):
    vocabulary = text.vocabulary(max_size=20)
    first = text.encoded(vocabulary)
    again = text.encoded(vocabulary)
    assert first.cache_files == again.cache_files
    assert text.encoded(text.vocabulary(max_size=9)).cache_files != first.cache_files
    text.file.write_text("w1 w2\n", encoding="utf-8")
    assert len(text.encoded(vocabulary)) == 1


@pytest.mark.parametrize("window", [1_000, 101, 40, 7])
def test_an_epoch_has_each_sentence_once_in_as_many_batches_as_are_told(text, window):
    sentences = text.encoded(text.vocabulary(max_size=30))
    batches = MappedBatches(sentences, 8, window=window)
    assert numbers_of(batches, seeded(0)) == Counter(map(tuple, sentences["numbers"]))
    assert sum(1 for _ in batches.epoch(seeded(0))) == len(batches)
    assert max(map(len, batches.epoch(seeded(0)))) <= 8


def test_with_one_window_batches_are_those_of_memory(text):
    sentences = text.encoded(text.vocabulary(max_size=30))
    mapped, generator = MappedBatches(sentences, 8), seeded(5)
    torch.randperm(1, generator=generator)  # the order of the one window
    for ours, theirs in zip(
        mapped.epoch(seeded(5)), SentenceBatches(list(sentences["numbers"]), 8).epoch(generator), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_training_on_it_that_was_stopped_goes_on_exactly(text, tmp_path):
    sentences = text.encoded(text.vocabulary(max_size=30))
    budget = Budget(steps=20, batch_size=8, learning_rate=1e-2, checks=4)

    def trained(checkpoint=None, after_check=None):
        model = seeded_module(0, lambda: LanguageModel(27, TextSizes(embedding=6, hidden=6)))
        batches = MappedBatches(sentences, 8, window=40)
        return model, fit(model, batches, budget, seed=1, checkpoint=checkpoint, after_check=after_check)

    def stop(history):
        if history.epochs == 3:
            raise KeyboardInterrupt

    whole, history = trained(after_check=lambda history: None)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "checkpoint", stop)
    gone_on, again = trained(tmp_path / "checkpoint", lambda history: None)
    assert history["loss"] == again["loss"]
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), gone_on.parameters(), strict=True))
    assert len(FixedSteps(MappedBatches(sentences, 8), 5)) == 5


def test_what_cannot_be_used_is_refused(tmp_path, text):
    with pytest.raises(ValueError, match=r"none.txt: there is no such file; expected a text"):
        LargeText(tmp_path / "none.txt", Words(), tmp_path)
    with pytest.raises(ValueError, match="batch_size >= 1"):
        MappedBatches(text.encoded(text.vocabulary(max_size=9)), 0)
    with pytest.raises(ValueError, match="expected sentences"):
        MappedBatches([], 3)


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch, text):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r"large.txt: needs a package .* pip install"):
        text.vocabulary(max_size=9)


def test_the_course_is_imported_without_the_package():
    program = "import sys, vae_course.text.mapped; print('datasets' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"
