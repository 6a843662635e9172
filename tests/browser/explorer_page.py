"""A page with explorers, written to a folder the way the book does it."""

from pathlib import Path

from llmcourse.widgets.explorer import Explorer
from llmcourse.widgets.static import assets


def write_page(folder: Path, explorers: list[Explorer], theme: str = "light") -> str:
    """The address of a page in `folder` that shows the explorers without a kernel."""
    for name, text in assets().items():
        (folder / name).write_text(text, encoding="utf-8")
    scripts = "".join(f'<script defer src="{name}"></script>' for name in assets() if name.endswith(".js"))
    body = "".join(explorer._repr_mimebundle_()[0]["text/html"] for explorer in explorers)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Explorers</title>'
    head += f'<link rel="stylesheet" href="explorers.css">{scripts}'
    page = folder / f"{theme}.html"
    background = "#121212" if theme == "dark" else "#ffffff"
    page.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head>{head}</head>'
        f'<body style="background: {background}; margin: 16px">{body}</body></html>',
        encoding="utf-8",
    )
    return page.as_uri()
