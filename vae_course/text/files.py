"""A reader's own files as records of text: read as their ending and content say, or refused with the line and an example."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = tuple[int, list[str]]  # line, or number of the item in a list of JSON, and the values
Column = str | int  # a name in the header, or a number counted from 1

TEXT, PAIR = ("text",), ("source", "target")
EXAMPLES = {
    (".txt", TEXT): "a sentence a line",
    (".csv", TEXT): 'a header with "text", then a sentence a line',
    (".jsonl", TEXT): '{"text": "A cat sleeps."} on each line',
    (".json", TEXT): '["A cat sleeps.", "A dog runs."], or objects with "text"',
    (".txt", PAIR): "A cat sleeps., a tab, Un chat dort.",
    (".csv", PAIR): 'a header with "source" and "target", then two texts a line',
    (".jsonl", PAIR): '{"source": "A cat sleeps.", "target": "Un chat dort."} on each line',
    (".json", PAIR): '[{"source": "A cat sleeps.", "target": "Un chat dort."}, ...]',
}
SAME = {".tsv": ".txt", ".ndjson": ".jsonl"}  # endings of one kind
DELIMITERS = ",;\t|"
# Words that make a first line a header, where all its cells are among them.
_HEADINGS = """id index line number text sentence source target src tgt trg input output original corrected correction wrong
right translation reference summary english chinese french german spanish italian portuguese dutch russian japanese korean
arabic hebrew hindi turkish polish czech swedish danish finnish norwegian greek thai vietnamese ukrainian romanian hungarian
attribution licence license score label
en zh fr de es it pt nl ru ja ko ar he hi tr pl cs sv da fi no el th vi uk ro hu"""
HEADINGS = frozenset(_HEADINGS.split())
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


@dataclass(frozen=True)
class Records:
    """What was read: the records, and ``told``, what was chosen where there was a choice (empty where there was none)."""

    records: list[Record]
    told: str = ""


def read_records(path: Path, fields: tuple[str, ...], columns: Sequence[Column] | None = None) -> Records:
    """The texts (``fields`` is ``TEXT``) or pairs of texts (``PAIR``) of a file, white space made single spaces.

    Texts: ``.csv`` and ``.tsv`` with a column "text", ``.jsonl``, ``.ndjson`` and ``.json`` with such a field, and any other
    file as a sentence a line. Pairs: columns between tabs (``.tsv``, ``.txt``), ``.csv``, or JSON with "source" and "target".
    Where there are other columns, those that hold no numbers are taken from the left; ``columns`` chooses them by name, or by
    number from 1. A header is recognized. Records without any text are left out.
    Raises ``ValueError`` with path and line for what is not understood.
    """
    text = read_text(path)
    kind = SAME.get(path.suffix.lower(), path.suffix.lower())
    place = "item" if kind == ".json" else "line"
    if kind == ".jsonl":
        found = _from_json(path, fields, columns, list(_json_lines(path, text, fields)), place)
    elif kind == ".json":
        found = _from_json(path, fields, columns, _json_list(path, text, fields), place)
    elif kind == ".csv" or fields == PAIR or path.suffix.lower() == ".tsv":
        found = _from_table(path, fields, columns, text, is_csv=kind == ".csv")
    else:
        _refuse_what_is_no_prose(path, text)
        found = Records([(number, [line]) for number, line in enumerate(text.split("\n"), 1)])
    kept = [(number, [" ".join(value.split()) for value in values]) for number, values in found.records]
    kept = [(number, values) for number, values in kept if any(values)]
    for number, values in kept:
        if not all(values):
            raise ValueError(f"{path}, {place} {number}: {fields[values.index('')]} is blank; every pair needs both")
        if half := re.search(r"[\ud800-\udfff]", "".join(values)):
            raise ValueError(
                f"{path}, {place} {number}: holds \\u{ord(half[0]):04x}, half of a character, which no text can; "
                "write the character itself, or both of its halves"
            )
    if not kept:
        raise ValueError(f"{path}: has no text under {' and '.join(fields)}")
    return Records(kept, found.told)


def read_text(path: Path) -> str:
    """A file's text, see ``text_of``."""
    return text_of(path.read_bytes(), str(path))


def text_of(raw: bytes, name: str) -> str:
    """The text of bytes in UTF-8, with \\n between lines, without byte order marks; ``name``: where they come from.

    Raises ``ValueError``, with name and line, for what is not UTF-8, and for what has no text.
    """
    try:
        text = raw.decode("utf-8")
        at = raw.find(b"\0")
    except UnicodeDecodeError as error:
        at = error.start
    if at >= 0:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            at = 0
        line = raw.count(b"\n", 0, at) + 1
        raise ValueError(
            f"{name}, line {line}: the byte 0x{raw[at]:02x} does not belong into UTF-8 text; open the file in an editor with "
            "the encoding that it has (UTF-16, Latin-1, GBK, ...) and save it as UTF-8"
        )
    text = text.replace("\ufeff", "")
    if not text.strip():
        raise ValueError(f"{name}: {'has only blank lines' if text else 'is empty'}; expected text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _expected(kind: str, fields: tuple[str, ...]) -> str:
    return f"expected {EXAMPLES[kind, fields]}"


def _refuse_what_is_no_prose(path: Path, text: str) -> None:
    """A file that is read line by line, but whose content is of another kind, would be trained on as if it were prose."""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    number, first = lines[0]
    tabs = {line.count("\t") for _, line in lines}
    other = None
    if _is_json(first) or (first in ("[", "{") and _is_json(text)):
        other = 'looks like JSON: name it .jsonl (an object with "text" on each line) or .json (a list)'
    elif re.match(r"<(!doctype|\?xml|(html|head|body|div|p|span|table|doc)[ >])", first, re.IGNORECASE):
        other = "looks like HTML or XML: take the text out of its marks, a sentence a line"
    elif first.startswith(("%PDF", "{\\rtf", "PK\x03")):
        other = "looks like a document of a word processor: save it as plain text, a sentence a line"
    elif len(lines) > 1 and len(tabs) == 1 and tabs != {0}:
        other = "holds columns between tabs: name it .tsv and choose a column, or read it as pairs"
    if other:
        raise ValueError(f"{path}, line {number}: {other}; {_expected('.txt', TEXT)}")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


# --- columns ----------------------------------------------------------------------------------------------------------


def _from_table(path: Path, fields: tuple[str, ...], columns: Sequence[Column] | None, text: str, is_csv: bool) -> Records:
    kind = ".csv" if is_csv else ".txt"
    rows = _csv_rows(path, text, fields) if is_csv else _tab_rows(text)
    (line, first), count = rows[0], len(rows[0][1])
    for number, cells in rows:
        if len(cells) != count:
            raise ValueError(
                f"{path}, line {number}: has {len(cells)} columns, where line {line} has {count}; {_expected(kind, fields)}"
                + ("; quote text that has separators" if is_csv else "")
            )
    names = [cell.strip().lower() for cell in first]
    has_header = set(fields) <= set(names) or set(names) <= HEADINGS or any(isinstance(c, str) for c in columns or ())
    body = rows[1:] if has_header else rows
    chosen = _chosen(path, fields, columns, first if has_header else None, body, count, kind)
    told = []
    if has_header and [names[c] for c in chosen] != list(fields):
        told.append("columns " + " and ".join(repr(first[c].strip()) for c in chosen) + f" of {count}")
    elif not has_header and count > len(fields):
        told.append("columns " + " and ".join(str(c + 1) for c in chosen) + f" of {count}")
    if has_header:
        told.append("line 1 is a header")
    return Records([(number, [cells[c] for c in chosen]) for number, cells in body], ", ".join(told))


def _chosen(
    path: Path,
    fields: tuple[str, ...],
    columns: Sequence[Column] | None,
    header: list[str] | None,
    body: Sequence[Record],
    count: int,
    kind: str,
) -> list[int]:
    """Which columns hold the fields, counted from 0."""
    names = [name.strip().lower() for name in header or ()]
    there = "the columns " + ", ".join(repr(name.strip()) for name in header) if header else f"{count} columns without names"
    if columns is not None:
        places = [column - 1 if isinstance(column, int) else _place(column, names) for column in columns]
        if len(places) != len(fields) or not all(0 <= place < count for place in places):
            asked = " and ".join(map(repr, columns))
            raise ValueError(f"{path}: columns: expected {len(fields)} of {there}, by name or counted from 1, got {asked}")
        return places
    if set(fields) <= set(names):
        return [names.index(field) for field in fields]
    texts = [c for c in range(count) if not all(NUMBER.fullmatch(cells[c].strip()) for _, cells in body)]
    if len(texts) < len(fields) or (fields == TEXT and len(texts) > 1):
        found = f"has {there}" if count > 1 else "has no second column"
        line = body[0][0] if body else 1
        choose = "column=" if fields == TEXT else "columns="
        raise ValueError(f"{path}, line {line}: {found}; {_expected(kind, fields)}, or choose with {choose}")
    return texts[: len(fields)]


def _place(name: str, names: list[str]) -> int:
    return names.index(name.lower()) if name.lower() in names else -1


def _tab_rows(text: str) -> list[Record]:
    return [(number, line.split("\t")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _csv_rows(path: Path, text: str, fields: tuple[str, ...]) -> list[Record]:
    """The rows by the separator that cuts the first line into the fields, or else into most columns."""
    line = text.lstrip("\n").partition("\n")[0]

    def usefulness(delimiter: str) -> tuple[bool, int]:
        names = [name.strip().strip('"').lower() for name in line.split(delimiter)]
        return set(fields) <= set(names), len(names)

    reader = csv.reader(io.StringIO(text), delimiter=max(DELIMITERS, key=usefulness), strict=True)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: is not CSV ({error}); {_expected('.csv', fields)}") from error
    return rows


# --- JSON -------------------------------------------------------------------------------------------------------------


def _json_lines(path: Path, text: str, fields: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _loaded(line, f"{path}, line {number}", ".jsonl", fields)


def _json_list(path: Path, text: str, fields: tuple[str, ...]) -> list[tuple[int, Any]]:
    whole = _loaded(text, str(path), ".json", fields)
    if not isinstance(whole, list):
        raise ValueError(f"{path}: holds one object, not a list; {_expected('.json', fields)}")
    return list(enumerate(whole, 1))


def _loaded(text: str, place: str, kind: str, fields: tuple[str, ...]) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, character {error.colno}" if kind == ".json" else f"character {error.pos + 1}"
        told = f"is not JSON ({error.msg} at {at})"
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
        told = f"is JSON that cannot be read ({error})"
    raise ValueError(f"{place}: {told}; {_expected(kind, fields)}")


def _from_json(
    path: Path, fields: tuple[str, ...], columns: Sequence[Column] | None, items: list[tuple[int, Any]], place: str
) -> Records:
    kind = ".json" if place == "item" else ".jsonl"
    records = [(number, _flat(item)) for number, item in items]
    wanted = [str(column) for column in columns] if columns is not None else list(fields)
    if columns is None and records and not all(field in records[0][1] for field in fields):
        texts = [name for name, value in records[0][1].items() if isinstance(value, str)]
        if len(texts) == len(fields):
            wanted = texts
    for number, record in records:
        if not all(isinstance(record.get(name), str) for name in wanted):
            found = f"; it has {', '.join(map(repr, record))}" if record else ""
            raise ValueError(
                f"{path}, {place} {number}: expected an object with text under {' and '.join(map(repr, wanted))}{found}; "
                f"{_expected(kind, fields)}"
            )
    told = "" if wanted == list(fields) or wanted[0].isdigit() else f"text under {' and '.join(map(repr, wanted))}"
    return Records([(number, [record[name] for name in wanted]) for number, record in records], told)


def _flat(item: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An item by its fields: a string or a list by number, the languages of a "translation" as fields of their own."""
    if isinstance(item, str):
        return {"1": item}
    if isinstance(item, list):
        return {str(number): part for number, part in enumerate(item, 1)}
    if isinstance(item, dict):
        inside = item.get("translation")
        return inside if isinstance(inside, dict) else item
    return {}
