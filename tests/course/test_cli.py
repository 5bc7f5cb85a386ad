"""The command line, on small lessons made for the purpose, and on the real ones where nothing is run."""

import json
import re
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from typer.testing import CliRunner

from vae_course.course import lessons
from vae_course.course.cli import app
from vae_course.course.storing import METADATA
from vae_course.studies.store import RESULTS

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
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_run_writes_notebooks_pages_and_an_index(course):
    result = call("run", "00", "--profile", "full", "--device", "cpu", "--output", course / "out")
    assert result.exit_code == 0, result.output
    assert "1 of 1 lessons ok" in result.output
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
    assert (course / "out" / "01_fails.html").exists()
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
    assert "File exists" in result.output


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


def test_a_header_of_another_form_is_refused(course):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Untitled")]), lessons.NOTEBOOKS / "02_untitled.ipynb")
    with pytest.raises(ValueError, match=r"02_untitled\.ipynb: the first cell must hold"):
        lessons.all_lessons()


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


def test_spread_collects_every_expectation_over_seeds(course):
    claim = "from vae_course.course import expect\nexpect('the seed', seed, 0, 1, otherwise='seeds above 1')"
    write_lesson(lessons.NOTEBOOKS, "00_works", "Does it work?", claim)
    assert call("spread", "00", "--seeds", 2, "--output", course / "seeds").exit_code == 0
    result = call("spread", "00", "--seeds", 3, "--output", course / "seeds")
    assert result.exit_code == 1
    assert "BROKEN the seed: 0 to 2, allowed 0 to 1" in result.output
    assert '"values": [\n    0.0,\n    1.0,\n    2.0\n   ]' in (course / "seeds" / "00_works.json").read_text()


def test_lab_opens_the_first_lesson(course, monkeypatch):
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert call("lab", "--no-browser").exit_code == 0
    assert commands[0][1:3] == ["-m", "jupyterlab"]
    assert commands[0][3].endswith("00_works.ipynb")
    assert commands[0][4] == "--no-browser"


def test_every_stored_study_names_the_command_that_makes_it_and_help_names_the_study():
    words = set(re.findall(r"\w+", call("measure", "--help").output))
    files = sorted(RESULTS.glob("*.json"))
    assert len(files) >= 13
    for file in files:
        command = json.loads(file.read_text(encoding="utf-8"))["command"]
        assert command.split(" --")[0] == f"vae-course measure {file.stem}"
        assert file.stem in words
