"""Lines cut and pasted, errors made on purpose, corrections counted as edits."""

import pytest

from vae_course.applications.own import errors
from vae_course.applications.own.errors import Counts, Noise, Reading
from vae_course.training import seeded

LINES = ["The cat, a big one, sleeps.", "  two  spaces ", "It's 3.5 o'clock!", "", "ÉTÉ « ici »", "no-one knows"]


def as_written(line):
    return [Reading(place, word) for place, word in enumerate(line.words)]


@pytest.mark.parametrize("text", LINES)
def test_a_line_that_nothing_changed_is_as_it_was(text):
    line = errors.cut(text)
    assert errors.pasted(line, as_written(line)) == text
    assert errors.marked(line, as_written(line)) == text


def test_changes_keep_case_and_space():
    line = errors.cut("Teh CTA sleeps the here , ok.")
    assert line.words == ("teh", "cta", "sleeps", "the", "here", ",", "ok", ".")
    meant = [(0, "the"), (1, "cat"), (2, "sleeps"), (4, "here"), (5, ","), (None, "is"), (6, "it"), (7, ".")]
    readings = [Reading(*one) for one in meant]
    assert errors.pasted(line, readings) == "The CAT sleeps here , is it."
    assert errors.marked(line, readings) == "[Teh>The] [CTA>CAT] sleeps [the>] here , [>is] [ok>it]."
    assert errors.pasted(errors.cut("cat sleeps"), [Reading(None, "the"), Reading(0, "cat")]) == "The cat"


def test_noise_makes_each_kind_of_error_as_often_as_it_says():
    noise = Noise({"cat": ["cta"]}, {"there": ["their"]}, ("a",), misspelled=0.2, confused=0.3, left_out=0.25, put_in=0.0)
    written = noise([("cat", "there", "a")] * 4_000, seeded(0))
    for word, share in (("cta", 0.2), ("their", 0.3), ("a", 0.75)):
        found = sum(word in row for row in written) / 4_000
        assert found == pytest.approx(share, abs=4 * (share * (1 - share) / 4_000) ** 0.5)
    twice = Noise({}, {}, ("a",), left_out=0.0, put_in=0.5)([("cat",)] * 4_000, seeded(0))
    assert sum(len(row) == 2 for row in twice) / 4_000 == pytest.approx(0.5, abs=0.032)
    assert {row[1] for row in twice if len(row) == 2} == {"cat", "a"}


def test_edits_are_spans():
    written, meant = ("the", "cat", "sat", "on", "in", "mat"), ("the", "dog", "sat", "in", "the", "mat")
    assert errors.edits(written, meant) == {(1, 2, ("dog",)), (3, 4, ()), (5, 5, ("the",))}
    assert errors.edits(("a",), ("b", "c", "a")) == {(0, 0, ("b", "c"))}
    assert errors.edits((), ()) == set()
    assert errors.edits(("a", "b", "c"), ("x", "y", "c")) == {(0, 1, ("x",)), (1, 2, ("y",))}
    assert errors.edits(written, written) == set()


def test_edits_are_counted_by_kind():
    written, meant = ("teh", "cat", "sleeps", "sleeps", "dog", "house"), ("the", "cat", "sleeps", "in", "a", "house")
    said = ("the", "cat", "sleeps", "the", "house")
    taken_out = errors.counted([("a", "a", "the", "cat")], [("a", "cat")], [("a", "the", "cat")], frozenset())
    assert (taken_out["said twice"], taken_out["put in"]) == (Counts(1, 1, 1), Counts(1, 0, 0))
    found = errors.counted([written], [said], [meant], frozenset({"cat", "sleeps", "dog", "house"}))
    assert found["non-words"] == Counts(1, 1, 1)
    assert found["real words"] == Counts(1, 0, 2)
    assert found["said twice"] == Counts(1, 0, 0)
    assert found["all"] == Counts(3, 1, 3)
    assert (found["all"].precision, found["all"].recall) == (1 / 3, 1 / 3)
    assert found["all"].f_half == pytest.approx(1 / 3)
    assert Counts(0, 0, 2).precision == 1


def test_words_are_confused_both_ways():
    assert all(word in errors.CONFUSED[other] for word, others in errors.CONFUSED.items() for other in others)
    assert set(errors.CONFUSED["there"]) == {"their", "they're"}
