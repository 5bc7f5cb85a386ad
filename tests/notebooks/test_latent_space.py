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
    taken = points("share of a fact that the limit of its own axis' nats takes away, mean")
    rest = points("share of a fact that its own axis' nats would allow, but the axis does not know, mean")
    assert [min(whole), max(whole), min(taken), max(taken)] == said(
        r"The probe reads (\d+) to (\d+) % of a fact from all .+ is (\d+) to (\d+) points less"
    )
    assert [min(rest), max(rest)] == said(r"stay (\d+) to (\d+) points below what their own nats would allow")


def test_what_the_noise_of_the_draw_takes_from_one_direction_is_as_much_as_is_said():
    from_means = points("share of a fact in its first direction, from mean codes, mean")
    assert [min(from_means), max(from_means)] == said(r"the first direction alone would know (\d+) to (\d+) %")


def test_one_direction_tells_about_half_of_what_all_of_z_tells_at_most():
    first = VALUES["share of a fact in its first directions, 1, mean"]
    whole = VALUES["share of a fact that all of z tells, mean"]
    assert 0.45 < max(one / all_of_z for one, all_of_z in zip(first, whole, strict=True)) < 0.55


def test_the_decoder_reads_as_much_from_mean_codes_and_from_draws_as_is_said():
    names = ("facts that come back from the mean code, share", "facts that come back from a draw, share")
    for claim, share in zip(names, (90, 75), strict=True):
        assert all(abs(value - share) < 2.5 for value in points(claim))
    assert said(r"from the mean codes it writes about (\d+) % of the facts right, from the draws about (\d+) %") == [90, 75]


def test_the_lead_of_all_else_equal_is_as_large_as_is_said():
    ahead = points("granted and all else kept, equal length: all else equal ahead of means")
    assert [round(sum(ahead) / 5)] == [int(number) for number in re.findall(r"on average by (\d+) points", PROSE)]
    assert set(VALUES["difference of means: multiple at which most are granted with all else kept"]) == {1}
    lost = points("granted and kept, difference of means: lost at its own length")
    assert [min(lost), max(lost), round(sum(lost) / 5)] == said(
        r"seeds 0 to 4, that is (\d+) to (\d+) fewer wishes of 100 granted with all else kept, on average (\d+)"
    )
