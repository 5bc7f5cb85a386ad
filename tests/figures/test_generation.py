"""The pictures of lesson 11 show the numbers that they were given."""

import math

import pytest
import torch

from vae_course.figures import generation


def labels(axes):
    return [entry.get_text() for entry in axes.get_legend().get_texts()]


def test_the_table_has_a_line_a_writer_and_a_dash_for_the_unknown():
    lines = generation.table({"real": {"new": 0.5, "reverse": 3.25}, "a parrot": {"new": 0.0, "reverse": math.nan}}).split("\n")
    assert [line.split() for line in lines] == [["new", "reverse"], ["real", "0.500", "3.25"], ["a", "parrot", "0.000", "-"]]
    assert len({len(line) for line in lines}) == 1  # columns are aligned


def test_distributions_share_their_scale_and_the_order_of_the_words():
    shapes = {"one": torch.tensor([0.7, 0.3]), "two": torch.tensor([0.5, 0.5])}
    one, two = generation.reshaped(["cat", "dog"], shapes).figure.axes
    assert [bar.get_width() for bar in one.patches] == pytest.approx([0.7, 0.3])
    assert one.patches[0].get_y() > one.patches[1].get_y()  # the first word is on top
    assert [tick.get_text() for tick in one.get_yticklabels()] == ["cat", "dog"]
    assert one.get_xlim() == two.get_xlim()


def test_the_frontier_has_every_curve_and_point_in_its_place():
    curves = {"LM": ([80, 90], [0.9, 1.0], ["1.0", "0.5"]), "VAE": ([82, 91], [0.8, 0.9], ["1.0", "0.5"])}
    (axes,) = generation.frontier(curves, {"real": (85, 1.0)}, "share accepted").figure.axes
    assert [line.get_xdata().tolist() for line in axes.lines] == [[80, 90], [82, 91], [85]]
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.9, 1.0], [0.8, 0.9], [1.0]]
    assert labels(axes) == ["LM", "VAE", "real"]
    assert [text.get_text() for text in axes.texts] == ["1.0", "0.5", "1.0", "0.5"]
    assert "real text has both" in axes.get_title(loc="left")
    of_yours = generation.frontier(curves, {"real": (85, 1.0)}, "log p", known=False)
    assert "both" not in of_yours.words + of_yours.figure.axes[0].get_title(loc="left")


def test_greedy_variety_names_each_share():
    (axes,) = generation.greedy_variety({"VAE": 0.95, "collapsed": 0.002}, 2000).figure.axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([95, 0.2])
    assert [text.get_text() for text in axes.texts] == ["1,900 of 2,000", "4 of 2,000"]
    assert "2,000" in axes.get_xlabel()


@pytest.mark.parametrize("one", [("the beam's", 9.0), None])
def test_histograms_share_their_axis_and_count_every_sentence(one):
    nats = {"real": torch.linspace(10, 16, 50), "greedy": torch.linspace(9.5, 12, 20)}
    real, greedy = generation.likeliest(nats, one, "nats").figure.axes
    assert sum(bar.get_height() for bar in real.patches) == 50
    assert sum(bar.get_height() for bar in greedy.patches) == 20
    assert real.get_xlim() == greedy.get_xlim()
    assert real.lines[0].get_xdata() == pytest.approx([13, 13])  # the mean
    assert len(real.lines) == (2 if one else 1)


def test_shares_on_demand_are_drawn_in_percent_with_their_numbers():
    figure = generation.on_demand([1, 2], {"asked": [0.9, 0.5], "idle": [0.1, 0.0]}, [1.0, 0.8]).figure
    left, right = figure.axes
    assert [line.get_ydata().tolist() for line in left.lines] == [[90, 50], [10, 0]]
    assert [text.get_text() for text in left.texts] == ["90.0", "50.0", "10.0", "0.0"]
    assert left.get_ylim()[0] < 0
    (legend,) = figure.legends
    assert [entry.get_text() for entry in legend.get_texts()] == ["asked", "idle"]
    assert [bar.get_height() for bar in right.patches] == pytest.approx([100, 80])
