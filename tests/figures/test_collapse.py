import numpy as np
import torch

from vae_course.figures import collapse
from vae_course.training import seeded


def test_the_lag_shows_both_spreads_of_each_training():
    spreads = torch.rand(4, 2, generator=seeded(0))
    picture = collapse.lag([0, 10, 20, 30], {"a run": spreads}, {"a run": torch.rand(4, generator=seeded(1))}, {"a run": 17.5})
    model, encoder = picture.figure.axes[0].lines
    assert "17.5" in picture.figure.axes[0].get_title(loc="left")
    np.testing.assert_allclose(model.get_ydata(), spreads[:, 0].numpy())
    np.testing.assert_allclose(encoder.get_ydata(), spreads[:, 1].numpy())


def test_the_replay_shows_the_part_that_was_asked_for():
    snapshots = torch.randn(5, 2, 30, generator=seeded(0))
    for part, expected in ((0.0, 0), (0.5, 2), (1.0, 4)):
        drawn = collapse.replay({"a run": snapshots}, part=part).figure.axes[0].collections[0].get_offsets()
        np.testing.assert_allclose(drawn, snapshots[expected].numpy().T, rtol=1e-6)


def test_stored_rows_are_drawn_seed_by_seed_with_their_mean():
    rows = [
        {"kind": "decoder", "sees": sees, "rate": rate, "vae_above_truth": 1.0, "language_model_above_truth": 2.0}
        for sees, rate in (("none", 3.0), ("none", 5.0), ("all", 0.0), ("all", 0.5))
    ]
    means, none, everything = collapse.decoders(rows).figure.axes[1].lines
    np.testing.assert_allclose(means.get_ydata(), [4.0, 0.25])
    np.testing.assert_allclose(none.get_ydata(), [3.0, 5.0])
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
