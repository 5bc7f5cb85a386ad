"""Pictures of lesson 09: the line that no model passes, penalties on the rate, and what each cure buys at which price."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from vae_course.figures.base import BLUE, INK, LINES, ORANGE, PALETTE, RED, Picture, new_figure, styled
from vae_course.studies.store import Figures
from vae_course.studies.tables import Floor, Rows, Spread, floor, negative_elbo, over_seeds
from vae_course.text.objectives import Schedule
from vae_course.world.grammar import Language

FORBIDDEN: dict[str, Any] = {"facecolor": "#e6e6e6", "edgecolor": "#bdbdbd", "hatch": "//", "linewidth": 0.0}
FAR = 1.6  # entropies; what lies beyond is named but not drawn, so that the rest can be seen


# --- what is possible -----------------------------------------------------------------------------------------------


@styled
def bound(language: Language | None) -> Picture:
    """The line D + R = H, the forbidden side, and three places on it; without numbers where the truth is not known."""
    entropy, facts = (language.entropy, language.prior.entropy) if language is not None else (1.0, None)
    figure, (axes,) = new_figure(width=6.5, height=4.2)
    _draw_bound(axes, Floor(entropy, known=True), entropy * 1.25, "H")
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
def penalties(kl_weight: float, bits: float, wall: float) -> Picture:
    """What the loss charges for a rate: the ELBO, a smaller weight, a floor of ``bits``, a model that keeps above ``wall``."""
    figure, (axes,) = new_figure(height=3.4)
    most = 2 * max(bits, wall)
    kinks = [0.0, bits, most]
    named = {
        "ELBO: R": (kinks, kinks),
        f"weight {kl_weight:g}": (kinks, [kl_weight * rate for rate in kinks]),
        f"free bits: at least {bits:g}": (kinks, [bits, bits, most]),
    }
    for (name, (x, y)), colour, line in zip(named.items(), PALETTE, LINES, strict=False):
        axes.plot(x, y, color=colour, linestyle=line, label=name)
    axes.fill([0, wall, wall, 0], [0, 0, most, most], **FORBIDDEN)
    axes.plot([wall, wall], [0, most], color=RED, linestyle="-.", label=f"normalized means: R ≥ {wall:.2f}")
    axes.set(xlim=(0, most), ylim=(0, most), title="Less to pay, nothing to save, or no way back")
    axes.set(xlabel="rate R (nats a sentence)", ylabel="charged (nats a sentence)")
    axes.legend(loc="lower right", fontsize=9)
    words = (
        f"Weight {kl_weight:g} makes each nat cheaper; free bits cost {bits:g} nats however few are used; "
        f"normalized means cannot go below {wall:.2f} nats."
    )
    return Picture(figure, words)


# --- what cures do ----------------------------------------------------------------------------------------------------


@styled
def plane(rows: Rows, highlight: str | None = None) -> Picture:
    """Each row of measured figures in the rate-distortion plane, and beside it what it wastes: its model's error, its gap.

    Names are numbered: the bars' labels are the points' legend. With several seeds the points are all of them, and the bars
    are means, with a line from the smallest to the largest sum. ``highlight`` names the row to point at.
    """
    at, names = floor(rows), list(dict.fromkeys(row["name"] for row in rows))
    figure, (left, right) = new_figure(2, width=10, height=max(4.0, 1.6 + 0.3 * len(names)))
    _draw_plane(left, rows, names, at, highlight)
    _draw_waste(right, rows, names, at, highlight)
    words = "Every model lies above the line D + R = H; z is used at a price, in the model's error and in the encoder's gap."
    if not at.known:
        words = "The truth of this text is not known: the line is only where the language model is, and a model may be below."
    if highlight is not None:
        rate = over_seeds(rows, lambda row: _place(row)[0])[highlight]
        distortion = over_seeds(rows, lambda row: _place(row)[1])[highlight]
        words += f" {highlight}: rate {rate:.2f}, distortion {distortion:.2f} nats."
    return Picture(figure, words)


def _draw_plane(axes: Axes, rows: Rows, names: Sequence[str], at: Floor, highlight: str | None) -> None:
    points = {name: [_place(row) for row in rows if row["name"] == name] for name in names}
    inside = [max(place) for found in points.values() for place in found if max(place) < FAR * at.nats]
    most = 1.12 * max(at.nats, *inside)
    _draw_bound(axes, at, most, "H" if at.known else "language model")
    for name, found in points.items():
        chosen = name == highlight
        rates, distortions = zip(*found, strict=True)
        axes.plot(
            rates, distortions, "D" if chosen else "o", color=RED if chosen else BLUE, markersize=8 if chosen else 6, zorder=4
        )
    centres = {number: _centre(points[name]) for number, name in enumerate(names, 1)}
    for (x, y), label in _joined({n: place for n, place in centres.items() if max(place) < most}, most):
        axes.annotate(label, (x, y), xytext=(7, 6), textcoords="offset points", fontsize=10, fontweight="bold", zorder=5)
    if outside := [str(number) for number, place in centres.items() if max(place) >= most]:
        note = f"{', '.join(outside)}: far outside →"
        axes.text(0.98, 0.03, note, transform=axes.transAxes, ha="right", fontsize=9, backgroundcolor="white")
    axes.set(title="Where on the line?", xlabel="rate R (nats a sentence)", ylabel="distortion D (nats a sentence)")
    axes.legend(loc="upper right", fontsize=9)


def _place(row: Figures) -> tuple[float, float]:
    return (float(row["rate"]), float(row["distortion"])) if "rate" in row else (0.0, float(row["nll"]))


def _centre(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _joined(centres: Mapping[int, tuple[float, float]], most: float) -> list[tuple[tuple[float, float], str]]:
    """One label for points that would write over one another: (place, "1, 2, 5")."""
    labels: list[tuple[tuple[float, float], list[int]]] = []
    for number, (x, y) in centres.items():
        near = [group for (a, b), group in labels if max(abs(a - x), abs(b - y)) < 0.035 * most]
        if near:
            near[0].append(number)
        else:
            labels.append(((x, y), [number]))
    return [(place, ", ".join(map(str, group))) for place, group in labels]


def _draw_waste(axes: Axes, rows: Rows, names: Sequence[str], at: Floor, highlight: str | None) -> None:
    error = over_seeds(rows, lambda row: row["nll"] - at.nats)
    gap = over_seeds(rows, lambda row: negative_elbo(row) - row["nll"])
    total = over_seeds(rows, lambda row: negative_elbo(row) - at.nats)
    y = range(len(names), 0, -1)
    axes.barh(y, [error[name].mean for name in names], color=BLUE, height=0.62, label=f"model's error: NLL - {at.name}")
    axes.barh(
        y,
        [gap[name].mean for name in names],
        left=[error[name].mean for name in names],
        color=ORANGE,
        height=0.36,
        hatch="///",
        edgecolor="white",
        label="encoder's gap: -ELBO - NLL",
    )
    for place, name in zip(y, names, strict=True):
        if total[name].seeds > 1:
            axes.plot([total[name].low, total[name].high], [place, place], color=INK, linestyle="-", linewidth=1.5)
    most = 1.1 * max(spread.high for spread in total.values() if spread.mean < at.nats)
    for place, name in zip(y, names, strict=True):
        if total[name].mean >= at.nats:
            axes.text(most, place, f"{total[name].mean:.0f} → ", ha="right", va="center", fontsize=9, backgroundcolor="white")
    axes.set_yticks(y, [f"{number}  {name}" for number, name in enumerate(names, 1)])
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set(color=RED if name == highlight else INK, fontweight="bold" if name == highlight else "normal")
    axes.set(title="Wasted above H" if at.known else "Above the language model", xlabel="nats a sentence")
    axes.legend(loc="upper right", fontsize=9)
    axes.set_xlim(min(0.0, *(spread.low for spread in error.values())), most)
    axes.set_ylim(0.4, len(names) + 1.9)  # room for the legend above the bars


@styled
def bought(rows: Rows, within: float) -> Picture:
    """Mutual information against NLL above the floor, a point a cure, and the line of the reader's ``within`` nats to spend."""
    at = floor(rows)
    information = over_seeds(rows, "mutual_information")
    price = over_seeds(rows, lambda row: row["nll"] - at.nats)
    names = [name for name in price if name in information]
    figure, (axes, legend) = new_figure(2, width=10, height=max(4.0, 1.2 + 0.27 * len(names)))
    _draw_prices(axes, {name: (information[name], price[name]) for name in names})
    yardstick = next((price[name].mean for name in price if name not in information), None)
    if yardstick is not None:
        axes.axhline(yardstick, color=INK, linestyle=":", linewidth=1.5, label="language model")
        axes.axhline(yardstick + within, color=ORANGE, linestyle="--", linewidth=1.5, label=f"{within:g} nats worse")
        axes.legend(loc="upper left", fontsize=9)
    axes.set(title="What is bought, and what is paid", xlabel="mutual information of z and sentence (nats)")
    axes.set_ylabel(f"NLL above the {at.name} (nats a sentence)")
    _write_names(figure, legend, names)
    words = "Further right says more about the sentence, further down models it better; what is right and low is bought well."
    return Picture(figure, words)


def _draw_prices(axes: Axes, bought_at: Mapping[str, tuple[Spread, Spread]]) -> None:
    for x, y in bought_at.values():
        axes.plot([x.low, x.high], [y.mean, y.mean], color=BLUE, linestyle="-", linewidth=1)
        axes.plot([x.mean, x.mean], [y.low, y.high], color=BLUE, linestyle="-", linewidth=1)
        axes.plot([x.mean], [y.mean], "o", color=BLUE, markersize=6, zorder=4)
    if min(y.low for _, y in bought_at.values()) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
    # Joined where labels would touch: places as shares of the drawn width and height.
    to_share = axes.transData + axes.transAxes.inverted()
    shares = {n: tuple(to_share.transform((x.mean, y.mean))) for n, (x, y) in enumerate(bought_at.values(), 1)}
    for (across, up), label in _joined(shares, 1.0):
        covered = any(
            0.05 < a - across < 0.15 and -0.01 < b - up < 0.06 for a, b in shares.values()
        )  # a point where it would stand
        offset = (6, -11) if covered else (6, 5)
        axes.annotate(
            label,
            (across, up),
            xycoords="axes fraction",
            xytext=offset,
            textcoords="offset points",
            fontsize=10,
            fontweight="bold",
        )


def _write_names(figure: Figure, axes: Axes, names: Sequence[str]) -> None:
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    step = min(0.09, 1 / max(1, len(names)))
    for number, name in enumerate(names):
        axes.text(0.02, 0.98 - number * step, f"{number + 1}", fontsize=10, fontweight="bold", va="top")
        axes.text(0.12, 0.98 - number * step, name, fontsize=10, va="top")


# --- training ---------------------------------------------------------------------------------------------------------


@styled
def rates(histories: Mapping[str, Sequence[float]], promised: float) -> Picture:
    """The rate in each part of training, a line a cure, and the least that normalized means promise."""
    figure, (axes,) = new_figure(height=3.6)
    axes.axhline(promised, color=INK, linestyle=":", linewidth=1)
    axes.text(1, promised, "promised", ha="left", va="top", fontsize=9)
    for (name, values), colour, line in zip(histories.items(), PALETTE, LINES, strict=False):
        axes.plot([100 * (k + 1) / len(values) for k in range(len(values))], values, color=colour, linestyle=line, label=name)
    axes.set(title="Who keeps a rate", xlabel="part of the training with this loss (%)", ylabel="rate (nats a sentence)")
    axes.set(yscale="symlog", xlim=(0, 102), ylim=(0, None))
    axes.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    words = "Each cure's rate in every tenth of its training; the thin dotted line is the rate that normalized means promise."
    return Picture(figure, words)


@styled
def schedules(named: Mapping[str, Schedule], steps: int) -> Picture:
    """The KL weight of each schedule at every step."""
    figure, (axes,) = new_figure(height=2.8)
    for (name, schedule), colour, line in zip(named.items(), PALETTE, LINES, strict=False):
        axes.plot(range(steps), [schedule(step) for step in range(steps)], color=colour, linestyle=line, label=name)
    axes.set(title="A rate that is free at first", xlabel="step", ylabel="KL weight", ylim=(-0.04, 1.09))
    axes.legend(fontsize=9, loc="lower right")
    words = f"KL weights over {steps} steps: " + ", ".join(
        f"{name} ends at {schedule(steps - 1):g}" for name, schedule in named.items()
    )
    return Picture(figure, words + ".")
