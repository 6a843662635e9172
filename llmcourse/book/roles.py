"""What each MyST role of the chapters becomes in a plain notebook: numbers, links, citations, computed values."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pybtex.database import Entry, parse_file

from llmcourse.book.execute import read_chapter
from llmcourse.book.numbering import chapter_number

ROLE = re.compile(r"\{([\w:-]+)\}(`+)(.+?)\2", re.DOTALL)
WITH_TARGET = re.compile(r"(.*?)\s*<([^<>]+)>\s*", re.DOTALL)
HEADING_LABEL = re.compile(r"^\(([\w:-]+)\)=\s*\n+#+ +(.+)$", re.MULTILINE)
EQUATION = re.compile(r"\$\$[ \t]*\(([\w:-]+)\)[ \t]*$|^:label: *([\w:-]+) *$", re.MULTILINE)
FIGURE = re.compile(r"^:?name: *(fig-[\w:-]+) *$", re.MULTILINE)
T = TypeVar("T")
PLAIN = {"term", "abbr", "sub", "sup", "kbd"}


@dataclass(frozen=True)
class References:
    """What labels, figures, equations and citation keys stand for."""

    titles: Mapping[str, tuple[str, str]]
    numbers: Mapping[str, str]
    works: Mapping[str, str]


def collect_references(root: Path, pages: Sequence[Path]) -> References:
    """Everything that the chapters can refer to."""
    titles: dict[str, tuple[str, str]] = {}
    numbers: dict[str, str] = {}
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for label, title in HEADING_LABEL.findall(text):
            titles[label] = (title.strip(), page.with_suffix(".ipynb").name)
        chapter = chapter_number(page.stem)
        prefix = "" if chapter is None else f"{chapter}."
        for count, found in enumerate(EQUATION.finditer(text), start=1):
            numbers[found.group(1) or found.group(2)] = f"{prefix}{count}"
        for count, name in enumerate(figure_names(page), start=1):
            numbers[name] = f"Fig. {prefix}{count}"
    works = {}
    if (root / "references.bib").exists():
        works = {key: name_work(entry) for key, entry in parse_file(root / "references.bib").entries.items()}
    return References(titles, numbers, works)


def figure_names(page: Path) -> list[str]:
    """The names of a page's figures in reading order, those that cells draw and those that the text holds."""
    notebook = read_chapter(page)
    if notebook is None:
        return FIGURE.findall(page.read_text(encoding="utf-8"))
    names = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            names += FIGURE.findall(cell.source)
        elif name := cell.metadata.get("mystnb", {}).get("figure", {}).get("name"):
            names.append(name)
    return names


def name_work(entry: Entry) -> str:
    """Authors and year, linked to the work where its address is known."""
    people = [" ".join(person.last_names) for person in entry.persons.get("author", [])]
    people = [re.sub(r"[{}\\]", "", name) for name in people] or ["Anonymous"]
    shown = people[0] if len(people) == 1 else " and ".join(people) if len(people) == 2 else f"{people[0]} et al."
    text = f"{shown} {entry.fields.get('year', 'n.d.')}"
    address = entry.fields.get("url")
    return f"[{text}]({address})" if address else text


def plain_roles(text: str, references: References, glued: Mapping[str, str]) -> str:
    """The text with each role replaced by plain Markdown.

    Raises: ValueError naming a role with no plain form, or a label or key that does not exist.
    """
    return ROLE.sub(lambda match: _plain_role(match.group(1), match.group(3), references, glued), text)


def _plain_role(role: str, content: str, references: References, glued: Mapping[str, str]) -> str:
    shown = WITH_TARGET.fullmatch(content)
    words, target = (shown.group(1), shown.group(2)) if shown else ("", content)
    if role.startswith("cite"):
        works = [_known(references.works, key.strip(), "work") for key in target.split(",")]
        return "; ".join(works) if role in {"cite:t", "cite:ts"} else f"({'; '.join(works)})"
    if role == "ref":
        if target in references.numbers:
            return words or references.numbers[target]
        title, file = _known(references.titles, target, "label")
        return f"[{words or title}]({file})"
    if role in {"numref", "eq"}:
        number = _known(references.numbers, target, "figure or equation")
        return f"({number})" if role == "eq" else number
    if role.startswith("glue"):
        return glue_text(content, glued)
    if role == "doc":
        return f"[{words or Path(target).name}]({target}.ipynb)"
    if role == "math":
        return f"${content}$"
    if role in {"download", "program", "file", "code", "command"}:
        return f"`{target}`"
    if role in PLAIN:
        return words or content
    raise ValueError(f"the role {{{role}}} has no plain form yet: add one to llmcourse/book/roles.py.")


def glue_text(content: str, glued: Mapping[str, str]) -> str:
    """A computed value in the format asked for; its name where no build has computed it yet."""
    name, _, spec = content.partition(":")
    if name not in glued:
        return f"`{name}`"
    try:
        value = ast.literal_eval(glued[name])
    except (ValueError, SyntaxError):
        return glued[name]
    return format(value, spec)


def _known(table: Mapping[str, T], key: str, kind: str) -> T:
    if key not in table:
        raise ValueError(f"there is no {kind} called {key!r}.")
    return table[key]
