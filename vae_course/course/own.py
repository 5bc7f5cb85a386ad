"""The commands for a text of one's own: train a model on a file, keep it in a folder, use it on other texts."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vae_course.course.options import Device, stopping_at

if TYPE_CHECKING:
    from vae_course.applications.own.task import Task

PANEL = "For a text of your own"
STOPPED = 130  # the exit status of a program that Ctrl-C stopped

training = typer.Typer(no_args_is_help=True, help="Train a model on a file of yours, and keep it in a folder.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="Your text.")]
Pairs = Annotated[Path, typer.Argument(metavar="FILE", help="Two texts a line, a tab between them; or .csv, .jsonl, .json.")]
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder for the model.")]
Model = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that vae-course train made.")]
Texts = Annotated[Path, typer.Argument(metavar="FILE", help="A text a line; or .csv, .tsv, .jsonl, .json.")]
Groups = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help='A text a line, a blank line between groups; or a document a line; or .jsonl with "texts" or "text".',
    ),
]
OneColumn = Annotated[str | None, typer.Option(metavar="A", help="Which column of a table, by name or counted from 1.")]
Label = Annotated[str | None, typer.Option(metavar="B", help="The column that says what each text is, such as stars.")]
Lines = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A text a line, UTF-8; without it standard input.")]
GroupsToRead = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="As for training; without it standard input.")]
Quick = Annotated[bool, typer.Option("--quick", metavar="", help="A first result in about a minute; worse than the usual one.")]
Devices = Annotated[int, typer.Option("--devices", metavar="N", min=1, help="Processes that train together, or GPUs.")]
Columns = Annotated[str | None, typer.Option(metavar="A,B", help="Which columns of a table, by name or counted from 1.")]
Languages = Annotated[
    str | None, typer.Option("--columns", metavar="A,B,...", help="As above; more than two: from the first into each other.")
]
Into = Annotated[str | None, typer.Option(metavar="B", help="The language that is wanted, of a model of several.")]
Where = Annotated[Device, typer.Option("--device", help="auto takes CUDA where there is one.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module to the course's."""
    app.add_typer(training, name="train", rich_help_panel=PANEL)
    for command in (translate, generate, interpolate, summarize, correct, evaluate):
        app.command(rich_help_panel=PANEL)(command)


# --- training ---------------------------------------------------------------------------------------------------------


@training.command("translate")
def train_translate(
    file: Pairs, to: To, columns: Languages = None, quick: Quick = False, device: Where = Device.auto, devices: Devices = 1
) -> None:
    """A translator, from pairs of texts: a text and its translation on each line, three thousand of them or more.

    Or into several languages: a table with a column for each, such as --columns english,french,chinese.
    """
    from vae_course.applications.own import translate as own

    with _told_in_a_line(to):
        _train(own.prepared(file, _columns_of(columns, least=2), quick), to, device, devices)


@training.command("generate")
def train_generate(
    file: Texts,
    to: To,
    column: OneColumn = None,
    label: Label = None,
    quick: Quick = False,
    device: Where = Device.auto,
    devices: Devices = 1,
) -> None:
    """A model that writes sentences like those of a text, asked for by words, or by labels if each sentence has one."""
    from vae_course.applications.own import generate as own

    with _told_in_a_line(to):
        _train(own.prepared(file, _column(column), _column(label), quick), to, device, devices)


@training.command("summarize")
def train_summarize(file: Groups, to: To, quick: Quick = False, device: Where = Device.auto, devices: Devices = 1) -> None:
    """A model that summarizes groups of texts, such as reviews of one thing, or long documents passage by passage."""
    from vae_course.applications.own import summarize as own

    with _told_in_a_line(to):
        _train(own.prepared(file, quick), to, device, devices)


@training.command("correct")
def train_correct(
    file: Texts, to: To, column: OneColumn = None, quick: Quick = False, device: Where = Device.auto, devices: Devices = 1
) -> None:
    """A corrector, from right text alone: it makes the errors that it learns to mend."""
    from vae_course.applications.own import correct as own

    with _told_in_a_line(to):
        _train(own.prepared(file, _column(column), quick), to, device, devices)


def _named(column: str) -> str | int:
    """A column by its number, counted from 1, or by its name."""
    return int(column) if column.strip().isdigit() else column.strip()


def _column(given: str | None) -> str | int | None:
    return None if given is None else _named(given)


def _columns_of(columns: str | None, least: int = 1) -> "tuple[str | int, ...] | None":
    if columns is None:
        return None
    named = tuple(map(_named, columns.split(",")))
    if len(named) < least:
        raise ValueError(f"--columns: expected two or more, such as 1,3 or english,french; got {columns}")
    if len(set(named)) < len(named):
        raise ValueError(f"--columns: expected different ones, such as 1,3 or english,french; got {columns}")
    return named


def _train(task: "Task", to: Path, device: Device, devices: int) -> None:
    from vae_course import processes
    from vae_course.applications.own import task as tasks

    if processes.in_a_team():
        processes.end_at_control_c()
    elif devices > 1:
        tasks.check_free(to)
        _check_gpus(device, devices)
        processes.together(devices, [sys.executable, "-m", "vae_course", *sys.argv[1:]])
        return
    report = tasks.run(task, to, _device(device), typer.echo)
    typer.echo(tasks.score_table(report.scores))
    typer.echo(tasks.how_it_went(report, task))
    file = "" if task.application == "generate" else " FILE"
    typer.echo(f"The model is in {to}. Use it: vae-course {task.application} {to}{file}")


def _check_gpus(device: Device, devices: int) -> None:
    import torch

    if _device(device).type == "cuda" and devices > torch.cuda.device_count():
        raise ValueError(f"--devices {devices}: there are {torch.cuda.device_count()} GPUs here; or take --device cpu")


# --- use --------------------------------------------------------------------------------------------------------------


def translate(folder: Model, file: Lines = None, into: Into = None, device: Where = Device.auto) -> None:
    """Translate a text, line by line, with a model of `vae-course train translate`."""
    with _told_in_a_line():
        translator = _loaded(folder, "translate", device)
        lines = translator.into(into, _lines(file))
        if unknown := [str(number) for number, line in enumerate(lines, 1) if translator.source.unknown([line])]:
            which = f"{'s' * (len(unknown) > 1)} {', '.join(unknown[:8])}{', ...' * (len(unknown) > 8)}"
            told = f"Line{which}: parts of words that were never seen in training, so do not trust what is written for them."
            typer.secho(told, err=True, fg="yellow")
        for line in translator(lines):
            typer.echo(line)


def generate(
    folder: Model,
    count: Annotated[int, typer.Option(min=1, help="How many texts.")] = 5,
    holding: Annotated[str, typer.Option("--with", metavar="WORDS", help="Words that each text must hold.")] = "",
    label: Annotated[str | None, typer.Option(help="A label that the model was trained with.")] = None,
    seed: Annotated[int, typer.Option(help="Another number gives other texts.")] = 0,
    device: Where = Device.auto,
) -> None:
    """Write texts with a model of `vae-course train generate`."""
    from vae_course.training import seeded

    with _told_in_a_line():
        writer = _loaded(folder, "generate", device)
        found = writer.write(count, seeded(seed), holding.split(), label)
        for text in found:
            typer.echo(text)
        if len(found) < count:
            typer.secho(f"Of many draws only {len(found)} held {holding!r}.", err=True, fg="yellow")


def interpolate(
    folder: Model,
    file: Lines = None,
    steps: Annotated[int, typer.Option(min=2, help="How many texts, both ends among them.")] = 7,
    device: Where = Device.auto,
) -> None:
    """Write what lies between two texts, given as two lines, with a model of `vae-course train generate`."""
    with _told_in_a_line():
        writer = _loaded(folder, "generate", device)
        ends = [line for line in _lines(file) if line.strip()]
        if len(ends) != 2:
            raise ValueError(f"expected two lines with text, the ends of the way, got {len(ends)}")
        for text in writer.between(*ends, steps):
            typer.echo(text)


def summarize(folder: Model, file: GroupsToRead = None, device: Where = Device.auto) -> None:
    """Summarize groups of texts, or documents, with a model of `vae-course train summarize`: a line for each."""
    from vae_course.applications.own import groups

    with _told_in_a_line():
        summarizer = _loaded(folder, "summarize", device)
        found = groups.groups_in("\n".join(_lines(None))) if file is None else groups.read_groups(file)
        for text in summarizer(found):
            typer.echo(text)


def correct(
    folder: Model,
    file: Lines = None,
    marks: Annotated[bool, typer.Option("--marks", metavar="", help="Show each change, as [written>meant].")] = False,
    device: Where = Device.auto,
) -> None:
    """Correct a text, line by line, with a model of `vae-course train correct`."""
    with _told_in_a_line():
        corrector = _loaded(folder, "correct", device)
        lines = _lines(file)
        for line in corrector.marked(lines) if marks else corrector(lines):
            typer.echo(line)


def evaluate(folder: Model, file: File, columns: Columns = None, device: Where = Device.auto) -> None:
    """Score a model on a file that it has not seen, of the form that it was trained on; a corrector, on pairs."""
    from vae_course.applications.own import evaluation, task as tasks

    with _told_in_a_line():
        found = evaluation.scores(folder, file, _columns_of(columns), _device(device))
        typer.echo(tasks.score_table(found, "on this file"))


def _device(name: Device) -> Any:  # noqa: ANN401 - torch is imported when it is needed
    from vae_course.training import find_device

    return find_device(name)


def _loaded(folder: Path, application: str, device: Device) -> Any:  # noqa: ANN401 - what each application makes of a folder
    from vae_course.applications.own import evaluation

    return evaluation.loaded(folder, application, _device(device))


def _lines(file: Path | None) -> list[str]:
    """The lines of a file, or of standard input; blank ones stay, so that what is written keeps in step."""
    from vae_course.text.files import text_of

    if file is not None and not file.is_file():
        raise ValueError(f"{file}: there is no such file")
    if file is not None and file.suffix.lower() in (".csv", ".tsv", ".json", ".jsonl", ".ndjson"):
        raise ValueError(f"{file}: is a table or JSON; expected a text a line, so take the texts out of it first")
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
        from vae_course.applications.own.folder import unfinished

        kept = folder is not None and unfinished(folder)
        how = f"what was trained is kept in {folder}, and the same command goes on from there" if kept else "nothing was kept"
        typer.secho(f"\nStopped; {how}.", err=True, fg="yellow")
        raise typer.Exit(STOPPED) from None
