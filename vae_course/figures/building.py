"""Pictures of lesson 05: the VAE whole, what it draws, rate against distortion, test scores."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from torch import Tensor
from torch.nn import functional

from vae_course.figures.base import BLUE, INK, INTENSITY, ORANGE, Picture, array, mosaic, new_figure, show_image, styled
from vae_course.probability.estimators import Estimate

# --- the VAE, drawn once ------------------------------------------------------------------------------------------------


@styled
def whole(image: Tensor) -> Picture:
    """The VAE from x to x again, with both terms of its loss where they arise. ``image``: (pixels,), shown at both ends."""
    figure, (axes,) = new_figure(width=8.6, height=4.6)
    axes.set(xlim=(0, 17.2), ylim=(-0.3, 8.9), aspect="equal")
    axes.set_axis_off()
    _picture(axes, image, (1.4, 5.4), "x, an image")
    _trapezoid(axes, 3.2, 5.6, left=1.6, right=0.9, name="encoder")
    _box(axes, (7.0, 6.45), "mean")
    _box(axes, (7.0, 4.35), "log_var")
    _circle(axes, (9.6, 5.4), "z")
    _trapezoid(axes, 10.8, 13.2, left=0.9, right=1.6, name="decoder")
    _picture(axes, _blurred(image), (15.6, 5.4), "probability of ink\n(a sketch)")
    for start, end in (
        ((2.4, 5.4), (3.2, 5.4)),
        ((5.6, 5.8), (6.15, 6.3)),
        ((5.6, 5.0), (6.15, 4.5)),
        ((7.85, 6.3), (9.1, 5.75)),
        ((7.85, 4.5), (9.1, 5.05)),
        ((10.2, 5.4), (10.8, 5.4)),
        ((13.2, 5.4), (14.6, 5.4)),
        ((9.6, 6.95), (9.6, 6.0)),
    ):
        _arrow(axes, start, end, INK)
    axes.text(9.6, 7.35, "noise, from N(0, I)", ha="center", va="center", fontsize=9)
    axes.text(9.6, 3.75, "z = mean + std · noise\nstd = exp(log_var / 2)", ha="center", va="center", fontsize=8.5)
    axes.plot([8.95, 8.95, 16.7, 16.7], [8.0, 8.2, 8.2, 8.0], color=INK, linestyle="-", linewidth=1.2)
    axes.text(12.82, 8.35, "to generate, this half is enough: z is drawn from the prior N(0, I)", ha="center", fontsize=8)

    axes.add_patch(Rectangle((5.95, 3.7), 2.1, 3.4, fill=False, edgecolor=ORANGE, linestyle="--", linewidth=1.2))
    _cost(axes, (4.7, 9.3), "rate", "KL from q(z given x) = N(mean, std²)\nto the prior N(0, I)", ORANGE)
    _arrow(axes, (7.0, 3.7), (7.0, 2.55), ORANGE, dashed=True)
    _cost(axes, (11.4, 16.8), "distortion", "-log p(x given z): what x costs\nwhere the decoder knows only z", BLUE)
    _arrow(axes, (15.6, 4.4), (15.6, 2.55), BLUE, dashed=True)
    axes.text(10.35, 1.75, "+", ha="center", va="center", fontsize=16)
    axes.text(4.3, 1.75, "loss   =", ha="right", va="center", fontsize=12, fontweight="bold")
    axes.text(4.3, 1.2, "-ELBO", ha="right", va="top", fontsize=9)
    axes.plot([1.4, 1.4, 14.0, 14.0], [4.4, 0.05, 0.05, 0.85], color=BLUE, linestyle="--", linewidth=1.2)
    axes.plot([14.0], [0.85], marker="^", color=BLUE, markersize=6)
    axes.text(7.7, 0.15, "the true x, to compare with", ha="center", va="bottom", fontsize=8.5)
    axes.set_title("A VAE: two networks, a draw between them, two costs")
    words = (
        "An image x goes through the encoder to mean and log_var; with noise they make z; of z the decoder makes a probability "
        "of ink for each pixel. The rate arises at mean and log_var, the distortion where x is compared with them. "
        "To generate, the right half is enough: z is drawn from the prior."
    )
    return Picture(figure, words)


def _picture(axes: Axes, image: Tensor, centre: tuple[float, float], name: str) -> None:
    side = round(image.numel() ** 0.5)
    x, y = centre
    extent = (x - 1, x + 1, y - 1, y + 1)
    axes.imshow(array(image).reshape(side, side), cmap=INTENSITY, vmin=0, vmax=1, extent=extent, zorder=2)
    axes.add_patch(Rectangle((x - 1, y - 1), 2, 2, fill=False, edgecolor=INK, zorder=3))
    axes.text(x, y + 1.15, name, ha="center", va="bottom", fontsize=9)


def _blurred(image: Tensor) -> Tensor:
    side = round(image.numel() ** 0.5)
    square = functional.pad(image.reshape(1, 1, side, side), [1] * 4, mode="replicate")
    soft = functional.avg_pool2d(square, 3, stride=1)
    return (0.5 * image + 0.5 * soft.flatten()).clamp(0, 1)


def _trapezoid(axes: Axes, start: float, end: float, *, left: float, right: float, name: str) -> None:
    corners = [(start, 5.4 - left), (start, 5.4 + left), (end, 5.4 + right), (end, 5.4 - right)]
    axes.add_patch(Polygon(corners, closed=True, facecolor="#ececec", edgecolor=INK, linewidth=1.3))
    axes.text((start + end) / 2, 5.4, name, ha="center", va="center", fontsize=10, fontweight="bold")


def _box(axes: Axes, centre: tuple[float, float], name: str) -> None:
    x, y = centre
    axes.add_patch(
        FancyBboxPatch((x - 0.75, y - 0.4), 1.5, 0.8, boxstyle="round,pad=0.1", facecolor="white", edgecolor=INK, linewidth=1.3)
    )
    axes.text(x, y, name, ha="center", va="center", fontsize=10)


def _circle(axes: Axes, centre: tuple[float, float], name: str) -> None:
    axes.add_patch(Circle(centre, 0.6, facecolor="white", edgecolor=INK, linewidth=1.6))
    axes.text(*centre, name, ha="center", va="center", fontsize=12, fontweight="bold")


def _cost(axes: Axes, span: tuple[float, float], name: str, told: str, colour: str) -> None:
    start, end = span
    box = FancyBboxPatch((start, 0.95), end - start, 1.5, boxstyle="round,pad=0.05", facecolor="white", edgecolor=colour)
    box.set_linewidth(2)
    axes.add_patch(box)
    axes.text((start + end) / 2, 2.1, name, ha="center", va="center", fontsize=11, fontweight="bold")
    axes.text((start + end) / 2, 1.4, told, ha="center", va="center", fontsize=8)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str, dashed: bool = False) -> None:
    style = "--" if dashed else "-"
    arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=colour)
    arrow.set(linestyle=style, linewidth=1.4)
    axes.add_patch(arrow)


# --- what is learned ------------------------------------------------------------------------------------------------------


@styled
def learning(training: Sequence[float], validation: Sequence[float]) -> Picture:
    """-ELBO an epoch on both sets, in nats per image; the epoch with the lowest validation loss is marked."""
    figure, (axes,) = new_figure()
    epochs = range(1, len(training) + 1)
    best = min(epochs, key=lambda epoch: validation[epoch - 1])
    axes.plot(epochs, training, color=BLUE, linestyle="--", label="training images")
    axes.plot(epochs, validation, color=INK, linestyle="-", label="validation images")
    axes.plot([best], [validation[best - 1]], "o", color=ORANGE, markersize=9, label="the weights that are kept")
    axes.set(title="New images say when to stop", xlabel="epoch", ylabel="-ELBO (nats per image)")
    axes.legend()
    words = "Both losses fall; that of the validation images comes to rest above the other, and there the training is ended."
    return Picture(figure, words)


@styled
def manifold(decoded: Tensor, quantiles: Tensor) -> Picture:
    """A square grid of images (rows * rows, pixels), decoded from a grid of two-dimensional z at the given quantiles."""
    count = len(quantiles)
    # Rows run downwards in a picture and z upwards on an axis, so the last row of the grid is drawn first.
    grid = mosaic(decoded.reshape(count, count, -1).flip(0).flatten(0, 1))
    side = len(grid) // count
    figure, (axes,) = new_figure(width=5.4, height=5.4)
    show_image(axes, grid.flatten())
    axes.set_axis_on()
    ticks = [0, count // 2, count - 1]
    names = [f"{quantiles[i].item():.2f}" for i in ticks]
    axes.set_xticks([(i + 0.5) * side - 0.5 for i in ticks], names)
    axes.set_yticks([(count - i - 0.5) * side - 0.5 for i in ticks], names)
    axes.set(xlabel="z₁ (quantiles of the normal)", ylabel="z₂ (quantiles of the normal)")
    axes.set_title("Mean images on the plane of z: neighbours are alike", loc="left")
    return Picture(figure, "Digits decoded from a grid of two-dimensional z: shapes change into one another without a break.")


# --- rate, distortion, scores ---------------------------------------------------------------------------------------------


@styled
def rate_distortion(weights: Sequence[float], rates: Sequence[float], distortions: Sequence[float]) -> Picture:
    """One point a trained model, named by its KL weight, in order of these; what a nat of rate saves between two of them.

    Grey lines join points of equal ELBO, and say which. All in nats per image.
    """
    figure, (axes,) = new_figure(width=6.2, height=6.2)
    widest = max(rates) * 1.1
    highest = max(distortions) * 1.25
    for total in range(10, 61, 5):
        axes.plot([0, widest], [total, total - widest], color="#c8c8c8", linestyle="-", linewidth=1, zorder=0)
        foot = (total - 1, 1) if total - 1 < widest - 1 else (widest - 1, total - widest + 1)
        if foot[1] < highest - 7:
            axes.text(
                foot[0],
                foot[1],
                str(total),
                color="#6a6a6a",
                fontsize=8.5,
                ha="center",
                va="center",
                backgroundcolor="white",
                zorder=1,
            )
    axes.plot(rates, distortions, color=BLUE, linestyle="-", marker="o")
    for weight, rate, distortion in zip(weights, rates, distortions, strict=True):
        axes.annotate(f"{weight:g}", (rate, distortion), xytext=(7, 5), textcoords="offset points", fontweight="bold")
    points = list(zip(rates, distortions, strict=True))
    for (rate, distortion), (lower_rate, higher_distortion) in itertools.pairwise(points):
        saved = (higher_distortion - distortion) / (rate - lower_rate)
        middle = ((rate + lower_rate) / 2, (distortion + higher_distortion) / 2)
        axes.annotate(f"{saved:.1f}", middle, xytext=(-5, -5), textcoords="offset points", color=BLUE, ha="right", va="top")
    axes.set(xlim=(-0.08 * widest, widest), ylim=(0, highest), aspect="equal")
    axes.set(title="More rate, less distortion, and ever less for each nat", xlabel="rate: KL(q to prior), nats per test image")
    axes.set_ylabel("distortion (nats per test image)")
    note = axes.text(
        0.98,
        0.95,
        "bold: KL weight\nblue, between: nats of distortion that a nat of rate saves\ngrey lines: equal -ELBO, in nats",
        ha="right",
        va="top",
        fontsize=9,
    )
    note.set(transform=axes.transAxes, backgroundcolor="white")
    words = (
        "From a large KL weight to a small one, the rate rises from zero and the distortion falls, along a convex curve: "
        "a nat of rate saves less and less. Of the five points, that of weight 1 lies on the lowest line of equal ELBO."
    )
    return Picture(figure, words)


@styled
def scores(named: Mapping[str, Estimate], bounds: Sequence[str]) -> Picture:
    """Mean test log-likelihoods with bars of two standard errors, one row a model; those in ``bounds`` are lower bounds."""
    figure, (axes,) = new_figure(height=0.45 * len(named) + 1.2)
    rows = list(range(len(named)))[::-1]
    for row, (name, estimate) in zip(rows, named.items(), strict=True):
        error = 2 * estimate.standard_error
        is_bound = name in bounds
        face = "white" if is_bound else BLUE
        axes.errorbar([estimate.value], [row], xerr=[error], fmt="o", color=BLUE, markerfacecolor=face, capsize=4, linewidth=2)
        if is_bound:
            place, height = estimate.value, row + 0.28
            axes.annotate("", (place + 0.5, height), xytext=(place, height), arrowprops={"arrowstyle": "->"})
            axes.text(place - 0.1, height, "a bound: the truth lies this way", ha="right", va="center", fontsize=8.5)
    axes.set_yticks(rows, [f"{name} (bound)" if name in bounds else name for name in named])
    axes.set_ylim(-0.6, len(named) - 0.4)
    axes.margins(x=0.08)
    axes.grid(axis="x", color="#d8d8d8", linestyle="-", linewidth=0.8)
    best = max(named, key=lambda name: named[name].value)
    axes.set(title=f"The {best} predicts new digits best", xlabel="log p(x), nats per test image; bars: ± 2 standard errors")
    words = (
        "Test log-likelihoods: independent pixels are worst by far, the others lie closer together, the VAE with 16 latents "
        "ahead. Its value is a lower bound, drawn hollow, with an arrow to the side on which the truth lies."
    )
    return Picture(figure, words)


@styled
def gallery(images: Tensor, *, title: str, words: str, columns: int = 12) -> Picture:
    """Square images (count, pixels) in [0, 1] side by side, in full rows of ``columns``, without names."""
    side, rows = round(images.shape[1] ** 0.5), len(images) // columns
    margin = 2
    tiles = functional.pad(images.reshape(rows, columns, side, side), [margin] * 4)
    full = side + 2 * margin
    page = tiles.transpose(1, 2).reshape(rows * full, columns * full)
    figure, (axes,) = new_figure(width=8, height=8 * rows / columns + 0.3)
    axes.imshow(array(page), cmap=INTENSITY, vmin=0, vmax=1)
    axes.set_axis_off()
    axes.set_title(title)
    return Picture(figure, words)


def quantile_grid(steps: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Quantiles of the normal (steps,) and the grid of two-dimensional z that they make, (steps * steps, 2), row by row.

    z₁ runs along a row and z₂ from row to row. Each point stands for an equal share of the prior.
    """
    quantiles = torch.special.ndtri(torch.linspace(0.04, 0.96, steps)).to(like)
    return quantiles, torch.cartesian_prod(quantiles, quantiles).flip(-1)
