"""The set-up files agree with one another, and the package stays light and quiet."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from vae_course.course.lessons import all_lessons

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    return [Requirement(line) for line in lines]


def test_every_constraint_is_one_exact_version():
    for pin in pins():
        assert [s.operator for s in pin.specifier] == ["=="], pin


def test_every_requirement_is_pinned():
    required = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    pinned = {canonicalize_name(pin.name) for pin in pins()}
    assert {canonicalize_name(Requirement(r).name) for r in required} <= pinned


def test_the_pinned_torch_is_the_one_asked_for_and_installed():
    (pin,) = [pin for pin in pins() if pin.name == "torch"]
    assert str(pin) == "torch==2.13.0"
    assert torch.__version__.partition("+")[0] == "2.13.0"


def test_installed_versions_are_the_pinned_ones():
    from importlib.metadata import PackageNotFoundError, version

    differing = {}
    for pin in pins():
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        try:
            installed = version(pin.name)
        except PackageNotFoundError:
            continue  # a constraint for another platform or build
        if installed.partition("+")[0] != str(pin.specifier).removeprefix("=="):
            differing[pin.name] = (installed, str(pin.specifier))
    assert not differing


def test_conda_installs_the_same_package_from_the_same_constraints():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, nested = environment["dependencies"]
    assert pip == "pip"
    assert nested == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    major_minor = python.removeprefix("python=")
    assert f">={major_minor}" == PROJECT["requires-python"]


def test_no_file_of_the_set_up_names_a_registry_or_a_path_of_one_machine():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml", "README.md", "course.py"):
        text = (ROOT / name).read_text()
        assert not re.search(r"file://|/home/|/root/|find-links|index-url", text), name


def test_the_readme_lists_every_lesson_with_its_question():
    listed = re.findall(
        r"^\| (\d\d) \| \[[^]]+\]\(notebooks/(\S+)\.ipynb\) \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert listed == [(lesson.name[:2], lesson.name, lesson.question) for lesson in all_lessons()]


def run_python(code, **options):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


def test_importing_the_package_is_light():
    code = "import sys, vae_course; print([m for m in ('torch', 'numpy', 'matplotlib') if m in sys.modules])"
    assert run_python(code).stdout.strip() == "[]"
    code = code.replace("vae_course;", "vae_course.course.cli;")
    assert run_python(code).stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [[], ["leb"]])
def test_course_py_without_a_command_explains_itself(arguments):
    result = subprocess.run([sys.executable, str(ROOT / "course.py"), *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "python course.py lab" in result.stderr
    assert "python course.py test" in result.stderr


@pytest.mark.parametrize(
    "attempt",
    [
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1')",
        "import socket; socket.create_connection(('192.0.2.1', 80))",
        "import socket; socket.getaddrinfo('example.org', 80)",
    ],
)
def test_the_network_is_closed_to_tests_and_to_kernels(attempt):
    result = run_python(attempt)
    assert "lessons and tests use no network, but something tried to reach" in result.stderr


def test_the_network_is_closed_in_this_process():
    import socket

    with pytest.raises(PermissionError, match=r"tried to reach '192\.0\.2\.1'"):
        socket.create_connection(("192.0.2.1", 80))
