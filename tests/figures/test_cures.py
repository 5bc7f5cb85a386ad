import pytest

from vae_course.figures import cures
from vae_course.world.languages import WORLD


def points(axes, filled=True):
    """The (x, y) of all single points that are filled, or that are not."""
    lines = [line for line in axes.lines if line.get_marker() in ("o", "D", "^", "v") and len(line.get_xdata()) == 1]
    return [tuple(line.get_xydata()[0]) for line in lines if (line.get_markerfacecolor() != "white") == filled]


def names(axes):
    return [text.get_text() for text in axes.texts]


def test_a_model_stands_at_its_elbo_and_at_its_nll_above_the_floor(model_rows):
    (axes,) = cures.above_the_line(model_rows).figure.axes
    assert points(axes) == [pytest.approx(p) for p in ((0, 0.5), (0.6, 0.9), (6, 2.5))]
    assert points(axes, filled=False) == [pytest.approx(p) for p in ((0, 0.5), (0.6, 0.7), (6, 1.5))]
    assert names(axes) == ["language model", "quiet", "loud"]


def test_the_frontier_is_drawn_from_one_name_to_the_next(model_rows):
    (axes,) = cures.above_the_line(model_rows, ["language model", "loud"]).figure.axes
    (line,) = [line for line in axes.lines if line.get_label() == "frontier of these models"]
    assert line.get_xydata().tolist() == [pytest.approx([0, 0.5]), pytest.approx([6, 2.5])]


def test_the_words_tell_where_the_chosen_cure_lies(model_rows):
    assert cures.above_the_line(model_rows, highlight="loud").words.endswith(
        " loud: rate 6.00, information at least 4.00, facts kept 70%, D + R 2.50 above."
    )
    assert cures.above_the_line(model_rows, highlight="quiet").words.endswith(
        " quiet: rate 0.60 ±0.10, information at least 0.50 ±0.10, facts kept 35% ±5%, D + R 0.90 ±0.20 above."
    )


def test_of_two_near_points_the_upper_ones_name_is_the_upper_one():
    rows = [{"name": "upper", "nll": 15.07, "nats_above_truth": 1.07}, {"name": "lower", "nll": 15.0, "nats_above_truth": 1.0}]
    far = {"name": "far", "nll": 15.5, "nats_above_truth": 1.5, "rate": 6.0, "negative_elbo": 18.0}
    for order in ([*rows, far], [far, *reversed(rows)]):
        (axes,) = cures.above_the_line(order).figure.axes
        height = {text.get_text(): text.get_window_extent().y0 for text in axes.texts}
        assert height["upper"] > height["lower"]


def test_where_the_truth_is_unknown_nothing_is_called_impossible(model_rows, rows_without_truth):
    assert "not known" in cures.above_the_line(rows_without_truth).words
    assert not cures.above_the_line(rows_without_truth).figure.axes[0].patches
    assert cures.above_the_line(model_rows).figure.axes[0].patches
    assert "nobody knows" in cures.bound(None).words


def test_the_bound_names_the_worlds_exact_entropies():
    language = WORLD.english
    words = cures.bound(language).words
    assert f"{language.entropy:.2f}" in words
    assert f"rate {language.prior.entropy:.2f}" in words


def test_the_market_shows_every_model_that_has_a_z_and_names_some(model_rows):
    (axes,) = cures.bought(model_rows, within=0.25, named=["loud"], most=2).figure.axes
    assert points(axes) == [pytest.approx(p) for p in ((0.5, 0.7), (4.0, 1.5))]
    assert names(axes) == ["loud"]


def test_what_is_dearer_stands_on_the_upper_edge_and_what_is_only_a_bound_is_open(model_rows):
    (axes,) = cures.bought(model_rows, within=0.25).figure.axes
    assert points(axes)[-1] == pytest.approx((4.0, 1.0))
    failed = [row | {"proposal_fails": True} if row["name"] == "loud" else row for row in model_rows]
    (axes,) = cures.bought(failed, within=0.25, most=2).figure.axes
    assert points(axes, filled=False) == [pytest.approx((4.0, 1.5))]
    assert [line.get_marker() for line in axes.lines if line.get_markerfacecolor() == "white"] == ["v", "v"]  # and the legend's


def test_the_words_tell_what_is_drawn(model_rows):
    assert cures.above_the_line(model_rows).words == (
        "Nats above the line D + R = H, from NLL to negative ELBO: "
        "language model, rate 0.00, 0.50; quiet, rate 0.60, 0.70 to 0.90; loud, rate 6.00, 1.50 to 2.50."
    )
    assert "quiet 0.50 nats for 0.70" in cures.bought(model_rows, within=0.25, named=["quiet"], most=2).words
    picture = cures.rates({"one": [20.0, 0.01], "other": [5.0, 4.0]}, promised=2.88)
    assert picture.words.endswith("one 0.01, other 4.00; the largest before was 20.")
    assert picture.figure.axes[0].get_title("left") == "At the end 1 of 2 models have a rate below 0.1 nats"


def test_normalized_means_and_a_target_have_the_same_colours_in_both_pictures():
    models = ("plain", "annealing", "free bits + annealing", "target", "normalized means")
    curves = {
        line.get_label(): line.get_color() for line in cures.rates(dict.fromkeys(models, (5.0, 4.0)), 2.88).figure.axes[0].lines
    }
    losses = {line.get_label(): line.get_color() for line in cures.penalties(0.5, 4, 4, 2.88).figure.axes[0].lines}
    assert losses["target 4, with strength 10"] == curves["target"]
    assert losses["normalized means: R ≥ 2.88"] == curves["normalized means"]


def test_a_message_is_the_title(model_rows):
    assert cures.above_the_line(model_rows, title="All lie high").figure.axes[0].get_title(loc="left") == "All lie high"


def test_the_rates_that_are_sought_are_drawn_and_named():
    (axes,) = cures.rates({"one": [20.0, 4.0]}, promised=2.88, sought=(4, 6)).figure.axes
    assert [line.get_ydata()[0] for line in axes.lines if (line.get_color(), line.get_linestyle()) == (cures.INK, "-")] == [
        4,
        6,
    ]
    assert names(axes) == ["4 nats", "6 nats"]


def test_the_words_count_how_often_a_weight_starts_from_0():
    words = cures.schedules({"ramp": lambda step: min(1, step / 4), "saw": lambda step: step % 5 / 4}, steps=20).words
    assert words == "KL weights over 20 steps: ramp starts from 0 once and ends at 1, saw starts from 0 4 times and ends at 1."


def test_what_is_further_up_is_in_the_legend_only_where_something_is(model_rows):
    for most, expected in ((1.0, 1), (2.0, 0)):
        (axes,) = cures.bought(model_rows, within=0.25, most=most).figure.axes
        assert sum("further up" in text.get_text() for text in axes.get_legend().get_texts()) == expected
