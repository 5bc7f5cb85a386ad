"""Lessons as pages: what is folded, what a picture is told to be, where links lead, how a page looks."""

import itertools
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vae_course.course.lessons import Lesson
from vae_course.course.pages import TEMPLATES, lesson_page
from vae_course.figures import base

CSS = (TEMPLATES / "pages.css").read_text(encoding="utf-8")
LESSONS = [
    Lesson(Path(name), question, 5, 7)
    for name, question in (("02_kl.ipynb", "How <far>?"), ("04_elbo.ipynb", "What?"), ("07_text.ipynb", "Why?"))
]


def page(*cells, lesson=LESSONS[1], lessons=LESSONS):
    return BeautifulSoup(lesson_page(new_notebook(cells=list(cells)), lesson, lessons), "html.parser")


def prose(text, **options):
    return page(new_markdown_cell(text), **options).main


def rules(medium):
    return "".join(re.findall(rf"@media {medium} \{{(.+?)\n\}}", CSS, re.DOTALL))


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
    assert CSS.strip() in shown.style.text
    assert ".jp-OutputArea details::details-content" in rules("print")


def test_a_page_says_its_language_and_its_title():
    shown = page(lesson=LESSONS[0])
    assert shown.html["lang"] == "en"
    assert shown.title.text == "02 · How <far>?"


def test_the_lessons_before_and_after_are_linked_above_and_below():
    shown = page(new_markdown_cell("# 04 · What?"))
    above, below = shown.find_all("nav")
    assert above["aria-label"] != below["aria-label"]
    assert [above.find_next_sibling().name, below.find_previous_sibling().name] == ["main", "main"]
    for nav in (above, below):
        assert [(a["href"], a.text.strip()) for a in nav.find_all("a")] == [
            ("02_kl.html", "← 02 · How <far>?"),
            ("index.html", "All lessons"),
            ("07_text.html", "07 · Why? →"),
        ]
        assert nav.find(rel="prev")["aria-label"] == "Previous lesson: 02 · How <far>?"
        assert nav.find(rel="next")["aria-label"] == "Next lesson: 07 · Why?"


def test_the_first_and_the_last_lesson_lead_one_way_and_none_leads_to_a_page_that_is_not_there():
    assert [a["href"] for a in page(lesson=LESSONS[0]).nav.find_all("a")] == ["index.html", "04_elbo.html"]
    assert [a["href"] for a in page(lesson=LESSONS[2]).nav.find_all("a")] == ["04_elbo.html", "index.html"]
    alone = prose("Lessons 02 and 07.", lessons=LESSONS[1:2])
    assert alone.find_all("a") == []


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("As lesson 02 shows", [("lesson 02", "02_kl.html")]),
        ("Lesson 07, 02 of them", [("Lesson 07", "07_text.html")]),
        ("lessons 02 and 07", [("lessons 02", "02_kl.html"), ("07", "07_text.html")]),
        ("**Lessons 02 to 07** say", [("Lessons 02", "02_kl.html"), ("07", "07_text.html")]),
        (
            "lessons 02 (KL, in 12 ways), 03, and 07 (text); 02 (more) and 02",
            [("lessons 02", "02_kl.html"), ("07", "07_text.html")],
        ),
        ("lessons 03 or 02, 07 of which", [("02", "02_kl.html")]),
        ("lesson 02 & lesson 07 < $x$", [("lesson 02", "02_kl.html"), ("lesson 07", "07_text.html")]),
        ("a table | of\n---|---\nlesson 02 | 07", [("lesson 02", "02_kl.html")]),
        ("lesson 05, lesson 04, lesson 2, lesson 021, 02", []),  # none, this one, no name of a lesson
        ("`lesson 02`, $\\text{lesson 02}$\n\n    lesson 02\n\n### Lesson 02\n<!-- lesson 02 -->", []),
        ("[see lesson 02](elsewhere.html)", [("see lesson 02", "elsewhere.html")]),
        ("[lesson 02](02_kl.ipynb)", [("lesson 02", "02_kl.html")]),
        ("[lesson 02](https://a.b/02_kl.ipynb)", [("lesson 02", "https://a.b/02_kl.ipynb")]),
        ("lessons 02 (KL) 07 times", [("lessons 02", "02_kl.html")]),
    ],
)
def test_lessons_that_prose_names_are_linked(text, links):
    shown = prose(text)
    assert [(a.text, a["href"]) for a in shown.find_all("a")] == links
    assert shown.text.strip() == prose(text, lessons=LESSONS[1:2]).text.strip()


def test_outputs_name_lessons_without_links():
    printed = new_output("stream", text="lesson 02")
    displayed = new_output("display_data", data={"text/html": "lesson 02"})
    assert page(cell("print()", printed, displayed)).main.find_all("a") == []


def test_headings_have_names_of_their_own():
    shown = prose("# 04 · What?\n## Why $x$?\n## Why $x$?\n## Why $x$?")
    names = [heading["id"] for heading in shown.find_all(["h1", "h2"])]
    assert names == ["04-what", "why-x", "why-x-again", "why-x-again-again"]
    assert "¶" not in shown.text


def test_what_may_be_too_wide_scrolls_by_itself_and_takes_the_focus():
    shown = page(
        new_markdown_cell("a | b\n---|---\n1 | 2\n\n$$x$$\n\n```python\nx = 1\n```"),
        cell("x", new_output("stream", text="1"), new_output("display_data", data={"text/html": "<table></table>"})),
        cell("y", new_output("display_data", data={"text/html": "<img alt='a' src='data:'>"})),
    )
    assert re.search(r"pre, \.wide \{[^}]*overflow-x: auto;", CSS)
    scrolling = shown.select("pre, .wide")
    assert len(scrolling) == 8
    assert all(one["tabindex"] == "0" for one in scrolling)
    assert [table.parent["class"] for table in shown.find_all("table")] == [["wide"], ["wide"]]
    assert "wide" in shown.find("math", display="block").parent["class"]


def luminance(colour):
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(d + d for d in digits)
    shares = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_stands_out_from_both_grounds(scheme):
    both = re.findall(r"--(\w+): light-dark\((#\w+), (#\w+)\);", CSS)
    colours = {name: luminance({"light": light, "dark": dark}[scheme]) for name, light, dark in both}
    grounds = [colours.pop("paper"), colours.pop("well")]
    del colours["line"]
    assert len(colours) == 7
    for (name, text), ground in itertools.product(colours.items(), grounds):
        less, more = sorted([text, ground])
        assert (more + 0.05) / (less + 0.05) >= 4.5, name


def test_pages_follow_the_system_pictures_keep_white_paper_and_print_is_light():
    assert "color-scheme: light dark;" in CSS
    assert "@media print { :root { color-scheme: only light; } }" in CSS
    assert re.search(r"^img \{[^}]*padding: 0.5rem; border-radius: [^}]*background: #fff;\s*\}", CSS, re.MULTILINE)
    assert re.search(r"nav, [^{]*\{ display: none; \}", rules("print"))
    assert re.search(r"pre \{[^}]*white-space: pre-wrap", rules("print"))


def test_a_traceback_keeps_to_our_colours():
    shown = page(cell("x", new_output("error", ename="E", evalue="", traceback=["\x1b[38;5;28;01mdef\x1b[39;00m f"])))
    assert shown.find("span", style=re.compile("color: rgb"))
    assert "pre span[style] { background: none !important; color: inherit !important; }" in CSS
