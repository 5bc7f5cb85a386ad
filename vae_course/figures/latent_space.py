"""Pictures of lesson 10: what coordinates know, how a rotation changes that, and what moves in z do to a sentence."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, RED, Picture, array, new_figure, styled
from vae_course.probability.estimators import Estimate
from vae_course.text.factors import Factors
from vae_course.world.grammar import Tokens

Write = Callable[[Tensor], Sequence[Tokens]]  # z (n, latent) -> a sentence for each


@styled
def heat_map(information: Tensor, entropies: Tensor, names: Sequence[str]) -> Picture:
    """What each coordinate knows of each factor, (latent, factors) in nats, above what there is to know, (factors,)."""
    latent = len(information)
    gap = torch.full((1, len(names)), torch.nan)  # an empty row sets the last one apart
    rows = torch.cat([information, gap, entropies[None]])
    figure, (axes,) = new_figure(width=7.5, height=0.24 * len(rows) + 1.3)
    shown = axes.imshow(array(rows), cmap="Blues", vmin=0, vmax=float(entropies.max()), aspect="auto")
    for row, values in enumerate(rows):
        for column, value in enumerate(values.tolist()):
            if value == value:
                colour = "white" if value > 0.6 * float(entropies.max()) else INK
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks([*range(latent), latent + 1], [*map(str, range(latent)), "all there is"], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(title="No coordinate knows any fact well", ylabel="coordinate of z")
    figure.colorbar(shown, ax=axes, label="mutual information (nats)")
    return Picture(
        figure, "Every coordinate knows a little of several factors; all are pale beside the factors' entropies below."
    )


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
    axes.set(
        title="One model, one ELBO, many gaps", xlabel="mutual information gap, mean over the facts (1: each has its axis)"
    )
    words = "The trained axes have a small gap, as axes turned at random have; axes turned to the facts have a much larger one."
    return Picture(figure, words)


@styled
def accuracies(named: Mapping[str, Sequence[Estimate | float]], names: Sequence[str]) -> Picture:
    """One row a factor, one marker a reader: the share of test sentences whose value it names."""
    figure, (axes,) = new_figure(height=0.36 * len(names) + 1.6)
    rows = list(range(len(names)))[::-1]
    for (name, values), colour, marker in zip(named.items(), (INK, ORANGE, BLUE, RED), MARKERS, strict=False):
        places = [100 * (value.value if isinstance(value, Estimate) else value) for value in values]
        axes.plot(places, rows, marker, color=colour, markersize=8, label=name)
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 103), ylim=(-0.6, len(names) - 0.4))
    axes.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
    axes.set(title="Together the coordinates know a lot", xlabel="right on test sentences (%)")
    figure.legend(loc="outside lower center", ncols=len(named), fontsize=9)
    words = (
        "For every factor the probe on z is right far more often than the most frequent value; the words themselves tell all."
    )
    return Picture(figure, words)


@styled
def part_and_whole(best: Tensor, whole: Tensor, entropies: Tensor, names: Sequence[str]) -> Picture:
    """For each factor what the best coordinate knows, what a linear reader of all of z knows, and what there is. (factors,)."""
    figure, (axes,) = new_figure(height=3.3)
    series = {"best coordinate": best, "all of z, linear probe": whole, "entropy: all there is": entropies}
    for k, (name, values) in enumerate(series.items()):
        places = [column + 0.27 * (k - 1) for column in range(len(names))]
        hatch = ("", "//", "")[k]
        fill = (BLUE, ORANGE, "white")[k]
        axes.bar(places, array(values), 0.27, color=fill, edgecolor=INK, linewidth=0.8, hatch=hatch, label=name)
    axes.set_xticks(range(len(names)), names)
    axes.set(title="The message is in the whole, not in the parts", ylabel="known of the fact (nats)")
    axes.set_ylim(0, 1.35 * float(entropies.max()))
    axes.legend(ncols=3, loc="upper center", fontsize=9)
    return Picture(figure, "For every factor all of z together knows several times what the best single coordinate knows.")


@styled
def appearance(rates: Sequence[float], shares: Tensor, names: Sequence[str], far: Sequence[str]) -> Picture:
    """The share of each factor's entropy that a probe recovers, (models, factors), against the models' rates in nats.

    The factors in ``far`` are drawn solid, the others dashed; each has its own marker.
    """
    figure, (axes,) = new_figure(height=3.8)
    markers = (*MARKERS, "v", "P", "X", "*")
    for k, name in enumerate(names):
        colour, line = (BLUE, "-") if name in far else (ORANGE, "--")
        axes.plot(rates, 100 * array(shares[:, k]), color=colour, linestyle=line, marker=markers[k % len(markers)], label=name)
    axes.axhline(0, color=INK, linestyle=":", linewidth=1)
    axes.set(title="What comes first, as a nat of rate gets cheaper", xlabel="rate (nats per sentence)")
    axes.set_ylabel("known of the fact's entropy (%)")
    axes.legend(loc="upper left", fontsize=9, title="partner far: solid; near: dashed", title_fontsize=9, alignment="left")
    words = "All factors become known as the rate grows; at low rates those whose partner is far away lead on average."
    return Picture(figure, words)


@styled
def along_the_way(places: Tensor, start: Tensor, end: Tensor, neither: Tensor, readable: Tensor) -> Picture:
    """Shares (points,) along straight lines in z: facts as at the start, as at the end, as at neither; sentences readable."""
    figure, (axes,) = new_figure(height=3.4)
    series = {"as at the start": start, "as at the end": end, "as at neither": neither, "sentence in the language": readable}
    for (name, values), colour, line, marker in zip(series.items(), PALETTE, LINES, MARKERS, strict=False):
        axes.plot(array(places), 100 * array(values), color=colour, linestyle=line, marker=marker, label=name)
    axes.set(title="From one sentence to another: sense all the way", xlabel="place on the line (0: start, 1: end)")
    axes.set_ylabel("share (%)")
    axes.set_ylim(-3, 106)
    figure.legend(loc="outside right center", fontsize=9)
    words = "Along the line the start's facts give way to the end's; some in the middle are neither's; sentences stay readable."
    return Picture(figure, words)


@styled
def wishes_granted(
    sizes: Sequence[float], came_true: Mapping[str, Sequence[float]], kept: Mapping[str, Sequence[float]]
) -> Picture:
    """Against the size of the step: the share of moves that do what was asked, and that keep all other facts."""
    figure, axes = new_figure(2, width=9, height=3.4)
    for panel, series, title in zip(axes, (came_true, kept), ("Is the wish granted?", "Is all else kept?"), strict=True):
        for (name, values), colour, line, marker in zip(series.items(), PALETTE, LINES, MARKERS, strict=False):
            panel.plot(sizes, [100 * v for v in values], color=colour, linestyle=line, marker=marker, label=name)
        panel.set(title=title, xlabel="step, in lengths of the attribute vector", ylabel="sentences (%)", ylim=(-3, 103))
    axes[1].legend(fontsize=9)
    words = (
        "Both attribute vectors grant the wish at a step near 1, a random direction does not; the cleaner vector keeps more."
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
