"""The ``vae-course`` command. Heavy imports wait until a command needs them, so that help and ``list`` are quick."""

import io
import os
import platform
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vae_course.course import own
from vae_course.course.options import Device, Profile, Tokens, stop, stopping_at
from vae_course.studies.catalogue import FAMILIES

if TYPE_CHECKING:
    from vae_course.course.lessons import Lesson

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Variational autoencoders for text: the course.")


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # which takes long to be imported

        typer.echo(f"vae-course {version('vae-course')}, Python {platform.python_version()}, torch {version('torch')}")
        raise typer.Exit


@app.callback()
def before_each_command(
    asked: Annotated[
        bool, typer.Option("--version", metavar="", callback=_tell_version, is_eager=True, help="What is installed.")
    ] = False,
) -> None:
    """Variational autoencoders for text: the course."""
    for stream in (sys.stdout, sys.stderr):  # a file's name may have letters that a terminal has not
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


LessonNames = Annotated[list[str] | None, typer.Argument(metavar="[LESSONS]...", help="Names or numbers; all without any.")]


def _lessons(names: list[str] | None) -> "list[Lesson]":
    from vae_course.course.lessons import find_lessons, passed_over

    with stopping_at(ValueError, FileNotFoundError):
        found = find_lessons(names or [])
        for told in [] if names else passed_over():
            typer.secho(f"passed over: {told}", err=True, fg="yellow")
        return found


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    fresh: Annotated[
        bool, typer.Option("--fresh", metavar="", help="Begin the lesson again; your copy is kept, renamed.")
    ] = False,
    originals: Annotated[
        bool, typer.Option("--originals", metavar="", help="Open the lessons themselves, to edit the course.")
    ] = False,
) -> None:
    """Open a lesson in JupyterLab, as in lab 07; without one the first. It is a copy of your own, in the folder work/.

    Further options go to JupyterLab, such as --no-browser.
    """
    from vae_course.course import jupyterlab, work

    named = list(takewhile(lambda one: not one.startswith("-"), context.args))
    if len(named) > 1:
        raise stop(ValueError(f"lab opens one lesson, but was given {' and '.join(named)}"))
    options = context.args[len(named) :]
    (lesson,) = _lessons(named or ["00"])
    if originals:
        jupyterlab.start(lesson.path.parent, lesson.path.name, options)
    if fresh and not named:
        raise stop(ValueError("--fresh: name the lesson to begin again, as in: vae-course lab 07 --fresh"))
    with stopping_at(ValueError):
        told = [work.begin_again(lesson)] if fresh else []
        told += work.bring_up_to_date(_lessons(None))
    typer.echo("\n".join([*told, f"Your copies of the lessons are in {work.folder()}"]))
    jupyterlab.start(work.folder(), lesson.path.name, options, keep=work.progress())


@app.command("list")
def list_lessons() -> None:
    """List the lessons: the question each answers, minutes with its exercises, measured seconds to run on two CPU cores."""
    typer.echo(f"{'lesson':24}{'question':64}{'takes':>8}{'runs':>7}")
    for lesson in _lessons(None):
        typer.echo(f"{lesson.name:24}{lesson.question:64}{lesson.minutes:>4} min{lesson.seconds:>5} s")


@app.command()
def progress(
    reset: Annotated[bool, typer.Option("--reset", metavar="", help="Begin anew; the old record is kept, renamed.")] = False,
) -> None:
    """Show which exercises you have done, in which lesson. It is kept in work/progress.json, and nowhere else."""
    from vae_course.course import work
    from vae_course.exercises import progress as kept

    with stopping_at(OSError):
        typer.echo(kept.reset(work.progress()) if reset else kept.report(work.progress()))


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
        raise stop(ValueError("--corpus and --pairs: no lesson takes both; run one after the other"))
    for name, text in {"corpus": corpus, "pairs": pairs}.items():
        if text is not None:
            chosen = _that_take(name, chosen, named=bool(lessons))
            parameters[name] = _text_or_path(text)
    if tokens is not None:
        if corpus is None and pairs is None:
            raise stop(ValueError("--tokens: says how to cut a text of yours; name one with --corpus or --pairs"))
        parameters["tokens"] = tokens.value
    if device is Device.cuda:
        from vae_course.training import find_device

        with stopping_at(RuntimeError):
            find_device(device)
    from vae_course.course.lessons import unreadable
    from vae_course.course.runs import run_lessons, summary

    with stopping_at(ValueError):
        outcomes, status = run_lessons(chosen, parameters, output)
    for outcome in outcomes:
        typer.echo(f"{outcome.lesson.name:24}{outcome.seconds:6.1f} s  {outcome.failure or 'ok'}")
    typer.echo(f"{summary(outcomes, chosen, parameters)} Pages: {output / 'index.html'}")
    if status or (not lessons and unreadable()):
        raise typer.Exit(status or 1)


def _text_or_path(given: str) -> str:
    """A path made absolute, for lessons run in their own folder, or the name of a text that the course knows."""
    if os.path.isfile(given):  # Path.is_file raises for long names
        return str(Path(given).resolve())
    from vae_course.text.corpora import check_name

    with stopping_at(ValueError):
        check_name(given)
    return given


def _that_take(parameter: str, lessons: "list[Lesson]", named: bool) -> "list[Lesson]":
    """The lessons that have ``parameter``; one that was named and has not is an error."""
    import papermill

    takes = {lesson.name: papermill.inspect_notebook(lesson.path) for lesson in lessons}
    other = [lesson for lesson in lessons if parameter not in takes[lesson.name]]
    if named and other:
        has = {name: " or ".join(f"--{text}" for text in ("corpus", "pairs") if text in takes[name]) for name in takes}
        told = ", ".join(f"{lesson.name} takes {has[lesson.name] or 'no text of yours'}" for lesson in other)
        raise stop(ValueError(f"--{parameter}: {told}; name other lessons, or none for all that take it"))
    return [lesson for lesson in lessons if lesson not in other]


@app.command()
def pages(
    lessons: LessonNames = None,
    output: Annotated[Path, typer.Option(help="Where the pages are written.")] = Path("executed"),
) -> None:
    """Write lessons as HTML pages, with the outputs that are stored in them, and an index. Nothing is run."""
    chosen = _lessons(lessons)
    from tqdm.auto import tqdm

    from vae_course.course.pages import lessons_beside, write_index, write_page
    from vae_course.whole_files import make_folder

    summary = "Outputs as they are stored in the lessons; nothing was run."
    with stopping_at(OSError):
        make_folder(output)
        beside = lessons_beside(output, chosen)
        bar = tqdm(chosen, desc="lessons", unit="lesson")
        index = write_index(output, [write_page(output, one.path, one, beside) for one in bar], beside, summary)
    typer.echo(f"{summary} Pages: {index}")


own.add_to(app)

# --- for teachers -----------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="For teachers")
def grade(
    folder: Annotated[Path, typer.Argument(help="Notebooks as they were handed in, under any names.")],
    only: Annotated[str | None, typer.Option(help="These exercises, such as 2.1,2.3.")] = None,
    points: Annotated[Path | None, typer.Option(help="A CSV file: exercise, points. One each without it.")] = None,
    late: Annotated[Path | None, typer.Option(help="A CSV file: student, share (of the points that is kept).")] = None,
    output: Annotated[Path, typer.Option(help="Where grades and feedback are written, and the private seed is kept.")] = Path(
        "grades"
    ),
) -> None:
    """Grade a folder of submissions: tables of grades, and a page of feedback for each student. Nothing in it is changed."""
    from tqdm.auto import tqdm

    from vae_course.course.classroom import grading, reports, seeds, submissions
    from vae_course.whole_files import make_folder

    with stopping_at(ValueError, OSError, RuntimeError):
        make_folder(output)
        seed = seeds.private_seed(output)
        handed_in = [submissions.read(one) for one in submissions.by_student(folder)]
        names = [reports.named(one) for one in only.split(",")] if only else grading.handed_out(handed_in)
        worth = dict.fromkeys(names, 1.0) | ({} if points is None else reports.points_from(points))
        shares = {} if late is None else reports.shares_from(late, [one.student for one in handed_in])
        hidden = grading.to_be_hidden(folder, output)
        with tqdm(total=len(handed_in), desc="submissions", unit="submission") as bar:
            graded = grading.grade_all(handed_in, {name: worth[name] for name in names}, seed, hidden, shares, bar.update)
        written = reports.write(output, graded, folder.resolve().name)
    typer.echo(reports.summary(graded))
    typer.echo("\n".join(str(path) for path in written))


assignment = typer.Typer(no_args_is_help=True, help="Lessons as assignments for nbgrader: built, and what comes back graded.")
app.add_typer(assignment, name="assignment", rich_help_panel="For teachers")


@assignment.command("build")
def build_assignments(
    folder: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder of the course for nbgrader.")],
    lessons: LessonNames = None,
    no_solutions: Annotated[
        bool,
        typer.Option(
            "--no-solutions", metavar="", help="Nothing points to a solution. The package's source can still be read."
        ),
    ] = False,
) -> None:
    """Make a course for nbgrader in DIR, an assignment for each lesson: for students is what lies in DIR/release."""
    from vae_course.course.classroom import nbgrader_course
    from vae_course.whole_files import make_folder

    with stopping_at(ValueError, OSError, ModuleNotFoundError):
        make_folder(folder)
        for path in nbgrader_course.build(_lessons(lessons), folder, solutions=not no_solutions):
            typer.echo(f"for students: {path}")


@assignment.command("grade")
def grade_assignments(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the course.")]) -> None:
    """Run and grade what lies in DIR/submitted, as STUDENT/LESSON/LESSON.ipynb; write DIR/feedback and DIR/grades.csv.

    For Canvas and Moodle there are tables in DIR/platforms. Exit status 1 if any submission could not be graded.
    """
    from vae_course.course.classroom import nbgrader_course

    graded = []
    with stopping_at(ValueError, OSError, ModuleNotFoundError):
        for one in nbgrader_course.grade(folder):
            graded.append(one)
            tables = nbgrader_course.write_tables(graded, folder)  # after each, for it may be stopped before the last
            points = f"{sum(one.points.values()):g} of {one.possible:g}"
            typer.echo(f"{one.assignment:24}{one.student:32}{'' if one.failure else points:12}{one.remark}")
    for path in tables:
        typer.echo(f"written: {path}")
    if any(one.failure for one in graded):
        raise typer.Exit(1)


# --- for maintainers ------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="For maintainers")
def store(lessons: LessonNames = None) -> None:
    """Run lessons; store their outputs, minutes and measured seconds in the notebooks themselves."""
    from vae_course.course.storing import store as store_lesson

    with stopping_at(OSError):
        for lesson in _lessons(lessons):
            typer.echo(f"{lesson.name:24}{store_lesson(lesson):6.1f} s")


@app.command(rich_help_panel="For maintainers")
def corpus(
    output: Annotated[
        Path | None, typer.Option(help="Folder for the sentences and checksums; the course's own data/world without any.")
    ] = None,
) -> None:
    """Write data/world anew: generated sentences to read, and every split's checksum with the exact entropies."""
    from vae_course.studies.store import DATA
    from vae_course.world.languages import write_data

    with stopping_at(OSError):
        for path in write_data(output or DATA / "world"):
            typer.echo(path)


@app.command(rich_help_panel="For maintainers")
def measure(
    study: Annotated[str, typer.Argument(help="; ".join(map(", ".join, FAMILIES.values())) + ".")],
    folder: Annotated[Path | None, typer.Option(help="Where the real corpora lie, such as ptb/.")] = None,
    steps: Annotated[int | None, typer.Option(min=100, help="Other steps than the study's own; stored in --scratch.")] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    scratch: Annotated[Path, typer.Option(help="Checkpoints and finished rows: a stopped run goes on.")] = Path(
        "executed/measured"
    ),
    processes: Annotated[int, typer.Option(min=1, help="Models of a study of cures that are trained at a time.")] = 1,
) -> None:
    """Train and measure all models of a study and store the figures in data/results/ (hours)."""
    from vae_course.studies import catalogue, store
    from vae_course.training import find_device
    from vae_course.whole_files import make_folder

    with stopping_at(ValueError, OSError, RuntimeError):
        measured = catalogue.find(study)
        several = {"processes": processes} if study in FAMILIES["cures"] else {}
        if processes > 1 and not several:
            raise ValueError(f"--processes: {study} trains one model after another; {', '.join(FAMILIES['cures'])} can do more")
        make_folder(scratch)
        path = measured(scratch=scratch, folder=folder, steps=steps, device=find_device(device.value), **several)
    other = "" if path.parent == store.RESULTS else f"; {store.RESULTS} holds runs of the study's own steps, and stays as it is"
    typer.echo(f"stored {path}{other}")


@app.command(rich_help_panel="For maintainers")
def spread(
    lessons: LessonNames = None,
    seeds: Annotated[int, typer.Option(min=2, help="How many seeds, counted from 0.")] = 5,
    output: Annotated[
        Path | None, typer.Option(help="Folder for a JSON file a lesson; the course's own data/results/seeds without any.")
    ] = None,
) -> None:
    """Run lessons under several seeds and store the value of every expectation; exit status 1 if any leaves its range."""
    from vae_course.course.ranges import seed_ranges, write_seed_ranges
    from vae_course.studies.store import RESULTS
    from vae_course.whole_files import make_folder

    folder, all_held = output or RESULTS / "seeds", True
    with stopping_at(OSError):
        make_folder(folder)
        for lesson in _lessons(lessons):
            try:
                ranges = seed_ranges(lesson, range(seeds))
            except ValueError as error:  # nothing to spread
                typer.echo(error)
                continue
            write_seed_ranges(ranges, lesson, seeds, folder / f"{lesson.name}.json")
            typer.echo(lesson.name)
            for r in ranges:
                mark = "held  " if r.held else "BROKEN"
                typer.echo(f"  {mark} {r.claim}: {min(r.values):.5g} to {max(r.values):.5g}, allowed {r.low:g} to {r.high:g}")
                all_held &= r.held
    if not all_held:
        raise typer.Exit(1)
