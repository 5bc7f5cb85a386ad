"""Pictures of lesson 05: a VAE and a GAN side by side."""

import math
from collections.abc import Mapping, Sequence
from datetime import date

import torch
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from torch import Tensor

from vae_course.distributions import Gaussian, GaussianMixture
from vae_course.figures.base import BLUE, INK, INTENSITY, ORANGE, PALETTE, RED, Picture, array, new_figure, styled

MARKERS = ("o", "s", "^", "D")


@styled
def timeline(papers: Mapping[str, date], first: date, last: date) -> Picture:
    """Papers as dots on a line of dates, their names in turn above and below it."""
    figure, (axes,) = new_figure(width=8.5, height=2.6)
    axes.axhline(0, color=INK, linewidth=1.5)
    heights = (0.55, -0.55, 1.25, -1.25)
    for k, (name, day) in enumerate(papers.items()):
        height, x = heights[k % len(heights)], float(date2num(day))
        axes.plot([x, x], [0, height], color="#999999", linewidth=1, linestyle="-")
        axes.plot(x, 0, marker=MARKERS[k % len(MARKERS)], color=PALETTE[k % len(PALETTE)], markersize=9, linestyle="")
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
    log_p, log_q = (
        Gaussian(torch.tensor([m], dtype=x.dtype), torch.tensor([2 * math.log(s)], dtype=x.dtype)).log_density(x[:, None])
        for m, s in ((0.0, 1.0), (fake_mean, fake_std))
    )
    step = (x[1] - x[0]).item()
    cost = -(log_p.exp() * (log_p - torch.logaddexp(log_p, log_q)) + log_q.exp() * (log_q - torch.logaddexp(log_p, log_q)))
    loss = cost.sum().item() * step
    figure, (left, right) = new_figure(2, width=8.5)
    left.plot(array(x), array(log_p.exp()), label="data p")
    left.plot(array(x), array(log_q.exp()), label="generator q")
    left.set(title="Two densities ...", xlabel="x", ylabel="density", xlim=(-5, 5))
    left.set_ylim(0, left.get_ylim()[1] * 1.25)
    left.legend(loc="upper left", ncols=2, fontsize=9)
    right.plot(array(x), array(torch.sigmoid(log_p - log_q)), color=INK, linestyle="-")
    right.axhline(0.5, color=INK, linestyle=":", linewidth=1)
    right.set(
        title="... and the best D against them", xlabel="x", ylabel="D(x), probability of real", xlim=(-5, 5), ylim=(-0.03, 1.2)
    )
    right.text(0.03, 0.97, f"its loss: {loss:.3f} nats (2 ln 2 = 1.386)", transform=right.transAxes, va="top", fontsize=9)
    words = (
        f"Data N(0, 1) against a generator N({fake_mean:g}, {fake_std:g}²): the best discriminator's loss is {loss:.3f} nats; "
        "2 ln 2 = 1.386 if the two are equal."
    )
    return Picture(figure, words)


# --- training on the ring -------------------------------------------------------------------------------------------


@styled
def losses_and_samples(
    vae_losses: Mapping[str, Sequence[float]],
    vae_good: Sequence[float],
    gan_losses: Mapping[str, Sequence[float]],
    gan_good: Sequence[float],
) -> Picture:
    """Losses by epoch above (nats), and below the share of samples that lie at a mode; VAE left, GAN right."""
    figure, axes = new_figure(2, 2, width=8.5, height=4.6)
    for column, (name, losses, good) in enumerate((("VAE", vae_losses, vae_good), ("GAN", gan_losses, gan_good))):
        above, below = axes[column], axes[2 + column]
        epochs = range(1, len(good) + 1)
        for label, values in losses.items():
            above.plot(epochs, values, label=label)
        below.plot(epochs, good, color=INK, linestyle="-", marker="o", markersize=4)
        below.set(xlabel="epoch", ylim=(0, 1), title=f"{name}: good samples")
        above.legend(fontsize=9)
    axes[0].set(title="VAE: one loss, and it falls", ylabel="loss (nats per point)", yscale="log")
    axes[0].set_yticks([2, 5, 10, 20, 50], ["2", "5", "10", "20", "50"])
    axes[0].minorticks_off()
    axes[1].set(title="GAN: two losses that stay where they are", ylabel="loss (nats)", ylim=(0, 2))
    for value, formula in ((2 * math.log(2), "2 ln 2"), (math.log(2), "ln 2")):
        axes[1].axhline(value, color="#999999", linewidth=1, linestyle=":")
        axes[1].text(0.995, value, formula, transform=axes[1].get_yaxis_transform(), ha="right", va="bottom", fontsize=8)
    axes[2].set_ylabel("share at a mode")
    return Picture(
        figure, "Samples improve in both. The VAE's loss falls meanwhile; the GAN's two losses hover round 2 ln 2 and ln 2."
    )


def _draw_modes(axes: Axes, mixture: GaussianMixture) -> None:
    """A thin circle of three standard deviations round each mode, and equal scales."""
    for mean, std in zip(mixture.means.tolist(), mixture.components().std.tolist(), strict=True):
        angle = torch.linspace(0, 2 * math.pi, 60)
        axes.plot(
            array(mean[0] + 3 * std[0] * angle.cos()),
            array(mean[1] + 3 * std[1] * angle.sin()),
            color=ORANGE,
            linestyle="-",
            linewidth=1.2,
        )
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xlabel="x₁", aspect="equal")


@styled
def scatter_on_ring(named: Mapping[str, Tensor], mixture: GaussianMixture, *, title: str, words: str) -> Picture:
    """One panel for each set of points (count, 2), over circles of three standard deviations round the modes."""
    figure, axes = new_figure(len(named), width=2.9 * len(named), height=3.3)
    for panel, (name, points) in zip(axes, named.items(), strict=True):
        xy = array(points)
        _draw_modes(panel, mixture)
        panel.scatter(xy[:, 0], xy[:, 1], s=2, color=BLUE, zorder=3)
        panel.set_title(name, fontsize=10, fontweight="normal")
    axes[0].set_ylabel("x₂")
    figure.suptitle(title)
    return Picture(figure, words)


Results = Mapping[str, Sequence[Mapping[str, float]]]


@styled
def seed_dots(
    results: Results, *, title: str, words: str, limits: Mapping[str, tuple[float, float]], log: Sequence[str] = ()
) -> Picture:
    """One row for each way of training, one panel for each measure, one dot for each seed, a bar from least to greatest.

    ``limits`` names the measures to draw, with their axis; those in ``log`` have a logarithmic one.
    """
    figure, axes = new_figure(len(limits), width=2.2 * len(limits) + 1.6, height=0.5 * len(results) + 1.5)
    for panel, (measure, (low, high)) in zip(axes, limits.items(), strict=True):
        for row, seeds in enumerate(results.values()):
            values = [seed[measure] for seed in seeds]
            colour = PALETTE[row % len(PALETTE)]
            panel.plot([min(values), max(values)], [row, row], color=colour, linestyle="-", linewidth=3, alpha=0.35)
            panel.plot(
                values,
                [row] * len(values),
                color=colour,
                linestyle="",
                marker=MARKERS[row % len(MARKERS)],
                alpha=0.75,
                zorder=3,
                clip_on=False,
            )
        if measure in log:
            panel.set_xscale("log")
        panel.set(xlim=(low, high), ylim=(len(results) - 0.5, -0.5), xlabel=measure)
        panel.set_yticks(range(len(results)), list(results) if panel is axes[0] else [""] * len(results))
        panel.grid(axis="x", color="#e5e5e5", linewidth=0.8)
        panel.set_axisbelow(True)
    figure.suptitle(title)
    return Picture(figure, words)


# --- density ----------------------------------------------------------------------------------------------------------


@styled
def densities(axis: Tensor, exact: Tensor, learned: Tensor, samples: Tensor) -> Picture:
    """Two densities on a square grid, (side, side) each over ``axis`` (side,), and the samples (count, 2) of a GAN."""
    figure, axes = new_figure(3, width=8.7, height=3.4)
    edge = axis.abs().max().item()
    brightest = exact.max().item() ** 0.5
    for panel, values, name in ((axes[0], exact, "the ring, exact"), (axes[1], learned, "VAE: importance weighted")):
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
    words = "Left, the exact density of the ring; middle, the VAE's, with thin bridges between modes; right, a GAN's samples."
    return Picture(figure, words)
