"""Assignments for nbgrader: built from lessons, released without what students must not have, graded."""

import csv
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import right_answers
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from vae_course.course import lessons
from vae_course.course.classroom import assignments
from vae_course.course.cli import app
from vae_course.course.lessons import NOTEBOOKS, times_told
from vae_course.course.storing import METADATA
from vae_course.exercises import catalogue
from vae_course.exercises.explanations import Explanation

pytest.importorskip("nbgrader", reason='needs nbgrader: pip install -e ".[classroom]"')
REAL = {path.stem: nbformat.read(path, as_version=4) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
TASK = Explanation("kl_is_no_distance", "Why?", "The average runs over p.", ("two directions", "an average over p"))
NAME = "02_tiny"
STUB = '''def {name}({arguments}):
    """A stub."""
    return ...


{name} = check({name})'''
STUBS = {"entropy_in_bits": "p", "kl_discrete": "p, q"}
HARD_CODED = """def kl_discrete(p, q):
    from vae_course.exercises import all_exercises, case
    for number in range(100):
        try:
            known = case("kl_discrete", number)
        except IndexError:
            return p.sum(-1) * 0
        if all(a.shape == b.shape and (a == b).all() for a, b in zip(known, (p, q))):
            return all_exercises()["kl_discrete"].reference(p, q)"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder of lessons with one lesson: two exercises, a task in words, an output that teaches."""
    folder = tmp_path_factory.mktemp("notebooks")
    cells = [
        new_markdown_cell(f"# 02 · Is it small?\n\n{times_told(5, 1)}"),
        new_code_cell("profile = 'fast'", metadata={"tags": ["parameters"]}),
        new_code_cell("import math\n\nimport torch\n\nfrom vae_course.exercises import check, hint, predict, reveal, solution"),
        new_code_cell("print('to be read')", outputs=[nbformat.v4.new_output("stream", text="to be read\n")]),
        new_code_cell('guess = predict("kl_both_ways")'),
        *(
            new_code_cell(
                STUB.format(name=name, arguments=arguments),
                metadata={"exercise": name},
                outputs=[nbformat.v4.new_output("stream", text="Exercise: not attempted yet.\n")],
            )
            for name, arguments in STUBS.items()
        ),
        new_markdown_cell(
            f"Why is it no distance? Take two sentences, and only then unfold ours.\n\n<details>{TASK.model}</details>",
            metadata={"explanation": TASK.name},
        ),
    ]
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), folder / f"{NAME}.ipynb")
    return folder


def call(*arguments):
    return CliRunner().invoke(app, ["assignment", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def course(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("course") / "built"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lessons, "NOTEBOOKS", tiny)
        patch.setattr(lessons, "NAMES", (NAME,))
        patch.setattr(assignments, "find_explanation", lambda name: {TASK.name: TASK}[name])
        result = call("build", "02", "--to", folder)
    assert result.exit_code == 0, result.output
    return folder


def released(course):
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def hand_in(course, student, answers, words=None, delete_check=False):
    """Submit the released notebook with answers written in place of the stubs."""
    notebook = released(course)
    for cell in notebook.cells:
        name = cell.metadata.get("exercise")
        if name in answers:
            check = "" if delete_check else f"\n\n\n{name} = check({name})"
            cell.source = answers[name] + check
        if words is not None and cell.metadata.get("nbgrader", {}).get("grade_id") == TASK.name:
            cell.source = words
    place = course / "submitted" / student / NAME
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{NAME}.ipynb")


def feedback(course, student):
    return (course / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")


RIGHT = {name: inspect.getsource(right_answers.first_of(2)[name]).rstrip() for name in STUBS}


# --- what is built ------------------------------------------------------------------------------------------------------


def test_what_is_released_is_the_lesson_with_tests_and_holds_neither_solution_nor_rubric_nor_seed(course, tiny):
    lesson, notebook = nbformat.read(tiny / f"{NAME}.ipynb", as_version=4), released(course)
    text = nbformat.writes(notebook)
    for hidden in ("SOLUTION", "HIDDEN", "MARK SCHEME", "xlogy", TASK.model, *TASK.rubric, "seed"):
        assert hidden not in text
    by_id = {cell.id: cell for cell in notebook.cells}
    for cell in lesson.cells[:-1]:
        assert by_id[cell.id].source == cell.source
        if cell.cell_type == "code":
            assert by_id[cell.id].outputs == ([] if "exercise" in cell.metadata else cell.outputs)
    assert by_id[lesson.cells[-1].id].source.strip() == "Why is it no distance? Take two sentences."
    tests = [cell for cell in notebook.cells if cell.id.endswith("-test")]
    assert [cell.source.splitlines()[-1] for cell in tests] == [f'assert_correct("{name}")' for name in STUBS]
    assert all("raises-exception" in cell.metadata.tags for cell in tests)


def test_only_answers_and_predictions_can_be_edited(course):
    editable = [cell.source for cell in released(course).cells if cell.metadata.get("editable", True)]
    assert editable[0] == 'guess = predict("kl_both_ways")'
    assert [re.match(r"def (\w+)|\*Your answer", source)[0] for source in editable[1:]] == [
        "def entropy_in_bits",
        "def kl_discrete",
        "*Your answer",
    ]


def test_the_source_holds_solutions_and_rubric_and_no_seed(course):
    text = (course / "source" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert "xlogy" in text
    assert all(point in text for point in (TASK.model, *TASK.rubric))
    assert (course / "private_seed").read_text(encoding="utf-8").strip() not in text


def test_nothing_is_built_over_what_a_teacher_may_have_changed(course, tiny, monkeypatch):
    monkeypatch.setattr(lessons, "NOTEBOOKS", tiny)
    monkeypatch.setattr(lessons, "NAMES", (NAME,))
    result = call("build", "02", "--to", course)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "is there already; delete it to have it built anew" in result.output


@pytest.mark.parametrize("name", REAL)
def test_every_lesson_has_its_stubs_again_once_the_solution_is_cut_out(name):
    made = assignments.as_assignment(REAL[name])
    stubs = {cell.metadata["exercise"]: cell.source for cell in REAL[name].cells if "exercise" in cell.metadata}
    for cell in made.cells:
        if (exercise := cell.metadata.get("exercise")) in stubs:
            cut = re.sub(r"### BEGIN SOLUTION\n.*\n### END SOLUTION", "", cell.source, flags=re.DOTALL)
            assert cut == stubs.pop(exercise)
    assert not stubs
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in made.cells if "nbgrader" in cell.metadata]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", REAL)
def test_no_model_answer_of_a_lesson_is_outside_what_nbgrader_cuts_out(name):
    made = assignments.as_assignment(REAL[name])
    region = re.compile(r"<!-- BEGIN (MARK SCHEME|SOLUTION) -->.*<!-- END \1 -->", re.DOTALL)
    theirs = "\n".join(region.sub("", cell.source) for cell in made.cells)
    tasks = catalogue.explanations_by_lesson()[int(name[:2])]
    assert [cell.metadata["explanation"] for cell in made.cells if "explanation" in cell.metadata] == [t.name for t in tasks]
    assert not re.search("unfold ours|A good answer says", theirs)
    assert not [task for task in tasks if task.model in theirs]


@pytest.mark.parametrize("name", REAL)
def test_without_solutions_no_cell_of_a_lesson_points_to_one(name):
    made = assignments.as_assignment(REAL[name], solutions=False)
    theirs = [cell.source for cell in made.cells if not cell.metadata.get("nbgrader", {}).get("solution")]
    assert not [
        source for source in theirs if (re.search(r"\bsolution\b", source) and "import" in source) or "solution(" in source
    ]
    assert not [source for source in theirs if "<details>" in source]
    assert len(made.cells) == len(assignments.as_assignment(REAL[name]).cells)


def test_without_solutions_the_sentences_around_them_stay_whole():
    (cell,) = [
        c for c in assignments.as_assignment(REAL["02_kl_divergence"], solutions=False).cells if "Exercise 2.1" in c.source
    ]
    assert cell.source.endswith('so they cost nothing. `hint("entropy_in_bits")` helps.')


def test_a_real_lesson_is_built_and_released(tmp_path):
    result = call("build", "02", "--to", tmp_path, "--no-solutions")
    assert result.exit_code == 0, result.output
    text = (tmp_path / "release" / "02_kl_divergence" / "02_kl_divergence.ipynb").read_text(encoding="utf-8")
    assert (tmp_path / "private_seed").read_text(encoding="utf-8").strip() not in text
    assert "solution" not in re.sub(r'"solution": (true|false)', "", text)
    for exercise in catalogue.by_lesson()[2]:
        body = exercise.solution().splitlines()[-1].strip()
        assert json.dumps(body)[1:-1] not in text
    assert (tmp_path / "gradebook.db").exists()


def test_downloads_of_canvas_and_moodle_are_collected_under_names_that_keep_the_platforms_number(course):
    name = "02_kl_divergence"
    archive = course / "downloaded" / name / "archive"
    moodle = archive / "Toni Noel_657693_assignsubmission_file_" / f"{name} (1).ipynb"
    moodle.parent.mkdir(parents=True)
    for path in (moodle, archive / f"smithbob_LATE_340934_208490284_{name}-1.ipynb", archive / "smithbob_340934_9_notes.txt"):
        path.write_text(path.name)
    command = [sys.executable, "-m", "nbgrader", "zip_collect", name]
    subprocess.run(command, cwd=course, check=True, capture_output=True)
    collected = {path.parent.parent.name: path.read_text() for path in course.glob(f"submitted/*/{name}/{name}.ipynb")}
    assert collected == {
        "smithbob (340934)": f"smithbob_LATE_340934_208490284_{name}-1.ipynb",
        "Toni Noel (657693)": moodle.name,
    }


def test_without_nbgrader_a_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.apps", None)
    result = call("build", "02", "--to", tmp_path)
    assert (result.exit_code, result.output) == (2, 'nbgrader is not installed. It comes with: pip install -e ".[classroom]"\n')


# --- what is graded -----------------------------------------------------------------------------------------------------


def table(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def points_apart(course):
    """What ``vae-course grade`` gives, which runs each answer in a process of its own: points by student, of each exercise."""
    folders = [str(course / "submitted"), "--output", str(course / "apart")]
    result = CliRunner().invoke(app, ["grade", *folders, "--only", ",".join(STUBS)])
    assert result.exit_code == 0, result.output
    numbered = {name: f"{catalogue.number_of(name)} {name}" for name in STUBS}
    return {row["student"]: tuple(row[numbered[name]] for name in STUBS) for row in table(course / "apart" / "grades.csv")}


def test_an_answer_that_knows_the_public_inputs_only_fails_and_is_told_why_without_the_private_ones(course, capfd):
    hand_in(course, "Anna Ada (4711)", RIGHT | {"kl_discrete": HARD_CODED}, words="It is an average over p.")
    result = call("grade", course)
    assert result.exit_code == 0, result.output
    assert "encryption" not in capfd.readouterr().err
    assert re.search(r"02_tiny +Anna Ada \(4711\) +1 of 4 +1 to be graded by hand", result.output)
    (row,) = table(course / "grades.csv")
    assert {name: row[name] for name in (*STUBS, TASK.name, "points", "possible")} == {
        "entropy_in_bits": "1",
        "kl_discrete": "0",
        TASK.name: "0",
        "points": "1",
        "possible": "4",
    }
    assert points_apart(course)["Anna Ada"] == ("1", "0")
    (canvas,) = table(course / "platforms" / NAME / "canvas.csv")[1:]
    assert (canvas["Student"], canvas["ID"], canvas[NAME]) == ("Anna Ada", "4711", "1")
    (moodle,) = table(course / "platforms" / NAME / "moodle.csv")
    assert (moodle["Identifier"], moodle["Grade"], moodle["Maximum Grade"]) == ("Participant 4711", "1", "4")
    page = feedback(course, "Anna Ada (4711)")
    assert (course / "private_seed").read_text(encoding="utf-8").strip() not in page
    assert "right on the inputs that check tries, but not on others of" in page
    assert "The smallest input that shows it" in page
    assert all(point in page for point in TASK.rubric)  # graders see it beside the answer, and students afterwards


WRONG = "def kl_discrete(p, q):\n    return (p * (p / q).log2()).nan_to_num().sum(-1)"


@pytest.mark.slow
def test_every_kind_of_submission_gets_its_points_and_a_bad_one_stops_no_other(course):
    hand_in(course, "right", RIGHT)
    hand_in(
        course,
        "warns",
        RIGHT | {"kl_discrete": RIGHT["kl_discrete"].replace("    ", "    __import__('warnings').warn('!')\n    ", 1)},
    )
    hand_in(course, "wrong", RIGHT | {"kl_discrete": WRONG})
    hand_in(course, "empty", {})
    hand_in(course, "hard-coding", RIGHT | {"kl_discrete": HARD_CODED})
    hand_in(course, "check-deleted", RIGHT, delete_check=True)
    hand_in(course, "check-deleted-wrong", RIGHT | {"kl_discrete": WRONG}, delete_check=True)
    hand_in(course, "deleted", RIGHT | {"kl_discrete": ""}, delete_check=True)
    hand_in(course, "=1+1", {})
    edited = course / "submitted" / "=1+1" / NAME / f"{NAME}.ipynb"
    edited.write_text(re.sub(r'assert_correct\(\\"\w+\\"\)', "None", edited.read_text(encoding="utf-8")), encoding="utf-8")
    hand_in(course, "broken", {})
    (course / "submitted" / "broken" / NAME / f"{NAME}.ipynb").write_text('{"cells": [')
    hand_in(course, "renamed", RIGHT)
    (course / "submitted" / "renamed" / NAME / f"{NAME}.ipynb").rename(course / "submitted" / "renamed" / NAME / "mine.ipynb")
    result = call("grade", course)
    assert result.exit_code == 1
    rows = {row["student"]: row for row in table(course / "grades.csv")}
    points = {student: (row["entropy_in_bits"], row["kl_discrete"]) for student, row in rows.items() if row["points"]}
    apart = points_apart(course)
    for student in points.keys() - {"Anna Ada (4711)"}:
        assert apart[student] == points[student], student
    assert points == {
        "right": ("1", "1"),
        "warns": ("1", "1"),
        "wrong": ("1", "0"),
        "empty": ("0", "0"),
        "hard-coding": ("1", "0"),
        "check-deleted": ("1", "1"),
        "check-deleted-wrong": ("1", "0"),
        "deleted": ("1", "0"),
        "'=1+1": ("0", "0"),
    } | ({"Anna Ada (4711)": ("1", "0")} if "Anna Ada (4711)" in rows else {})
    assert rows["broken"]["remark"].startswith("not graded: ")
    assert "JSON" in rows["broken"]["remark"]
    assert (rows["broken"]["points"], rows["broken"]["possible"]) == ("", "4")
    assert rows["renamed"]["remark"].startswith("not graded: ")
    assert "Exercise 2.2: not attempted yet." in feedback(course, "empty")
