import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import torch

from vae_course.batches import pad
from vae_course.figures import collapse
from vae_course.text_models import TextSizes, TextVAE
from vae_course.training import seeded, seeded_module

SENTENCES = [[1, 4, 2], [1, 5, 6, 4, 2], [1, 6, 2], [1, 5, 5, 6, 2]]


def model_of(latent):
    sizes = TextSizes(embedding=6, hidden=6, latent=latent, context=1)
    model = seeded_module(3, lambda: TextVAE(7, sizes))
    with torch.no_grad():
        model.decoder.z_in.weight *= 6  # a decoder that listens, so that posteriors differ from the prior
    return model


@torch.no_grad()
def test_a_snapshot_holds_the_mean_of_the_exact_posterior_and_of_the_encoders():
    model = model_of(latent=1)
    exact, encoded = collapse.snapshot(model, pad(SENTENCES))
    z = np.linspace(-7, 7, 1401)
    for number, sentence in enumerate(SENTENCES):  # alone, so without padding
        tokens = torch.tensor([sentence])
        likelihood = np.exp([model.log_likelihood(tokens, torch.tensor([[value]], dtype=torch.float)).item() for value in z])
        joint = scipy.stats.norm.pdf(z) * likelihood
        mean = scipy.integrate.simpson(z * joint, x=z) / scipy.integrate.simpson(joint, x=z)
        assert exact[number].item() == pytest.approx(mean, abs=2e-3)
        assert encoded[number].item() == pytest.approx(model.posterior(tokens).mean.item(), abs=1e-5)
    assert exact.std() > 0.1  # else nothing was compared


def test_a_grid_is_refused_for_more_than_one_latent():
    with pytest.raises(ValueError, match="needs one latent, got 2"):
        collapse.snapshot(model_of(latent=2), pad(SENTENCES))


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
