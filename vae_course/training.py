"""One training loop for every model of the course: progress, history, exact resume, and a stop with a diagnosis on NaN."""

import copy
import io
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler
from tqdm import tqdm

from vae_course.probability.distributions import NotFiniteError
from vae_course.processes import Team
from vae_course.whole_files import write_whole

Metrics = Mapping[str, Tensor]
Loss = Callable[[Any, Generator], Metrics]


def find_device(name: str = "auto") -> torch.device:
    """The device to train on: "auto" takes CUDA where there is one. Raises ``RuntimeError`` if CUDA is asked for and absent.

    Apple's GPUs ("mps") are refused: they have no float64, in which the course measures.
    """
    if name == "mps":
        raise RuntimeError('device: Apple\'s GPUs ("mps") have no float64, in which the course measures; use "cpu" or "auto"')
    if name not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device: expected "auto", "cpu" or "cuda", got {name!r}')
    if name == "cuda" and not torch.cuda.is_available():
        build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "a build for CPU only"
        raise RuntimeError(
            f"CUDA was asked for, but torch {torch.__version__} is {build} and sees {torch.cuda.device_count()} GPUs. "
            'Use device "cpu" or "auto", or install a CUDA build of torch.'
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights are."""
    return next(model.parameters()).device


def seeded(seed: int) -> Generator:
    """A new generator on the CPU. Noise is drawn there and then moved, so a seed gives the same numbers on any device."""
    return Generator().manual_seed(seed)


Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def seeded_weights(seed: int) -> Iterator[None]:
    """Layers built inside have initial weights that depend on ``seed`` alone; torch's global random state stays as it was.

    PyTorch's layers initialize themselves from the global generator, so it is seeded inside a fork and put back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def seeded_module(seed: int, build: Callable[[], Module]) -> Module:
    """What ``build`` builds, with ``seeded_weights``: for where a module is made in passing."""
    with seeded_weights(seed):
        return build()


# --- batches --------------------------------------------------------------------------------------------------------


class Batches(Protocol):
    """What ``train`` needs of a data set: its batches, in an order that depends on the generator alone, and their number."""

    def __len__(self) -> int: ...

    def epoch(self, generator: Generator) -> Iterator[Any]:
        """The batches of one epoch, each of the kind that the losses take."""


@dataclass(frozen=True)
class ShuffledBatches:
    """Batches of a tensor (examples, ...), in a new random order each epoch; the last one may be smaller."""

    examples: Tensor
    batch_size: int

    def __post_init__(self) -> None:
        if self.batch_size < 1 or len(self.examples) == 0:
            raise ValueError(f"expected examples and a batch_size >= 1, got {len(self.examples)} and {self.batch_size}")

    def __len__(self) -> int:
        return -(-len(self.examples) // self.batch_size)

    def epoch(self, generator: Generator) -> Iterator[Tensor]:
        """The batches of one epoch."""
        order = torch.randperm(len(self.examples), generator=generator).to(self.examples.device)
        for chosen in order.split(self.batch_size):
            yield self.examples[chosen]


# --- the loop -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Update:
    """One player's move on each batch: ``loss(batch, generator)`` returns metrics, of which "loss" is minimized.

    An autoencoder or VAE has one player, a GAN two that take turns. ``loss`` draws noise from ``generator`` only: that
    is what makes a resumed run exact.
    """

    model: nn.Module
    optimizer: Optimizer
    loss: Loss
    scheduler: LRScheduler | None = None  # moved on after each step
    max_norm: float | None = None  # gradients whose norm over all parameters is larger are scaled down to it

    @classmethod
    def adam(
        cls,
        model: nn.Module,
        loss: Loss,
        learning_rate: float = 1e-3,
        decay_over: int | None = None,
        max_norm: float | None = None,
    ) -> "Update":
        """Adam (Kingma & Ba 2015) on all of the model's parameters.

        ``decay_over``: in how many steps the learning rate falls to 0, to stay there, along a half cosine (Loshchilov &
        Hutter 2017).
        """
        if decay_over is not None and decay_over < 1:
            raise ValueError(f"decay_over: expected at least 1 step, got {decay_over}")
        # fused: a third less time than the default for models this small
        optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
        scheduler = LambdaLR(optimizer, _half_cosine(decay_over)) if decay_over else None
        return cls(model, optimizer, loss, scheduler, max_norm)


def _half_cosine(steps: int) -> Callable[[int], float]:
    # Not torch's CosineAnnealingLR: it climbs again after its last step.
    return lambda step: 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))


@dataclass
class History:
    """What a training run measured: for every metric its mean over each epoch's batches.

    ``best_epoch``, counted from 1: the one whose weights the models have after early stopping.
    """

    epochs: int = 0
    steps: int = 0
    metrics: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int | None = None

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.metrics:
            raise KeyError(f"no metric {name!r}; this history has {', '.join(sorted(self.metrics)) or 'none yet'}")
        return self.metrics[name]

    def last(self, name: str) -> float:
        """The metric's value in the last epoch."""
        return self[name][-1]

    def steps_of(self, name: str) -> list[float]:
        """How many steps had been taken at each of the metric's values, for the x axis of its curve."""
        parts = len(self[name])
        return [self.steps * (part + 1) / parts for part in range(parts)]

    def __repr__(self) -> str:
        return f"trained {self.epochs} epochs, {self.steps} steps; measured {', '.join(self.metrics)}"


class TrainingDiverged(RuntimeError):
    """A loss or a gradient stopped being finite; the message names the step and the likely cause."""


@dataclass(frozen=True)
class EarlyStopping:
    """End a training that no longer gets better on held-out data, and go back to the weights that were best.

    ``validate`` is called after each epoch: lower is better, and it depends on the weights alone (noise from a generator of its
    own, seeded anew). The first ``warmup`` epochs are measured, but not counted. The training ends when ``patience`` epochs in
    a row have brought no new best. Raises ``ValueError`` for a patience below 1 or a negative warmup.
    """

    validate: Callable[[], float]
    patience: int = 3
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.patience < 1 or self.warmup < 0:
            raise ValueError(f"expected patience >= 1 and warmup >= 0, got {self.patience} and {self.warmup}")

    def best(self, history: History) -> int | None:
        """The epoch, counted from 1, with the lowest value so far; None while none counts."""
        counted = history.metrics.get("validation", [])[self.warmup :]
        return self.warmup + counted.index(min(counted)) + 1 if counted else None

    def ended(self, history: History) -> bool:
        """Whether patience has run out."""
        best = self.best(history)
        return best is not None and history.epochs - best >= self.patience


def train(
    updates: Update | Sequence[Update],
    batches: Batches,
    *,
    epochs: int,
    generator: Generator,
    checkpoint: "Path | Checkpoint | None" = None,
    after_epoch: Callable[[History], None] | None = None,
    stopping: EarlyStopping | None = None,
) -> History:
    """Train for ``epochs`` epochs in all, or until ``stopping`` ends it, and return the history.

    With ``checkpoint``, everything is saved there after each epoch, and a run that finds the file goes on from it to the
    same numbers that an uninterrupted run gives (exactly so on CPU). ``after_epoch`` may record extra curves; it finds the
    models in evaluation mode. With ``stopping`` the history has the values as "validation", and the models end with the weights
    of the best epoch; the checkpoint holds these as well.
    Where several processes train together (see ``processes``), each takes its share of every batch, and the first alone writes.
    Progress shows in a notebook or a terminal; set the environment variable TQDM_DISABLE=1 for silence.
    Raises ``TrainingDiverged`` at the first loss or gradient that is not finite, ``ValueError`` for a checkpoint that cannot be
    gone on from, and ``OSError`` where one cannot be written; both with its path.
    """
    players = [updates] if isinstance(updates, Update) else list(updates)
    if not players or epochs < 1:
        raise ValueError(f"expected at least one update and one epoch, got {len(players)} and {epochs}")
    history, saved = History(), Checkpoint.of(checkpoint)
    models = [player.model for player in players]
    best, team = BestWeights(models), Team.joined(device_of(models[0]))
    if saved is not None and saved.path.exists():
        _restore(saved, players, generator, history, best)
    for player in players:
        player.model.eval()
    # A line of text on stdout, cleared at the end: unlike a widget it leaves nothing half-drawn in a saved notebook.
    shown = sys.stdout if team.leads else io.StringIO()
    bar = tqdm(total=epochs, initial=history.epochs, desc="training", unit="epoch", leave=False, ncols=100, file=shown)
    with bar as progress:
        while history.epochs < epochs and not (stopping is not None and stopping.ended(history)):
            _run_epoch(players, batches, generator, history, team)
            team.check_alike(models)
            if stopping is not None:
                history.metrics.setdefault("validation", []).append(team.leaders(stopping.validate()))
                if stopping.best(history) == history.epochs:
                    best.keep()
            if after_epoch is not None:
                after_epoch(history)
            if saved is not None and team.leads:
                _save(saved, players, generator, history, best)
            progress.set_postfix({name: f"{values[-1]:.4g}" for name, values in history.metrics.items()}, refresh=False)
            progress.update()
    best.put_back()
    history.best_epoch = stopping.best(history) if stopping is not None else None
    return history


class BestWeights:
    """The weights of ``models`` as they were when ``keep`` was called last; none at first."""

    def __init__(self, models: Sequence[nn.Module]):
        self.models = models
        self.weights: list[dict[str, Any]] = []

    def keep(self) -> None:
        """Copy the weights as they are now."""
        self.weights = [copy.deepcopy(model.state_dict()) for model in self.models]

    def put_back(self) -> None:
        """Give the models what was kept; where nothing was, nothing happens."""
        for model, weights in zip(self.models, self.weights, strict=False):  # none were kept without early stopping
            model.load_state_dict(weights)


def _run_epoch(players: list[Update], batches: Batches, generator: Generator, history: History, team: Team) -> None:
    for player in players:
        player.model.train()
    sums: dict[str, Tensor] = {}
    noise = team.noise(generator)
    for batch in batches.epoch(generator):
        share, weight = team.share(batch)
        for player in players:
            try:
                metrics = player.loss(share, noise)
            except NotFiniteError as error:
                raise TrainingDiverged(_diagnosis("the loss", player, [f"the model's {error}"], share, history)) from error
            if "loss" not in metrics:
                raise ValueError(f'a loss function must return a "loss" among its metrics, got {sorted(metrics)}')
            metrics = {name: weight * value for name, value in metrics.items()}
            _step(player, metrics, share, history, team)
            for name, value in metrics.items():
                sums[name] = sums.get(name, 0) + value.detach()
        history.steps += 1
    for player in players:
        player.model.eval()
    history.epochs += 1
    team.average(list(sums.values()))
    for name, total in sums.items():
        history.metrics.setdefault(name, []).append(total.item() / len(batches))


def _step(player: Update, metrics: Metrics, batch: Any, history: History, team: Team) -> None:  # noqa: ANN401 - any kind of batch
    if not torch.isfinite(metrics["loss"]):
        terms = [name for name, value in metrics.items() if not torch.isfinite(value)]
        raise TrainingDiverged(_diagnosis("the loss", player, terms, batch, history))
    player.optimizer.zero_grad(set_to_none=True)
    metrics["loss"].backward()
    team.average_gradients(player.model)
    gradients = [p.grad for p in player.model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if not torch.isfinite(norm):
        raise TrainingDiverged(_diagnosis("a gradient", player, [], batch, history))
    if player.max_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(player.model.parameters(), player.max_norm, norm)
    player.optimizer.step()
    if player.scheduler is not None:
        player.scheduler.step()


def _diagnosis(what: str, player: Update, terms: list[str], batch: Any, history: History) -> str:  # noqa: ANN401
    """Look for the likely cause in the order in which trouble spreads: data, weights, then the loss itself."""
    broken_weights = [name for name, p in player.model.named_parameters() if not torch.isfinite(p).all()]
    learning_rate = player.optimizer.param_groups[0]["lr"]
    if isinstance(batch, Tensor) and batch.is_floating_point() and not torch.isfinite(batch).all():
        cause = "the batch itself holds inf or nan: clean the data"
    elif broken_weights:
        cause = (
            f"the weights {broken_weights[0]} were no longer finite before this step: "
            f"an earlier update was too large; lower the learning rate (now {learning_rate:g}) or clip gradients"
        )
    elif history.steps > 0 and terms:
        cause = (
            f"data and weights are finite, but not {', '.join(terms)}: exp of a large log_var, or log of 0; "
            f"lower the learning rate (now {learning_rate:g}) or bound log_var"
        )
    else:
        cause = (
            "data and weights are finite: look in the loss for a log or square root of 0, a division by 0, "
            "or an exp of a large number"
        )
    where = f"step {history.steps + 1} (epoch {history.epochs + 1})"
    return f"training stopped: {what} is not finite at {where}. Likely cause: {cause}."


# --- checkpoints ----------------------------------------------------------------------------------------------------

ANEW = "give another path, or delete it to start anew"


@dataclass(frozen=True)
class Checkpoint:
    """A file that a training is saved to and goes on from, and the ``settings`` of its run, of types that JSON has.

    A file of a run under other settings is refused: its weights would pass for weights that these settings give.
    """

    path: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: "Path | Checkpoint | None") -> "Checkpoint | None":
        """What was given, where it is a path a checkpoint without settings."""
        return cls(given) if isinstance(given, Path) else given

    def beside(self, ending: str) -> "Checkpoint":
        """Another one under the same settings, whose file's name goes on with ``ending``."""
        return replace(self, path=self.path.with_name(self.path.name + ending))


class OtherSettings(ValueError):
    """What was kept was made under other settings; the message says which differ."""


def check_settings(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raises ``OtherSettings`` where ``path`` was made under other settings than those of ``now``."""
    if differences := _differences(dict(before), dict(now)):
        more = f" and {len(differences) - 5} more" if len(differences) > 5 else ""
        raise OtherSettings(f"{path}: was made under other settings: {', '.join(differences[:5])}{more}; {ANEW}")


def _differences(before: Any, now: Any, name: str = "") -> list[str]:  # noqa: ANN401 - whatever JSON has
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(before.get(key), now.get(key), f"{name}.{key}".strip(".")) for key in {**before, **now}]
        return [line for pair in pairs for line in _differences(*pair)]
    return [] if before == now else [f"{name} was {before}, is now {now}"]


def _state(player: Update) -> dict[str, Any]:
    scheduler = player.scheduler.state_dict() if player.scheduler is not None else None
    return {"model": player.model.state_dict(), "optimizer": player.optimizer.state_dict(), "scheduler": scheduler}


def _save(checkpoint: Checkpoint, players: list[Update], generator: Generator, history: History, best: BestWeights) -> None:
    state = {
        "settings": dict(checkpoint.settings),
        "best": best.weights,
        "players": [_state(player) for player in players],
        "generator": generator.get_state(),
        "history": {"epochs": history.epochs, "steps": history.steps, "metrics": history.metrics},
    }
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(checkpoint.path, content.getvalue())


def _load(path: Path) -> dict[str, Any]:
    content = io.BytesIO(path.read_bytes())
    try:
        state = torch.load(content, map_location="cpu", weights_only=True)
    except Exception:  # torch raises a dozen kinds, and for some advises to run whatever the file holds: not "from" that
        raise ValueError(f"{path}: is no checkpoint, or only a piece of one; {ANEW}") from None
    if not isinstance(state, dict) or state.keys() != {"settings", "best", "players", "generator", "history"}:
        raise ValueError(f"{path}: was saved by an older version of the course, or by another program; {ANEW}")
    return state


def _restore(checkpoint: Checkpoint, players: list[Update], generator: Generator, history: History, best: BestWeights) -> None:
    path, state = checkpoint.path, _load(checkpoint.path)
    check_settings(path, state["settings"], checkpoint.settings)
    if len(state["players"]) != len(players):
        raise ValueError(
            f"{path}: holds {len(state['players'])} models, this run has {len(players)}; it was saved by another run: {ANEW}"
        )
    for player, saved in zip(players, state["players"], strict=True):
        try:
            player.model.load_state_dict(saved["model"])
            player.optimizer.load_state_dict(saved["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{path}: does not fit this model; it was saved by another run: {ANEW}. Torch says: {error}"
            ) from error
        if (player.scheduler is None) != (saved["scheduler"] is None):
            raise ValueError(
                f"{path}: was saved {'without' if saved['scheduler'] is None else 'with'} a schedule of the learning rate, "
                f"unlike this run: {ANEW}"
            )
        if player.scheduler is not None:
            player.scheduler.load_state_dict(saved["scheduler"])
    best.weights = state["best"]
    generator.set_state(state["generator"])
    for name, value in state["history"].items():
        setattr(history, name, value)
