"""A pretended accelerator: the device ``sim`` computes on the CPU and refuses what CUDA refuses.

``install()`` registers it with torch, once a process, and returns the device. A tensor there is a ``SimulatedTensor``, which
holds a CPU tensor that nobody else can reach. Every operation comes by ``_dispatch``, which raises ``MixedDevices`` where
tensors, or a generator, of two devices meet, runs the operation on the CPU, and wraps the results again. So code that forgets a
``.to(device)``, or draws with the wrong generator, fails on a machine without a GPU as it would fail on one with it; what is
right gives the CPU's numbers. It is slow: three to eight times slower than the CPU alone.

What it does not pretend: streams and asynchrony, several devices, memory that runs out, other rounding than the CPU's. And it
does not see a generator of the device that draws on the CPU, nor takes a CPU parameter's ``.data`` onto the device.
"""

import functools
import secrets
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch.utils import backend_registration
from torch.utils._pytree import tree_map

NAME = "sim"
CPU = torch.device("cpu")


class MixedDevices(RuntimeError):
    """Tensors, or a tensor and a generator, of two devices met in one operation."""


# --- the device's own random numbers --------------------------------------------------------------------------------

_CpuGenerator = torch.Generator


class SimulatedGenerator(_CpuGenerator):
    """A generator of the device. Its stream differs from that of a CPU generator with the same seed, as CUDA's does."""

    device = property(lambda self: torch.device(NAME, 0))
    _addresses: ClassVar[set[int]] = set()

    def __new__(cls, device: object = NAME) -> "SimulatedGenerator":
        generator = super().__new__(cls)
        # Operations see it as a new Python object each time, so it is known by its address, while it lives.
        cls._addresses.add(generator._cdata)
        weakref.finalize(generator, cls._addresses.discard, generator._cdata)
        generator.manual_seed(_CpuGenerator.initial_seed(generator))
        return generator

    @classmethod
    def is_one(cls, generator: _CpuGenerator) -> bool:
        return generator._cdata in cls._addresses

    def manual_seed(self, seed: int) -> "SimulatedGenerator":
        self._seed = seed
        super().manual_seed((seed * 6364136223846793005 + 1442695040888963407) % 2**63)
        return self

    def initial_seed(self) -> int:
        return self._seed

    def seed(self) -> int:
        self.manual_seed(secrets.randbits(63))
        return self._seed


class _GeneratorOfAnyDevice(type(_CpuGenerator)):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _CpuGenerator)

    def __call__(cls, device: object = "cpu") -> _CpuGenerator:
        if cls is Generator and torch.device(device).type == NAME:
            return SimulatedGenerator()
        return _CpuGenerator(device)


class Generator(metaclass=_GeneratorOfAnyDevice):
    """Stands for ``torch.Generator``, and knows the device, too."""


def _seeded_by_chance() -> SimulatedGenerator:
    generator = SimulatedGenerator()
    generator.seed()
    return generator


class Module:
    """What torch asks of a device's module, found as ``torch.sim``."""

    default_generator = _seeded_by_chance()
    default_generators = (default_generator,)

    is_available = staticmethod(lambda: True)
    is_initialized = staticmethod(lambda: True)
    _is_in_bad_fork = staticmethod(lambda: False)
    device_count = staticmethod(lambda: 1)
    current_device = staticmethod(lambda: 0)
    set_device = staticmethod(lambda device: None)
    synchronize = staticmethod(lambda device=None: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.bfloat16, torch.float16])

    @classmethod
    def manual_seed_all(cls, seed: int) -> None:
        cls.default_generator.manual_seed(seed)

    manual_seed = manual_seed_all

    @classmethod
    def initial_seed(cls) -> int:
        return cls.default_generator.initial_seed()

    @classmethod
    def get_rng_state(cls, device: object = 0) -> torch.Tensor:
        return cls.default_generator.get_state()

    @classmethod
    def set_rng_state(cls, state: torch.Tensor, device: object = 0) -> None:
        cls.default_generator.set_state(state)

    @classmethod
    def get_rng_state_all(cls) -> list[torch.Tensor]:
        return [cls.get_rng_state()]

    @classmethod
    def set_rng_state_all(cls, states: list[torch.Tensor]) -> None:
        cls.set_rng_state(states[0])


# --- its tensors ----------------------------------------------------------------------------------------------------


class SimulatedTensor(torch.Tensor):
    """A tensor on the device; ``raw`` holds its numbers."""

    raw: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> "SimulatedTensor":
        tensor = torch.Tensor._make_wrapper_subclass(
            cls, raw.size(), strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype, device=device()
        )
        tensor.raw = raw
        return tensor

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return _dispatch(func, args, kwargs or {})

    @property
    def data(self) -> torch.Tensor:
        return self.detach()

    @data.setter
    def data(self, new: torch.Tensor) -> None:
        if not isinstance(new, SimulatedTensor):
            raise MixedDevices(f"a {NAME} tensor's .data was set to a tensor on {new.device}")
        torch.Tensor.data.__set__(self, new)
        self.raw = new.raw

    # An index that is a list of Python becomes a tensor in C++, past the dispatcher.
    def __getitem__(self, index: Any) -> torch.Tensor:
        return super().__getitem__(_with_tensors(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_with_tensors(index), value)

    def tolist(self) -> Any:
        return self.raw.tolist()

    def numpy(self, *args: object, **options: object) -> Any:
        raise TypeError(
            f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy it to the host first."
        )

    __array__ = numpy

    def untyped_storage(self) -> torch.UntypedStorage:
        return self.raw.untyped_storage()  # for those who ask whether two tensors share one

    def pin_memory(self, device: object = None) -> torch.Tensor:
        raise RuntimeError("cannot pin a tensor of the device: only dense CPU tensors can be pinned")

    def is_pinned(self, device: object = None) -> bool:
        return False

    def new_tensor(self, values: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> torch.Tensor:
        place = self.device if device is None else device
        return torch.tensor(values, dtype=dtype or self.dtype, device=place, requires_grad=requires_grad)

    def __repr__(self, **options: Any) -> str:
        told = repr(self.raw.detach())[:-1] + f", device='{self.device}'"
        if self.grad_fn is not None:
            return f"{told}, grad_fn=<{type(self.grad_fn).__name__}>)"
        return told + (", requires_grad=True)" if self.requires_grad else ")")

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.dim() == 0 else repr(self), spec)

    def __reduce_ex__(self, protocol: int) -> tuple:
        # torch's own way for devices without storage; on loading it asks where to, so that map_location is heeded.
        rebuilt = (self.detach().cpu(), self.dtype, str(self.device), self.requires_grad)
        return torch._utils._rebuild_device_tensor_from_cpu_tensor, rebuilt


def _with_tensors(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_with_tensors(part) for part in index)
    return torch.tensor(index) if isinstance(index, list) else index


def _is_simulated(value: object) -> bool:
    return isinstance(value, SimulatedTensor)


def _raw(value: Any) -> Any:
    return value.raw if isinstance(value, SimulatedTensor) else value


# --- every operation ------------------------------------------------------------------------------------------------

COPIES = {"aten::copy_", "aten::_to_copy", "aten::_copy_from"}  # the ways from one device to the other
INDEXING = {"aten::index", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_", "aten::_unsafe_index"}
ON_CPU = {"aten::_pack_padded_sequence": 1}  # which argument CUDA, too, wants on the CPU, and which result it leaves there


@dataclass(frozen=True)
class Operation:
    """What ``_dispatch`` must know of one of torch's operations."""

    name: str
    compute: Callable[..., Any]
    changes: bool  # it writes to an argument: the first, or ``out``
    takes_numbers: bool  # a CPU tensor without dimensions may stand beside tensors of the device
    draws: bool

    @classmethod
    @functools.cache
    def of(cls, func: Any) -> "Operation":
        name, tags = func._schema.name, func.tags
        return cls(
            name=name,
            compute=FUSED.get(name, func),
            changes=func._schema.is_mutable,
            takes_numbers=torch.Tag.pointwise in tags,
            draws=torch.Tag.nondeterministic_seeded in tags,
        )


def _dispatch(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    operation = Operation.of(func)
    tensors = list(_tensors(args)) + list(_tensors(kwargs.values()))
    _refuse_mixed(operation, args, tensors)
    place = kwargs.get("device")
    on_device = any(map(_is_simulated, tensors)) if place is None else torch.device(place).type == NAME
    generator = kwargs.get("generator")
    _refuse_foreign_generator(operation.name, generator, on_device)
    raw_args, raw_kwargs = _mapped(_raw, args), {key: _mapped(_raw, value) for key, value in kwargs.items()}
    if place is not None:
        raw_kwargs["device"] = CPU
    if "pin_memory" in raw_kwargs:
        raw_kwargs["pin_memory"] = False
    if on_device and operation.draws and generator is None:
        result = _with_the_devices_noise(operation.compute, raw_args, raw_kwargs)
    else:
        result = operation.compute(*raw_args, **raw_kwargs)
    if not on_device:
        return result
    if operation.name in ON_CPU:
        return tuple(t if i == ON_CPU[operation.name] else SimulatedTensor(t) for i, t in enumerate(result))
    if operation.changes:  # perhaps to another shape
        for tensor in filter(_is_simulated, tensors):
            if tensor.shape != tensor.raw.shape or tensor.stride() != tensor.raw.stride():
                tensor.data = SimulatedTensor(tensor.raw)
    # What an operation changes in place it hands back as the very tensor that it was given.
    given = {id(t.raw): t for t in tensors if _is_simulated(t)}
    return _mapped(lambda t: _wrapped(t, given), result)


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """The tensors among an operation's arguments, which come alone or in lists."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """``change`` of a value, or of each in a list."""
    return type(value)(_mapped(change, v) for v in value) if isinstance(value, list | tuple) else change(value)


def _wrapped(result: Any, given: dict[int, SimulatedTensor]) -> Any:
    if not isinstance(result, torch.Tensor):
        return result
    return given[id(result)] if id(result) in given else SimulatedTensor(result)


def _refuse_mixed(operation: Operation, args: tuple, tensors: list[torch.Tensor]) -> None:
    name = operation.name
    if name in COPIES:
        return
    if name in INDEXING:
        return _refuse_mixed_indices(name, *args[:3])
    exempt = None
    if name in ON_CPU:
        exempt = args[ON_CPU[name]]
        if _is_simulated(exempt):
            raise MixedDevices(f"{name}: argument {ON_CPU[name] + 1} must be on the CPU, got {exempt.device}")
    foreign = [t for t in tensors if not _is_simulated(t) and t is not exempt]
    if operation.takes_numbers:  # added to, or compared with, but not written to
        foreign = [t for t in foreign if t.dim() > 0 or (operation.changes and t is args[0])]
    if foreign and any(map(_is_simulated, tensors)):
        raise MixedDevices(
            f"{name}: expected all tensors on the same device, found one on {NAME}:0 and {tuple(foreign[0].shape)} on the CPU"
        )


def _refuse_mixed_indices(name: str, indexed: torch.Tensor, indices: Any, values: Any = None) -> None:
    """A tensor of the device may be indexed from the CPU, not the other way round; what is put there lies beside it."""
    if not _is_simulated(indexed) and any(map(_is_simulated, _tensors(indices))):
        raise MixedDevices(f"{name}: indices should be on the CPU, where the indexed tensor is, found {NAME}:0")
    if (
        isinstance(values, torch.Tensor)
        and _is_simulated(values) != _is_simulated(indexed)
        and (values.dim() > 0 or not _is_simulated(indexed))
    ):
        raise MixedDevices(f"{name}: expected values on {indexed.device}, found them on {values.device}")


def _refuse_foreign_generator(name: str, generator: Any, on_device: bool) -> None:
    if generator is not None and SimulatedGenerator.is_one(generator) != on_device:
        expected, found = (NAME, "cpu") if on_device else ("cpu", NAME)
        raise MixedDevices(f"{name}: expected a '{expected}' device type for generator but found '{found}'")


def _with_the_devices_noise(compute: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
    """Draw from the device's global generator, whatever the operation: its state takes the CPU's place meanwhile."""
    before = torch.default_generator.get_state()
    torch.default_generator.set_state(Module.default_generator.get_state())
    try:
        return compute(*args, **kwargs)
    finally:
        Module.default_generator.set_state(torch.default_generator.get_state())
        torch.default_generator.set_state(before)


# --- what torch asks only of accelerators ---------------------------------------------------------------------------


def _lstm_cell(input_gates, hidden_gates, cell, input_bias=None, hidden_bias=None):
    gates = input_gates + hidden_gates
    if input_bias is not None:
        gates = gates + input_bias + hidden_bias
    enter, forget, candidate, output = gates.chunk(4, 1)
    enter, forget, candidate, output = enter.sigmoid(), forget.sigmoid(), candidate.tanh(), output.sigmoid()
    new_cell = forget * cell + enter * candidate
    return output * new_cell.tanh(), new_cell, torch.cat([enter, forget, candidate, output], 1)


def _lstm_cell_backward(grad_hidden, grad_cell, cell, new_cell, gates, has_bias):
    if grad_hidden is None and grad_cell is None:
        return None, None, None
    enter, forget, candidate, output = gates.chunk(4, 1)
    squashed = new_cell.tanh()
    grad_hidden = torch.zeros_like(cell) if grad_hidden is None else grad_hidden
    flowing = grad_hidden * output * (1 - squashed.square()) + (0 if grad_cell is None else grad_cell)
    grad_gates = torch.cat(
        [
            flowing * candidate * enter * (1 - enter),
            flowing * cell * forget * (1 - forget),
            flowing * enter * (1 - candidate.square()),
            grad_hidden * squashed * output * (1 - output),
        ],
        1,
    )
    return grad_gates, flowing * forget, grad_gates.sum(0) if has_bias else torch.empty(0)


def _gru_cell(input_gates, hidden_gates, hidden, input_bias=None, hidden_bias=None):
    input_reset, input_update, input_new = (input_gates if input_bias is None else input_gates + input_bias).chunk(3, 1)
    hidden_reset, hidden_update, hidden_new = (hidden_gates if hidden_bias is None else hidden_gates + hidden_bias).chunk(3, 1)
    reset, update = (input_reset + hidden_reset).sigmoid(), (input_update + hidden_update).sigmoid()
    new = (input_new + reset * hidden_new).tanh()
    return new + update * (hidden - new), torch.cat([reset, update, new, hidden, hidden_new], 1)


def _gru_cell_backward(grad, workspace, has_bias):
    reset, update, new, hidden, hidden_new = workspace.chunk(5, 1)
    grad_new = grad * (1 - update) * (1 - new.square())
    grad_update = grad * (hidden - new) * update * (1 - update)
    grad_reset = grad_new * hidden_new * reset * (1 - reset)
    to_input = torch.cat([grad_reset, grad_update, grad_new], 1)
    to_hidden = torch.cat([grad_reset, grad_update, grad_new * reset], 1)
    biases = (to_input.sum(0), to_hidden.sum(0)) if has_bias else (torch.empty(0), torch.empty(0))
    return to_input, to_hidden, grad * update, *biases


# Accelerators run a recurrent cell as one operation, which the CPU does not have.
FUSED = {
    "aten::_thnn_fused_lstm_cell": _lstm_cell,
    "aten::_thnn_fused_lstm_cell_backward_impl": _lstm_cell_backward,
    "aten::_thnn_fused_gru_cell": _gru_cell,
    "aten::_thnn_fused_gru_cell_backward": _gru_cell_backward,
}


# --- the registration -----------------------------------------------------------------------------------------------


@functools.cache
def device() -> torch.device:
    """The device, once it is installed."""
    return torch.device(NAME, 0)


@functools.cache
def install() -> torch.device:
    """Register the device with torch, for the rest of the process, and return it."""
    backend_registration._setup_privateuseone_for_python_backend(rename=NAME, backend_module=Module)
    library = torch.library.Library("_", "IMPL")
    library.fallback(lambda func, *args, **kwargs: _dispatch(func, args, kwargs), "PrivateUse1")
    install.library = library  # it ends with its last reference
    torch.Generator = Generator
    torch.tensor, torch.as_tensor = _through_the_cpu(torch.tensor), _through_the_cpu(torch.as_tensor)
    torch.Tensor.pin_memory = lambda self, device=None: self.clone()
    torch.load = _onto_the_device(torch.load)
    return device()


def for_the_lessons() -> None:
    """Install it as what ``training.find_device`` finds, for "auto" as well."""
    from vae_course import training

    install()
    find_device = training.find_device
    training.find_device = lambda name="auto": device() if name in (NAME, "auto") else find_device(name)


def _through_the_cpu(build: Any) -> Any:
    """These read Python values in C++, past the dispatcher: so they are read on the CPU, and then moved."""

    @functools.wraps(build)
    def built(values: Any, *, device: Any = None, requires_grad: bool = False, **options: Any) -> torch.Tensor:
        if device is None or torch.device(device).type != NAME:
            options |= {"requires_grad": True} if requires_grad else {}
            return build(values, device=device, **options)
        return build(values, **options).to(device).requires_grad_(requires_grad)

    return built


def _onto_the_device(load: Any) -> Any:
    """What was saved anywhere can be wanted on the device, which has no storages of its own to load into."""

    @functools.wraps(load)
    def loaded(file: Any, map_location: Any = None, **options: Any) -> Any:
        if isinstance(map_location, str | torch.device) and torch.device(map_location).type == NAME:
            values = load(file, map_location="cpu", **options)
            return tree_map(lambda value: value.to(map_location) if isinstance(value, torch.Tensor) else value, values)
        return load(file, map_location=map_location, **options)

    return loaded
