import math

import pytest

from vae_course.studies import captions
from vae_course.studies.captions import edit_scores, misspelled
from vae_course.training import seeded


def test_words_are_misspelled_as_often_as_asked():
    forms = {"dog": ["dogg", "dgo"]}
    written = misspelled([("a", "dog", "runs")] * 4000, forms, 0.25, seeded(0))
    shares = [sum(s[1] == form for s in written) / 4000 for form in ("dog", "dogg", "dgo")]
    assert shares == pytest.approx([0.75, 0.125, 0.125], abs=4.5 * math.sqrt(0.75 * 0.25 / 4000))
    assert all(s[0] == "a" and s[2] == "runs" for s in written)


def test_edits_are_scored_by_hand():
    meant = [("a", "dog"), ("a", "dog"), ("their", "dog")]
    written = [("a", "dogg"), ("a", "dog"), ("thier", "dgo")]
    said = [("a", "dog"), ("a", "runs"), ("there", "dog")]
    scores = edit_scores(said, written, meant)
    precision, recall = 2 / 4, 2 / 3
    assert scores["precision"] == pytest.approx(precision)
    assert scores["recall"] == pytest.approx(recall)
    assert scores["f_half"] == pytest.approx(1.25 * precision * recall / (0.25 * precision + recall))
    assert scores["whole"] == pytest.approx(1 / 3)
    assert scores["spoiled"] == 1


def test_the_checkpoint_is_for_the_captions_the_sizes_and_the_budget(tmp_path, monkeypatch):
    (tmp_path / "multi30k").mkdir()
    for split in ("train", "val", "test2016"):
        (tmp_path / "multi30k" / f"{split}.en").write_text("a dog runs .\n" * 3 + "a cat sleeps .\n" * 3, encoding="utf-8")
    asked = []

    def stop(*_, checkpoint, **__):
        asked.append(checkpoint)
        raise KeyboardInterrupt

    monkeypatch.setattr(captions, "train_language_model", stop)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            captions.measure(scratch=tmp_path, folder=tmp_path, steps=100)
    assert asked[0] == asked[1]
    assert asked[0].path == tmp_path / "correction_captions-100.checkpoint"
    assert asked[0].settings["corpus"]["sentences"] == {"train": 6, "validation": 6, "test": 6}
    assert asked[0].settings["budget"]["steps"] == 100
    assert asked[0].settings["sizes"]["hidden"] == captions.SIZES.hidden
