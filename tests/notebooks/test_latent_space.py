"""What lesson 10 says of five trainings is what the stored ones found."""

import re

import nbformat

from vae_course.course.lessons import NOTEBOOKS
from vae_course.studies import stored_seeds

NAME = "10_latent_space"
PROSE = "\n".join(
    cell.source for cell in nbformat.read(NOTEBOOKS / f"{NAME}.ipynb", as_version=4).cells if cell.cell_type == "markdown"
)
VALUES = {row["claim"]: row["values"][:5] for row in stored_seeds(NAME)["expectations"]}


def said(pattern):
    (found,) = re.findall(pattern, PROSE)
    return [int(number) for number in found]


def points(claim):
    return [round(100 * value) for value in VALUES[claim]]


def test_the_trained_axes_lead_the_random_ones_by_as_much_as_is_said():
    below = VALUES["sets of random axes with a smaller gap than as trained, of fifty"]
    assert below == said(r"In five trainings, seeds 0 to 4, it was (\d+), (\d+), (\d+), (\d+) and (\d+)\.")
    assert sum(number > 25 for number in below) == 4  # "one went the other way"
    leads = VALUES["gap as trained less the mean gap of random axes"]
    assert round(sum(leads) / 5, 2) == 0.01


def test_what_the_nats_of_an_axis_explain_is_as_much_as_is_said():
    whole = points("share of a fact that all of z tells, mean")
    taken = points("share of a fact that the limit of nats takes away, mean")
    rest = points("share of a fact that nats would allow the axis turned to the facts, but it does not know, mean")
    assert [min(whole), max(whole), min(taken), max(taken)] == said(
        r"of the (\d+) to (\d+) % that the probe reads, this limit takes away (\d+) to (\d+) points"
    )
    assert [min(rest), max(rest)] == said(r"stay (\d+) to (\d+) points below what their nats would allow")
    assert min(rest) > max(taken)  # "the largest part"


def test_the_lead_of_all_else_equal_is_as_large_as_is_said():
    ahead = points("granted and all else kept, equal length: all else equal ahead of means")
    assert [round(sum(ahead) / 5)] == [int(number) for number in re.findall(r"on average by (\d+) points", PROSE)]
    assert set(VALUES["difference of means: multiple at which most are granted with all else kept"]) == {1}
    lost = points("granted and kept, difference of means: lost at its own length")
    assert [round(sum(lost) / 5), min(lost), max(lost)] == said(
        r"Of 100 wishes, (\d+) fewer were granted .+ \(seeds 0 to 4; at least (\d+), at most (\d+)\)"
    )
