"""Lessons as pages: what is folded, what a picture is told to be, what a reader without pictures is given."""

import re

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from vae_course.course.pages import lesson_page
from vae_course.figures import base


def page(*cells):
    return BeautifulSoup(lesson_page(new_notebook(cells=list(cells)), "Why?"), "html.parser")


def cell(source, *outputs, **folds):
    made = new_code_cell(source, outputs=list(outputs), execution_count=1)
    if folds:
        made.metadata["jupyter"] = folds
    return made


def test_folded_code_can_be_unfolded_and_says_what_it_is_while_its_output_is_shown():
    printed = new_output("stream", text="a table")
    shown = page(cell("# Draws <the> table\nprint(1)", printed, source_hidden=True), cell("x = 2", printed))
    (fold,) = shown.find_all("details")
    assert fold.summary.text == "Code: Draws <the> table"
    assert "print" in fold.text
    assert "a table" not in fold.text
    assert shown.text.count("a table") == 2


def test_folded_outputs_are_there_too():
    shown = page(cell("# Further\nprint(1)", new_output("stream", text="✓ all"), source_hidden=True, outputs_hidden=True))
    code, output = shown.find_all("details")
    assert code.summary.text == "Code: Further"
    assert output.summary.text == "Its output"
    assert "✓ all" in output.text


def test_folded_code_without_a_comment_is_called_code():
    assert page(cell("print(1)", source_hidden=True)).details.summary.text == "Code"


@pytest.mark.parametrize("metadata", [True, False])
def test_a_picture_is_as_wide_as_it_was_meant_and_told_in_words_once(metadata):
    picture = base.bars(["a"], [1.0], title="t", y_label="y", words='A "bar" & no more')
    about = picture.metadata() if metadata else {}
    shown = page(cell("draw()", new_output("display_data", data=picture.mime_bundle(), metadata=about)))
    (image,) = shown.find_all("img")
    assert image["alt"] == 'A "bar" & no more'
    assert image.get("width") == ("675" if metadata else None)
    assert "no more" not in shown.text


def test_the_answer_to_a_prediction_is_folded_and_printed_on_paper():
    folded = "<details><summary>The answer, after your guess</summary>no</details>"
    shown = page(cell("reveal()", new_output("display_data", data={"text/html": folded, "text/plain": "The answer: no"})))
    (answer,) = shown.find_all("details")
    assert answer.text.endswith("guessno")
    assert "open" not in answer.attrs
    on_paper = "".join(re.findall(r"@media print \{(.+?)\n  \}", str(shown), re.DOTALL))
    assert ".jp-OutputArea details::details-content { content-visibility: visible" in on_paper
