import pytest

from vae_course.figures import cures
from vae_course.world.languages import WORLD


def widths(axes):
    return [[patch.get_width() for patch in container] for container in axes.containers]


def test_the_bars_are_the_models_error_and_the_encoders_gap(model_rows):
    left, right = cures.plane(model_rows).figure.axes
    error, gap = widths(right)
    assert error == pytest.approx([0.5, 0.7, 1.5])
    assert gap == pytest.approx([0, (0.1 + 0.3) / 2, 1.0])
    assert [label.get_text() for label in right.get_yticklabels()] == ["1  language model", "2  quiet", "3  loud"]
    places = {tuple(map(float, point)) for line in left.lines[1:] for point in line.get_xydata()}
    assert places == {(0.0, 15.0), (0.5, 14.7), (0.7, 14.9), (6.0, 11.0)}


def test_the_words_tell_where_the_chosen_cure_lies(model_rows):
    assert cures.plane(model_rows, highlight="loud").words.endswith(" loud: rate 6.00, distortion 11.00 nats.")
    assert cures.plane(model_rows, highlight="quiet").words.endswith(" quiet: rate 0.60 ±0.10, distortion 14.80 ±0.10 nats.")


def test_where_the_truth_is_unknown_nothing_is_called_impossible(model_rows, rows_without_truth):
    assert "not known" in cures.plane(rows_without_truth).words
    assert not cures.plane(rows_without_truth).figure.axes[0].patches
    assert cures.plane(model_rows).figure.axes[0].patches
    assert "nobody knows" in cures.bound(None).words


def test_the_bound_names_the_worlds_exact_entropies():
    language = WORLD.english
    words = cures.bound(language).words
    assert f"{language.entropy:.2f}" in words
    assert f"rate {language.prior.entropy:.2f}" in words


def test_what_lies_far_outside_is_named_and_does_not_squeeze_the_rest(model_rows):
    far = {**model_rows[2], "name": "far", "rate": 300.0, "negative_elbo": 311.0}
    left, right = cures.plane([*model_rows, far]).figure.axes
    assert left.get_xlim() == cures.plane(model_rows).figure.axes[0].get_xlim()
    assert right.get_xlim() == cures.plane(model_rows).figure.axes[1].get_xlim()
    assert "4: far outside →" in [text.get_text() for text in left.texts]
    assert any(text.get_text().startswith("296 →") for text in right.texts)  # 311 above 14.5, to the nearest even nat


def test_the_market_shows_every_model_that_has_a_z(model_rows, rows_without_truth):
    axes = cures.bought(model_rows, within=0.25).figure.axes[0]
    points = [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == "o"]
    assert points == [pytest.approx([0.5, 0.7]), pytest.approx([4.0, 1.5])]
    assert axes.get_yscale() == "log"
    assert cures.bought(rows_without_truth, within=0.25).figure.axes[0].get_yscale() == "log"
