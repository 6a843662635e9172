"""What an exercise withholds: where the student's code runs it cannot be imported or called, and its uses are flagged.

The notebook's metadata lists it: `{"llmcourse": {"withheld": {"llmcourse.model.attention.attend": "why"}}}`.
"""

import ast
import importlib
import importlib.abc
import sys
import types
from collections.abc import Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

MESSAGE = "`{}` is withheld in this exercise: {}."
NAMING = (ast.Import, ast.ImportFrom, ast.Attribute, ast.Name, ast.Constant)  # nodes in which a name may stand
HEAP_TYPE = 1 << 9  # a class that was made by Python code, and can be changed
# not forbidden, but a person should see what it is for
ODD = {
    "__globals__": "looks into another function's names",
    "__subclasses__": "walks through all classes",
    "__code__": "looks into a function's code",
    "ctypes": "reaches past Python",
    "_getframe": "looks at its callers",
    "getsource": "reads a function's source",
    "get_objects": "looks through memory",
    "settrace": "watches other code run",
    "NBGRADER_EXECUTION": "asks whether it is being graded",
    "LLMCOURSE_CLASS_SECRET": "asks for the class secret",
}


def withheld_names(source: NotebookNode, more: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """Dotted names that the notebook withholds, and why."""
    return {**source.metadata.get("llmcourse", {}).get("withheld", {}), **dict(more)}


class Finder(importlib.abc.MetaPathFinder):
    """Refuses to import what is withheld as a whole."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        for module, why in self.modules.items():
            if name == module or name.startswith(module + "."):
                raise ImportError(MESSAGE.format(name, why))


def withhold(names: Mapping[str, str]) -> None:
    """Make each name fail where it is called, or imported if it is a module; for good, in this process.

    Raises: ValueError for a name that does not exist.
    """
    modules = {}
    for name, why in names.items():
        found, message = locate(name), MESSAGE.format(name, why)
        if isinstance(found, types.ModuleType):
            modules[name] = why
            for each in members(name):
                disable(each, message)
        elif not disable(found, message):
            replace(name, found, message)
    for name in modules:
        for loaded in [each for each in sys.modules if f"{each}.".startswith(f"{name}.")]:
            del sys.modules[loaded]
        parent, _, last = name.rpartition(".")
        if hasattr(sys.modules.get(parent), last):
            delattr(sys.modules[parent], last)
    sys.meta_path.insert(0, Finder(modules))


def locate(name: str) -> Any:
    """What the dotted name stands for."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
            for part in parts[cut:]:
                found = getattr(found, part)
        except (ImportError, AttributeError):
            continue
        return found
    raise ValueError(f"{name!r} is withheld, but there is no such name.")


def members(name: str) -> list[Any]:
    """What a module, and those inside it, define."""
    inside = [module for each, module in sys.modules.items() if f"{each}.".startswith(f"{name}.")]
    found = [(module.__name__, value) for module in inside for value in vars(module).values()]
    return [value for module, value in found if getattr(value, "__module__", None) == module]


def disable(thing: Any, message: str) -> bool:
    """Make a function or a class fail under every name that it has; False for what is not made in Python."""

    def refuse(*args: Any, **options: Any) -> Any:
        raise RuntimeError(message)

    if isinstance(thing, types.FunctionType):
        thing.__code__, thing.__defaults__, thing.__kwdefaults__ = (
            refusal(thing.__code__.co_freevars, message),
            None,
            None,
        )
        disable(getattr(thing, "__wrapped__", None), message)
    elif isinstance(thing, type) and thing.__flags__ & HEAP_TYPE:
        for special in ("__init__", "__new__", "__call__", "forward"):
            if special in vars(thing) or special == "__init__":
                setattr(thing, special, refuse)
    else:
        return False
    return True


def refusal(free: Sequence[str], message: str) -> types.CodeType:
    """Code that fails, with the free names of the code whose place it takes."""
    lines = [f"def outer({', '.join(free)}):", "    def refuse(*args, **options):"]
    lines += [f"        raise RuntimeError({message!r})", f"        ({''.join(name + ',' for name in free)})"]
    outer = next(each for each in compile("\n".join(lines), "<withheld>", "exec").co_consts if hasattr(each, "co_code"))
    return next(each for each in outer.co_consts if hasattr(each, "co_code"))


def replace(name: str, found: Any, message: str) -> None:
    """Put a function that fails in the place of a function of C's, wherever a module of its library names it."""

    def refuse(*args: Any, **options: Any) -> Any:
        raise RuntimeError(message)

    for module in [each for key, each in sys.modules.items() if key.split(".")[0] == name.split(".")[0] and each]:
        for key in [key for key, value in vars(module).items() if value is found]:
            setattr(module, key, refuse)


def flags(cells: Sequence[NotebookNode], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where the cells name what is withheld, or do what a person should look at: for a human, never for the score."""
    found = []
    for cell in cells:
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        where = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")
        for node in ast.walk(tree):
            if not isinstance(node, NAMING):
                continue
            seen = [] if isinstance(node, ast.Name) else [pair for pair in names.items() if uses(node, pair[0])]
            seen += [(word, ODD[word]) for word in plain_words(node) if word in ODD]
            found += [{"cell": where, "line": node.lineno, "name": name, "why": why} for name, why in seen]
    return [each for index, each in enumerate(found) if each not in found[:index]]


def uses(node: ast.AST, name: str) -> bool:
    """Whether this node of a program names the thing."""
    parent, _, last = name.rpartition(".")
    top = name.split(".")[0]
    if isinstance(node, ast.Import):
        return any(f"{alias.name}.".startswith(f"{name}.") for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        shown = name.startswith(f"{module}.") and any(alias.name in (last, "*") for alias in node.names)
        return shown or f"{module}.".startswith(f"{name}.")
    if isinstance(node, ast.Attribute) and node.attr == last:
        before, module = ast.unparse(node.value).split("."), parent.rpartition(".")[2]
        return before[0] == top or before[-1] in (module, module[:1].upper())  # F stands for functional
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and name in node.value


def plain_words(node: ast.AST) -> list[str]:
    """The names that stand in this node itself."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Name):
        return [node.id]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
