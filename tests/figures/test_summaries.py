"""Pictures of lesson 12 show the numbers that they were given."""

import pytest
import torch

from vae_course.figures import summaries as pictures
from vae_course.probability.estimators import Estimate


def widths(axes):
    return [bar.get_width() for bar in axes.patches]


def test_the_misled_scores_say_how_often_the_wrong_one_wins():
    wrong, right = torch.tensor([0.9, 0.9, 0.9, 0.9]), torch.tensor([0.5, 0.6, 0.95, 0.7])
    picture = pictures.misled({"ROUGE-1": wrong, "ROUGE-L": right}, {"ROUGE-1": right, "ROUGE-L": wrong})
    assert [axes.get_title(loc="left") for axes in picture.figure.axes] == [
        "ROUGE-1: in 75% of events",
        "ROUGE-L: in 25% of events",
    ]


def test_a_panel_a_room_and_a_line_a_model():
    rooms = {"wide": {"a": [0.1, 0.5], "b": [0.2, 0.25]}, "narrow": {"a": [0.0, 0.3]}}
    picture = pictures.more_reports(rooms, as_told=0.3)
    drawn = {axes.get_title(loc="left"): [list(line.get_ydata()) for line in axes.lines] for axes in picture.figure.axes}
    assert drawn["wide"] == [pytest.approx([10, 50]), pytest.approx([20, 25]), pytest.approx([30, 30])]
    assert drawn["narrow"] == [pytest.approx([0, 30]), pytest.approx([30, 30])]


def test_the_bars_are_the_shares_and_the_line_is_the_best():
    shares = {"first": Estimate(0.3, 0.02), "best subset": Estimate(0.9, 0.01), "Bayes": Estimate(0.96, 0.01)}
    (axes,) = pictures.all_right(shares, "Bayes").figure.axes
    assert widths(axes) == pytest.approx([30, 90, 96])
    assert axes.lines[-1].get_xdata()[0] == pytest.approx(96)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(shares)


def test_scores_side_by_side_are_grouped_by_kind():
    scores = {"lead": {"facts": 0.0, "ROUGE-1": 0.2}, "model": {"facts": 1.0, "ROUGE-1": 0.9}}
    (axes,) = pictures.side_by_side(scores).figure.axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0, 20, 100, 90])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["facts", "ROUGE-1"]
    assert "tie" in axes.get_title(loc="left")


def test_of_a_text_of_yours_no_picture_says_what_was_found_in_the_world():
    beside = pictures.side_by_side({"lead": {"ROUGE-1": 0.2}, "model": {"ROUGE-1": 0.9}}, known=False)
    assert "tie" not in beside.figure.axes[0].get_title(loc="left")
    assert "level" not in beside.words
    ways = pictures.ways_to_say({"likeliest": (Estimate(1.0, 0.0), 1.0)}, 10, known=False)
    (axes,) = ways.figure.axes
    assert widths(axes) == [1]
    assert "right" not in axes.get_xlabel()
    assert "slips" not in ways.words


def test_temperatures_have_a_line_a_model_and_say_what_is_right_only_where_it_is_known():
    swept = {
        "without z": [(Estimate(1.0, 0.0), 1.0), (Estimate(6.0, 0.2), 0.8)],
        "z drawn": [(Estimate(4.0, 0.1), 0.99), (Estimate(7.0, 0.2), 0.9)],
    }
    left, right = pictures.temperatures(swept, [0, 1], 10).figure.axes
    assert [list(line.get_xdata()) for line in left.lines + right.lines] == [[0, 1]] * 4
    assert [list(line.get_ydata()) for line in left.lines] == [[1, 6], [4, 7]]
    assert [list(line.get_ydata()) for line in right.lines] == [pytest.approx([100, 80]), pytest.approx([99, 90])]
    of_yours = pictures.temperatures(swept, [0, 1], 10, known=False)
    (axes,) = of_yours.figure.axes
    assert [line.get_label() for line in axes.lines] == ["without z", "z drawn"]
    assert "right" not in axes.get_ylabel() + of_yours.words


def test_ways_to_say_it_show_how_many_and_how_right():
    variety = {"likeliest": (Estimate(1.0, 0.0), 1.0), "drawn": (Estimate(6.5, 0.2), 0.8)}
    left, right = pictures.ways_to_say(variety, 10).figure.axes
    assert widths(left) == pytest.approx([1, 6.5])
    assert widths(right) == pytest.approx([100, 80])
