"""Several processes that train one model: each computes on its share of every batch, and all take the same step.

The processes are begun by ``together``, or by torchrun on one machine or several; Accelerate joins them (by gloo on CPUs, by
NCCL on GPUs). A process alone is a team of one, and nothing changes.
"""

import atexit
import os
import signal
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn


@dataclass(frozen=True)
class Team:
    """This process among those that train together: its number, and how many they are."""

    number: int = 0
    size: int = 1

    @classmethod
    def joined(cls, device: torch.device | None = None) -> "Team":
        """The team that the environment names (see torchrun), which is waited for when it is first asked; else a team of one.

        ``device``: of what kind the processes compute on; each takes a GPU of its own.
        """
        if not in_a_team():
            return cls()
        from accelerate import PartialState

        state = PartialState(cpu=device is None or device.type == "cpu")
        atexit.register(state.destroy_process_group)  # the threads of gloo, left to themselves, may abort a process that ends
        return cls(state.process_index, state.num_processes)

    @property
    def leads(self) -> bool:
        """Whether this process speaks and writes files for all."""
        return self.number == 0

    def others_end(self) -> None:
        """End this process, its work being done, unless it leads. Raises ``SystemExit`` with status 0."""
        if not self.leads:
            raise SystemExit(0)

    def share(self, batch: Any) -> tuple[Any, float]:  # noqa: ANN401 - what the losses take
        """Every ``size``-th row of a batch (a tensor, or a tuple of them), and the weight of this share's mean.

        The mean over processes of weight times the share's mean is the mean over the whole batch. Raises ``ValueError`` for a
        batch with fewer rows than there are processes.
        """
        if self.size == 1:
            return batch, 1.0
        if isinstance(batch, Tensor):
            rows = len(batch)
            if rows < self.size:
                raise ValueError(f"a batch of {rows} cannot be shared among {self.size} processes; take larger batches")
            own = batch[self.number :: self.size]
            return own, len(own) * self.size / rows
        parts, weights = zip(*map(self.share, batch), strict=True)
        return type(batch)(*parts), weights[0]

    def noise(self, generator: Generator) -> Generator:
        """A generator of this process's own, which depends on the common one and leaves it as it is; alone that one itself.

        Processes that drew the same noise would be one process with fewer examples.
        """
        if self.size == 1:
            return generator
        common = int(torch.randint(2**62, (), generator=generator.clone_state()))
        return Generator().manual_seed(common + self.number)

    def average(self, values: Sequence[Tensor]) -> None:
        """Set each of the ``values``, in place, to its mean over the processes. Their shapes are alike in all of these."""
        if self.size == 1 or not values:
            return
        from accelerate.utils import reduce

        flat = reduce(torch.cat([value.flatten() for value in values]), reduction="mean")
        for value, mean in zip(values, flat.split([value.numel() for value in values]), strict=True):
            value.copy_(mean.view_as(value))

    def average_gradients(self, model: nn.Module) -> None:
        """Set the gradients to their means; a weight on which the loss of no share depends has none, as in one process."""
        if self.size == 1:
            return
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        used = torch.tensor([float(weight.grad is not None) for weight in weights], device=weights[0].device)
        gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        self.average([*gradients, used])
        for weight, gradient, share in zip(weights, gradients, used.tolist(), strict=True):
            weight.grad = gradient if share else None

    def leaders(self, value: float) -> float:
        """The first process's ``value``, in all of them: what is decided by it is decided alike."""
        if self.size == 1:
            return value
        from accelerate.utils import broadcast_object_list

        return float(broadcast_object_list([value])[0])

    def check_alike(self, models: Iterable[nn.Module]) -> None:
        """Raises ``RuntimeError`` unless the weights are the same in all processes: a loss may have moved some by itself."""
        if self.size == 1:
            return
        from accelerate.utils import gather_object

        own = sum(float(weight.detach().double().sum()) for model in models for weight in model.parameters())
        everywhere = gather_object([own])
        if min(everywhere) != max(everywhere):
            raise RuntimeError(f"the processes' weights are no longer the same (their sums are {everywhere})")


# --- beginning --------------------------------------------------------------------------------------------------------


def in_a_team() -> bool:
    """Whether this process was begun as one of several."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def together(processes: int, command: Sequence[str]) -> None:
    """Run ``command`` in so many processes of this machine, joined to a team, until all have ended.

    Raises ``RuntimeError`` where one of them fails (what it says stands on standard error); Ctrl-C ends them all.
    """
    os.environ.setdefault("LOGLEVEL", "ERROR")  # torch reads it when it is imported: it would report each Ctrl-C
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each process has a processor of its own
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    try:
        elastic_launch(config, command[0])(*command[1:])
    except ChildFailedError as error:
        raise RuntimeError(f"one of {processes} processes failed; what it said stands above") from error
    except SignalException as error:
        raise KeyboardInterrupt from error


def end_at_control_c() -> None:
    """In a process of a team: end at once, without a word; the process that began it says how to go on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
