"""How strict is the checker? Every reference solution is changed in one small place, and each change must be found wrong.

    python tests/exercises/mutants.py [names of exercises]

prints for each exercise how many mutants there are and how many were accepted, and the share that was killed. A mutant that
is as right as the original is listed in ``equivalent_mutants/`` with the reason, and does not count.
"""

import ast
import copy
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from vae_course.exercises import Exercise, Status, all_exercises, attempts, core, find

EQUIVALENT = Path(__file__).with_name("equivalent_mutants")  # a file a lesson: exercise -> mutant -> reason
SWAPPED_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
}
SWAPPED_COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
SWAPPED_NAMES = {
    "sum": ("mean",),
    "mean": ("sum",),
    "max": ("min",),
    "min": ("max",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "minimum": ("maximum",),
    "maximum": ("minimum",),
    "clamp_min": ("clamp_max",),
    "clamp_max": ("clamp_min",),
    "softmax": ("log_softmax", "sigmoid"),
    "log_softmax": ("softmax",),
    "logsumexp": ("sum",),
    "exp": ("expm1",),
    "log": ("log2", "log1p"),
    "square": ("abs",),
    "var": ("std",),
    "std": ("var",),
    "logsigmoid": ("sigmoid",),
    "any": ("all",),
    "all": ("any",),
    "cumsum": ("cumprod",),
}
DROPPED = {
    *SWAPPED_NAMES,
    "abs",
    "sqrt",
    "detach",
    "double",
    "float",
    "round",
    "flip",
    "relu",
    "triu",
    "tril",
    "cummax",
    "clone",
}


def mutants(source: str, gradients: tuple[str, ...]) -> Iterator[str]:
    """Every program that differs from ``source`` in one small place."""
    tree = ast.parse(textwrap.dedent(source))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    seen = {ast.unparse(tree)}
    parameters = [argument.arg for argument in function.args.args]
    for number, node in enumerate(ast.walk(tree)):
        for change in changes(node, parameters, gradients):
            changed = copy.deepcopy(tree)
            (parent, field, place), target = located(changed, number)
            new = change(target)
            if new is not target and parent is not None:
                put(parent, field, place, new)
            try:
                text = ast.unparse(ast.fix_missing_locations(changed))
            except (AttributeError, ValueError):
                continue
            if text not in seen:
                seen.add(text)
                yield text


def located(tree, number):
    """The node that ``ast.walk`` reaches as the ``number``-th, and where its parent keeps it."""
    target = next(node for k, node in enumerate(ast.walk(tree)) if k == number)
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is target:
                return (parent, field, None), target
            if isinstance(value, list):
                for place, item in enumerate(value):
                    if item is target:
                        return (parent, field, place), target
    return (None, None, None), target


def put(parent, field, place, new):
    if place is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[place] = new


def changes(node, parameters, gradients):
    """What may be changed at a node: functions that change it in place, or return what replaces it."""

    def setting(field, value):
        def change(target):
            setattr(target, field, value)
            return target

        return change

    if isinstance(node, ast.FunctionDef):
        yield from (setting("body", body) for body in reordered(node.body))
    if isinstance(node, ast.BinOp):
        yield from (setting("op", new()) for new in SWAPPED_OPERATORS.get(type(node.op), ()))
        yield lambda target: target.left
        yield lambda target: target.right
    if isinstance(node, ast.AugAssign):
        yield from (setting("op", new()) for new in SWAPPED_OPERATORS.get(type(node.op), ()))
    if isinstance(node, ast.UnaryOp):
        yield lambda target: target.operand
    if isinstance(node, ast.Compare):
        yield from (setting("ops", [new()]) for new in SWAPPED_COMPARISONS.get(type(node.ops[0]), ()))
    if isinstance(node, ast.BoolOp):
        yield setting("op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.IfExp):
        yield lambda target: target.body
        yield lambda target: target.orelse
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield setting("value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from (
            setting("value", value) for value in (node.value + 1, node.value - 1, 2 * node.value) if value != node.value
        )
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in DROPPED:
            inner = node.func.value
            if isinstance(inner, ast.Name) and inner.id in ("torch", "functional", "math"):
                yield lambda target: target.args[0]
            else:
                yield lambda target: target.func.value
        for k in range(len(node.keywords)):
            yield lambda target, k=k: setattr(target, "keywords", target.keywords[:k] + target.keywords[k + 1 :]) or target
        if len(node.args) >= 2:
            yield lambda target: setattr(target, "args", [target.args[1], target.args[0], *target.args[2:]]) or target
    if isinstance(node, ast.Attribute):
        yield from (setting("attr", new) for new in SWAPPED_NAMES.get(node.attr, ()))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in parameters:
        yield from (setting("id", other) for other in parameters if other != node.id)
        if node.id in gradients:
            yield lambda target: ast.parse(f"{target.id}.detach()", mode="eval").body
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ("min", "max", "sum", "any", "all"):
        yield from (setting("id", {"min": "max", "max": "min", "any": "all", "all": "any"}.get(node.id, "max")),)
    if isinstance(node, ast.Slice):
        yield from (setting(edge, None) for edge in ("lower", "upper") if getattr(node, edge) is not None)


def reordered(body):
    """A body in which two calls that follow one another are exchanged, or one is put behind the last of them."""
    calls = [k for k, line in enumerate(body) if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)]
    for k in calls[:-1]:
        for other in {k + 1, calls[-1]} & set(calls):
            rest = body[:k] + body[k + 1 :]
            yield [*rest[:other], body[k], *rest[other:]]


def accepted(exercise: Exercise) -> tuple[int, list[str]]:
    """How many mutants of an exercise's reference there are, and those that the checker takes for right."""
    namespace = vars(inspect.getmodule(exercise.reference))
    count, survivors = 0, []
    for text in mutants(inspect.getsource(exercise.reference), exercise.gradients):
        made: dict[str, object] = {}
        exec(compile(text, f"<mutant of {exercise.name}>", "exec"), {**namespace}, made)
        count += 1
        if exercise.grade(made[exercise.name]).status is Status.CORRECT:
            survivors.append(text)
    return count, survivors


def equivalent() -> dict[str, dict[str, str]]:
    """Mutants that are as right as the original, by exercise, each with its reason."""
    known: dict[str, dict[str, str]] = {}
    for path in EQUIVALENT.glob("lesson_*.json"):
        known |= json.loads(path.read_text(encoding="utf-8"))
    return known


def main() -> None:
    """Print the table, and the survivors that no reason excuses; exit status 1 if there are any."""
    attempts.TIME_LIMIT = 2.0
    # What a mutant is called makes no difference here, and naming it takes most of the time.
    core.Exercise._named = lambda self, observed, cases: None  # type: ignore[method-assign]
    known = equivalent()
    names = sys.argv[1:] or list(all_exercises())
    made = alive = excused = 0
    for name in names:
        exercise = find(name)
        if not inspect.isfunction(exercise.reference):
            continue
        count, survivors = accepted(exercise)
        reasons = known.get(name, {})
        unexplained = [text for text in survivors if text not in reasons]
        made, alive, excused = made + count, alive + len(unexplained), excused + len(survivors) - len(unexplained)
        print(f"{name:34}{count:5} mutants{len(survivors) - len(unexplained):5} as right as ours{len(unexplained):5} accepted")
        for text in unexplained:
            print(textwrap.indent(text, "      "))
    print(f"killed: {1 - alive / max(1, made - excused):.2%} of {made - excused} mutants that are wrong, {excused} are right")
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()
