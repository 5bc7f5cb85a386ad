"""The pictures of lesson 15 show the numbers that they were given."""

import pytest
import torch

from vae_course.applications.correction import Detection, Restored
from vae_course.figures import corrections
from vae_course.text.vocabulary import Words


def widths(axes):
    return [bar.get_width() for bar in axes.patches]


def test_surprises_mark_what_is_wrong():
    picture = corrections.surprises(("a", "redd", "hat"), torch.tensor([0.5, 9.0, 2.0]), [False, True, False], threshold=4.0)
    (axes,) = picture.figure.axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0.5, 9, 2])
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True, False]
    assert axes.lines[0].get_ydata()[0] == 4
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "redd", "hat"]
    assert picture.words == "The surprisal of each of 3 words, of which 1 are wrong."


def test_detectors_have_a_panel_for_each_score():
    named = {"one": Detection(0.9, 0.0, 0.8, 0.4), "two": Detection(0.7, 0.0, 1.0, 0.5)}
    panels = corrections.detectors(named, "title", "words").figure.axes
    assert [widths(axes) for axes in panels] == [
        [0.9, 0.7],
        [0.8, 1.0],
        [0.4, 0.5],
        pytest.approx([named["one"].f_half, named["two"].f_half]),
    ]
    assert [tick.get_text() for tick in panels[0].get_yticklabels()] == ["one", "two"]


def test_correctors_show_what_is_whole_and_what_is_spoiled():
    named = {"a": Restored(0.3, 0.0, 0.0), "b": Restored(0.9, 0.8, 0.25)}
    left, right = corrections.correctors(named, optimum=0.92).figure.axes
    assert widths(left) == [0.3, 0.9]
    assert widths(right) == [0.0, 0.25]
    assert left.lines[0].get_xdata()[0] == 0.92
    assert right.get_xlim()[1] > 0.25
    without = corrections.correctors(named, known=False)
    assert not without.figure.axes[0].lines


def test_misspellings_and_few_pairs():
    (axes,) = corrections.misspellings({"near": 0.9, "far": 0.5}, "title").figure.axes
    assert widths(axes) == [0.9, 0.5]
    assert [text.get_text() for text in axes.texts] == ["90.0%", "50.0%"]
    rows = [{"name": "few", "whole": 0.2}, {"name": "few", "whole": 0.4}, {"name": "more", "whole": 0.7}]
    (axes,) = corrections.few_pairs(rows, 0.9).figure.axes
    assert widths(axes) == pytest.approx([0.3, 0.7])
    assert list(axes.lines[0].get_xdata()) == [0.2, 0.4]


def test_long_titles_are_not_cut_off():
    title = "684 real misspellings of words that were not trained on, counted"
    row = {"name": "... and errors made with z drawn, then greedy", "whole": 0.4}
    for figure in (
        corrections.misspellings({"most similar word": 0.9}, title).figure,
        corrections.few_pairs([row], 0.9).figure,
    ):
        figure.canvas.draw()
        (heading,) = [text for text in figure.texts if len(text.get_text()) > 50]
        box = heading.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_a_reading_flags_and_proposes():
    found = {("a", "cat"): 0.8, ("a", "hat"): 0.2}
    picture = corrections.reading(("a", "cta"), [0.0, 1.0], found, 0.5, Words())
    above, below = picture.figure.axes
    assert [bar.get_height() for bar in above.patches] == [0, 1]
    assert [bool(bar.get_hatch()) for bar in above.patches] == [False, True]
    assert widths(below) == [0.8, 0.2]
    assert [text.get_text() for text in below.texts] == ["0.800  a cat", "0.200  a hat"]
    assert picture.words == "Written: a cta. Flagged: cta. Proposed: a cat."
    nothing = corrections.reading(("a", "cat"), [0.0, 0.1], {}, 0.5, Words())
    assert nothing.words == "Written: a cat. Flagged: nothing. Proposed: no reading found."
