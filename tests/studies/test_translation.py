import itertools
import json

import pytest

from vae_course.studies import store, translation
from vae_course.text.models import TextSizes
from vae_course.text.parallel import ParallelTextVAE
from vae_course.training import seeded_module

SIZE = 7
SMALL = TextSizes(embedding=5, hidden=6, latent=2)


def parallel(longest=8, seed=0):
    return seeded_module(seed, lambda: ParallelTextVAE(SIZE, SIZE, SMALL, longest)).double()


def test_what_is_stored_is_complete():
    stored = store.stored(translation.NAME)
    assert stored["command"] == "vae-course measure translation_world"
    runs = [(row["pairs"], row["seed"], row["name"]) for row in stored["few_pairs"]]
    assert runs == list(itertools.product((50, 100, 300, 1000), (0, 1, 2), translation.FEW_PAIRS))
    directions = [(row["seed"], row["source"], row["target"]) for row in stored["directions"]]
    assert directions == list(itertools.product((0, 1), translation.LANGUAGES, translation.LANGUAGES))  # as the lesson reads it


@pytest.fixture
def quick(tmp_path, monkeypatch):
    """The study without training: each part says what it was asked."""
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
    for name in ("_at_once", "_few_pairs", "_directions"):
        monkeypatch.setattr(translation, name, lambda *choice: {"rows": [list(choice)]})
    return tmp_path


def test_finished_parts_are_kept_for_the_same_sizes_and_texts(quick, monkeypatch):
    path = translation.measure(scratch=quick / "scratch")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert len(document["few_pairs"]) == 4 * 3 * 4
    assert document["directions"] == [[0], [1]]
    monkeypatch.setattr(translation, "_few_pairs", lambda *choice: pytest.fail("what was finished is made again"))
    again = json.loads(translation.measure(scratch=quick / "scratch").read_text(encoding="utf-8"))
    assert again["few_pairs"] == document["few_pairs"]
    told = r"at-once-.*json: was made under other settings: "
    with monkeypatch.context() as patched:
        patched.setattr(translation, "SMALL", TextSizes(embedding=65))
        with pytest.raises(ValueError, match=told + r"small\.embedding was 64, is now 65"):
            translation.measure(scratch=quick / "scratch")
    monkeypatch.setattr(translation, "splits", lambda language: {"train": [], "validation": [], "test": []})
    with pytest.raises(ValueError, match=told + r"texts\.english was"):
        translation.measure(scratch=quick / "scratch")
