import gzip
import math
import struct
import urllib.error

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch.distributions import Bernoulli, Normal

from vae_course import images
from vae_course.probability.distributions import GaussianMixture
from vae_course.training import ShuffledBatches, Update, seeded, seeded_module, train


def write_idx(path, array, compress=False):
    content = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    if compress:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)


@pytest.fixture
def mnist_folder(tmp_path):
    """MNIST's four files with 6 training and 2 test images, half of them gzipped."""
    pixels = np.arange(8 * 784, dtype=np.uint32).reshape(8, 28, 28).astype(np.uint8)
    labels = np.arange(8, dtype=np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte", pixels[:6])
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels[:6], compress=True)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", pixels[6:], compress=True)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", labels[6:])
    return tmp_path


@pytest.mark.parametrize(("size", "pixels"), [(8, 64), (28, 784)])
def test_digits_are_all_there_and_lie_in_the_unit_interval(size, pixels):
    digits = images.digits(size)
    assert digits.train.shape == (1437, pixels)
    assert digits.test.shape == (360, pixels)
    assert 0 == digits.train.min() < digits.train.max() <= 1
    assert digits.train_labels.unique().tolist() == list(range(10))
    assert repr(digits) == f"1437 training and 360 test images of {pixels} pixels"


def test_enlarged_digits_keep_their_ink():
    """Enlarging spreads the ink, it neither adds nor turns it: mean darkness and centre of mass stay."""
    small, large = images.digits(8).train.view(-1, 8, 8), images.digits(28).train.view(-1, 28, 28)
    assert torch.allclose(small.mean((1, 2)), large.mean((1, 2)), rtol=0.05)
    rows_small, rows_large = (x.sum(2) @ (torch.arange(n) + 0.5) / n / x.sum((1, 2)) for x, n in ((small, 8), (large, 28)))
    assert torch.allclose(rows_small, rows_large, atol=0.02)


def test_digits_refuse_other_sizes():
    with pytest.raises(ValueError, match="size: expected 8"):
        images.digits(16)


def test_mnist_is_read_from_local_files(mnist_folder):
    mnist = images.mnist(mnist_folder)
    assert mnist.train.shape == (6, 784)
    assert mnist.test.shape == (2, 784)
    assert mnist.test_labels.tolist() == [6, 7]
    assert mnist.train[0, 255].item() == pytest.approx(1.0)
    assert mnist.train[1, 0].item() == pytest.approx((784 % 256) / 255)


def test_mnist_says_what_is_missing_or_damaged(mnist_folder):
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00\x00\x05ab")
    with pytest.raises(ValueError, match=r"holds 2 bytes, its header promises \(5,\)"):
        images.mnist(mnist_folder)
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(b"\x00\x00\x08\x01\x00\x00")
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte: is cut, it ends within its header of 8 bytes; download"):
        images.mnist(mnist_folder)
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="is not an IDX file"):
        images.mnist(mnist_folder)
    (mnist_folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="has neither t10k-labels-idx1-ubyte nor"):
        images.mnist(mnist_folder)


@pytest.mark.parametrize(
    "damaged",
    [
        lambda content: content[: len(content) // 2],  # a download that was cut
        lambda content: content[:-4],
        lambda content: b"<html>" + content,
        lambda content: content[:10] + bytes(len(content) - 18) + content[-8:],
        lambda content: content[:-8] + bytes(8),  # the sum of the content does not fit
    ],
)
def test_mnist_says_which_gzipped_file_is_damaged(mnist_folder, damaged):
    file = mnist_folder / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(damaged(file.read_bytes()))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz: is damaged, it cannot be unpacked \(.*\); download it"):
        images.mnist(mnist_folder)


def test_mnist_offline_says_what_to_do(monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(images, "fetch_openml", offline)
    with pytest.raises(ConnectionError, match=r"download the four IDX files elsewhere .* mnist\(path=...\)"):
        images.mnist()


def test_mnist_from_openml_is_split_and_scaled(monkeypatch):
    class Bunch:
        data = np.full((70_000, 4), 255, dtype=np.int64)
        target = np.array(["5"] * 70_000)

    monkeypatch.setattr(images, "fetch_openml", lambda *args, **kwargs: Bunch)
    mnist = images.mnist()
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    assert mnist.train.max() == 1
    assert mnist.test_labels[0] == 5


# --- models ---------------------------------------------------------------------------------------------------------


def vae(**options):
    return seeded_module(0, lambda: images.VAE(pixels=64, hidden=[32], latent=3, **options))


X = torch.rand((5, 64), generator=seeded(1))
Z = torch.randn((2, 5, 3), generator=seeded(2))


def test_bernoulli_likelihood_agrees_with_torch():
    model = vae()
    expected = Bernoulli(logits=model.decoder(Z), validate_args=False).log_prob(X).sum(-1)
    assert torch.allclose(model.log_likelihood(X, Z), expected, rtol=1e-5)
    assert torch.allclose(model.decode(Z), model.decoder(Z).sigmoid())


def test_gaussian_likelihood_agrees_with_torch():
    model = vae(likelihood="gaussian", pixel_std=0.3)
    expected = Normal(model.decoder(Z), 0.3).log_prob(X).sum(-1)
    assert torch.allclose(model.log_likelihood(X, Z), expected, rtol=1e-5)
    assert torch.equal(model.decode(Z), model.decoder(Z))


def test_vae_loss_is_distortion_plus_weighted_rate():
    model = vae(kl_weight=0.5)
    metrics = model.loss(X, seeded(3))
    q = model.posterior(X)
    assert metrics["rate"].item() == pytest.approx(q.kl_to_standard_normal().mean().item())
    assert metrics["distortion"].item() == pytest.approx(-model.log_likelihood(X, q.sample(seeded(3))).mean().item())
    assert metrics["loss"].item() == pytest.approx(metrics["distortion"].item() + 0.5 * metrics["rate"].item())
    assert model.sample(7, seeded(4)).shape == (7, 64)


def test_vae_refuses_bad_options():
    with pytest.raises(ValueError, match='"bernoulli" or "gaussian", got \'poisson\''):
        vae(likelihood="poisson")
    for options in ({"pixel_std": 0}, {"pixel_std": math.nan}, {"kl_weight": -1.0}, {"kl_weight": math.nan}):
        with pytest.raises(ValueError, match="expected pixel_std > 0 and kl_weight >= 0, both finite, got"):
            vae(**options)


def test_an_autoencoders_loss_sums_over_pixels():
    model = seeded_module(0, lambda: images.Autoencoder(64, [32], 3))
    expected = ((X - model(X)) ** 2).sum() / 5
    assert model.loss(X, seeded(0))["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_gan_losses_are_the_cross_entropies_of_the_paper():
    gan = seeded_module(0, lambda: images.GAN(outputs=64, hidden=[32], latent=3, bounded=True))
    fake = gan.sample(5, seeded(6))
    assert 0 <= fake.min() < fake.max() <= 1
    real_logit, fake_logit = gan.discriminator(X), gan.discriminator(fake)
    expected = -(
        Bernoulli(logits=real_logit).log_prob(torch.ones(5, 1)) + Bernoulli(logits=fake_logit).log_prob(torch.zeros(5, 1))
    )
    assert gan.discriminator_loss(X, seeded(6))["loss"].item() == pytest.approx(expected.mean().item(), rel=1e-5)
    expected = -Bernoulli(logits=fake_logit).log_prob(torch.ones(5, 1))
    assert gan.generator_loss(X, seeded(6))["loss"].item() == pytest.approx(expected.mean().item(), rel=1e-5)


def test_discriminator_loss_teaches_the_discriminator_only():
    gan = seeded_module(0, lambda: images.GAN(outputs=64, hidden=[32], latent=3, bounded=True))
    gan.discriminator_loss(X, seeded(7))["loss"].backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert all(p.grad is not None for p in gan.discriminator.parameters())


# --- judging samples ------------------------------------------------------------------------------------------------


def brute_force_share(points, manifold, k):
    within = cdist(manifold, manifold)
    radii = np.sort(within, axis=1)[:, k]
    return float((cdist(points, manifold) <= radii).any(1).mean())


def test_precision_and_recall_agree_with_brute_force():
    real, samples = torch.randn((60, 2), generator=seeded(8)), torch.randn((50, 2), generator=seeded(9)) + 0.8
    result = images.precision_recall(real, samples, neighbours=3)
    assert result.precision == pytest.approx(brute_force_share(samples.numpy(), real.numpy(), 3))
    assert result.recall == pytest.approx(brute_force_share(real.numpy(), samples.numpy(), 3))


def test_precision_and_recall_in_cases_whose_answer_is_plain():
    ring = GaussianMixture.ring()
    real = ring.sample(seeded(10), 400)
    assert images.precision_recall(real, real) == images.PrecisionRecall(1.0, 1.0)
    assert images.precision_recall(real, real + 100) == images.PrecisionRecall(0.0, 0.0)
    one_mode = real[torch.cdist(real, ring.means).argmin(1) == 0]
    collapsed = images.precision_recall(real, one_mode)
    assert collapsed.precision == 1.0
    assert collapsed.recall == pytest.approx(1 / 8, abs=0.06)


def test_precision_recall_refuses_what_it_cannot_judge():
    with pytest.raises(ValueError, match="samples: expected \\(points, dimension\\), over 3 points"):
        images.precision_recall(torch.zeros(10, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="real: has a value that is not finite"):
        images.precision_recall(torch.full((10, 2), math.nan), torch.zeros(10, 2))


def test_kinds_of_digits_and_nearness_together_tell_invention_from_one_picture_and_from_noise():
    """What lesson 00 holds its VAE to: a collapsed one passes for near, and is found out by its kinds."""
    digits = images.digits()

    def judged(pictures):
        return images.precision_recall(digits.test, pictures).precision, images.kinds(pictures, digits)

    def trained(kl_weight):
        vae = seeded_module(0, lambda: images.VAE(pixels=64, hidden=[128], latent=2, kl_weight=kl_weight))
        batches = ShuffledBatches(digits.train, batch_size=64)
        train(Update.adam(vae, vae.loss, learning_rate=3e-3), batches, epochs=15, generator=seeded(0))
        return judged(vae.sample(360, seeded(1)))

    assert images.kinds(digits.test, digits) == 10
    assert judged(digits.train.mean(0).expand(360, -1)) == (1, 1)
    assert judged(torch.rand(360, 64, generator=seeded(2)))[0] == 0
    first, second = torch.randint(len(digits.train), (2, 360), generator=seeded(3))
    near, kinds = judged((digits.train[first] + digits.train[second]) / 2)  # no digits, and they pass as digits do
    assert near == pytest.approx(judged(digits.train[:360])[0], abs=0.1)
    assert kinds == 10
    near, kinds = trained(kl_weight=64.0)
    assert near > 0.95
    assert kinds <= 3
    near, kinds = trained(kl_weight=1.0)
    assert near > 0.8
    assert kinds >= 6


def test_mode_coverage_counts_modes_and_good_samples():
    ring = GaussianMixture.ring(modes=8, radius=2.0, std=0.1)
    assert images.mode_coverage(ring.means.repeat(3, 1), ring) == images.ModeCoverage(8, 1.0)
    half = torch.cat([ring.means[:4].repeat(5, 1), torch.zeros(20, 2)])  # the centre is no mode
    assert images.mode_coverage(half, ring) == images.ModeCoverage(4, 0.5)
    draws = images.mode_coverage(ring.sample(seeded(11), 2000), ring)
    assert draws.covered == 8
    # Root mean square within 3 in the plane is a radius of 3 sqrt(2): all but exp(-9) of a Gaussian's mass.
    assert draws.good_samples > 0.999
