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


def test_what_holds_for_some_runs_is_counted():
    assert f"{Spread.of([True, False, False]):of}" == "1 of 3"
    assert f"{Spread.of([False, False, False]):of}" == "0 of 3"
    assert f"{Spread.of([True]):of}" == "1"


def study(*names_and_seeds):
    rows = [{"name": name, "seed": seed} for name, seeds in names_and_seeds for seed in range(seeds)]
    budget, sizes = {"steps": 9_000, "batch_size": 32}, {"hidden": 128, "latent": 16}
    made = {"command": "vae-course measure it", "date": "2026-11-25", "device": "CPU"}
    return {"rows": rows, "budget": budget, "sizes": sizes} | made


def test_circumstances_name_models_with_more_or_fewer_seeds_than_most():
    told = tables.circumstances(study(("language model", 5), ("quiet", 3), ("loud", 3), ("plain", 5), ("odd", 3)))
    assert told.endswith("z 16, 3 seeds (language model, plain: 5), CPU")
    assert "z 16, 2 seeds, CPU" in tables.circumstances(study(("quiet", 2), ("loud", 2)))
    assert "z 16, 1 seed, CPU" in tables.circumstances(study(("quiet", 1)))


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


def test_rows_stand_below_the_titles_of_their_groups(model_rows):
    groups = {"a long title, longer than any name or figure": ["loud"], "others": ["quiet", "language model"]}
    lines = table(model_rows, {"NLL": ("nll", ".2f")}, groups).splitlines()
    assert lines[1] == next(iter(groups))
    assert [line.split() for line in lines[2:]] == [
        ["loud", "16.00"],
        ["others"],
        ["quiet", "15.20", "±0.10"],
        ["language", "model", "15.00"],
    ]
    assert lines[2].startswith("  loud")
    assert len({len(line) for line in (lines[0], lines[2], *lines[4:])}) == 1
    with pytest.raises(ValueError, match="no row is of 'silent'; there are language model, quiet, loud"):
        table(model_rows, {"NLL": ("nll", ".2f")}, {"others": ["silent"]})


def test_a_column_that_no_row_has_is_left_out(model_rows):
    lines = table(model_rows, {"NLL": ("nll", ".2f"), "errors": ("nowhere", ".0%")}).splitlines()
    assert lines[0].split() == ["NLL"]


def test_information_is_the_lower_bound_where_it_was_measured(model_rows):
    row = model_rows[2]
    assert tables.information(row) == 4.0
    assert tables.information(row | {"information_at_least": 3.5}) == 3.5
    assert tables.information(model_rows[0]) is None


def test_an_nll_is_only_a_bound_where_the_weights_failed(model_rows):
    row = model_rows[2] | {"samples": 20}  # ln 20 is 3, and the NLL lies 1 below the negative ELBO
    assert not tables.only_a_bound(row)
    assert tables.only_a_bound(row | {"nll": row["nll"] - 1.2})
    assert tables.only_a_bound(row | {"proposal_fails": True})
    assert not tables.only_a_bound(model_rows[0])


def test_paired_errors_are_a_column_of_studies_that_have_them(model_rows):
    document = {"rows": model_rows, "paired": {"names": ["language model", "quiet"], "standard_errors": [[], [0.01]]}}
    error = tables.paired_error(document, "language model")
    assert [error(row) for row in model_rows] == [None, 0.01, None, None]  # once for both seeds
    assert tables.paired_error({"rows": model_rows}, "language model")(model_rows[-1]) is None


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
