"""Pictures of lesson 10: what coordinates know, how a rotation changes that, and what moves in z do to a sentence."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, RED, SKY, Picture, array, new_figure, styled
from vae_course.probability.estimators import Estimate
from vae_course.text.factors import Factors
from vae_course.world.grammar import Tokens

Write = Callable[[Tensor], Sequence[Tokens]]  # z (n, latent) -> a sentence for each


def _about(share: float) -> str:
    """A share in per cent to the nearest five: what a picture's words say must not hang on a last digit."""
    return "a share of none" if math.isnan(share) else f"about {5 * round(20 * share)} %"


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
    plain = next(iter(null.values()))
    words = (
        f"Where the truth is 0, the plain estimate from {counts[0]:,} sentences is {plain[0] / plain[-1]:.0f} times that from "
        f"{counts[-1]:,}; the corrected one stays near 0. With a sentence's own code the corrected one changes far less."
    )
    return Picture(figure, words)


@styled
def heat_map(shares: Tensor, names: Sequence[str]) -> Picture:
    """What each coordinate knows of each factor, (latent, factors), as a share of the factor's entropy; darkest: 15 %."""
    figure, (axes,) = new_figure(width=7.5, height=0.24 * len(shares) + 1.3)
    percent = 100 * array(shares)
    shown = axes.imshow(percent, cmap="Blues", vmin=0, vmax=15, aspect="auto")
    for row, values in enumerate(percent):
        for column, value in enumerate(values):
            text = f"{abs(value) if round(value) == 0 else value:.0f}"
            colour = "white" if value > 9 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(shares)), [str(row) for row in range(len(shares))], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(title="No coordinate knows much of any fact", ylabel="coordinate of z")
    figure.colorbar(shown, ax=axes, extend="max", label="known of the fact's entropy (%)\ndarkest: 15 and more")
    best = shares.max(dim=0).values
    words = (
        "A table of coordinates (rows) and facts (columns). Down each column, several coordinates know a little of the fact; "
        f"the best knows {_about(float(best.mean()))} of it, mean over the facts, and {_about(float(best.max()))} at most."
    )
    return Picture(figure, words)


@styled
def axes_compared(gaps: Mapping[str, Sequence[float]], best: Mapping[str, Sequence[float]], ceiling: float) -> Picture:
    """One model in several sets of axes, a row each: left mutual information gaps, right the best axis' share of a fact.

    The first row holds random axes, the second those of training. ``ceiling``: a gap that none of these axes can exceed, for
    want of nats in any one of them.
    """
    figure, (left, right) = new_figure(2, width=9.5, height=3.2)
    below = {}  # of the random axes, how many lie below those of training
    for panel, rows in ((left, gaps), (right, best)):
        for row, (values, colour, marker) in enumerate(zip(rows.values(), (INK, BLUE, ORANGE), MARKERS, strict=False)):
            places = [value if panel is left else 100 * value for value in values]
            one = len(values) == 1
            heights = [row + 0.36 * (number % 9 - 4) / 4 * (not one) for number in range(len(values))]
            fill, size = (colour, 8) if one else ("none", 3.5)
            panel.plot(places, heights, marker, color=colour, markerfacecolor=fill, markersize=size)
        panel.set(ylim=(-0.6, len(rows) - 0.4))
        panel.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
        at_random, (trained, *_), *_ = rows.values()
        below[panel] = sum(value < trained for value in at_random)
        told = f"{below[panel]} of {len(at_random)} lie below\nthe axes as trained"
        unit = 1 if panel is left else 100
        panel.annotate(told, (unit * max(at_random), 0), (8, 0), textcoords="offset points", va="center", fontsize=8)
    left.set_yticks(range(len(gaps)), list(gaps))
    right.set_yticks(range(len(best)), [""] * len(best))
    left.axvline(ceiling, color=INK, linestyle=":", linewidth=1.5)
    left.annotate(
        "bound, from\nthe axes' nats",
        (ceiling, len(gaps) - 1),
        (-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
    )
    left.set(title="Gap: how far the best axis leads", xlabel="mutual information gap, mean over the facts")
    right.set(title="What the best axis knows of a fact", xlabel="of the fact's entropy (%), mean over the facts")
    left.set_xlim(0, 1.1 * max(ceiling, *(max(values) for values in gaps.values())))
    right.set_xlim(0, 120 * max(max(values) for values in best.values()))
    trained_among = below[left] / len(next(iter(gaps.values())))
    ranked = "above most" if trained_among > 2 / 3 else "below most" if trained_among < 1 / 3 else "in the middle"
    told = "; ".join(f"{name} {_about(sum(values) / len(values))}" for name, values in best.items())
    words = (
        f"The trained axes have a small gap, {ranked} of those that axes turned at random have; axes turned to the facts have "
        f"one several times as large, still far below the bound. What the best axis knows of a fact: {told}."
    )
    return Picture(figure, words)


@styled
def accuracies(named: Mapping[str, Sequence[Estimate | float]], guessing: Sequence[str] = ()) -> Picture:
    """One row a reader: a small mark for each factor, a large one for their mean; shares of test sentences named right.

    ``guessing``: the readers that know nothing. The words tell them together, since their rounded means may be far apart.
    """
    figure, (axes,) = new_figure(height=0.38 * len(named) + 1.5)
    means = {}
    for row, (name, values) in enumerate(reversed(list(named.items()))):
        places = [100 * (value.value if isinstance(value, Estimate) else value) for value in values]
        means[name] = sum(places) / len(places)
        labels = ("one fact", "mean of the facts, as the number") if row == 0 else (None, None)
        axes.plot([means[name]], [row], "o", color=ORANGE, markeredgecolor=INK, markersize=8, label=labels[1])
        axes.plot(places, [row] * len(places), "|", color=INK, markersize=15, linestyle="", label=labels[0])
        axes.text(104, row, f"{means[name]:.0f}", va="center", fontsize=10, fontweight="bold")
    axes.set_yticks(range(len(means)), list(means))
    axes.set(xlim=(0, 111), ylim=(-0.6, len(means) - 0.4))
    axes.set_xticks(range(0, 101, 20))
    axes.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
    axes.set(title="Together the coordinates tell most facts")
    axes.set_xlabel("right on test sentences (%)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=9)
    told = [f"{name} {_about(mean / 100)}" for name, mean in reversed(means.items()) if name not in guessing]
    if guessing:
        low, high = min(means[name] for name in guessing), max(means[name] for name in guessing)
        told.insert(0, f"{' and '.join(guessing)} {5 * math.floor(low / 5)} to {5 * math.ceil(high / 5)} %")
    return Picture(figure, f"Right on test sentences, mean over the facts: {'; '.join(told)}.")


@styled
def part_and_whole(best: Tensor, turned: Tensor, whole: Tensor, entropies: Tensor, names: Sequence[str]) -> Picture:
    """For each factor what one coordinate, one turned axis and all of z know, and what there is to know. All (factors,)."""
    figure, (axes,) = new_figure(height=3.4)
    series = {
        "best coordinate": (best, BLUE, ""),
        "best axis, turned to the facts": (turned, SKY, ".."),
        "all of z, logistic regression": (whole, ORANGE, "//"),
        "entropy: all there is": (entropies, "white", ""),
    }
    for k, (name, (values, fill, hatch)) in enumerate(series.items()):
        places = [column + 0.21 * (k - 1.5) for column in range(len(names))]
        axes.bar(places, array(values), 0.21, color=fill, edgecolor=INK, linewidth=0.8, hatch=hatch, label=name)
    axes.set_xticks(range(len(names)), names)
    axes.set(title="All of z tells several times what its best coordinate tells", ylabel="known of the fact (nats)")
    axes.set_ylim(0, 1.45 * float(entropies.max()))
    axes.legend(ncols=2, loc="upper center", fontsize=9)
    shares = [_about(float((values / entropies.clamp_min(1e-9)).mean())) for values in (best, turned, whole)]
    words = (
        f"Of a fact's entropy the best single coordinate knows {shares[0]}, the best axis after turning to the facts "
        f"{shares[1]}, all of z together {shares[2]}, mean over the facts."
    )
    return Picture(figure, words)


@styled
def several_directions(shares: Mapping[str, Sequence[float]], whole: float) -> Picture:
    """What the first 1, 2, 3, ... directions of a factor know of it, a line each, and their mean; ``whole``: all of z, mean.

    A factor's last direction stands for all that follow: its line goes on level in the mean.
    """
    figure, (axes,) = new_figure(height=3.8)
    longest = max(map(len, shares.values()))
    for values in shares.values():
        count, end = len(values), 100 * values[-1]
        axes.plot(range(1, count + 1), [100 * value for value in values], color="#9a9a9a", linestyle="-", linewidth=1)
        axes.plot([count], [end], "o", color="#9a9a9a", markersize=4)
    for count in sorted({len(values) for values in shares.values()}):
        # A share of next to no entropy may lie far outside the axes, where its name cannot be drawn.
        ends = {name: min(max(100 * values[-1], 0), 100) for name, values in shares.items() if len(values) == count}
        for name, height in _apart(ends, 5.5).items():
            axes.plot([count, count + 0.14], [ends[name], height], color="#9a9a9a", linestyle="-", linewidth=0.6)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            axes.text(count + 0.17, height, name, va="center", color="#4a4a4a", fontsize=8, bbox=ground, zorder=5)
    filled = [[*values, *[values[-1]] * (longest - len(values))] for values in shares.values()]
    mean = [sum(column) / len(column) for column in zip(*filled, strict=True)]
    axes.plot(range(1, longest + 1), [100 * value for value in mean], color=BLUE, linestyle="-", marker="o", label="mean")
    axes.plot(
        [], [], color="#9a9a9a", linestyle="-", linewidth=1, marker="o", markersize=4, label="a fact, to its last direction"
    )
    axes.axhline(100 * whole, color=ORANGE, linestyle="--", label="all of z, mean", zorder=0)
    axes.set(title="The more directions, the more they tell")
    axes.set_xlabel("directions that the reader may use, those of the largest spread first")
    axes.set(ylabel="known of the fact's entropy (%)", ylim=(0, 100), xticks=range(1, longest + 1), xlim=(0.8, longest + 0.8))
    axes.legend(loc="upper left", ncols=3, fontsize=9)
    told = ", ".join(_about(value) for value in mean[:3])
    words = (
        f"One, two and three directions know {told} of a fact, mean over the facts, and better ones may know more; all of z "
        f"{_about(whole)}."
    )
    return Picture(figure, words)


def _apart(heights: Mapping[str, float], room: float) -> dict[str, float]:
    """The heights moved apart, as little as a few rounds of pushing need, until neighbours have ``room`` between them."""
    names = sorted(heights, key=lambda name: heights[name])
    moved = {name: heights[name] for name in names}
    for _ in range(50):
        for lower, upper in pairwise(names):
            push = max(0.0, room - (moved[upper] - moved[lower])) / 2
            moved[lower] -= push
            moved[upper] += push
    return moved


@styled
def along_the_way(
    places: Tensor,
    start: Tensor,
    end: Tensor,
    neither: Tensor,
    neither_of_unrelated: float,
    readable: Tensor,
    readable_of_draws: Mapping[str, float],
) -> Picture:
    """Shares (points,) along straight lines in z: left, facts as at the start, the end, neither; right, sentences readable.

    ``neither_of_unrelated``: the share of facts as at neither end in a sentence that has nothing to do with the line.
    ``readable_of_draws``: the share of readable sentences from codes that lie on no line, by what they are.
    """
    figure, (left, right) = new_figure(2, width=9.5, height=3.6)
    series = {"as at the start": start, "as at the end": end, "as at neither": neither}
    for (name, values), colour, line, marker in zip(series.items(), PALETTE, LINES, MARKERS, strict=False):
        left.plot(array(places), 100 * array(values), color=colour, linestyle=line, marker=marker, label=name)
    if not math.isnan(neither_of_unrelated):  # on a small text the ends may never differ
        left.axhline(100 * neither_of_unrelated, color=INK, linestyle="-", linewidth=1.5)
        left.text(0, 100 * neither_of_unrelated - 2, "neither, in an\nunrelated sentence", va="top", fontsize=8)
    right.plot(array(places), 100 * array(readable), color=RED, linestyle="-.", marker="D", label="on the line")
    styles = ((SKY, "-", 6.0), (BLUE, "--", 1.8), (INK, ":", 1.8))  # the first is broad, since the walks' own curve lies on it
    for (name, share), (colour, line, width) in zip(readable_of_draws.items(), styles, strict=False):
        right.axhline(100 * share, color=colour, linestyle=line, linewidth=width, label=name, zorder=0)
    left.set(title="Facts in which the two ends differ", ylabel="share of these facts (%)")
    right.set(title="Sentences that the grammar can read", ylabel="share of the sentences (%)")
    for panel in (left, right):
        panel.set(xlabel="place on the line (0: start, 1: end)", ylim=(-3, 106))
    for panel, columns in ((left, 3), (right, 2)):
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns, fontsize=8)
    middle = len(neither) // 2
    told = "; ".join(f"{name} {_about(share)}" for name, share in readable_of_draws.items())
    words = (
        f"Along the line the start's facts give way to the end's; half way {_about(float(neither[middle]))} are neither's, in "
        f"an unrelated sentence {_about(neither_of_unrelated)}. Readable half way: {_about(float(readable[middle]))}. For "
        f"comparison, codes that lie on no line: {told}."
    )
    return Picture(figure, words)


@styled
def wishes_granted(
    lengths: Sequence[float],
    granted: Mapping[str, Sequence[Estimate]],
    kept: Mapping[str, Sequence[Estimate]],
    both: Mapping[str, Sequence[Estimate]],
) -> Picture:
    """Against the steps' length, a panel each: wishes granted, every other fact kept, and both. Bars: ±1 error."""
    figure, (left, middle, right) = new_figure(3, width=9.5, height=3.4)
    for panel, series in ((left, granted), (middle, kept), (right, both)):
        for (name, values), colour, line, marker in zip(series.items(), (ORANGE, BLUE, INK), LINES, MARKERS, strict=False):
            shares = [100 * value.value for value in values]
            errors = [100 * value.standard_error for value in values]
            panel.errorbar(
                lengths, shares, yerr=errors, color=colour, linestyle=line, marker=marker, markersize=5, capsize=3, label=name
            )
        panel.set(xlabel="mean length of the steps", ylim=(-3, 103))
    left.set(title="The wish is granted", ylabel="share of the wishes (%)")
    middle.set(title="All else is kept")
    right.set(title="Both")
    handles, names = left.get_legend_handles_labels()
    title = "with bars of ± 1 standard error"
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=9, title=title, title_fontsize=9)
    told = "; ".join(f"{name} {_about(max(value.value for value in values))}" for name, values in both.items())
    words = (
        "At equal lengths both recipes grant about equally many wishes, a random direction few. The longer the step, the fewer "
        f"sentences keep all else. Granted with all else kept, at the best length: {told}."
    )
    return Picture(figure, words)


@styled
def moved_sentence(
    write: Write,
    factors: Factors,
    codes: Tensor,
    start: Tensor,
    axes_of_z: Tensor,
    names: Sequence[str] = ("first direction", "second direction"),
    *,
    first: float,
    second: float,
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
    left.set(title="Where we are", xlabel=names[0], ylabel=names[1])
    left.legend(loc="upper left", fontsize=8)
    right.set_axis_off()
    lines = _changes(factors, before, after)
    changed_facts = sum(changed for _, changed in lines)
    right.set_title(f"Facts that change: {changed_facts} of {len(factors.names)}")
    right.text(0, 0.95, _folded(after), va="top", fontsize=11, transform=right.transAxes)
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
