"""Exercises that ask for more than a function of tensors: a module, or a function that changes a model."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vae_course.exercises.attempts import Arguments, Attempt, NotComparableError, Observation
from vae_course.exercises.core import Exercise
from vae_course.training import seeded, seeded_weights

# --- modules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModuleExercise(Exercise):
    """An exercise in which a class, a ``nn.Module``, is asked for.

    An input is what builds the module, ``building`` arguments, and then what it is called with. The reader's module gets our
    weights, by name or else in order, and must give the same as ours. Parts that the lesson reads from it later, by the names
    that its stub gives them, are ``named``: these must be there, and get our weights each for itself, made in whatever order.
    """

    general: ClassVar = ()  # what may be done to a tensor cannot be done to a class

    building: int = 1
    named: tuple[str, ...] = ()

    def parameters(self) -> list[str]:
        """What the class is built with, and what ``forward`` takes."""
        build = list(inspect.signature(self.reference).parameters)[: self.building]
        return [*build, *list(inspect.signature(self.reference.forward).parameters)[1:]]  # type: ignore[attr-defined]

    def run(self, answer: Callable[..., Any], arguments: Arguments) -> Any:  # noqa: ANN401 - whatever an answer returns
        """Build it, give it our weights, call it."""
        sizes, inputs = arguments[: self.building], arguments[self.building :]
        module = answer(*sizes)
        if any(value is ... for value in vars(module).values()):
            return ...
        if missing := [name for name in self.named if not isinstance(getattr(module, name, None), nn.Module)]:
            told = " and ".join(f"self.{name}" for name in missing)
            raise NotComparableError(f"your module has no layer {told}: keep the names of the stub, for the lesson uses them")
        with_our_weights(module, self.reference(*sizes), named=self.named)
        return module(*inputs)

    def form_problem(self, answer: object) -> str | None:
        """It must be a class of modules that is built with the same arguments."""
        if not (inspect.isclass(answer) and issubclass(answer, nn.Module)):
            told = f"an instance of {type(answer).__name__}" if isinstance(answer, nn.Module) else type(answer).__name__
            return f"check needs the class, `class {self.name}(nn.Module):`, got {told}; write its name without ( )."
        if answer.forward is nn.Module.forward:
            return f"{self.name} has no forward: write `def forward(self, ...):`, with what the module does to its input."
        try:
            inspect.signature(answer).bind(*range(self.building))
        except (TypeError, ValueError):
            wanted = ", ".join(self.parameters()[: self.building])
            return f"{self.name} is built with {inspect.signature(answer)}, expected ({wanted})."
        return None


def with_our_weights(module: nn.Module, ours: nn.Module, seed: int = 0, named: tuple[str, ...] = ()) -> None:
    """Draw weights for ``ours`` and copy them into ``module``: by name where the names are the same, else in order.

    Parts that are ``named`` come first, in that order, in both, so that it does not matter in which they were made. All
    entries are drawn, biases too, so that none is left out unseen. Raises ``NotComparableError`` for other shapes.
    """
    generator = seeded(seed)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    theirs, source = _in_order(module, named), _in_order(ours, named)
    by_name = {n: p.shape for n, p in theirs.items()} == {n: p.shape for n, p in source.items()}
    pairs = [(theirs[n], source[n]) for n in source] if by_name else list(zip(theirs.values(), source.values(), strict=False))
    if len(theirs) != len(source) or any(a.shape != b.shape for a, b in pairs):
        raise NotComparableError(f"your module's weights have the shapes {_shapes(theirs)}, expected {_shapes(source)}")
    with torch.no_grad():
        for a, b in pairs:
            a.copy_(b)


def _in_order(module: nn.Module, named: tuple[str, ...]) -> dict[str, nn.Parameter]:
    """All weights of ``module`` by name, those of its ``named`` parts first."""
    every = dict(module.named_parameters())
    first = {name: weight for part in named for name, weight in every.items() if name.split(".")[0] == part}
    return first | every


def _shapes(parameters: dict[str, nn.Parameter]) -> str:
    return ", ".join(f"{name} {tuple(parameter.shape)}" for name, parameter in parameters.items()) or "none"


# --- update steps -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UpdateExercise(Exercise):
    """An exercise in which a function is asked for that changes a model: a step of training, or a whole loop.

    ``start`` makes of an input what the function is called with, each time anew: the same model, optimizer, batch and
    generator of noise. After ``calls`` calls on them the weights must be those that ours leaves, and a weight that could be
    trained before must not be left frozen. The modules at the places in ``spared`` must have got no gradients. Those at the
    places in ``strewn`` get gradients before each call, as another model's step may leave them there.
    """

    general: ClassVar = ()  # here it is the weights that are compared, not a result

    start: Callable[..., Arguments] = tuple
    made_from: tuple[str, ...] = ()
    calls: int = 2
    spared: tuple[int, ...] = ()
    strewn: tuple[int, ...] = ()

    def parameters(self) -> list[str]:
        """What ``start`` takes."""
        return list(self.made_from)

    def get_ready(self, case: Arguments) -> None:
        """Torch's first optimizer imports for seconds: that is not on the reader's time."""
        self.start(*case)

    def run(self, answer: Callable[..., Any], arguments: Arguments) -> Any:  # noqa: ANN401 - whatever an answer returns
        """Call it several times on a fresh start, so that what is not put back to zero shows; then read the weights."""
        live = self.start(*arguments)
        trained = self._to_be_trained(live)
        for _ in range(self.calls):
            for place in self.strewn:
                strew_gradients(live[place])
            returned = answer(*live)
            if returned is ...:
                return ...
            if isinstance(returned, Tensor) and returned.requires_grad:
                told = "what your function returns still carries its graph, which costs memory at every step"
                raise NotComparableError(f"{told}: return loss.detach()")
            if left := trained - self._to_be_trained(live):
                names = " and ".join(sorted(left))
                raise NotComparableError(f"the {names} is frozen after your step: its requires_grad is not what it was")
        for place in self.spared:
            if any(parameter.grad is not None for parameter in live[place].parameters()):
                name = list(inspect.signature(self.reference).parameters)[place]
                raise NotComparableError(f"gradients reached the {name}, which is not moved in this step: detach what it made")
        models = [part for part in live if isinstance(part, nn.Module)]
        weights = torch.cat([p.detach().flatten() for model in models for p in model.parameters()])
        results = {f"set of weights after {self.calls} calls": weights}
        return results | ({"result": returned} if returned is not None else {})

    def _to_be_trained(self, live: Arguments) -> set[str]:
        """The names of the modules among ``live`` all of whose weights gradients may reach."""
        names = inspect.signature(self.reference).parameters
        modules = [(name, part) for name, part in zip(names, live, strict=True) if isinstance(part, nn.Module)]
        return {name for name, module in modules if all(weight.requires_grad for weight in module.parameters())}

    def _difference_told(self, attempt: Attempt, case: Arguments, number: int, got: Observation, want: Observation) -> str:
        if "result" in want and "result" not in got:
            return "your function returned nothing: end it with `return loss.detach()`."
        return super()._difference_told(attempt, case, number, got, want)


def strew_gradients(module: nn.Module) -> None:
    """Add 1 to every gradient in ``module``, as a ``backward`` adds to what it finds there."""
    for weight in module.parameters():
        left = torch.ones_like(weight)
        weight.grad = left if weight.grad is None else weight.grad + left


def start_of(build: Callable[[], nn.Module], seed: int, like: Tensor) -> nn.Module:
    """A module with weights that depend on ``seed`` alone, in the dtype and on the device of ``like``."""
    with seeded_weights(seed):
        return build().to(like)
