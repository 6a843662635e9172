"""What instructors' test cells ask for that cannot cross from a student's process."""

import ast
from collections.abc import Iterator

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from llmcourse.grading.split.proxies import OPEN_NAMES
from llmcourse.grading.split.rebuild import HIDDEN, Cell, info, rebuild
from llmcourse.grading.split.withheld import locate, withheld_names

TRUTH = "`{}` stands for something in another process, and is neither true nor false: test a value that it gives."
EQUAL = "`{}` stands for something in another process, and equals only itself: compare values that it gives."
INSIDE = "`{}` looks inside a student's object, and what it looks for stays in the other process."
KIND = "`{}` is no class here but a stand-in: call it, and look at what comes back."
COPIED = "`{}` would copy a stand-in: only modules can be copied."
HOOK = "`{}` hooks a student's module: hooks on its parts are not called, as its parts run in the other process."
LAST = "The cell ends in a value of `{}`: were it a number, nbgrader would take it for points. End with an assert."
TEXT = "`{}` runs text, in which no name of the student's is found."
LOOKERS = {"getsource", "signature", "getmembers", "getfile", "vars", "dir", "id"}
KINDS = {"isinstance", "issubclass", "type"}
COPIERS = {"copy", "deepcopy", "dumps", "save"}


def lint(source: NotebookNode) -> list[str]:
    """One line for each thing that cannot cross, with its cell and line; empty where all is well."""
    found = []
    for cell in rebuild(source, source):
        name = info(cell.node).get("grade_id", cell.node.id)
        if cell.checker and not info(cell.node).get("grade") and HIDDEN.search(cell.node.source):
            found.append(f"{name}: hidden tests belong in a cell with points; here their names are lost to students.")
        if not cell.checker or cell.student:
            continue
        try:
            tree = ast.parse(TransformerManager().transform_cell(cell.node.source))
        except SyntaxError as error:
            found.append(f"{name}, line {error.lineno}: this is no Python.")
            continue
        found += [f"{name}, line {line}: {what}" for line, what in complaints(tree, cell)]
    return found + unknown_names(source)


def complaints(tree: ast.Module, cell: Cell) -> Iterator[tuple[int, str]]:
    """Line and message of all that is wrong in one cell."""
    theirs = set(cell.theirs)
    for node in ast.walk(tree):
        for part in truth_tests(node):
            if is_one(part, theirs):
                yield part.lineno, TRUTH.format(ast.unparse(part))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(is_one(side, theirs) for side in sides) and not all(is_constant_none(s, theirs) for s in sides):
                yield node.lineno, EQUAL.format(ast.unparse(next(s for s in sides if is_one(s, theirs))))
        if isinstance(node, ast.ClassDef) and any(is_one(base, theirs) for base in node.bases):
            yield node.lineno, KIND.format(ast.unparse(node.bases[0]))
        if isinstance(node, ast.Attribute) and is_one(node.value, theirs) and is_inside(node.attr):
            yield node.lineno, INSIDE.format(ast.unparse(node))
        if isinstance(node, ast.Call):
            yield from calls(node, theirs)
    last = tree.body[-1] if tree.body else None
    called = last.value.func if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None
    if called is not None and info(cell.node).get("grade") and is_one(called, theirs):
        yield called.lineno, LAST.format(ast.unparse(called))


def calls(node: ast.Call, theirs: set[str]) -> Iterator[tuple[int, str]]:
    """What is wrong with one call."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    shown = ast.unparse(node)
    if name in ("exec", "eval") and isinstance(node.func, ast.Name):
        yield node.lineno, TEXT.format(name)
    if name.startswith("register_") and name.endswith("_hook"):
        yield node.lineno, HOOK.format(shown)
    if not any(is_one(arg, theirs) for arg in node.args):
        return
    if name in LOOKERS:
        yield node.lineno, INSIDE.format(shown)
    if name in KINDS and (name != "isinstance" or is_one(node.args[-1], theirs)):
        yield node.lineno, KIND.format(ast.unparse(next(arg for arg in node.args if is_one(arg, theirs))))
    if name in COPIERS:
        yield node.lineno, COPIED.format(shown)


def truth_tests(node: ast.AST) -> list[ast.expr]:
    """The parts of a node whose truth is asked for."""
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        return [node.test]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node.operand]
    return node.values if isinstance(node, ast.BoolOp) else []


def is_one(node: ast.expr, theirs: set[str]) -> bool:
    """Whether it is a student's own name, and not a value that came of it."""
    return isinstance(node, ast.Name) and node.id in theirs


def is_inside(name: str) -> bool:
    """Whether an attribute of that name stays in its process."""
    return name.startswith("__") and name not in OPEN_NAMES


def is_constant_none(node: ast.expr, theirs: set[str]) -> bool:
    """Whether it may stand in a comparison with `None`, which works."""
    return is_one(node, theirs) or (isinstance(node, ast.Constant) and node.value is None)


def unknown_names(source: NotebookNode) -> list[str]:
    """Complaints about names that are withheld and do not exist."""
    found = []
    for name in withheld_names(source):
        try:
            locate(name)
        except ValueError as error:
            found.append(f"metadata: {error}")
    return found
