"""Pictures of lesson 00: a first look at what the course builds."""

import torch
from torch import Tensor

from vae_course.figures.base import BLUE, INK, Picture, array, new_figure, show_image, styled
from vae_course.images import VAE


@styled
def decoded_point(model: VAE, means: Tensor, across: float, up: float) -> Picture:
    """The image that ``model``, a VAE of two latent dimensions, decodes at one point of its plane.

    ``means``: (images, 2), the codes of real images, drawn behind the point.
    """
    with torch.no_grad():
        image = model.decode(torch.tensor([across, up], device=means.device))
    figure, (plane, paper) = new_figure(2, width=7, height=3.2)
    x, y = array(means).T
    plane.scatter(x, y, s=6, color=BLUE, alpha=0.35, label="codes of scanned digits")
    plane.plot([across], [up], marker="X", markersize=13, color=INK, linestyle="none", label="the code you chose")
    plane.set(
        title="Choose a code ...", xlabel="latent dimension 1", ylabel="latent dimension 2", xlim=(-3.2, 3.2), ylim=(-3.2, 3.2)
    )
    plane.legend(loc="lower left", fontsize=8, frameon=True)
    show_image(paper, image)
    paper.set_title("... and the decoder draws it")
    return Picture(
        figure, f"Left, the plane of codes with the chosen one at ({across:g}, {up:g}); right, the digit decoded there."
    )
