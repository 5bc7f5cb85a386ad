"""A lesson as nbgrader's source of an assignment, with solutions, tests and rubrics, which nbgrader does not release.

The marks are nbgrader's: metadata of the name ``nbgrader``, and regions between lines with ``BEGIN ...`` and ``END ...``.
"""

import copy
import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from vae_course.exercises.catalogue import find, find_explanation

POINTS = 1  # for an exercise; a task in words gives one for each point of its rubric
TEST = """from vae_course.exercises import assert_correct

assert_correct("{name}")
### BEGIN HIDDEN TESTS
from vae_course.course.classroom.seeds import seed_of_this_course

assert_correct("{name}", seed=seed_of_this_course())
### END HIDDEN TESTS"""
TELLING = (  # what shows a solution in a lesson, and what stands there instead
    (re.compile(r",? and `solution\(\"\w+\"\)`[^.;\n]*"), ""),
    (re.compile(r"^(from vae_course\.exercises import .*), solution\b", re.MULTILINE), r"\1"),
)
FOLDED = re.compile(r"(, and only then unfold ours)?(?P<end>\.?)\s*<details>.*?</details>", re.DOTALL)


def as_assignment(lesson: NotebookNode, solutions: bool = True) -> NotebookNode:
    """The source of an assignment, made of a lesson. Without ``solutions`` it does not point to ours either.

    An exercise becomes a cell to answer in and a test; a task in words the question, with the rubric, and a cell to answer in.
    Predictions stay as they are, to be written in; all else is read-only. Outputs stay, but for those of answers.
    """
    made = copy.deepcopy(lesson)
    if not solutions:
        for cell in made.cells:
            _tell_no_solution(cell)
    made.cells = [part for cell in made.cells for part in _parts(cell)]
    return made


def _tell_no_solution(cell: NotebookNode) -> None:
    for pattern, instead in TELLING:
        cell.source = pattern.sub(instead, cell.source)
    if cell.cell_type == "markdown":
        cell.source = FOLDED.sub(r"\g<end>", cell.source)


def _parts(cell: NotebookNode) -> list[NotebookNode]:
    """What becomes of a lesson's cell."""
    if name := cell.metadata.get("exercise"):
        return _exercise(cell, name)
    if name := cell.metadata.get("explanation"):
        return _task_in_words(cell, name)
    return [cell if "= predict(" in cell.source else _marked(cell, cell.id, locked=True)]


def _exercise(cell: NotebookNode, name: str) -> list[NotebookNode]:
    """The cell as the lesson has it, our solution in place of the blank line above its check; and a test.

    nbgrader puts a blank line in place of the solution, as its configuration says, and so the lesson's stub is there again.
    """
    *stub, _, check = cell.source.splitlines()
    cell.source = "\n".join([*stub, "### BEGIN SOLUTION", find(name).solution(), "### END SOLUTION", check])
    cell.outputs, cell.execution_count = [], None
    test = new_code_cell(TEST.format(name=name), id=f"{name}-test", metadata={"tags": ["raises-exception"]})
    return [_marked(cell, f"{name}_answer", solution=True), _marked(test, name, points=POINTS)]


def _task_in_words(cell: NotebookNode, name: str) -> list[NotebookNode]:
    """The question with the rubric, which graders see and what is released does not hold; and a cell for the answer."""
    task = find_explanation(name)
    rubric = [f"- {point}" for point in task.rubric]
    question = FOLDED.sub(r"\g<end>", cell.source)  # our answer is folded there
    scheme = ["<!-- BEGIN MARK SCHEME -->", "", "A point each:", "", *rubric, "", "<!-- END MARK SCHEME -->"]
    cell.source = "\n".join([question, *scheme])
    model = "\n".join(["<!-- BEGIN SOLUTION -->", task.model, "<!-- END SOLUTION -->"])
    answer = new_markdown_cell(model, id=f"{name}-answer")
    return [_marked(cell, cell.id, locked=True), _marked(answer, name, points=len(rubric), solution=True)]


def _marked(
    cell: NotebookNode, grade_id: str, locked: bool = False, points: int | None = None, solution: bool = False
) -> NotebookNode:
    """The cell with nbgrader's metadata; one that gives points and is no solution is a test, and locked."""
    graded = {} if points is None else {"points": points}
    test = points is not None and not solution
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": locked or test,
        "task": False,
    } | graded
    return cell
