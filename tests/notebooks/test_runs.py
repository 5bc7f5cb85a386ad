"""Lessons as solved by a reader, and the strictness of the comparison itself.

The lessons as they are stored are run by nbval, which collects ``notebooks/`` beside these tests.
"""

import ast
import copy
import inspect
import itertools
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import right_answers
import stored_pictures

from vae_course.course.lessons import NOTEBOOKS, Lesson
from vae_course.course.ranges import values_under
from vae_course.course.running import execute
from vae_course.course.storing import METADATA, tags, with_answers
from vae_course.exercises import number_of
from vae_course.studies import stored_seeds

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


def sources(path):
    """Right answers to a lesson's exercises in another style than ours, by name, as source."""
    return {name: inspect.getsource(answer) for name, answer in right_answers.first_of(int(path.stem[:2])).items()}


def code_cells(notebook):
    return [(cell, ast.parse(cell.source)) for cell in notebook.cells if cell.cell_type == "code"]


def uses_what_the_reader_writes(notebook):
    """Whether a later cell runs on an exercise's function, which a cell of its own does not define."""
    cells = code_cells(notebook)
    written = {node.name for cell, tree in cells if cell.metadata.get("exercise") for node in tree.body if is_definition(node)}
    for cell, tree in cells:
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        own = {node.name for node in tree.body if is_definition(node)}
        if not cell.metadata.get("exercise") and names & (written - own):
            return True
    return False


def is_definition(node):
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_solved_in_another_style_is_told_correct_and_meets_every_expectation(path):
    """Where no cell runs on what the reader writes, the exercises alone are run, after the parameters and the imports."""
    solved = with_answers(nbformat.read(path, as_version=4), sources(path))
    if not uses_what_the_reader_writes(solved):
        parameters, imports, *others = (cell for cell, _ in code_cells(solved))
        solved.cells = [parameters, imports, *(cell for cell in others if cell.metadata.get("exercise"))]
    execute(solved, NOTEBOOKS)
    for cell in solved.cells:
        if name := cell.metadata.get("exercise"):
            printed = "".join(output.get("text", "") for output in cell.outputs)
            assert printed == f"Exercise {number_of(name)}: correct.\n"


def run_twice(notebook):
    """Run a notebook in which every code cell stands twice, but for those that say why they may not; return the pairs."""
    pairs = []
    for position in reversed(range(len(notebook.cells))):
        cell = notebook.cells[position]
        if cell.cell_type == "code" and "runs_once" not in cell.metadata:
            again = nbformat.v4.new_code_cell(cell.source)
            notebook.cells.insert(position + 1, again)
            pairs.insert(0, (cell, again))
    execute(notebook, NOTEBOOKS)
    return pairs


def shown(cell):
    """What a cell prints, and displays apart from widgets, which are new each time."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    displayed = [dict(output.data) for output in cell.outputs if "data" in output]
    for data in displayed:
        data.pop("application/vnd.jupyter.widget-view+json", None)
    return printed, displayed


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_cell_can_be_run_twice(path):
    """And shows the same again: generators are made in the cell that draws from them, a model in the one that trains it.

    What it prints is what is stored, too: no cell is changed by what the second run of one before it left behind.
    """
    stored = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
    for cell, again in run_twice(nbformat.read(path, as_version=4)):
        assert shown(again) == shown(cell), cell.source
        if "nbval-ignore-output" not in tags(cell):
            assert shown(cell)[0] == shown(stored[cell.id])[0], cell.source


def test_a_cell_that_goes_on_where_it_stopped_is_found():
    sources = ["values = []", "values.append(1)\nprint(values)", "print(len(values))"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources], metadata=METADATA)
    notebook.cells[2].metadata["runs_once"] = "as an example"
    pairs = run_twice(notebook)
    assert [shown(again) == shown(cell) for cell, again in pairs] == [True, False]
    assert len(notebook.cells) == 5


def run_nbval(notebook, path):
    nbformat.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "stored_pictures", "-q", str(path)]
    plugins = str(Path(stored_pictures.__file__).parent)
    paths = os.pathsep.join([plugins, os.environ["PYTHONPATH"]])
    environment = os.environ | {"PYTHONPATH": paths}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=path.parent, env=environment)


def beginning_of_lesson_02():
    """Its cells up to the first printed numbers: enough to see the comparison at work, in seconds."""
    lesson = nbformat.read(NOTEBOOKS / "02_kl_divergence.ipynb", as_version=4)
    last = next(
        i
        for i, cell in enumerate(lesson.cells)
        if any("entropy: 1.2130 nats" in o.get("text", "") for o in cell.get("outputs", []))
    )
    return nbformat.v4.new_notebook(cells=lesson.cells[: last + 1], metadata=METADATA)


def test_one_altered_digit_in_a_stored_output_fails_the_run(tmp_path):
    faithful = beginning_of_lesson_02()
    altered = copy.deepcopy(faithful)
    altered.cells[-1].outputs[0].text = altered.cells[-1].outputs[0].text.replace("1.2130", "1.2131")

    assert run_nbval(faithful, tmp_path / "faithful.ipynb").returncode == 0
    result = run_nbval(altered, tmp_path / "altered.ipynb")
    assert result.returncode == 1
    assert "1.2131" in result.stdout


PICTURE = "from vae_course.figures import base\nbase.bars([{names}], [{values}], title='t', y_label='y', words='bars')"


def ran(source):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)], metadata=METADATA)
    execute(notebook, NOTEBOOKS)
    return notebook


def without_its_picture(notebook):
    del notebook.cells[0].outputs[0].data["image/png"]


def with_another_picture(notebook):
    other = ran(PICTURE.format(names="'a', 'b'", values="2.0, 1.0"))
    notebook.cells[0].outputs[0].data["image/png"] = other.cells[0].outputs[0].data["image/png"]


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (without_its_picture, "1 pictures were drawn, 0 are stored"),
        (with_another_picture, "picture 1 is not the one that is stored"),
    ],
)
def test_a_stored_picture_that_was_replaced_or_deleted_fails_the_run(tmp_path, alter, told):
    faithful = ran(PICTURE.format(names="'a', 'b'", values="1.0, 2.0"))
    altered = copy.deepcopy(faithful)
    alter(altered)
    assert run_nbval(faithful, tmp_path / "faithful.ipynb").returncode == 0
    result = run_nbval(altered, tmp_path / "altered.ipynb")
    assert result.returncode == 1
    assert told in result.stdout


def test_no_two_pictures_of_the_course_are_taken_for_one_another():
    """Of those that are compared: a cell that is exempt may draw another's picture once more, with one point added."""
    cells = [cell for path in PATHS for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    cells = [cell for cell in cells if "nbval-ignore-output" not in cell.metadata.get("tags", [])]
    found = [stored_pictures.ink(picture) for cell in cells for picture in stored_pictures.pictures(cell.outputs)]
    alike = [stored_pictures.displaced(*pair) <= stored_pictures.DISPLACED for pair in itertools.combinations(found, 2)]
    assert len(found) > 100
    assert sum(alike) <= 1


def test_a_lesson_that_reaches_for_the_network_fails(tmp_path):
    cell = nbformat.v4.new_code_cell("import urllib.request\nurllib.request.urlopen('http://192.0.2.1')", execution_count=1)
    result = run_nbval(nbformat.v4.new_notebook(cells=[cell], metadata=METADATA), tmp_path / "online.ipynb")
    assert result.returncode == 1
    assert "lessons and tests use no network" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_stored_values_of_a_seed_are_those_that_the_lesson_finds(path):
    """One seed a lesson, another for each; what is stored is found again, up to what trainings differ by between machines."""
    lesson, stored = Lesson.read(path), stored_seeds(path.stem)["expectations"]
    seed = PATHS.index(path) % 5
    _, found = values_under(lesson, f"seed = {seed}")
    assert [value.claim for value in found] == [row["claim"] for row in stored]
    for value, row in zip(found, stored, strict=True):
        assert (value.low, value.high) == (row["low"], row["high"])
        assert value.value == pytest.approx(row["values"][seed], abs=0.25 * (row["high"] - row["low"]) + 1e-9), value.claim
