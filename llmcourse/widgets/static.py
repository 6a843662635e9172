"""Explorers in a page without a kernel: their HTML, and the scripts that bring them to life."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = ("sampling", "attention")
Cell = str | float


def assets() -> dict[str, str]:
    """The text of each file that a page with explorers loads, by file name, in loading order."""
    files = {"explorers.css": (FOLDER / "explorers.css").read_text(encoding="utf-8")}
    files |= {f"{name}.js": classic_script(name) for name in NAMES}
    files["mount.js"] = (FOLDER / "mount.js").read_text(encoding="utf-8")
    return files


def classic_script(name: str) -> str:
    """The explorer's ES module as a script that a page opened from a disk may load; it registers what it exports.

    Browsers refuse ES modules from `file://`, so the same source is wrapped in place of being imported.
    """
    source = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    exports = re.findall(r"^export default (\{[^}]*\});\s*\Z", source, flags=re.MULTILINE)
    if len(exports) != 1 or re.search(r"^import\b", source, flags=re.MULTILINE):
        raise AssertionError(f"{name}.js must import nothing and end in one `export default {{…}};`.")
    body = source[: source.rindex("export default")]
    register = f'(window.llmcourseExplorers = window.llmcourseExplorers || {{}})["{name}"] = {exports[0]};'
    return f'(() => {{\n"use strict";\n{body}{register}\n}})();\n'


def to_html(name: str, state: Mapping[str, object], fallback: str) -> str:
    """The explorer as HTML: its state as data, and `fallback` for readers without scripts and for screen readers."""
    return (
        f'<div class="llmc-explorer" data-explorer="{html.escape(name)}">'
        f'<script type="application/json">{safe_json(state)}</script>'
        # it may scroll sideways on a phone, so the keyboard must reach it
        f'<div class="llmc-fallback" tabindex="0" role="group" aria-label="In numbers">{fallback}</div></div>'
    )


def safe_json(state: Mapping[str, object]) -> str:
    """The state as JSON that no HTML parser can take for a tag, a comment or the end of the script."""
    text = json.dumps(state, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def to_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """An HTML table whose first column names its rows; numbers get three decimals."""
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in rows)
    caption = html.escape(caption)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Sequence[Cell]) -> str:
    texts = [html.escape(cell if isinstance(cell, str) else f"{cell:.3f}") for cell in row]
    return f'<th scope="row">{texts[0]}</th>' + "".join(f"<td>{text}</td>" for text in texts[1:])
