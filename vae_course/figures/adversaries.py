"""Pictures of lesson 06: a VAE and a GAN side by side."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import fmean

import torch
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    INTENSITY,
    ORANGE,
    RED,
    Picture,
    array,
    new_figure,
    normal_log_density,
    styled,
)
from vae_course.probability.distributions import GaussianMixture

GREY = "#777777"
EDGE = 3.2  # of the plane that is shown, in each coordinate
# A colour and a marker for all that is of one model; what has none of these names is data.
LOOKS = {"VAE/GAN": (ORANGE, "s"), "Adversarial": (ORANGE, "s"), "VAE": (BLUE, "D"), "GAN": (RED, "^"), "control": (GREY, "s")}


def _look(name: str) -> tuple[str, str]:
    return next((look for start, look in LOOKS.items() if name.startswith(start)), (INK, "o"))


@styled
def timeline(papers: Mapping[str, date], first: date, last: date) -> Picture:
    """Papers as dots on a line of dates, their names in turn above and below it."""
    figure, (axes,) = new_figure(width=8.5, height=2.6)
    axes.axhline(0, color=INK, linewidth=1.5)
    heights = (0.55, -0.55, 1.25, -1.25)
    for k, (name, day) in enumerate(papers.items()):
        height, x = heights[k % len(heights)], float(date2num(day))
        axes.plot([x, x], [0, height], color="#999999", linewidth=1, linestyle="-")
        colour, marker = _look(name)
        axes.plot(x, 0, marker=marker, color=colour, markersize=9, linestyle="")
        side = "bottom" if height > 0 else "top"
        axes.text(x, height, f"{name}\n{day.day} {day:%B %Y}", ha="center", va=side, fontsize=9)
    axes.xaxis_date()
    limits = float(date2num(first)), float(date2num(last))
    axes.set(title="The VAE came first", xlim=limits, ylim=(-2.3, 2.3), yticks=[])
    axes.spines["left"].set_visible(False)
    words = "A line of dates with, from left to right: " + "; ".join(papers) + "."
    return Picture(figure, words)


# --- the best discriminator -----------------------------------------------------------------------------------------


@styled
def best_discriminator(fake_mean: float, fake_std: float) -> Picture:
    """Data N(0, 1) against a generator N(fake_mean, fake_std^2): both densities, the best D, and its loss in nats."""
    x = torch.linspace(-8, 8, 3201, dtype=torch.float64)
    log_p, log_q = normal_log_density(x, 0.0, 1.0), normal_log_density(x, fake_mean, fake_std)
    step = (x[1] - x[0]).item()
    cost = -(log_p.exp() * (log_p - torch.logaddexp(log_p, log_q)) + log_q.exp() * (log_q - torch.logaddexp(log_p, log_q)))
    loss = cost.sum().item() * step
    figure, (left, right) = new_figure(2, width=8.5)
    left.plot(array(x), array(log_p.exp()), label="data p", color=INK, linestyle="-")
    left.plot(array(x), array(log_q.exp()), label="generator q", color=RED, linestyle="--")
    left.set(xlabel="x", ylabel="density", xlim=(-5, 5))
    left.set_ylim(0, left.get_ylim()[1] * 1.25)
    left.legend(loc="upper left", ncols=2, fontsize=9)
    right.plot(array(x), array(torch.sigmoid(log_p - log_q)), color=INK, linestyle="-")
    right.axhline(0.5, color=INK, linestyle=":", linewidth=1)
    right.set(xlabel="x", ylabel="D(x), probability of real", xlim=(-5, 5), ylim=(-0.03, 1.2))
    right.text(0.03, 0.97, f"its loss: {loss:.3f} nats (2 ln 2 = 1.386)", transform=right.transAxes, va="top", fontsize=9)
    figure.suptitle("The best discriminator gives the share of real examples at each point")
    words = (
        f"Data N(0, 1) against a generator N({fake_mean:g}, {fake_std:g}²): the best discriminator's loss is {loss:.3f} nats; "
        "2 ln 2 = 1.386 if the two are equal."
    )
    return Picture(figure, words)


# --- training on the ring -------------------------------------------------------------------------------------------


@styled
def losses(vae: Sequence[float], discriminator: Sequence[float], generator: Sequence[float]) -> Picture:
    """The mean loss of each epoch in nats, each on an axis of its own: they mean different things."""
    figure, axes = new_figure(3, width=9, height=2.8)
    named = {"VAE: −ELBO": vae, "GAN: discriminator": discriminator, "GAN: generator": generator}
    for panel, (name, values) in zip(axes, named.items(), strict=True):
        panel.plot(range(1, len(values) + 1), values, color=_look(name)[0], linestyle="-", marker="o", markersize=4)
        panel.set_title(name, fontsize=10, fontweight="normal")
        panel.set(xlabel="epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel("loss (nats)")
    axes[0].set_ylim(min(0, *vae), 1.1 * max(vae))  # from 0, as the others, so that falls can be compared
    equilibria = ((axes[1], 2 * math.log(2), "2 ln 2"), (axes[2], math.log(2), "ln 2"))
    for panel, value, formula in equilibria:
        panel.set_ylim(0, 2 * value)
        panel.axhline(value, color="#777777", linewidth=1, linestyle=":")
        panel.text(0.97, 1.3 * value, f"dotted: {formula}", transform=panel.get_yaxis_transform(), ha="right", fontsize=9)
    figure.suptitle("The VAE's loss falls, the GAN's two hardly move")
    return Picture(figure, "The VAE's loss falls epoch by epoch; the GAN's two losses stay near 2 ln 2 and ln 2.")


@styled
def mode_bars(shares: Mapping[str, Sequence[float]], true_share: float, true_gaps: float) -> Picture:
    """A panel for each set of samples: a bar for each mode, a hatched one for the gaps, and the truth as dotted lines."""
    figure, axes = new_figure(len(shares), width=10, height=3)
    for panel, (name, values) in zip(axes, shares.items(), strict=True):
        modes, gaps = len(values), 1 - sum(values)
        panel.bar(range(1, modes + 1), values, color=_look(name)[0])
        panel.bar(modes + 2, gaps, color="white", edgecolor=_look(name)[0], hatch="///")
        panel.hlines(true_share, 0.4, modes + 0.6, color=INK, linestyle=":", linewidth=1.5)
        panel.hlines(true_gaps, modes + 1.4, modes + 2.6, color=INK, linestyle=":", linewidth=1.5)
        panel.set_title(name, fontsize=10, fontweight="normal")
        panel.set(ylim=(0, 1))
        panel.set_xticks([(modes + 1) / 2, modes + 2], ["modes", "gaps"])
        panel.tick_params(axis="x", length=0)
        panel.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"] if panel is axes[0] else [""] * 5)
    axes[0].set_ylabel("share of all samples")
    figure.suptitle("A circle reaches all modes, but most of it lies in the gaps (dotted: the truth)")
    told = "; ".join(
        f"{name}: {min(v):.2f} to {max(v):.2f} at a mode, {1 - sum(v):.2f} in the gaps" for name, v in shares.items()
    )
    return Picture(figure, f"Bars of the shares. {told}.")


def _draw_modes(axes: Axes, mixture: GaussianMixture) -> None:
    """A thin circle of three standard deviations round each mode, and equal scales."""
    for mean, std in zip(mixture.means.tolist(), mixture.components().std.tolist(), strict=True):
        angle = torch.linspace(0, 2 * math.pi, 60)
        axes.plot(
            array(mean[0] + 3 * std[0] * angle.cos()),
            array(mean[1] + 3 * std[1] * angle.sin()),
            color=GREY,
            linestyle="-",
            linewidth=1.2,
        )
    axes.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), xlabel="x₁", aspect="equal")


@styled
def scatter_on_ring(named: Mapping[str, Tensor], mixture: GaussianMixture, *, title: str, words: str) -> Picture:
    """One panel for each set of points (count, 2), over circles of three standard deviations round the modes."""
    figure, axes = new_figure(len(named), width=2.9 * len(named), height=3.3)
    for panel, (name, points) in zip(axes, named.items(), strict=True):
        xy = array(points)
        _draw_modes(panel, mixture)
        panel.scatter(xy[:, 0], xy[:, 1], s=2, color=_look(name)[0], zorder=3)
        outside = int((points.abs() > EDGE).any(dim=1).sum())
        told = f" ({outside} outside)" if outside else ""
        panel.set_title(name + told, fontsize=10, fontweight="normal")
    axes[0].set_ylabel("x₂")
    figure.suptitle(title)
    return Picture(figure, words)


Results = Mapping[str, Sequence[Mapping[str, float]]]


def _draw_dots(axes: Axes, results: Results, measure: str, names: bool) -> None:
    """One row for each way of training: a dot for each seed, over a bar from the least to the greatest."""
    for row, (name, seeds) in enumerate(results.items()):
        values = [seed[measure] for seed in seeds]
        colour, marker = _look(name)
        axes.plot([min(values), max(values)], [row, row], color=colour, linestyle="-", linewidth=4, alpha=0.35)
        axes.plot(values, [row] * len(values), marker, color=colour, linestyle="", alpha=0.75, clip_on=False, zorder=3)
    axes.set(ylim=(len(results) - 0.5, -0.5), xlabel=measure)
    axes.set_yticks(range(len(results)), list(results) if names else [""] * len(results))
    axes.grid(axis="x", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)


def _share_axis(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


@styled
def ring_results(results: Results, true_share: float) -> Picture:
    """Share in the gaps, least at a mode, precision and recall of several runs, a row for each way of training or control.

    ``true_share``: of the ring itself, at each mode.
    """
    figure, axes = new_figure(4, width=9.6, height=3.6)
    for panel, measure in zip(axes, ("share in the gaps", "least at a mode", "precision", "recall"), strict=True):
        _draw_dots(panel, results, measure, names=panel is axes[0])
        _share_axis(panel)
    axes[1].set_xlim(0, 0.14)
    axes[1].set_xticks([0, 0.05, 0.1], ["0", "0.05", "0.1"])
    axes[1].axvline(true_share, color=INK, linestyle=":", linewidth=1.2)
    axes[1].set_xlabel("least at a mode\n(dotted: the ring)")
    least = {name: fmean(run["least at a mode"] for run in runs) for name, runs in results.items() if name[:3] in LOOKS}
    in_order = sorted(least, key=lambda name: -least[name])
    figure.suptitle(f"Mean least share at a mode: highest {in_order[0]}; lowest {in_order[-1]}")
    words = "Dots for the runs of each model, below data and controls. From the largest least share at a mode to the smallest: "
    return Picture(figure, words + "; ".join(in_order) + ". One mode leaves no gaps; the circle has little at each.")


@styled
def digit_results(results: Results) -> Picture:
    """Precision and recall of several seeds, a row for each kind of sample."""
    figure, axes = new_figure(2, width=7.5, height=3)
    for panel, measure in zip(axes, ("precision", "recall"), strict=True):
        _draw_dots(panel, results, measure, names=panel is axes[0])
        _share_axis(panel)
    figure.suptitle("The same noise lowers the precision of real digits, too")
    words = "Precision and recall of real digits without and with noise, the VAE's mean images and noisy samples, and the GAN."
    return Picture(figure, words)


# --- an encoder or none ---------------------------------------------------------------------------------------------


@styled
def search_beside_encoder(
    on_held_out: Sequence[float], on_its_own: Sequence[float], with_decoder: Sequence[float], encoder_error: float
) -> Picture:
    """The errors of three searches for z, step by step, and the error of the encoder's single pass as a line.

    Two searches are the GAN's, on held-out images and on images of its own; the third is that of the VAE's decoder.
    """
    figure, (axes,) = new_figure(height=3)
    steps = range(1, len(on_held_out) + 1)
    axes.plot(steps, on_held_out, label="GAN, held-out digits: search", color=RED, linestyle="-")
    axes.axhline(encoder_error, label="VAE, held-out digits: one pass", color=BLUE, linestyle="-.", linewidth=1.2)
    axes.plot(steps, with_decoder, label="VAE's decoder, held-out digits: search", color=BLUE, linestyle="--")
    axes.plot(steps, on_its_own, label="control: GAN, its own images: search", color=RED, linestyle=":")
    axes.set(title="The search finds the GAN's own images, held-out ones only roughly", xlabel="steps of Adam")
    axes.set(ylabel="squared error per image\n(summed over pixels)", ylim=(0, None))
    axes.legend()
    return Picture(
        figure,
        "The errors of three searches fall over many steps: the GAN's on held-out digits to above the level line of the VAE's "
        "single pass, that of the VAE's decoder to below it, and the GAN's on its own images to nearly 0.",
    )


# --- density ----------------------------------------------------------------------------------------------------------


@styled
def densities(axis: Tensor, exact: Tensor, learned: Tensor, samples: Tensor) -> Picture:
    """Two densities on a square grid, (side, side) each over ``axis`` (side,), and the samples (count, 2) of a GAN."""
    figure, axes = new_figure(3, width=8.7, height=3.4)
    edge = axis.abs().max().item()
    brightest = exact.max().item() ** 0.5
    for panel, values, name in ((axes[0], exact, "the ring, exact"), (axes[1], learned, "VAE: its own density")):
        # The square root keeps thin density visible beside the peaks.
        panel.imshow(
            array(values.sqrt()).T, origin="lower", extent=(-edge, edge, -edge, edge), cmap=INTENSITY, vmin=0, vmax=brightest
        )
        panel.set_title(name, fontsize=10, fontweight="normal")
    xy = array(samples)
    axes[2].scatter(xy[:, 0], xy[:, 1], s=2, color=RED)
    axes[2].set(xlim=(-edge, edge), ylim=(-edge, edge), aspect="equal")
    axes[2].set_title("GAN: samples only", fontsize=10, fontweight="normal")
    for panel in axes:
        panel.set_xlabel("x₁")
    axes[0].set_ylabel("x₂")
    figure.suptitle("A VAE gives every point a density; a GAN gives points")
    words = "Left, the exact density of the ring; middle, the VAE's, with bridges between modes; right, a GAN's samples."
    return Picture(figure, words)
