"""Pictures of lesson 00: a first look at what the course builds."""

import torch
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from torch import Tensor

from vae_course.figures.base import INK, Picture, draw_labelled_points, image_rows, new_figure, show_image, styled
from vae_course.images import VAE


def from_random_codes(scanned: Tensor, decoded: Tensor) -> Picture:
    """Ten of the ``scanned`` digits, and below them twenty of the ``decoded`` pictures. Both (pictures, pixels)."""
    return image_rows(
        {"scanned": scanned[:10], "from random codes": decoded[:10], "ten more": decoded[10:20]},
        title="What the decoder draws from random codes",
        words="Ten scanned digits, and below them twenty softer pictures that the decoder drew: many look like digits.",
    )


@styled
def decoded_point(model: VAE, means: Tensor, labels: Tensor, across: float, up: float) -> Picture:
    """The image that ``model``, a VAE of two latent dimensions, decodes at one point of its plane.

    ``means``: (images, 2), the codes of real images, each drawn behind the point as its label, one of ``labels`` (images,).
    """
    with torch.no_grad():
        image = model.decode(torch.tensor([across, up], device=means.device))
    figure, (plane, paper) = new_figure(2, width=8.6, height=4.2)
    draw_labelled_points(plane, means, labels)
    _name_kinds(plane, means, labels)
    plane.plot([across], [up], marker="X", markersize=14, color=INK, markeredgecolor="white", linestyle="none", zorder=4)
    plane.set(
        title="Choose a code ...",
        xlabel="latent dimension 1 (X: your code; digits: codes of scans)",
        ylabel="latent dimension 2",
        xlim=(-3.2, 3.2),
        ylim=(-3.2, 3.2),
    )
    show_image(paper, image)
    paper.set_axis_on()  # a frame round the paper
    paper.set(xticks=[], yticks=[])
    paper.spines[:].set_visible(True)
    paper.set_title("... and the decoder draws it")
    words = f"Left, the codes of scanned digits, and the chosen code at ({across:g}, {up:g}); right, the digit decoded there."
    return Picture(figure, words)


def _name_kinds(axes: Axes, points: Tensor, labels: Tensor, neighbours: int = 10) -> None:
    """Each label once, large, where its ``points`` (count, 2) lie closest together."""
    for label in labels.unique().tolist():
        of_label = points[labels == label]
        near = min(neighbours, len(of_label))
        crowded = torch.cdist(of_label, of_label).kthvalue(near, dim=1).values.argmin()
        x, y = of_label[crowded].tolist()
        halo = [withStroke(linewidth=4, foreground="white")]
        axes.text(x, y, str(label), fontsize=20, weight="bold", color=INK, ha="center", va="center", path_effects=halo)


def walk(walked: Tensor, faded: Tensor, start: str, end: str) -> Picture:
    """Pictures decoded along a line in the plane of codes, and a mere fade between their ends. Both (steps, pixels)."""
    return image_rows(
        {f"walk from {start} to {end}": walked, "fade": faded},
        title="A walk through the codes can be more than a fade",
        words=f"{len(walked)} pictures decoded on the way from a {start} to a {end}; below them a fade, paler in the middle.",
        columns=len(walked),
    )
