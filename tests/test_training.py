import errno
import math
import os
import traceback

import pytest
import torch
from torch import nn

from vae_course import images
from vae_course.training import (
    Checkpoint,
    EarlyStopping,
    History,
    ShuffledBatches,
    TrainingDiverged,
    Update,
    find_device,
    seeded,
    seeded_module,
    seeded_weights,
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


# --- early stopping ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "warmup", "patience", "best", "ended"),
    [
        ([], 0, 1, None, False),
        ([5.0, 4.0, 3.0], 0, 1, 3, False),
        ([5.0, 4.0, 4.5], 0, 2, 2, False),
        ([5.0, 4.0, 4.5, 4.2], 0, 2, 2, True),
        ([5.0, 4.0, 4.0, 4.0], 0, 2, 2, True),  # as good is not better
        ([1.0, 4.0, 4.5], 1, 2, 2, False),  # the first does not count
        ([1.0, 4.0, 4.5, 4.2], 1, 2, 2, True),
        ([1.0, 2.0], 2, 1, None, False),
    ],
)
def test_patience_is_counted_from_the_best_epoch_after_the_warmup(values, warmup, patience, best, ended):
    stopping = EarlyStopping(lambda: 0.0, patience, warmup)
    history = History(epochs=len(values), metrics={"validation": values} if values else {})
    assert stopping.best(history) == best
    assert stopping.ended(history) == ended


def stopped_run(epochs, values, checkpoint=None, **options):
    """A run whose held-out values are given; what it ends with, and its weights after each epoch."""
    model, after = vae(), []

    def validate():
        after.append(weights(model))
        return values[len(after) - 1 + skipped]

    saved = torch.load(checkpoint, weights_only=True)["history"]["epochs"] if checkpoint and checkpoint.exists() else 0
    skipped = saved
    history = train(
        Update.adam(model, model.loss),
        BATCHES,
        epochs=epochs,
        generator=seeded(1),
        checkpoint=checkpoint,
        stopping=EarlyStopping(validate, patience=2, **options),
    )
    return model, history, after


VALUES = [9.0, 8.0, 7.0, 7.5, 7.2, 1.0]


def test_training_ends_when_patience_runs_out_and_the_best_weights_are_put_back():
    model, history, after = stopped_run(6, VALUES)
    assert (history.epochs, history.best_epoch) == (5, 3)
    assert history["validation"] == VALUES[:5]
    assert torch.equal(weights(model), after[2])
    assert not torch.equal(weights(model), after[4])


def test_what_comes_in_the_warmup_is_no_best():
    model, history, after = stopped_run(6, [1.0, *VALUES[1:]], warmup=1)
    assert history.epochs == 5
    assert torch.equal(weights(model), after[2])


def test_without_a_worse_epoch_nothing_is_stopped():
    model, history, after = stopped_run(4, [*VALUES[:2], 7.0, 6.0])
    assert history.epochs == 4
    assert torch.equal(weights(model), after[3])


@pytest.mark.parametrize("first", [2, 4])
def test_a_resumed_run_stops_at_the_same_step_with_the_same_weights(tmp_path, first):
    model, history, _ = stopped_run(6, VALUES)
    stopped_run(first, VALUES, tmp_path / "run.pt")
    resumed, resumed_history, after = stopped_run(6, VALUES, tmp_path / "run.pt")
    assert (resumed_history.epochs, resumed_history.steps) == (history.epochs, history.steps)
    assert resumed_history.metrics == history.metrics
    assert len(after) == 5 - first
    assert torch.equal(weights(resumed), weights(model))


@pytest.mark.parametrize("options", [{"patience": 0}, {"warmup": -1}])
def test_a_stopping_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match="expected patience >= 1 and warmup >= 0"):
        EarlyStopping(lambda: 0.0, **options)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run_vae(1, tmp_path / "run.pt")
    other = seeded_module(0, lambda: images.VAE(pixels=64, hidden=[17], latent=2))
    with pytest.raises(ValueError, match=r"run\.pt: does not fit this model; .* delete it to start anew"):
        train(Update.adam(other, other.loss), BATCHES, epochs=2, generator=seeded(0), checkpoint=tmp_path / "run.pt")
    gan = seeded_module(0, lambda: images.GAN(outputs=64, hidden=[16], latent=2, bounded=True))
    with pytest.raises(ValueError, match="holds 1 models, this run has 2"):
        train(gan_updates(gan), BATCHES, epochs=2, generator=seeded(0), checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02cposix\nsystem\n.", b"PK\x03\x04cut"])
def test_a_file_that_is_no_checkpoint_is_refused_without_torchs_advice(tmp_path, content):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    told = r"run\.pt: is no checkpoint, or only a piece of one; give another path, or delete it to start anew"
    with pytest.raises(ValueError, match=told) as error:
        run_vae(1, path)
    assert "weights_only" not in "".join(traceback.format_exception(error.value))
    assert path.read_bytes() == content


def test_a_checkpoint_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run_vae(1, path)
    whole = path.read_bytes()
    for size in (1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"run\.pt: is no checkpoint, or only a piece of one"):
            run_vae(2, path)


def test_a_checkpoint_of_another_program_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    for content in ({"weights": torch.zeros(2)}, [1, 2]):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"run\.pt: was saved by an older version of the course, or by another program;"):
            run_vae(1, path)


def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path):
    run_vae(1, tmp_path / "run.pt")
    model = vae()
    parts = [{"params": [weight]} for weight in model.parameters()]
    update = Update(model, torch.optim.Adam(parts), model.loss)
    with pytest.raises(ValueError, match=r"run\.pt: does not fit this model; it was saved by another run: .*Torch says:"):
        train(update, BATCHES, epochs=2, generator=seeded(0), checkpoint=tmp_path / "run.pt")


def test_a_checkpoint_is_for_its_settings_only(tmp_path):
    def run(epochs, **settings):
        return run_vae(epochs, Checkpoint(tmp_path / "run.pt", settings))

    settings = {"text": "a1", "sizes": {"hidden": 16, "layers": [1, 2]}}
    run(2, **settings)
    resumed, _ = run(6, **settings)
    assert torch.equal(weights(run_vae(6)[0]), weights(resumed))
    told = (
        r"run\.pt: was made under other settings: sizes\.hidden was 16, is now 32, seed was None, is now 1; give another path"
    )
    with pytest.raises(ValueError, match=told):
        run(7, text="a1", sizes={"hidden": 32, "layers": [1, 2]}, seed=1)
    with pytest.raises(ValueError, match="text was a1, is now None"):
        run_vae(7, tmp_path / "run.pt")
    many = {f"setting {k}": k for k in range(9)}
    with pytest.raises(ValueError, match="setting 4 was None, is now 4 and 4 more;"):
        run(7, **settings, **many)


def test_on_a_full_disk_the_checkpoint_before_stays_and_can_be_gone_on_from(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    run_vae(2, path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"run\.pt: cannot be written: No space left on device"):
            run_vae(6, path)
    assert list(tmp_path.iterdir()) == [path]
    assert torch.equal(weights(run_vae(6)[0]), weights(run_vae(6, path)[0]))


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


def test_after_epoch_finds_models_as_they_are_measured_and_training_goes_on_as_it_was():
    """A model with batch normalization would otherwise mix the measured sentences into what it remembers."""
    model = vae()
    modes = []
    update = Update.adam(model, lambda batch, generator: modes.append(model.training) or model.loss(batch, generator))
    history = train(
        update, BATCHES, epochs=2, generator=seeded(0), after_epoch=lambda history: modes.append((model.training, len(modes)))
    )
    steps = len(BATCHES)
    assert modes == [*[True] * steps, (False, steps), *[True] * steps, (False, 2 * steps + 1)]
    assert not model.training
    assert history.epochs == 2


def test_a_run_with_nothing_left_to_do_leaves_the_model_in_evaluation_mode(tmp_path):
    run_vae(1, tmp_path / "run.pt")
    model, _ = run_vae(1, tmp_path / "run.pt")
    assert not model.training


class Quadratic(nn.Module):
    """The loss scale * |weight - 1|^2 / 2 of two parameters, with gradients scale * (weight - 1)."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale
        self.one, self.other = nn.Parameter(torch.tensor([4.0])), nn.Parameter(torch.tensor([[5.0]]))

    def loss(self, batch, generator):
        return {"loss": self.scale / 2 * ((self.one - 1).square().sum() + (self.other - 1).square().sum())}


ONE_STEP = ShuffledBatches(torch.zeros(1, 1), 1)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 1.0), (0.1, 0.5)])
def test_gradients_are_scaled_down_to_the_largest_norm_and_never_up(scale, expected):
    """Gradients (3, 4) have norm 5 over both parameters, and (0.3, 0.4) norm 0.5; plain descent then moves by the norm."""
    model, clipped = Quadratic(scale), Quadratic(scale)
    before = weights(model)
    update = Update(model, torch.optim.SGD(model.parameters(), lr=1.0), model.loss, max_norm=1.0)
    train(update, ONE_STEP, epochs=1, generator=seeded(0))
    assert (before - weights(model)).norm().item() == pytest.approx(expected, rel=1e-5)
    clipped.loss(None, None)["loss"].backward()
    torch.nn.utils.clip_grad_norm_(clipped.parameters(), 1.0)
    gradients = torch.cat([p.grad.flatten() for p in clipped.parameters()])
    assert torch.allclose(before - weights(model), gradients)
    free = Quadratic(scale)
    train(Update(free, torch.optim.SGD(free.parameters(), lr=1.0), free.loss), ONE_STEP, epochs=1, generator=seeded(0))
    assert (before - weights(free)).norm().item() == pytest.approx(5 * scale)


def test_the_learning_rate_falls_along_a_half_cosine_and_stays_at_zero():
    rates, model = [], Quadratic()
    update = Update.adam(
        model,
        lambda batch, generator: rates.append(update.optimizer.param_groups[0]["lr"]) or model.loss(batch, generator),
        learning_rate=0.2,
        decay_over=4,
    )
    train(update, ONE_STEP, epochs=10, generator=seeded(0))
    half = 0.1 * math.sqrt(0.5)
    assert rates == pytest.approx([0.2, 0.1 + half, 0.1, 0.1 - half, *[0.0] * 6], abs=1e-12)
    constant = Update.adam(model, model.loss, learning_rate=0.2)
    assert constant.scheduler is None
    with pytest.raises(ValueError, match="decay_over: expected at least 1 step, got 0"):
        Update.adam(model, model.loss, decay_over=0)


def test_resuming_is_exact_with_clipping_and_a_falling_learning_rate(tmp_path):
    def run(epochs, checkpoint=None):
        model = vae()
        update = Update.adam(model, model.loss, 1e-2, decay_over=22, max_norm=0.5)
        history = train(update, BATCHES, epochs=epochs, generator=seeded(1), checkpoint=checkpoint)
        return weights(model), history.metrics, update.optimizer.param_groups[0]["lr"]

    expected, metrics, rate = run(5)
    run(2, tmp_path / "run.pt")
    resumed, resumed_metrics, resumed_rate = run(5, tmp_path / "run.pt")
    assert torch.equal(expected, resumed)
    assert metrics == resumed_metrics
    assert rate == resumed_rate == pytest.approx(1e-2 * (1 + math.cos(math.pi * 20 / 22)) / 2)
    assert not torch.equal(expected, weights(run_vae(5)[0]))


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
    with pytest.raises(RuntimeError, match=r"Apple's GPUs \(\"mps\"\) have no float64, .* use \"cpu\" or \"auto\""):
        find_device("mps")


def test_layers_built_with_seeded_weights_depend_on_the_seed_alone_and_leave_no_trace():
    before = torch.get_rng_state()
    with seeded_weights(3):
        first = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    torch.rand(5)
    with seeded_weights(3):
        second = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    torch.set_rng_state(before)
    with seeded_weights(4):
        other = nn.Linear(4, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first[0].weight, other.weight)
    assert torch.equal(seeded_module(3, lambda: nn.Linear(4, 3)).weight, first[0].weight)
