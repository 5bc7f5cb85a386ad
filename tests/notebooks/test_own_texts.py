"""The lessons on text with small texts of the kinds that people bring, each of which once broke one."""

from itertools import product

import nbformat
import papermill
import pytest

from vae_course.course.lessons import NOTEBOOKS
from vae_course.course.running import execute

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def every(*parts):
    """All combinations, a text each, in an order that mixes them."""
    texts = ["".join(choice) for choice in product(*parts)]
    return [texts[7 * k % len(texts)] for k in range(len(texts))]


THINGS = ["cap", "mug", "pen", "toy", "rug"]
TEXTS = {
    "60 lines with dollars": every(["a ", "the "], THINGS, [" cost $ 2", " was $ 30 , not $$", " is free"], [" .", " !"]),
    "names": every(["Al", "Bo", "Cy", "Do", "Ed"], ["an", "ri", "lo", "me"], ["na", "s", "lia", "th"]),
    "Chinese": every(
        ["今天", "昨天", "明天"], ["我", "你", "她", "他们"], ["在家", "在学校", "去公园"], ["看书。", "吃饭。", "睡觉。"]
    ),
    "emoji": every(["I ", "we ", "they "], ["like ", "miss ", "want "], [f"{thing} " for thing in THINGS], ["🍕", "👩‍👧", "❤️"]),
    "right to left": every(
        ["הילד ", "הילדה ", "המורה "], ["אכל ", "קנה ", "מצא "], ["תפוח ", "ספר ", "כובע "], ["בערב", "בבוקר"]
    ),
}
ENGLISH = every(["the ", "my "], ["cat ", "dog ", "boy "], ["saw ", "took "], ["a ", "the "], THINGS)
TYPOS = {" took ": " tok ", " saw ": " swa ", " cat ": " cta "}


def misspelt(text):
    for right, wrong in list(TYPOS.items()) * (len(text) % 2):
        text = text.replace(right, wrong)
    return text


PAIRS = {
    "three columns": [f"{text}\tle {text}\tby somebody, number {k}" for k, text in enumerate(ENGLISH)],
    "four columns": [f"{k}\t{text}\t{k + 900}\tle {text}" for k, text in enumerate(ENGLISH)],
    "Chinese": [f"{text.replace('在家', '在傢')}\t{text}" for text in TEXTS["Chinese"]],
    "misspelt": [f"{misspelt(text)}\t{text}" for text in ENGLISH],
}
FOR_CORRECTION = ("Chinese", "misspelt")  # some pairs must be right already


def cases():
    for path in PATHS:
        takes = papermill.inspect_notebook(path)
        for parameter, kinds in (("corpus", TEXTS), ("pairs", PAIRS)):
            for kind in kinds if parameter in takes else ():
                if path.stem[:2] != "15" or kind in FOR_CORRECTION:
                    yield pytest.param(path, parameter, kinds[kind], id=f"{path.stem} {kind}")


@pytest.mark.slow
@pytest.mark.parametrize(("path", "parameter", "lines"), list(cases()))
def test_a_lesson_runs_on_a_small_text_of_ones_own(path, parameter, lines, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("\n".join(lines), encoding="utf-8")
    notebook = nbformat.read(path, as_version=4)
    chosen = next(k for k, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    notebook.cells.insert(chosen + 1, nbformat.v4.new_code_cell(f"{parameter} = {str(own)!r}"))
    execute(notebook, NOTEBOOKS)
    streams = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"]
    assert not [output.text for output in streams if output.name == "stderr"]
    assert "Your text, beside counting: " in "".join(output.text for output in streams)
