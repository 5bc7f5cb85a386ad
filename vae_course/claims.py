"""The article that the course began with, claim by claim: what it says, our verdict, and the figures that decide.

Claims are told in our words and kept in ``data/article_claims.json``. A piece of evidence names a lesson, its section, and one
of the lesson's expectations, whose values under five seeds are stored in ``data/results/seeds/``: no figure is copied.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
VERDICTS = ("right", "partly right", "wrong")
AUDIT = "14_article_audit"  # the lesson that judges; what it measures itself is asserted at its own end


@dataclass(frozen=True)
class Evidence:
    """Where a claim was decided: a lesson, the section's heading there, and the expectation that holds the figure."""

    lesson: str
    section: str
    figure: str

    def values(self) -> list[float]:
        """The figure under each seed; empty where the lesson has no such result stored yet."""
        path = DATA / "results" / "seeds" / f"{self.lesson}.json"
        if not path.exists():
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))["expectations"]
        return [value for row in rows if row["claim"] == self.figure for value in row["values"]]

    def measured(self) -> str:
        """The figure's values in words: "0.13 to 0.23", one number where all seeds agree."""
        if self.lesson == AUDIT:
            return "measured in this lesson"  # its own results are stored after it was run
        values = self.values()
        if not values:
            return "not measured yet"
        low, high = _short(min(values)), _short(max(values))
        return low if low == high else f"{low} to {high}"


def _short(value: float) -> str:
    """Three digits; whole numbers in full; 0 for what differs from it only by rounding."""
    value = 0.0 if abs(value) < 1e-9 else value
    return f"{value:.0f}" if value == round(value) else f"{float(f'{value:.3g}'):g}"


@dataclass(frozen=True)
class Claim:
    """One claim of the article in our words, the verdict, and what would have been right (``better``)."""

    id: str
    claim: str
    verdict: str
    better: str
    evidence: tuple[Evidence, ...]


@cache
def all_claims() -> dict[str, Claim]:
    """Every claim by its id, in the article's order. Raises ``ValueError`` for a verdict that is none."""
    rows = json.loads((DATA / "article_claims.json").read_text(encoding="utf-8"))
    claims = [Claim(**{**row, "evidence": tuple(Evidence(**piece) for piece in row["evidence"])}) for row in rows]
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
    """Each named claim with its verdict, the deciding figures with links to their lessons, and what would have been right."""
    return Sheet("\n\n".join(_card(_find(name)) for name in ids))


def _card(claim: Claim) -> str:
    pieces = [f"- {e.figure}: {e.measured()} ({_link(e.lesson)}, *{e.section}*)" for e in claim.evidence]
    head = f"**{claim.id} · {claim.verdict}.** {claim.claim}"
    return "\n".join([head, "", *pieces, "", f"*Better:* {claim.better}"])


def table() -> Sheet:
    """All claims in one table: verdict and the lessons that decide it."""
    rows = [f"| {c.id} | {c.claim} | {c.verdict} | {_links(c.evidence)} |" for c in all_claims().values()]
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
    """Judge a reader's verdicts by claim id; for each claim print: yes, no (with the deciding figure), or not answered.

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
        return f"yes, {claim.verdict}"
    if told not in VERDICTS:
        return f"{told!r} is no verdict; write {', '.join(map(repr, VERDICTS))} or None"
    first = claim.evidence[0]
    return f"you say {told}, we find it {claim.verdict}. Lesson {first.lesson[:2]}, {first.figure}: {first.measured()}"
