"""Pictures and tables of lesson 13: par of the scores, variety, every direction, few pairs, real text."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display
from torch import Tensor

from vae_course.figures.base import BLUE, INK, ORANGE, SKY, Picture, new_figure, styled

NAMES = {"zh": "Chinese", "fr": "French"}
CODES = {"english": "en", "chinese": "zh", "french": "fr"}
FILLS = ((ORANGE, ""), (ORANGE, "///"), (SKY, ""), (BLUE, ""))  # of bars side by side, told apart in grey too


@dataclass(frozen=True)
class Texts:
    """Texts side by side, a row each: an HTML table, for a browser finds glyphs for every script, and plain text beside it.

    ``languages``: a column's language, as in ``CODES``, "" for one that is not known; they are told to the browser.
    """

    headings: Sequence[str]
    languages: Sequence[str]
    rows: Sequence[Sequence[str]]

    def mime_bundle(self) -> dict[str, str]:
        """The table for a notebook's output."""
        head = "".join(f'<th style="text-align: left">{html.escape(heading)}</th>' for heading in self.headings)
        body = "".join(f"<tr>{''.join(map(self._cell, self.languages, row))}</tr>" for row in self.rows)
        plain = "\n".join(" | ".join(row) for row in (self.headings, *self.rows))
        return {"text/html": f"<table><tr>{head}</tr>{body}</table>", "text/plain": plain}

    @staticmethod
    def _cell(language: str, text: str) -> str:
        told = f' lang="{CODES[language]}"' if language in CODES else ""
        return f'<td{told} style="text-align: left">{html.escape(text)}</td>'

    def _ipython_display_(self) -> None:
        display(self.mime_bundle(), raw=True)


@styled
def par(references: Sequence[int], bleu: Sequence[float], chrf: Sequence[float]) -> Picture:
    """Scores of a faultless translator against more and more reference translations a sentence."""
    figure, (axes,) = new_figure(width=6.5, height=3.2)
    for name, values, colour, line, marker in (("BLEU", bleu, BLUE, "-", "o"), ("chrF", chrf, ORANGE, "--", "s")):
        axes.plot(references, values, color=colour, linestyle=line, marker=marker, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(references, [str(count) for count in references])
    axes.set(title="No fault, and far from 100", xlabel="reference translations of each sentence", ylabel="score (0 to 100)")
    axes.set(ylim=(50, 102))
    axes.legend(loc="lower right")
    words = "Both scores of a translator who makes no mistake rise with the number of references, and start far below 100."
    return Picture(figure, words)


def _bars(axes: Any, named: Mapping[str, float], limit: float, form: str) -> None:  # noqa: ANN401 - matplotlib's Axes
    """Horizontal bars, the first at the top, each with its value behind it."""
    for place, value in enumerate(named.values()):
        axes.barh(place, value, color=SKY, edgecolor=INK, height=0.6)
        axes.text(value + 0.01 * limit, place, form.format(value), va="center", fontsize=9)
    axes.set_yticks(range(len(named)), list(named))
    axes.set_ylim(len(named) - 0.5, -0.5)
    axes.set_xlim(0, limit)


@styled
def variety(right: Mapping[str, float], different: Mapping[str, float], rounds: int, known: bool = True) -> Picture:
    """Shares of right translations, and how many different right ones ``rounds`` tries find, for each way to write."""
    figure, (left, second) = new_figure(2, width=10, height=0.45 * len(right) + 1.3)
    _bars(left, right, 1.15, "{:.0%}")
    _bars(second, different, max(1.2, 1.2 * max(different.values())), "{:.1f}")
    second.set_yticks([])
    left.set(title="Right", xlabel="share of translations" + ("" if known else " that are the reference"))
    second.set(title=f"Different and right, of {rounds} tries", xlabel="translations a sentence")
    words = "A bar for each way to write: how often it is right, and how many different right translations it finds."
    return Picture(figure, words)


def directions(right: Tensor, languages: Sequence[str], never: Sequence[tuple[str, str]]) -> Texts:
    """A table of shares right (from, to) for each pair of languages; those in ``never`` were never trained together."""
    rows = []
    for source, shares in zip(languages, right.tolist(), strict=True):
        notes = [" (never trained)" if (source, to) in never else " (a copy)" if source == to else "" for to in languages]
        rows.append((f"read in {source.title()}", *(f"{share:.1%}{note}" for share, note in zip(shares, notes, strict=True))))
    headings = ("all facts right, through one z", *(f"written in {language.title()}" for language in languages))
    return Texts(headings, [""] * len(headings), rows)


@styled
def few_pairs(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """Stored shares right by the number of pairs, a bar for each model; a dot for each seed."""
    names, sizes = list(dict.fromkeys(row["name"] for row in rows)), sorted({row["pairs"] for row in rows})
    figure, (axes,) = new_figure(width=9, height=3.6)
    width = 0.84 / len(names)
    for k, (name, (colour, hatch)) in enumerate(zip(names, FILLS, strict=False)):
        values = [[row["right"] for row in rows if (row["name"], row["pairs"]) == (name, size)] for size in sizes]
        places = [place + width * (k - (len(names) - 1) / 2) for place in range(len(sizes))]
        heights = [sum(v) / len(v) for v in values]
        axes.bar(places, heights, color=colour, edgecolor=INK, width=0.94 * width, hatch=hatch, label=name)
        for place, dots, height in zip(places, values, heights, strict=True):
            axes.plot([place] * len(dots), dots, color=INK, linestyle="", marker="o", markersize=3)
            axes.text(place, max(dots) + 0.03, f"{height:.0%}", ha="center", fontsize=9)
    axes.set_xticks(range(len(sizes)), [f"{size:,} pairs" for size in sizes])
    axes.set(title="More text lifts the one latent, not above its rival", ylabel="share with all facts right", ylim=(0, 1.15))
    axes.legend(loc="upper left", fontsize=8)
    words = (
        "With few pairs one latent fails without more text; with it, it comes near the model without z, which reads pairs only."
    )
    return Picture(figure, words)


def strings(rows: Sequence[Mapping[str, Any]], language: str, pairs: Sequence[tuple[str, str]]) -> Texts:
    """The first strings of JupyterLab's test set, their reference, and what the stored ``rows`` say in ``language``."""
    headings = ("test string", "reference", *(f"{row['name']} ({row['exact']:.1%} exactly right)" for row in rows))
    written = zip(*(row["said"] for row in rows), strict=True)
    texts = [(*pair, *said) for pair, said in zip(pairs, written, strict=False)]
    return Texts(headings, ("english", *[NAMES[language].lower()] * (len(rows) + 1)), texts)


@styled
def real_text(rows_in: Mapping[str, Sequence[Mapping[str, Any]]]) -> Picture:
    """Stored BLEU and chrF on the strings of JupyterLab, for each way to translate them, one panel a language."""
    figure, panels = new_figure(len(rows_in), width=10, height=3.2)
    for k, (axes, (language, rows)) in enumerate(zip(panels, rows_in.items(), strict=True)):
        for y, row in enumerate(rows):
            for offset, score, colour in ((-0.18, "bleu", BLUE), (0.18, "chrf", ORANGE)):
                label = {"bleu": "BLEU", "chrf": "chrF"}[score] if y == 0 else None
                axes.barh(y + offset, row[score], color=colour, edgecolor=INK, height=0.34, label=label)
                axes.text(row[score] + 1, y + offset, f"{row[score]:.0f}", va="center", fontsize=9)
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows] if k == 0 else [""] * len(rows))
        axes.set(title=f"English to {NAMES[language]}", xlabel="score (0 to 100)", xlim=(0, 100), ylim=(len(rows) - 0.4, -0.6))
    panels[-1].legend(fontsize=8, loc="upper right")
    figure.suptitle("By both scores the neighbour is ahead, though it is seldom exactly right", x=0.01, ha="left")
    words = "On real strings both models score below simply taking the translation of the most similar string, seldom right."
    return Picture(figure, words)
