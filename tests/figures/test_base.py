import base64
import io
import itertools
import math

import matplotlib
import numpy as np
import pytest
import scipy.stats
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from vae_course.figures import base, bounds, divergences
from vae_course.probability.exact import LinearGaussian


def lightness(colour):
    red, green, blue = to_rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_the_palette_reads_in_grey():
    grey = sorted(lightness(colour) for colour in base.PALETTE)
    assert min(b - a for a, b in itertools.pairwise(grey)) > 0.09


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=float)


def test_a_picture_shows_itself_twice_as_sharp_as_it_is_wide_and_prints_nothing_below(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(base, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    picture = base.bars(["a", "b"], [1.0, 2.0], title="b is twice a", y_label="count (things)", words="b is twice a")
    picture._ipython_display_()
    ((data, metadata),) = shown
    assert data["text/plain"] == "b is twice a"
    assert metadata == {"image/png": {"width": 675, "alt": "b is twice a"}}
    assert capsys.readouterr().out == ""
    stored, drawn = base64.b64decode(data["image/png"]), picture.png()
    assert pixels(stored).shape[1] == pixels(drawn).shape[1] == 2 * 675
    assert len(stored) < len(drawn) / 2
    difference = np.abs(pixels(stored) - pixels(drawn))  # of 256
    assert difference.mean() < 0.1
    assert difference.max() < 80  # here and there at the edge of a line
    assert (pixels(stored)[0, 0] == 255).all()


def test_drawing_leaves_matplotlibs_settings_alone():
    before = dict(matplotlib.rcParams)
    base.curves([0, 1], {"y": [0, 1], "z": [1, 0]}, title="t", x_label="x (m)", y_label="y (m)", words="w").png()
    assert dict(matplotlib.rcParams) == before


def test_curves_draws_what_it_was_given_with_a_legend():
    picture = base.curves(
        [1, 2, 4], {"up": [1, 2, 4], "down": [4, 2, 1]}, title="t", x_label="x", y_label="y", words="w", log_x=True, log_y=True
    )
    (axes,) = picture.figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[1, 2, 4], [4, 2, 1]]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["up", "down"]


def test_dollars_are_drawn_as_they_stand_and_powers_of_ten_as_powers():
    names = ["a bag cost $$ 2", "$5 and $6", "_$"]
    picture = base.bars(names, [1.0, 2.0, 3.0], title="$$", y_label="$", words="w")
    assert picture.png().startswith(b"\x89PNG")
    labels = picture.figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == names
    assert not any(label.get_parse_math() for label in labels if "$" in label.get_text())
    powers = base.curves([1, 100], {"y": [1, 100]}, title="t", x_label="x", y_label="y", words="w", log_y=True)
    powers.png()
    told = [label for label in powers.figure.axes[0].get_yticklabels() if "mathdefault" in label.get_text()]
    assert told
    assert all(label.get_parse_math() for label in told)


def test_images_are_drawn_upright_as_ink_on_paper():
    image = torch.zeros(64)
    image[7] = 1.0  # the top right pixel
    picture = base.image_rows({"one": image.repeat(10, 1)}, title="t", words="w")
    drawn = picture.figure.axes[0].images[0]
    assert drawn.get_array()[0, 7] == 1
    assert drawn.origin == "upper"
    assert drawn.cmap(1.0)[:3] == pytest.approx((0, 0, 0), abs=0.05)


def test_the_area_in_the_two_gaussians_is_the_kl():
    mean, std = 1.2, 0.7
    picture = divergences.two_gaussians(mean, std)
    (x, y) = picture.figure.axes[1].collections[0].get_paths()[0].vertices.T
    area = abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1))) / 2  # of the filled polygon, by the shoelace formula
    exact = 0.5 * (mean**2 + std**2 - 1 - 2 * math.log(std))
    assert area == pytest.approx(exact, rel=2e-3)
    assert f"KL(q to p) is {exact:.3f} nats" in picture.words


def test_between_curve_and_chord_stands_the_gap_of_jensen():
    """Weights 3 and 1 with shares 1/4 and 3/4: log(3/2), and log(3)/4 below it."""
    (axes,) = bounds.log_of_average([3.0, 1.0], [0.25, 0.75]).figure.axes
    bar = next(line for line in axes.lines if line.get_label() == "the difference")
    assert list(bar.get_xdata()) == pytest.approx([1.5, 1.5])
    assert list(bar.get_ydata()) == pytest.approx([math.log(3) / 4, math.log(1.5)])


def test_the_moving_q_states_the_exact_bound_and_gap():
    """z ~ N(0, 1), x = z + noise of std 0.75, x = 2.5: p(x) = N(0, 1.5625) and the posterior is N(1.6, 0.6^2)."""
    model = LinearGaussian(torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64), noise_std=0.75)
    words = bounds.moving_q(model, torch.tensor([[2.5]], dtype=torch.float64), mean=0.6, std=0.9).words
    log_evidence = scipy.stats.norm.logpdf(2.5, scale=1.25)
    gap = math.log(0.6 / 0.9) + (0.9**2 + (0.6 - 1.6) ** 2) / (2 * 0.6**2) - 0.5
    assert f"ELBO {log_evidence - gap:.3f} + gap {gap:.3f} = log p(x) {log_evidence:.3f} nats" in words
