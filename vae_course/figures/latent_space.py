"""Pictures of lesson 10: what coordinates know, how a rotation changes that, and what moves in z do to a sentence."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, RED, SKY, Picture, array, new_figure, styled
from vae_course.probability.estimators import Estimate
from vae_course.text.factors import Factors
from vae_course.world.grammar import Tokens

Write = Callable[[Tensor], Sequence[Tokens]]  # z (n, latent) -> a sentence for each


@styled
def bias(counts: Sequence[int], null: Mapping[str, Sequence[float]], own: Mapping[str, Sequence[float]]) -> Picture:
    """Estimates of information (nats) against the number of sentences: ``null`` where the truth is 0, ``own`` of real pairs."""
    figure, axes = new_figure(2, width=9.5, height=3.5)
    titles = ("Codes of other sentences: the truth is 0", "Each sentence with its own code")
    for panel, series, title in zip(axes, (null, own), titles, strict=True):
        for (name, values), colour, line, marker in zip(series.items(), (ORANGE, BLUE, INK), LINES, MARKERS, strict=False):
            panel.plot(counts, values, color=colour, linestyle=line, marker=marker, label=name)
        panel.axhline(0, color=INK, linestyle="-", linewidth=0.8)
        panel.set_xscale("log")
        panel.set_xticks(counts, [f"{count:,}" for count in counts])
        panel.minorticks_off()
        panel.set(title=title, xlabel="sentences counted", ylabel="information, mean over all pairs (nats)")
        panel.legend(fontsize=9)
    top = 1.1 * max(value for series in (null, own) for values in series.values() for value in values)
    for panel in axes:
        panel.set_ylim(-0.05 * top, top)
    words = (
        "The plain estimate falls steeply as more sentences are counted, though nothing else changes; the corrected one stays "
        "near 0 where the truth is 0, and changes far less where it is not."
    )
    return Picture(figure, words)


@styled
def heat_map(shares: Tensor, names: Sequence[str]) -> Picture:
    """What each coordinate knows of each factor, (latent, factors), as a share of the factor's entropy."""
    figure, (axes,) = new_figure(width=7.5, height=0.24 * len(shares) + 1.3)
    percent = 100 * array(shares)
    top = max(1.0, float(percent.max()))
    shown = axes.imshow(percent, cmap="Blues", vmin=0, vmax=top, aspect="auto")
    for row, values in enumerate(percent):
        for column, value in enumerate(values):
            colour = "white" if value > 0.6 * top else INK
            axes.text(
                column,
                row,
                f"{abs(value) if round(value) == 0 else value:.0f}",
                ha="center",
                va="center",
                fontsize=8,
                color=colour,
            )
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(shares)), [str(row) for row in range(len(shares))], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(title="Every coordinate knows a little of several facts", ylabel="coordinate of z")
    figure.colorbar(shown, ax=axes, label="known of the fact's entropy (%)")
    words = "Of each fact several coordinates know a small share, and the best of them is far from knowing all."
    return Picture(figure, words)


@styled
def gaps(trained: float, turned: Sequence[float], aligned: float) -> Picture:
    """Mutual information gaps of one model in three sets of axes: as trained, turned at random, turned to the factors."""
    figure, (axes,) = new_figure(height=2.3)
    rows = {"turned at random": list(turned), "as trained": [trained], "turned to the facts": [aligned]}
    for row, (values, colour, marker) in enumerate(zip(rows.values(), (INK, BLUE, ORANGE), MARKERS, strict=False)):
        axes.plot(values, [row] * len(values), marker, color=colour, markersize=8, alpha=0.6 if len(values) > 1 else 1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlim=(0, max(0.25, 1.15 * aligned)), ylim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
    axes.set(title="The same model in other axes", xlabel="mutual information gap, mean over the facts (1: each has its axis)")
    words = "The trained axes have a small gap, as axes turned at random have; axes turned to the facts have a much larger one."
    return Picture(figure, words)


@styled
def accuracies(named: Mapping[str, Sequence[Estimate | float]], names: Sequence[str]) -> Picture:
    """One row a factor, one marker a reader: the share of test sentences whose value it names."""
    figure, (axes,) = new_figure(height=0.4 * len(names) + 1.7)
    rows = list(range(len(names)))[::-1]
    looks = zip((INK, "white", ORANGE, BLUE, SKY, RED), ("o", "v", "^", "D", "p", "s"), strict=True)
    for (name, values), (colour, marker) in zip(named.items(), looks, strict=False):
        places = [100 * (value.value if isinstance(value, Estimate) else value) for value in values]
        axes.plot(places, rows, marker, color=colour, markeredgecolor=INK, markersize=8, linestyle="", label=name)
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 103), ylim=(-0.6, len(names) - 0.4))
    axes.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
    axes.set(title="Together the coordinates tell most facts", xlabel="right on test sentences (%)")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    words = (
        "For every fact the readers of z, two probes and the decoder, are right far more often than the two that know nothing "
        "of the sentence; the words themselves tell all."
    )
    return Picture(figure, words)


@styled
def part_and_whole(best: Tensor, whole: Tensor, entropies: Tensor, names: Sequence[str]) -> Picture:
    """For each factor what the best coordinate knows, what a linear reader of all of z knows, and what there is. (factors,)."""
    figure, (axes,) = new_figure(height=3.3)
    series = {"best coordinate": best, "all of z, logistic regression": whole, "entropy: all there is": entropies}
    for k, (name, values) in enumerate(series.items()):
        places = [column + 0.27 * (k - 1) for column in range(len(names))]
        hatch = ("", "//", "")[k]
        fill = (BLUE, ORANGE, "white")[k]
        axes.bar(places, array(values), 0.27, color=fill, edgecolor=INK, linewidth=0.8, hatch=hatch, label=name)
    axes.set_xticks(range(len(names)), names)
    axes.set(title="All of z tells several times what its best coordinate tells", ylabel="known of the fact (nats)")
    axes.set_ylim(0, 1.35 * float(entropies.max()))
    axes.legend(ncols=3, loc="upper center", fontsize=9)
    return Picture(figure, "For every fact all of z together knows several times what the best single coordinate knows.")


@styled
def along_the_way(
    places: Tensor, start: Tensor, end: Tensor, neither: Tensor, neither_of_unrelated: float, readable: Tensor
) -> Picture:
    """Shares (points,) along straight lines in z: left, facts as at the start, the end, neither; right, sentences readable.

    ``neither_of_unrelated``: the share of facts as at neither end in a sentence that has nothing to do with the line.
    """
    figure, (left, right) = new_figure(2, width=9.5, height=3.6)
    series = {"as at the start": start, "as at the end": end, "as at neither": neither}
    for (name, values), colour, line, marker in zip(series.items(), PALETTE, LINES, MARKERS, strict=False):
        left.plot(array(places), 100 * array(values), color=colour, linestyle=line, marker=marker, label=name)
    unrelated = "as at neither, unrelated sentence"
    left.axhline(100 * neither_of_unrelated, color=INK, linestyle="-", linewidth=0.8, label=unrelated)
    right.plot(array(places), 100 * array(readable), color=RED, linestyle="-.", marker="D")
    left.set(title="Facts in which the two ends differ", ylabel="share of these facts (%)")
    right.set(title="Sentences that the grammar can read", ylabel="share of the sentences (%)")
    for panel in (left, right):
        panel.set(xlabel="place on the line (0: start, 1: end)", ylim=(-3, 106))
    figure.legend(loc="outside lower left", ncols=4, fontsize=8)
    words = (
        "Along the line the start's facts give way to the end's; some in the middle are neither's, though far fewer than in an "
        "unrelated sentence; nearly all sentences stay readable."
    )
    return Picture(figure, words)


@styled
def wishes_granted(
    lengths: Sequence[float],
    granted: Mapping[str, Sequence[float]],
    kept: Mapping[str, Sequence[float]],
    share: float,
    kept_at_share: Mapping[str, float],
) -> Picture:
    """Left, granted wishes against the steps' length; right, all else kept against wishes granted, read off at ``share``."""
    figure, (left, right) = new_figure(2, width=9.5, height=3.6)
    for (name, values), colour, line, marker in zip(granted.items(), (ORANGE, BLUE, INK), LINES, MARKERS, strict=False):
        came_true, unspoiled = ([100 * value for value in part] for part in (values, kept[name]))
        left.plot(lengths, came_true, color=colour, linestyle=line, marker=marker, label=name)
        right.plot(came_true, unspoiled, color=colour, linestyle=line, marker=marker)
        longest = (came_true[-1], unspoiled[-1])
        right.annotate(
            f"{lengths[-1]:.1f}", longest, (0, -13), textcoords="offset points", ha="center", color=colour, fontsize=8
        )
    right.annotate("0", (0, 100), (8, -3), textcoords="offset points", fontsize=8)
    right.axvline(100 * share, color=INK, linestyle=":", linewidth=1)
    right.text(100 * share - 1, 0, f"{share:.0%} granted", rotation=90, va="bottom", ha="right", fontsize=8)
    for value, colour, below in zip(kept_at_share.values(), (ORANGE, BLUE), (-18, 9), strict=False):
        if value == value:  # not where a direction never grants so many
            place = (100 * share, 100 * value)
            right.plot(*place, "o", color="white", markeredgecolor=INK, markersize=6)
            right.annotate(
                f"{value:.0%} kept",
                place,
                (-8, below),
                textcoords="offset points",
                ha="right",
                color=colour,
                fontweight="bold",
            )
    left.set(title="At equal lengths: is the wish granted?", xlabel="length of the step (units of z, mean)")
    left.set(ylabel="wish granted (%)", ylim=(-3, 103))
    right.set(
        title="At equal shares granted: is all else kept?", xlabel=f"wish granted (%), at lengths from 0 to {lengths[-1]:.1f}"
    )
    right.set(ylabel="all else kept (%)", ylim=(-3, 108), xlim=(-3, 103))
    left.legend(fontsize=9)
    words = (
        "At equal lengths both directions come to grant most wishes, a random one few. Where equally many are granted, the "
        "direction that holds all else equal keeps more."
    )
    return Picture(figure, words)


@styled
def moved_sentence(
    write: Write, factors: Factors, codes: Tensor, start: Tensor, axes_of_z: Tensor, *, first: float, second: float
) -> Picture:
    """What the decoder writes at ``start`` (latent,) moved along two directions ``axes_of_z`` (2, latent), among ``codes``."""
    move = first * axes_of_z[0] + second * axes_of_z[1]
    before, after = write(torch.stack([start, start + move]))
    figure, (left, right) = new_figure(2, width=9.5, height=3.4)
    seen, here, there = (array(z @ axes_of_z.T) for z in (codes, start[None], start[None] + move))
    left.scatter(seen[:, 0], seen[:, 1], s=4, color="#b8b8b8", label="other sentences")
    left.plot([here[0, 0], there[0, 0]], [here[0, 1], there[0, 1]], color=RED, linestyle="-", linewidth=1)
    left.plot(here[:, 0], here[:, 1], "o", color=INK, markersize=7, label="start")
    left.plot(there[:, 0], there[:, 1], "D", color=RED, markersize=8, label="now")
    left.set(title="Where we are", xlabel="along the first direction", ylabel="along the second direction")
    left.legend(loc="upper left", fontsize=8)
    right.set_axis_off()
    right.set_title("What is written there")
    right.text(0, 0.95, _folded(after), va="top", fontsize=11, transform=right.transAxes)
    lines = _changes(factors, before, after)
    for row, (text, changed) in enumerate(lines):
        line = right.text(0, 0.62 - 0.085 * row, text, va="top", fontsize=10, color=INK, transform=right.transAxes)
        if changed:
            line.set(color=RED, fontweight="bold")
    changes = "; ".join(" ".join(text.split()) for text, changed in lines if changed) or "none"
    words = (
        f"Moved by {first:g} and {second:g}, z is written as: {' '.join(after) or '(nothing)'}. Facts that changed: {changes}."
    )
    return Picture(figure, words)


def _folded(tokens: Tokens, width: int = 44) -> str:
    lines = [""]
    for token in tokens[:40]:
        if len(lines[-1]) + len(token) > width:
            lines.append("")
        lines[-1] += token + " "
    return "\n".join(line.strip() for line in lines[:3]) or "(nothing)"


def _changes(factors: Factors, before: Tokens, after: Tokens) -> list[tuple[str, bool]]:
    """A line for each factor of ``after``, and whether it differs from ``before``."""
    was, now = factors.read(before), factors.read(after)
    if now is None:
        return [("outside the language: no facts", True)]
    old = [None] * len(now) if was is None else list(was)
    return [
        (f"{name}: {names[new]}" + (f"  (was {names[o]})" if o is not None and o != new else ""), o != new)
        for (name, names), o, new in zip(factors.values.items(), old, now, strict=True)
    ]
