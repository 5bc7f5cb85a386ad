"""The command line, on small lessons made for the purpose, and on the real ones where nothing is run."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from vae_course.course import lessons
from vae_course.course.cli import app
from vae_course.course.storing import METADATA
from vae_course.studies import store
from vae_course.studies.store import RESULTS
from vae_course.world import languages

HEADER = """# {number} · {question}

Text with $x^2$, as in [lesson 01](01_fails.ipynb), and

$$\\mathbb{{E}}_q[\\log p(x)] \\le 0$$

**5 minutes, exercises included · 7 seconds to run**"""


def write_lesson(folder, name, question, *sources):
    parameters = new_code_cell('profile = "fast"\ndevice = "auto"\nseed = 0')
    parameters.metadata["tags"] = ["parameters"]
    header = HEADER.format(number=name[:2], question=question)
    cells = [new_markdown_cell(header), parameters, *(new_code_cell(source) for source in sources)]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), folder / f"{name}.ipynb")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Two lessons: one that works, one whose last cell fails."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    picture = "from vae_course.figures import base\nbase.bars(['a'], [1.0], title='t', y_label='y', words='A bar & no more')"
    slider = """from vae_course.figures import divergences
from vae_course.course import Explorer, Slider
Explorer(divergences.two_gaussians, mean=Slider("mean", -3, 3, 1, 0.1), std=Slider("std", 0.2, 3, 0.5, 0.1))"""
    write_lesson(folder, "00_works", "Does it work?", "print(profile, device)", picture, slider)
    write_lesson(folder, "01_fails", "Does it fail?", "raise RuntimeError('on purpose')")
    monkeypatch.setattr(lessons, "NOTEBOOKS", folder)
    monkeypatch.setattr(lessons, "NAMES", ("00_works", "01_fails"))
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_run_writes_notebooks_pages_and_an_index(course):
    result = call("run", "00", "--profile", "full", "--device", "cpu", "--output", course / "out")
    assert result.exit_code == 0, result.output
    assert "Run with profile full on device cpu: 1 of 1 lessons ok." in result.output
    executed = nbformat.read(course / "out" / "00_works.ipynb", as_version=4)
    assert any(o.get("text") == "full cpu\n" for c in executed.cells for o in c.get("outputs", []))
    page = (course / "out" / "00_works.html").read_text()
    assert '<img alt="A bar &amp; no more" src="data:image/png;base64,' in page
    assert '<img alt="q = N(1, 0.5²): KL(q to p)' in page  # the slider's picture, where no slider can be
    assert page.count("<math") == 2
    assert "$x^2$" not in page
    assert '<a href="01_fails.html">lesson 01</a>' in page  # a page leads to pages
    assert '<a href="00_works.html">00 · Does it work?</a>' in (course / "out" / "index.html").read_text()


@pytest.mark.parametrize("parameter", ["corpus", "pairs"])
def test_a_text_of_the_readers_reaches_the_lessons_that_take_it_and_no_others(course, monkeypatch, parameter):
    path = course / "notebooks" / "01_fails.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source += f'\n{parameter} = "world"\ntokens = "auto"'
    notebook.cells[2].source = f"print({parameter}, tokens)"
    nbformat.write(notebook, path)
    (course / "mine.txt").write_text("a sentence\n")
    monkeypatch.chdir(course)
    result = call("run", f"--{parameter}", "mine.txt", "--output", "out")
    assert "1 of 1 lessons ok" in result.output
    executed = nbformat.read(course / "out" / "01_fails.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == f"{course / 'mine.txt'} auto\n"
    call("run", f"--{parameter}", "mine.txt", "--tokens", "character", "--output", "out")
    executed = nbformat.read(course / "out" / "01_fails.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text.endswith("mine.txt character\n")
    refused = call("run", "01", f"--{parameter}", "nothere.txt", "--output", "none")
    assert refused.exit_code == 2
    assert refused.output.startswith("nothere.txt: is neither a file here nor one of world, docstrings")
    assert not (course / "none").exists()  # at once
    refused = call("run", "00", f"--{parameter}", "mine.txt")
    assert refused.exit_code == 2
    assert f"--{parameter}: 00_works takes no text of yours; name other lessons" in refused.output
    other = {"corpus": "pairs", "pairs": "corpus"}[parameter]
    refused = call("run", "01", "00", f"--{other}", "mine.txt")
    assert refused.exit_code == 2
    assert f"--{other}: 01_fails takes --{parameter}, 00_works takes no text of yours" in refused.output
    assert "--tokens: says how to cut a text of yours" in call("run", "01", "--tokens", "word").output
    assert "no lesson takes both" in call("run", "--corpus", "mine.txt", "--pairs", "mine.txt").output


def test_a_large_bracket_keeps_its_size_under_an_exponent(course):
    path = course / "notebooks" / "00_works.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_markdown_cell("$$\\Big(\\frac{a}{b}\\Big)^{1/4}$$"))
    nbformat.write(notebook, path)
    call("run", "00", "--output", course / "out")
    page = (course / "out" / "00_works.html").read_text()
    assert len(re.findall(r"<mo [^>]*minsize=[^>]*>[()]</mo>", page)) == 2
    assert re.search(r"<msup><mrow><mo [^>]*minsize=[^>]*>\)</mo></mrow><mrow><mn>1</mn>", page)


def test_pages_fetch_nothing(course):
    call("run", "00", "--output", course / "out")
    for page in (course / "out").glob("*.html"):
        fetched = re.findall(r"""(?:src|href)=["']?(?:https?:)?//[^"'> ]+|@import[^;]+|import\(["'][^"']+""", page.read_text())
        assert fetched == [], page
        assert "<script" not in page.read_text()


def test_a_failing_cell_is_named_and_the_other_lessons_still_run(course):
    result = call("run", "01", "00", "--output", course / "out")
    assert result.exit_code == 1
    assert re.search(r"01_fails +[\d.]+ s  cell 3: RuntimeError: on purpose", result.output)
    assert re.search(r"00_works +[\d.]+ s  ok", result.output)
    notice = '<p class="failed">Not the whole lesson was run: '
    assert f"{notice}cell 3: RuntimeError: on purpose</p>" in (course / "out" / "01_fails.html").read_text()
    assert notice not in (course / "out" / "00_works.html").read_text()
    assert "failed: cell 3: RuntimeError: on purpose" in (course / "out" / "index.html").read_text()


def test_the_index_keeps_the_pages_of_earlier_runs(course):
    call("run", "01", "--output", course / "out")
    call("run", "00", "--output", course / "out")
    index = (course / "out" / "index.html").read_text()
    assert index.index('<a href="00_works.html">') < index.index('<a href="01_fails.html">')
    assert re.search(r"Does it work\?</a></td>\s*<td>5&nbsp;min</td>\s*<td>\d+&nbsp;s</td>", index)
    assert re.search(r"failed: cell 3: [^<]*</span></td>\s*<td>5&nbsp;min</td>\s*<td>earlier, \d+&nbsp;s</td>", index)
    assert "1 of 1 lessons ok" in index  # of the last run
    (course / "out" / "01_fails.html").unlink()
    call("run", "00", "--output", course / "out")
    assert "01_fails" not in (course / "out" / "index.html").read_text()


def hold_outputs(folder, text):
    """Give every lesson's last cell an output, which a run would not give."""
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[-1].outputs = [new_output("stream", text=f"{text} {path.stem}")]
        nbformat.write(notebook, path)


def test_pages_shows_what_the_lessons_hold_and_runs_nothing(course):
    hold_outputs(course / "notebooks", "stored in")
    before = {path: path.read_bytes() for path in (course / "notebooks").iterdir()}
    result = call("pages", "--output", course / "out")
    assert result.exit_code == 0, result.output
    assert f"nothing was run. Pages: {course / 'out' / 'index.html'}" in result.output
    assert sorted(path.name for path in (course / "out").iterdir()) == ["00_works.html", "01_fails.html", "index.html"]
    assert "stored in 01_fails" in (course / "out" / "01_fails.html").read_text()
    index = (course / "out" / "index.html").read_text()
    assert "nothing was run" in index
    assert re.search(r"Does it fail\?</a></td>\s*<td>5&nbsp;min</td>\s*<td>7&nbsp;s</td>", index)  # as its header says
    assert before == {path: path.read_bytes() for path in (course / "notebooks").iterdir()}


def test_pages_tells_of_an_error_that_a_lesson_holds(course):
    path = course / "notebooks" / "00_works.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].outputs = [new_output("error", ename="NameError", evalue="<x>", traceback=[])]
    nbformat.write(notebook, path)
    assert call("pages", "00", "--output", course / "out").exit_code == 0
    assert "failed: cell 2: NameError: &lt;x&gt;" in (course / "out" / "index.html").read_text()


def test_pages_lead_to_those_that_lie_beside_them_also_to_later_ones(course):
    out = course / "out"
    call("pages", "00", "--output", out)
    assert "01_fails" not in (out / "index.html").read_text()
    assert "Next lesson" not in (out / "00_works.html").read_text()
    call("pages", "01", "--output", out)
    assert (out / "00_works.html").read_text().count("Next lesson: 01") == 2
    assert (out / "01_fails.html").read_text().count("Previous lesson: 00") == 2
    assert re.search(
        r"Does it work\?</a></td>\s*<td>5&nbsp;min</td>\s*<td>earlier, 7&nbsp;s</td>", (out / "index.html").read_text()
    )


def test_an_earlier_page_goes_on_showing_the_run_that_lies_beside_it(course):
    call("run", "00", "--output", course / "out")
    call("pages", "01", "--output", course / "out")
    assert "fast auto" in (course / "out" / "00_works.html").read_text()
    hold_outputs(course / "notebooks", "stored in")
    call("pages", "00", "--output", course / "out")
    assert "stored in 00_works" in (course / "out" / "00_works.html").read_text()


def test_pages_that_cannot_be_written_say_why(course):
    (course / "out").write_text("a file")
    result = call("pages", "--output", course / "out")
    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_pages_on_a_full_disk_leave_those_before(course, full_disk):
    (course / "out").mkdir()
    (course / "out" / "00_works.html").write_text("before")
    result = call("pages", "00", "--output", course / "out")
    assert result.exit_code == 2
    assert "00_works.html: cannot be written: No space left on device" in result.output
    assert (course / "out" / "00_works.html").read_text() == "before"


@pytest.mark.parametrize("command", ["run", "pages"])
def test_an_unknown_lesson_names_the_close_ones(course, command):
    result = call(command, "00_work")
    assert result.exit_code == 2
    assert "there is no lesson '00_work'; did you mean 00_works" in result.output


def test_missing_cuda_says_what_was_found(course, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = call("run", "--device", "cuda")
    assert result.exit_code == 2
    assert "CUDA was asked for, but torch 2.13.0" in result.output


def test_list_shows_the_headers(course):
    result = call("list")
    assert re.search(r"00_works +Does it work\? +5 min +7 s", result.output)


def untitled(path):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Untitled")]), path)


def without_cells(path):
    nbformat.write(new_notebook(), path)


def in_conflict(path):
    path.write_text("<<<<<<< HEAD\n" + path.read_text() + "=======\n>>>>>>> theirs\n")


def empty(path):
    path.write_text("")


def gone(path):
    path.unlink()


BROKEN = {untitled: "the first cell must hold", gone: "is not there; git restore notebooks/01_fails.ipynb brings it back"}
BROKEN |= dict.fromkeys((without_cells, in_conflict, empty), "is no whole notebook")


@pytest.mark.parametrize("break_it", BROKEN, ids=lambda function: function.__name__)
def test_a_broken_lesson_is_named_and_blocks_no_other(course, break_it):
    break_it(lessons.NOTEBOOKS / "01_fails.ipynb")
    listed = call("list")
    assert listed.exit_code == 0
    assert "00_works" in listed.output
    assert f"passed over: 01_fails.ipynb: {BROKEN[break_it]}" in listed.output
    asked = call("run", "01", "--output", course / "out")
    assert asked.exit_code == 2
    assert BROKEN[break_it] in asked.output
    everything = call("run", "--output", course / "out")
    assert everything.exit_code == 1  # not all of the course was run
    assert "1 of 1 lessons ok" in everything.output


def test_notebooks_of_ones_own_are_named_and_passed_over(course):
    nbformat.write(new_notebook(), lessons.NOTEBOOKS / "15_notes.ipynb")
    write_lesson(lessons.NOTEBOOKS, "00_zz", "Do I take over?", "print('me')")
    (lessons.NOTEBOOKS / "Untitled.ipynb").write_text("no notebook")
    listed = call("list")
    for name in ("15_notes", "00_zz", "Untitled"):
        assert f"passed over: {name}.ipynb: is none of the course's lessons" in listed.output
    assert "Do I take over?" not in listed.output
    assert call("run", "00", "--output", course / "out").exit_code == 0


@pytest.mark.parametrize("name", ["00", "00_works", "works", "WORK"])
def test_a_lesson_is_found_by_number_name_or_part_of_it(course, name):
    assert [lesson.name for lesson in lessons.find_lessons([name])] == ["00_works"]


def test_a_part_of_several_names_is_refused_with_them(course):
    assert "there is no lesson 's'; did you mean 00_works or 01_fails?" in call("run", "s").output


def test_the_course_names_its_lessons():
    found = sorted(path.stem for path in lessons.NOTEBOOKS.glob("*.ipynb"))
    assert found == list(lessons.NAMES)
    assert lessons.passed_over() == []


def test_a_course_without_notebooks_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path)
    with pytest.raises(FileNotFoundError, match="no lessons there; install from the course's own folder"):
        lessons.all_lessons()


def test_store_writes_outputs_counts_and_seconds_and_nothing_that_varies(course):
    path = lessons.NOTEBOOKS / "00_works.ipynb"
    assert call("store", "00").exit_code == 0
    stored = nbformat.read(path, as_version=4)
    assert [c.execution_count for c in stored.cells if c.cell_type == "code"] == [1, 2, 3, 4]
    assert set(stored.metadata) == {"kernelspec"}
    seconds = int(re.search(r"· (\d+) seconds to run", stored.cells[0].source)[1])
    assert 1 <= seconds <= 60
    before = re.sub(r"\d+ seconds to run", "", path.read_text())
    call("store", "00")
    assert re.sub(r"\d+ seconds to run", "", path.read_text()) == before


@pytest.fixture
def full_disk(monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_store_on_a_full_disk_leaves_the_lesson_as_it_was(course, full_disk):
    path = lessons.NOTEBOOKS / "00_works.ipynb"
    before = path.read_bytes()
    result = call("store", "00")
    assert (result.exit_code, result.output) == (2, f"{path}: cannot be written: No space left on device\n")
    assert path.read_bytes() == before
    assert len(list(lessons.NOTEBOOKS.iterdir())) == 2


CLAIM = "from vae_course.course import expect\nexpect('the seed', seed, 0, 9, otherwise='seeds above 9')"


def test_spread_goes_on_after_a_lesson_that_has_nothing_to_spread(course, monkeypatch):
    write_lesson(lessons.NOTEBOOKS, "01_fails", "Does it fail?", "print('it claims nothing')")
    write_lesson(lessons.NOTEBOOKS, "02_fixed", "Can it be set?", "print('no')")
    notebook = nbformat.read(lessons.NOTEBOOKS / "02_fixed.ipynb", as_version=4)
    del notebook.cells[1]
    nbformat.write(notebook, lessons.NOTEBOOKS / "02_fixed.ipynb")
    write_lesson(lessons.NOTEBOOKS, "03_claims", "Does it claim?", CLAIM)
    monkeypatch.setattr(lessons, "NAMES", (*lessons.NAMES, "02_fixed", "03_claims"))
    result = call("spread", "01", "02", "03", "--seeds", 2, "--output", course / "seeds")
    assert result.exit_code == 0
    assert "01_fails: has no expectations, so that there is nothing to store\n" in result.output
    assert "02_fixed: has no cell of parameters, so that none can be set\n" in result.output
    assert "held   the seed: 0 to 1, allowed 0 to 9" in result.output
    assert [path.name for path in (course / "seeds").iterdir()] == ["03_claims.json"]


def test_spread_writes_to_the_courses_own_data_wherever_one_is(course, monkeypatch):
    monkeypatch.setattr(store, "RESULTS", course / "data" / "results")
    (course / "elsewhere").mkdir()
    monkeypatch.chdir(course / "elsewhere")
    write_lesson(lessons.NOTEBOOKS, "00_works", "Does it work?", CLAIM)
    assert call("spread", "00", "--seeds", 2).exit_code == 0
    assert (course / "data" / "results" / "seeds" / "00_works.json").exists()
    assert list((course / "elsewhere").iterdir()) == []


def test_corpus_writes_to_the_courses_own_data_wherever_one_is(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "DATA", tmp_path / "data")
    monkeypatch.setattr(languages, "describe", dict)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert call("corpus").exit_code == 0
    assert len(list((tmp_path / "data" / "world").iterdir())) == 3
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("command", ["corpus", "spread"])
def test_an_output_that_is_no_folder_is_refused_before_anything_is_computed(course, command, monkeypatch):
    monkeypatch.setattr("vae_course.course.ranges.seed_ranges", None)
    monkeypatch.setattr(languages, "describe", None)
    file = course / "mine.txt"
    file.write_text("mine")
    for output in (file, file / "deeper"):
        result = call(command, "--output", output)
        assert (result.exit_code, result.output) == (2, f"{output}: cannot be written: {file} is a file, not a folder\n")
    assert file.read_text() == "mine"

    def closed(**options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    result = call(command, "--output", course)
    assert (result.exit_code, result.output) == (2, f"{course}: cannot be written: Permission denied\n")


def test_corpus_and_spread_on_a_full_disk_leave_what_was_there(course, monkeypatch, full_disk):
    monkeypatch.setattr(languages, "describe", dict)
    write_lesson(lessons.NOTEBOOKS, "00_works", "Does it work?", CLAIM)
    for command, name in ((["corpus"], "validation.txt"), (["spread", "00", "--seeds", 2], "00_works.json")):
        path = course / "out" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
        result = call(*command, "--output", path.parent)
        assert (result.exit_code, result.output) == (2, f"{path}: cannot be written: No space left on device\n")
        assert path.read_text() == "before"


def test_spread_collects_every_expectation_over_seeds(course):
    write_lesson(lessons.NOTEBOOKS, "00_works", "Does it work?", CLAIM.replace("9", "1"))
    assert call("spread", "00", "--seeds", 2, "--output", course / "seeds").exit_code == 0
    result = call("spread", "00", "--seeds", 3, "--output", course / "seeds")
    assert result.exit_code == 1
    assert "BROKEN the seed: 0 to 2, allowed 0 to 1" in result.output
    assert '"values": [\n    0.0,\n    1.0,\n    2.0\n   ]' in (course / "seeds" / "00_works.json").read_text()


def test_every_stored_study_names_the_command_that_makes_it():
    files = sorted(RESULTS.glob("*.json"))
    assert len(files) >= 13
    for file in files:
        command = json.loads(file.read_text(encoding="utf-8"))["command"]
        assert command.split(" --")[0] == f"vae-course measure {file.stem}"


# --- runs that end otherwise --------------------------------------------------------------------------------------------


def test_a_kernel_that_dies_is_told_with_its_cell_and_the_others_run(course):
    write_lesson(lessons.NOTEBOOKS, "01_fails", "Does it die?", "import os", "os._exit(1)", "print('never')")
    result = call("run", "01", "00", "--output", course / "out")
    assert result.exit_code == 1
    assert re.search(r"01_fails +[\d.]+ s  cell 4: its kernel died; too little memory is the most usual cause", result.output)
    assert re.search(r"00_works +[\d.]+ s  ok", result.output)
    assert "its kernel died" in (course / "out" / "index.html").read_text()


def test_a_cell_without_end_is_stopped_and_told(course, monkeypatch):
    monkeypatch.setattr("vae_course.course.runs.CELL_TIMEOUT", 2)
    write_lesson(lessons.NOTEBOOKS, "01_fails", "Does it end?", "print('soon')", "while True: pass")
    result = call("run", "01", "--output", course / "out")
    assert result.exit_code == 1
    assert "cell 4: took longer than 0 minutes and was stopped" in result.output


@pytest.mark.parametrize("name", ["{braces}", "{seed}", "ein Ort", "地方"])
def test_a_folder_may_have_any_name(course, name):
    assert call("run", "00", "--output", course / name).exit_code == 0
    assert (course / name / "00_works.html").exists()


def in_the_way(course):
    (course / "out").write_text("a file")
    return course / "out"


def below_a_file(course):
    (course / "file").write_text("a file")
    return course / "file" / "out"


@pytest.mark.parametrize("place", [in_the_way, below_a_file])
def test_a_folder_that_cannot_be_is_refused_in_a_line(course, place):
    result = call("run", "00", "--output", place(course))
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert "name another folder" in result.output


def test_a_full_disk_is_told_in_a_line(course, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("papermill.execute_notebook", full)
    result = call("run", "00", "--output", course / "out")
    assert result.exit_code == 2
    assert "cannot be written: No space left on device; name another folder, or make room" in result.output


def test_two_runs_into_one_folder_are_told_apart(course):
    (course / "out").mkdir()
    with FileLock(course / "out" / ".running"):
        result = call("run", "00", "--output", course / "out")
    assert result.exit_code == 2
    assert "another run is writing there; wait for its end, or name another folder" in result.output


def test_the_name_of_a_corpus_is_not_taken_for_a_folder_of_that_name(course, monkeypatch):
    path = lessons.NOTEBOOKS / "00_works.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].source += '\ncorpus = "other"'
    notebook.cells = [*notebook.cells[:2], new_code_cell("print(corpus)")]
    nbformat.write(notebook, path)
    (course / "world").mkdir()
    monkeypatch.chdir(course)
    call("run", "00", "--corpus", "world", "--output", "out")
    assert nbformat.read(course / "out" / "00_works.ipynb", as_version=4).cells[-1].outputs[0].text == "world\n"


def test_a_notebook_that_a_stop_has_cut_does_not_end_later_runs(course):
    call("run", "01", "--output", course / "out")
    cut = course / "out" / "01_fails.ipynb"
    cut.write_text(cut.read_text()[:300])
    assert call("run", "00", "--output", course / "out").exit_code == 0
    assert "failed: stopped before its end" in (course / "out" / "index.html").read_text()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_writes_its_index_and_leaves_no_kernel(course, number, status):
    out = course / "out"
    note = course / "kernel"
    waits = f"import os, pathlib, time\npathlib.Path({str(note)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    write_lesson(lessons.NOTEBOOKS, "01_fails", "Is it stopped?", waits)
    code = (
        "from vae_course.course import lessons, cli; import pathlib;"
        f"lessons.NOTEBOOKS = pathlib.Path({str(lessons.NOTEBOOKS)!r}); lessons.NAMES = {lessons.NAMES!r};"
        f"cli.app(['run', '00', '01', '--output', {str(out)!r}])"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    kernel = awaited(note.read_text)
    run.send_signal(number)
    told, _ = run.communicate(timeout=60)
    assert run.returncode == status
    assert "Traceback" not in told
    assert "Stopping; what was run so far is written." in told
    assert re.search(r"00_works +[\d.]+ s  ok", told)
    assert re.search(r"01_fails +[\d.]+ s  stopped before its end", told)
    assert "1 of 2 lessons ok" in told
    assert "failed: stopped before its end" in (out / "index.html").read_text()
    assert "Not the whole lesson was run: stopped before its end" in (out / "01_fails.html").read_text()
    call("run", "00", "--output", out)  # nor does a later run forget it
    assert "failed: stopped before its end" in (out / "index.html").read_text()
    assert "Not the whole lesson was run: stopped before its end" in (out / "01_fails.html").read_text()
    assert awaited(lambda: not Path(f"/proc/{kernel}").exists())


def awaited(what, seconds=60):
    """What ``what`` returns, once it returns something."""
    for _ in range(10 * seconds):
        with contextlib.suppress(FileNotFoundError):
            if found := what():
                return found
        time.sleep(0.1)
    raise AssertionError("nothing came")


def test_letters_that_a_terminal_lacks_are_spelled_out(course):
    code = "from vae_course.course.cli import app; app(['run', '地方'])"
    narrow = os.environ | {"PYTHONIOENCODING": "latin-1"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env=narrow, check=False)
    assert result.returncode == 2
    assert rb"there is no lesson '\u5730\u65b9'" in result.stderr


def test_the_version_is_told():
    assert re.fullmatch(r"vae-course \S+, Python 3\.\d+\.\d+, torch 2\.13\.0\S*\n", call("--version").output)


def test_kernels_say_nothing_of_encryption_for_they_have_it(course, capfd):
    call("run", "00", "--output", course / "out")
    assert "encryption" not in capfd.readouterr().err
