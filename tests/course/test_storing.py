"""What storing a lesson tells of it: its minutes, and the map of the course that lesson 00 prints."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vae_course.course import lessons
from vae_course.course.storing import METADATA, minutes, refresh_map


def cell(metadata=None):
    return new_code_cell("x = 1", metadata=metadata or {})


@pytest.mark.parametrize(
    ("words", "cells", "expected"),
    [
        (1, [], 5),  # none takes less
        (2000, [], 10),
        (1000, [cell() for _ in range(5)], 15),
        (1000, [cell({"exercise": "to_bits"}), cell({"exercise": "ablation"})], 25),
        (1000, [cell({"tags": ["parameters"]}), cell({"jupyter": {"source_hidden": True}})], 5),
        (1400, [], 5),  # 7 minutes
        (1600, [], 10),  # 8 minutes
    ],
)
def test_minutes_by_the_formula(words, cells, expected):
    assert minutes(new_notebook(cells=[new_markdown_cell("word " * words), *cells])) == expected


def test_the_map_is_written_into_the_cell_that_prints_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(lessons, "NAMES", ("00_start", "01_next"))
    for name, times in (("00_start", (5, 7)), ("01_next", (120, 9))):
        header = f"# {name[:2]} · What is {name}?\n{lessons.times_told(*times)}"
        sources = ["# The map\nprint(lessons.course_map())", "print('something else')"]
        made = new_notebook(cells=[new_markdown_cell(header), *map(new_code_cell, sources)], metadata=METADATA)
        nbformat.write(made, tmp_path / f"{name}.ipynb")
    refresh_map()
    first, second = (nbformat.read(path, as_version=4).cells for path in sorted(tmp_path.glob("*.ipynb")))
    assert first[1].outputs[0].text == lessons.course_map() + "\n"
    assert [line.split()[-2:] for line in lessons.course_map().splitlines()] == [["5", "min"], ["120", "min"], ["125", "min"]]
    assert not first[2].outputs
    assert not second[1].outputs
