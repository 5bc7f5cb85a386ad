"""Pictures of lesson 17: a bound refuted, two KLs in training, how soon a target is reached, and stored figures over seeds."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, ORANGE, PALETTE, RED, Picture, array, new_figure, styled


@styled
def refuted(log_p: Tensor, claimed: Tensor, log_evidence: Tensor, elbo: Tensor) -> Picture:
    """Two bounds against what they bound, one dot a random case, all (cases,) in nats; a dot above the line refutes."""
    figure, (left, right) = new_figure(columns=2, width=8.5, height=3.8)
    wrong = _against_truth(left, log_p, claimed, "The article's bound")
    also = _against_truth(right, log_evidence, elbo, "The ELBO")
    left.set(ylabel="what is claimed to lie below (nats)")
    words = (
        f"Of {len(log_p)} random cases {wrong} lie above the line and refute the article's bound; "
        f"of {len(elbo)} cases {also} refute the ELBO."
    )
    return Picture(figure, words)


def _against_truth(axes: Axes, truth: Tensor, bound: Tensor, name: str) -> int:
    """Draw the dots, those that refute as crosses; return the number of these."""
    refutes = bound > truth + 1e-9
    for chosen, colour, marker, label in ((~refutes, BLUE, ".", "holds"), (refutes, RED, "x", "refuted")):
        if chosen.any():
            axes.scatter(
                array(truth[chosen]), array(bound[chosen]), s=16, color=colour, marker=marker, label=label, linewidths=0.8
            )
    axes.plot([-8, 0], [-8, 0], color=INK, linestyle="-", linewidth=1)
    axes.set(xlim=(-6, 0.2), ylim=(-8, 0.3), xlabel="log p(x), exact (nats)")
    axes.set_title(f"{name}: {int(refutes.sum())} of {len(truth)} refute it")
    axes.legend(loc="lower right")
    return int(refutes.sum())


@styled
def two_phases(history: Mapping[str, Sequence[float]], turn: int) -> Picture:
    """log p(x), ELBO, gap and regularizer (nats) by step: until ``turn`` the encoder alone is trained, then the decoder too."""
    figure, (left, right) = new_figure(columns=2, width=9, height=3.4)
    for axes, names in ((left, ("log p(x)", "ELBO")), (right, ("gap", "regularizer"))):
        for name, colour, line in zip(names, (INK, ORANGE), LINES, strict=False):
            axes.plot(array(history[name]), label=name, color=colour, linestyle=line)
        axes.axvline(turn, color="#b0b0b0", linestyle=":", linewidth=1.2)
        axes.set(xlabel="step", ylabel="nats per example, mean")
        axes.legend()
    left.set_title("Only the decoder moves log p(x)")
    right.set_title("One KL vanishes, the other grows")
    left.text(turn, left.get_ylim()[0], " decoder joins", va="bottom", fontsize=9)
    words = (
        "While the encoder alone is trained log p(x) stands still and the ELBO rises to meet it; "
        "once the decoder joins both rise. The gap goes to zero, the regularizer does not."
    )
    return Picture(figure, words)


@styled
def arrivals(
    losses: Mapping[str, Sequence[float]], seconds: Mapping[str, Sequence[float]], target: float, silent: float
) -> Picture:
    """Test losses (nats per image) by epoch and by processor seconds, one line a way of training, up to where it was stopped.

    The grey line is the target, the dotted one what is paid where z says nothing.
    """
    figure, (left, right) = new_figure(columns=2, width=9.5, height=4.6)
    for k, (name, values) in enumerate(losses.items()):
        for axes, places in ((left, range(1, len(values) + 1)), (right, seconds[name])):
            colour, line = PALETTE[k % len(PALETTE)], LINES[(k + k // len(PALETTE)) % len(LINES)]  # no two are alike
            axes.plot(array(places), array(values), label=name, color=colour, linestyle=line)
    for axes, x_label in ((left, "epoch"), (right, "processor seconds")):
        axes.axhline(target, color="#9a9a9a", linestyle="-", linewidth=1)
        axes.axhline(silent, color=INK, linestyle=":", linewidth=1)
        axes.set(xlabel=x_label, ylabel="-ELBO of test images (nats)", yscale="log", ylim=(150, 1000))
        axes.set_yticks([200, 300, 500, 1000], ["200", "300", "500", "1000"])
        axes.minorticks_off()
    for height, name, above in ((silent, "z says nothing", "bottom"), (target, "target", "top")):
        right.text(0.99, height, name, ha="right", va=above, fontsize=9, transform=right.get_yaxis_transform())
    left.set_title("The same loss, several ways to go down")
    right.set_title("... and what they cost in time")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    crossing = sum(min(values) <= target for values in losses.values())
    words = (
        f"Negative ELBO of test images by epoch and by seconds: "
        f"{crossing} of {len(losses)} ways of training reach the grey target line."
    )
    return Picture(figure, words)


@styled
def over_seeds(named: Mapping[str, Sequence[float]], *, title: str, x_label: str, words: str, low: float = 0.0) -> Picture:
    """A row of dots for each name, one a seed, on an axis from ``low`` to 1: figures that other lessons have stored."""
    figure, (axes,) = new_figure(height=0.42 * len(named) + 1.1)
    for row, values in enumerate(named.values()):
        axes.plot(array(values), [-row] * len(values), "o", color=BLUE, markersize=7, alpha=0.7, linestyle="none")
    axes.set_yticks([-row for row in range(len(named))], list(named))
    axes.set(title=title, xlabel=x_label, ylim=(-len(named) + 0.4, 0.6), xlim=(low - 0.02 * (1 - low), 1 + 0.02 * (1 - low)))
    axes.grid(axis="x", color="#dddddd", linestyle="-", linewidth=0.8)
    return Picture(figure, words)
