"""Pictures of lesson 11: what temperature and nucleus do, quality against diversity, what beams like, attributes on demand."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, RED, Picture, array, new_figure, styled


def table(named: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each writer and a column for each score; a dash where it is not known (NaN)."""
    kinds = list(next(iter(named.values())))
    width = max(map(len, named)) + 2
    lines = [" " * width + "  ".join(f"{kind:>10}" for kind in kinds)]
    for name, values in named.items():
        cells = ["-" if math.isnan(values[kind]) else _short(values[kind]) for kind in kinds]
        lines.append(f"{name:{width}}" + "  ".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 2 else f"{value:.2f}" if abs(value) < 100 else f"{value:.1f}"


@styled
def reshaped(words: Sequence[str], distributions: Mapping[str, Tensor]) -> Picture:
    """Probabilities (words,) of the next word in several forms, one panel each, the words in the same order."""
    figure, axes = new_figure(len(distributions), width=10, height=3.0)
    top = max(float(values.max()) for values in distributions.values())
    for panel, (name, values), colour in zip(axes, distributions.items(), (INK, BLUE, RED, ORANGE), strict=False):
        rows = range(len(words))[::-1]
        panel.barh(list(rows), array(values), color=colour, height=0.75)
        panel.set_yticks(list(rows), words if panel is axes[0] else [], fontsize=9)
        panel.set(title=name, xlabel="probability", xlim=(0, 1.05 * top))
    figure.suptitle("Temperature bends the whole distribution, a nucleus cuts its tail", x=0.01, ha="left")
    words_line = "A low temperature feeds the likely words, a high one the unlikely; a nucleus drops the unlikely altogether."
    return Picture(figure, words_line)


@styled
def frontier(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[str]]],
    points: Mapping[str, tuple[float, float]],
    quality: str,
    known: bool = True,
) -> Picture:
    """Quality against self-BLEU: for each curve its self-BLEUs, its qualities and the knob's settings; single points beside.

    ``known``: of the course's own world, about which the title makes its claim.
    """
    figure, (axes,) = new_figure(width=8.5, height=4.6)
    for (name, (x, y, settings)), colour, line, marker in zip(
        curves.items(), (BLUE, BLUE, ORANGE, ORANGE), ("-", ":", "-", ":"), ("o", "^", "s", "D"), strict=False
    ):
        axes.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=6, label=name)
        for place in (0, len(x) - 1):
            axes.annotate(settings[place], (x[place], y[place]), textcoords="offset points", xytext=(5, -12), fontsize=8)
    for (name, (one, other)), marker, colour in zip(points.items(), ("*", "P", "X"), (INK, RED, INK), strict=False):
        axes.plot([one], [other], marker, color=colour, markersize=13, label=name)
    claim = "Every writer buys quality with diversity; real text has both"
    axes.set(title=claim if known else "Quality against diversity, by the setting of a knob")
    axes.set(xlabel="self-BLEU (0 to 100): further left is more diverse", ylabel=quality)
    axes.legend(fontsize=9, loc="lower right")
    words = "As temperature or nucleus falls, each writer's quality rises and its diversity falls; the corpus has both."
    return Picture(figure, words if known else "Quality against self-BLEU of each writer, along two knobs, and of real text.")


@styled
def greedy_variety(shares: Mapping[str, float], draws: int) -> Picture:
    """Different sentences among greedy decodes of ``draws`` prior z, by model, as shares."""
    figure, (axes,) = new_figure(height=2.4)
    rows = list(range(len(shares)))[::-1]
    axes.barh(rows, [100 * share for share in shares.values()], color=[BLUE, INK, ORANGE][: len(shares)], height=0.6)
    for row, share in zip(rows, shares.values(), strict=True):
        axes.text(100 * share + 1, row, f"{round(draws * share):,} of {draws:,}", va="center", fontsize=10)
    axes.set_yticks(rows, list(shares))
    axes.set(title="Without chance, only a z that is used gives variety", xlim=(0, 125), xticks=range(0, 101, 20))
    axes.set_xlabel(f"different sentences among {draws:,} greedy ones (%)")
    return Picture(figure, "Only the VAE whose z is used writes many different greedy sentences; the others write one or few.")


@styled
def likeliest(nats: Mapping[str, Tensor], one: tuple[str, float] | None, unit: str) -> Picture:
    """Histograms of -log p of whole sentences, one a writer, and a line at a single sentence's."""
    figure, axes = new_figure(1, len(nats), width=8, height=1.15 * len(nats) + 1.0)
    low = min([float(values.min()) for values in nats.values()] + ([one[1]] if one else [])) - 0.5
    high = max(float(values.quantile(0.995)) for values in nats.values()) + 0.5
    for panel, (name, values), colour in zip(axes, nats.items(), (INK, BLUE, ORANGE, RED), strict=False):
        panel.hist(array(values), bins=40, range=(low, high), color=colour, alpha=0.75)
        panel.axvline(float(values.mean()), color=INK, linestyle="-", linewidth=2)
        panel.text(0.99, 0.95, name, transform=panel.transAxes, ha="right", va="top", fontsize=10, fontweight="bold")
        panel.set(xlim=(low, high), yticks=[])
        panel.spines["left"].set_visible(False)
        if one:
            panel.axvline(one[1], color=INK, linestyle=":")
        if panel is not axes[-1]:
            panel.set_xticklabels([])
    if one:
        axes[0].text(one[1] + 0.1, 0.95, one[0], transform=axes[0].get_xaxis_transform(), va="top", fontsize=9)
    axes[0].set_title("The likelier, the duller: the truth seldom writes what a search finds")
    axes[-1].set_xlabel(f"-log p of a sentence, {unit}; further left is likelier; thick line: mean")
    words = (
        "Real and sampled sentences share one spread of -log p; greedy and searched ones lie to its left, far from its middle."
    )
    return Picture(figure, words)


@styled
def on_demand(numbers: Sequence[int], obeyed: Mapping[str, Sequence[float]], different: Sequence[float]) -> Picture:
    """The share of sentences with all the attributes asked for, against how many were asked for, and how these differ."""
    figure, (left, right) = new_figure(2, width=9, height=3.7)
    for (name, shares), colour, line, marker in zip(obeyed.items(), (ORANGE, BLUE, INK), LINES, MARKERS, strict=False):
        left.plot(numbers, [100 * share for share in shares], color=colour, linestyle=line, marker=marker, label=name)
        for number, share, lowest in zip(numbers, shares, map(min, zip(*obeyed.values(), strict=True)), strict=True):
            place, away = (number, 100 * share), (0, -15 if share == lowest else 8)
            left.annotate(f"{100 * share:.1f}", place, away, textcoords="offset points", ha="center", fontsize=8)
    left.set(xlabel="attributes asked for at once", ylabel="sentences that have them all (%)", ylim=(-14, 112))
    left.set(title="What is asked for comes", xlim=(min(numbers) - 0.3, max(numbers) + 0.3))
    left.set_xticks(numbers)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(obeyed), fontsize=9)
    right.bar(numbers, [100 * share for share in different], color=ORANGE, width=0.5)
    right.set_xticks(numbers)
    right.set(title="and not always the same", xlabel="attributes asked for at once", ylim=(0, 112))
    right.set_ylabel("different among the obedient (%)")
    words = "Asked by z, most sentences have what was asked for; unasked, or with an unused z, ever fewer have it by chance."
    return Picture(figure, words)
