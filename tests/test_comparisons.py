import math

import pytest

from vae_course import comparisons, measurements
from vae_course.comparisons import Floor, Spread, floor, most_information, over_seeds, published, published_table, table
from vae_course.figures import cures
from vae_course.world import WORLD


def vae(name, seed, nll, rate, distortion, information, person):
    return {
        "name": name,
        "seed": seed,
        "nll": nll,
        "nats_above_truth": nll - 14.5,
        "rate": rate,
        "distortion": distortion,
        "negative_elbo": rate + distortion,
        "mutual_information": information,
        "facts_kept": {"person": person, "thing": 0.4},
    }


ROWS = [
    {"name": "language model", "seed": 0, "nll": 15.0, "nats_above_truth": 0.5},
    vae("quiet", 0, 15.1, 0.5, 14.7, 0.4, 0.2),
    vae("loud", 0, 16.0, 6.0, 11.0, 4.0, 1.0),
    vae("quiet", 1, 15.3, 0.7, 14.9, 0.6, 0.4),
]
UNKNOWN = [{key: value for key, value in row.items() if key != "nats_above_truth"} for row in ROWS]


def test_a_figure_over_seeds_is_its_mean_and_its_range_without_models_that_lack_it():
    found = over_seeds(ROWS, "rate")
    assert list(found) == ["quiet", "loud"]
    assert found["quiet"] == Spread(pytest.approx(0.6), 0.5, 0.7, 2)
    assert found["loud"] == Spread(6.0, 6.0, 6.0, 1)
    assert over_seeds(ROWS, "facts_kept")["quiet"].mean == pytest.approx((0.3 + 0.4) / 2)
    assert over_seeds(ROWS, lambda row: row["nll"] - 15)["loud"].mean == pytest.approx(1.0)


def test_a_spread_reads_as_its_mean_and_its_farthest_seed():
    assert f"{Spread.of([0.1, 0.2, 0.6]):.2f}" == "0.30 ±0.30"
    assert f"{Spread.of([0.25]):.0%}" == "25%"


def test_the_floor_is_the_truths_nll_or_the_language_models():
    assert floor(ROWS) == Floor(pytest.approx(14.5), known=True)
    assert floor(UNKNOWN) == Floor(15.0, known=False)
    with pytest.raises(ValueError, match="nothing to compare with"):
        floor([row for row in UNKNOWN if row["name"] != "language model"])


def test_the_best_buy_is_the_most_informative_that_is_near_enough():
    assert most_information(ROWS, within=0.25) == "quiet"
    assert most_information(ROWS, within=1.0) == "loud"
    with pytest.raises(ValueError, match=r"within 0\.1 nats"):
        most_information(ROWS, within=0.1)


def test_a_table_has_a_line_a_model_and_dashes_where_it_has_no_figure():
    lines = table(ROWS, {"NLL": ("nll", ".2f"), "facts": ("facts_kept", ".0%")}).splitlines()
    assert [line.split() for line in lines] == [
        ["NLL", "facts"],
        ["language", "model", "15.00", "–"],
        ["quiet", "15.20", "±0.10", "35%", "±5%"],
        ["loud", "16.00", "70%"],
    ]
    assert len({len(line) for line in lines}) == 1


def test_published_rows_say_where_they_were_read():
    for corpus in ("Penn Treebank", "Yahoo Answers"):
        rows = published(corpus)
        assert all(row["status"] == "read in the source text" and len(row["source"]) > 10 for row in rows)
        shown = published_table(corpus)
        assert all(row["work"] in shown and row["source"] in shown for row in rows)
    with pytest.raises(ValueError, match="no results on 'Moby-Dick'"):
        published("Moby-Dick")


def test_published_nll_and_perplexity_of_a_model_count_the_same_tokens():
    """Penn Treebank's test set has 82,430 tokens with <eos> in 3,761 sentences: NLL per token is the log of the perplexity."""
    checked = [row for row in published("Penn Treebank") if "nll" in row]
    assert checked
    for row in checked:
        assert float(row["nll"]) / math.log(float(row["perplexity"])) == pytest.approx(82_430 / 3_761, rel=1e-3)


def test_a_run_that_was_not_made_yet_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(measurements, "RESULTS", tmp_path)
    assert "not measured yet" in comparisons.our_table("ptb")


# --- the pictures of it -----------------------------------------------------------------------------------------------


def widths(axes):
    return [[patch.get_width() for patch in container] for container in axes.containers]


def test_the_bars_are_the_models_error_and_the_encoders_gap():
    left, right = cures.plane(ROWS).figure.axes
    error, gap = widths(right)
    assert error == pytest.approx([0.5, 0.7, 1.5])
    assert gap == pytest.approx([0, (0.1 + 0.3) / 2, 1.0])
    assert [label.get_text() for label in right.get_yticklabels()] == ["1  language model", "2  quiet", "3  loud"]
    places = {tuple(map(float, point)) for line in left.lines[1:] for point in line.get_xydata()}
    assert places == {(0.0, 15.0), (0.5, 14.7), (0.7, 14.9), (6.0, 11.0)}


def test_where_the_truth_is_unknown_nothing_is_called_impossible():
    assert "not known" in cures.plane(UNKNOWN).words
    assert not cures.plane(UNKNOWN).figure.axes[0].patches
    assert cures.plane(ROWS).figure.axes[0].patches
    assert "nobody knows" in cures.bound(None).words


def test_the_bound_names_the_worlds_exact_entropies():
    language = WORLD.english
    words = cures.bound(language).words
    assert f"{language.entropy:.2f}" in words
    assert f"rate {language.prior.entropy:.2f}" in words


def test_what_lies_far_outside_is_named_and_does_not_squeeze_the_rest():
    far = {**ROWS[2], "name": "far", "rate": 300.0, "negative_elbo": 311.0}
    left, right = cures.plane([*ROWS, far]).figure.axes
    assert left.get_xlim() == cures.plane(ROWS).figure.axes[0].get_xlim()
    assert right.get_xlim() == cures.plane(ROWS).figure.axes[1].get_xlim()
    assert "4: far outside →" in [text.get_text() for text in left.texts]
    assert any(text.get_text().startswith("296 →") for text in right.texts)  # 311 above 14.5, to the nearest even nat


def test_the_market_shows_every_model_that_has_a_z():
    axes = cures.bought(ROWS, within=0.25).figure.axes[0]
    points = [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == "o"]
    assert points == [pytest.approx([0.5, 0.7]), pytest.approx([4.0, 1.5])]
    assert axes.get_yscale() == "log"
    assert cures.bought(UNKNOWN, within=0.25).figure.axes[0].get_yscale() == "log"
