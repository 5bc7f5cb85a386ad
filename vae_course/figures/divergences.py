"""Pictures of lesson 02: two distributions, and how far one is from the other."""

import math
from collections.abc import Mapping, Sequence

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
        axes.bar(array(x - 0.2), array(a), 0.38, color=INK, label="the truth p and its code")
        axes.bar(array(x + 0.2), array(b), 0.38, color=BLUE, hatch="//", edgecolor="white", label="the belief q and its code")
        axes.set_xticks(range(len(p)), outcomes)
    left.set(title="Likely outcomes ...", ylabel="probability")
    right.set(title="... should have short codes", ylabel="code length (bits)")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return Picture(figure, "Left, probabilities under p and q; right, code lengths: the less likely, the longer the code.")


@styled
def two_gaussians(mean: float, std: float) -> Picture:
    """q = N(mean, std^2) against p = N(0, 1), with KL(q to p) as an area and both directions as numbers."""
    reach = max(6.0, abs(mean) + 4 * std)  # so that next to nothing of the area lies outside
    x = torch.linspace(-reach, reach, 1501, dtype=torch.float64)
    log_p, log_q = normal_log_density(x, 0.0, 1.0), normal_log_density(x, mean, std)
    p, q = log_p.exp(), log_q.exp()
    wide, narrow = (torch.tensor([[value]], dtype=torch.float64) for value in (mean, 2 * math.log(std)))
    gaussian = Gaussian(wide, narrow)
    standard = Gaussian.standard(wide)
    forward, backward = gaussian.kl_to(standard).item(), standard.kl_to(gaussian).item()
    figure, (left, right) = new_figure(2, width=8.5)
    left.plot(array(x), array(p), color=INK, linestyle=":", label="p = N(0, 1)")
    left.plot(array(x), array(q), color=BLUE, linestyle="-", label=f"q = N({mean:g}, {std:g}²)")
    left.set(title="q beside the standard normal", xlabel="x", ylabel="density")
    left.legend(loc="upper left", fontsize=8)
    left.set_ylim(0, max(0.55, q.max().item() * 1.3))
    left.text(0.97, 0.95, f"KL(p to q) = {backward:.3f} nats", transform=left.transAxes, ha="right", va="top", fontsize=8)
    # Never negative but for rounding, and its area is the KL. A q of 0 far out is multiplied by a log that is finite.
    area = (q * (log_q - log_p) + p - q).clamp_min(0)
    right.fill_between(array(x), array(area), color=ORANGE, alpha=0.8)
    right.set(title=f"KL(q to p) = {forward:.3f} nats", xlabel="x", ylabel="q log(q/p) + p − q\n(nats per unit of x)")
    words = f"q = N({mean:g}, {std:g}²): KL(q to p) is {forward:.3f} nats, the orange area; KL(p to q) is {backward:.3f} nats."
    return Picture(figure, words)


@styled
def two_directions(x: Tensor, target: Tensor, covering: Tensor, seeking: Tensor | None = None) -> Picture:
    """A bimodal target density with the Gaussian that minimizes each direction of the KL, or the first alone. All (points,)."""
    figure, (axes,) = new_figure(height=3.4)
    axes.fill_between(array(x), array(target), color="#d9d9d9", label="target p")
    axes.plot(array(x), array(covering), color=ORANGE, linestyle="--", label="smallest KL(p to q)")
    title = "The smallest KL(p to q) reaches over both bumps"
    words = "The target has two bumps; the Gaussian with the smallest KL(p to q) spans both and is highest between them."
    if seeking is not None:
        axes.plot(array(x), array(seeking), color=BLUE, linestyle="-", label="smallest KL(q to p)")
        title = "Here one direction covers both bumps, the other picks one"
        words = "The Gaussian with the smallest KL(p to q) spans both bumps; the one with the smallest KL(q to p) sits on one."
    axes.set(title=title, xlabel="x", ylabel="density")
    axes.set_xlim(-7, 7)
    axes.legend()
    return Picture(figure, words)


@styled
def what_is_averaged(x: Tensor, log_p: Tensor, log_q: Tensor) -> Picture:
    """Where each direction of the KL comes from: p log(p / q) and q log(q / p) at each x, all (points,)."""
    figure, (left, right) = new_figure(2, width=8.5)
    p_to_q, q_to_p = log_p.exp() * (log_p - log_q), log_q.exp() * (log_q - log_p)
    for axes, terms, title in (
        (left, p_to_q, "KL(p to q): the missed bump costs most"),
        (right, q_to_p, "KL(q to p): it is hardly looked at"),
    ):
        axes.fill_between(array(x), array(terms), color=ORANGE, alpha=0.8, label="contribution to the KL")
        axes.plot(array(x), array(log_p.exp()), color=INK, linestyle=":", label="density p")
        axes.plot(array(x), array(log_q.exp()), color=BLUE, linestyle="-", label="density q")
        axes.set(title=title, xlabel="x", ylabel="density, and nats per unit of x")
        axes.set_xlim(-6, 6)
        axes.set_ylim(-0.3, max(p_to_q.max().item(), q_to_p.max().item()) * 1.1)
    right.legend()
    words = (
        "q lies on the left bump of p. Averaged over p, the right bump adds nearly all of the KL; averaged over q, it adds "
        "next to nothing."
    )
    return Picture(figure, words)


@styled
def repeated_estimates(named: Mapping[str, Tensor], exact: float, *, title: str) -> Picture:
    """How the runs of several estimators lie about the exact value. ``named``: the terms of each, (runs, samples)."""
    figure, (axes,) = new_figure(height=3.0)
    places = []
    for row, (name, terms) in enumerate(named.items()):
        runs = terms.mean(dim=1)
        low, median, high = torch.quantile(runs, torch.tensor([0.025, 0.5, 0.975], dtype=runs.dtype)).tolist()
        (line,) = axes.plot([low, high], [row, row], color=BLUE, linestyle="-", linewidth=5, alpha=0.5)
        (dot,) = axes.plot([median], [row], color=BLUE, marker="o", markersize=8, linestyle="")
        below = (runs < exact).double().mean().item()
        places.append(f"{name}: {_place(below)}")
    truth = axes.axvline(exact, color=INK, linestyle=":")
    axes.set_yticks(range(len(named)), list(named))
    axes.set_ylim(len(named) - 0.4, -0.6)
    axes.set_title(title)
    axes.set(xlabel="estimate of KL(q to p) (nats)")
    figure.legend((dot, line, truth), ("median run", "95 % of the runs", "exact"), loc="outside lower center", ncols=3)
    words = f"The runs of each estimator and the exact KL. {'; '.join(places)}."
    return Picture(figure, words)


def _place(below: float) -> str:
    """Where an estimator's runs lie, when the share ``below`` of them is under the exact value."""
    if below > 0.6:
        return "most runs are too low"
    return "most runs are too high" if below < 0.4 else "the runs lie on both sides"


@styled
def kl_per_dimension(kl: Tensor, order: Tensor, line: float) -> Picture:
    """KL to N(0, I) of each latent dimension in nats, largest first, over the dimensions' numbers; both (dimension,)."""
    figure, (axes,) = new_figure(height=2.8)
    axes.bar(range(len(kl)), array(kl), color=BLUE, width=0.6)
    axes.axhline(line, color=INK, linestyle=":", label=f"{line:g} nat")
    axes.set_xticks(range(len(kl)), [str(number) for number in order.tolist()])
    axes.set_title("A few dimensions carry nearly all of the KL")
    axes.set(xlabel="latent dimension by its number in z, sorted by KL", ylabel="mean KL to N(0, 1) (nats)")
    axes.legend()
    above = f"{int((kl > line).sum())} of {len(kl)}"
    words = f"The KL of each latent dimension, largest first: {above} lie above a line at {line:g} nat, the rest below."
    return Picture(figure, words)
