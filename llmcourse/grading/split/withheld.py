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
        found = locate(name)
        if isinstance(found, types.ModuleType):
            modules[name] = why
        for each in members(found):
            disable(each, MESSAGE.format(name, why))
        if not isinstance(found, types.ModuleType):
            replace(name, found, MESSAGE.format(name, why))
    for name in modules:
        for loaded in [each for each in sys.modules if each == name or each.startswith(name + ".")]:
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


def members(found: Any) -> list[Any]:
    """The thing itself, or what a module defines."""
    if not isinstance(found, types.ModuleType):
        return [found]
    return [each for each in vars(found).values() if getattr(each, "__module__", None) == found.__name__]


def disable(thing: Any, message: str) -> None:
    """Make a function or a class of Python's fail wherever it has been stored under whatever name."""

    def refuse(*args: Any, **options: Any) -> Any:
        raise RuntimeError(message)

    if isinstance(thing, types.FunctionType):
        code = compile(f"def refuse(*args, **options):\n    raise RuntimeError({message!r})", "<withheld>", "exec")
        plain = next(each for each in code.co_consts if isinstance(each, types.CodeType))
        if not thing.__code__.co_freevars:
            thing.__code__, thing.__defaults__, thing.__kwdefaults__ = plain, None, None
    elif isinstance(thing, type) and not thing.__flags__ & (1 << 8):  # not one of C's, which cannot be changed
        for special in ("__init__", "__new__", "__call__", "forward"):
            if special in vars(thing) or special == "__init__":
                setattr(thing, special, refuse)


def replace(name: str, found: Any, message: str) -> None:
    """Put a function that fails in the place of the name, for what is not Python's own."""
    if isinstance(found, types.FunctionType | type) and getattr(found, "__module__", "").startswith("llmcourse"):
        return  # disabled in itself

    def refuse(*args: Any, **options: Any) -> Any:
        raise RuntimeError(message)

    top = name.split(".")[0]
    for module_name, module in list(sys.modules.items()):
        if module_name.split(".")[0] != top or module is None:
            continue
        for key, value in list(vars(module).items()):
            if value is found:
                setattr(module, key, refuse)


def flags(cells: Sequence[NotebookNode], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Where the cells name what is withheld, or do what a person should look at: for a human, never for the score."""
    found = []
    for cell in cells:
        try:
            tree = ast.parse(cell.source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            seen = [(name, why) for name, why in names.items() if uses(node, name)]
            seen += [(name, why) for name, why in ODD.items() if name in plain_words(node)]
            where = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")
            line = getattr(node, "lineno", 0)
            found += [{"cell": where, "line": line, "name": name, "why": why} for name, why in seen]
    return [each for index, each in enumerate(found) if each not in found[:index]]


def uses(node: ast.AST, name: str) -> bool:
    """Whether this node of a program names the thing."""
    parent, _, last = name.rpartition(".")
    top = name.split(".")[0]
    if isinstance(node, ast.Import):
        return any(f"{alias.name}.".startswith(f"{name}.") for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        inside = f"{module}.".startswith(f"{name}.")
        return inside or (module.split(".")[0] == top and any(alias.name in (last, "*") for alias in node.names))
    if isinstance(node, ast.Attribute) and node.attr == last:
        before = ast.unparse(node.value).split(".")
        return top != "llmcourse" or before[0] == "llmcourse" or before[-1] == parent.rpartition(".")[2]
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and name in node.value


def plain_words(node: ast.AST) -> list[str]:
    """The names that stand in this node itself."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.name for alias in node.names]
    found = [getattr(node, "attr", None), getattr(node, "id", None), getattr(node, "value", None)]
    return [each for each in found if isinstance(each, str)]
