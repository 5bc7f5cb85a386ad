"""From a file to a model folder, whatever the application: told, trained, scored, kept."""

import hashlib
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from vae_course.applications.own import folder as folders
from vae_course.processes import Team
from vae_course.text.corpora import SPLITS, SplitName
from vae_course.text.cures import Budget
from vae_course.training import Checkpoint, History, OtherSettings
from vae_course.whole_files import make_folder

Score = tuple[str, Mapping[str, float]]  # a system's name, and its figures on the test part of the file


class Application(Protocol):
    """A trained model that does what it was asked for."""

    def kept(self) -> tuple[Mapping[str, torch.Tensor], Mapping[str, str], Mapping[str, Any]]:
        """Its weights, its further files, and the settings that it is built from."""
        ...


class Task(Protocol):
    """A file that was read, with what is to be trained on it.

    ``told``: what was chosen, a line each, for the person whose file it is. ``settings``: all that the training depends on;
    a checkpoint of other settings is refused.
    """

    @property
    def application(self) -> str:
        """The command that uses what is trained."""
        ...

    @property
    def told(self) -> Sequence[str]:
        """See above."""
        ...

    @property
    def budget(self) -> Budget:
        """How long it trains."""
        ...

    @property
    def usual_steps(self) -> int:
        """How many steps are taken where nobody is in a hurry."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """See above."""
        ...

    def trained(self, checkpoint: Checkpoint, device: torch.device | None) -> tuple[Any, History]:
        """Train an ``Application``, or go on from the checkpoint."""
        ...

    def scores(self, application: Any) -> list[Score]:  # noqa: ANN401 - what ``trained`` gave
        """Its figures on sentences that it has not seen, after those of a system that needs no training."""
        ...


@dataclass(frozen=True)
class Report:
    """How a training went: scores, processor seconds of training, and the step whose weights were kept."""

    scores: Sequence[Score]
    seconds: float
    steps: int
    kept_step: int


def run(task: Task, folder: Path, device: torch.device | None, tell: Callable[[str], None]) -> Report:
    """Train ``task`` and keep the model in ``folder``; a run that was stopped there goes on exactly where it was.

    Of several processes that train together, the first alone tells, scores, and keeps the model; the others end here.
    Raises ``ValueError`` where ``folder`` holds a finished model, or a stopped run with other settings, and ``OSError`` where
    nothing can be written.
    """
    check_free(folder)
    team = Team.joined(device)
    make_folder(folder)
    settings = task.settings  # once: they hold the checksum of the file as it is now
    checkpoint = Checkpoint(folder / folders.CHECKPOINT, {"application": task.application, **settings})
    if team.leads:
        for line in task.told:
            tell(line)
        if folders.unfinished(folder):
            tell("going on from where it was stopped")
    application: Application
    try:
        application, history = task.trained(checkpoint, device)
    except OtherSettings as error:
        raise ValueError(
            f"{folder}: holds a stopped training that was begun with another file or other options; give the same ones, with "
            f"--quick if it had that, or another folder ({error})"
        ) from error
    team.others_end()
    tell("scoring on the test part")
    scores = task.scores(application)
    kept_step = history.steps if history.best_epoch is None else round(history.steps * history.best_epoch / history.epochs)
    report = Report(scores, sum(history["cpu_seconds"]), history.steps, kept_step)
    weights, files, built_from = application.kept()
    about = {
        "trained": settings,
        "told": list(task.told),
        "scores": dict(scores),
        "cpu_seconds_of_training": round(report.seconds, 1),
        "kept_step": kept_step,
    }
    folders.write(folder, folders.Kept(task.application, built_from, weights, files, about))
    for left in folders.unfinished(folder):
        left.unlink()
    return report


def check_free(folder: Path) -> None:
    """Raises ``ValueError`` where ``folder`` holds a finished model."""
    if (folder / folders.MODEL).exists():
        raise ValueError(f"{folder}: holds a trained model already; give another folder, or delete it")


def score_table(scores: Sequence[Score], where: str = "on the test part") -> str:
    """Systems in rows, figures in columns: on the part of the file that no model saw."""
    figures = list(scores[-1][1])
    first = max(len(where), *(len(system) for system, _ in scores))
    lines = [f"{where:{first}}" + "".join(f"   {figure}" for figure in figures)]
    for system, found in scores:
        cells = [f"{found[figure]:.1f}" if figure in found else "–" for figure in figures]
        lines.append(
            f"{system:{first}}" + "".join(f"{cell:>{len(figure) + 3}}" for cell, figure in zip(cells, figures, strict=True))
        )
    return "\n".join(lines)


def how_it_went(report: Report, task: Task) -> str:
    """Steps and seconds in words; of a quick run, how far it is from the usual one."""
    seconds = f"{report.seconds:.0f} processor seconds"
    told = f"{report.steps:,} steps in {seconds}; the best weights are of step {report.kept_step:,}."
    share = task.budget.steps / task.usual_steps
    if share < 1:
        minutes = max(1, round(report.seconds / share / 60))
        told += f"\nQuick: {share:.0%} of the usual {task.usual_steps:,} steps, which take about {minutes} "
        told += f"minute{'s' * (minutes > 1)} of a processor and usually score better."
    return told


def file_settings(path: Path) -> dict[str, str]:
    """A file by its name and the checksum of its content."""
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def file_told(path: Path, parts: Mapping[SplitName, Sized], source: str = "") -> str:
    """How many texts of a file there are for what, and what was chosen in it, as a corpus tells in its ``source``."""
    counts = ", ".join(f"{len(parts[split]):,} for {split}" for split in SPLITS)
    return "; ".join([f"{path}: {counts}", *source.split("; ")[1:]])


def shortened(budget: Budget, steps: int) -> Budget:
    """A budget for a first result: at most so many steps, looked at five times."""
    return replace(budget, steps=min(steps, budget.steps), checks=5)
