"""The floors of collapse: a conditional entropy that is counted, and what is stored of it."""

import math

import pytest

from vae_course.studies import collapse_floors, store


def test_a_word_that_its_view_decides_costs_only_what_counting_adds():
    sentences = [[1, 5, 5, 2]] * 50 + [[1, 6, 6, 2]] * 50
    # With no word in view both words are open; with one, the second repeats the first.
    for words_seen, open_words in ((0, 2), (1, 1), (2, 1)):
        expected = open_words * (math.log(2) + 0.5 / 100)
        assert collapse_floors.least_nats(sentences, words_seen) == pytest.approx(expected)


def test_what_is_stored_falls_with_the_words_in_view_and_never_below_the_entropy():
    document = store.stored(collapse_floors.NAME)
    assert [row["sees"] for row in document["rows"]] == list(collapse_floors.WINDOWS)
    nats = [row["nats"] for row in document["rows"]]
    assert nats == sorted(nats, reverse=True)
    assert nats[-1] > document["entropy"]
    assert all(row["above_truth"] == pytest.approx(row["nats"] - document["entropy"]) for row in document["rows"])
