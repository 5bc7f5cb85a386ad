"""The article that the course began with, claim by claim: what it says, our verdict, and the figures that decide.

Claims are told in our words and kept in ``data/article_claims.json``. A piece of evidence names a lesson and its section, says
in a sentence what was found there, and tells where the figure is stored: as one of the lesson's expectations, with its values
under five seeds (``data/results/seeds/``), or in a study (``data/results/``). No figure is copied.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from vae_course.studies.store import DATA, stored, stored_seeds

VERDICTS = ("right", "partly right", "wrong")
MISSING = "not measured yet"


def over_seeds(lesson: str, figure: str) -> list[float]:
    """The values of a lesson's expectation under each seed; empty where the lesson has no such result stored yet."""
    try:
        expectations = stored_seeds(lesson)["expectations"]
    except FileNotFoundError:
        return []
    return [value for row in expectations if row["claim"] == figure for value in row["values"]]


@dataclass(frozen=True)
class Evidence:
    """Where a claim was decided: a lesson, the section's heading there, and what it found, with places for figures."""

    lesson: str
    section: str
    says: str

    def told(self) -> str:
        """What was found, the figures put in."""
        return self.says


@dataclass(frozen=True)
class Cited(Evidence):
    """Evidence that no experiment can give: a paper, which the section tells of."""

    paper: str

    def told(self) -> str:
        """What the paper says, and which paper it is."""
        return f"{self.says} ({self.paper})"


@dataclass(frozen=True)
class Measured(Evidence):
    """A figure that the lesson asserts: the name of its expectation.

    ``says`` has one place: ``{value}`` for the range over seeds, ``{percent}`` for a hundred times it, ``{lost}`` for that with
    its sign turned, or ``{most}`` for the largest value, rounded up to one digit.
    """

    figure: str

    def told(self) -> str:
        """What was measured, such as "Of 8 modes the GAN covers 7.8 to 8"."""
        values = over_seeds(self.lesson, self.figure)
        if not values:
            return f"{self.figure}: {MISSING}"
        percents = [round(100 * value, 1) for value in values]
        return self.says.format(
            value=_span(values), percent=_span(percents), lost=_span([-p for p in percents]), most=_rounded_up(max(values))
        )


@dataclass(frozen=True)
class Stored(Evidence):
    """Figures of a study that runs too long for a lesson: (name of the row, key) each, in the rows of ``study``.

    ``says`` has a place with a format for each: ``{0:.1f}``.
    """

    study: str
    figures: tuple[tuple[str, str], ...]

    def values(self) -> list[float]:
        """The figures in their order; those that are not stored are left out."""
        try:
            rows = {row["name"]: row for row in stored(self.study)["rows"]}
        except FileNotFoundError:
            return []
        return [rows[row][key] for row, key in self.figures if key in rows.get(row, {})]

    def told(self) -> str:
        """What was measured, such as "BLEU 32.0 with z, 35.6 without"."""
        values = self.values()
        if len(values) < len(self.figures):
            return f"{self.study}: {MISSING}"
        return self.says.format(*values)


def _evidence(row: Mapping[str, Any]) -> Evidence:
    """One row of the file, whose keys tell its kind."""
    for kind in (Measured, Stored, Cited):
        if {field.name for field in fields(kind)} == set(row):
            content = dict(row)
            if kind is Stored:
                content["figures"] = tuple((name, key) for name, key in row["figures"])
            return kind(**content)
    raise ValueError(f"a piece of evidence has the keys {', '.join(row)}; it needs lesson, section, says and its source")


def _span(values: Iterable[float]) -> str:
    """A range in words: "0.13 to 0.23", one number where all are told alike."""
    ordered = sorted(values)
    low, high = _short(ordered[0]), _short(ordered[-1])
    return low if low == high else f"{low} to {high}"


def _short(value: float) -> str:
    """Three digits; whole numbers in full; 0 for what differs from it only by rounding."""
    value = 0.0 if abs(value) < 1e-9 else value
    return f"{value:.0f}" if value == round(value) else f"{float(f'{value:.3g}'):g}"


def _rounded_up(value: float) -> str:
    """The first digit, rounded up, without an exponent: 0.0000168 is told as 0.00002."""
    if value < 1e-9:
        return "0"
    digits = -math.floor(math.log10(value))
    return f"{math.ceil(value * 10**digits) / 10**digits:.{max(digits, 0)}f}"


@dataclass(frozen=True)
class Claim:
    """One claim of the article in our words, the verdict, and what would have been right (``better``).

    ``scope`` says how far the verdict reaches where that is less far than the claim: "for stories of six short sentences".
    """

    id: str
    claim: str
    verdict: str
    better: str
    evidence: tuple[Evidence, ...]
    scope: str = ""

    def judged(self) -> str:
        """The verdict and its scope, such as "right, for stories of six short sentences"."""
        return f"{self.verdict}, {self.scope}" if self.scope else self.verdict


@cache
def all_claims() -> dict[str, Claim]:
    """Every claim by its id, in the article's order. Raises ``ValueError`` for a verdict that is none."""
    rows = json.loads((DATA / "article_claims.json").read_text(encoding="utf-8"))
    claims = [Claim(**{**row, "evidence": tuple(_evidence(piece) for piece in row["evidence"])}) for row in rows]
    for claim in claims:
        if claim.verdict not in VERDICTS:
            raise ValueError(f"{claim.id}: expected one of {', '.join(VERDICTS)}, got {claim.verdict!r}")
    return {claim.id: claim for claim in claims}


@dataclass(frozen=True)
class Sheet:
    """Text with links: shown as such in a notebook, and as its source elsewhere."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.markdown


def cards(*ids: str) -> Sheet:
    """Each named claim: verdict and scope, the deciding figures with links to their lessons, and what would have been right."""
    return Sheet("\n\n".join(_card(_find(name)) for name in ids))


def _card(claim: Claim) -> str:
    pieces = [f"- {e.told()} ({_link(e.lesson)}, *{e.section}*)" for e in claim.evidence]
    head = f"**{claim.id} · {claim.judged()}.** {claim.claim}"
    return "\n".join([head, "", *pieces, "", f"*Better:* {claim.better}"])


def table() -> Sheet:
    """All claims in one table: verdict with its scope, and the lessons that decide it."""
    rows = [f"| {c.id} | {c.claim} | {c.judged()} | {_links(c.evidence)} |" for c in all_claims().values()]
    return Sheet("\n".join(["| | the article says | verdict | decided in lessons |", "|---|---|---|---|", *rows]))


def _links(evidence: Iterable[Evidence]) -> str:
    return ", ".join(_link(lesson) for lesson in dict.fromkeys(piece.lesson for piece in evidence))


def _link(lesson: str) -> str:
    return f"[{lesson[:2]}]({lesson}.ipynb)"


def _find(name: str) -> Claim:
    claims = all_claims()
    if name not in claims:
        raise ValueError(f"there is no claim {name!r}; the claims are {', '.join(claims)}")
    return claims[name]


def quiz(answers: Mapping[str, str | None]) -> None:
    """Judge a reader's verdicts by claim id; print for each claim: yes, no (with the evidence and what is right), not answered.

    ``None`` and ids left out are not answered. Never raises for a wrong answer; an unknown id or verdict is told as such.
    """
    for name in answers:
        if name not in all_claims():
            print(f"{name}: there is no such claim")
    right, open_ones = 0, []
    for claim in all_claims().values():
        answer = answers.get(claim.id)
        if answer is None:
            open_ones.append(claim.id)
            continue
        told = str(answer).strip().lower()
        right += told == claim.verdict
        print(f"{claim.id}: {_judged(told, claim)}")
    if open_ones:
        print(f"not answered: {', '.join(open_ones)}")
    print(f"{right} of {len(all_claims())} as the course finds")


def _judged(told: str, claim: Claim) -> str:
    if told == claim.verdict:
        return f"yes, {claim.judged()}"
    if told not in VERDICTS:
        return f"{told!r} is no verdict; write {', '.join(map(repr, VERDICTS))} or None"
    found = [f"  Lesson {e.lesson[:2]}: {e.told()}." for e in claim.evidence]
    return "\n".join([f"you say {told}, we find it {claim.judged()}.", *found, f"  Better: {claim.better}"])
