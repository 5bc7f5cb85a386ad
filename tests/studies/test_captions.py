import math

import pytest

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
