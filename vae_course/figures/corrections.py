"""Pictures of lesson 15: surprise word by word, detectors, correctors, misspellings, and the reading of a typed sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from vae_course.applications.correction import Detection, Restored
from vae_course.figures.base import BLUE, INK, ORANGE, SKY, Picture, array, new_figure, styled
from vae_course.text.vocabulary import Tokenizer
from vae_course.world.noise import Posterior

_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}


@styled
def surprises(words: Sequence[str], nats: Tensor, wrong: Sequence[bool], threshold: float | None = None) -> Picture:
    """The surprisal of each word of one sentence, (words,), those that are wrong hatched."""
    figure, (axes,) = new_figure(width=9, height=2.9)
    for place, (value, bad) in enumerate(zip(array(nats), wrong, strict=True)):
        axes.bar(place, value, color=ORANGE if bad else SKY, edgecolor=INK, hatch="//" if bad else None, width=0.7)
    if threshold is not None:
        axes.axhline(threshold, color=INK, linestyle="--", linewidth=1)
        axes.text(len(words) - 0.4, threshold, "threshold", ha="right", va="bottom", fontsize=9)
    axes.set_xticks(range(len(words)), words, rotation=30, ha="right")
    axes.set(
        title="An error surprises; so, a little, does a right word that is rare (hatched: wrong)", ylabel="surprisal (nats)"
    )
    return Picture(figure, f"The surprisal of each of {len(words)} words, of which {sum(wrong)} are wrong.")


@styled
def detectors(named: Mapping[str, Detection], title: str, of: str) -> Picture:
    """AUROC, precision, recall and F0.5 of each detector, at a threshold from validation. ``of``: "words" or "sentences"."""
    figure, panels = new_figure(4, width=10, height=0.36 * len(named) + 1.3)
    columns = {"AUROC": "auroc", "precision": "precision", "recall": "recall", "F0.5": "f_half"}
    for axes, (name, field) in zip(panels, columns.items(), strict=True):
        _bars(axes, {detector: getattr(found, field) for detector, found in named.items()}, name)
    for axes in panels[1:]:
        axes.set_yticks([])
    figure.suptitle(title, x=0.01, ha="left")
    return Picture(figure, f"Four scores of {len(named)} detectors of wrong {of}: {', '.join(named)}.")


def _bars(axes: Any, named: Mapping[str, float], label: str) -> None:  # noqa: ANN401 - matplotlib's Axes
    for place, value in enumerate(named.values()):
        axes.barh(place, value, color=SKY, edgecolor=INK, height=0.62)
        axes.text(value + 0.02, place, f"{value:.3f}", va="center", fontsize=8)
    axes.set_yticks(range(len(named)), list(named))
    axes.set(xlim=(0, 1.3), ylim=(len(named) - 0.5, -0.5), xlabel=f"{label} (0 to 1)", xticks=(0, 0.5, 1))


@styled
def correctors(named: Mapping[str, Restored], optimum: float | None = None, known: bool = True) -> Picture:
    """Shares of sentences as meant after each corrector, and of right sentences that it spoils; ``optimum``: the best share."""
    figure, (left, right) = new_figure(2, width=10, height=0.38 * len(named) + 1.2)
    for axes, field, label in (
        (left, "whole", "share of sentences as meant"),
        (right, "spoiled", "share of right ones spoiled"),
    ):
        limit = 1.0 if field == "whole" else max(0.1, *(found.spoiled for found in named.values()))
        for place, found in enumerate(named.values()):
            value = getattr(found, field)
            axes.barh(place, value, color=SKY if field == "whole" else ORANGE, edgecolor=INK, height=0.62)
            axes.text(value + 0.015 * limit, place, f"{value:.1%}", va="center", fontsize=9, bbox=_WHITE)
        axes.set_yticks(range(len(named)), list(named))
        axes.set(xlim=(0, 1.18 * limit), ylim=(len(named) - 0.5, -0.5), xlabel=label)
    right.set_yticks([])
    if optimum is not None:
        left.axvline(optimum, color=INK, linestyle="--", linewidth=1, zorder=0)
    title = (
        "A source model and a channel come closest to the exact optimum (dashed)" if known else "What each corrector restores"
    )
    figure.suptitle(title, x=0.01, ha="left")
    return Picture(
        figure, f"Two bars for each of {len(named)} correctors: sentences as meant afterwards, and right sentences spoiled."
    )


@styled
def misspellings(named: Mapping[str, float], title: str, label: str = "share of unseen words found") -> Picture:
    """One share for each way, as bars with their values."""
    figure, (axes,) = new_figure(width=8, height=0.4 * len(named) + 1.1)
    for place, value in enumerate(named.values()):
        axes.barh(place, value, color=SKY, edgecolor=INK, height=0.62)
        axes.text(value + 0.01, place, f"{value:.1%}", va="center", fontsize=9)
    axes.set_yticks(range(len(named)), list(named))
    axes.set(xlim=(0, 1.12), ylim=(len(named) - 0.5, -0.5), xlabel=label)
    figure.suptitle(title, x=0.01, ha="left")
    return Picture(figure, "; ".join(f"{name}: {value:.1%}" for name, value in named.items()) + ".")


@styled
def few_pairs(rows: Sequence[Mapping[str, Any]], optimum: float) -> Picture:
    """Stored shares restored of a corrector trained on few pairs, by what was added to them; a dot for each seed."""
    names = list(dict.fromkeys(row["name"] for row in rows))
    figure, (axes,) = new_figure(width=9, height=0.42 * len(names) + 1.2)
    for place, name in enumerate(names):
        values = [row["whole"] for row in rows if row["name"] == name]
        mean = sum(values) / len(values)
        axes.barh(place, mean, color=SKY, edgecolor=INK, height=0.62)
        axes.plot(values, [place] * len(values), color=INK, linestyle="", marker="o", markersize=4)
        axes.text(max(*values, mean) + 0.02, place, f"{mean:.0%}", va="center", fontsize=9)
    axes.axvline(optimum, color=INK, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(0, 1.1), ylim=(len(names) - 0.5, -0.5), xlabel="share of sentences as meant (dashed: exact optimum)")
    figure.suptitle("With few real pairs, made errors help little; real ones help more", x=0.01, ha="left")
    return Picture(figure, f"A bar for each of {len(names)} training sets, and a dot for each seed.")


@styled
def reading(
    words: Sequence[str], doubt: Sequence[float], found: Posterior, threshold: float, tokenizer: Tokenizer, most: int = 5
) -> Picture:
    """A typed sentence: how probably each word is wrong, those flagged hatched, and the likeliest readings below."""
    figure, (above, below) = new_figure(1, 2, width=9, height=4.6)
    flagged = [p >= threshold for p in doubt]
    for place, (p, flag) in enumerate(zip(doubt, flagged, strict=True)):
        above.bar(place, p, color=ORANGE if flag else SKY, edgecolor=INK, hatch="//" if flag else None, width=0.7)
    above.axhline(threshold, color=INK, linestyle="--", linewidth=1)
    above.set_xticks(range(len(words)), words, rotation=30, ha="right")
    above.set(ylim=(0, 1.05), ylabel="p(wrong)")
    above.set_title("What is flagged (hatched), and what is proposed", loc="left")
    proposals = list(found.items())[:most]
    for place, (meant, p) in enumerate(proposals):
        below.barh(place, p, color=BLUE, edgecolor=INK, height=0.62, alpha=0.35)
        below.text(0.01, place, f"{p:.3f}  {tokenizer.join(meant)}", va="center", fontsize=9)
    below.set(xlim=(0, 1), ylim=(max(len(proposals), 1) - 0.5, -0.5), xlabel="p(meant given written)", yticks=[])
    marked = ", ".join(word for word, flag in zip(words, flagged, strict=True) if flag) or "nothing"
    proposed = tokenizer.join(proposals[0][0]) if proposals else "no reading found"
    return Picture(figure, f"Written: {tokenizer.join(words)}. Flagged: {marked}. Proposed: {proposed}.")
