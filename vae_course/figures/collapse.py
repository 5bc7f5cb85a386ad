"""Pictures of lesson 08: collapse seen in training, its instruments, the linear VAE, decoders compared, the encoder's lag."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    LINES,
    MARKERS,
    ORANGE,
    PALETTE,
    RED,
    Picture,
    array,
    new_figure,
    styled,
)
from vae_course.training import History

Rows = Sequence[Mapping[str, Any]]  # of a stored study
GREY = "#b0b0b0"


@styled
def trainings(histories: Sequence[History], entropy: float | None = None) -> Picture:
    """The loss and the rate in each part of several trainings, a line a run, and the source's entropy where it is known."""
    figure, (left, right) = new_figure(2, width=9, height=3.1)
    for history in histories:
        steps = history.steps_of("loss")
        left.plot(steps, history["loss"], color=BLUE, linestyle="-", linewidth=1, marker=".")
        right.plot(steps, history["rate"], color=ORANGE, linestyle="-", linewidth=1, marker=".")
    if entropy is not None:
        left.axhline(entropy, color=INK, linestyle=":", linewidth=1, label=f"the source's entropy, {entropy:.2f}")
        left.legend(fontsize=9)
    left.set(title="The loss falls ...", xlabel="training steps", ylabel="loss (nats per sentence)")
    right.set(title="... and so does the rate, to nearly nothing", xlabel="training steps", ylabel="rate (nats), log scale")
    left.set_ylim(bottom=0)
    right.set_yscale("log")
    most = max(history["rate"][-1] for history in histories)
    words = f"The loss and the rate in each of {len(histories)} runs; both fall, and no rate ends above {most:.3f} nats."
    return Picture(figure, words)


def _from_to(values: Sequence[float]) -> str:
    low, high = f"{min(values):z.2f}", f"{max(values):z.2f}"
    return low if low == high else f"{low} to {high}"


@styled
def cap(sizes: Sequence[int], measured: Sequence[float], truth: float) -> Picture:
    """Mutual information measured on sets of N posteriors, beside the most that N allow and the truth, in nats."""
    figure, (axes,) = new_figure(height=3.4)
    largest = torch.tensor(sizes).log()
    axes.axhline(truth, color=INK, linestyle=":", label=f"the truth, {truth:.2f}")
    axes.plot(sizes, array(largest), color=ORANGE, linestyle="--", label="ln N, the most that N sentences can show")
    axes.plot(sizes, measured, color=BLUE, linestyle="-", marker="o", label="measured, mean over the sets")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set(title="A small set cannot show much information", xlabel="sentences N that z is compared with")
    axes.set_ylabel("mutual information (nats)")
    axes.legend(loc="lower right")
    words = "Measured information follows ln N while N is small, and then nears the truth from below."
    return Picture(figure, words)


@styled
def earnings(weights: Tensor, earned: Mapping[str, Tensor]) -> Picture:
    """What a coordinate of a linear VAE earns by its weight in the decoder, a line for each direction of the data."""
    figure, (axes,) = new_figure(height=3.5)
    axes.axhline(0, color=GREY, linestyle="-", linewidth=1, zorder=0)
    told = []
    for number, ((name, nats), colour, line) in enumerate(zip(earned.items(), PALETTE, LINES, strict=False)):
        axes.plot(array(weights), array(nats), color=colour, linestyle=line, label=name)
        best = int(nats.argmax())
        size = 11 - 1.5 * number  # each smaller than the last, so that marks at one place are all seen
        at = [float(weights[best])], [float(nats[best])]
        axes.plot(*at, color=colour, marker="o", markersize=size, clip_on=False, zorder=3)
        told.append(f"{name}: {float(nats[best]):.2f} nats at weight {float(weights[best]):.2f}")
    axes.set(title="Where the data vary less than the noise, the best weight is 0", xlabel="weight of the coordinate")
    axes.set_ylabel("distortion saved - rate (nats)")
    axes.legend(title="variance of the data", fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, f"What one coordinate earns against its weight, with the most marked. {'; '.join(told)}.")


@styled
def linear(ratios: Mapping[str, Tensor], rates: Mapping[str, Tensor], curve: tuple[Tensor, Tensor]) -> Picture:
    """The rate of each direction against its variance over the noise's: trained models as points, the closed form as a line."""
    figure, (axes,) = new_figure(height=3.5)
    axes.axvline(1, color=GREY, linestyle="-", linewidth=1, zorder=0)
    axes.text(1.03, 0.97, "as much as the noise", transform=axes.get_xaxis_transform(), va="top", fontsize=9)
    axes.plot(array(curve[0]), array(curve[1]), color=INK, linestyle="-", linewidth=1, label="closed form", zorder=1)
    for (name, x), colour, marker in zip(ratios.items(), PALETTE, MARKERS, strict=False):
        axes.plot(array(x), array(rates[name]), color=colour, linestyle="none", marker=marker, markersize=8, label=name)
    axes.set_xscale("log")
    ticks = [0.2, 0.5, 1, 2, 5, 10]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(title="A direction that varies less than the noise gets no nat", ylabel="rate of its coordinate (nats)")
    axes.set_xlabel("variance of the data along a direction / variance of the noise")
    axes.legend(loc="center left", fontsize=9)
    most, at = max((float(rate), float(x)) for name in ratios for rate, x in zip(rates[name], ratios[name], strict=True))
    words = (
        "Rates of trained linear VAEs lie on the closed form: zero below a ratio of one, rising with its logarithm above, to "
        f"{most:.2f} nats at a ratio of {at:.1f}."
    )
    return Picture(figure, words)


@styled
def decoders(rows: Rows, floors: Rows = ()) -> Picture:
    """NLL above the entropy of a decoder alone and of a VAE around it, what z saves of it, and the VAE's rate.

    ``rows`` of ``collapse_world``. ``floors``: rows of ``collapse_floors_world``, what no decoder without z can beat.
    """
    rows = [row for row in rows if row["kind"] == "decoder"]
    names = list(dict.fromkeys(row["sees"] for row in rows))
    figure, (left, middle, right) = new_figure(3, width=12, height=3.6)
    alone = ("language_model_above_truth", "language model", ORANGE, "s", "--", -0.06)
    around = ("vae_above_truth", "VAE (importance weighted)", BLUE, "o", "-", 0.06)
    for key, label, colour, marker, line, aside in (alone, around):
        _over_seeds(left, rows, names, key, label, colour, marker, line, aside)
    _over_seeds(right, rows, names, "rate", "", BLUE, "o", "-", 0)
    for number, row in enumerate(floors):
        place, named = names.index(row["sees"]), None if number else "any such decoder without z, at best"
        left.plot([place - 0.25, place + 0.25], [row["above_truth"]] * 2, color=INK, linestyle=":", linewidth=2, label=named)
    left.set(title="Few words in view: z helps", ylabel="NLL above the entropy (nats, log scale)")
    left.set_yscale("log")
    left.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    left.minorticks_off()
    left.legend(fontsize=8)
    told = []
    for name in names:
        runs = [row for row in rows if row["sees"] == name]
        saved, rates = [row["saved_by_z"] for row in runs], [row["rate"] for row in runs]
        told.append(f"{name}, saved {_from_to(saved)} at a rate of {_from_to(rates)}")
    seeing = [name for name in names if name != "none"]  # with no word in view z saves so much that the others would look alike
    for place, name in enumerate(seeing):
        runs = [row for row in rows if row["sees"] == name]
        places = [place + 0.12 * (run - (len(runs) - 1) / 2) for run in range(len(runs))]
        errors = [2 * row["saved_by_z_standard_error"] for row in runs]
        saved = [row["saved_by_z"] for row in runs]
        middle.errorbar(places, saved, yerr=errors, color=BLUE, linestyle="none", marker="o", markersize=5, capsize=3)
    middle.axhline(0, color=GREY, linewidth=1, linestyle="-", zorder=0)
    middle.set_xticks(range(len(seeing)), seeing)
    middle.set(title="All words in view: no gain, or a loss", ylabel="nats that z saves, ± 2 standard errors")
    middle.set_xlim(-0.5, len(seeing) - 0.5)
    right.set(title="From none to two words the rate falls", ylabel="rate (nats per sentence)")
    right.set_ylim(bottom=0)
    for axes in (left, middle, right):
        axes.set_xlabel("preceding words in view")
    if len(seeing) < len(names):
        far_above = [row["saved_by_z"] for row in rows if row["sees"] == "none"]
        middle.set_xlabel(f"preceding words in view (none: {min(far_above):.1f} to {max(far_above):.1f})")
    return Picture(figure, f"By the number of words in view, in nats: {'; '.join(told)}.")


def _over_seeds(
    axes: Axes, rows: Rows, names: Sequence[str], key: str, label: str, colour: str, marker: str, line: str, aside: float
) -> None:
    """A point for each row, and a line through the medians, which one run out of three does not move."""
    values = [[row[key] for row in rows if row["sees"] == name] for name in names]
    places = [place + aside for place in range(len(names))]
    axes.plot(
        places,
        [median(some) for some in values],
        color=colour,
        linestyle=line,
        linewidth=1.5,
        marker=marker,
        markersize=4,
        label=label or None,
    )
    for place, some in zip(places, values, strict=True):
        axes.plot([place] * len(some), some, color=colour, linestyle="none", marker=marker, markersize=6, alpha=0.4)
    axes.set_xticks(range(len(names)), names)


@styled
def optimizer(rows: Rows, without_z: float | None = None) -> Picture:
    """Rate and -ELBO of VAEs whose decoder sees two words, by learning rate and steps; ``rows`` of ``collapse_world``.

    ``without_z``: the nats that the same sentences cost the best decoder that sees two words and no z.
    """
    rows = [row for row in rows if row["kind"] == "optimizer"]
    figure, (left, right) = new_figure(2, width=9, height=3.3)
    lengths = sorted({row["steps"] for row in rows})
    rates = sorted({row["learning_rate"] for row in rows})
    for axes, key in ((left, "rate"), (right, "negative_elbo")):
        for rate, colour, marker, line in zip(rates, (BLUE, ORANGE), MARKERS, LINES, strict=False):
            values = [[row[key] for row in rows if (row["learning_rate"], row["steps"]) == (rate, steps)] for steps in lengths]
            medians = [median(some) for some in values]
            axes.plot(range(len(lengths)), medians, color=colour, linestyle=line, linewidth=1.5)
            axes.plot([], [], color=colour, linestyle=line, marker=marker, label=f"learning rate {rate:g}")  # for the legend
            for place, some in enumerate(values):
                axes.plot([place] * len(some), some, color=colour, linestyle="none", marker=marker, markersize=7, alpha=0.6)
        axes.set_xticks(range(len(lengths)), [f"{steps:,}" for steps in lengths])
        axes.set_xlabel("training steps (at equal distances)")
    left.set(title="Two learning rates, opposite ends", ylabel="rate (nats per sentence)")
    left.set_ylim(bottom=-0.02)
    left.legend(loc="upper left", fontsize=9)
    right.set(title="The end without z costs more", ylabel="-ELBO of test sentences (nats)")
    if without_z is not None:
        right.axhline(without_z, color=INK, linestyle=":", linewidth=2, label="any such decoder without z, at best")
        right.legend(loc="upper right", fontsize=9)
    ends = {rate: [row for row in rows if (row["learning_rate"], row["steps"]) == (rate, lengths[-1])] for rate in rates}
    told = "; ".join(
        f"learning rate {rate:g}, rate {_from_to([row['rate'] for row in runs])}, "
        f"-ELBO {_from_to([row['negative_elbo'] for row in runs])}"
        for rate, runs in ends.items()
    )
    words = f"After {lengths[-1]:,} steps, in nats: {told}."
    if without_z is not None:
        words += f" A decoder without z costs {without_z:.2f} at best."
    return Picture(figure, words)


# --- the plane of posterior means -------------------------------------------------------------------------------------


TRAININGS = (BLUE, ORANGE)  # a colour for each training of a pair
NETWORKS = (("the model's p(z given x)", "--", "s"), ("the encoder's q(z given x)", "-", "o"))


@styled
def lag(steps: Sequence[int], spreads: Mapping[str, Tensor], agreements: Mapping[str, Tensor]) -> Picture:
    """How far model and encoder spread the sentences out, and whether they agree on where each belongs, while they train.

    ``spreads``: for each training (parts, 2), the model's and the encoder's. ``agreements``: for each (parts,). Each two
    trainings make a row, with their agreements in its last panel.
    """
    names = list(spreads)
    in_a_row = min(len(TRAININGS), len(names))
    pairs = [names[first : first + in_a_row] for first in range(0, len(names), in_a_row)]
    figure, panels = new_figure(in_a_row + 1, len(pairs), width=12, height=3.1 * len(pairs))
    most = 1.4 * max(float(some.max()) for some in spreads.values())  # with room for a legend
    least = min(float(some.min()) for some in agreements.values())
    told = []
    for row, pair in enumerate(pairs):
        *of_the_spreads, last = panels[row * (in_a_row + 1) : (row + 1) * (in_a_row + 1)]
        for axes, name, colour, mark in zip(of_the_spreads, pair, TRAININGS, MARKERS[2:], strict=False):
            some, agreement = spreads[name], agreements[name]
            for means, (network, line, marker) in zip(array(some).T, NETWORKS, strict=True):
                axes.plot(steps, means, color=colour, linestyle=line, marker=marker, markersize=4, label=network)
            does = _what_the_encoder_does(some, agreement)
            axes.set(title=f"{name}: the encoder {does}", ylim=(0, most))
            last.plot(steps, array(agreement), color=colour, linestyle="-", marker=mark, markersize=5, label=name)
            told.append(
                f"{name}: the encoder {does}; correlation {agreement[1]:.2f} at the first look after the start, "
                f"{agreement[-1]:.2f} at the end; last spreads {some[-1, 0]:.1f} (model) and {some[-1, 1]:.1f} (encoder)."
            )
        of_the_spreads[0].set_ylabel("spread of the means")
        last.set(title="Do both agree?", ylabel="correlation", ylim=(min(0.0, least) - 0.05, 1.03))
        last.legend(loc="lower right", fontsize=8)
    panels[0].legend(loc="upper right", fontsize=8)
    for axes in panels[-in_a_row - 1 :]:
        axes.set_xlabel("steps of the decoder")
    words = f"How far model and encoder spread the sentences in each training, and whether they agree. {' '.join(told)}"
    return Picture(figure, words)


def _what_the_encoder_does(spreads: Tensor, agreement: Tensor) -> str:
    """In two words: ``spreads`` (parts, 2) of the model's and the encoder's means, ``agreement`` (parts,) of the two."""
    if spreads[-1, 1] < spreads[-1, 0] / 2:
        return "lets go"
    return "keeps up" if agreement[1:4].min() > 0.85 else "follows late"


@styled
def replay(named: Mapping[str, Tensor], *, part: float) -> Picture:
    """The sentences in the plane of posterior means at the start, after ``part`` (from 0 to 1) of each training, at the end.

    ``named``: for each training (parts, 2, sentences).
    """
    shown = (0.0, part, 1.0)
    figure, panels = new_figure(len(shown), len(named), width=8, height=2.6 * len(named))
    most = 1.1 * max(float(snapshots.abs().max()) for snapshots in named.values())
    for row, ((name, snapshots), colour, marker) in enumerate(zip(named.items(), TRAININGS, MARKERS, strict=False)):
        for column, share in enumerate(shown):
            axes = panels[row * len(shown) + column]
            model, encoder = array(snapshots[round(share * (len(snapshots) - 1))])
            axes.plot([-most, most], [-most, most], color=GREY, linestyle="-", linewidth=1, zorder=0)
            axes.scatter(model, encoder, s=18, color=colour, marker=marker, alpha=0.7)
            axes.set(title=f"{name}, {share:.0%}", xlim=(-most, most), ylim=(-most, most))
            if row == len(named) - 1:
                axes.set_xlabel("mean of p(z given x)")
            if column == 0:
                axes.set_ylabel("mean of q(z given x)")
    places = [[round(share * (len(snapshots) - 1)) for share in shown] for snapshots in named.values()]
    agreed = "; ".join(
        f"{name} " + ", ".join(f"{torch.corrcoef(snapshots[place])[0, 1]:z.1f}" for place in some)
        for (name, snapshots), some in zip(named.items(), places, strict=True)
    )
    words = (
        f"A point a sentence at the start, after {part:.0%} and at the end of each training; on the diagonal both agree. "
        f"Correlations then: {agreed}."
    )
    return Picture(figure, words)


@styled
def races(rows: Rows, steps: int, ahead: float, alone: str = "language model") -> Picture:
    """Agreement and spread over each training, every seed and their median, and the rate at the end of each run.

    ``rows`` of ``collapse_race_world``; ``steps`` that the decoder took. ``ahead``: the step at which the encoder that is
    aggressive at first ceases to be. ``alone``: whose rows have no z; the others' NLLs, in words, are above theirs.
    """
    figure, (left, middle, right) = new_figure(3, width=12, height=4.2)
    rows = [row for row in rows if row["name"] != alone]
    names = list(dict.fromkeys(row["name"] for row in rows))
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    ends, key = {}, []  # the key to all three panels: the line of a training, and the mark of its runs
    for name, colour, line, marker in zip(names, (BLUE, ORANGE, RED, INK), LINES, MARKERS, strict=False):
        runs = [row for row in rows if row["name"] == name]
        for axes, read in ((left, "correlation"), (middle, "spread_of_the_model")):
            over_time = [list(values) for values in zip(*(row[read] for row in runs), strict=True)]
            x = [steps * look / (len(over_time) - 1) for look in range(len(over_time))]
            for row in runs:
                axes.plot(x, row[read], color=colour, linestyle="-", linewidth=0.7, alpha=0.35)
            axes.plot(x, [median(some) for some in over_time], color=colour, linestyle=line, linewidth=2)
        style: dict[str, Any] = {"color": colour, "linestyle": line, "marker": marker}
        key.append(Line2D([], [], label=name, **style))
        rates = [row["rate"] for row in runs]
        right.plot(
            [seeds.index(row["seed"]) for row in runs], rates, color=colour, linestyle="none", marker=marker, markersize=8
        )
        above = [row["nll_minus"][alone][0] for row in runs]
        last = {read: _from_to([row[read][-1] for row in runs]) for read in ("correlation", "spread_of_the_model")}
        ends[name] = (
            f"{name}, correlation {last['correlation']}, spread {last['spread_of_the_model']}, rate {_from_to(rates)} "
            f"at an NLL of {_from_to(above)} above the {alone}'s"
        )
    left.set(title="At first encoders differ", ylabel="correlation over sentences", ylim=(None, 1.03))
    middle.set(title="Where they agree, spread is larger", ylabel="spread of the model's means")
    middle.set_ylim(bottom=0)
    for axes in (left, middle):
        axes.axvline(ahead, color=GREY, linewidth=1, linestyle=":", zorder=0)
        axes.set_xlabel("steps of the decoder")
    left.legend(handles=key, loc="lower right", fontsize=8)
    right.set(title="At the end rates differ, seed by seed", ylabel="rate at the end (nats, log scale)", xlabel="seed")
    right.set_xticks(range(len(seeds)), [str(seed) for seed in seeds])
    right.set_xlim(-0.5, len(seeds) - 0.5)
    right.set_yscale("log")
    ticks = [0.01, 0.02, 0.05, 0.1, 0.2]
    right.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    right.minorticks_off()
    return Picture(figure, f"{len(runs)} seeds of each training. At the end: {'; '.join(ends.values())} (nats).")
