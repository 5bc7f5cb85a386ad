"""The pictures of lesson 13 show the numbers that they were given, and its texts say their language to the browser."""

from itertools import pairwise

import pytest
import torch

from vae_course.figures import translations


def labels(axes):
    return [entry.get_text() for entry in axes.get_legend().get_texts()]


def test_texts_are_a_table_that_names_each_cells_language(capsys):
    texts = translations.Texts(("read", "written"), ("english", "chinese"), [("the <b> girl", "女孩"), ("a", "一")])
    shown = texts.mime_bundle()
    assert shown["text/html"].count('<td lang="zh"') == shown["text/html"].count('<td lang="en"') == 2
    assert ">女孩</td>" in shown["text/html"]
    assert "the &lt;b&gt; girl" in shown["text/html"]
    assert shown["text/plain"] == "read | written\nthe <b> girl | 女孩\na | 一"
    texts._ipython_display_()
    assert "the <b> girl | 女孩" in capsys.readouterr().out


def test_a_column_of_an_unknown_language_claims_none():
    texts = translations.Texts(("", "x"), ("", "french"), [("who", "quoi")])
    assert '<td style="text-align: left">who</td><td lang="fr"' in texts.mime_bundle()["text/html"]


def test_par_has_a_curve_a_score():
    (axes,) = translations.par([1, 2, 8], [75, 84, 95], [72, 80, 93]).figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[75, 84, 95], [72, 80, 93]]
    assert labels(axes) == ["BLEU", "chrF"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1", "2", "8"]


def test_variety_has_both_bars_for_each_way_to_write():
    left, right = translations.variety({"one": 0.9, "two": 1.0}, {"one": 4.5, "two": 1.0}, 10).figure.axes
    assert [bar.get_width() for bar in left.patches] == pytest.approx([0.9, 1.0])
    assert [bar.get_width() for bar in right.patches] == pytest.approx([4.5, 1.0])
    assert [text.get_text() for text in left.texts + right.texts] == ["90%", "100%", "4.5", "1.0"]
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["one", "two"]
    assert "that are the reference" in translations.variety({"a": 0.5}, {"a": 0.5}, 10, known=False).figure.axes[0].get_xlabel()


def test_directions_mark_what_was_never_trained():
    values = torch.tensor([[0.98, 1.0], [0.95, 0.99]])
    table = translations.directions(values, ["a", "b"], [("b", "a")])
    assert table.headings[1:] == ("written in A", "written in B")
    assert table.rows == [("read in A", "98.0% (a copy)", "100.0%"), ("read in B", "95.0% (never trained)", "99.0% (a copy)")]
    assert "<td style" in table.mime_bundle()["text/html"]  # a number is in no language


def test_few_pairs_average_over_seeds_and_show_each():
    rows = [
        {"pairs": pairs, "seed": seed, "name": name, "right": right + 0.1 * seed}
        for pairs, name, right in ((300, "x", 0.2), (300, "y", 0.4), (1000, "x", 0.6), (1000, "y", 0.5))
        for seed in (0, 1)
    ]
    (axes,) = translations.few_pairs(rows).figure.axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0.25, 0.65, 0.45, 0.55])
    assert [line.get_ydata().tolist() for line in axes.lines] == [
        pytest.approx(pair) for pair in ([0.2, 0.3], [0.6, 0.7], [0.4, 0.5], [0.5, 0.6])
    ]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["300 pairs", "1,000 pairs"]
    assert [text.get_text() for text in axes.texts] == ["25%", "65%", "45%", "55%"]


def test_four_models_stand_side_by_side_and_differ_in_grey():
    rows = [{"pairs": 50, "seed": 0, "name": name, "right": 0.5} for name in "abcd"]
    (axes,) = translations.few_pairs(rows).figure.axes
    edges = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert all(before[1] < after[0] for before, after in pairwise(edges))
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in axes.patches}) == 4


def test_strings_stand_beside_their_source_and_reference():
    rows = [{"name": "copy", "exact": 0.0625, "said": ["un", "deux"]}]
    table = translations.strings(rows, "fr", [("one", "un"), ("two", "deux"), ("three", "trois")])
    assert table.mime_bundle()["text/plain"].splitlines() == [
        "test string | reference | copy (6.2% exactly right)",
        "one | un | un",
        "two | deux | deux",
    ]
    assert list(table.languages) == ["english", "french", "french"]


def test_real_text_has_a_panel_a_language_and_both_scores():
    rows_in = {code: [{"name": "copy", "bleu": 10.0 + k, "chrf": 30.0 + k}] for k, code in enumerate(("zh", "fr"))}
    first, second = translations.real_text(rows_in).figure.axes
    assert [bar.get_width() for bar in first.patches] == pytest.approx([10, 30])
    assert [bar.get_width() for bar in second.patches] == pytest.approx([11, 31])
    assert (first.get_title(loc="left"), second.get_title(loc="left")) == ("English to Chinese", "English to French")
