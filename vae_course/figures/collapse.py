"""Pictures of lesson 08: four instruments, context against rate, and training seen in the plane of posterior means."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, SKY, Picture, array, new_figure, styled
from vae_course.training import History


@styled
def trainings(histories: Sequence[History]) -> Picture:
    """The loss and the rate in each part of several trainings, a line a run."""
    figure, (left, right) = new_figure(2, width=9, height=3.1)
    for history in histories:
        steps = history.steps_of("loss")
        left.plot(steps, history["loss"], color=BLUE, linestyle="-", linewidth=1, marker=".")
        right.plot(steps, history["rate"], color=ORANGE, linestyle="-", linewidth=1, marker=".")
    left.set(title="A loss that looks good ...", xlabel="training steps", ylabel="loss (nats per sentence)")
    right.set(title="... and a rate that does not", xlabel="training steps", ylabel="rate (nats per sentence)")
    right.set_ylim(bottom=-0.01)
    words = f"In each of {len(histories)} runs the loss falls as it should, while the rate falls to nearly nothing."
    return Picture(figure, words)


@styled
def instruments(patients: Mapping[str, Sequence[Mapping[str, float]]]) -> Picture:
    """A panel an instrument, a point a model: ``patients`` maps a kind of model to the readings of its runs."""
    names = list(next(iter(patients.values()))[0])
    figure, panels = new_figure(len(names), width=10, height=3)
    for axes, name in zip(panels, names, strict=True):
        for column, (readings, colour, marker) in enumerate(zip(patients.values(), PALETTE, MARKERS, strict=False)):
            # Runs side by side, else five equal readings would look like one.
            places = [column + 0.09 * (run - (len(readings) - 1) / 2) for run in range(len(readings))]
            values = [reading[name] for reading in readings]
            axes.plot(places, values, color=colour, marker=marker, linestyle="none", markersize=7, alpha=0.8)
        axes.axhline(0, color="#b0b0b0", linewidth=1, linestyle="-", zorder=0)
        axes.set_xticks(range(len(patients)), list(patients), fontsize=9)
        axes.set(title=name.partition(" (")[0], ylabel=name, xlim=(-0.5, len(patients) - 0.5))
        axes.margins(y=0.15)
    sick, *others = patients
    words = (
        f"Rate, information and what z saves are nearly zero in every {sick} run, and clearly more for: {', '.join(others)}."
    )
    return Picture(figure, words)


@styled
def cap(sizes: Sequence[int], measured: Sequence[float], largest: Sequence[float], truth: float) -> Picture:
    """Mutual information measured on sets of N posteriors, beside the most that N allow and the truth, in nats."""
    figure, (axes,) = new_figure(height=3.4)
    axes.axhline(truth, color=INK, linestyle=":", label=f"the truth, {truth:.2f}")
    axes.plot(sizes, largest, color=ORANGE, linestyle="--", label="ln N, the most that N sentences allow")
    axes.plot(sizes, measured, color=BLUE, linestyle="-", marker="o", label="measured, mean over the sets")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set(title="A small set cannot hold much information", xlabel="sentences N that z is compared with")
    axes.set_ylabel("mutual information (nats)")
    axes.legend(loc="lower right")
    words = "Measured information follows ln N while N is small, and levels off at the truth only when ln N is far above it."
    return Picture(figure, words)


@styled
def context(
    contexts: Sequence[int], without: Sequence[float], with_z: Sequence[float], rates: Sequence[float], truth: float | None
) -> Picture:
    """NLL of a decoder alone and of a VAE around it, and the VAE's rate, for each context; ``truth``: the entropy, if known."""
    figure, (left, right) = new_figure(2, width=9, height=3.5)
    places = range(len(contexts))
    left.plot(places, without, color=ORANGE, linestyle="--", marker="s", label="language model")
    left.plot(places, with_z, color=BLUE, linestyle="-", marker="o", label="VAE (importance weighted)")
    left.fill_between(places, with_z, without, color=SKY, alpha=0.5, label="NLL saved by z")
    if truth is not None:
        left.axhline(truth, color=INK, linestyle=":", label=f"entropy of the corpus, {truth:.2f}")
    left.set(title="The more the decoder sees, the less z saves", ylabel="NLL (nats per sentence)")
    left.legend(fontsize=9)
    right.plot(places, rates, color=BLUE, linestyle="-", marker="o")
    right.set(title="... and the less it says", ylabel="rate (nats per sentence)")
    right.set_ylim(bottom=0)
    for axes in (left, right):
        axes.set_xticks(places, [str(words) for words in contexts])
        axes.set_xlabel("preceding words that the decoder sees")
    words = (
        "NLL with and without z, and the rate: in the generated world z's lead and its rate shrink as the decoder sees more."
    )
    return Picture(figure, words)


@styled
def sooner_shown(histories: Mapping[str, History]) -> Picture:
    """The rate in each part of trainings that differ in which word the decoder is shown."""
    figure, (axes,) = new_figure()
    for name, history in histories.items():
        axes.plot(history.steps_of("rate"), history["rate"], label=name)
    axes.set(title="The sooner the word is shown, the less z says", xlabel="training steps", ylabel="rate (nats per sentence)")
    axes.legend()
    words = (
        "The rate is largest for a blind decoder, smaller where it sees the word before, zero where it sees the word itself."
    )
    return Picture(figure, words)


# --- the plane of posterior means -------------------------------------------------------------------------------------


def spreads(snapshots: Tensor) -> Tensor:
    """Standard deviation over sentences of both means: (parts, 2, sentences) to (parts, 2)."""
    return snapshots.std(dim=-1)


def _diagonal(axes: Axes, most: float) -> None:
    axes.plot([-most, most], [-most, most], color="#b0b0b0", linestyle="-", linewidth=1, zorder=0)


def correlations(snapshots: Tensor) -> Tensor:
    """Pearson correlation over sentences of the model's and the encoder's means: (parts, 2, sentences) to (parts,)."""
    return torch.stack([torch.corrcoef(snapshot)[0, 1] for snapshot in snapshots])


@styled
def paths(named: Mapping[str, Tensor]) -> Picture:
    """How trainings go on; tensors (parts, 2, sentences), the model's means first.

    A panel a training: how far encoder and model spread the sentences out. The last panel: do their means agree?
    """
    figure, (*panels, agreement) = new_figure(len(named) + 1, width=11, height=3.3)
    most = 1.1 * max(float(spreads(snapshots).max()) for snapshots in named.values())
    for axes, (name, snapshots), colour, line, marker in zip(panels, named.items(), PALETTE, LINES, MARKERS, strict=False):
        x, y = array(spreads(snapshots)).T
        axes.plot(x, y, color=colour, linestyle="-", linewidth=1, marker=".")
        axes.plot(x[:1], y[:1], color="white", linestyle="none", marker="o", markersize=9, markeredgecolor=INK, label="start")
        axes.plot(
            x[-1:], y[-1:], color=colour, linestyle="none", marker=marker, markersize=10, markeredgecolor=INK, label="end"
        )
        _diagonal(axes, most)
        axes.set(title=name, xlabel="spread of the model's means", xlim=(-0.03, most), ylim=(-0.03, most), aspect="equal")
        share = torch.linspace(0, 1, len(snapshots))
        agreement.plot(
            share, correlations(snapshots), color=colour, linestyle=line, marker=marker, markersize=4, linewidth=1.5, label=name
        )
    panels[0].set_ylabel("spread of the encoder's means")
    panels[0].legend(loc="upper left", fontsize=9)
    agreement.set(title="Do the means agree?", xlabel="share of the training", ylabel="correlation", ylim=(-0.3, 1.03))
    agreement.legend(loc="lower right", fontsize=9)
    words = (
        "A path a training, from ring to large mark: plain training turns back, the others end further out. "
        "With the aggressive encoder the means agree sooner than in plain training."
    )
    return Picture(figure, words)


@styled
def replay(named: Mapping[str, Tensor], *, part: float) -> Picture:
    """The sentences in the plane of posterior means after ``part`` (from 0 to 1) of each training; tensors as in ``paths``."""
    figure, panels = new_figure(len(named), width=9.5, height=3.6)
    most = 1.1 * max(float(snapshots.abs().max()) for snapshots in named.values())
    for axes, (name, snapshots), colour, marker in zip(panels, named.items(), PALETTE, MARKERS, strict=False):
        means = snapshots[round(part * (len(snapshots) - 1))]
        model, encoder = array(means)
        axes.scatter(model, encoder, s=22, color=colour, marker=marker, alpha=0.7)
        _diagonal(axes, most)
        axes.set(title=f"{name}\ncorrelation {float(correlations(means[None])):.2f}", xlim=(-most, most), ylim=(-most, most))
        axes.set_xlabel("mean of the model's p(z given x)")
    panels[0].set_ylabel("mean of the encoder's q(z given x)")
    words = f"One point a sentence after {part:.0%} of each training; on the diagonal encoder and model agree."
    return Picture(figure, words)
