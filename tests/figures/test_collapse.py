import numpy as np
import torch

from vae_course.figures import collapse
from vae_course.training import seeded


def test_the_lag_shows_both_spreads_of_each_training_and_says_what_the_encoder_does():
    spreads, rising = torch.rand(4, 2, generator=seeded(0)), torch.tensor([0.0, 0.5, 0.8, 0.9])
    picture = collapse.lag([0, 10, 20, 30], {"a run": spreads}, {"a run": rising})
    model, encoder = picture.figure.axes[0].lines
    np.testing.assert_allclose(model.get_ydata(), spreads[:, 0].numpy())
    np.testing.assert_allclose(encoder.get_ydata(), spreads[:, 1].numpy())
    both, silent = torch.tensor([[0.3, 0.1], [0.5, 0.5]]), torch.tensor([[0.3, 0.1], [0.5, 0.2]])
    cases = {"follows late": (both, rising), "keeps up": (both, rising.clamp_min(0.9)), "lets go": (silent, rising)}
    for does, (some, agreement) in cases.items():
        picture = collapse.lag([0, 10], {"a run": some}, {"a run": agreement[:2]})
        assert picture.figure.axes[0].get_title(loc="left") == f"a run: the encoder {does}"
        assert f"the encoder {does}" in picture.words


def test_the_lag_puts_each_two_trainings_into_a_row_with_their_agreement():
    spreads = {name: torch.full((2, 2), 0.1 * number) for number, name in enumerate("abcd", 1)}
    agreements = {name: torch.tensor([0.0, 0.1 * number]) for number, name in enumerate("abcd", 1)}
    panels = collapse.lag([0, 10], spreads, agreements).figure.axes
    assert [axes.get_title(loc="left")[0] for axes in panels] == ["a", "b", "D", "c", "d", "D"]
    for axes, expected in ((panels[2], (0.1, 0.2)), (panels[5], (0.3, 0.4))):
        np.testing.assert_allclose([line.get_ydata()[-1] for line in axes.lines], expected, rtol=1e-6)


def test_the_replay_shows_the_part_that_was_asked_for_between_start_and_end():
    snapshots = torch.randn(5, 2, 30, generator=seeded(0))
    for part, expected in ((0.25, 1), (0.5, 2), (0.75, 3)):
        panels = collapse.replay({"a run": snapshots}, part=part).figure.axes
        for axes, number in zip(panels, (0, expected, 4), strict=True):  # also the start and the end
            np.testing.assert_allclose(axes.collections[0].get_offsets(), snapshots[number].numpy().T, rtol=1e-6)


def test_stored_rows_are_drawn_seed_by_seed_with_their_median():
    rows = [
        {
            "kind": "decoder",
            "sees": sees,
            "rate": rate,
            "vae_above_truth": 1.0,
            "language_model_above_truth": 2.0,
            "saved_by_z": 1 - rate,
            "saved_by_z_standard_error": 0.1,
        }
        for sees, rate in (("none", 3.0), ("none", 5.0), ("none", 9.0), ("all", 0.0), ("all", 0.5))
    ]
    picture = collapse.decoders(rows)
    assert "all, saved 0.50 to 1.00 at a rate of 0.00 to 0.50" in picture.words
    (saved,) = picture.figure.axes[1].containers  # of decoders that see words, with errors
    np.testing.assert_allclose(saved.lines[0].get_ydata(orig=False), [1.0, 0.5])
    np.testing.assert_allclose(saved.lines[2][0].get_segments()[0][:, 1], [0.8, 1.2])
    medians, none, everything = picture.figure.axes[2].lines
    np.testing.assert_allclose(medians.get_ydata(), [5.0, 0.25])
    np.testing.assert_allclose(none.get_ydata(), [3.0, 5.0, 9.0])
    np.testing.assert_allclose(everything.get_ydata(), [0.0, 0.5])
    floor = collapse.decoders(rows, [{"sees": "none", "above_truth": 1.5}]).figure.axes[0].lines[-1]
    np.testing.assert_allclose(floor.get_ydata(), [1.5, 1.5])

    rows = [
        {"kind": "optimizer", "learning_rate": rate, "steps": steps, "rate": 100 * rate + steps, "negative_elbo": 15.0}
        for rate in (0.01, 0.004)
        for steps in (600, 1200)
    ]
    lines = collapse.optimizer([*rows, {"kind": "race"}]).figure.axes[0].lines
    np.testing.assert_allclose(lines[0].get_ydata(), [600.4, 1200.4])


def test_the_earnings_of_a_coordinate_have_their_most_marked():
    weights = torch.linspace(0, 2, 5)
    picture = collapse.earnings(weights, {"3": torch.tensor([0.0, 0.1, 0.4, 0.3, 0.2]), "0.5": -weights})
    marks = [line for line in picture.figure.axes[0].lines if line.get_marker() == "o"]
    np.testing.assert_allclose([mark.get_xydata()[0] for mark in marks], [[1.0, 0.4], [0.0, 0.0]], rtol=1e-6)
    assert "3: 0.40 nats at weight 1.00" in picture.words


def test_the_races_show_all_seeds_over_their_steps_with_their_median_and_the_rate_of_each():
    rows = [
        {
            "name": name,
            "seed": seed,
            "correlation": [0.0, 0.5, 0.9],
            "spread_of_the_model": [0.3, 0.4, spread],
            "rate": spread / 2,
            "nll_minus": {"language model": [0.1 * spread, 0.02]},
        }
        for name in ("plain", "aggressive")
        for seed, spread in enumerate((0.2, 0.6, 0.5))
    ]
    picture = collapse.races([{"name": "language model", "seed": 0}, *rows], 100, ahead=20)
    left, middle, right = picture.figure.axes
    # For each training three seeds and their median; one line marks where the encoder ceases to be aggressive.
    assert len(left.lines) == len(middle.lines) == 9
    np.testing.assert_allclose(left.lines[-1].get_xdata(), [20, 20])
    np.testing.assert_allclose(left.lines[0].get_xdata(), [0, 50, 100])
    np.testing.assert_allclose([line.get_ydata()[-1] for line in middle.lines[:4]], [0.2, 0.6, 0.5, 0.5])
    plain, _ = right.lines
    np.testing.assert_allclose(plain.get_xydata(), [[0, 0.1], [1, 0.3], [2, 0.25]])
    assert [label.get_text() for label in right.get_xticklabels()] == ["0", "1", "2"]
    assert "plain, correlation 0.90, spread 0.20 to 0.60, rate 0.10 to 0.30 at an NLL of 0.02 to 0.06 above" in picture.words
