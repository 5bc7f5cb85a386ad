"""Files as people have them: read as they are meant, or refused with the line and an example."""

import json

import pytest

from vae_course.text.files import PAIR, TEXT, read_records

ROWS = [("a cat sleeps", "un chat dort"), ("a dog runs", "un chien court"), ("it rains", "il pleut")]
TEXTS = [source for source, _ in ROWS]


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def lines(*cells, between="\t"):
    return "".join(between.join(row) + "\n" for row in zip(*cells, strict=True))


SOURCES, TARGETS = zip(*ROWS, strict=True)
NUMBERS, NOTES = ("11", "12", "13"), ("by Anna", "by Anna", "by Bo")

READ = {
    "texts, a line each": ("a.txt", TEXT, "\n".join(TEXTS), ""),
    "texts of an unknown ending": ("train.en", TEXT, "\n\n".join(TEXTS), ""),
    "a carriage return at each line, byte order marks": ("a.txt", TEXT, "\ufeff" + "\r\n\ufeff".join(TEXTS), ""),
    "csv": ("a.csv", TEXT, "text,label\n" + lines(SOURCES, NUMBERS, between=","), "line 1 is a header"),
    "csv with semicolons": ("a.csv", TEXT, "id;text\n" + lines(NUMBERS, SOURCES, between=";"), "line 1 is a header"),
    "csv of one column with another name": (
        "a.csv",
        TEXT,
        "sentence\n" + "\n".join(TEXTS),
        "columns 'sentence' of 1, line 1 is a header",
    ),
    "csv without a header": ("a.csv", TEXT, lines(NUMBERS, SOURCES, between=","), "columns 2 of 2"),
    "tsv with numbers before": ("a.tsv", TEXT, lines(NUMBERS, SOURCES), "columns 2 of 2"),
    "json lines": ("a.jsonl", TEXT, "\n".join(json.dumps({"text": t, "n": 1}) for t in TEXTS), ""),
    "ndjson": ("a.ndjson", TEXT, "\n".join(json.dumps({"text": t}) for t in TEXTS), ""),
    "json lines under another name": (
        "a.jsonl",
        TEXT,
        "\n".join(json.dumps({"id": 1, "review": t}) for t in TEXTS),
        "text under 'review'",
    ),
    "strings, a line each": ("a.jsonl", TEXT, "\n".join(map(json.dumps, TEXTS)), ""),
    "a list of objects": ("a.json", TEXT, json.dumps([{"text": t} for t in TEXTS], indent=1), ""),
    "a list of strings": ("a.json", TEXT, json.dumps(TEXTS), ""),
    "pairs": ("a.tsv", PAIR, lines(SOURCES, TARGETS), ""),
    "pairs in a text file": ("a.txt", PAIR, lines(SOURCES, TARGETS), ""),
    "pairs with an attribution": ("a.tsv", PAIR, lines(SOURCES, TARGETS, NOTES), "columns 1 and 2 of 3"),
    "pairs each with its number": ("a.tsv", PAIR, lines(NUMBERS, SOURCES, NUMBERS, TARGETS), "columns 2 and 4 of 4"),
    "pairs below a header": ("a.tsv", PAIR, "source\ttarget\n" + lines(SOURCES, TARGETS), "line 1 is a header"),
    "pairs below a header of languages": (
        "a.tsv",
        PAIR,
        "id\tEnglish\tFrench\n" + lines(NUMBERS, SOURCES, TARGETS),
        "columns 'English' and 'French' of 3, line 1 is a header",
    ),
    "pairs whose header turns them round": (
        "a.csv",
        PAIR,
        "target,source\n" + lines(TARGETS, SOURCES, between=","),
        "line 1 is a header",
    ),
    "pairs in csv without a header": ("a.csv", PAIR, lines(SOURCES, TARGETS, between="|"), ""),
    "pairs in csv with quoted commas": (
        "a.csv",
        PAIR,
        "source,target\n" + "".join(f'"{s}","{t}"\n' for s, t in ROWS),
        "line 1 is a header",
    ),
    "pairs as objects": ("a.jsonl", PAIR, "\n".join(json.dumps({"source": s, "target": t}) for s, t in ROWS), ""),
    "pairs as lists": ("a.json", PAIR, json.dumps(ROWS), ""),
    "pairs by language": (
        "a.json",
        PAIR,
        json.dumps([{"translation": {"en": s, "fr": t}} for s, t in ROWS]),
        "text under 'en' and 'fr'",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_people_have_is_read_and_what_was_chosen_is_told(tmp_path, case):
    name, fields, content, told = READ[case]
    found = read_records(written(tmp_path, name, content), fields)
    assert [tuple(values) for _, values in found.records] == (ROWS if fields == PAIR else [(t,) for t in TEXTS])
    assert found.told == told


def test_quotes_in_columns_between_tabs_are_text(tmp_path):
    found = read_records(written(tmp_path, "a.tsv", '"Go, he said.\tVa.\nHe said "go".\tVa !\n'), PAIR)
    assert found.records == [(1, ['"Go, he said.', "Va."]), (2, ['He said "go".', "Va !"])]


@pytest.mark.parametrize(
    ("columns", "expected"), [((3, 1), ("by Anna", "a cat sleeps")), (("French", "English"), ("un chat dort", "a cat sleeps"))]
)
def test_columns_can_be_chosen(tmp_path, columns, expected):
    header = "English\tFrench\tAttribution\n" if isinstance(columns[0], str) else ""
    path = written(tmp_path, "a.tsv", header + lines(SOURCES, TARGETS, NOTES))
    assert tuple(read_records(path, PAIR, columns).records[0][1]) == expected


REFUSED = {
    "empty": ("a.txt", TEXT, "", "is empty"),
    "blank": ("a.txt", TEXT, " \n\n", "has only blank lines"),
    "Latin-1": ("a.txt", TEXT, "a\ncaf\xe9".encode("latin-1"), "line 2: the byte 0xe9 does not belong into UTF-8"),
    "UTF-16": ("a.txt", TEXT, "a cat".encode("utf-16"), "line 1: the byte 0xff does not belong into UTF-8"),
    "json that is called text": ("a.txt", TEXT, '{"text": "a"}\n{"text": "b"}', "line 1: looks like JSON: name it .jsonl"),
    "a list that is called text": ("a.txt", TEXT, '[\n {"text": "a"}\n]', "line 1: looks like JSON"),
    "a page": ("a.html", TEXT, "<!DOCTYPE html>\n<p>a</p>", "looks like HTML or XML"),
    "rich text": ("a.rtf", TEXT, "{\\rtf1 a}", "looks like a document of a word processor"),
    "pairs that are called text": ("a.txt", TEXT, lines(SOURCES, TARGETS), "line 1: holds columns between tabs"),
    "text columns to choose from": (
        "a.tsv",
        TEXT,
        lines(SOURCES, TARGETS),
        r"has 2 columns without names; .*, or choose with column=$",
    ),
    "no second column": ("a.txt", PAIR, "\n".join(TEXTS), "line 1: has no second column; expected A cat sleeps., a tab"),
    "a ragged line": ("a.tsv", PAIR, "a\tb\nc\n", "line 2: has 1 columns, where line 1 has 2"),
    "half a pair": ("a.tsv", PAIR, "a\tb\nc\t \n", "line 2: target is blank; every pair needs both"),
    "a quote without its end": ("a.csv", TEXT, 'text\n"a\n', "is not CSV"),
    "another field": (
        "a.jsonl",
        TEXT,
        '{"text": "a"}\n{"txt": "b"}',
        "line 2: expected an object with text under 'text'; it has 'txt'",
    ),
    "a number": ("a.jsonl", TEXT, '{"text": "a"}\n{"text": 5}', "line 2: expected an object with text under 'text'"),
    "broken json": ("a.jsonl", TEXT, '{"text": "a"}\n{"text": ', "line 2: is not JSON"),
    "a broken list": ("a.json", TEXT, '["a",\n "b"', r"a\.json: is not JSON .* at line 2, character 5"),
    "one object": ("a.json", TEXT, '{"text": "a"}', "holds one object, not a list; expected"),
    "nested without end": ("a.json", TEXT, "[" * 100_000, "is JSON that cannot be read"),
    "a number of thousands of digits": ("a.jsonl", TEXT, '{"text": ' + "1" * 5000 + "}", "line 1: is JSON that cannot be read"),
    "half a character": (
        "a.jsonl",
        TEXT,
        '{"text": "a"}\n{"text": "b \\ud83d"}',
        r"line 2: holds \\ud83d, half of a character",
    ),
    "records without text": ("a.jsonl", TEXT, '{"text": " "}', "has no text under text"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_understood_is_refused_with_its_place(tmp_path, case):
    name, fields, content, message = REFUSED[case]
    path = written(tmp_path, name, content)
    with pytest.raises(ValueError, match=message) as caught:
        read_records(path, fields)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("columns", [(1,), (0, 1), (1, 4), ("source", "target")])
def test_columns_that_are_not_there_are_refused(tmp_path, columns):
    with pytest.raises(ValueError, match="columns: expected 2 of "):
        read_records(written(tmp_path, "a.tsv", lines(SOURCES, TARGETS, NOTES)), PAIR, columns)
