"""Pictures of lesson 04: bounds on the log-likelihood."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    LINES,
    MARKERS,
    ORANGE,
    PALETTE,
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


@styled
def two_divergences(
    q: Tensor, bound: Tensor, log_evidence: float, gap: Tensor, regularizer: Tensor, prior: float, posterior: float
) -> Picture:
    """A two-state model as q(first state) runs from 0 to 1: bound and log p(x), beside the two KLs. Curves: (points,)."""
    figure, (left, right) = new_figure(2, width=9, height=3.5)
    left.axhline(log_evidence, color=INK, linestyle=":", label=f"log p(x) = {log_evidence:.3f}")
    left.plot(array(q), array(bound), color=BLUE, linestyle="-", label="ELBO")
    left.fill_between(array(q), array(bound), log_evidence, color=SKY, alpha=0.5, label="the gap")
    left.set(title="The bound touches at one q", xlabel="q(rain)", ylabel="nats")
    left.set_ylim(log_evidence - 2.2, log_evidence + 0.3)
    left.legend(loc="lower left", fontsize=8)
    right.plot(array(q), array(gap), color=BLUE, linestyle="-", label="gap: KL(q to posterior)")
    right.plot(array(q), array(regularizer), color=ORANGE, linestyle="--", label="regularizer: KL(q to prior)")
    for place, name in ((prior, "prior"), (posterior, "posterior")):
        right.plot([place, place], [0, 1.5], color=INK, linestyle=":", linewidth=1)
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
    means = torch.linspace(-3, 3, 121, dtype=torch.float64)
    every_q = Gaussian(means[:, None], torch.full_like(means[:, None], 2 * math.log(std)))
    q = Gaussian(torch.full_like(x, mean), torch.full_like(x, 2 * math.log(std)))
    bound, gap = model.elbo(q, x), model.gap(q, x).item()

    figure, (left, right) = new_figure(2, width=9, height=3.5)
    left.fill_between(
        array(z), array(normal_log_density(z, true_mean, true_std).exp()), color="#d0d0d0", label="posterior p(z given x)"
    )
    left.plot(array(z), array(normal_log_density(z, 0, 1).exp()), color=INK, linestyle=":", label="prior p(z)")
    left.plot(array(z), array(normal_log_density(z, mean, std).exp()), color=BLUE, linestyle="-", label="q(z)")
    left.set(title=f"Gap: KL(q to posterior) = {gap:.3f} nats", xlabel="z", ylabel="density")
    left.set_ylim(0, max(1.1, 0.48 / std))  # a narrow q rises to 0.4 / std
    left.legend(loc="upper left", fontsize=8)

    right.axhline(log_evidence, color=INK, linestyle=":", label=f"log p(x) = {log_evidence:.3f}, fixed")
    elbo = model.elbo(every_q, x.expand(len(means), 1)).value
    right.plot(array(means), array(elbo), color=BLUE, linestyle="-", label="ELBO for every mean, this std")
    right.plot([mean, mean], [bound.value.item(), log_evidence], color=ORANGE, linestyle="-", linewidth=4, label="the gap")
    right.plot([mean], [bound.value.item()], "o", color=RED, markersize=8, label=f"ELBO = {bound.value.item():.3f}")
    right.set(title="The bound stays below the line", xlabel="mean of q", ylabel="nats")
    right.set_ylim(min(log_evidence - 9, bound.value.item() - 3), log_evidence + 0.8)
    right.legend(loc="lower right", fontsize=8)
    words = (
        f"q = N({mean:g}, {std:g}²): ELBO {bound.value.item():.3f} + gap {gap:.3f} = log p(x) {log_evidence:.3f} nats; "
        f"the regularizer KL(q to prior) is {bound.rate.item():.3f}."
    )
    return Picture(figure, words)


@styled
def tightening(samples: Sequence[int], named: Mapping[str, Sequence[Estimate]], exact: float) -> Picture:
    """Importance-weighted bounds against the number of samples, with bars of two standard errors, and the exact value."""
    figure, (axes,) = new_figure(height=3.4)
    axes.axhline(exact, color=INK, linestyle=":", label="log p(x), exact")
    for (name, estimates), colour, line, marker in zip(named.items(), PALETTE, LINES, MARKERS, strict=False):
        values, errors = [e.value for e in estimates], [2 * e.standard_error for e in estimates]
        axes.errorbar(samples, values, yerr=errors, color=colour, linestyle=line, marker=marker, capsize=4, label=name)
    axes.set_xscale("log", base=4)
    axes.set_xticks(samples, [str(k) for k in samples])
    axes.set(title="More samples, a tighter bound", xlabel="samples K; bars: ± 2 standard errors", ylabel="bound (nats)")
    axes.legend(loc="lower right")
    words = "Both importance-weighted bounds rise to the exact log p(x) as samples are added; the worse q needs more of them."
    return Picture(figure, words)
