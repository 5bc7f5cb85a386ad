"""What every stored lesson must be, so that comparing its outputs means something. Nothing is run here."""

import ast
import base64
import inspect
import re
import struct
from pathlib import Path

import nbformat
import pytest

from vae_course import exercises
from vae_course.course.expectations import range_told
from vae_course.course.lessons import NOTEBOOKS, Lesson
from vae_course.course.storing import METADATA, folded, minutes
from vae_course.exercises import catalogue, explanations
from vae_course.figures.base import SHARPNESS
from vae_course.studies import stored_seeds

ROOT = NOTEBOOKS.parent
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
EXEMPT = "nbval-ignore-output"
ALLOWED_TAGS = {"parameters", EXEMPT}
# All cells whose outputs are not compared, so that no other is exempt by the way.
EXEMPT_CELLS = {
    "00": ["cell-07", "cell-28", "ten-counts", "cell-30"],
    "01": ["denoising-errors", "ae-61", "ae-63", "ae-71", "ae-78", "ae-84", "ae-85"],
    "02": ["cell-40", "silenced", "loud-and-quiet"],
    "05": [
        "vae-26",
        "vae-38",
        "vae-46",
        "vae-54",
        "vae-66",
        "four-rows",
        "vae-74",
        "vae-81",
        "new-encoders-table",
        "vae-88",
        "copies",
    ],
    "06": ["gan-66", "gan-71", "gan-76"],
    "07": [
        "text-33",
        "text-37",
        "text-49",
        "text-55",
        "text-66",
        "text-67d",
        "text-67g",
        "text-74",
        "text-79",
        "text-81b",
        "text-86",
        "text-87b",
        "text-90b",
        "text-95",
    ],
    "08": ["collapse-31", "collapse-31c", "silent-encoder"],
    "09": [
        "cures-49",
        "cures-55",
        "cures-57",
        "cures-59",
        "cures-61",
        "cures-63",
        "cures-65",
        "levers-04",
        "cures-86",
        "cures-89",
    ],
    "10": [
        "latent-10",
        "latent-12",
        "latent-21-nats",
        "latent-28",
        "latent-44",
        "latent-54",
        "latent-61",
        "latent-62-neighbours",
        "latent-63",
        "latent-64-changed",
    ],
    "11": ["generation-08", "generation-18", "generation-35", "generation-40"],
    "12": ["l11-23", "l11-29", "l11-34", "l11-39"],
    "13": ["c16", "c21", "c44", "c27"],
    "15": ["c13-19", "c13-22", "c13-25", "c13-29"],
    "17": ["audit-14", "audit-21", "audit-28", "arrivals-counted"],
}
# How many claims a lesson holds itself to: one fewer is a decision, made here.
EXPECTATIONS = {
    "00": 6,
    "01": 92,
    "02": 45,
    "03": 28,
    "04": 30,
    "05": 58,
    "06": 55,
    "07": 58,
    "08": 44,
    "09": 40,
    "10": 77,
    "11": 38,
    "12": 64,
    "13": 28,
    "15": 29,
    "16": 7,
    "17": 45,
}
# What a cell may say of itself: what it asks for, why it is exempt from comparison or not to be run twice, what is folded.
ALLOWED_METADATA = {"tags", "exercise", "explanation", "reason", "runs_once", "jupyter"}
FOLDS = ({"source_hidden": True}, {"source_hidden": True, "outputs_hidden": True})
# Lessons that say five claims in words, and fold their plumbing and all further expectations.
FOLD = ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10"]
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
        assert set(cell.metadata) <= ALLOWED_METADATA, cell.id
        assert set(cell.metadata.get("tags", [])) <= ALLOWED_TAGS, cell.id
        assert len(cell.metadata.get("runs_once", "a reason")) > 5, cell.id


def test_what_is_folded_says_in_its_first_line_what_it_is(lesson):
    for cell in cells(lesson):
        if "jupyter" in cell.metadata:
            assert cell.cell_type == "code"
            assert dict(cell.metadata["jupyter"]) in FOLDS
            assert "exercise" not in cell.metadata
            assert re.match(r"# [A-Z].{5,}\n", cell.source), cell.source


def test_five_claims_are_said_in_words_and_all_else_is_checked_out_of_sight(lesson):
    calls = [
        (cell, call)
        for cell in cells(lesson, "code")
        for call in ast.walk(ast.parse(cell.source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "expect"
    ]
    said = [cell for cell, call in calls if any(keyword.arg == "says" for keyword in call.keywords)]
    if lesson.stem[:2] not in FOLD:
        assert not said, "now that it says its claims in words, list it in FOLD"
        return
    assert 4 <= len(said) <= 6
    for cell, _ in calls:
        assert folded(cell)
        assert cell.metadata["jupyter"].get("outputs_hidden", False) == (cell not in said)


def test_every_code_cell_was_run_in_order_so_that_it_is_compared(lesson):
    counts = [cell.execution_count for cell in cells(lesson, "code")]
    assert counts == list(range(1, len(counts) + 1))


def test_at_most_a_fifth_of_the_cells_is_exempt_each_with_its_reason(lesson):
    code = cells(lesson, "code")
    exempt = [cell for cell in code if EXEMPT in cell.metadata.get("tags", [])]
    assert [cell.id for cell in exempt] == EXEMPT_CELLS.get(lesson.stem[:2], [])
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
        about = picture.metadata["image/png"]
        assert about["alt"] == picture.data["text/plain"]
        width, _ = struct.unpack(">II", base64.b64decode(picture.data["image/png"])[16:24])
        assert width == pytest.approx(SHARPNESS * about["width"], abs=1)
        assert picture.data["text/plain"] not in printed(lesson)


def test_its_header_is_read_by_the_list_and_tells_its_times(lesson):
    header = Lesson.read(lesson)
    assert header.question.endswith("?")
    assert header.minutes == minutes(nbformat.read(lesson, as_version=4))
    assert 2 <= header.seconds <= 45  # a kernel that loads torch is not ready sooner


def test_all_lessons_together_run_in_five_minutes_on_two_cores():
    assert sum(Lesson.read(path).seconds for path in PATHS) <= 2 * 300


def test_its_lines_fit_on_a_screen(lesson):
    assert max(len(line) for cell in cells(lesson, "code") for line in cell.source.splitlines()) <= 128


def test_it_can_be_run_with_parameters(lesson):
    (parameters,) = [cell for cell in cells(lesson, "code") if "parameters" in cell.metadata.get("tags", [])]
    on_text = [(TAKES[lesson.stem[:2]], '"world"'), ("tokens", '"auto"')] if lesson.stem[:2] in TAKES else []
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


def test_its_sections_are_numbered_without_a_gap(lesson):
    prose = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", prose, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_it_ends_with_its_claims_and_where_to_go(lesson):
    headings = re.findall(r"^## (.+)$", "\n".join(c.source for c in cells(lesson, "markdown")), re.MULTILINE)
    assert headings[-2:] == ["What you should have seen", "Going further"]


def test_guesses_are_asked_for_and_left_open_before_anything_is_computed(lesson):
    """Each prediction of the lesson has a cell of its own that asks, and is revealed below, folded on the stored page."""
    names = [prediction.name for prediction in catalogue.predictions_by_lesson()[int(lesson.stem[:2])]]
    assert names
    code = cells(lesson, "code")
    assert [cell.source for cell in code if "predict(" in cell.source] == [f'guess = predict("{name}")' for name in names]
    everything = "\n".join(cell.source for cell in code)
    assert re.findall(r'(?:predict|reveal)\("(\w+)"', everything) == [name for name in names for _ in range(2)]
    answers = [o.data["text/html"] for o in outputs(lesson) if "<details>" in o.get("data", {}).get("text/html", "")]
    assert len(answers) == len(names)


def test_questions_stand_in_bundles_that_need_no_widget(lesson):
    """What is stored of a question says by itself what may be guessed, and how, and no choice stands out as an example."""
    for cell in cells(lesson, "code"):
        if "predict(" in cell.source:
            (output,) = cell.outputs
            prediction = exercises.find_prediction(cell.source.split('"')[1])
            told = " ".join(output.data["text/plain"].split())
            typed = f'predict("{prediction.name}", "...")'
            assert told == f"What do you expect: {prediction.listed()}? Write it in place of the dots: {typed}"


def test_each_task_in_words_stands_once_in_its_lesson_as_the_package_words_it(lesson):
    found = [cell for cell in cells(lesson) if "explanation" in cell.metadata]
    tasks = catalogue.explanations_by_lesson()[int(lesson.stem[:2])]
    assert [cell.metadata["explanation"] for cell in found] == [task.name for task in tasks]
    assert [cell.source for cell in found] == [explanations.cell(task) for task in tasks]
    assert {cell.cell_type for cell in found} <= {"markdown"}
    everything = "\n".join(cell.source for cell in cells(lesson, "markdown"))
    assert everything.count("**In your own words.**") == len(tasks)


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
    shown = re.findall(r"^(?:✓ |✓ .+\n  )(.+): (\S+ to \S+|exactly \S+)$", printed(lesson), re.MULTILINE)
    assert shown == [(e["claim"], range_told(e["low"], e["high"])) for e in stored]
    assert len(stored) == EXPECTATIONS[lesson.stem[:2]]
    for e in stored:
        assert len(e["values"]) >= 5
        assert all(e["low"] <= value <= e["high"] for value in e["values"]), e["claim"]


def test_nothing_names_a_machine_or_a_registry(lesson):
    assert not re.search(r"/home/|/root/|/tmp/|file://", Path(lesson).read_text(encoding="utf-8"))
