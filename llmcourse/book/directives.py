"""What each MyST directive of the chapters becomes in a plain notebook."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

CALLOUTS = {"note", "tip", "warning", "important", "hint", "seealso", "caution", "danger", "attention", "error"}
CONTAINERS = {"grid", "grid-item", "tab-set", "div", "container"}
TITLED = {"card", "grid-item-card", "tab-item"}
OPTION = re.compile(r":([\w-]+):(| .*)")
DROPPED = {"bibliography", "tableofcontents", "contents"}


@dataclass(frozen=True)
class Directive:
    """One directive as written: its name, what stands on its first line, its options and its text."""

    name: str
    argument: str
    options: Mapping[str, str]
    body: str


def parse_directive(name: str, argument: str, lines: list[str]) -> Directive:
    """The directive whose inner lines are `lines`, options in either of MyST's two notations."""
    if lines and lines[0].strip() == "---":
        end = next((row for row in range(1, len(lines)) if lines[row].strip() == "---"), len(lines))
        options = {key: str(value) for key, value in (yaml.safe_load("\n".join(lines[1:end])) or {}).items()}
        return Directive(name, argument, options, "\n".join(lines[end + 1 :]).strip("\n"))
    options = {}
    while lines and (option := OPTION.fullmatch(lines[0].strip())):
        options[option.group(1)] = option.group(2).strip()
        lines = lines[1:]
    return Directive(name, argument, options, "\n".join(lines).strip("\n"))


def quote(title: str, body: str) -> str:
    """A block set off from the text, with a bold title."""
    lines = ([f"**{title}**", ""] if title else []) + body.splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def fold(title: str, body: str) -> str:
    """A block that shows its title until the reader opens it."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def callout(directive: Directive, body: str) -> str:
    """An admonition of any kind, folded where the book folds it."""
    given = directive.argument if directive.name in {"admonition", "dropdown"} else ""
    title = given or directive.name.capitalize()
    if directive.name in CALLOUTS and directive.argument:
        # these have no title of their own: words on the first line belong to the text
        body = f"{directive.argument}\n{body}".strip()
    folded = directive.name == "dropdown" or "dropdown" in directive.options.get("class", "").split()
    return fold(title, body) if folded else quote(title, body)


def included_code(directive: Directive, folder: Path) -> str:
    """The code that a `literalinclude` shows, as a fenced block.

    Raises: ValueError where the file or the object in it does not exist.
    """
    path = (folder / directive.argument).resolve()
    if not path.is_file():
        raise ValueError(f"literalinclude names {directive.argument}, which does not exist.")
    source = path.read_text(encoding="utf-8")
    if "pyobject" in directive.options:
        source = python_object(source, directive.options["pyobject"])
    elif "lines" in directive.options:
        source = numbered_lines(source, directive.options["lines"])
    language = directive.options.get("language", "python" if path.suffix == ".py" else "")
    return f"```{language}\n{source.strip(chr(10))}\n```"


def python_object(source: str, dotted: str) -> str:
    """The source of a function or class, found by its dotted name.

    Raises: ValueError where there is none of that name.
    """
    scope: ast.AST = ast.parse(source)
    for name in dotted.split("."):
        found = [node for node in ast.iter_child_nodes(scope) if getattr(node, "name", None) == name]
        if not found:
            raise ValueError(f"literalinclude names {dotted}, which is not defined there.")
        scope = found[0]
    assert isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    rows = source.splitlines()[first - 1 : scope.end_lineno]
    indent = len(rows[0]) - len(rows[0].lstrip())
    return "\n".join(row[indent:] for row in rows)


def numbered_lines(source: str, chosen: str) -> str:
    """The lines `4`, `4-9` or `4-` of the source, counted from 1."""
    rows = source.splitlines()
    first, dash, last = chosen.partition("-")
    end = int(last) if last else len(rows) if dash else int(first)
    return "\n".join(rows[int(first) - 1 : end])


def list_table(directive: Directive, inline: Callable[[str], str]) -> str:
    """A table written as nested lists, as a Markdown table whose first row is the head."""
    rows: list[list[str]] = []
    for line in directive.body.splitlines():
        text = line.strip()
        if text.startswith("* -"):
            rows.append([text[3:].strip()])
        elif text.startswith("- ") or text == "-":
            rows[-1].append(text[1:].strip())
        elif text and rows:
            rows[-1][-1] += f" {text}"
    lines = ["| " + " | ".join(inline(cell) for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    title = [f"**{inline(directive.argument)}**", ""] if directive.argument else []
    return "\n".join([*title, *lines])
