"""Pictures of lesson 01: codes, their holes, and what is decoded from them."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from vae_course.figures.base import (
    BLUE,
    INK,
    INTENSITY,
    ORANGE,
    PALETTE,
    Picture,
    array,
    mosaic,
    new_figure,
    styled,
)

HATCHES = ("", "//")
KIND_COLORS = (*PALETTE, "#7f7f7f")
KINDS = ("*", "s", "^", "D", "o", "v", "P", "X")  # a marker for each kind of samples
COLORS_OF_DIGITS = matplotlib.color_sequences["tab10"]
RADIUS_OF_95_PERCENT = math.sqrt(-2 * math.log(0.05))  # N(0, I) in the plane lies beyond r with probability exp(-r^2 / 2)


def _grouped_bars(axes: Axes, groups: Mapping[str, Sequence[float]], label_at: Literal["edge", "center"]) -> None:
    """Bars in groups with their values written: ``groups`` maps a legend entry to one value a group."""
    width = 0.8 / len(groups)
    for k, (label, values) in enumerate(groups.items()):
        place = np.arange(len(values)) + (k - (len(groups) - 1) / 2) * width
        bars = axes.bar(place, values, 0.95 * width, color=PALETTE[k], hatch=HATCHES[k], edgecolor="white", label=label)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if label_at == "center" else None
        axes.bar_label(bars, fmt="%.2f", fontsize=9, label_type=label_at, bbox=box, padding=2 if box is None else 0)


@styled
def error_by_size(pca: Mapping[int, float], autoencoder: Mapping[int, float]) -> Picture:
    """Test error, summed over pixels, of PCA and of autoencoders, each by the size of its code."""
    figure, (axes,) = new_figure()
    _grouped_bars(axes, {"PCA": list(pca.values()), "autoencoder": list(autoencoder.values())}, label_at="edge")
    axes.set_xticks(range(len(pca)), [f"{size} numbers" for size in pca])
    axes.set(title="Bending helps where the code is short", ylabel="squared error per test image", ylim=(0, 3.8))
    axes.legend()
    return Picture(figure, "Test errors at 2, 8 and 32 numbers: the autoencoder's is lower at 2 and 8; at 32 both are small.")


@styled
def accuracy_by_size(pca: Mapping[int, float], autoencoder: Mapping[int, float], pixels: float) -> Picture:
    """Accuracy of one classifier on codes, by their size, with its accuracy on ``pixels`` as a line."""
    figure, (axes,) = new_figure()
    _grouped_bars(axes, {"PCA": list(pca.values()), "autoencoder": list(autoencoder.values())}, label_at="center")
    axes.axhline(pixels, color=INK, linestyle=":", label=f"all 64 pixels: {pixels:.2f}")
    axes.set_xticks(range(len(pca)), [f"{size} numbers" for size in pca])
    axes.set_title("Eight numbers keep most of what tells digits apart")
    axes.set(ylabel="accuracy (share of test images)", ylim=(0, 1.05))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    words = "Accuracy on codes of 2 and 8 numbers: the autoencoder's is well above PCA's at 2; all 64 pixels are best."
    return Picture(figure, words)


@styled
def judged(scores: Mapping[str, tuple[float, float]], title: str, words: str) -> Picture:
    """Sets of samples by their (precision, recall), a marker each; the best corner is at the top right."""
    figure, (axes,) = new_figure(width=8, height=3.6)
    for k, (name, (precision, recall)) in enumerate(scores.items()):
        marker, color = KINDS[k % len(KINDS)], KIND_COLORS[k % len(KIND_COLORS)]
        axes.plot(precision, recall, marker, color=color, markersize=9, label=name)
    axes.set(title=title, xlabel="precision (share of samples near real images)", xlim=(-0.04, 1.04), ylim=(-0.06, 1.06))
    axes.set_ylabel("recall\n(share of real images near samples)")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.03, 1), numpoints=1)
    return Picture(figure, words)


@styled
def lengths(codes: Tensor, draws: Tensor) -> Picture:
    """How far from 0 codes of images and draws of N(0, I) lie; each (count, dimension)."""
    figure, (axes,) = new_figure(height=2.8)
    of_codes, of_draws = codes.norm(dim=1), draws.norm(dim=1)
    edges = np.linspace(0, max(of_codes.max().item(), of_draws.max().item()), 50).tolist()
    axes.hist(array(of_codes), edges, color=BLUE, edgecolor="white", label="codes of images")
    axes.hist(array(of_draws), edges, color=ORANGE, alpha=0.8, hatch="//", edgecolor="white", label="draws of N(0, I)")
    axes.set(title=f"{codes.shape[1]} numbers: the draws miss the codes", xlabel="distance from 0", ylabel="number of vectors")
    axes.set_xlim(left=0)
    axes.legend()
    return Picture(figure, "Distances from 0: codes of images lie much nearer to 0 than draws of N(0, I).")


def grid(half_width: float, steps: int, like: Tensor) -> Tensor:
    """The centres of steps x steps equal tiles of a square round 0, top row first: (steps * steps, 2)."""
    axis = ((torch.arange(steps) + 0.5) * 2 / steps - 1) * half_width
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1).to(like)


@styled
def code_plane(
    codes: Tensor, labels: Tensor, draws: Tensor, decode: Callable[[Tensor], Tensor], title: str, words: str
) -> Picture:
    """A plane of codes: where images (count, 2) and draws of N(0, I) (draws, 2) fall, and what each place decodes to."""
    half_width = 0.2 + max(codes.abs().max().item(), draws.abs().max().item())  # nothing is cut
    figure, (left, right) = new_figure(2, width=9, height=4.9)
    xy, digit = array(codes), array(labels)
    for k in np.unique(digit):
        x, y = xy[digit == k].T
        left.scatter(x, y, marker=f"${int(k)}$", s=18, color=COLORS_OF_DIGITS[int(k)], linewidths=0.1)
    x, y = array(draws).T
    left.scatter(x, y, marker="x", color=INK, s=18, linewidths=1)
    decoded = mosaic(decode(grid(half_width, 13, like=codes)))
    right.imshow(array(decoded), cmap=INTENSITY, vmin=0, vmax=1, extent=(-half_width, half_width, -half_width, half_width))
    for axes, subtitle in ((left, "codes of images (digits), draws (×)"), (right, "what each place decodes to")):
        axes.add_patch(Circle((0, 0), RADIUS_OF_95_PERCENT, fill=False, color=INK, linewidth=1.5, linestyle="--"))
        axes.set(xlabel="code, coordinate 1", ylabel="code, coordinate 2", aspect="equal")
        axes.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width))
        axes.set_title(subtitle, fontweight="normal")
    figure.suptitle(f"{title} (dashed: 95 % of N(0, I))")
    return Picture(figure, words)
