"""What holds for every file of the repository."""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = {".py", ".js", ".css", ".sh"}
BINARY = {".safetensors", ".png", ".ico", ".woff2"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
LONGER = {
    # one function tells one story from its first sentence to its last; cut in pieces it could not be read as one
    ROOT / "llmcourse" / "world" / "plots": 90,
    # a list of mistakes with a sentence for each is a table, however many lines it takes
    ROOT / "llmcourse" / "checks": 55,
}
# an explorer is one script without imports: only so does the same file run in a notebook and in a page from a disk
EXPLORERS, LONGEST_EXPLORER = ROOT / "llmcourse" / "widgets", 400
# a folder of one machine, or the host that a package index answers from: neither belongs to a reader
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:work|tmp|root|home|Users)/")
REGISTRY = re.compile("|".join(["files.pythonhosted", r"pypi\.org/simple", r"registry\.npm", r"file:///"]))


@cache
def files() -> tuple[Path, ...]:
    """Every file that git holds."""
    command = ["git", "ls-files"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(path for name in done.stdout.splitlines() if (path := ROOT / name).is_file())


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix not in BINARY and path != Path(__file__)]


def offending_lines(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def notebooks() -> list[Path]:
    return [path for path in files() if path.suffix == ".ipynb"]


def test_the_list_of_files_holds_the_repository():
    assert {"README.md", "Makefile", "pyproject.toml"} <= {path.name for path in files()}


def test_no_file_names_a_folder_of_one_machine():
    assert offending_lines(MACHINE_PATH) == []


def test_no_file_names_a_package_index():
    assert offending_lines(REGISTRY) == []


@pytest.mark.parametrize("line", ["see /work/main", "open('/tmp/x')", "/home/ada/book"])
def test_a_machine_path_would_be_seen(line):
    assert MACHINE_PATH.search(line)


@pytest.mark.parametrize("line", ["https://example.org/work/x", "./tmp/x", "homework/1", "a/tmp/b"])
def test_an_address_or_a_relative_path_is_no_machine_path(line):
    assert not MACHINE_PATH.search(line)


def test_no_code_file_is_longer_than_a_sitting():
    too_long = {}
    for path in files():
        is_explorer = path.parent == EXPLORERS and path.suffix == ".js"
        n_lines = len(path.read_text(encoding="utf-8").splitlines()) if path.suffix in CODE else 0
        if n_lines > (LONGEST_EXPLORER if is_explorer else LONGEST_FILE):
            too_long[str(path.relative_to(ROOT))] = n_lines
    assert too_long == {}


def test_no_line_of_a_page_is_lost_as_a_comment():
    """A line of MyST that begins with a percent sign is left out of the page, without a word."""
    lost = []
    for path in [ROOT / "index.md", ROOT / "instructors.md", *sorted((ROOT / "chapters").glob("*.md"))]:
        in_code = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            in_code ^= line.startswith("```")
            if line.startswith("%") and not in_code:
                lost.append(f"{path.name}:{number} {line}")
    assert lost == []


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines from `def` to the end, less those of the docstring."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    less = docstring.end_lineno - docstring.lineno + 1 if docstring is not None else 0
    return function.end_lineno - function.lineno + 1 - less


def test_no_function_is_longer_than_a_screen():
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} has {body_lines(node)} lines"
        for path in files()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if body_lines(node) > LONGER.get(path.parent, LONGEST_FUNCTION)
    ]
    assert too_long == []


def test_every_module_says_what_it_is_for():
    bare = [
        str(path.relative_to(ROOT))
        for path in files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "llmcourse")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert bare == []


def test_notebooks_carry_no_outputs():
    dirty = [
        f"{path.relative_to(ROOT)}, cell {number}"
        for path in notebooks()
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"])
        if cell.get("outputs") or cell.get("execution_count") is not None
    ]
    assert dirty == []


def test_addresses_in_the_front_pages_are_encrypted_ones():
    plain = [
        f"{path.name}: {address}"
        for path in files()
        if path.parent == ROOT and path.suffix == ".md"
        for address in re.findall(r"http://[^\s)>]+", path.read_text(encoding="utf-8"))
        if not address.startswith("http://127.0.0.1")
    ]
    assert plain == []


def test_every_file_that_the_readme_names_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [word for word in re.findall(r"`([\w./-]+)`", text) if re.search(r"[./A-Z]", word)]
    made_later = ("_build", ".venv")
    assert {"LICENSE", "llmcourse/", "chapters/"} <= set(named)
    assert [name for name in named if not name.startswith(made_later) and not (ROOT / name).exists()] == []


def test_the_readme_lists_the_chapters_that_the_book_has():
    contents = re.findall(r"file: (chapters/.*)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
    titles = [
        re.search(r"^# (.*)", (ROOT / f"{name}.md").read_text(encoding="utf-8"), re.MULTILINE)[1] for name in contents
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^- (\d+ .*)", readme, flags=re.MULTILINE) == titles


MOST_MODEL_LINES = 700


def lines_of_code(path: Path) -> int:
    """How many lines hold code: neither blank, nor comment, nor docstring."""
    source = path.read_text(encoding="utf-8")
    told = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            told |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(number not in told and line.strip()[:1] not in ("", "#") for number, line in lines)


def test_docstrings_comments_and_blank_lines_are_no_code(tmp_path):
    path = tmp_path / "five.py"
    path.write_text('"""One.\n\nTwo."""\n\nX = """\ntext"""\n# why\n\n\ndef f():\n    "Three."\n    return X  # so\n')
    assert lines_of_code(path) == 4


def test_the_whole_transformer_is_read_in_one_sitting():
    counts = {path.name: lines_of_code(path) for path in (ROOT / "llmcourse" / "model").glob("*.py")}
    assert counts.keys() >= {"config.py", "attention.py", "block.py", "transformer.py"}
    assert sum(counts.values()) < MOST_MODEL_LINES, counts
