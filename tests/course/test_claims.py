"""The article's claims: each has a verdict and evidence, and all evidence stands in a lesson and in its stored results."""

import json
import re

import nbformat
import pytest

from vae_course.course import claims
from vae_course.course.claims import Cited, Measured, Stored
from vae_course.course.lessons import NOTEBOOKS
from vae_course.studies import store

ROOT = NOTEBOOKS.parent
AUDIT = "17_article_audit"
IDS = [f"C{k}" for k in range(1, 15)] + [f"C15{letter}" for letter in "abcd"] + ["C16", "C17", "C18"]
ALL = claims.all_claims()
# Their evidence is narrower than the claim: a paper, short sentences, a known channel, one kind of model.
SCOPED = ["C3", "C11", "C12", "C13", "C14", "C15a", "C15b", "C15c", "C15d"]
# What the article says with reserve, and the words that say so.
HEDGED = {"C12": "may", "C13": "to a certain degree", "C14": "in some cases the texts may still be somewhat"}


def headings(lesson):
    notebook = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    return re.findall(r"^## (.+)$", "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown"), re.MULTILINE)


def stored(lesson):
    rows = json.loads((ROOT / "data" / "results" / "seeds" / f"{lesson}.json").read_text(encoding="utf-8"))["expectations"]
    return {row["claim"]: row for row in rows}


def outputs(lesson):
    notebook = nbformat.read(NOTEBOOKS / f"{lesson}.ipynb", as_version=4)
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def shown():
    return "\n".join(o.data["text/markdown"] for o in outputs(AUDIT) if "text/markdown" in o.get("data", {}))


def pieces(name, kind):
    return [piece for piece in ALL[name].evidence if isinstance(piece, kind)]


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


@pytest.mark.parametrize("name", SCOPED)
def test_a_verdict_on_narrower_evidence_says_how_far_it_reaches(name):
    claim = ALL[name]
    assert len(claim.scope) > 15
    assert claim.judged() == f"{claim.verdict}, {claim.scope}"


@pytest.mark.parametrize("name", HEDGED)
def test_the_articles_hedges_are_kept(name):
    assert HEDGED[name] in ALL[name].claim


@pytest.mark.parametrize("name", IDS)
def test_all_evidence_stands_in_an_existing_lesson_and_is_told_in_a_sentence(name):
    for piece in ALL[name].evidence:
        assert (NOTEBOOKS / f"{piece.lesson}.ipynb").exists(), piece
        assert piece.section in headings(piece.lesson), piece
        assert "{" not in piece.told()
        assert claims.MISSING not in piece.told()
        assert not piece.says.endswith(".")  # the card goes on with the lesson


@pytest.mark.parametrize("name", IDS)
def test_measured_evidence_held_under_every_seed(name):
    for piece in pieces(name, Measured):
        assert len(re.findall(r"\{(value|percent|lost|most)\}", piece.says)) == 1, piece
        row = stored(piece.lesson)[piece.figure]
        assert len(row["values"]) >= 5
        assert all(row["low"] <= value <= row["high"] for value in row["values"]), piece


@pytest.mark.parametrize("name", IDS)
def test_the_figures_of_studies_are_those_that_the_lesson_shows(name):
    for piece in pieces(name, Stored):
        printed = "".join(o.text for o in outputs(piece.lesson) if o.output_type == "stream")
        places = re.findall(r"\{(\d):([^}]+)\}", piece.says)
        assert [int(place) for place, _ in places] == list(range(len(piece.figures))), piece
        for (row, _), (_, form), value in zip(piece.figures, places, piece.values(), strict=True):
            lines = [line for line in printed.splitlines() if line.startswith(row)]
            assert any(re.search(rf"(?<![\d.]){re.escape(format(value, form))}(?!\d)", line) for line in lines), (piece, row)


@pytest.mark.parametrize("name", IDS)
def test_a_paper_is_told_of_in_the_lesson_by_its_number(name):
    for piece in pieces(name, Cited):
        notebook = nbformat.read(NOTEBOOKS / f"{piece.lesson}.ipynb", as_version=4)
        (number,) = re.findall(r"arXiv (\d{4}\.\d{4,5})", piece.paper)
        assert any(number in cell.source for cell in notebook.cells)


def test_there_is_evidence_of_each_kind():
    for kind in (Measured, Stored, Cited):
        assert any(pieces(name, kind) for name in IDS)


@pytest.mark.parametrize("name", IDS)
def test_the_lesson_shows_the_card_and_the_row_of_the_table_as_the_data_have_them(name):
    """So figures that were stored anew since the lesson was run are found out."""
    assert claims.cards(name).markdown in shown()
    claim = ALL[name]
    (row,) = [line for line in claims.table().markdown.splitlines() if line.startswith(f"| {name} |")]
    assert row in shown().splitlines()
    assert f"| {claim.claim} | {claim.judged()} |" in row
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
            {"lesson": "90_water", "section": "1. Drops", "figure": "wetness", "says": "Drops are wet by {value}"},
            {"lesson": "90_water", "section": "2. Ice", "figure": "dryness", "says": "{percent} % of ice is dry"},
        ],
    },
    {
        "id": "C2",
        "claim": "Fire is cold.",
        "verdict": "wrong",
        "scope": "for two flames",
        "better": "It is hot.",
        "evidence": [
            {"lesson": "91_fire", "section": "3. Fire", "paper": "Ash, 1999", "says": "Fire is hot"},
            {
                "lesson": "91_fire",
                "section": "4. Flames",
                "study": "flames",
                "figures": [["blue", "heat"], ["red", "heat"]],
                "says": "A blue flame has {0:.1f} degrees, a red one {1:.0%}",
            },
        ],
    },
]


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Two claims in a folder of their own, with stored values for some figures."""
    (tmp_path / "results" / "seeds").mkdir(parents=True)
    (tmp_path / "article_claims.json").write_text(json.dumps(ROWS))
    expectations = [{"claim": "dryness", "values": [1e-12, 0, 0]}, {"claim": "drops", "values": [1437.0, 172.0]}]
    expectations += [{"claim": "wetness", "values": [0.1234, 0.5678, 0.3]}]
    expectations += [{"claim": "loss", "values": [-0.04167, -0.0278]}, {"claim": "tiny", "values": [0.0000168, 0.00000083]}]
    (tmp_path / "results" / "seeds" / "90_water.json").write_text(json.dumps({"expectations": expectations}))
    rows = [{"name": "red", "heat": 0.5}, {"name": "blue", "heat": 1400}]
    (tmp_path / "results" / "flames.json").write_text(json.dumps({"rows": rows}))
    monkeypatch.setattr(claims, "DATA", tmp_path)
    monkeypatch.setattr(store, "RESULTS", tmp_path / "results")
    claims.all_claims.cache_clear()
    yield tmp_path
    claims.all_claims.cache_clear()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("figure", "says", "told"),
    [
        ("wetness", "by {value}", "by 0.123 to 0.568"),
        ("wetness", "{percent} %", "12.3 to 56.8 %"),
        ("wetness", "at most {most}", "at most 0.6"),
        ("dryness", "by {value}", "by 0"),
        ("dryness", "at most {most}", "at most 0"),
        ("drops", "{value} drops", "172 to 1437 drops"),
        ("drops", "at most {most}", "at most 2000"),
        ("loss", "{lost} points less", "2.8 to 4.2 points less"),
        ("tiny", "at most {most}", "at most 0.00002"),
        ("depth", "by {value}", "depth: not measured yet"),
    ],
)
def test_a_figure_is_told_as_its_range_over_seeds(figure, says, told):
    assert Measured("90_water", "1. Drops", says, figure).told() == told


@pytest.mark.usefixtures("few")
def test_values_over_seeds_are_read_from_what_is_stored():
    assert claims.over_seeds("90_water", "wetness") == [0.1234, 0.5678, 0.3]
    assert claims.over_seeds("90_water", "depth") == []
    assert claims.over_seeds("92_air", "speed") == []


@pytest.mark.usefixtures("few")
def test_figures_of_a_study_are_read_by_row_and_key():
    says = "{0:.1f} and {1:.0%}"
    both = Stored("91_fire", "4. Flames", says, "flames", (("blue", "heat"), ("red", "heat")))
    assert both.told() == "1400.0 and 50%"
    for study, row, key in (("flames", "green", "heat"), ("flames", "red", "light"), ("smoke", "red", "heat")):
        assert Stored("91_fire", "4. Flames", "{0:.1f}", study, ((row, key),)).told() == f"{study}: not measured yet"


def test_evidence_without_a_source_is_told(few):
    rows = [ROWS[0] | {"evidence": [{"lesson": "90_water", "section": "1. Drops", "says": "wet"}]}]
    (few / "article_claims.json").write_text(json.dumps(rows))
    with pytest.raises(ValueError, match="a piece of evidence has the keys lesson, section, says; it needs"):
        claims.all_claims()


@pytest.mark.usefixtures("few")
def test_a_card_has_verdict_figures_links_and_what_is_right():
    card = claims.cards("C1")
    assert card._repr_markdown_() == repr(card) == card.markdown
    assert card.markdown.startswith("**C1 · right.** Water is wet.\n")
    assert "- Drops are wet by 0.123 to 0.568 ([90](90_water.ipynb), *1. Drops*)" in card.markdown
    assert card.markdown.endswith("*Better:* Above freezing.")
    both = claims.cards("C1", "C2").markdown
    assert "- Fire is hot (Ash, 1999) ([91](91_fire.ipynb), *3. Fire*)" in both
    assert "- A blue flame has 1400.0 degrees, a red one 50% ([91](91_fire.ipynb), *4. Flames*)" in both
    assert both.index("C1") < both.index("C2")
    assert "**C2 · wrong, for two flames.** Fire is cold.\n" in both


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
    assert second == "| C2 | Fire is cold. | wrong, for two flames | [91](91_fire.ipynb) |"


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("answers", "printed"),
    [
        ({"C1": None, "C2": None}, ["not answered: C1, C2", "0 of 2 as the course finds"]),
        ({}, ["not answered: C1, C2", "0 of 2 as the course finds"]),
        ({"C1": "right", "C2": " Wrong "}, ["C1: yes, right", "C2: yes, wrong, for two flames", "2 of 2 as the course finds"]),
        (
            {"C1": "partly right"},
            [
                "C1: you say partly right, we find it right.",
                "  Lesson 90: Drops are wet by 0.123 to 0.568.",
                "  Lesson 90: 0 % of ice is dry.",
                "  Better: Above freezing.",
                "not answered: C2",
                "0 of 2 as the course finds",
            ],
        ),
        (
            {"C2": "right"},
            [
                "C2: you say right, we find it wrong, for two flames.",
                "  Lesson 91: Fire is hot (Ash, 1999).",
                "  Lesson 91: A blue flame has 1400.0 degrees, a red one 50%.",
                "  Better: It is hot.",
                "not answered: C1",
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
