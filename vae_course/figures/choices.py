"""Pictures of lesson 16: soft choices among categories, and what their gradients cost."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, LINES, MARKERS, ORANGE, PALETTE, Picture, array, new_figure, styled

CORNERS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]], dtype=torch.float64)


@styled
def simplex_samples(p: Tensor, gumbel: Tensor, temperature: float) -> Picture:
    """Gumbel-softmax samples from fixed noise as points in a triangle. ``p``: (3,), ``gumbel``: (samples, 3)."""
    p, gumbel = p.detach().cpu(), gumbel.detach().cpu()
    soft = torch.softmax((p.log() + gumbel) / temperature, dim=-1)
    decided = (soft.max(-1).values > 0.95).double().mean().item()
    figure, (axes,) = new_figure(width=5.5, height=4.2)
    outline = CORNERS[[0, 1, 2, 0]]
    axes.plot(array(outline[:, 0]), array(outline[:, 1]), color=INK, linestyle="-", linewidth=1)
    xy, true_mean, soft_mean = soft @ CORNERS, p @ CORNERS, soft.mean(0) @ CORNERS
    axes.scatter(array(xy[:, 0]), array(xy[:, 1]), s=14, color=BLUE, alpha=0.35, linewidths=0)
    axes.plot(*array(true_mean), marker="*", markersize=17, color=ORANGE, markeredgecolor=INK, linestyle="none", label="p")
    axes.plot(*array(soft_mean), marker="X", markersize=10, color=INK, linestyle="none", label="mean of the samples")
    for k, (x, y, va) in enumerate(((0.0, -0.05, "top"), (1.0, -0.05, "top"), (0.5, 0.90, "bottom"))):
        axes.text(x, y, f"category {k}\np = {p[k].item():g}", ha="center", va=va, fontsize=9)
    axes.set(
        xlim=(-0.2, 1.2), ylim=(-0.17, 1.05), aspect="equal", title=f"Temperature {temperature:g}: {decided:.0%} are decided"
    )
    axes.set_axis_off()
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    words = f"At temperature {temperature:g}, {decided:.0%} of the soft samples put over 0.95 on one category."
    return Picture(figure, words)


@styled
def bias_and_variance(
    temperatures: Sequence[float],
    squared_bias: Mapping[str, Sequence[float]],
    variance: Mapping[str, Sequence[float]],
    score_variance: float,
    batch: int,
) -> Picture:
    """Squared bias, variance of one draw, and the squared error of a batch's mean, against temperature."""
    figure, (left, middle, right) = new_figure(3, width=10, height=3.5)
    for i, name in enumerate(squared_bias):
        bias, spread = squared_bias[name], variance[name]
        error = [b + v / batch for b, v in zip(bias, spread, strict=True)]
        for axes, y in ((left, bias), (middle, spread), (right, error)):
            axes.plot(temperatures, y, color=PALETTE[i], linestyle=LINES[i], marker=MARKERS[i], label=name)
    figure.set_layout_engine("constrained", w_pad=0.12)
    middle.axhline(score_variance, color=INK, linestyle=":", label="score function (no bias)")
    right.axhline(score_variance / batch, color=INK, linestyle=":")
    left.set(title="Cold: less bias", ylabel="squared bias of the gradient")
    middle.set(title="Hot: less variance", ylabel="variance of one draw")
    right.set(title=f"Together, {batch} draws", ylabel="squared error of the mean")
    for axes in (left, middle, right):
        axes.set(xscale="log", yscale="log", xlabel="temperature")
    figure.legend(*middle.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    words = "As the temperature falls the bias falls and the variance rises; their sum is smallest in between."
    return Picture(figure, words)
