"""Pictures of lesson 01: codes, their holes, and what is decoded from them."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    INTENSITY,
    LINES,
    ORANGE,
    PALETTE,
    RED,
    Picture,
    array,
    draw_labelled_points,
    new_figure,
    styled,
)
from vae_course.images import PrecisionRecall

HATCHES = (None, "//", "..", "xx")
CIRCLE_OF_95_PERCENT = 5.991**0.5  # of N(0, I) in the plane: the radius r with exp(-r^2 / 2) = 0.05


@styled
def subspace(errors: Sequence[float], floor: float, angles: Sequence[float]) -> Picture:
    """A linear autoencoder's training: error per epoch above PCA's ``floor``, and the largest angle (degrees) to its plane."""
    figure, (left, right) = new_figure(2, width=8.5)
    left.plot(array(errors), color=BLUE, label="linear autoencoder")
    left.axhline(floor, color=INK, linestyle=":", label="PCA")
    left.set(title="The error stops at PCA's ...", xlabel="epoch", ylabel="squared error per image", ylim=(0, 3 * floor))
    left.legend()
    right.plot(array(angles), color=ORANGE)
    right.set(title="... and the subspace becomes PCA's", xlabel="epoch", ylabel="largest angle (degrees)", yscale="log")
    return Picture(figure, "Left, the linear autoencoder's error falls to PCA's; right, the largest angle falls towards 0.")


@styled
def grouped_bars(
    names: Sequence[str],
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    y_label: str,
    words: str,
    line: tuple[str, float] | None = None,
) -> Picture:
    """Bars in groups: ``groups`` maps a legend entry to one value a name; ``line`` is a level to compare with."""
    figure, (axes,) = new_figure()
    width = 0.8 / len(groups)
    for k, (label, values) in enumerate(groups.items()):
        place = np.arange(len(names)) + (k - (len(groups) - 1) / 2) * width
        bars = axes.bar(place, values, 0.95 * width, color=PALETTE[k], hatch=HATCHES[k], edgecolor="white", label=label)
        axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    if line is not None:
        axes.axhline(line[1], color=INK, linestyle=":", label=line[0])
    axes.set_xticks(range(len(names)), names)
    axes.set(title=title, ylabel=y_label)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, words)


@styled
def error_against_bits(named: Mapping[str, tuple[Sequence[int], Sequence[float]]], exact_bits: float) -> Picture:
    """Test error over bits per image, a line a code: ``named`` maps its name to (bits, errors)."""
    figure, (axes,) = new_figure(height=3.6)
    for k, (name, (bits, errors)) in enumerate(named.items()):
        axes.plot(bits, errors, label=name, marker="os^D"[k], markersize=5, color=PALETTE[k], linestyle=LINES[k])
    axes.axvline(exact_bits, color="#888888", linewidth=1)
    axes.text(exact_bits * 0.96, 0.97, "exact\npixels", transform=axes.get_xaxis_transform(), ha="right", va="top", fontsize=8)
    axes.set(title="Each budget of bits has its own best code", xlabel="bits per image", ylabel="squared error per image")
    axes.set(xscale="log", yscale="log")
    ticks, levels = (2, 4, 8, 16, 32, 64, 128, 256), (0.2, 0.5, 1, 2, 5)
    axes.set_xticks(ticks, [str(t) for t in ticks])
    axes.set_yticks(levels, [f"{level:g}" for level in levels])
    axes.minorticks_off()
    axes.legend(fontsize=8, loc="lower left")
    return Picture(figure, "Test error falls as bits are spent; small codes win at few bits, large codes at many.")


@styled
def judged(scores: Mapping[str, PrecisionRecall], *, title: str, words: str) -> Picture:
    """Precision and recall of several sets of samples, a row each, the first on top."""
    figure, (axes,) = new_figure(width=8, height=0.62 * len(scores) + 1.1)
    rows = np.arange(len(scores))[::-1]
    for offset, name, color, hatch in ((0.19, "precision", BLUE, None), (-0.19, "recall", ORANGE, "//")):
        shares = [getattr(score, name) for score in scores.values()]
        bars = axes.barh(rows + offset, shares, 0.36, color=color, hatch=hatch, edgecolor="white", label=name)
        axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=3)
    axes.set_yticks(rows, list(scores))
    axes.set(title=title, xlabel="share (0 to 1)", xlim=(0, 1.1))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, words)


@styled
def lengths(named: Mapping[str, Tensor], *, title: str, words: str) -> Picture:
    """Histograms of the lengths of vectors, each set (count, dimension)."""
    figure, (axes,) = new_figure(height=2.8)
    norms = {name: vectors.norm(dim=1) for name, vectors in named.items()}
    edges = torch.linspace(0, max(values.max().item() for values in norms.values()), 50)
    for (name, values), color, hatch in zip(norms.items(), (BLUE, ORANGE), ("", "//"), strict=False):
        axes.hist(array(values), edges.tolist(), color=color, alpha=0.8, hatch=hatch, edgecolor="white", label=name)
    axes.set(title=title, xlabel="distance from 0, in units of the code", ylabel="vectors")
    axes.legend()
    return Picture(figure, words)


def grid(half_width: float, steps: int, device: torch.device | None = None) -> Tensor:
    """Codes on a square grid from -half_width to half_width, top row first: (steps * steps, 2)."""
    axis = torch.linspace(-half_width, half_width, steps, device=device)
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def mosaic(images: Tensor) -> Tensor:
    """Square images (steps * steps, pixels), top row first, as one large picture."""
    steps, side = round(len(images) ** 0.5), round(images.shape[1] ** 0.5)
    return images.reshape(steps, steps, side, side).transpose(1, 2).reshape(steps * side, steps * side)


def _normal_circle(axes: Axes) -> None:
    axes.add_patch(Circle((0, 0), CIRCLE_OF_95_PERCENT, fill=False, color=RED, linewidth=2, linestyle="--"))


@styled
def code_space(
    codes: Tensor, labels: Tensor, draws: Tensor, decoded: Tensor, half_width: float, *, title: str, words: str
) -> Picture:
    """A plane of codes: where the digits (images, 2) and draws of N(0, I) (draws, 2) fall, and what a grid decodes to.

    ``decoded``: the images of ``grid(half_width, steps)``, (steps * steps, pixels).
    """
    figure, (left, right) = new_figure(2, width=9, height=4.9)
    draw_labelled_points(left, codes, labels)
    x, y = array(draws).T
    left.scatter(x, y, marker="x", color=INK, s=14, linewidths=0.8, zorder=0, alpha=0.45)
    right.imshow(array(mosaic(decoded)), cmap=INTENSITY, vmin=0, vmax=1, extent=(-half_width, half_width) * 2)
    for axes in (left, right):
        _normal_circle(axes)
        axes.set(xlabel="code, coordinate 1", ylabel="code, coordinate 2", aspect="equal")
        axes.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
    left.set_title("where digits and draws (×) fall", fontweight="normal")
    right.set_title("what each place decodes to", fontweight="normal")
    figure.suptitle(f"{title} (dashed: 95 % of N(0, I))")
    return Picture(figure, words)
