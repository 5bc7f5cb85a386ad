"""Lessons with their outputs as self-contained HTML: pictures and formulas inside the page, nothing fetched."""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from jinja2 import Environment, FileSystemLoader, pass_context
from latex2mathml.converter import convert as latex_to_mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.reader import NotJSONError

from vae_course.course.lessons import Lesson, all_lessons
from vae_course.course.storing import folded, without_widgets
from vae_course.whole_files import write_whole

TEMPLATES = Path(__file__).parent / "templates"
STOPPED = "stopped before its end"

LESSON_LINK = re.compile(r"^(\d\d_\w+)\.ipynb")
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]

FUNCTION_NAME = re.compile(r"<mi>(log|ln|exp|min|max|sin|cos)</mi>")
RAISED_BRACKET = re.compile(r"<msup>(<mo [^>]*minsize=[^>]*>[^<]+</mo>)")


def _mathml(latex: str, display: str) -> str:
    """A formula as MathML, which browsers draw by themselves."""
    # A function's name needs space round it: "p log p", not "plogp".
    spaced = r'<mo lspace="0.17em" rspace="0.17em" movablelimits="false">\1</mo>'
    formula = latex_to_mathml(latex.strip(), display=display).replace(r"\_", "_")  # an escape that the converter keeps
    formula = RAISED_BRACKET.sub(r"<msup><mrow>\1</mrow>", formula)  # Chromium lets a bracket grow only in a row of its own
    return FUNCTION_NAME.sub(spaced, formula)


class _MathMLRenderer(IPythonRenderer):
    def block_math(self, body: str) -> str:
        return f'<span class="wide">{_mathml(body, "block")}</span>'

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")


def _told_when_folded(cell: NotebookNode) -> str:
    """What stands for folded code: the comment that it begins with, which says what it is for."""
    first = cell.source.partition("\n")[0]
    return html.escape(f"Code: {first.removeprefix('#').strip()}" if first.startswith("#") else "Code")


def _outputs_folded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


class _LessonExporter(HTMLExporter):
    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        yield from super().default_filters()
        yield "source_folded", folded
        yield "outputs_folded", _outputs_folded
        yield "told_when_folded", _told_when_folded

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:  # noqa: ANN401 - jinja's context
        return str(MarkdownWithMath(renderer=_MathMLRenderer(escape=False, exclude_anchor_links=True)).render(source))


def lesson_page(notebook: NotebookNode, lesson: Lesson, lessons: Sequence[Lesson], failure: str | None = None) -> str:
    """The notebook of ``lesson`` as one HTML page that fetches nothing, linked to those of ``lessons`` that lie beside it.

    ``failure`` says at its top why the run that it shows did not reach the lesson's end.
    """
    without_widgets(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _embed_picture(output)
    before = [other for other in lessons if other.name < lesson.name]
    after = [other for other in lessons if other.name > lesson.name]
    ways = {"previous": before[-1] if before else None, "next": after[0] if after else None}
    exporter = _LessonExporter(template_file="lesson.html.j2", extra_template_paths=[str(TEMPLATES)])
    body, _ = exporter.from_notebook_node(notebook, resources={"lesson": lesson, "failure": failure, **ways})
    page = BeautifulSoup(body, "html.parser")
    _link_notebooks(page)
    for prose in page.select(".jp-MarkdownCell"):
        link_lessons(prose, {other.number: f"{other.name}.html" for other in (*before, *after)})
    _name_headings(page)
    _let_scroll(page)
    return str(page)


def _link_notebooks(page: Tag) -> None:
    """Let links to notebooks lead to their pages, which lie beside this one."""
    for link in page.find_all("a", href=LESSON_LINK):
        link["href"] = LESSON_LINK.sub(r"\1.html", str(link["href"]))


def _name_headings(page: Tag) -> None:
    """Give each heading a name of its own, made of its words, which a link can lead to."""
    taken: set[str] = set()
    for heading in page.find_all(HEADINGS):
        name = re.sub(r"\W+", "-", heading.get_text().lower()).strip("-")
        while name in taken:
            name += "-again"
        taken.add(name)
        heading["id"] = name


def _let_scroll(page: Tag) -> None:
    """Let what may be too wide scroll by itself, also by keyboard, for which it must take the focus."""
    for table in page.find_all("table"):
        table.wrap(page.new_tag("div", attrs={"class": "wide"}))
    for picture in page.find_all("img"):
        picture.wrap(page.new_tag("span", attrs={"class": "wide picture"}))
    for wide in page.select("pre, .wide"):
        wide["tabindex"] = "0"


# "lesson 04"; and after "lessons 04", with or without words in brackets: ", 07", "and 07", ", and 07", "to 07".
FIRST_NAMED = re.compile(r"\b[Ll]esson(?P<several>s?)\s(?P<number>\d\d)\b")
NEXT_NAMED = re.compile(r"(?: \([^()]*\))?(?:,|,?(?P<last> (?:and|or|to))) (?P<number>\d\d)\b")


def _lessons_named(text: str) -> Iterator[tuple[int, int, str]]:
    """Where ``text`` names lessons: from, to, number."""
    for first in FIRST_NAMED.finditer(text):
        yield *first.span(), first["number"]
        last = not first["several"]
        end = first.end()
        while not last and (named := NEXT_NAMED.match(text, end)):
            yield *named.span("number"), named["number"]
            last, end = named["last"] is not None, named.end()


def link_lessons(prose: Tag, pages: Mapping[str, str]) -> None:
    """Make links of the lessons that rendered markdown names, such as "lessons 07 and 08", to ``pages`` by number.

    Code, formulas, headings and links stay as they are.
    """
    for text in list(prose.strings):  # the tree changes under way
        if text.find_parent([*HEADINGS, "a", "code", "pre", "math"]):
            continue
        parts: list[NavigableString | Tag] = []
        done = 0
        for start, end, number in _lessons_named(text):
            if number in pages:
                link = Tag(name="a", attrs={"href": pages[number]})
                link.string = text[start:end]
                parts += [NavigableString(text[done:start]), link]
                done = end
        if parts:
            text.replace_with(*parts, NavigableString(text[done:]))


def _embed_picture(output: NotebookNode) -> None:
    """Give a picture its words as alternative text, and its width."""
    data = output.get("data", {})
    if "image/png" not in data:
        return
    about = output.metadata.get("image/png", {})
    words = html.escape(about.get("alt") or data.get("text/plain", ""), quote=True)
    width = f' width="{about["width"]}"' if "width" in about else ""
    data["text/html"] = f'<img alt="{words}"{width} src="data:image/png;base64,{data.pop("image/png").strip()}">'


@dataclass(frozen=True)
class Outcome:
    """How a lesson's run ended: seconds taken, and the failing cell and error where one failed; ``earlier``: in another run."""

    lesson: Lesson
    seconds: float
    failure: str | None = None
    earlier: bool = False


def read_executed(path: Path) -> NotebookNode | None:
    """The notebook in ``path``; None if there is none, or one that a stop has cut."""
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (FileNotFoundError, NotJSONError):
        return None
    return notebook


def _ended(notebook: NotebookNode | None, lesson: Lesson) -> Outcome:
    """How the run ended that a notebook shows: papermill's record of it, or the seconds that a stored lesson tells.

    None is a notebook that a stop has cut.
    """
    if notebook is None:
        return Outcome(lesson, 0.0, STOPPED)
    record = notebook.metadata.get("papermill", {"duration": lesson.seconds})
    if record["duration"] is None:
        return Outcome(lesson, 0.0, _failure(notebook) or STOPPED)
    return Outcome(lesson, record["duration"], _failure(notebook))


def note_failure(executed: Path, failure: str) -> None:
    """Keep in an executed notebook why its run did not reach its end, of which papermill leaves no trace where it was stopped.

    Raises ``OSError``, with the path, where it cannot be written. One that a stop has cut stays as it is.
    """
    notebook = read_executed(executed)
    if notebook is not None:
        notebook.metadata["failure"] = failure
        write_whole(executed, nbformat.writes(notebook) + "\n")


def _failure(notebook: NotebookNode) -> str | None:
    """Why a notebook's run did not reach its end, as ``note_failure`` noted it, or the cell that failed and its error.

    Papermill's own cells about the error are not counted.
    """
    if "failure" in notebook.metadata:
        return str(notebook.metadata["failure"])
    own = [cell for cell in notebook.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(own):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {number}: {output.ename}: {output.evalue}"
    return None


def lessons_beside(folder: Path, chosen: Sequence[Lesson]) -> list[Lesson]:
    """The lessons that have a page in ``folder`` once those of ``chosen`` are written, in reading order."""
    return [lesson for lesson in all_lessons() if lesson in chosen or (folder / f"{lesson.name}.html").exists()]


def write_page(folder: Path, notebook: Path, lesson: Lesson, lessons: Sequence[Lesson]) -> Outcome:
    """Write the page of a lesson as ``notebook`` holds it, among those of ``lessons``; return how the run ended that it shows.

    Of a notebook that a stop has cut no page can be made.
    """
    shown = read_executed(notebook)
    outcome = _ended(shown, lesson)
    if shown is not None:
        write_whole(folder / f"{lesson.name}.html", lesson_page(shown, lesson, lessons, outcome.failure))
    return outcome


def write_index(
    folder: Path, outcomes: Sequence[Outcome], lessons: Sequence[Lesson], summary: str, *, lead_there: bool = True
) -> Path:
    """Write the index of ``lessons``: of ``outcomes`` and of earlier ones; return its path.

    The pages of earlier ones are written anew if they are to ``lead_there``, to the new pages. They show the executed notebook
    that lies beside them, or else the stored lesson.
    """
    new = [outcome.lesson for outcome in outcomes]
    told = list(outcomes)
    for lesson in (lesson for lesson in lessons if lesson not in new):
        executed = folder / lesson.path.name
        shown = executed if executed.exists() else lesson.path
        outcome = write_page(folder, shown, lesson, lessons) if lead_there else _ended(read_executed(shown), lesson)
        told.append(replace(outcome, earlier=True))
    index = folder / "index.html"
    write_whole(index, index_page(told, summary))
    return index


def index_page(outcomes: Sequence[Outcome], summary: str) -> str:
    """The table of lessons in reading order, linked to their pages, which lie beside it."""
    template = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template("index.html.j2")
    return template.render(outcomes=sorted(outcomes, key=lambda outcome: outcome.lesson.name), summary=summary)
