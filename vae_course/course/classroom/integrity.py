"""What a teacher should look at: reported beside the grade, and judged by a person.

It is found in the text of a submission, so who wants to hide it can. The grade does not rest on it: whatever an answer does,
its process can only send back results.
"""

import ast
import inspect
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

from vae_course.course.classroom.submissions import Definition, Submission, plain, stubs
from vae_course.exercises.catalogue import find, number_of

# What lessons import, and what of it shows an answer.
OFFERED = {"assert_correct", "case", "check", "hint", "predict", "reveal", "solution"}
SHOWS = {"solution", "find", "judge", "reference"}
# What an answer to an exercise has no use for: the stack, the interpreter, files, other processes.
LOOKS_AROUND = {"inspect", "gc", "ctypes", "importlib", "builtins", "sys", "os", "subprocess", "socket", "shutil", "pathlib"}
LOOKS_AROUND |= {"eval", "exec", "compile", "open", "globals", "vars", "__import__", "setattr", "multiprocessing", "linecache"}
LOOKS_INTO = {"__globals__", "__code__", "__subclasses__", "__builtins__", "f_back", "f_locals", "tb_frame", "__closure__"}
SHORT = 2  # statements; of so few, two people may well write the same


def remarks(submission: Submission) -> list[str]:
    """What is to be said of one submission's text, a sentence each."""
    told = [remark for cell in submission.cells for node in cell.statements for remark in _of_statement(node, cell.name)]
    for name, source in submission.answers.items():
        if (text := plain(source)) == _reference(name):
            told.append(f"{number_of(name)} {name}: equal to our solution to the letter{_chance(text)}")
    return list(dict.fromkeys(told))


def alike(submissions: Sequence[Submission]) -> dict[str, list[str]]:
    """For each student what is to be said of answers whose text is the same as another's, and not ours."""
    writers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for submission in submissions:
        for name, source in submission.answers.items():
            if (text := plain(source)) not in (_reference(name), stubs().get(name)):
                writers[name, text].append(submission.student)
    told: dict[str, list[str]] = defaultdict(list)
    for (name, text), students in writers.items():
        for student in students if len(students) > 1 else ():
            others = ", ".join(other for other in students if other != student)
            told[student].append(f"{number_of(name)} {name}: the same text as {others}{_chance(text)}")
    return dict(told)


@cache
def _reference(name: str) -> str:
    return plain(textwrap.dedent(inspect.getsource(find(name).reference)))


def _chance(text: str) -> str:
    statements = sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(text))) - 1
    return " (it is so short that this may be chance)" if statements <= SHORT else ""


def _of_statement(node: ast.stmt, cell: str) -> Iterator[str]:
    where = f"{cell}, line {node.lineno}"
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _of_import(node, where)
    if isinstance(node, Definition):
        for inner in ast.walk(node):
            yield from _of_import(inner, f"{where}, in {node.name}")
            if isinstance(inner, ast.Name) and inner.id in LOOKS_AROUND | (SHOWS & OFFERED) | {"vae_course"}:
                yield f"{where}: {node.name} uses {inner.id}"
            elif isinstance(inner, ast.Attribute) and inner.attr in LOOKS_INTO | SHOWS | {"_getframe", "currentframe", "stack"}:
                yield f"{where}: {node.name} uses .{inner.attr}"


def _of_import(node: ast.AST, where: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return
    for module in modules:
        of_ours = module.startswith("vae_course.exercises") or (module.startswith("vae_course") and "classroom" in module)
        if of_ours and module.removeprefix("vae_course.exercises.") not in OFFERED:
            yield f"{where}: imports {module}, where the solutions and the checker are"
        elif module.partition(".")[0] in LOOKS_AROUND:
            yield f"{where}: imports {module}"
