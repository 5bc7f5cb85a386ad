import math

import pytest

from vae_course.studies import store, tables
from vae_course.studies.tables import Floor, Spread, floor, most_information, over_seeds, published, published_table, table


def test_a_figure_over_seeds_is_its_mean_and_its_range_without_models_that_lack_it(model_rows):
    found = over_seeds(model_rows, "rate")
    assert list(found) == ["quiet", "loud"]
    assert found["quiet"] == Spread(pytest.approx(0.6), 0.5, 0.7, 2)
    assert found["loud"] == Spread(6.0, 6.0, 6.0, 1)
    assert over_seeds(model_rows, "facts_kept")["quiet"].mean == pytest.approx((0.3 + 0.4) / 2)
    assert over_seeds(model_rows, lambda row: row["nll"] - 15)["loud"].mean == pytest.approx(1.0)


def test_a_spread_reads_as_its_mean_and_its_farthest_seed():
    assert f"{Spread.of([0.1, 0.2, 0.6]):.2f}" == "0.30 ±0.30"
    assert f"{Spread.of([0.25]):.0%}" == "25%"


def test_the_floor_is_the_truths_nll_or_the_language_models(model_rows, rows_without_truth):
    assert floor(model_rows) == Floor(pytest.approx(14.5), known=True)
    assert floor(rows_without_truth) == Floor(15.0, known=False)
    with pytest.raises(ValueError, match="nothing to compare with"):
        floor([row for row in rows_without_truth if row["name"] != "language model"])


def test_the_best_buy_is_the_most_informative_that_is_near_enough(model_rows):
    assert most_information(model_rows, within=0.25) == "quiet"
    assert most_information(model_rows, within=1.0) == "loud"
    with pytest.raises(ValueError, match=r"within 0\.1 nats"):
        most_information(model_rows, within=0.1)


def test_a_table_has_a_line_a_model_and_dashes_where_it_has_no_figure(model_rows):
    lines = table(model_rows, {"NLL": ("nll", ".2f"), "facts": ("facts_kept", ".0%")}).splitlines()
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
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    assert "not measured yet" in tables.our_table("ptb")
