"""The commands for a text of one's own: train a model on a file, keep it in a folder, use it on other texts."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vae_course.course.options import Device, stopping_at

if TYPE_CHECKING:
    from vae_course.applications.own.task import Report, Score, Task

PANEL = "For a text of your own"
STOPPED = 130  # the exit status of a program that Ctrl-C stopped

training = typer.Typer(no_args_is_help=True, help="Train a model on a file of yours, and keep it in a folder.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="Your text.")]
Pairs = Annotated[Path, typer.Argument(metavar="FILE", help="Two texts a line, a tab between them; or .csv, .jsonl, .json.")]
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder for the model.")]
Model = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that vae-course train made.")]
Lines = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A text a line, UTF-8; without it standard input.")]
Quick = Annotated[bool, typer.Option("--quick", metavar="", help="A first result in about a minute; worse than the usual one.")]
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Which columns of a table, by name or counted from 1.")]
Where = Annotated[Device, typer.Option("--device", help="auto takes CUDA where there is one.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to the course's."""
    app.add_typer(training, name="train", rich_help_panel=PANEL)
    for command in (translate, evaluate):
        app.command(rich_help_panel=PANEL)(command)


# --- training ---------------------------------------------------------------------------------------------------------


@training.command("translate")
def train_translate(file: Pairs, to: To, columns: Columns = None, quick: Quick = False, device: Where = Device.auto) -> None:
    """A translator, from pairs of texts: a text and its translation on each line, three thousand of them or more."""
    from vae_course.applications.own import translate as own

    with _told_in_a_line(to):
        _train(own.prepared(file, _pair_of(columns), quick), to, device)


def _pair_of(columns: str | None) -> "tuple[str | int, str | int] | None":
    if columns is None:
        return None
    named = [int(one) if one.strip().isdigit() else one.strip() for one in columns.split(",")]
    if len(named) != 2:
        raise ValueError(f"--columns: expected two, such as 1,3 or english,french; got {columns}")
    return named[0], named[1]


def _train(task: "Task", to: Path, device: Device) -> None:
    from vae_course.applications.own import task as tasks
    from vae_course.training import find_device

    report = tasks.run(task, to, find_device(device), typer.echo)
    typer.echo(_as_table(report.scores))
    typer.echo(_how_it_went(report, task.usual_steps))
    typer.echo(f"The model is in {to}. Use it: vae-course {task.application} {to} FILE")


def _as_table(scores: "Sequence[Score]") -> str:
    """Systems in rows, figures in columns: on the part of the file that no model saw."""
    figures = list(scores[-1][1])
    first = max(len(system) for system, _ in scores)
    lines = [f"{'on the test part':{first}}" + "".join(f"   {figure}" for figure in figures)]
    for system, found in scores:
        lines.append(f"{system:{first}}" + "".join(f"{found[figure]:{len(figure) + 3}.1f}" for figure in figures))
    return "\n".join(lines)


def _how_it_went(report: "Report", usual_steps: int) -> str:
    took = (
        f"{report.steps:,} steps in {report.seconds:.0f} processor seconds; the best weights are of step {report.kept_step:,}."
    )
    if report.steps >= usual_steps:
        return took
    minutes = report.seconds * usual_steps / report.steps / 60
    return (
        f"{took}\nQuick: {report.steps / usual_steps:.0%} of the usual {usual_steps:,} steps, which take about {minutes:.0f} "
        "minutes of this processor and score better."
    )


# --- use --------------------------------------------------------------------------------------------------------------


def translate(folder: Model, file: Lines = None, device: Where = Device.auto) -> None:
    """Translate a text, line by line, with a model of `vae-course train translate`."""
    with _told_in_a_line():
        translator = _loaded(folder, "translate", device)
        for line in translator(_lines(file)):
            typer.echo(line)


def evaluate(folder: Model, file: Pairs, columns: Columns = None, device: Where = Device.auto) -> None:
    """Score a model on a file that it has not seen, of the form that it was trained on."""
    from vae_course.applications.own import evaluation

    with _told_in_a_line():
        typer.echo(_as_table(evaluation.scores(folder, file, _pair_of(columns), _device(device))))


def _device(name: str) -> Any:  # noqa: ANN401 - torch is imported when it is needed
    from vae_course.training import find_device

    return find_device(name)


def _loaded(folder: Path, application: str, device: Device) -> Any:  # noqa: ANN401 - what each application makes of a folder
    from vae_course.applications.own import evaluation

    return evaluation.loaded(folder, application, _device(device))


def _lines(file: Path | None) -> list[str]:
    """The lines of a file, or of standard input; blank ones stay, so that what is written keeps in step."""
    from vae_course.text.files import text_of

    raw = sys.stdin.buffer.read() if file is None else file.read_bytes()
    text = text_of(raw, "standard input" if file is None else str(file))
    return text.removesuffix("\n").split("\n")


@contextmanager
def _told_in_a_line(folder: Path | None = None) -> Iterator[None]:
    """What says itself what is wrong is shown as a line; Ctrl-C says how to go on, where a model was being trained."""
    try:
        with stopping_at(ValueError, OSError, RuntimeError):
            yield
    except KeyboardInterrupt:
        kept = folder is not None and (folder / "training.checkpoint").is_file()
        how = f"what was trained is kept in {folder}, and the same command goes on from there" if kept else "nothing was kept"
        typer.secho(f"\nStopped; {how}.", err=True, fg="yellow")
        raise typer.Exit(STOPPED) from None
