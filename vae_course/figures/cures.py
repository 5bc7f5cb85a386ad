"""Pictures of lesson 09: the line that no model passes, what a loss charges, and what each cure buys at which price."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.transforms import Bbox

from vae_course.figures.base import BLUE, INK, LINES, ORANGE, PALETTE, RED, SKY, Picture, new_figure, styled
from vae_course.studies.tables import Columns, Floor, Rows, floor, information, negative_elbo, only_a_bound, over_seeds
from vae_course.text.objectives import Schedule
from vae_course.world.grammar import Language

FORBIDDEN: dict[str, Any] = {"facecolor": "#e6e6e6", "edgecolor": "#bdbdbd", "hatch": "//", "linewidth": 0.0}


# --- what is possible -----------------------------------------------------------------------------------------------


@styled
def bound(language: Language | None) -> Picture:
    """The line D + R = H, the forbidden side, and three places on it; without numbers where the truth is not known."""
    entropy, facts = (language.entropy, language.prior.entropy) if language is not None else (1.0, None)
    figure, (axes,) = new_figure(width=6.5, height=4.2)
    _draw_bound(axes, Floor(entropy, known=True), entropy * 1.25, "H" if language is None else f"H = {entropy:.2f}")
    places = [(0.0, "z says nothing:\na language model")]
    if facts is not None:
        places.append((facts, f"z says all facts: {facts:.2f} nats,\nthe words cost {entropy - facts:.2f}"))
    places.append((entropy, "z says the\nwhole sentence"))
    for rate, name in places:
        axes.plot([rate], [entropy - rate], "o", color=BLUE, markersize=9, clip_on=False, zorder=4)
        axes.annotate(name, (rate, entropy - rate), xytext=(9, 7), textcoords="offset points", fontsize=9)
    axes.set(title="Nobody gets below the line", xlabel="rate R (nats a sentence)", ylabel="distortion D (nats a sentence)")
    if language is None:
        axes.set_xticks([0, 1], ["0", "H"])
        axes.set_yticks([0, 1], ["0", "H"])
        words = "Distortion and rate together are at least the entropy H, which for this text nobody knows."
    else:
        words = (
            f"D + R is at least H = {entropy:.2f} nats. On the line: rate 0, the facts at rate {facts:.2f}, "
            f"the whole sentence at rate {entropy:.2f}."
        )
    return Picture(figure, words)


def _draw_bound(axes: Axes, at: Floor, most: float, name: str) -> None:
    line = [0.0, at.nats]
    if at.known:
        axes.fill([0, at.nats, 0], [0, 0, at.nats], label="impossible", **FORBIDDEN)
    axes.plot(line, line[::-1], color=INK, linestyle="-" if at.known else "--", linewidth=1.5, label=f"D + R = {name}")
    axes.set(xlim=(-0.02 * most, most), ylim=(0, most))


@styled
def penalties(kl_weight: float, bits: float, capacity: float, wall: float) -> Picture:
    """What the loss charges for a rate: ELBO, smaller weight, floor of ``bits``, target, a model that keeps above ``wall``."""
    figure, (axes,) = new_figure(height=3.6)
    most = 2 * max(bits, capacity, wall)
    named = {
        "ELBO: R": ([0, most], [0, most]),
        f"weight {kl_weight:g}": ([0, most], [0, kl_weight * most]),
        f"a floor: max({bits:g}, R)": ([0, bits, most], [bits, bits, most]),
        f"target {capacity:g}, with strength 10": ([0, capacity, most], [10 * capacity, 0, 10 * (most - capacity)]),
    }
    for (name, (x, y)), colour, line in zip(named.items(), (BLUE, ORANGE, INK, RED), LINES[:4], strict=True):
        axes.plot(x, y, color=colour, linestyle=line, label=name)
    axes.fill([0, wall, wall, 0], [0, 0, most, most], label="out of reach of normalized means, in training", **FORBIDDEN)
    axes.plot([wall, wall], [0, most], color=SKY, linestyle=LINES[4], label=f"normalized means: R ≥ {wall:.2f}")
    axes.set(xlim=(0, most), ylim=(0, most), title="A weight makes it cheaper, a floor is flat, a target has a valley")
    axes.set(xlabel="rate R (nats a sentence)", ylabel="charged (nats a sentence)")
    axes.legend(loc="upper left", fontsize=9, bbox_to_anchor=(1.0, 1.0))
    words = (
        f"Weight {kl_weight:g} makes each nat cheaper; a floor costs {bits:g} nats however few are used; a target charges the "
        f"distance from {capacity:g}; in a training batch normalized means cannot go below {wall:.2f} nats."
    )
    return Picture(figure, words)


# --- what cures do ----------------------------------------------------------------------------------------------------


@styled
def above_the_line(
    rows: Rows,
    frontier: Sequence[str] = (),
    highlight: str | None = None,
    title: str = "Above the line: the model's error, and on top of it the encoder's gap",
) -> Picture:
    """D + R above the floor against the rate, a point a model, and below it its NLL: between the two is the encoder's gap.

    ``frontier``: names between which a line is drawn, from one to the next. ``highlight``: the name of the row to point at.
    """
    at = floor(rows)
    rate = over_seeds(rows, lambda row: row.get("rate", 0.0))
    cost = over_seeds(rows, lambda row: negative_elbo(row) - at.nats)
    nll = over_seeds(rows, lambda row: row["nll"] - at.nats)
    figure, (axes,) = new_figure(width=8.5, height=5.4)
    right = max(spread.high for spread in rate.values())
    top = 1.15 * max(spread.high for spread in cost.values())
    low = min(0.0, *(spread.low for spread in nll.values()))
    if at.known:
        axes.axhspan(-top, 0, label="impossible: below D + R = H", **FORBIDDEN)
    axes.axhline(0, color=INK, linestyle="-" if at.known else "--", linewidth=1.5)
    if frontier:
        places = [(rate[name].mean, cost[name].mean) for name in frontier]
        axes.plot(*zip(*places, strict=True), color=ORANGE, linestyle="--", label="frontier of these models")
    for name in rate:
        x, colour = rate[name].mean, RED if name == highlight else BLUE
        axes.plot([x, x], [nll[name].mean, cost[name].mean], color=colour, linestyle="-", linewidth=1)
        axes.plot([x], [nll[name].mean], "o", color=colour, markerfacecolor="white", markersize=6, zorder=4)
        axes.plot([x], [cost[name].mean], "D" if name == highlight else "o", color=colour, markersize=7, zorder=5)
    axes.plot([], [], "o", color=BLUE, label="negative ELBO, D + R (below it the encoder's gap)")
    axes.plot([], [], "o", color=BLUE, markerfacecolor="white", label="NLL, a bound by draws (below it the model's error)")
    axes.set(xlim=(-0.03 * right - 0.1, 1.25 * right + 0.3), ylim=(low - 0.08 * top, top))
    axes.set(xlabel="rate R (nats a sentence)", ylabel=f"nats a sentence above the {at.name}")
    axes.set_title(title)
    axes.legend(fontsize=9, loc="upper left")
    ends = {name: (rate[name].mean, cost[name].mean) for name in rate}
    lines = [[(rate[name].mean, nll[name].mean), ends[name]] for name in rate]
    lines += [line[:1] for line in lines]  # the open points
    lines += [[ends[name] for name in frontier]] if frontier else []
    left, right = axes.get_xlim()
    lines += [[(left, y), (right, y)] for y in (0.0, 0.5 * axes.get_ylim()[0])]
    _write_names(figure, axes, ends, highlight, lines)
    words = "Nats above the line D + R = H, from NLL to negative ELBO: "
    if not at.known:
        words = "Nats above the language model, from NLL to negative ELBO, as the truth of this text is not known: "
    words += "; ".join(_above(name, rate[name].mean, nll[name].mean, cost[name].mean) for name in rate) + "."
    if highlight is not None:
        words += f" {highlight}: rate {rate[highlight]:.2f}{_told(rows, highlight)}, D + R {cost[highlight]:.2f} above."
    return Picture(figure, words)


def _above(name: str, rate: float, nll: float, cost: float) -> str:
    """What is drawn of a model: "annealing, rate 2.36, 0.19 to 0.32"."""
    return f"{name}, rate {rate:.2f}, {nll:.2f}" + (f" to {cost:.2f}" if cost > nll else "")


def _told(rows: Rows, name: str) -> str:
    """What is known of what z tells: ", information at least 1.40, facts kept 20%"."""
    told: Columns = {"information at least": (information, "z.2f"), "facts kept": ("facts_kept", ".0%")}
    found = {words: (over_seeds(rows, figure), form) for words, (figure, form) in told.items()}
    return "".join(f", {words} {format(spread[name], form)}" for words, (spread, form) in found.items() if name in spread)


@styled
def bought(rows: Rows, within: float, named: Sequence[str] = (), most: float = 1.0) -> Picture:
    """Information against NLL above the floor, a point a model, and the line of the reader's ``within`` nats to spend.

    ``named`` are written beside their points. Models that are dearer than ``most`` stand on the upper edge. An open triangle
    that points down: the true NLL may lie lower, see ``tables.only_a_bound``.
    """
    at = floor(rows)
    told = over_seeds(rows, information)
    price = over_seeds(rows, lambda row: row["nll"] - at.nats)
    bounds = {row["name"] for row in rows if only_a_bound(row)}
    figure, (axes,) = new_figure(width=8.5, height=5.6)
    for name, x in told.items():
        y, colour = price[name], BLUE if name in named else GREY
        height = min(y.mean, most)
        axes.plot([x.low, x.high], [height, height], color=colour, linestyle="-", linewidth=1)
        axes.plot([x.mean, x.mean], [min(y.low, most), min(y.high, most)], color=colour, linestyle="-", linewidth=1)
        fill = "white" if name in bounds else colour
        marker = "^" if y.mean > most else "v" if name in bounds else "o"
        axes.plot([x.mean], [height], marker, color=colour, markerfacecolor=fill, markersize=6, zorder=4, clip_on=False)
    yardstick = next((price[name].mean for name in price if name not in told), None)
    if yardstick is not None:
        axes.axhline(yardstick, color=INK, linestyle=":", linewidth=1.5, label="language model")
        axes.axhline(yardstick + within, color=ORANGE, linestyle="--", linewidth=1.5, label=f"{within:g} nats worse")
    axes.plot([], [], "o", color=BLUE, label="named")
    axes.plot([], [], "o", color=GREY, label="not named here: see the table")
    axes.plot([], [], "v", color=GREY, markerfacecolor="white", label="at most: the true NLL may lie lower")
    further_up = {name for name in told if price[name].mean > most}
    if further_up:
        fill = "white" if further_up <= bounds else GREY
        axes.plot([], [], "^", color=GREY, markerfacecolor=fill, label=f"further up than {most:g}")
    axes.set(
        title="The best buys are far to the right and low", ylim=(min(0.0, *(spread.low for spread in price.values())), most)
    )
    axes.set(xlabel="information of z about the sentence, at least (nats)", ylabel=f"NLL above the {at.name} (nats a sentence)")
    axes.set_xlim(-0.2, 1.22 * max(spread.high for spread in told.values()))
    axes.legend(fontsize=9, loc="upper left")
    ends = {name: (told[name].mean, min(price[name].mean, most)) for name in told}
    lines = [[end] for end in ends.values()]
    if yardstick is not None:
        lines += [[(axes.get_xlim()[0], y), (axes.get_xlim()[1], y)] for y in (yardstick, yardstick + within)]
    _write_names(figure, axes, {name: ends[name] for name in named if name in ends}, None, lines)
    words = f"Information, and NLL above the {at.name}: " + "; ".join(
        f"{name} {told[name].mean:.2f} nats for {price[name].mean:.2f}" for name in named if name in told
    )
    return Picture(
        figure,
        f"{words}. The best buys are far to the right and low; {len(bounds & told.keys())} NLLs of {len(told)} are bounds.",
    )


GREY = "#8a8a8a"
Place = tuple[float, float]
# How far from its point a name may begin, in pixels; those to the left end there.
STEPS = tuple((x, y) for y in (-4, 8, -18, 22, -32, 36, -46, 50, -60, 64, -74, 78) for x in (9, -9))
NEAR = 50  # pixels between two points whose names might be taken for each other's


def _write_names(
    figure: Figure, axes: Axes, places: Mapping[str, Place], highlight: str | None, lines: Sequence[Sequence[Place]] = ()
) -> None:
    """A name beside each point, where it covers least: no other name or the legend if possible, no point, little of ``lines``.

    A name far from its point is joined to it by a line, which crosses no other name if possible. Of two near points the upper
    one's name is the upper one.
    Each line is given by its corners; one of a single corner is a point more.
    """
    figure.draw_without_rendering()  # the layout decides where a point will lie
    scale = axes.transData.transform
    points = scale([*places.values(), *(line[0] for line in lines if len(line) == 1)])
    dots = [dot for line in lines for ends in pairwise(line) for dot in _dots(*(tuple(scale(end)) for end in ends))]
    legend = axes.get_legend()
    taken: list[Bbox] = [legend.get_window_extent()] if legend else []
    written: list[tuple[float, float, float]] = []  # where the points of these names are, and how high the names
    leaders: list[Outline] = []
    leader: dict[str, Any] = {"arrowstyle": "-", "color": GREY, "linewidth": 0.8}
    from_left = sorted(places.items(), key=lambda item: (item[0] != highlight, item[1]))  # the highlighted one first
    for name, place in from_left:
        x, y = scale(place)
        near = [(other, height) for at, other, height in written if math.hypot(x - at, y - other) < NEAR]
        width = 7.4 * len(name)
        lefts = {step: x + step[0] - (0 if step[0] > 0 else width) for step in STEPS}
        boxes = {step: Bbox.from_bounds(left, y + step[1], width, 14.0) for step, left in lefts.items()}
        joined = {
            step: Outline([(x, y), (box.x0 if step[0] > 0 else box.x1, box.y0 + 7.0)])
            for step, box in boxes.items()
            if is_far(step)
        }
        covered = {
            step: 1000 * box.count_overlaps(taken)
            + 1000 * (axes.bbox.count_contains(box.get_points()) < 2)
            + 600 * box.padded(4).count_contains(points)
            + 5 * box.padded(4).count_contains(dots)
            + abs(step[1] + 4)
            + 500 * sum((y - other) * (box.y0 - height) < 0 for other, height in near)
            + 250 * sum(other.intersects_bbox(box) for other in leaders)
            + 250 * sum(joined[step].intersects_bbox(other) for other in taken if step in joined)
            for step, box in boxes.items()
        }
        step = min(covered, key=lambda step: covered[step])
        taken.append(boxes[step])
        leaders += [joined[step]] if step in joined else []
        written.append((x, y, boxes[step].y0))
        axes.annotate(
            name,
            place,
            xytext=(step[0] * 72 / figure.dpi, step[1] * 72 / figure.dpi),
            textcoords="offset points",
            ha="left" if step[0] > 0 else "right",
            fontsize=9,
            color=RED if name == highlight else INK,
            fontweight="bold" if name == highlight else "normal",
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
            arrowprops=leader | {"relpos": (0 if step[0] > 0 else 1, 0.5)} if is_far(step) else None,
        )


def is_far(step: tuple[int, int]) -> bool:
    """Whether a name is so far from its point that a line has to join them."""
    return abs(step[1] + 4) > 10


def _dots(start: Place, end: Place) -> list[Place]:
    """Points of a straight line, two pixels apart."""
    count = int(math.dist(start, end) / 2) + 1
    return [(start[0] + (end[0] - start[0]) * k / count, start[1] + (end[1] - start[1]) * k / count) for k in range(count + 1)]


# --- training ---------------------------------------------------------------------------------------------------------


@styled
def rates(histories: Mapping[str, Sequence[float]], promised: float, sought: Sequence[float] = ()) -> Picture:
    """The rate in each part of training, a line a model, the least that normalized means promise, and what others seek.

    Rates below 0.1 nats are not drawn.
    """
    figure, (axes,) = new_figure(height=3.6)
    axes.axhline(promised, color=INK, linestyle=":", linewidth=1, label=f"promised by normalized means: {promised:.2f}")
    for nats in sought:
        axes.axhline(nats, color=INK, linestyle="-", linewidth=0.5)
        axes.annotate(f"{nats:g} nats", (40, nats), xytext=(0, 1), textcoords="offset points", fontsize=8, color=INK)
    colours, lines = (*PALETTE, GREY), (*LINES, (0, (6, 2, 1, 2, 1, 2)))
    for (name, values), colour, line in zip(histories.items(), colours, lines, strict=False):
        axes.plot([100 * (k + 1) / len(values) for k in range(len(values))], values, color=colour, linestyle=line, label=name)
    ends = {name: values[-1] for name, values in histories.items()}
    silent = sum(rate < 0.1 for rate in ends.values())
    axes.set(title=f"At the end {silent} of {len(ends)} models have a rate below 0.1 nats")
    axes.set(xlabel="part of the training (%)", ylabel="rate (nats a sentence), logarithmic")
    axes.set(yscale="log", xlim=(0, 102))
    axes.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    axes.set_ylim(0.1, max(1.0, 2 * max(map(max, histories.values()))))
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    words = "Rates in the last twentieth of the training: " + ", ".join(f"{name} {rate:.2f}" for name, rate in ends.items())
    return Picture(figure, f"{words}; the largest before was {max(map(max, histories.values())):.0f}.")


@styled
def schedules(named: Mapping[str, Schedule], steps: int) -> Picture:
    """The KL weight of each schedule at every step."""
    figure, (axes,) = new_figure(height=2.8)
    for (name, schedule), colour, line in zip(named.items(), PALETTE, LINES, strict=False):
        axes.plot(range(steps), [schedule(step) for step in range(steps)], color=colour, linestyle=line, label=name)
    axes.set(title="A rate that is free at first, once or several times", xlabel="step", ylabel="KL weight", ylim=(-0.04, 1.09))
    axes.legend(fontsize=9, loc="lower right")
    told = [f"{name} starts from 0 {_times(weight, steps)} and ends at {weight(steps - 1):g}" for name, weight in named.items()]
    return Picture(figure, f"KL weights over {steps} steps: {', '.join(told)}.")


def _times(schedule: Schedule, steps: int) -> str:
    """How often a schedule's weight is at 0, having been above it or not begun: "once", "4 times"."""
    count = sum(schedule(step) == 0 and (step == 0 or schedule(step - 1) > 0) for step in range(steps))
    return "once" if count == 1 else f"{count} times"
