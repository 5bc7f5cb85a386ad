import numpy as np
import torch

from vae_course.figures import collapse
from vae_course.training import seeded


def test_a_path_is_drawn_through_the_spreads():
    snapshots = torch.randn(4, 2, 30, generator=seeded(0))
    picture = collapse.paths({"a run": snapshots})
    path = picture.figure.axes[0].lines[0]
    np.testing.assert_allclose(path.get_xdata(), np.std(snapshots[:, 0].numpy(), axis=1, ddof=1), rtol=1e-5)
    np.testing.assert_allclose(path.get_ydata(), np.std(snapshots[:, 1].numpy(), axis=1, ddof=1), rtol=1e-5)


def test_the_replay_shows_the_part_that_was_asked_for():
    snapshots = torch.randn(5, 2, 30, generator=seeded(0))
    for part, expected in ((0.0, 0), (0.5, 2), (1.0, 4)):
        drawn = collapse.replay({"a run": snapshots}, part=part).figure.axes[0].collections[0].get_offsets()
        np.testing.assert_allclose(drawn, snapshots[expected].numpy().T, rtol=1e-6)
