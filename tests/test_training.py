import math

import pytest
import torch
from torch import nn

from vae_course import images
from vae_course.training import (
    ShuffledBatches,
    TrainingDiverged,
    Update,
    find_device,
    seeded,
    seeded_module,
    train,
)


def vae():
    return seeded_module(0, lambda: images.VAE(pixels=64, hidden=[16], latent=2))


BATCHES = ShuffledBatches(images.digits(8).train[:200], batch_size=64)


def run_vae(epochs, checkpoint=None):
    model = vae()
    history = train(Update.adam(model, model.loss), BATCHES, epochs=epochs, generator=seeded(1), checkpoint=checkpoint)
    return model, history


def gan_updates(gan):
    return [Update.adam(gan.discriminator, gan.discriminator_loss), Update.adam(gan.generator, gan.generator_loss)]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_training_lowers_the_loss_and_keeps_the_history():
    _, history = run_vae(epochs=5)
    assert history["loss"][0] > history["loss"][-1] == history.last("loss")
    assert repr(history) == "trained 5 epochs, 20 steps; measured loss, distortion, rate"
    with pytest.raises(KeyError, match="no metric 'accuracy'; this history has distortion, loss, rate"):
        history["accuracy"]


def test_history_holds_the_mean_over_batches():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def loss(self, batch, generator):
            return {"loss": self.weight.sum() * 0 + batch.mean()}

    model = Constant()
    history = train(Update.adam(model, model.loss), ShuffledBatches(torch.arange(6.0), 2), epochs=1, generator=seeded(0))
    assert history["loss"] == [pytest.approx(2.5)]


def test_a_seed_gives_the_same_numbers_and_touches_no_global_state():
    before = torch.get_rng_state()
    (first, a), (second, b) = run_vae(2), run_vae(2)
    assert torch.equal(weights(first), weights(second))
    assert a.metrics == b.metrics
    assert torch.equal(torch.get_rng_state(), before)


def test_resuming_gives_the_same_numbers_as_never_stopping(tmp_path):
    model, history = run_vae(epochs=6)
    run_vae(epochs=2, checkpoint=tmp_path / "run.pt")
    resumed, resumed_history = run_vae(epochs=6, checkpoint=tmp_path / "run.pt")
    assert torch.equal(weights(model), weights(resumed))
    assert history.metrics == resumed_history.metrics
    assert (history.epochs, history.steps) == (resumed_history.epochs, resumed_history.steps)


def test_resuming_a_gan_restores_both_players(tmp_path):
    def run(epochs, checkpoint=None):
        gan = seeded_module(0, lambda: images.GAN(outputs=64, hidden=[16], latent=2, bounded=True))
        train(gan_updates(gan), BATCHES, epochs=epochs, generator=seeded(2), checkpoint=checkpoint)
        return weights(gan)

    run(1, tmp_path / "gan.pt")
    assert torch.equal(run(3), run(3, tmp_path / "gan.pt"))


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run_vae(1, tmp_path / "run.pt")
    other = seeded_module(0, lambda: images.VAE(pixels=64, hidden=[17], latent=2))
    with pytest.raises(ValueError, match=r"run\.pt: does not fit this model; .* delete it to start anew"):
        train(Update.adam(other, other.loss), BATCHES, epochs=2, generator=seeded(0), checkpoint=tmp_path / "run.pt")
    gan = seeded_module(0, lambda: images.GAN(outputs=64, hidden=[16], latent=2, bounded=True))
    with pytest.raises(ValueError, match="holds 1 models, this run has 2"):
        train(gan_updates(gan), BATCHES, epochs=2, generator=seeded(0), checkpoint=tmp_path / "run.pt")


def test_nan_in_the_data_is_named():
    spoilt = BATCHES.examples.clone()
    spoilt[7, 3] = math.nan
    model = seeded_module(0, lambda: images.Autoencoder(64, [16], 2))
    with pytest.raises(
        TrainingDiverged, match=r"the loss is not finite at step \d+ \(epoch 1\).*the batch itself holds inf or nan"
    ):
        train(Update.adam(model, model.loss), ShuffledBatches(spoilt, 64), epochs=1, generator=seeded(0))


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
def test_a_learning_rate_far_too_high_is_named(likelihood):
    """Whether the loss overflows or the encoder's output does, the diagnosis is the same."""
    model = seeded_module(0, lambda: images.VAE(64, [16], 2, likelihood=likelihood))
    with pytest.raises(TrainingDiverged, match=r"lower the learning rate \(now 1e\+20\)"):
        train(Update.adam(model, model.loss, learning_rate=1e20), BATCHES, epochs=20, generator=seeded(0))


def test_a_bad_gradient_behind_a_finite_loss_is_named():
    class RootOfZero(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def loss(self, batch, generator):
            return {"loss": self.weight.sum().sqrt()}

    model = RootOfZero()
    with pytest.raises(TrainingDiverged, match=r"a gradient is not finite at step 1 \(epoch 1\).*square root of 0"):
        train(Update.adam(model, model.loss), BATCHES, epochs=1, generator=seeded(0))


def test_after_epoch_sees_the_history_grow():
    seen = []
    model = vae()
    train(Update.adam(model, model.loss), BATCHES, epochs=3, generator=seeded(0), after_epoch=lambda h: seen.append(h.epochs))
    assert seen == [1, 2, 3]


def test_batches_hold_every_example_once_in_a_new_order_each_epoch():
    batches, generator = ShuffledBatches(torch.arange(10), 4), seeded(0)
    first, second = torch.cat(list(batches.epoch(generator))), torch.cat(list(batches.epoch(generator)))
    assert len(batches) == 3
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(10))
    assert first.tolist() != second.tolist()


def test_train_refuses_what_cannot_be_trained():
    model = vae()
    with pytest.raises(ValueError, match="at least one update and one epoch, got 0 and 3"):
        train([], BATCHES, epochs=3, generator=seeded(0))
    with pytest.raises(ValueError, match="batch_size >= 1, got 0 and 4"):
        ShuffledBatches(torch.zeros(0, 2), 4)
    with pytest.raises(ValueError, match='must return a "loss" among its metrics'):
        train(Update.adam(model, lambda batch, generator: {"rate": batch.sum()}), BATCHES, epochs=1, generator=seeded(0))


def test_find_device(monkeypatch):
    assert find_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("auto").type == "cpu"
    with pytest.raises(RuntimeError, match=r"CUDA was asked for, but torch .* sees"):
        find_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert find_device("auto").type == "cuda"
    with pytest.raises(ValueError, match='expected "auto", "cpu" or "cuda", got \'gpu\''):
        find_device("gpu")
