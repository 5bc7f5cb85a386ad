"""Groups of texts in a file: several reports of one thing, or the sentences of a long document."""

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from vae_course.text.files import read_text

SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"'”’)])\s+|(?<=[。！？])(?![”’」])\s*")
EXAMPLE = (
    'expected a text a line with a blank line between groups, a document a line, or {"texts": ["...", "..."]} on each line'
)


class Group(NamedTuple):
    """Texts that are to be summarized together, whether they are a document's sentences, and a summary where there is one."""

    texts: list[str]
    is_document: bool
    summary: str = ""


def sentences_of(text: str) -> list[str]:
    """The sentences of a document."""
    return [part.strip() for part in SENTENCE.split(text) if part.strip()]


def read_groups(path: Path) -> list[Group]:
    """The groups of a file: in text, lines with blank lines between groups, and a line alone is a document.

    In ``.jsonl`` and ``.ndjson`` an object a line, in ``.json`` a list of them: with "texts", a list, or "text", a document,
    and perhaps a "summary". Raises ``ValueError``, with path and line, for others.
    """
    text = read_text(path)
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json"):
        return _from_json(path, text)
    return groups_in(text)


def groups_in(text: str) -> list[Group]:
    """The groups of a text: a block of lines each, or where none has two lines a document a line."""
    blocks = [[" ".join(line.split()) for line in block.split("\n")] for block in re.split(r"\n\s*\n", text.strip("\n"))]
    if len(blocks) == 1 and "\n\n" not in text.strip("\n"):  # without a blank line: documents
        blocks = [[line] for line in blocks[0]]
    blocks = [[line for line in block if line] for block in blocks]
    return [Group(block, False) if len(block) > 1 else _document(block[0]) for block in blocks if block]


def _document(text: str, summary: str = "") -> Group:
    return Group(sentences_of(text), True, summary)


def _from_json(path: Path, text: str) -> list[Group]:
    if path.suffix.lower() == ".json":
        whole = _loaded(text, str(path))
        if not isinstance(whole, list):
            raise ValueError(f"{path}: is no list; {EXAMPLE}")
        return [_group(item, f"{path}, item {number}") for number, item in enumerate(whole, 1)]
    lines = [(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return [_group(_loaded(line, where), where) for line, where in lines]


def _loaded(text: str, where: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where}: is not JSON ({error}); {EXAMPLE}") from error


def _group(item: object, where: str) -> Group:
    found = item if isinstance(item, dict) else {"texts": item}
    texts, text, summary = found.get("texts"), found.get("text"), found.get("summary", "")
    if not isinstance(summary, str):
        raise ValueError(f'{where}: "summary" is no text')
    if isinstance(text, str) and text.strip() and texts is None:
        return _document(" ".join(text.split()), summary)
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) and one.strip() for one in texts):
        raise ValueError(f"{where}: has no texts; {EXAMPLE}")
    return Group([" ".join(one.split()) for one in texts], False, summary)


def passages(sentences: Sequence[str], longest: int) -> list[list[str]]:
    """A document's sentences in passages of about equal length, none with more than ``longest``."""
    count = -(-len(sentences) // longest)
    cuts = [round(k * len(sentences) / count) for k in range(count + 1)]
    return [list(sentences[start:end]) for start, end in pairwise(cuts)]
