"""What a reader has done: kept in one file, in a course that ``vae-course lab`` opened, and by nothing else."""

import json
import os
import re
import subprocess
import sys

import pytest

from vae_course import exercises
from vae_course.exercises import calls, progress


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A reader's file, as a kernel of ``vae-course lab`` knows it."""
    kept = tmp_path / "work" / "progress.json"
    kept.parent.mkdir()
    monkeypatch.setenv(progress.VARIABLE, str(kept))
    monkeypatch.setattr(progress, "_said", set())
    monkeypatch.setattr(calls, "_hints_given", {})
    monkeypatch.setattr(calls, "_solutions_asked_for", set())
    return kept


def solve(name="to_bits"):
    def to_bits(nats):
        return nats / 0.6931471805599453

    def error_per_image(images, reconstructions):
        return (images - reconstructions).pow(2).sum(1)

    exercises.check({"to_bits": to_bits, "error_per_image": error_per_image}[name])


def kept(file):
    return json.loads(file.read_text(encoding="utf-8"))


def test_a_right_answer_is_kept_by_the_exercises_name(file):
    solve()
    solve("error_per_image")
    assert kept(file) == {"to_bits": {"done": True}, "error_per_image": {"done": True}}


def test_a_stub_and_a_wrong_answer_keep_nothing(file):
    def to_bits(nats):
        return ...

    exercises.check(to_bits)
    exercises.check(exercises.find("to_bits").reference)

    def to_bits(nats):
        return 2 * nats

    exercises.check(to_bits)
    assert not file.exists()


def test_what_is_done_stays_done(file, capsys):
    solve()

    def to_bits(nats):
        return 2 * nats

    exercises.check(to_bits)
    assert "Not yet" in capsys.readouterr().out
    assert kept(file) == {"to_bits": {"done": True}}


def test_hints_and_solutions_that_were_read_are_remembered(file):
    exercises.hint("to_bits")
    exercises.hint("to_bits")
    exercises.solution("to_bits")
    assert kept(file) == {"to_bits": {"hints": 2}}
    exercises.solution("to_bits")
    calls._hints_given.clear()  # as after a restart
    exercises.hint("to_bits")
    assert kept(file) == {"to_bits": {"hints": 2, "solution": True}}


def test_outside_of_the_lab_nothing_is_written_and_the_report_is_the_same_for_all(file, monkeypatch):
    solve()
    before = file.read_bytes()
    monkeypatch.setenv(progress.VARIABLE, "")
    solve("error_per_image")
    told = progress.report()
    monkeypatch.delenv(progress.VARIABLE)
    solve("error_per_image")
    assert progress.report() == told
    assert told == "In a course that vae-course lab has opened, this shows which exercises you have done."
    assert file.read_bytes() == before


def test_tests_keep_none():
    assert os.environ[progress.VARIABLE] == ""


def test_the_report_tells_what_is_done_lesson_by_lesson(file):
    solve()
    exercises.hint("to_bits")
    for _ in range(2):
        exercises.hint("error_per_image")
        exercises.solution("error_per_image")
    lines = progress.report().splitlines()
    assert lines[:4] == [
        "lesson 00: 1 of 2 done",
        "    0.1 to_bits: done, 1 hint read",
        "    0.2 error_per_image: 2 hints read, solution read",
        "lesson 01: 0 of 6 done",
    ]
    assert lines[-1] == f"in all: 1 of {len(exercises.all_exercises())} done"


def test_names_and_fields_of_another_edition_are_kept_and_not_counted(file):
    old = {"an_exercise_of_old": {"done": True}, "to_bits": {"hints": 1, "grade": "A"}}
    file.write_text(json.dumps(old), encoding="utf-8")
    solve()
    assert kept(file) == old | {"to_bits": {"hints": 1, "grade": "A", "done": True}}
    lines = progress.report().splitlines()
    assert lines[-2] == f"in all: 1 of {len(exercises.all_exercises())} done"
    assert lines[-1] == "kept, and not counted, of another edition of the course: an_exercise_of_old"


@pytest.mark.parametrize("broken", [b"", b'{"to_b', b"[]", b'{"to_bits": 3}', b'{"to_bits": {"hints": "two"}}', b"\xff\xfe{}"])
def test_a_broken_file_is_kept_aside_told_in_a_line_and_begun_anew(file, broken, capsys):
    file.write_bytes(broken)
    solve()
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("Exercise 0.1: correct. (Your progress could not be read and begins anew; ")
    assert told.endswith("the old file is kept as progress, unreadable.json)")
    assert (file.parent / "progress, unreadable.json").read_bytes() == broken
    assert kept(file) == {"to_bits": {"done": True}}
    file.write_bytes(broken)
    assert "kept as progress, unreadable 2.json" in progress.report(file)
    assert not file.exists()


def test_where_nothing_can_be_written_a_line_says_so_once_and_the_check_still_works(file, monkeypatch, capsys):
    def refuse(path, content):
        raise PermissionError(f"{path}: cannot be written: it may only be read")

    monkeypatch.setattr(progress, "write_whole", refuse)
    solve()
    told = " ".join(capsys.readouterr().out.split())
    assert told.startswith("Exercise 0.1: correct. (Your progress is not kept: ")
    assert told.endswith("it may only be read)")
    solve()
    assert capsys.readouterr().out == "Exercise 0.1: correct.\n"


def test_a_folder_that_is_none_and_a_file_that_is_a_folder_are_told(file, monkeypatch, capsys):
    file.mkdir()
    solve()
    assert "Your progress is not kept" in capsys.readouterr().out
    assert progress.report().startswith("Your progress cannot be read: ")
    monkeypatch.setenv(progress.VARIABLE, str(file.parent / "a file" / "progress.json"))
    (file.parent / "a file").write_text("", encoding="utf-8")
    solve()
    assert "Your progress is not kept" in capsys.readouterr().out


def test_of_two_kernels_that_write_at_once_neither_loses_what_the_other_kept(file):
    code = """
import sys
from vae_course.exercises import progress
for k in range(40):
    assert progress.note(f"{sys.argv[1]}_{k}", done=True) == ""
"""
    kernels = [subprocess.Popen([sys.executable, "-c", code, name]) for name in ("one", "two", "three")]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    assert set(kept(file)) == {f"{name}_{k}" for name in ("one", "two", "three") for k in range(40)}


def test_a_kernel_that_holds_the_file_for_ever_is_waited_for_and_told(file, monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    with progress._alone_with(file):
        solve()
    assert "Your progress is not kept" in capsys.readouterr().out
    assert not file.exists()


def test_begun_anew_the_old_file_is_kept(file):
    assert progress.reset(file) == "No progress has been kept yet."
    solve()
    old = kept(file)
    told = progress.reset(file)
    aside = re.fullmatch(r"Your progress begins anew; the old one is kept as (progress, until \d{4}-\d\d-\d\d\.json)", told)[1]
    assert kept(file.parent / aside) == old
    assert "lesson 00: 0 of 2 done" in progress.report()


def test_it_is_light():
    code = "import sys, vae_course.exercises.progress; print([m for m in ('torch', 'IPython') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
