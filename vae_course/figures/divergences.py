"""Pictures of lesson 02: two distributions, and how far one is from the other."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, ORANGE, Picture, array, new_figure, normal_log_density, styled
from vae_course.probability.distributions import Gaussian


@styled
def code_lengths(p: Tensor, q: Tensor, outcomes: Sequence[str]) -> Picture:
    """Each outcome's code length in p's code and in q's, beside its probability. ``p``, ``q``: (outcomes,)."""
    figure, (left, right) = new_figure(2, width=8.5)
    x = torch.arange(len(p))
    for axes, a, b in ((left, p, q), (right, -p.log2(), -q.log2())):
        axes.bar(array(x - 0.2), array(a), 0.38, color=BLUE, label="p, the truth")
        axes.bar(array(x + 0.2), array(b), 0.38, color=ORANGE, hatch="//", edgecolor="white", label="q, our belief")
        axes.set_xticks(range(len(p)), outcomes)
    left.set(title="Likely outcomes ...", ylabel="probability")
    right.set(title="... should have short codes", ylabel="code length (bits)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return Picture(figure, "Left, probabilities under p and q; right, code lengths: the less likely, the longer the code.")


@styled
def two_gaussians(mean: float, std: float) -> Picture:
    """q = N(mean, std^2) against p = N(0, 1), with KL(q to p) as an area and both directions as numbers."""
    x = torch.linspace(-6, 6, 601, dtype=torch.float64)
    log_p, log_q = normal_log_density(x, 0.0, 1.0), normal_log_density(x, mean, std)
    p, q = log_p.exp(), log_q.exp()
    wide, narrow = (torch.tensor([[value]], dtype=torch.float64) for value in (mean, 2 * math.log(std)))
    gaussian = Gaussian(wide, narrow)
    standard = Gaussian.standard(wide)
    forward, backward = gaussian.kl_to(standard).item(), standard.kl_to(gaussian).item()
    figure, (left, right) = new_figure(2, width=8.5)
    left.plot(array(x), array(p), color=INK, linestyle=":", label="p = N(0, 1)")
    left.plot(array(x), array(q), color=BLUE, linestyle="-", label=f"q = N({mean:g}, {std:g}²)")
    left.set(title="q must be explained by p", xlabel="x", ylabel="density")
    left.legend(loc="upper left", fontsize=8)
    left.set_ylim(0, max(0.55, q.max().item() * 1.3))
    # (q / p - 1 - log q / p) p is never negative; its mirror form, weighted by q, has the KL as its area.
    log_ratio = log_p - log_q
    area = q * (torch.expm1(log_ratio) - log_ratio)
    right.fill_between(array(x), array(area), color=ORANGE, alpha=0.8)
    right.set(title=f"KL(q to p) = {forward:.3f} nats", xlabel="x", ylabel="nats per unit of x")
    right.text(0.03, 0.92, f"KL(p to q) = {backward:.3f} nats", transform=right.transAxes, va="top")
    words = f"q = N({mean:g}, {std:g}²): KL(q to p) is {forward:.3f} nats, the orange area; KL(p to q) is {backward:.3f} nats."
    return Picture(figure, words)


@styled
def two_directions(x: Tensor, target: Tensor, covering: Tensor, seeking: Tensor) -> Picture:
    """A bimodal target density with the Gaussian that minimizes each direction of the KL. All (points,)."""
    figure, (axes,) = new_figure(height=3.4)
    axes.fill_between(array(x), array(target), color="#d9d9d9", label="target p")
    axes.plot(array(x), array(covering), color=ORANGE, linestyle="--", label="smallest KL(p to q): covers")
    axes.plot(array(x), array(seeking), color=BLUE, linestyle="-", label="smallest KL(q to p): picks a mode")
    axes.set(title="The direction decides: cover both modes, or pick one", xlabel="x", ylabel="density")
    axes.set_xlim(-7, 7)
    axes.legend()
    words = "The Gaussian with the smallest KL(p to q) spans both bumps; the one with the smallest KL(q to p) sits on one."
    return Picture(figure, words)


@styled
def estimates_with_errors(names: Sequence[str], values: Sequence[float], errors: Sequence[float], exact: float) -> Picture:
    """Monte Carlo estimates with bars of two standard errors, and the exact value as a line."""
    figure, (axes,) = new_figure(height=2.8)
    positions = list(range(len(names)))
    axes.errorbar(values, positions, xerr=[2 * e for e in errors], fmt="o", color=BLUE, capsize=4, linewidth=2)
    axes.axvline(exact, color=INK, linestyle=":")
    axes.set_yticks(positions, names)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_title("The same draws pin the KL down more or less sharply")
    axes.set(xlabel="KL(q to p) (nats); bars: ± 2 standard errors; dotted: exact")
    return Picture(figure, "Estimates of one KL with bars of two standard errors; the dotted line is the closed form.")


@styled
def kl_per_dimension(kl: Tensor) -> Picture:
    """KL to N(0, I) of each latent dimension, (dimension,), in nats."""
    figure, (axes,) = new_figure(height=2.6)
    axes.bar(range(len(kl)), array(kl), color=BLUE, width=0.6)
    axes.set_xticks(range(len(kl)))
    axes.set(title="Which dimensions carry information?", xlabel="latent dimension", ylabel="mean KL to N(0, 1) (nats)")
    return Picture(figure, "The KL of each latent dimension: some carry nats, the rest stand at the prior and carry none.")
