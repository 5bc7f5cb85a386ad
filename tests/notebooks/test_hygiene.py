"""What every stored lesson must be, so that comparing its outputs means something. Nothing is run here."""

import ast
import inspect
import re
from pathlib import Path

import nbformat
import pytest

from vae_course import exercises
from vae_course.course.lessons import NOTEBOOKS, Lesson
from vae_course.course.storing import METADATA
from vae_course.exercises import catalogue
from vae_course.studies import stored_seeds

ROOT = NOTEBOOKS.parent
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
EXEMPT = "nbval-ignore-output"
ALLOWED_TAGS = {"parameters", EXEMPT}
# These also run on a reader's own text, or pairs of texts.
TAKES = {**dict.fromkeys(("07", "08", "09", "10", "11"), "corpus"), **dict.fromkeys(("12", "13", "15"), "pairs")}


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def lesson(request):
    return request.param


def cells(path, kind=None):
    return [c for c in nbformat.read(path, as_version=4).cells if kind is None or c.cell_type == kind]


def outputs(path):
    return [output for cell in cells(path, "code") for output in cell.outputs]


def printed(path):
    return "".join(o.text for o in outputs(path) if o.output_type == "stream")


def test_the_lessons_are_there_each_under_a_number_of_its_own():
    numbers = [path.stem[:2] for path in PATHS]
    assert len(set(numbers)) == len(numbers) >= 15
    assert {int(number) for number in numbers} == set(catalogue.by_lesson())


def test_it_is_valid_and_says_only_what_every_run_says(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "exercise", "reason"}, cell.id
        assert set(cell.metadata.get("tags", [])) <= ALLOWED_TAGS, cell.id


def test_every_code_cell_was_run_in_order_so_that_it_is_compared(lesson):
    counts = [cell.execution_count for cell in cells(lesson, "code")]
    assert counts == list(range(1, len(counts) + 1))


def test_at_most_a_fifth_of_the_cells_is_exempt_each_with_its_reason(lesson):
    code = cells(lesson, "code")
    exempt = [cell for cell in code if EXEMPT in cell.metadata.get("tags", [])]
    assert len(exempt) <= len(code) / 5
    assert all(len(cell.metadata.get("reason", "")) > 10 for cell in exempt)


def test_no_warnings_and_no_errors_are_stored(lesson):
    for output in outputs(lesson):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.get("text")


def test_no_widget_is_stored_that_only_a_dead_kernel_could_draw(lesson):
    assert not [o for o in outputs(lesson) if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]


def test_every_picture_has_words(lesson):
    pictures = [o for o in outputs(lesson) if "image/png" in o.get("data", {})]
    assert pictures
    for picture in pictures:
        assert len(picture.data["text/plain"]) > 20
        assert not picture.data["text/plain"].startswith("<")
        assert "\n" not in picture.data["text/plain"]


def test_its_header_is_read_by_the_list_and_it_runs_in_under_a_minute(lesson):
    header = Lesson.read(lesson)
    assert header.question.endswith("?")
    assert header.minutes >= 5
    assert header.seconds <= 60


def test_its_lines_fit_on_a_screen(lesson):
    assert max(len(line) for cell in cells(lesson, "code") for line in cell.source.splitlines()) <= 128


def test_it_can_be_run_with_parameters(lesson):
    (parameters,) = [cell for cell in cells(lesson, "code") if "parameters" in cell.metadata.get("tags", [])]
    on_text = [(TAKES[lesson.stem[:2]], '"world"')] if lesson.stem[:2] in TAKES else []
    assert re.findall(r"^(\w+) = (.+?)(?:  #.*)?$", parameters.source, re.MULTILINE) == [
        ("profile", '"fast"'),
        ("device", '"auto"'),
        ("seed", "0"),
        *on_text,
    ]


def test_it_never_seeds_globally(lesson):
    """Noise comes from generators. A layer that a cell builds itself draws its weights in ``with seeded_weights(seed):``."""
    for cell in cells(lesson, "code"):
        assert not re.search(r"manual_seed|np\.random\.seed|random\.seed\(|fork_rng", cell.source)
        unseeded = [ast.unparse(call) for call in layers_built(ast.parse(cell.source))]
        assert not unseeded, f"build {unseeded} in `with training.seeded_weights(seed):`, else each run has other weights"


def layers_built(tree):
    """Calls of torch's layers that run with the cell itself, outside ``with seeded_weights(...)``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
            continue  # runs when it is called, which is looked at there
        if isinstance(node, ast.With) and any("seeded_weights(" in ast.unparse(item.context_expr) for item in node.items):
            continue
        if isinstance(node, ast.Call) and re.fullmatch(r"(torch\.)?nn\.[A-Z]\w*", ast.unparse(node.func)):
            yield node
        yield from layers_built(node)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("layer = nn.Linear(2, 3)", ["nn.Linear(2, 3)"]),
        ("for n in (1, 2):\n    layers.append(nn.Sequential(torch.nn.Linear(n, 3)))", ["nn.Sequential(torch.nn.Linear(n, 3))"]),
        ("with training.seeded_weights(seed):\n    layer = nn.Linear(2, 3)", []),
        ("with torch.no_grad():\n    layer = nn.Linear(2, 3)", ["nn.Linear(2, 3)"]),
        ("class Mine(nn.Module):\n    def __init__(self):\n        self.layer = nn.Linear(2, 3)", []),
    ],
)
def test_layers_that_a_cell_builds_unseeded_are_found(source, found):
    assert [ast.unparse(call) for call in layers_built(ast.parse(source))][: len(found)] == found
    assert bool(found) == bool(list(layers_built(ast.parse(source))))


def test_it_ends_with_its_claims_and_where_to_go(lesson):
    headings = re.findall(r"^## (.+)$", "\n".join(c.source for c in cells(lesson, "markdown")), re.MULTILINE)
    assert headings[-2:] == ["What you should have seen", "Going further"]


def test_a_guess_is_asked_for_and_left_open(lesson):
    source = "\n".join(cell.source for cell in cells(lesson, "code"))
    assert "reveal(" in source
    assert re.search(r"^guess = None\b", source, re.MULTILINE)


def test_its_exercises_are_stubs_of_the_references(lesson):
    found = [cell for cell in cells(lesson, "code") if "exercise" in cell.metadata]
    names = [cell.metadata["exercise"] for cell in found]
    assert names == [exercise.name for exercise in catalogue.by_lesson()[int(lesson.stem[:2])]]
    assert len(names) >= 2
    for cell in found:
        reference = exercises.find(cell.metadata["exercise"]).reference
        (stub,) = [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert stub.name == reference.__name__
        if isinstance(stub, ast.FunctionDef):
            methods = [(stub, reference)]
        else:
            methods = [(node, getattr(reference, node.name)) for node in stub.body if isinstance(node, ast.FunctionDef)]
            assert [node.name for node, _ in methods] == ["__init__", "forward"]
        for node, function in methods:
            assert [a.arg for a in node.args.args] == list(inspect.signature(function).parameters)
        assert cell.source.endswith(f"\n{stub.name} = check({stub.name})")
    assert printed(lesson).count("not attempted yet") >= len(found)


def test_its_ranges_were_drawn_from_five_seeds(lesson):
    """The ranges that the lesson prints are those of the stored runs, and every seed's value lies inside."""
    stored = stored_seeds(lesson.stem)["expectations"]
    shown = re.findall(r"^✓ (.+): (\S+) to (\S+)$", printed(lesson), re.MULTILINE)
    assert shown == [(e["claim"], f"{e['low']:g}", f"{e['high']:g}") for e in stored]
    assert len(stored) >= 3
    for e in stored:
        assert len(e["values"]) >= 5
        assert all(e["low"] <= value <= e["high"] for value in e["values"]), e["claim"]


def test_nothing_names_a_machine_or_a_registry(lesson):
    assert not re.search(r"/home/|/root/|/tmp/|file://", Path(lesson).read_text(encoding="utf-8"))
