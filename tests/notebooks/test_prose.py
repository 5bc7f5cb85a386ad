"""Numbers in a lesson's prose are printed by it, stand in its code, or are measured and stored: none stands by itself."""

import json
import re

import nbformat
import pytest

from vae_course.course.lessons import NOTEBOOKS
from vae_course.studies import real_pairs
from vae_course.studies.store import RESULTS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|\.\d)")
NOT_PROSE = re.compile(r"`[^`]*`|https?://\S+|\$\$.*?\$\$|\$[^$\n]*\$", re.DOTALL)  # code, addresses, formulas
COUNTED = 12  # up to it, whole numbers are words
YEAR = re.compile(r"(19|20)\d\d")
# What is said with no run behind it, and why that may be.
GIVEN = {
    "00": {"1437": "the digits of scikit-learn's that are trained on"},
    "06": {
        **dict.fromkeys(("1312.6114", "1401.4082", "1406.2661", "1511.05644", "1512.09300"), "numbers of papers on arXiv"),
        "17": "grey values of a digit's pixels, from 0 to 16",
        "0.37": "share in the gaps after 48 epochs, a run that is not stored",
        **dict.fromkeys(("0.10", "0.22", "0.16", "0.07"), "shares in the gaps of four GANs after 48 epochs, not stored"),
        **dict.fromkeys(("0.00", "0.02", "0.08"), "least shares of these GANs at a mode"),
        **dict.fromkeys(("0.65", "0.60"), "what the reader sees who tells the VAE the true sigma"),
    },
    "11": {"14569": "poems in the corpus"},
    "12": {
        "134752": "worlds that the grammar allows",
        "145000": "captions of Flickr30k that were trained on",
        "299": "summaries of 300, over seeds, whose range is stored as a share",
        "21.5": "of one longer run, which is not stored",
    },
    "13": {"128": "a size in the stored study", "1.4": "a difference of two stored scores"},
    "15": {
        "64": "a size in the stored study",
        "15000": "sentences in the stored study",
        "2.4": "the standard error of a share of 400",
        "65000": "about so many misspellings has codespell's dictionary",
    },
    "17": {"9380": "the article's steps: 10 epochs of 60,000 digits in batches of 64", "230": "the steps of lesson 06"},
}


def numbers(text):
    return [number.replace(",", "") for number in NUMBER.findall(text)]


def rounded(values):
    """How the ``values`` may be written, as they are or in percent, with up to four digits behind the point."""
    return {f"{factor * abs(value):.{digits}f}" for value in values for factor in (1, 100) for digits in range(5)}


def leaves(document):
    """Every number in a JSON document."""
    if isinstance(document, dict | list):
        for part in document.values() if isinstance(document, dict) else document:
            yield from leaves(part)
    elif isinstance(document, int | float) and not isinstance(document, bool):
        yield document


def backed(path):
    """The numbers behind a lesson: of its code and outputs, of its expectations under all seeds, of the results it shows."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    code = "\n".join(cell.source for cell in cells)
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for cell in cells for output in cell.outputs]
    found = [float(number) for text in (code, *texts) for number in numbers(text)]
    documents = [RESULTS / "seeds" / f"{path.stem}.json", *shown(code)]
    return found + [value for document in documents for value in leaves(json.loads(document.read_text(encoding="utf-8")))]


def shown(code):
    """The stored results that a lesson's code names, whole or as a name that begins with a constant part."""
    named = re.findall(r'(?:stored|our_table)\(f?"([a-z0-9_]+)', code) + list(
        real_pairs.STUDIES if "real_pairs" in code else ()
    )
    return [
        file
        for file in RESULTS.glob("*.json")
        if any(file.stem == n or (n.endswith("_") and file.stem.startswith(n)) for n in named)
    ]


def said(path):
    """The numbers of a lesson's prose that need something behind them."""
    prose = [cell.source for cell in nbformat.read(path, as_version=4).cells[1:] if cell.cell_type == "markdown"]
    for text in prose:
        if not text.startswith("## Going further"):
            for number in numbers(NOT_PROSE.sub(" ", text)):
                if not YEAR.fullmatch(number) and ("." in number or float(number) > COUNTED):
                    yield number


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_number_in_its_prose_has_something_behind_it(path):
    allowed = rounded(backed(path)) | set(GIVEN.get(path.stem[:2], {}))
    assert [number for number in said(path) if number not in allowed] == []


def test_what_is_given_is_said():
    for path in PATHS:
        assert set(GIVEN.get(path.stem[:2], {})) <= set(said(path)), path.stem


def test_every_stored_result_is_shown_by_a_lesson():
    code = "\n".join(
        cell.source for path in PATHS for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    )
    assert {file.stem for file in RESULTS.glob("*.json")} == {file.stem for file in shown(code)}
