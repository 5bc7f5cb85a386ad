"""What all pictures share: the palette, the style, the ``Picture`` itself, and the plain kinds of plot."""

import base64
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from textwrap import fill
from typing import Any, ParamSpec

import matplotlib
import numpy as np
import torch
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from torch import Tensor
from torch.nn import functional

from vae_course.figures import fonts
from vae_course.probability.distributions import Gaussian

# Ordered by lightness, so that neighbours differ in grey as well as to colour-blind eyes (after Okabe & Ito 2008).
INK, BLUE, RED, ORANGE, SKY = "#1a1a1a", "#0072b2", "#d55e00", "#e69f00", "#93cbf1"
PALETTE = (BLUE, ORANGE, INK, RED, SKY)
LINES = ("-", "--", ":", "-.", (0, (5, 1)))
MARKERS = ("o", "s", "^", "D")
DIVERGING, INTENSITY = "PuOr", "gray_r"  # INTENSITY draws ink dark on white paper

STYLE: dict[Any, Any] = {
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=LINES),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "figure.titlesize": 12,
    "figure.titleweight": "bold",
    "font.size": 10,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "image.cmap": INTENSITY,
}
WIDTH_PER_INCH = 90  # pixels on the page
SHARPNESS = 2  # pixels drawn for each of them, for screens that show as many


@dataclass(frozen=True)
class Picture:
    """A figure and its description in words, which is its alternative text and what is shown where pictures are not."""

    figure: Figure
    words: str

    @property
    def width(self) -> int:
        """How wide it is meant to be shown, in pixels; it holds ``SHARPNESS`` times as many."""
        return round(self.figure.get_figwidth() * WIDTH_PER_INCH)

    def png(self) -> bytes:
        """The figure as PNG."""
        buffer = io.BytesIO()
        with matplotlib.rc_context(STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # said below the figure
            self.figure.savefig(buffer, format="png", dpi=SHARPNESS * WIDTH_PER_INCH)
        return buffer.getvalue()

    def mime_bundle(self) -> dict[str, Any]:
        """The figure for a notebook's output, with the words as its plain-text form."""
        return {"image/png": base64.b64encode(_with_a_palette(self.png())).decode(), "text/plain": self.words}

    def metadata(self) -> dict[str, Any]:
        """What goes with ``mime_bundle``: the width, which JupyterLab heeds, and the words again, for pages."""
        return {"image/png": {"width": self.width, "alt": self.words}}

    def _ipython_display_(self) -> None:
        display(self.mime_bundle(), metadata=self.metadata(), raw=True)


def _with_a_palette(png: bytes) -> bytes:
    """The same picture in 256 colours, in a third of the bytes: lessons are stored with their pictures."""
    buffer = io.BytesIO()
    # By median cut: the faster octree leaves white paper a shade darker.
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


Parameters = ParamSpec("Parameters")


def styled(draw: Callable[Parameters, Picture]) -> Callable[Parameters, Picture]:
    """Run a drawing function in the course's style, without touching matplotlib's global settings."""

    @wraps(draw)
    def draw_in_style(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Picture:
        with matplotlib.rc_context(STYLE):
            picture = draw(*args, **kwargs)
        for text in picture.figure.findobj(Text):
            # A reader's "$" is money, no mathematics; only matplotlib's own labels of logarithmic axes are.
            if "$" in text.get_text() and "mathdefault" not in text.get_text():
                text.set_parse_math(False)
        if told := fonts.lend_letters(picture.figure):
            picture.figure.supxlabel(fill(told, round(12 * picture.figure.get_figwidth())), fontsize=8)
            return Picture(picture.figure, f"{picture.words} {told}")
        return picture

    return draw_in_style


def new_figure(columns: int = 1, rows: int = 1, width: float = 7.5, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure with a grid of axes (row by row) that belongs to no window."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(np.atleast_1d(figure.subplots(rows, columns)).flatten())


def array(values: Tensor | Sequence[float]) -> np.ndarray:
    """Values as numpy, off the GPU and out of the graph."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def normal_log_density(x: Tensor, mean: float, std: float) -> Tensor:
    """log N(x; mean, std^2) at points on a line, (points,) to (points,)."""
    variance = torch.full((1,), std, dtype=x.dtype).square()
    return Gaussian(torch.full((1,), mean, dtype=x.dtype), variance.log()).log_density(x[:, None])


def mosaic(images: Tensor, margin: int = 1) -> Tensor:
    """Square images (steps * steps, pixels), top row first, as one large picture with white margins."""
    steps, side = round(len(images) ** 0.5), round(images.shape[1] ** 0.5)
    tiles = functional.pad(images.reshape(steps, steps, side, side), [margin] * 4)
    full = side + 2 * margin
    return tiles.transpose(1, 2).reshape(steps * full, steps * full)


# --- plain kinds of plot --------------------------------------------------------------------------------------------


@styled
def curves(
    x: Tensor | Sequence[float],
    named: Mapping[str, Tensor | Sequence[float]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    words: str,
    log_x: bool = False,
    log_y: bool = False,
    markers: bool = False,
) -> Picture:
    """Lines over one x axis, named in a legend; y values as long as ``x``. Labels carry their units."""
    figure, (axes,) = new_figure()
    for name, y in named.items():
        axes.plot(array(x), array(y), label=name, marker="o" if markers else None)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    if len(named) > 1:
        axes.legend()
    return Picture(figure, words)


@styled
def bars(names: Sequence[str], values: Tensor | Sequence[float], *, title: str, y_label: str, words: str) -> Picture:
    """One bar a name."""
    figure, (axes,) = new_figure()
    axes.bar(range(len(names)), array(values), color=BLUE, width=0.6)
    axes.set_xticks(range(len(names)), names)
    axes.set(title=title, ylabel=y_label)
    return Picture(figure, words)


def show_image(axes: Axes, pixels: Tensor, title: str = "") -> None:
    """One image (pixels,) in [0, 1], square, as ink on paper."""
    side = round(pixels.numel() ** 0.5)
    axes.imshow(array(pixels).reshape(side, side), cmap=INTENSITY, vmin=0, vmax=1)
    axes.set_axis_off()
    axes.set_title(title, fontsize=9, fontweight="normal", loc="center")


@styled
def image_rows(rows: Mapping[str, Tensor], *, title: str, words: str, columns: int = 10) -> Picture:
    """Rows of images, each named at its left: ``rows`` maps a name to images (count, pixels) in [0, 1]."""
    # All on one pair of axes, in inches: axes for each image of its own would take most of a second to make and lay out.
    width, height = 8.0, 0.75 * len(rows) + 0.5
    figure = Figure(figsize=(width, height), dpi=SHARPNESS * WIDTH_PER_INCH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    names = [axes.text(0, 0, name, ha="right", va="center", fontsize=10) for name in rows]
    renderer = FigureCanvasAgg(figure).get_renderer()
    widest = max(name.get_window_extent(renderer).width for name in names) / figure.dpi

    edge, gap, above = 1 / 24, 1 / 12, 1 / 4  # round all, between two images, for the title
    down = (height - above) / len(rows)
    side = min(down - gap, (width - 2 * edge - widest - (columns - 1) * gap) / (columns + 0.2))
    first = edge + widest + 0.2 * side
    across = (width - edge + gap / 2 - first - side / 2) / (columns - 0.5)  # from one image to the next
    lefts = first + across * np.arange(columns)
    for row, (name, images) in enumerate(zip(names, rows.values(), strict=True)):
        middle = height - above - (row + 0.5) * down
        name.set_position((first - 0.2 * side, middle))
        pixels = round(images.shape[1] ** 0.5)
        for left, image in zip(lefts, array(images[:columns]), strict=True):
            place = (left, left + side, middle - side / 2, middle + side / 2)
            axes.imshow(image.reshape(pixels, pixels), cmap=INTENSITY, vmin=0, vmax=1, extent=place, aspect="auto")
    axes.set(xlim=(0, width), ylim=(0, height))
    figure.suptitle(title, y=1 - edge / height, va="top")
    return Picture(figure, words)


@styled
def labelled_points(points: Tensor, labels: Tensor, *, title: str, x_label: str, y_label: str, words: str) -> Picture:
    """Points (count, 2) drawn as their digit, so that classes read without colour."""
    figure, (axes,) = new_figure(width=6.5, height=5)
    draw_labelled_points(axes, points, labels)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    return Picture(figure, words)


def draw_labelled_points(axes: Axes, points: Tensor, labels: Tensor) -> None:
    """Each point (count, 2) as the digit it is labelled with."""
    xy, digit = array(points), array(labels)
    for k in np.unique(digit):
        chosen = xy[digit == k]
        colour = PALETTE[int(k) % len(PALETTE)]
        axes.scatter(chosen[:, 0], chosen[:, 1], marker=f"${int(k)}$", s=28, color=colour, linewidths=0.3)
