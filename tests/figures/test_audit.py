"""Pictures of lesson 17: what they count, and that they draw what they were given."""

import pytest
import torch

from vae_course.figures import audit


def test_dots_above_the_line_are_counted_as_refuting():
    log_p = torch.tensor([-1.0, -2.0, -3.0, -0.5])
    claimed = torch.tensor([-0.5, -2.0, -4.0, -0.1])
    picture = audit.refuted(log_p, claimed, log_p, log_p - 1)
    assert picture.words == (
        "Of 4 random cases 2 lie above the line and refute the article's bound; of 4 cases 0 refute the ELBO."
    )
    left, right = picture.figure.axes
    assert left.get_title(loc="left") == "The article's bound: 2 of 4 refute it"
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["holds", "refuted"]
    crosses = left.collections[1].get_offsets()
    assert crosses.tolist() == [pytest.approx([-1.0, -0.5]), pytest.approx([-0.5, -0.1])]
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["holds"]
    assert picture.png().startswith(b"\x89PNG")


def test_two_phases_draws_the_four_curves_and_the_turn():
    history = {"log p(x)": [1.0, 1.0], "ELBO": [0.0, 1.0], "gap": [1.0, 0.0], "regularizer": [0.0, 2.0]}
    left, right = audit.two_phases(history, turn=1).figure.axes
    assert [line.get_ydata().tolist() for line in left.lines[:2]] == [[1.0, 1.0], [0.0, 1.0]]
    assert [line.get_ydata().tolist() for line in right.lines[:2]] == [[1.0, 0.0], [0.0, 2.0]]
    assert {line.get_xdata()[0] for axes in (left, right) for line in axes.lines[2:]} == {1}


def test_arrivals_counts_epochs_from_one_and_draws_the_target():
    losses, seconds = {"a": [500.0, 200.0], "b": [400.0]}, {"a": [0.5, 1.0], "b": [2.0]}
    picture = audit.arrivals(losses, seconds, target=250, silent=480)
    assert "1 of 2 ways of training reach" in picture.words
    left, right = picture.figure.axes
    assert [line.get_xdata().tolist() for line in left.lines[:2]] == [[1, 2], [1]]
    assert [line.get_xdata().tolist() for line in right.lines[:2]] == [[0.5, 1.0], [2.0]]
    for axes in (left, right):
        assert [line.get_ydata()[0] for line in axes.lines[2:]] == [250, 480]


def test_no_two_of_many_ways_look_alike():
    ways = {f"way {k}": [300.0, 200.0] for k in range(8)}
    left, _ = audit.arrivals(ways, ways, target=250, silent=480).figure.axes
    assert len({(line.get_color(), repr(line._dash_pattern)) for line in left.lines[:8]}) == 8


def test_over_seeds_has_a_row_for_each_name_the_first_on_top():
    (axes,) = audit.over_seeds({"a": [0.9, 0.8], "b": [1.0]}, title="t", x_label="x", words="w", low=0.5).figure.axes
    assert [line.get_xdata().tolist() for line in axes.lines] == [[0.9, 0.8], [1.0]]
    assert [line.get_ydata()[0] for line in axes.lines] == [0, -1]
    assert axes.get_xlim() == pytest.approx((0.49, 1.01))
