"""The pretended accelerator refuses what CUDA refuses, accepts what CUDA accepts, and computes what the CPU computes."""

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simulated_device
import torch
from simulated_device import MixedDevices
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SIM = simulated_device.install()
CPU = torch.device("cpu")


def on_sim(*values):
    return torch.tensor(values).to(SIM)


def seeded(device="cpu", seed=0):
    return torch.Generator(device).manual_seed(seed)


# --- where two devices meet -----------------------------------------------------------------------------------------

REFUSED = {
    "sum": lambda: on_sim(1.0, 2.0) + torch.ones(2),
    "sum into a CPU tensor": lambda: torch.ones(2).add_(on_sim(1.0, 2.0)),
    "a number of the device into a CPU number": lambda: torch.tensor(1.0).add_(torch.tensor(1.0).to(SIM)),
    "matrix product": lambda: torch.ones(2, 2).to(SIM) @ torch.ones(2, 2),
    "matrix product with a CPU number": lambda: torch.addmm(torch.tensor(0.0), *[torch.ones(2, 2).to(SIM)] * 2),
    "stack": lambda: torch.stack([torch.tensor(1.0).to(SIM), torch.tensor(1.0)]),
    "where": lambda: torch.where(on_sim(True, False), torch.ones(2), on_sim(1.0, 2.0)),
    "linear layer": lambda: nn.Linear(2, 2)(on_sim(1.0, 2.0)),
    "embedding": lambda: nn.Embedding(3, 2).to(SIM)(torch.tensor([0, 1])),
    "cross entropy": lambda: functional.cross_entropy(torch.zeros(2, 3).to(SIM), torch.tensor([0, 1])),
    "gather": lambda: on_sim(1.0, 2.0).gather(0, torch.tensor([0])),
    "index_select": lambda: on_sim(1.0, 2.0).index_select(0, torch.tensor([0])),
    "a CPU tensor indexed from the device": lambda: torch.ones(3)[on_sim(0, 1)],
    "a CPU tensor masked from the device": lambda: torch.ones(2)[on_sim(True, False)],
    "a CPU tensor written to from the device": lambda: torch.ones(3).__setitem__(on_sim(0, 1), 2.0),
    "values of the CPU put into a tensor": lambda: on_sim(1.0, 2.0).__setitem__(torch.tensor([0, 1]), torch.ones(2)),
    "values of the device put into a CPU tensor": lambda: torch.ones(2).__setitem__(torch.tensor([0, 1]), on_sim(1.0, 2.0)),
    "a CPU generator": lambda: torch.rand(2, device=SIM, generator=seeded()),
    "a CPU generator, in place": lambda: on_sim(1.0, 2.0).normal_(generator=seeded()),
    "a CPU generator for multinomial": lambda: torch.multinomial(on_sim(0.5, 0.5), 1, generator=seeded()),
    "lengths on the device": lambda: pack_padded_sequence(torch.ones(2, 3, 1).to(SIM), on_sim(3, 2), batch_first=True),
    ".data of another device": lambda: setattr(nn.Linear(2, 2).to(SIM).weight, "data", torch.ones(2, 2)),
}


@pytest.mark.parametrize("meeting", REFUSED)
def test_what_cuda_refuses_is_refused(meeting):
    with pytest.raises(MixedDevices):
        REFUSED[meeting]()


ACCEPTED = {
    "a CPU number added": (lambda: on_sim(1.0, 2.0) + torch.tensor(1.0), [2.0, 3.0]),
    "a CPU number compared": (lambda: on_sim(1.0, 2.0) > torch.tensor(1.5), [False, True]),
    "a CPU number in where": (lambda: torch.where(on_sim(True, False), on_sim(1.0, 2.0), torch.tensor(0.0)), [1.0, 0.0]),
    "an index from the CPU": (lambda: on_sim(1.0, 2.0)[torch.tensor([1])], [2.0]),
    "an index of Python": (lambda: on_sim(1.0, 2.0)[[1, 0]], [2.0, 1.0]),
    "copied to it": (lambda: torch.zeros(2).to(SIM).copy_(torch.ones(2)), [1.0, 1.0]),
    "copied from it": (lambda: torch.zeros(2).copy_(on_sim(1.0, 2.0)), [1.0, 2.0]),
    "built there": (lambda: torch.arange(3, device="sim"), [0, 1, 2]),
    "built there from values": (lambda: torch.as_tensor(np.array([1.0, 2.0]), device="sim"), [1.0, 2.0]),
    "built like another": (lambda: on_sim(1, 2).new_tensor([3, 4]), [3, 4]),
}


@pytest.mark.parametrize("way", ACCEPTED)
def test_what_cuda_accepts_is_accepted(way):
    compute, expected = ACCEPTED[way]
    assert compute().tolist() == expected


def test_numpy_is_refused_until_the_tensor_is_fetched():
    there = on_sim(1.0, 2.0)
    for convert in (there.numpy, lambda: np.asarray(there)):
        with pytest.raises(TypeError, match=r"Use Tensor\.cpu\(\)"):
            convert()
    assert there.cpu().numpy().tolist() == [1.0, 2.0]
    assert type(there.cpu()) is torch.Tensor


# --- what it computes -----------------------------------------------------------------------------------------------


def test_results_stay_there_and_so_do_parameters_and_gradients():
    layer = nn.Linear(3, 2)
    there = copy.deepcopy(layer).to(SIM)
    x = torch.randn(4, 3, generator=seeded())
    loss, loss_there = layer(x).square().sum(), there(x.to(SIM)).square().sum()
    loss.backward()
    loss_there.backward()
    assert loss_there.device == there.weight.device == there.weight.grad.device == SIM
    assert isinstance(there.weight, nn.Parameter)
    assert torch.equal(there.weight.grad.cpu(), layer.weight.grad)
    assert torch.equal(copy.deepcopy(there).weight, there.weight)


def test_what_is_changed_in_place_is_the_tensor_itself_and_its_views():
    there = on_sim(1.0, 2.0)
    assert there.add_(1) is there
    assert torch.add(there, there, out=there) is there
    there[:1].zero_()
    assert there.tolist() == [0.0, 6.0]
    assert there.unsqueeze_(0).shape == there.shape == (1, 2)
    assert torch.eye(2, device=SIM).shape == (2, 2)  # which torch resizes from nothing
    assert (torch.eye(2, device=SIM) @ torch.ones(2, device=SIM)).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
@pytest.mark.parametrize("packed", [False, True])
def test_recurrent_layers_give_the_cpus_numbers_and_gradients(kind, packed):
    layer = kind(3, 4, batch_first=True)
    x, lengths = torch.randn(2, 5, 3, generator=seeded()), torch.tensor([5, 3])

    def outputs(layer, x):
        if packed:  # the lengths stay on the CPU, as CUDA wants them
            rows, _ = layer(pack_padded_sequence(x, lengths, batch_first=True))
            rows, counts = pad_packed_sequence(rows, batch_first=True)
            assert counts.device == CPU
        else:
            rows, _ = layer(x)
        (rows**2).sum().backward()
        return rows.detach(), [p.grad for p in layer.parameters()]

    there = copy.deepcopy(layer).to(SIM)
    rows, gradients = outputs(layer, x)
    rows_there, gradients_there = outputs(there, x.to(SIM))
    torch.testing.assert_close(rows_there.cpu(), rows)
    for gradient, gradient_there in zip(gradients, gradients_there, strict=True):
        torch.testing.assert_close(gradient_there.cpu(), gradient)


@pytest.mark.parametrize("fused", [False, True])
def test_adam_takes_the_cpus_steps(fused):
    layer = nn.Linear(3, 2)
    there = copy.deepcopy(layer).to(SIM)
    for one in (layer, there):
        optimizer = torch.optim.Adam(one.parameters(), fused=fused)
        for _ in range(3):
            one(torch.ones(1, 3, device=one.weight.device)).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(there.weight.cpu(), layer.weight)


# --- noise ----------------------------------------------------------------------------------------------------------

DRAWN = {
    "rand": lambda: torch.rand(8, device=SIM),
    "randn_like": lambda: torch.randn_like(torch.ones(8, device=SIM)),
    "normal_": lambda: torch.ones(8, device=SIM).normal_(),
    "bernoulli": lambda: torch.bernoulli(torch.full((64,), 0.5, device=SIM)),
    "multinomial": lambda: torch.multinomial(torch.ones(64, device=SIM), 8),
    "randperm": lambda: torch.randperm(64, device=SIM),
    "dropout": lambda: functional.dropout(torch.ones(64, device=SIM)),
}


@pytest.mark.parametrize("way", DRAWN)
def test_noise_without_a_generator_is_not_the_cpus(way):
    """A forgotten generator must be seen: under one seed the device draws other numbers, and leaves the CPU's state alone."""
    draw = DRAWN[way]
    with torch.random.fork_rng(device_type="sim"):
        torch.manual_seed(0)
        state = torch.get_rng_state()
        there = draw().cpu()
        assert torch.equal(torch.get_rng_state(), state)
        assert not torch.equal(draw().cpu(), there)  # it goes on
        torch.manual_seed(0)
        assert torch.equal(draw().cpu(), there)  # and is repeated by its seed
        torch.manual_seed(0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(globals(), "SIM", CPU)
            assert not torch.equal(draw(), there)


def test_unseeded_noise_is_another_in_each_process():
    """As on CUDA, so that figures which depend on it are seen to."""
    code = "import simulated_device, torch; print(torch.rand(3, device=simulated_device.install()))"
    folder = Path(simulated_device.__file__).parent
    drawn = {subprocess.check_output([sys.executable, "-c", code], cwd=folder, text=True) for _ in range(2)}
    assert len(drawn) == 2


def test_a_generator_of_the_device_draws_there():
    drawn = [torch.randn(4, device=SIM, generator=seeded("sim", seed)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0].cpu(), torch.randn(4, generator=seeded()))
    assert seeded("sim", 5).device == SIM
    assert seeded("sim", 5).initial_seed() == 5
    assert isinstance(seeded("sim"), torch.Generator)
    assert isinstance(seeded("cpu"), torch.Generator)


def test_fork_rng_puts_the_devices_noise_back():
    torch.manual_seed(3)
    expected = torch.rand(2, device=SIM)
    torch.manual_seed(3)
    with torch.random.fork_rng(device_type="sim"):
        torch.rand(100, device=SIM)
    assert torch.equal(torch.rand(2, device=SIM), expected)


# --- shown, set, kept -----------------------------------------------------------------------------------------------


def test_it_is_shown_with_its_device():
    assert repr(on_sim(1.0, 2.0)) == "tensor([1., 2.], device='sim:0')"
    parameter = nn.Parameter(on_sim(1.0))
    assert repr(parameter.detach()) == "tensor([1.], device='sim:0')"
    assert "requires_grad=True)" in repr(parameter)
    assert "grad_fn=<MulBackward0>)" in repr(parameter * 2)
    assert f"{on_sim(1.0).sum():.2f} {on_sim(3).sum():d} {on_sim(1, 2)}" == "1.00 3 tensor([1, 2], device='sim:0')"


def test_data_can_be_set():
    layer = nn.Linear(2, 1, bias=False).to(SIM)
    layer.weight.data = torch.ones(1, 2).to(SIM)
    assert layer(on_sim(1.0, 2.0)).tolist() == [3.0]
    layer.weight.data.mul_(2)
    assert layer.weight.tolist() == [[2.0, 2.0]]
    assert layer.double().weight.dtype == torch.float64
    assert layer(on_sim(1.0, 2.0).double()).tolist() == [6.0]


def test_memory_is_pinned_on_the_cpu_only():
    pinned = torch.ones(2).pin_memory()
    assert pinned.device == CPU
    assert pinned.to(SIM, non_blocking=True).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="only dense CPU tensors"):
        on_sim(1.0).pin_memory()


@pytest.mark.parametrize("place", [None, "cpu", "sim"])
@pytest.mark.parametrize("saved_on", ["cpu", "sim"])
def test_weights_are_saved_and_loaded_to_where_they_are_wanted(saved_on, place):
    layer = nn.Linear(2, 3).to(saved_on)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    loaded = torch.load(file, map_location=place, weights_only=True)
    assert loaded["weight"].device.type == (place or saved_on)
    assert torch.equal(loaded["weight"].cpu(), layer.weight.detach().cpu())
    fresh = nn.Linear(2, 3).to(SIM)
    fresh.load_state_dict(loaded)  # copies from either
    assert torch.equal(fresh.weight.cpu(), layer.weight.cpu())
    assert torch.equal(pickle.loads(pickle.dumps(on_sim(1.0, 2.0))), on_sim(1.0, 2.0))


def test_weights_pass_through_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    layer = nn.Linear(2, 3).to(SIM)
    safetensors.save_file(layer.state_dict(), tmp_path / "layer.safetensors")
    loaded = safetensors.load_file(tmp_path / "layer.safetensors")
    assert loaded["weight"].device == CPU
    assert torch.equal(loaded["weight"], layer.weight.detach().cpu())
