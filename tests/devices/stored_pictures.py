"""A plugin for pytest: is the picture that a lesson draws the one that is stored, though fonts and floating point differ?"""

import base64
import io

import numpy as np
from nbval.plugin import IPyNbCell
from PIL import Image

CELLS = 48  # across a picture: coarse enough for a line that lies a pixel off, fine enough to tell pictures apart
# Of all ink. The same picture drawn elsewhere has next to none displaced; of any two of the course's a sixth at least.
DISPLACED = 0.1


def ink(png):
    """How dark each cell of a picture is: (rows, CELLS), from 0 to 255."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("L")
    rows = max(1, round(CELLS * picture.height / picture.width))
    return 255 - np.asarray(picture.resize((CELLS, rows), Image.Resampling.BOX), dtype=float)


def displaced(one, other):
    """The share of two pictures' ``ink`` that does not lie where the other has it; 1 for pictures of other proportions."""
    if one.shape != other.shape:
        return 1.0
    return float(np.abs(one - other).sum() / max(1.0, one.sum() + other.sum()))


def pictures(outputs):
    """The pictures among a cell's outputs."""
    return ["".join(output["data"]["image/png"]) for output in outputs if "image/png" in output.get("data", {})]


def differences(test, stored):
    """What tells the pictures of a cell that ran from those that are stored, in words."""
    drawn, kept = pictures(test), pictures(stored)
    if len(drawn) != len(kept):
        return [f"{len(drawn)} pictures were drawn, {len(kept)} are stored"]
    moved = [displaced(ink(one), ink(other)) for one, other in zip(drawn, kept, strict=True)]
    return [
        f"picture {number} is not the one that is stored: {share:.0%} of its ink lies elsewhere"
        for number, share in enumerate(moved, 1)
        if share > DISPLACED
    ]


def pytest_configure(config):
    """Have nbval, which passes pictures over, compare them."""
    compare = IPyNbCell.compare_outputs

    def compare_outputs(self, test, ref, skip_compare=None):
        alike = compare(self, test, ref, skip_compare)
        found = differences(test, ref)
        self.comparison_traceback += found
        return alike and not found

    IPyNbCell.compare_outputs = compare_outputs
