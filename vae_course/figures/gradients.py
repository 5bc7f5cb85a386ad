"""Pictures of lesson 03: gradients estimated from samples, and their spread."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    LINES,
    MARKERS,
    ORANGE,
    PALETTE,
    SKY,
    Picture,
    array,
    curves,
    new_figure,
    normal_log_density,
    styled,
)
from vae_course.probability.estimators import Estimate

RECIPES = ("pathwise", "score function", "score function, baseline")  # in the order of their colours
MOST_NATS = 1000  # shown of a descent

# --- the two computation graphs -------------------------------------------------------------------------------------


def _node(axes: Axes, x: float, y: float, text: str, random: bool = False) -> None:
    box = {
        "boxstyle": "round,pad=0.5",
        "facecolor": SKY if random else "white",
        "edgecolor": INK,
        "linestyle": "--" if random else "-",
        "linewidth": 1.5,
    }
    axes.text(x, y, text, ha="center", va="center", bbox=box, zorder=3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, gradient: bool = False) -> None:
    style = {
        "arrowstyle": "-|>",
        "color": ORANGE if gradient else INK,
        "linestyle": "--" if gradient else "-",
        "linewidth": 2.5 if gradient else 1.3,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 14,
    }
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


@styled
def two_graphs() -> Picture:
    """The graph with a sampling node inside, and the same draw with its noise moved outside."""
    figure, (left, right) = new_figure(2, width=8.5, height=3.9)
    for axes in (left, right):
        axes.set(xlim=(0, 10), ylim=(0, 10.5))
        axes.set_axis_off()
        _node(axes, 5, 9.6, "cost")
        _node(axes, 1.6, 1, "mean")
        _node(axes, 5, 1, "std")
        _arrow(axes, (4.75, 6.2), (4.75, 8.8))
        _arrow(axes, (5.35, 8.8), (5.35, 6.2), gradient=True)
        _arrow(axes, (1.9, 1.9), (3.7, 4.4))
        _arrow(axes, (4.75, 1.9), (4.75, 4.4))
    left.set_title("Sampling inside: the gradient stops")
    _node(left, 5, 5.3, "z drawn from N(mean, std²)", random=True)
    left.text(5.75, 4.0, "✗ no slope to pass on", color=INK, va="center")
    right.set_title("Noise outside: it passes")
    _node(right, 5, 5.3, "z = mean + std · noise")
    _node(right, 8.4, 1, "noise", random=True)
    _arrow(right, (8.1, 1.9), (6.5, 4.4))
    _arrow(right, (4.3, 4.4), (2.5, 1.9), gradient=True)
    _arrow(right, (5.35, 4.4), (5.35, 1.9), gradient=True)
    right.text(5.6, 3.1, "noise", va="center", fontsize=9)
    right.text(3.65, 2.9, "1", va="center", fontsize=9)
    for axes in (left, right):
        axes.text(5.65, 7.5, "slope of the cost", va="center", fontsize=9)
    figure.supxlabel("solid arrows: forward;  dashed arrows: gradients;  dashed boxes: random", fontsize=9)
    words = (
        "Dashed arrows are gradients: they stop at a random node, and reach mean and std once the noise is a separate input."
    )
    return Picture(figure, words)


# --- estimates and their variances ----------------------------------------------------------------------------------


@styled
def single_draws(pathwise: Tensor, score: Tensor, exact: float) -> Picture:
    """How the gradients of single draws are spread, a panel a recipe. ``pathwise`` and ``score``: one number a draw."""
    figure, panels = new_figure(2, width=8.5, height=3)
    bins = np.linspace(-4, 12, 81).tolist()
    for axes, gradients, name in zip(panels, (pathwise, score), ("pathwise", "score function"), strict=True):
        inside = array(gradients).ravel().clip(bins[0], bins[-1])
        axes.hist(inside, bins=bins, density=True, color=BLUE)
        axes.axvline(exact, color=INK, linestyle=":", linewidth=2, label="exact")
        axes.set(title=name, xlabel="gradient of one draw (last bar: and all beyond)", ylabel="share per unit")
    top = max(axes.get_ylim()[1] for axes in panels)
    for axes in panels:
        axes.set_ylim(0, top)
    panels[1].legend()
    figure.suptitle("One average, two spreads")
    words = "Gradients of single draws: pathwise a hill round the exact value; the score function's near 0, with a long tail."
    return Picture(figure, words)


@styled
def estimates_over_exact(estimates: Mapping[str, Mapping[str, Estimate]], exact: Mapping[str, float]) -> Picture:
    """Estimates divided by the exact derivative, bars of two standard errors. ``estimates``: recipe -> cost."""
    figure, (axes,) = new_figure(height=2.8)
    names = list(exact)
    for i, (recipe, of) in enumerate(estimates.items()):
        x = [of[name].value / exact[name] for name in names]
        errors = [2 * of[name].standard_error / abs(exact[name]) for name in names]
        y = [k + 0.28 * i - 0.14 for k in range(len(names))]
        axes.errorbar(x, y, xerr=errors, fmt=MARKERS[i], color=PALETTE[i], capsize=3, linestyle="none", label=recipe)
    axes.axvline(1, color=INK, linestyle=":", linewidth=1.5)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set(
        title="Both recipes are right; one is sharper",
        xlabel="estimate / exact derivative; bars: ± 2 standard errors",
        ylabel="cost",
    )
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(
        figure, "Estimated over exact derivatives: both recipes scatter round 1, the score function with wider bars."
    )


def variances_when_separable(dimensions: Sequence[int], measured: Mapping[str, Sequence[Estimate]]) -> Picture:
    """Variance of one gradient draw against the number of dimensions, a line a recipe: the cost is a sum over dimensions."""
    return _variances_by_dimension(
        dimensions,
        measured,
        title="A sum over dimensions leaves the pathwise variance as it is",
        words="Variance against dimensions, cost separable: pathwise flat, the score function rising, less with a baseline.",
    )


def variances_when_coupled(dimensions: Sequence[int], measured: Mapping[str, Sequence[Estimate]]) -> Picture:
    """The same where the cost couples its dimensions."""
    return _variances_by_dimension(
        dimensions,
        measured,
        title="Where dimensions are coupled, every recipe hears the others",
        words="Variance against dimensions, cost not separable: all three recipes rise, and pathwise stays lowest.",
    )


@styled
def _variances_by_dimension(
    dimensions: Sequence[int], measured: Mapping[str, Sequence[Estimate]], *, title: str, words: str
) -> Picture:
    figure, (axes,) = new_figure(height=3.4)
    _draw_variances(axes, dimensions, measured)
    axes.set_xscale("log", base=2)
    axes.set_xticks(dimensions, [str(d) for d in dimensions])
    axes.set(title=title, xlabel="latent dimensions", ylabel="variance of one draw")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return Picture(figure, words)


def _draw_variances(axes: Axes, places: Sequence[float], measured: Mapping[str, Sequence[Estimate]]) -> None:
    """A line a recipe, each looking the same in every picture."""
    for name, variances in measured.items():
        i = RECIPES.index(name)
        y = [variance.value for variance in variances]
        axes.plot(places, y, color=PALETTE[i], linestyle=LINES[i], marker=MARKERS[i], label=name)
    axes.set_yscale("log")


# --- steep slopes, descent, a second noise, log_var -----------------------------------------------------------------


@styled
def narrowing_step(widths: Sequence[float], variances: Mapping[str, Sequence[Estimate]]) -> Picture:
    """Variance of one gradient draw for sigmoids ever closer to a step; the recipes look as they do over dimensions."""
    figure, (axes,) = new_figure()
    _draw_variances(axes, widths, variances)
    axes.set_xscale("log")
    axes.invert_xaxis()  # so that the step narrows as one reads
    axes.set(
        title="The steeper the slope, the noisier the pathwise gradient",
        xlabel="width of the step (units of z), narrower to the right",
        ylabel="variance of one draw",
    )
    axes.legend()
    return Picture(
        figure,
        "Variance as the step narrows: pathwise rises without end; the score function levels off, with a baseline or not.",
    )


@styled
def descents(gaps: Mapping[str, Sequence[float]]) -> Picture:
    """How far gradient descent is from the best q before each step, in nats. A line that runs away leaves the picture."""
    figure, (axes,) = new_figure()
    for name, gap in gaps.items():
        axes.plot(range(len(gap)), gap, label=name)
    axes.set_yscale("log")
    axes.set_ylim(top=min(axes.get_ylim()[1], MOST_NATS))
    axes.set(title="At one learning rate, less variance brings descent nearer", xlabel="step", ylabel="KL to the best q (nats)")
    axes.legend()
    return Picture(figure, "Distance from the best q: pathwise falls furthest, the plain score function stays noisy and high.")


@styled
def noise_once_and_twice(std: float) -> Picture:
    """What the decoder receives from two inputs at -1 and +1: with noise std once, and with N(0, 1) added to it."""
    figure, panels = new_figure(2, width=8.5, height=2.9)
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    for axes, variance, title in zip(
        panels, (std**2, std**2 + 1), ("Noise once: kept apart", "Noise twice: mixed up"), strict=True
    ):
        for i, center in enumerate((-1.0, 1.0)):
            density = normal_log_density(x, center, math.sqrt(variance)).exp()
            axes.plot(array(x), array(density), color=PALETTE[i], linestyle=LINES[i], label=f"input with mean {center:+g}")
        axes.axvline(0, color=INK, linestyle=":", linewidth=1)
        axes.set(title=title, xlabel="what the decoder receives", ylabel="density")
    panels[1].set_ylim(panels[0].get_ylim())  # so that a wide curve looks low
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return Picture(figure, "With noise once two inputs give two separate peaks; with noise twice the two curves overlap.")


@styled
def kl_pull(stds: Tensor, *, in_std: Tensor, in_log_var: Tensor) -> Picture:
    """Size of the gradient of KL(N(0, std^2) to N(0, 1)) in std and in log_var. All (points,)."""
    return curves(
        stds,
        {"with respect to std": in_std.abs(), "with respect to log_var": in_log_var.abs()},
        title="For narrow Gaussians the KL's gradient explodes in std, not in log_var",
        x_label="std",
        y_label="size (nats per unit)",
        words="At small std the KL's gradient is 1000 in std, one half in log_var; both dip at 1; at 10, 10 and 50.",
        log_x=True,
        log_y=True,
    )
