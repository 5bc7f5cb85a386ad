"""The numbers that the pictures of lesson 07 show are the ones they were given, and the facts are those of the sentences."""

import math

import pytest
import torch

from vae_course.figures import text
from vae_course.probability.estimators import Estimate
from vae_course.text.batches import pad
from vae_course.text.corpora import corpus_of, load
from vae_course.text.vocabulary import SPECIAL, Characters, Vocabulary
from vae_course.training import History
from vae_course.world import WORLD

VOCABULARY = Vocabulary((*SPECIAL, "a", "cat", "sleeps"))
TOKENS = pad([VOCABULARY.encode(("a", "cat", "sleeps")), VOCABULARY.encode(("a", "cat"))])
HISTORY = History(
    epochs=2, steps=20, metrics={"loss": [3.0, 2.0], "rate": [4.0, 1.0], "distortion": [9.0, 8.0], "kl_weight": [0, 1]}
)


def texts(axes):
    return [entry.get_text() for entry in axes.texts]


def labels(axes):
    return [entry.get_text() for entry in axes.get_legend().get_texts()]


def test_a_batch_shows_every_cell_with_its_word_and_pads_apart():
    (axes,) = text.batch(TOKENS, VOCABULARY).figure.axes
    assert texts(axes) == ["<bos>", "a", "cat", "sleeps", "<eos>", "<bos>", "a", "cat", "<eos>", "<pad>"]
    fills = [patch.get_facecolor() for patch in axes.patches]
    assert fills[0] == fills[5] != fills[4] == fills[8] != fills[9] != fills[1]


def test_a_long_batch_is_cut():
    (axes,) = text.batch(TOKENS, VOCABULARY, columns=2).figure.axes
    assert texts(axes) == ["<bos>", "a"] * 2


def test_costs_puts_each_price_above_the_word_asked_for():
    (axes,) = text.costs(TOKENS[0], torch.tensor([0.5, 1.0, 2.0, 0.25]), VOCABULARY).figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 1.0, 2.0, 0.25]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "cat", "sleeps", "<eos>"]
    assert texts(axes) == ["0.50", "1.00", "2.00", "0.25"]


def test_the_floor_is_drawn_only_where_it_is_known():
    (axes,) = text.learning([3.0, 2.0, 2.0, 1.0], [2.5, 1.5], every=2, language=WORLD.english, most=2).figure.axes
    assert axes.lines[0].get_xdata().tolist() == [1, 3]
    assert axes.lines[0].get_ydata().tolist() == [2.5, 1.5]
    assert axes.lines[1].get_xdata().tolist() == [2, 4]
    assert axes.lines[2].get_ydata() == [WORLD.english.entropy] * 2
    (axes,) = text.learning([3.0, 2.0], [2.5], every=2, language=None).figure.axes
    assert len(axes.lines) == 2
    assert len(text.training_of_vae(HISTORY).figure.axes) == 3


def test_rate_and_distortion_are_means_of_parts():
    picture = text.rate_and_distortion([9.0, 7.0, 6.0, 4.0], [1.0, 3.0, 2.0, 2.0], rise=2, most=2)
    left, middle, right = picture.figure.axes
    assert left.lines[0].get_ydata().tolist() == [8, 5]
    assert middle.lines[0].get_ydata().tolist() == [2, 2]
    assert right.lines[0].get_ydata().tolist() == [10, 7]  # their sum
    assert all(axes.lines[1].get_xdata() == [2, 2] for axes in (left, middle, right))
    assert [axes.get_title(loc="left") for axes in (left, middle)] == ["Distortion", "Rate"]
    (legend,) = picture.figure.legends
    assert [entry.get_text() for entry in legend.get_texts()] == ["from here on the KL weight is 1"]
    low, high = left.get_ylim()
    assert low < 5 < 8 < high
    assert high - low < 1.5 * (8 - 5)  # the curve fills its panel
    assert middle.get_ylim()[0] == 0
    assert "sum is lowest at the end" in picture.words
    assert "sum" not in text.rate_and_distortion([4.0, 5.0], [1.0, 1.0], rise=1).words


def test_the_first_steps_may_be_left_out():
    left, right, _ = text.rate_and_distortion([50.0, 7.0, 6.0, 4.0], [9.0, 3.0, 2.0, 2.0], rise=2, from_step=1).figure.axes
    assert left.lines[0].get_xdata().tolist() == [1.5, 2.5, 3.5]
    assert left.lines[0].get_ydata().tolist() == [7, 6, 4]
    assert right.lines[0].get_ydata().tolist() == [3, 2, 2]


@pytest.mark.parametrize(
    ("distortions", "title"),
    [
        ([9.0, 4.0, 6.0], "Distortion falls, then rises again"),
        ([9.0, 4.0, 6.0, 5.0], "Distortion falls, rises, and falls again"),
        ([9.0, 6.0, 5.0], "Distortion"),
    ],
)
def test_the_titles_of_rate_and_distortion_claim_only_what_is_so(distortions, title):
    left, right, _ = text.rate_and_distortion(distortions, [1.0, 8.0, *[2.0] * (len(distortions) - 2)], rise=2).figure.axes
    assert left.get_title(loc="left").replace("\n", " ") == title
    assert right.get_title(loc="left").replace("\n", " ") == "The rate is pressed down to what pays"


def test_every_seed_is_a_point_beside_its_decoder():
    with_z = {"annealing": {"two": [0.5, 0.6], "all": [0.3]}, "plain": {"two": [0.7], "all": [0.3]}}
    (axes,) = text.with_and_without_z({"two": [0.8, 0.9], "all": [0.2]}, with_z).figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.8, 0.9], [0.2], [0.5, 0.6], [0.3], [0.7], [0.3]]
    assert labels(axes) == ["without z", "with z, annealing", "with z, plain"]
    assert [round(line.get_xdata()[0]) for line in axes.lines] == [0, 1] * 3
    assert len(set(axes.lines[0].get_xdata())) == 2  # side by side, so that none hides another


@pytest.mark.parametrize(
    ("distortion", "said"), [([13.0, 8.6, 9.7, 11.3, 10.3], "pays for it"), ([30.0, 6.0, 2.4, 1.6, 2.0], "fall together")]
)
def test_the_words_beside_a_training_say_whether_distortion_rose_again(distortion, said):
    metrics = {"rate": [5.0] * 5, "distortion": distortion, "kl_weight": [0.2, 0.5, 0.8, 1.0, 1.0]}
    assert said in text.training_of_vae(History(epochs=5, steps=50, metrics=metrics)).words


@pytest.mark.parametrize(("late", "title"), [(0.3, "z saves most near the end of the sentence"), (0.0, "What is saved")])
def test_each_place_has_what_is_saved_there_by_both_and_a_title_that_is_so(late, title):
    by_z = torch.tensor([[0.01, -0.01, late], [-0.01, 0.01, late + 0.02]])
    picture = text.saved_by_place({"by z": by_z, "by memory": by_z + 0.1}, window=1)
    (axes,) = picture.figure.axes
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([0, 0, late + 0.01, 0.1, 0.1, late + 0.11], abs=1e-6)
    assert axes.get_title(loc="left").startswith(title)
    assert labels(axes) == [f"by z, {late + 0.01:.2f} in all", f"by memory, {late + 0.31:.2f} in all"]
    assert axes.lines[-2].get_xdata() == [2.5, 2.5]  # two places see all words before
    assert ("next to nothing" in picture.words) == (late > 0)


def test_what_is_saved_in_the_middle_is_not_called_the_end():
    by_z = torch.tensor([[0.01, -0.01, 0.3, 0.1, 0.0, 0.0], [-0.01, 0.01, 0.32, 0.1, 0.0, 0.0]])
    (axes,) = text.saved_by_place({"by z": by_z, "by memory": by_z}, window=1).figure.axes
    assert axes.get_title(loc="left").startswith("What is saved")


def test_a_line_is_the_mean_of_its_runs_with_a_band_where_there_are_several():
    named = {"q": [torch.tensor([0.7, 0.9]), torch.tensor([0.4])], "wrong": [torch.tensor([3.0, 5.0]), torch.tensor([2.5])]}
    picture = text.on_one_axis([1, 4], named, without_z=0.1, known=True)
    (axes,) = picture.figure.axes
    assert [line.get_ydata().tolist() for line in axes.lines[:2]] == [pytest.approx(line) for line in ([0.8, 0.4], [4.0, 2.5])]
    band = axes.collections[1].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((4 - 2**0.5, 4 + 2**0.5))
    assert axes.get_yscale() == "log"
    assert "above the truth" in axes.get_ylabel()
    assert "stays far above" in picture.words
    picture = text.on_one_axis([1, 4], {"q": named["q"], "prior": named["q"]}, without_z=0.1, known=False)
    assert picture.figure.axes[0].get_yscale() == "linear"
    assert "the truth" not in picture.figure.axes[0].get_ylabel()
    assert "stays far above" not in picture.words


def test_shares_are_drawn_in_per_cent_and_one_hardly_seen_is_told():
    own, others = {"whole sentence": 0.005, "person": 0.75}, {"whole sentence": 0.0, "person": 0.5}
    (axes,) = text.copied(own, others, count=100).figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 75, 0, 50]
    assert [bar.get_x() + bar.get_width() / 2 for bar in axes.patches] == pytest.approx([-0.2, 0.8, 0.2, 1.2])
    assert texts(axes) == ["0.5", "0.0"]
    (axes,) = text.copied({"whole sentence": 0.25}, None, count=100).figure.axes
    assert [bar.get_height() for bar in axes.patches] == [25]


def test_scores_has_a_panel_for_each_kind_with_a_bar_for_each_writer_and_none_for_what_is_unknown():
    shares = {"accepted": Estimate(math.nan, math.nan), "new": Estimate(0.5, 0.01)}
    accepted, new = text.scores({"one": shares, "other": shares}).figure.axes
    assert [bar.get_width() for bar in accepted.patches] == pytest.approx([math.nan] * 2, nan_ok=True)
    assert [bar.get_width() for bar in new.patches] == pytest.approx([50, 50])
    assert [axes.get_title(loc="left") for axes in (accepted, new)] == ["accepted", "new"]
    assert [label.get_text() for label in accepted.get_yticklabels()] == ["one", "other"]


def test_what_depends_on_the_sentences_before_has_no_bar_of_error_and_nearly_all_is_not_all():
    shares = {"accepted": Estimate(0.996, 0.01), "different": Estimate(0.4, 0.01)}
    accepted, different = text.scores({"one": shares}).figure.axes
    assert [axes.containers[-1].errorbar is None for axes in (accepted, different)] == [False, True]
    assert [axes.texts[0].get_text() for axes in (accepted, different)] == ["99.6", "40"]


@pytest.mark.parametrize(
    ("greedy", "title"), [(0.9, "Greedy writing (orange) slips less often"), (0.7, "How well do they write?")]
)
def test_the_title_of_scores_claims_only_what_is_so(greedy, title):
    drawn = {"accepted": Estimate(0.8, 0.01), "accepted and new": Estimate(0.7, 0.01)}
    greedily = {"accepted": Estimate(greedy, 0.01), "accepted and new": Estimate(0.3, 0.01)}
    figure = text.scores({"VAE": drawn, "VAE, greedy": greedily}).figure
    assert figure.get_suptitle().startswith(title)


@pytest.mark.parametrize(("window", "told"), [(0.7, True), (0.78, False)])
def test_the_title_of_scores_says_that_z_helps_the_window_only_where_it_clearly_does(window, told):
    named = {
        name: {"accepted": Estimate(accepted, 0.01), "accepted and new": Estimate(new, 0.01)}
        for name, accepted, new in (("window, no z", window, 0.6), ("VAE", 0.8, 0.7), ("VAE, greedy", 0.99, 0.3))
    }
    picture = text.scores(named)
    assert picture.figure.get_suptitle().startswith("With z the window slips less often") == told
    assert ("with z than without" in picture.words) == told


def test_a_writer_whose_sentences_are_all_alike_has_no_bar_of_error():
    named = {name: {"accepted": Estimate(value, error)} for name, value, error in (("one", 1.0, 0.0), ("other", 0.5, 0.01))}
    (accepted,) = text.scores(named).figure.axes
    (segments,) = accepted.containers[-1].errorbar.lines[2]
    (drawn,) = [segment.tolist() for segment in segments.get_segments() if len(segment)]
    assert [x for point in drawn for x in point] == pytest.approx([48, 1, 52, 1])


def test_changing_facts_are_named_and_what_is_no_sentence_is_said_to_be_none():
    said = ["the sad girl lost a red kite in the park at noon", "the sad girl found a red kite at school at noon"]
    said += ["the sad kite lost", "after lunch the gloomy girl found a blue kite at school"]
    sentences = [tuple(sentence.split()) for sentence in said]
    assert text.facts_changing(sentences, load("world")) == [
        said[0],
        f"{said[1]}   | lost → found, park → school",
        f"{said[2]}   | (no sentence of the language)",
        f"{said[3]}   | red → blue",  # against the last sentence; other words for the same facts are no change
        "(the grammar accepts 3 of these 4)",
    ]


def test_sentences_of_ones_own_are_joined_as_they_were_cut():
    own = corpus_of("names", [["anna", "hanna"], ["nana"], ["anan"]], Characters(), None, "names")
    assert text.facts_changing([tuple("anna"), tuple("nan")], own) == ["anna", "nan"]
