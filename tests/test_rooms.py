"""The house: imports run down from room to room and never in a circle, and each room's front hands on what is in it."""

import ast
import importlib
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vae_course"
# From the top down: a room imports only from those that come after it.
ROOMS = ["course", "figures", "studies", "applications", "exercises", "text", "images"]
ROOMS += ["training", "processes", "probability", "world", "whole_files"]
HAND_ON_EVERYTHING = ["applications", "text", "probability", "world"]  # every public function and class
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.stem.startswith("__")
}


def imports(module):
    """The modules of the package that a module imports, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not [a for a in node.names if a.name.partition(".")[0] == "vae_course"], f"{module}: {ast.unparse(node)}"
        if not isinstance(node, ast.ImportFrom):
            continue
        assert node.level == 0, f"{module}: {ast.unparse(node)} is relative; name the room"
        if node.module.partition(".")[0] != "vae_course":
            continue
        place = node.module.removeprefix("vae_course").lstrip(".")
        if place in MODULES:
            found.add(place)
        else:  # a folder: what is taken from it must be a module, since fronts are for lessons
            found |= {f"{place}.{alias.name}".lstrip(".") for alias in node.names}
    return found


GRAPH = {module: imports(module) for module in MODULES}


def room_of(module):
    return module.partition(".")[0]


def test_the_rooms_are_those_of_the_house():
    assert {room_of(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_from_its_own_room_or_from_those_below(module):
    floor = ROOMS.index(room_of(module))
    for imported in GRAPH[module]:
        assert imported in MODULES, f"{module} takes {imported} from a front; name its module"
        assert ROOMS.index(room_of(imported)) >= floor, f"{module} imports {imported}, which lies above it"


def test_there_is_no_circle():
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, naming the modules


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_a_front_hands_on_its_modules_and_what_is_public_in_them(room):
    front = importlib.import_module(f"vae_course.{room}")
    handed_on = set(front.__all__)
    modules = {name.partition(".")[2] for name in MODULES if room_of(name) == room}
    assert handed_on >= {name.partition(".")[0] for name in modules if not name.startswith("lesson_")}  # folders as a whole
    for name in handed_on:
        assert getattr(front, name) is not None
    if room in HAND_ON_EVERYTHING:
        for module in (name for name in modules if "." not in name):  # a folder is handed on as a whole
            defined = ast.parse(MODULES[f"{room}.{module}"].read_text(encoding="utf-8")).body
            public = {n.name for n in defined if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")}
            assert public <= handed_on, f"{module}: {sorted(public - handed_on)} are missing in {room}/__init__.pyi"


@pytest.mark.parametrize("room", [room for room in ROOMS if (PACKAGE / room).is_dir()])
def test_a_front_is_short_and_loads_nothing_by_itself(room):
    """Its lines say what is in the room; nothing heavy comes in before a name is asked for."""
    assert len((PACKAGE / room / "__init__.py").read_text(encoding="utf-8").splitlines()) <= 16
    code = f"import sys, vae_course.{room}; print([m for m in ('torch', 'numpy', 'matplotlib', 'IPython') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["list"], ["--help"], ["run", "--help"]])
def test_the_command_answers_without_the_heavy_libraries(arguments):
    heavy = "('torch', 'numpy', 'nbformat', 'nbclient', 'matplotlib', 'IPython')"
    code = f"""
import sys
from vae_course.course.cli import app
try:
    app({arguments})
except SystemExit:
    print("loaded:", [m for m in {heavy} if m in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert result.stdout.splitlines()[-1] == "loaded: []"
