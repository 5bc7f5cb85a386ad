"""Executed lessons as self-contained HTML: pictures and formulas inside the page, nothing fetched."""

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import pass_context
from latex2mathml.converter import convert as latex_to_mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbformat.reader import NotJSONError

from vae_course.course.lessons import Lesson
from vae_course.course.storing import folded, without_widgets

# nbconvert's own page without its scripts: they are fetched from elsewhere, and our formulas and pictures need none.
TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block input_group %}
{%- if cell | source_folded %}<details class="folded"><summary>{{ cell | told_when_folded }}</summary>{{ super() }}</details>
{%- else %}{{ super() }}{% endif %}
{% endblock %}
{% block output_group %}
{%- if cell | outputs_folded %}<details class="folded"><summary>Its output</summary>{{ super() }}</details>
{%- else %}{{ super() }}{% endif %}
{% endblock %}
{% block extra_css %}<style>
  body.jp-Notebook { max-width: 72rem; margin: 0 auto; padding: 1rem; }
  .jp-RenderedMarkdown { max-width: 46rem; }
  .jp-RenderedHTMLCommon { font-size: 16px; line-height: 1.55; }
  .jp-RenderedHTMLCommon img { max-width: 100%; height: auto; }
  /* A font made for mathematics where there is one: without, brackets do not grow and large operators stay small. */
  math { font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math; font-size: 1.12em; }
  div.formula { margin: 0.8em 0; overflow-x: auto; }
  summary { cursor: pointer; }
  details.folded > summary { color: #666; font: 14px system-ui, sans-serif; padding: 0.2rem 0 0.2rem 76px; }
  /* On paper nothing can be unfolded or scrolled. Answers are printed, plumbing is not, and lines are broken. */
  @media print {
    .jp-OutputArea details::details-content { content-visibility: visible; display: block; }
    details.folded, .jp-OutputArea-child { break-inside: avoid; }
    details.folded > summary { padding-left: 0; }
    body.jp-Notebook .jp-InputPrompt, body.jp-Notebook .jp-OutputPrompt { display: none; }
    body.jp-Notebook .highlight pre, body.jp-Notebook .jp-RenderedText pre {
      font-size: 11px !important; white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere;
    }
    math { font-size: 0.95em; }
  }
  @media (max-width: 40rem) { .jp-InputPrompt, .jp-OutputPrompt { display: none; } }
</style>{% endblock %}
"""

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Variational autoencoders for text</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 3rem auto; padding: 0 1rem; color: #1a1a1a; }}
  table {{ border-collapse: collapse; width: 100%; }}
  th, td {{ text-align: left; padding: .5rem .8rem .5rem 0; border-bottom: 1px solid #ddd; }}
  td:nth-child(n+3), th:nth-child(n+3) {{ text-align: right; white-space: nowrap; }}
  a {{ color: #0072b2; }} .failed {{ color: #a33a00; font-weight: bold; }}
</style></head><body>
<h1>Variational autoencoders for text</h1>
<p>{summary}</p>
<table><tr><th>Lesson</th><th>Question</th><th>Takes</th><th>Ran in</th></tr>
{rows}
</table></body></html>
"""


LESSON_LINK = re.compile(r'href="(\d\d_\w+)\.ipynb"')  # a lesson's page lies beside the page that names the lesson

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
        return f'<div class="formula">{_mathml(body, "block")}</div>'

    def inline_math(self, body: str) -> str:
        return _mathml(body, "inline")


def _told_when_folded(cell: NotebookNode) -> str:
    """What stands for folded code: the comment that it begins with, which says what it is for."""
    first = cell.source.partition("\n")[0]
    return html.escape(f"Code: {first.removeprefix('#').strip()}" if first.startswith("#") else "Code")


def _outputs_folded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("jupyter", {}).get("outputs_hidden"))


class _LessonExporter(HTMLExporter):
    raw_template = TEMPLATE

    def default_filters(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        yield from super().default_filters()
        yield "source_folded", folded
        yield "outputs_folded", _outputs_folded
        yield "told_when_folded", _told_when_folded

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:  # noqa: ANN401 - jinja's context
        return str(MarkdownWithMath(renderer=_MathMLRenderer(escape=False)).render(source))


def lesson_page(notebook: NotebookNode, title: str) -> str:
    """The executed notebook as one HTML page that fetches nothing."""
    without_widgets(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _embed_picture(output)
    body, _ = _LessonExporter().from_notebook_node(notebook, resources={"metadata": {"name": title}})
    return LESSON_LINK.sub(r'href="\1.html"', str(body))


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


def earlier_outcomes(folder: Path, lessons: Iterable[Lesson]) -> list[Outcome]:
    """How those of ``lessons`` ended whose page lies in ``folder`` from a run before, as their notebooks beside it tell."""
    found = []
    for lesson in lessons:
        executed = folder / lesson.path.name
        if executed.exists() and executed.with_suffix(".html").exists():
            found.append(Outcome(lesson, *_ended(read_executed(executed)), earlier=True))
    return found


def _ended(notebook: NotebookNode | None) -> tuple[float, str | None]:
    """The seconds that an executed notebook took, and its failure."""
    seconds = notebook.metadata.get("papermill", {}).get("duration") if notebook is not None else None
    if notebook is None or seconds is None:
        return 0.0, "stopped before its end"
    return seconds, _failure(notebook)


def read_executed(path: Path) -> NotebookNode | None:
    """The executed notebook in ``path``; None if there is none, or one that a stop has cut."""
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (FileNotFoundError, NotJSONError):
        return None
    return notebook


def _failure(notebook: NotebookNode) -> str | None:
    """The cell that failed and its error, in an executed notebook; papermill's own cells about the error are not counted."""
    own = [cell for cell in notebook.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(own):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return f"cell {number}: {output.ename}: {output.evalue}"
    return None


def index_page(outcomes: Sequence[Outcome], summary: str) -> str:
    """The table of lessons in reading order, linked to their pages, which lie beside it."""
    rows = "\n".join(
        f'<tr><td><a href="{o.lesson.name}.html">{o.lesson.name}</a></td><td>{html.escape(o.lesson.question)}'
        + (f'<br><span class="failed">failed: {html.escape(o.failure)}</span>' if o.failure else "")
        + f"</td><td>{o.lesson.minutes} min</td><td>{'earlier, ' * o.earlier}{o.seconds:.0f} s</td></tr>"
        for o in sorted(outcomes, key=lambda o: o.lesson.name)
    )
    return INDEX.format(summary=html.escape(summary), rows=rows)
