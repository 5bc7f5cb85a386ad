"""What rows of measured figures say together: over seeds, above a floor, as tables in plain text, beside published ones.

A row is what a study stores of one model under one seed: {"name": ..., "seed": ..., "nll": ..., ...}.
"""

import itertools
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vae_course.studies.store import DATA, LANGUAGE_MODEL, Figures, stored

Rows = Sequence[Figures]
Figure = str | Callable[[Figures], float | None]  # a row's key, or how to work a figure out; None where a row has none
Columns = Mapping[str, tuple[Figure, str]]  # heading -> figure, format of one number, or COUNT
PUBLISHED = DATA / "published.json"
COUNT = "of"  # the format of what holds for a run or not: in how many runs it holds


# --- over seeds -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spread:
    """One figure of one model over its seeds."""

    mean: float
    low: float
    high: float
    seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Mean, smallest and largest of at least one value."""
        return cls(sum(values) / len(values), min(values), max(values), len(values))

    def __format__(self, form: str) -> str:
        """The mean, and with several seeds how far the farthest lies from it: "0.10 ±0.02"; as "of", a count: "1 of 3"."""
        if form == COUNT:
            return f"{round(self.mean * self.seeds)}" + (f" of {self.seeds}" if self.seeds > 1 else "")
        away = max(self.high - self.mean, self.mean - self.low)
        return format(self.mean, form) + (f" ±{format(away, form)}" if self.seeds > 1 else "")


def value_of(row: Figures, figure: Figure) -> float | None:
    """A row's figure; of one that has a value for each factor ("facts_kept") their mean; None where there is none."""
    value: Any = figure(row) if callable(figure) else row.get(figure)
    if isinstance(value, Mapping):
        value = sum(value.values()) / len(value)
    return None if value is None else float(value)


def over_seeds(rows: Rows, figure: Figure) -> dict[str, Spread]:
    """A figure's spread for each name, in the order in which names first appear; without names that lack the figure."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if (value := value_of(row, figure)) is not None:
            values.setdefault(row["name"], []).append(value)
    return {name: Spread.of(found) for name, found in values.items()}


@dataclass(frozen=True)
class Difference:
    """By how many nats the mean NLL of one model lies above another's, and how sure that is.

    ``over_sentences``: its standard error over test sentences, which are the same for both. ``over_seeds``: over seeds of
    training, None where one of the two has only one. Each leaves out what the other counts.
    """

    value: float
    over_sentences: float
    over_seeds: float | None

    def __str__(self) -> str:
        seeds = "" if self.over_seeds is None else f", over seeds {self.over_seeds:.3f}"
        return f"{self.value:+.3f} (standard error over sentences {self.over_sentences:.3f}{seeds})"


def difference(document: Figures, name: str, other: str) -> Difference:
    """NLL of ``name`` minus NLL of ``other`` in a study's document, of the means over their seeds.

    Raises ``ValueError`` for a document without paired standard errors, or without one of the names.
    """
    known = document.get("paired", {"names": []})
    for one in (name, other):
        if one not in known["names"]:
            raise ValueError(f"no NLL of {one!r} to be paired; there are those of {', '.join(known['names']) or 'none'}")
    first, second = sorted(map(known["names"].index, (name, other)))
    of_seeds = [[float(row["nll"]) for row in document["rows"] if row["name"] == one] for one in (name, other)]
    means = [statistics.fmean(values) for values in of_seeds]
    over_seeds = None
    if min(map(len, of_seeds)) > 1:
        over_seeds = math.sqrt(sum(statistics.variance(values) / len(values) for values in of_seeds))
    error = known["standard_errors"][second][first] if first < second else 0.0
    return Difference(means[0] - means[1], error, over_seeds)


def paired_error(document: Figures, other: str) -> Callable[[Figures], float | None]:
    """A column: the standard error over sentences of each NLL minus that of ``other``; empty without paired errors.

    It is one number for all seeds of a name, so only the first of its rows has it.
    """
    known = document.get("paired", {"names": []})["names"]
    first = {row["name"]: row["seed"] for row in reversed(document["rows"])}

    def error(row: Figures) -> float | None:
        if row["name"] == other or row["name"] not in known or row["seed"] != first[row["name"]]:
            return None
        return difference(document, row["name"], other).over_sentences

    return error


# --- the floor ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Floor:
    """Nats a sentence that NLLs are held against: the truth's own, ``known``, or only a language model's."""

    nats: float
    known: bool

    @property
    def name(self) -> str:
        """What to write beside it."""
        return "truth" if self.known else "language model"


def floor(rows: Rows) -> Floor:
    """The exact NLL of the test sentences, where the truth is known, else the NLL of the language model.

    Raises ``ValueError`` where there is neither.
    """
    exact = [row["nll"] - row["nats_above_truth"] for row in rows if "nats_above_truth" in row]
    yardstick = [row["nll"] for row in rows if row["name"] == LANGUAGE_MODEL]
    if not exact and not yardstick:
        raise ValueError("rows: the truth is not known and there is no language model, so there is nothing to compare with")
    return Floor(Spread.of(exact or yardstick).mean, known=bool(exact))


def negative_elbo(row: Figures) -> float:
    """D + R; a language model has no z, its rate is 0 and its distortion the exact NLL."""
    return float(row["negative_elbo"] if "negative_elbo" in row else row["nll"])


def information(row: Figures) -> float | None:
    """What z tells about a sentence, at least, in nats: the lower bound, which of N posteriors is at most ln N."""
    return value_of(row, "information_at_least" if "information_at_least" in row else "mutual_information")


def only_a_bound(row: Figures) -> bool:
    """Whether a row's NLL may lie far above the true one, since the importance weights failed.

    So it is where a better proposal was found, and where the NLL lies more than ln K - 1 nats below the negative ELBO, by rule
    of thumb a sign that one of K draws decides (lesson 07).
    """
    if "rate" not in row:
        return False
    return bool(row.get("proposal_fails")) or negative_elbo(row) - row["nll"] > math.log(row["samples"]) - 1


def most_information(rows: Rows, within: float) -> str:
    """The model with the most information among those whose NLL is at most ``within`` nats above a language model's.

    Raises ``ValueError`` if there is none.
    """
    nll, told = over_seeds(rows, "nll"), over_seeds(rows, information)
    affordable = [name for name in told if nll[name].mean <= nll[LANGUAGE_MODEL].mean + within]
    if not affordable:
        raise ValueError(f"no model is within {within} nats of the language model")
    return max(affordable, key=lambda name: told[name].mean)


# --- tables ---------------------------------------------------------------------------------------------------------


def table(rows: Rows, columns: Columns, groups: Mapping[str, Sequence[str]] | None = None) -> str:
    """A line a name and a column a figure, as ``Spread`` formats it; a dash where a model has none.

    ``columns`` maps each heading to the figure and the format of one number, such as ".2f". A column that no row
    has is left out. ``groups``: titles, and the names that stand below each, in this order; names that are in none are left
    out. Raises ``ValueError`` for a name that no row has.
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    for name in itertools.chain(*(groups or {}).values()):
        if name not in names:
            raise ValueError(f"groups: no row is of {name!r}; there are {', '.join(names)}")
    spreads = {heading: (over_seeds(rows, figure), form) for heading, (figure, form) in columns.items()}
    spreads = {heading: found for heading, found in spreads.items() if found[0]}

    def line(name: str, indent: str = "") -> list[str]:
        cells = [format(found[name], form) if name in found else "–" for found, form in spreads.values()]
        return [indent + name, *cells]

    lines = [["", *spreads]]
    if groups is None:
        lines += [line(name) for name in names]
    else:
        for title, members in groups.items():
            lines += [[title], *(line(name, "  ") for name in members)]
    return _aligned(lines)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """The first column to the left, all others to the right; a line of one cell is a title, and as wide as it is."""
    whole = [line for line in lines if len(line) > 1]
    widths = [max(map(len, column)) for column in zip(*whole, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))])
        if len(line) > 1
        else line[0]
        for line in lines
    )


def circumstances(document: Figures) -> str:
    """A line that says how a stored document was made; names that have more or fewer seeds than most are named."""
    budget, sizes = document["budget"], document["sizes"]
    seeds_of: dict[str, set[int]] = {}
    for row in document["rows"]:
        seeds_of.setdefault(row["name"], set()).add(row["seed"])
    usual = statistics.mode(map(len, seeds_of.values()))
    others: dict[int, list[str]] = {}
    for name, found in seeds_of.items():
        if len(found) != usual:
            others.setdefault(len(found), []).append(name)
    seeds = f"{usual} seed{'s' * (usual > 1)}"
    if others:
        named = [f"{', '.join(names)}: {many}" for many, names in others.items()]
        seeds += f" ({'; '.join(named)})"
    return (
        f"{document['command']}, {document['date']}: {budget['steps']:,} steps of {budget['batch_size']} sentences, "
        f"hidden {sizes['hidden']}, z {sizes['latent']}, {seeds}, {document['device']}"
    )


# --- published ------------------------------------------------------------------------------------------------------

PUBLISHED_COLUMNS = {"NLL": "nll", "perplexity": "perplexity", "KL": "rate", "MI": "mutual_information"}
OUR_COLUMNS: Columns = {
    "NLL": ("nll", ".1f"),
    "perplexity": ("perplexity", ".1f"),
    "KL": ("rate", ".1f"),
    "MI": ("mutual_information", ".1f"),
    "active units": ("active_units", ".0f"),
}


def published(corpus: str) -> list[dict[str, str]]:
    """Published results on ``corpus``, as ``data/published.json`` quotes them: text, with "source" and "status"."""
    found = [row for row in json.loads(PUBLISHED.read_text(encoding="utf-8")) if row["corpus"] == corpus]
    if not found:
        raise ValueError(f"{PUBLISHED}: has no results on {corpus!r}")
    return found


def published_table(corpus: str) -> str:
    """Published results on ``corpus``: a line each, and below them where each was read."""
    rows = published(corpus)
    sources = list(dict.fromkeys(map(_source, rows)))
    lines = [
        [f"[{sources.index(_source(row)) + 1}] {row['work']}", *(row.get(key, "–") for key in PUBLISHED_COLUMNS.values())]
        for row in rows
    ]
    notes = [f"[{number}] {source}" for number, source in enumerate(sources, 1)]
    return "\n".join([_aligned([["published", *PUBLISHED_COLUMNS], *lines]), *notes])


def _source(row: Mapping[str, str]) -> str:
    return f"{row['source']} ({row['status']})"


def our_table(name: str) -> str:
    """Our own stored run ``name`` in the columns of ``published_table``; says so where it was not made yet."""
    try:
        document = stored(name)
    except FileNotFoundError:
        return f"ours: not measured yet (`vae-course measure {name}` takes hours)"
    rows = document["rows"]
    some = min((row["weighted_sentences"] for row in rows if "rate" in row), default=0)
    note = (
        f"\nNLL of a VAE: {document['samples']} importance samples for {some} of the {rows[0]['sentences']:,} test sentences."
    )
    return f"ours ({circumstances(document)})\n{table(rows, OUR_COLUMNS)}{note if some else ''}"
