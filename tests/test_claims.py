"""The article's claims: each has a verdict and evidence, and all evidence stands in a lesson and in its stored results."""

import json
import re

import nbformat
import pytest

from vae_course import claims
from vae_course.claims import AUDIT, Evidence
from vae_course.lessons import NOTEBOOKS

ROOT = NOTEBOOKS.parent
IDS = [f"C{k}" for k in range(1, 15)] + [f"C15{letter}" for letter in "abcd"] + ["C16", "C17", "C18"]
ALL = claims.all_claims()


def headings(lesson):
    notebook = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    return re.findall(r"^## (.+)$", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"), re.MULTILINE)


def stored(lesson):
    rows = json.loads((ROOT / "data" / "results" / "seeds" / f"{lesson}.json").read_text(encoding="utf-8"))["expectations"]
    return {row["claim"]: row for row in rows}


def shown():
    notebook = nbformat.read(NOTEBOOKS / f"{AUDIT}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {}))


def test_the_ids_are_the_articles():
    assert list(ALL) == IDS
    assert all(name == claim.id for name, claim in ALL.items())


@pytest.mark.parametrize("name", IDS)
def test_every_claim_is_judged_on_evidence(name):
    claim = ALL[name]
    assert claim.verdict in ("right", "partly right", "wrong")
    assert len(claim.claim) > 15
    assert len(claim.better) > 40
    assert len(claim.evidence) >= 1
    assert len(set(claim.evidence)) == len(claim.evidence)


@pytest.mark.parametrize("name", IDS)
def test_all_evidence_stands_in_an_existing_lesson_and_held_under_every_seed(name):
    for piece in ALL[name].evidence:
        assert (NOTEBOOKS / f"{piece.lesson}.ipynb").exists(), piece
        assert piece.section in headings(piece.lesson), piece
        row = stored(piece.lesson)[piece.figure]
        assert len(row["values"]) >= 5
        assert all(row["low"] <= value <= row["high"] for value in row["values"]), piece


@pytest.mark.parametrize("name", IDS)
def test_the_lesson_shows_the_card_and_the_row_of_the_table_as_the_data_have_them(name):
    """So figures that were stored anew since the lesson was run are found out."""
    assert claims.cards(name).markdown in shown()
    claim = ALL[name]
    (row,) = [line for line in claims.table().markdown.splitlines() if line.startswith(f"| {name} |")]
    assert row in shown().splitlines()
    assert f"| {claim.claim} | {claim.verdict} |" in row
    for piece in claim.evidence:
        assert f"[{piece.lesson[:2]}]({piece.lesson}.ipynb)" in row


def test_every_link_that_the_lesson_shows_leads_to_a_lesson():
    linked = set(re.findall(r"\]\(([^)]+)\)", shown()))
    assert len(linked) >= 10
    for target in linked:
        assert (NOTEBOOKS / target).exists(), target


def test_the_reader_is_asked_for_every_claim():
    notebook = nbformat.read(NOTEBOOKS / f"{AUDIT}.ipynb", as_version=4)
    (source,) = [c.source for c in notebook.cells if c.cell_type == "code" and "answers = {" in c.source]
    assert re.findall(r'"(C\w+)": None', source) == IDS


# --- reading and showing, on claims of our own ----------------------------------------------------------------------

ROWS = [
    {
        "id": "C1",
        "claim": "Water is wet.",
        "verdict": "right",
        "better": "Above freezing.",
        "evidence": [
            {"lesson": "90_water", "section": "1. Drops", "figure": "wetness"},
            {"lesson": "90_water", "section": "2. Ice", "figure": "dryness"},
        ],
    },
    {
        "id": "C2",
        "claim": "Fire is cold.",
        "verdict": "wrong",
        "better": "It is hot.",
        "evidence": [{"lesson": AUDIT, "section": "3. Fire", "figure": "heat"}],
    },
]


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Two claims in a folder of their own, with stored values for one figure."""
    (tmp_path / "results" / "seeds").mkdir(parents=True)
    (tmp_path / "article_claims.json").write_text(json.dumps(ROWS))
    expectations = [{"claim": "dryness", "values": [1e-12, 0, 0]}, {"claim": "drops", "values": [1437.0, 172.0]}]
    expectations += [{"claim": "wetness", "values": [0.1234, 0.5678, 0.3]}]
    (tmp_path / "results" / "seeds" / "90_water.json").write_text(json.dumps({"expectations": expectations}))
    monkeypatch.setattr(claims, "DATA", tmp_path)
    claims.all_claims.cache_clear()
    yield tmp_path
    claims.all_claims.cache_clear()


@pytest.mark.usefixtures("few")
def test_a_figure_is_told_as_its_range_over_seeds():
    assert Evidence("90_water", "1. Drops", "wetness").values() == [0.1234, 0.5678, 0.3]
    assert Evidence("90_water", "1. Drops", "wetness").measured() == "0.123 to 0.568"
    assert Evidence("90_water", "2. Ice", "dryness").measured() == "0"
    assert Evidence("90_water", "1. Drops", "drops").measured() == "172 to 1437"
    assert Evidence("90_water", "1. Drops", "depth").measured() == "not measured yet"
    assert Evidence("91_air", "1. Wind", "speed").measured() == "not measured yet"
    assert Evidence(AUDIT, "3. Fire", "heat").measured() == "measured in this lesson"


@pytest.mark.usefixtures("few")
def test_a_card_has_verdict_figures_links_and_what_is_right():
    card = claims.cards("C1")
    assert card._repr_markdown_() == repr(card) == card.markdown
    assert card.markdown.startswith("**C1 · right.** Water is wet.\n")
    assert "- wetness: 0.123 to 0.568 ([90](90_water.ipynb), *1. Drops*)" in card.markdown
    assert card.markdown.endswith("*Better:* Above freezing.")
    both = claims.cards("C1", "C2").markdown
    assert both.index("C1") < both.index("C2")


@pytest.mark.usefixtures("few")
def test_an_unknown_claim_names_the_known_ones():
    with pytest.raises(ValueError, match="no claim 'C3'; the claims are C1, C2"):
        claims.cards("C3")


def test_a_verdict_that_is_none_is_told(few):
    rows = [ROWS[0] | {"verdict": "maybe"}]
    (few / "article_claims.json").write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="C1: expected one of right, partly right, wrong, got 'maybe'"):
        claims.all_claims()


@pytest.mark.usefixtures("few")
def test_the_table_names_each_lesson_once():
    header, line, first, second = claims.table().markdown.splitlines()
    assert header.count("|") == line.count("|") == first.count("|") == 5
    assert first == "| C1 | Water is wet. | right | [90](90_water.ipynb) |"
    assert second == f"| C2 | Fire is cold. | wrong | [14]({AUDIT}.ipynb) |"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("answers", "printed"),
    [
        ({"C1": None, "C2": None}, ["not answered: C1, C2", "0 of 2 as the course finds"]),
        ({}, ["not answered: C1, C2", "0 of 2 as the course finds"]),
        ({"C1": "right", "C2": " Wrong "}, ["C1: yes, right", "C2: yes, wrong", "2 of 2 as the course finds"]),
        (
            {"C1": "partly right"},
            [
                "C1: you say partly right, we find it right. Lesson 90, wetness: 0.123 to 0.568",
                "not answered: C2",
                "0 of 2 as the course finds",
            ],
        ),
        (
            {"C2": "wrogn", "C9": "right"},
            [
                "C9: there is no such claim",
                "C2: 'wrogn' is no verdict; write 'right', 'partly right', 'wrong' or None",
                "not answered: C1",
                "0 of 2 as the course finds",
            ],
        ),
        (
            {"C1": True, "C2": ""},
            [
                "C1: 'true' is no verdict; write 'right', 'partly right', 'wrong' or None",
                "C2: '' is no verdict; write 'right', 'partly right', 'wrong' or None",
                "0 of 2 as the course finds",
            ],
        ),
    ],
)
def test_the_quiz_tells_right_wrong_and_not_answered_apart(answers, printed, capsys):
    claims.quiz(answers)
    assert capsys.readouterr().out.splitlines() == printed
