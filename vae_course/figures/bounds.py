"""Pictures of lesson 04: bounds on the log-likelihood, and what q misses."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    ORANGE,
    RED,
    SKY,
    Picture,
    array,
    new_figure,
    normal_log_density,
    styled,
)
from vae_course.probability.distributions import Gaussian
from vae_course.probability.estimators import Estimate
from vae_course.probability.exact import LinearGaussian

GREY = "#8c8c8c"
# How the distributions that z is drawn from look in every picture: colour, line, marker.
PRIOR, CHOSEN, NEAR = (INK, ":", "s"), (BLUE, "-", "o"), (GREY, "--", "^")


def _gap_bar(axes: Axes, place: float, low: float, high: float, label: str = "the gap") -> None:
    """What lies between a bound and what it bounds, as a bar that ends exactly at both."""
    axes.plot([place, place], [low, high], color=ORANGE, linestyle="-", linewidth=4, solid_capstyle="butt", label=label)


@styled
def two_divergences(
    q: Tensor, bound: Tensor, log_evidence: float, gap: Tensor, regularizer: Tensor, prior: float, posterior: float
) -> Picture:
    """A two-state model as q(first state) runs from 0 to 1: bound and log p(x), beside the two KLs. Curves: (points,)."""
    figure, (left, right) = new_figure(2, width=9, height=3.5)
    left.axhline(log_evidence, color=INK, linestyle=":", label=f"log p(x) = {log_evidence:.3f}")
    left.plot(array(q), array(bound), color=BLUE, linestyle="-", label="ELBO")
    left.fill_between(array(q), array(bound), log_evidence, color=ORANGE, alpha=0.35, linewidth=0, label="the gap")
    left.set(title="The bound touches at one q", xlabel="q(rain)", ylabel="nats")
    left.set_ylim(log_evidence - 2.2, log_evidence + 0.3)
    left.legend(loc="lower left", fontsize=8)
    right.plot(array(q), array(gap), color=ORANGE, linestyle="-", label="gap: KL(q to posterior)")
    right.plot(array(q), array(regularizer), color=INK, linestyle="--", label="regularizer: KL(q to prior)")
    for place, name in ((prior, "prior"), (posterior, "posterior")):
        right.plot([place, place], [0, 1.5], color=GREY, linestyle="-", linewidth=1)
        right.text(place, 1.53, name, ha="center", fontsize=9)
    right.set(title="Two KLs, zero at two places", xlabel="q(rain)", ylabel="nats", ylim=(-0.05, 2.2))
    right.legend(loc="upper left", fontsize=8)
    words = "The ELBO touches log p(x) where q is the posterior; the gap is zero there, the regularizer is zero at the prior."
    return Picture(figure, words)


@styled
def moving_q(model: LinearGaussian, x: Tensor, *, mean: float, std: float) -> Picture:
    """A one-dimensional model and one observation ``x`` (1, 1): q = N(mean, std^2) against its posterior, and its ELBO."""
    log_evidence = model.log_evidence(x).item()
    posterior_mean, variance = model.exact_posterior(x)
    true_mean, true_std = posterior_mean.item(), math.sqrt(variance.item())
    z = torch.linspace(-4, 4, 321, dtype=torch.float64)
    means = torch.linspace(-3, 3, 121, dtype=torch.float64, device=x.device)
    every_q = Gaussian(means[:, None], torch.full_like(means[:, None], 2 * math.log(std)))
    q = Gaussian(torch.full_like(x, mean), torch.full_like(x, 2 * math.log(std)))
    bound, gap = model.elbo(q, x), model.gap(q, x).item()
    rate = bound.rate.item()

    figure, (left, right) = new_figure(2, width=9, height=3.5)
    left.fill_between(
        array(z), array(normal_log_density(z, true_mean, true_std).exp()), color="#d0d0d0", label="posterior p(z given x)"
    )
    left.plot(array(z), array(normal_log_density(z, 0, 1).exp()), color=INK, linestyle=":", label="prior p(z)")
    left.plot(array(z), array(normal_log_density(z, mean, std).exp()), color=BLUE, linestyle="-", label="q(z given x)")
    told = f"Gap: KL(q to posterior) = {gap:.3f} nats\nRegularizer: KL(q to prior) = {rate:.3f} nats"
    left.set(title=told, xlabel="z", ylabel="density")
    left.set_ylim(0, max(1.1, 0.6 / std))  # a narrow q rises to 0.4 / std
    left.legend(loc="upper left", fontsize=8)

    right.axhline(log_evidence, color=INK, linestyle=":", label=f"log p(x) = {log_evidence:.3f}, fixed")
    elbo = model.elbo(every_q, x.expand(len(means), 1)).value
    right.plot(array(means), array(elbo), color=BLUE, linestyle="-", label="ELBO for every mean, this std")
    _gap_bar(right, mean, bound.value.item(), log_evidence)
    right.plot([mean], [bound.value.item()], "o", color=RED, markersize=8, label=f"ELBO = {bound.value.item():.3f}")
    right.set(title="The bound never rises above the line", xlabel="mean of q", ylabel="nats")
    right.set_ylim(min(log_evidence - 9, bound.value.item() - 3), log_evidence + 0.8)
    right.legend(loc="lower right", fontsize=8)
    words = (
        f"q = N({mean:g}, {std:g}²): ELBO {bound.value.item():.3f} + gap {gap:.3f} = log p(x) {log_evidence:.3f} nats; "
        f"the regularizer KL(q to prior) is {rate:.3f}."
    )
    return Picture(figure, words)


@styled
def tightening(
    samples: Sequence[int], named: Mapping[str, Sequence[Estimate]], exact: float, rules: Mapping[str, Sequence[float]]
) -> Picture:
    """How far importance-weighted bounds lie below ``exact``, with bars of two standard errors, and a rule for each.

    ``named``: the bounds with q, then those with the prior in its place, a value for each number of ``samples``; ``rules``:
    likewise, how far they should lie below.
    """
    figure, (axes,) = new_figure(height=3.4)
    for (name, estimates), (colour, line, marker), aside in zip(named.items(), (CHOSEN, PRIOR), (0.96, 1.04), strict=True):
        below, errors = [exact - e.value for e in estimates], [2 * e.standard_error for e in estimates]
        places = [aside * k for k in samples]  # so that the bars of one do not hide those of the other
        axes.errorbar(places, below, yerr=errors, color=colour, linestyle=line, marker=marker, capsize=4, label=name)
        axes.plot(samples, rules[name], color=colour, linestyle=line, linewidth=0.7, label=f"{name}: relative variance / 2K")
    axes.set_xscale("log", base=4)
    axes.set_xticks(samples, [str(k) for k in samples])
    axes.set_yscale("log", nonpositive="clip")
    axes.set(title="More samples, a tighter bound", xlabel="samples K; bars: ± 2 standard errors")
    axes.set(ylabel="log p(x) − bound (nats)", ylim=(0.0003, 10))
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda k: "/" in labels[k])  # the rules last
    axes.legend([handles[k] for k in order], [labels[k] for k in order], loc="upper right")
    words = "Both importance-weighted bounds come nearer to log p(x) as samples are added; the worse q needs more of them."
    return Picture(figure, words)


@styled
def weighted_draws(z: Tensor, prior: Tensor, joint: Tensor, q: Tensor) -> Picture:
    """Curves over ``z`` (points,): prior and q, from which one may draw, beside p(x, z), whose area is p(x)."""
    figure, (left, right) = new_figure(2, width=9, height=3.2)
    times = round(0.5 / joint.max().item())  # what makes p(x, z) as high as the densities
    for axes, density, name, (colour, line, _) in ((left, prior, "prior p(z)", PRIOR), (right, q, "chosen q(z)", CHOSEN)):
        axes.plot(array(z), array(density), color=colour, linestyle=line, label=f"density of the {name}")
        axes.fill_between(array(z), array(times * joint), color="#d0d0d0", label=f"p(x, z), {times} times as high")
        axes.set(xlabel="z", ylabel="density", ylim=(0, 0.85), xlim=(-4, 4))
        axes.legend(loc="upper left", fontsize=8)
    left.set_title("Few of the prior's draws explain x")
    right.set_title("More of q's draws do")
    words = "The prior's bell lies around 0, most of p(x, z) between 0.5 and 2.5; q lies between the two and covers both."
    return Picture(figure, words)


@styled
def error_by_dimension(dimensions: Sequence[int], named: Mapping[str, Sequence[float]]) -> Picture:
    """Relative standard errors of an average of importance weights (no unit) against the number of latent dimensions.

    ``named``: with draws from the prior, from q, and from near the posterior.
    """
    figure, (axes,) = new_figure(height=3.4)
    for (name, errors), (colour, line, marker) in zip(named.items(), (PRIOR, CHOSEN, NEAR), strict=True):
        axes.plot(dimensions, errors, color=colour, linestyle=line, marker=marker, label=name)
    axes.axhline(1, color="#c8c8c8", linestyle="-", linewidth=1, zorder=0)
    axes.text(dimensions[-1], 1.3, "error as large as p(x) itself", ha="right", fontsize=9)
    axes.set_yscale("log")
    axes.set_title("With every dimension the error multiplies")
    axes.set(xlabel="latent dimensions", ylabel="standard error / p(x)")
    axes.legend(loc="upper left")
    words = (
        "With draws from the prior the relative error grows steeply with the dimensions, with draws from q less, and with "
        "draws a little off the posterior by far the least."
    )
    return Picture(figure, words)


@styled
def log_of_average(weights: Sequence[float], shares: Sequence[float]) -> Picture:
    """Jensen's inequality at two weights with their shares under q: the chord lies below the curve of the logarithm."""
    low, high = weights
    average = shares[0] * low + shares[1] * high
    below = shares[0] * math.log(low) + shares[1] * math.log(high)
    w = torch.linspace(0.8 * min(weights), 1.1 * max(weights), 200)
    figure, (axes,) = new_figure(height=3.4)
    axes.plot(array(w), array(w.log()), color=BLUE, linestyle="-", label="log w")
    axes.plot([low, high], [math.log(low), math.log(high)], color=INK, linestyle="--", marker="o", label="the two weights")
    _gap_bar(axes, average, below, math.log(average), label="the difference")
    axes.annotate("log of the average", (average, math.log(average)), xytext=(-8, 8), textcoords="offset points", ha="right")
    axes.annotate("average of the logs", (average, below), xytext=(10, -14), textcoords="offset points")
    axes.set(title="The average of the logs lies below the log of the average", xlabel="weight w", ylabel="log w (nats)")
    axes.legend(loc="lower right")
    words = "The curve of log w and a chord between two weights: above their average weight the chord lies below the curve."
    return Picture(figure, words)


@styled
def inference_gaps(x: Tensor, best: Tensor, amortized: Mapping[str, Tensor]) -> Picture:
    """What the ELBO misses at each reading ``x`` (readings,): with the best q for each, and with one encoder for all."""
    figure, (axes,) = new_figure(height=3.6)
    axes.plot(array(x), array(best), color="#b0b0b0", linestyle="-", linewidth=6, label="the best Gaussian for each x")
    for (name, gap), colour, marker in zip(amortized.items(), (RED, BLUE), ("s", "."), strict=True):
        axes.plot(array(x), array(gap), color=colour, linestyle="", marker=marker, markersize=4, label=name)
    axes.set_yscale("log")
    axes.set(title="The network comes near the best Gaussian, the linear encoder at few x only", xlabel="reading x")
    axes.set(ylabel="log p(x) − ELBO (nats)", ylim=(0.001, 30))
    axes.legend(loc="upper center", ncols=3, fontsize=8)
    words = (
        "The linear encoder misses far more than the best Gaussians, except at few x; the network lies on their curve nearly "
        "everywhere, and a little above it at a few readings."
    )
    return Picture(figure, words)


@styled
def clouds(z: Tensor, prior: Tensor, named: Mapping[str, tuple[Tensor, Tensor]]) -> Picture:
    """For each encoder a few q(z given x) (readings, points) and the average of all (points,), beside the prior (points,)."""
    figure, panels = new_figure(2, rows=math.ceil(len(named) / 2), width=9, height=5.8)
    for axes, (name, (several, average)) in zip(panels, named.items(), strict=True):
        for number, density in enumerate(several):
            label = "q(z given x), some x" if number == 0 else None
            axes.fill_between(array(z), array(density), color=SKY, alpha=0.3, linewidth=0)
            axes.plot(array(z), array(density), color=BLUE, linestyle="-", linewidth=0.7, label=label)
        axes.plot(array(z), array(average), color=RED, linestyle="-", linewidth=3, label="q(z), the average over all x")
        axes.plot(array(z), array(prior), color=INK, linestyle=":", label="prior p(z)")
        axes.set_title(name, fontsize=10, fontweight="normal")
        axes.set(xlabel="z", xlim=(-4, 6), ylim=(0, 2.2), ylabel="density")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle("Narrow clouds tell more of x; their means and widths together make the average", x=0.01, ha="left")
    words = (
        "Four encoders. Wide clouds overlap, with an average like the prior; narrow clouds with the same means have a "
        "narrower average, narrow clouds around the readings a wider one; wide clouds moved by 2 have theirs at 2."
    )
    return Picture(figure, words)
