"""The ``vae-course`` command. Heavy imports wait until a command needs them, so that help and ``list`` are quick."""

import os
import subprocess
import sys
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vae_course.course.lessons import Lesson
    from vae_course.course.pages import Outcome

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Variational autoencoders for text: the course.")


class Profile(StrEnum):
    """How much to compute."""

    fast = "fast"
    full = "full"


class Tokens(StrEnum):
    """How to cut a text of the reader's."""

    auto = "auto"
    word = "word"
    character = "character"
    subword = "subword"


class Device(StrEnum):
    """Where to compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


LessonNames = Annotated[list[str] | None, typer.Argument(metavar="[LESSONS]...", help="Names or numbers; all without any.")]


def _stop(error: Exception) -> typer.Exit:
    typer.secho(str(error), err=True, fg="red")
    return typer.Exit(2)


def _lessons(names: list[str] | None) -> "list[Lesson]":
    from vae_course.course.lessons import find_lessons

    try:
        return find_lessons(names or [])
    except (ValueError, FileNotFoundError) as error:
        raise _stop(error) from error


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open the course in JupyterLab, at the first lesson. Further options go to JupyterLab, such as --no-browser."""
    first = _lessons(["00"])[0]
    command = [sys.executable, "-m", "jupyterlab", str(first.path), *context.args]
    raise typer.Exit(subprocess.run(command, cwd=first.path.parent, check=False).returncode)


@app.command("list")
def list_lessons() -> None:
    """List the lessons: the question each answers, minutes with its exercises, measured seconds to run on two CPU cores."""
    typer.echo(f"{'lesson':24}{'question':64}{'takes':>8}{'runs':>7}")
    for lesson in _lessons(None):
        typer.echo(f"{lesson.name:24}{lesson.question:64}{lesson.minutes:>4} min{lesson.seconds:>5} s")


@app.command()
def run(
    lessons: LessonNames = None,
    profile: Annotated[Profile, typer.Option(help="fast: under a minute a lesson; full: trained for longer.")] = Profile.fast,
    device: Annotated[Device, typer.Option(help="auto takes CUDA where there is one.")] = Device.auto,
    corpus: Annotated[str | None, typer.Option(help="For the lessons on text: a file of yours, one sentence a line.")] = None,
    pairs: Annotated[
        str | None, typer.Option(help="For the lessons on pairs of texts: a file of yours, .tsv, .csv or .jsonl.")
    ] = None,
    tokens: Annotated[
        Tokens | None, typer.Option(help="How to cut a text of yours; auto, which is the default, sees it from the text.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Where executed notebooks and pages are written.")] = Path("executed"),
) -> None:
    """Run lessons; write each as an executed notebook and an HTML page, with an index. Exit status 1 if any failed."""
    chosen = _lessons(lessons)
    parameters = {"profile": profile.value, "device": device.value}
    if corpus is not None and pairs is not None:
        raise _stop(ValueError("--corpus and --pairs: no lesson takes both; run one after the other"))
    for name, text in {"corpus": corpus, "pairs": pairs}.items():
        if text is not None:
            chosen = _that_take(name, chosen, named=bool(lessons))
            # Lessons run in their own folder, so a path must not be relative to this one. Path.exists raises for long names.
            parameters[name] = str(Path(text).resolve()) if os.path.exists(text) else text
    if tokens is not None:
        if corpus is None and pairs is None:
            raise _stop(ValueError("--tokens: says how to cut a text of yours; name one with --corpus or --pairs"))
        parameters["tokens"] = tokens.value
    if device is Device.cuda:
        from vae_course.training import find_device

        try:
            find_device(device)
        except RuntimeError as error:
            raise _stop(error) from error
    from tqdm.auto import tqdm

    from vae_course.course.pages import lessons_beside, write_index

    output.mkdir(parents=True, exist_ok=True)
    beside = lessons_beside(output, chosen)
    outcomes = [_run_lesson(lesson, parameters, output, beside) for lesson in tqdm(chosen, desc="lessons", unit="lesson")]
    failed = [o for o in outcomes if o.failure]
    for outcome in outcomes:
        typer.echo(f"{outcome.lesson.name:24}{outcome.seconds:6.1f} s  {outcome.failure or 'ok'}")
    summary = f"Run with profile {profile} on device {device}: {len(outcomes) - len(failed)} of {len(outcomes)} lessons ok."
    typer.echo(f"{summary} Pages: {write_index(output, outcomes, beside, summary)}")
    if failed:
        raise typer.Exit(1)


def _that_take(parameter: str, lessons: "list[Lesson]", named: bool) -> "list[Lesson]":
    """The lessons that have ``parameter``; one that was named and has not is an error."""
    import papermill

    takes = {lesson.name: papermill.inspect_notebook(lesson.path) for lesson in lessons}
    other = [lesson for lesson in lessons if parameter not in takes[lesson.name]]
    if named and other:
        has = {name: " or ".join(f"--{text}" for text in ("corpus", "pairs") if text in takes[name]) for name in takes}
        told = ", ".join(f"{lesson.name} takes {has[lesson.name] or 'no text of yours'}" for lesson in other)
        raise _stop(ValueError(f"--{parameter}: {told}; name other lessons, or none for all that take it"))
    return [lesson for lesson in lessons if lesson not in other]


def _run_lesson(lesson: "Lesson", parameters: dict[str, str], output: Path, beside: "list[Lesson]") -> "Outcome":
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from vae_course.course.pages import Outcome, write_page
    from vae_course.course.running import CELL_TIMEOUT, environment

    executed = output / lesson.path.name
    failure = None
    start = time.perf_counter()
    try:
        with environment(TQDM_DISABLE="1"):  # in the kernel: bars in a page that nobody watches are noise
            papermill.execute_notebook(
                lesson.path,
                executed,
                parameters=parameters,
                kernel_name="python3",
                cwd=lesson.path.parent,
                execution_timeout=CELL_TIMEOUT,
                progress_bar={"leave": False, "desc": lesson.name},
            )
    except PapermillExecutionError as error:
        failure = f"cell {error.cell_index}: {error.ename}: {error.evalue}"
    seconds = time.perf_counter() - start
    write_page(output, executed, lesson, beside)
    return Outcome(lesson, seconds, failure)


@app.command()
def pages(
    lessons: LessonNames = None,
    output: Annotated[Path, typer.Option(help="Where the pages are written.")] = Path("executed"),
) -> None:
    """Write lessons as HTML pages, with the outputs that are stored in them, and an index. Nothing is run."""
    chosen = _lessons(lessons)
    from tqdm.auto import tqdm

    from vae_course.course.pages import lessons_beside, write_index, write_page

    summary = "Outputs as they are stored in the lessons; nothing was run."
    try:
        output.mkdir(parents=True, exist_ok=True)
        beside = lessons_beside(output, chosen)
        bar = tqdm(chosen, desc="lessons", unit="lesson")
        index = write_index(output, [write_page(output, one.path, one, beside) for one in bar], beside, summary)
    except OSError as error:
        raise _stop(error) from error
    typer.echo(f"{summary} Pages: {index}")


# --- for maintainers ------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="For maintainers")
def store(lessons: LessonNames = None) -> None:
    """Run lessons; store their outputs, minutes and measured seconds in the notebooks themselves."""
    from vae_course.course.storing import store as store_lesson

    for lesson in _lessons(lessons):
        typer.echo(f"{lesson.name:24}{store_lesson(lesson):6.1f} s")


@app.command(rich_help_panel="For maintainers")
def corpus(
    output: Annotated[Path, typer.Option(help="Folder for the sentences and checksums.")] = Path("data/world"),
) -> None:
    """Write data/world anew: generated sentences to read, and every split's checksum with the exact entropies."""
    from vae_course.world.languages import write_data

    for path in write_data(output):
        typer.echo(path)


@app.command(rich_help_panel="For maintainers")
def measure(
    study: Annotated[
        str,
        typer.Argument(
            help="cures_world, seeds_world, long_world, ptb or tang; flickr; translation_world, jupyterlab_zh, jupyterlab_fr, "
            "multi30k_de, multi30k_fr or tatoeba_zh; correction_world, correction_captions or jfleg."
        ),
    ],
    folder: Annotated[Path | None, typer.Option(help="Where the real corpora lie, such as ptb/.")] = None,
    steps: Annotated[int | None, typer.Option(min=100, help="Training steps, instead of the study's own.")] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    scratch: Annotated[Path, typer.Option(help="Checkpoints and finished rows: a stopped run goes on.")] = Path(
        "executed/measured"
    ),
) -> None:
    """Train and measure all models of a study and store the figures in data/results/ (hours)."""
    from vae_course.studies import captions, correction, cures, learners, real_pairs, summaries, translation
    from vae_course.training import find_device

    runs = {room.NAME: room.measure for room in (captions, correction, learners, summaries, translation)}
    runs |= {name: partial(real_pairs.measure, name) for name in real_pairs.STUDIES}
    measured = runs.get(study, partial(cures.measure, study))
    try:
        path = measured(scratch=scratch, folder=folder, steps=steps, device=find_device(device.value))
    except (ValueError, FileNotFoundError, RuntimeError) as error:
        raise _stop(error) from error
    typer.echo(f"stored {path}")


@app.command(rich_help_panel="For maintainers")
def spread(
    lessons: LessonNames = None,
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds, counted from 0.")] = 5,
    output: Annotated[Path, typer.Option(help="Folder for the results, a JSON file a lesson.")] = Path("data/results/seeds"),
) -> None:
    """Run lessons under several seeds and store the value of every expectation; exit status 1 if any leaves its range."""
    from vae_course.course.ranges import seed_ranges, write_seed_ranges

    output.mkdir(parents=True, exist_ok=True)
    all_held = True
    for lesson in _lessons(lessons):
        ranges = seed_ranges(lesson, range(seeds))
        write_seed_ranges(ranges, lesson, seeds, output / f"{lesson.name}.json")
        typer.echo(lesson.name)
        for r in ranges:
            mark = "held  " if r.held else "BROKEN"
            typer.echo(f"  {mark} {r.claim}: {min(r.values):.5g} to {max(r.values):.5g}, allowed {r.low:g} to {r.high:g}")
            all_held &= r.held
    if not all_held:
        raise typer.Exit(1)
