"""``vae-course lab``: a reader's copies of the lessons, and JupyterLab in a terminal."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from typer.testing import CliRunner

from vae_course.course import jupyterlab, lessons, work
from vae_course.course.cli import app
from vae_course.course.lessons import times_told
from vae_course.exercises import progress


def write_lesson(name, text):
    source = f"# {name[:2]} · Why {name}?\n{times_told(5, 7)}\n{text}"
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": source}]
    (lessons.NOTEBOOKS / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")


@pytest.fixture(autouse=True)
def course(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(lessons, "NAMES", ("00_first", "01_second"))
    write_lesson("00_first", "first edition")
    write_lesson("01_second", "first edition")
    return tmp_path


@pytest.fixture
def became(monkeypatch):
    """The commands, environments and folders that JupyterLab was to be started with."""
    calls = []

    def become(*call):
        calls.append(call)
        raise SystemExit(0)  # as nothing comes after it

    monkeypatch.setattr(jupyterlab, "become", become)
    return calls


def run_command(*arguments):
    return CliRunner().invoke(app, arguments)


def lab(*arguments):
    return run_command("lab", *arguments)


def copies():
    return {path.name: path.read_text(encoding="utf-8") for path in work.folder().glob("*.ipynb")}


def test_the_first_start_copies_all_lessons_and_opens_the_first(course, became):
    result = lab("--no-browser")
    assert result.exit_code == 0, result.output
    assert copies() == {path.name: path.read_text(encoding="utf-8") for path in lessons.NOTEBOOKS.glob("*.ipynb")}
    command, environment, folder = became[0]
    assert folder == course / "work"
    assert "--LabApp.default_url=/lab/tree/00_first.ipynb" in command
    assert f"--ServerApp.root_dir={course / 'work'}" in command
    assert command[-1] == "--no-browser"
    assert environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(jupyterlab.SETTINGS)


def test_its_kernels_keep_progress_in_the_readers_folder_and_other_kernels_none(course, became):
    lab("01")
    assert became[0][1][progress.VARIABLE] == str(course / "work" / "progress.json")
    lab("01", "--originals")
    assert became[1][1][progress.VARIABLE] == ""
    assert jupyterlab.kernel_environment()[progress.VARIABLE] == ""


def test_progress_is_shown_and_begun_anew(course):
    assert "in all: 0 of" in run_command("progress").output
    assert not work.folder().exists()
    work.folder().mkdir()
    work.progress().write_text('{"to_bits": {"done": true}}', encoding="utf-8")
    told = run_command("progress").output
    assert "lesson 00: 1 of 2 done" in told
    assert "0.1 to_bits: done" in told
    assert "the old one is kept as progress, until" in run_command("progress", "--reset").output
    assert not work.progress().exists()
    assert len(list(work.folder().glob("progress, until *.json"))) == 1


@pytest.mark.parametrize("name", ["01", "01_second", "second"])
def test_a_lesson_is_opened_by_name_and_options_go_on(became, name):
    lab(name, "--port", "9999")
    assert "--LabApp.default_url=/lab/tree/01_second.ipynb" in became[0][0]
    assert became[0][0][-2:] == ["--port", "9999"]
    lab("--port", "9999")
    assert "--LabApp.default_url=/lab/tree/00_first.ipynb" in became[1][0]


def test_the_originals_are_opened_for_those_who_edit_the_course(course, became):
    lab("01", "--originals", "--no-browser")
    assert became[0][2] == course / "notebooks"
    assert became[0][0][-1] == "--no-browser"
    assert not work.folder().exists()


def test_an_unknown_lesson_starts_nothing(became):
    result = lab("99")
    assert result.exit_code == 2
    assert "there is no lesson '99'; vae-course list shows those that there are" in result.output
    assert "did you mean" not in result.output
    result = lab("01", "--fresh", "true")  # --fresh is a switch, which takes no value
    assert result.exit_code == 2
    assert "lab opens one lesson, but was given 01 and true" in result.output
    assert "bool" not in re.search(r"--fresh.*", lab("--help").output)[0]
    assert became == []


def test_what_a_reader_wrote_is_never_overwritten(became):
    lab()
    mine = work.folder() / "00_first.ipynb"
    mine.write_text("my work", encoding="utf-8")
    lab()
    assert copies()["00_first.ipynb"] == "my work"
    write_lesson("00_first", "second edition")
    told = lab().output
    beside = "00_first, new edition.ipynb"
    assert f"00_first has changed since you copied it; the new edition lies beside yours: {beside}" in told
    assert copies()["00_first.ipynb"] == "my work"
    assert "second edition" in copies()[beside]
    assert "has changed" not in lab().output  # told once
    (work.folder() / beside).write_text("my later work", encoding="utf-8")
    write_lesson("00_first", "third edition")
    assert "00_first, new edition 2.ipynb" in lab().output
    assert copies()[beside] == "my later work"


def test_an_untouched_copy_gives_way_to_the_new_edition(became):
    lab()
    write_lesson("01_second", "second edition")
    assert "has changed" not in lab().output
    assert "second edition" in copies()["01_second.ipynb"]
    assert len(copies()) == 2


@pytest.mark.parametrize("notes", ["", "no JSON", "[]"])
def test_with_lost_notes_nothing_is_overwritten(became, notes):
    lab()
    (work.folder() / work.EDITIONS).write_text(notes, encoding="utf-8")
    (work.folder() / "00_first.ipynb").write_text("my work", encoding="utf-8")
    lab()
    assert copies()["00_first.ipynb"] == "my work"
    assert "first edition" in copies()["00_first, new edition.ipynb"]


def test_beginning_again_keeps_what_was_there(became):
    lab()
    (work.folder() / "01_second.ipynb").write_text("my work", encoding="utf-8")
    told = lab("01", "--fresh").output
    kept = re.search(r"01_second: a fresh copy; yours is kept as (01_second, until \d{4}-\d\d-\d\d\.ipynb)", told)[1]
    assert copies()[kept] == "my work"
    assert "first edition" in copies()["01_second.ipynb"]
    (work.folder() / "01_second.ipynb").write_text("again", encoding="utf-8")
    lab("01", "--fresh")
    assert copies()[kept] == "my work"
    assert "again" in copies().values()
    refused = lab("--fresh")
    assert refused.exit_code == 2
    assert "--fresh: name the lesson to begin again" in refused.output


def test_a_folder_that_cannot_be_written_is_told_in_a_line(course, became):
    work.folder().write_text("a file", encoding="utf-8")
    result = lab()
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert "vae-course lab --originals opens the lessons themselves" in result.output


def test_a_copy_that_is_cut_short_leaves_what_was_there(became, monkeypatch):
    lab()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    write_lesson("00_first", "second edition")
    monkeypatch.setattr(os, "fsync", full)
    result = lab()
    assert result.exit_code == 2
    assert "No space left on device" in result.output
    assert "first edition" in copies()["00_first.ipynb"]


def test_kernels_have_one_thread_unless_more_are_asked_for(monkeypatch, became):
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert jupyterlab.kernel_environment()["OMP_NUM_THREADS"] == "1"
    lab()
    assert became[0][1]["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert jupyterlab.kernel_environment()["OMP_NUM_THREADS"] == "4"


def test_kernels_of_the_course_come_before_a_users_own(monkeypatch, tmp_path):
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    stale = {"argv": ["/nowhere/python", "{connection_file}"], "display_name": "stale", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(stale), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    code = "from jupyter_client.kernelspec import get_kernel_spec; print(get_kernel_spec('python3').display_name)"
    for environment, expected in (
        (os.environ, "stale"),
        (os.environ | jupyterlab.kernel_environment(), "Python 3 (ipykernel)"),
    ):
        told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert told.stdout.strip() == expected


# --- in a terminal ------------------------------------------------------------------------------------------------------


class Terminal:
    """A program in a terminal of its own, what it says, and its end."""

    def __init__(self, command, environment):
        import pty

        self.said = ""
        self.process, self.end = pty.fork()
        if self.process == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # as a terminal starts programs; a shell's background ignores it
            os.execve(command[0], command, environment)

    def read_until(self, pattern, seconds=90):
        """Read until ``pattern`` is found, or for None until the program's end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if pattern and (found := re.search(pattern, self.said)):
                return found
            if select.select([self.end], [], [], 0.2)[0]:
                try:
                    self.said += os.read(self.end, 65536).decode(errors="replace")
                except OSError:  # so a terminal on Linux tells that its program has ended
                    return None
        raise AssertionError(f"nothing more came after {self.said[-2000:]}")

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # it has ended, as it should
            os.kill(self.process, signal.SIGKILL)

    def press_control_c(self):
        os.write(self.end, b"\x03")


def start_a_kernel(address):
    """Ask a server for one, which has told its address and may yet be about to listen."""
    for _ in range(150):
        with contextlib.suppress(urllib.error.URLError):
            urllib.request.urlopen(urllib.request.Request(address, data=b"{}", method="POST"))
            return
        time.sleep(0.2)
    raise AssertionError("nobody listens")


def ready(kernel):
    """Wait until a kernel has imported what it needs, which it listens after."""
    for _ in range(150):
        if len(kernel.net_connections()) >= 5:
            return
        time.sleep(0.2)
    raise AssertionError("the kernel does not listen")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.parametrize("labapp", ["import {}", "def main():\n    import {}"], ids=["imported", "begun"])
def test_control_c_while_jupyterlab_starts_ends_it_with_a_line(tmp_path, labapp, request):
    (tmp_path / "jupyterlab").mkdir()
    (tmp_path / "jupyterlab" / "__init__.py").touch()
    (tmp_path / "jupyterlab" / "labapp.py").write_text(labapp.format("slow"), encoding="utf-8")
    # Short sleeps: one that a signal precedes by a moment is slept to its end.
    slow = "import time\nprint('it starts', flush=True)\nfor _ in range(6_000):\n    time.sleep(0.1)"
    (tmp_path / "slow.py").write_text(slow, encoding="utf-8")
    root = jupyterlab.SETTINGS.parents[2]
    places = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)])}
    start = "from pathlib import Path; from vae_course.course import jupyterlab; jupyterlab.start(Path('.'), 'a.ipynb', [])"
    terminal = Terminal([sys.executable, "-c", start], os.environ | places)
    request.addfinalizer(terminal.kill)
    terminal.read_until("it starts")
    terminal.press_control_c()
    terminal.read_until(None)
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.process, 0)[1]) == 130
    assert terminal.said.endswith("Stopped while JupyterLab was starting.\r\n")
    assert "Traceback" not in terminal.said


def command_of(process):
    """Its words; none of a child that has just ended: JupyterLab asks other programs, too."""
    return process.as_dict(["cmdline"], ad_value=[])["cmdline"]


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.parametrize("chain", ["vae_course", "course.py"])
def test_control_c_stops_jupyterlab_and_its_kernels_and_leaves_nothing(course, tmp_path, chain, request):
    root, port = jupyterlab.SETTINGS.parents[2], free_port()
    places = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("RUNTIME", "CONFIG", "DATA")}
    start = (
        "import pathlib, sys; from vae_course.course import cli, lessons;"
        f"lessons.NOTEBOOKS = pathlib.Path({str(lessons.NOTEBOOKS)!r}); lessons.NAMES = {lessons.NAMES!r};"
        f"cli.app(['lab', '01', '--no-browser', '--port={port}', '--allow-root'])"
    )
    if chain == "course.py":  # whose last step becomes the command
        step = ["-c", start]
        start = (
            f"import sys; sys.path.insert(0, {str(root)!r}); import course, pathlib;"
            f"course.PYTHON = pathlib.Path({sys.executable!r}); course.become({step!r})"
        )
    terminal = Terminal([sys.executable, "-c", start], os.environ | places | {"HOME": str(tmp_path)})
    request.addfinalizer(terminal.kill)
    address = terminal.read_until(r"http://127\.0\.0\.1:(\d+)/lab/tree/01_second\.ipynb\?token=(\w+)")
    kernels = f"http://127.0.0.1:{address[1]}/api/kernels?token={address[2]}"
    start_a_kernel(kernels)
    server = psutil.Process(terminal.process)  # it has become what was started
    (kernel,) = [child for child in server.children() if "ipykernel_launcher" in command_of(child)]
    ready(kernel)
    family = [server, *server.children(recursive=True)]
    terminal.press_control_c()
    terminal.read_until(None)
    assert os.waitstatus_to_exitcode(os.waitpid(terminal.process, 0)[1]) == 0
    assert "Traceback" not in terminal.said
    assert psutil.wait_procs(family, timeout=10)[1] == []
    assert {path.name for path in (tmp_path / "RUNTIME").iterdir()} <= {"jupyter_cookie_secret"}
