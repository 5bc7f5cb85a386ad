import pytest
import torch

from vae_course.figures import latent_space
from vae_course.probability import Estimate
from vae_course.text.factors import Factors


def test_the_words_hold_the_moved_sentence_and_the_facts_that_changed():
    facts = Factors(
        {"who": ("cat", "dog"), "where": ("home", "park")},
        lambda tokens: [int("dog" in tokens), int("park" in tokens)],
    )
    words = latent_space.moved_sentence(
        lambda z: [("the", "dog" if x > 1 else "cat", "sleeps") for x in z[:, 0].tolist()],
        facts,
        torch.zeros(3, 2),
        torch.zeros(2),
        torch.eye(2),
        first=1.5,
        second=-1.0,
    ).words
    assert words == "Moved by 1.5 and -1, z is written as: the dog sleeps. Facts that changed: who: dog (was cat)."


def test_a_fact_with_few_directions_counts_with_its_last_one_in_the_mean():
    words = latent_space.several_directions({"who": [0.2, 0.4], "where": [0.4, 0.6, 0.8, 0.8]}, 0.9).words
    # Three directions: "who" has but two, and counts with its 40 %.
    assert words.startswith("One, two and three directions know about 30 %, about 50 %, about 60 % of a fact")
    assert words.endswith("all of z about 90 %.")


def test_a_share_of_next_to_no_entropy_is_drawn_within_the_axes():
    picture = latent_space.several_directions({"who": [0.2, 0.4], "where": [-3e7, -3e7], "when": [5e6]}, 0.9)
    picture.png()  # far outside, a name cannot be drawn
    assert all(-20 <= text.get_position()[1] <= 120 for text in picture.figure.axes[0].texts)


def test_the_words_of_the_readers_name_each_with_its_mean():
    words = latent_space.accuracies({"coin": [0.4, 0.6], "eye": [1.0, 0.9]}).words
    assert words == "Right on test sentences, mean over the facts: coin about 50 %; eye about 95 %."
    readers = {"shuffled": [0.21], "frequent": [0.23], "eye": [1.0]}
    words = latent_space.accuracies(readers, guessing=["shuffled", "frequent"]).words
    assert words == "Right on test sentences, mean over the facts: shuffled and frequent 20 to 25 %; eye about 100 %."


def test_the_best_axis_of_a_fact_is_told_for_each_set_of_axes():
    shares = [share * torch.tensor([2.0, 1.0]) for share in (0.1, 0.25, 0.6, 1.0)]
    words = latent_space.part_and_whole(*shares, ["a", "b"]).words
    assert "knows about 10 %" in words
    assert "after turning to the facts about 25 %" in words
    assert "all of z together about 60 %" in words
    best = {"random": [0.1, 0.2], "trained": [0.25], "made": [0.3]}
    words = latent_space.axes_compared({"random": [0.01, 0.03], "trained": [0.02], "made": [0.2]}, best, ceiling=0.5).words
    assert words.endswith("random about 15 %; trained about 25 %; made about 30 %.")


@pytest.mark.parametrize(
    ("trained", "ranked", "counted"),
    [(0.05, "above most", "3 of 3"), (0.025, "in the middle", "2 of 3"), (0.0, "below most", "0 of 3")],
)
def test_the_random_axes_below_the_trained_ones_are_counted(trained, ranked, counted):
    gaps = {"random": [0.01, 0.02, 0.03], "trained": [trained], "made": [0.2]}
    picture = latent_space.axes_compared(gaps, gaps, ceiling=0.5)
    assert f"a small gap, {ranked} of those" in picture.words
    for panel in picture.figure.axes:
        assert any(text.get_text().startswith(f"{counted} lie below") for text in panel.texts)


def test_the_names_of_lines_that_end_together_stand_apart():
    shares = {"a": [0.2, 0.60], "b": [0.2, 0.61], "c": [0.2, 0.62], "alone": [0.1, 0.2, 0.3]}
    texts = latent_space.several_directions(shares, 0.9).figure.axes[0].texts
    heights = {text.get_text(): text.get_position()[1] for text in texts}
    assert heights["b"] - heights["a"] > 5
    assert heights["c"] - heights["b"] > 5
    assert heights["b"] == pytest.approx(61)
    assert heights["alone"] == pytest.approx(30)


def test_granted_wishes_are_told_at_their_best_length():
    shares_of_each = ((0, 0.5, 0.9), (1, 0.7, 0.3), (0, 0.4, 0.2))
    granted, kept, both = ([Estimate(share, 0.02) for share in shares] for shares in shares_of_each)
    picture = latent_space.wishes_granted([0, 1, 2], {"a": granted}, {"a": kept}, {"a": both})
    assert picture.words.endswith("at the best length: a about 40 %.")
    shown = [panel.containers[0].lines[0].get_ydata().tolist() for panel in picture.figure.axes]
    assert shown == [pytest.approx([100 * share for share in shares]) for shares in shares_of_each]


def test_walks_whose_ends_never_differ_are_told_as_such():
    nothing, all_of_them = torch.full((3,), torch.nan), torch.ones(3)
    words = latent_space.along_the_way(
        torch.linspace(0, 1, 3), nothing, nothing, nothing, torch.nan, all_of_them, {"draws": 0.5}
    ).words
    assert "half way a share of none are neither's" in words
    assert words.endswith("Readable half way: about 100 %. For comparison, codes that lie on no line: draws about 50 %.")
