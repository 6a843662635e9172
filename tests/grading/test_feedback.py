"""Markdown that a student wrote is shown in feedback, and can do nothing there."""

import pytest

from llmcourse.grading.feedback import harmless_html


@pytest.mark.parametrize(
    "source",
    [
        "<script>run()</script>",
        "<img src=x onerror=run()>",
        "<svg onload=run()></svg>",
        "<iframe src='https://example.org'></iframe>",
        "[link](javascript:run())",
        "<a href='data:text/html,run()'>link</a>",
        "<a href=' DATA:text/html,run()'>link</a>",
        "<form action='https://example.org'><input></form>",
        "<style>body { display: none }</style>",
        "<p style='position: fixed'>over everything</p>",
    ],
)
def test_nothing_that_runs_or_covers_the_page_is_left(source: str) -> None:
    html = harmless_html(source)
    for tag in ("<script", "<svg", "<iframe", "<form", "<input", "<style", "onerror=", "style=", "href="):
        assert tag not in html, html


def test_prose_mathematics_tables_and_code_come_through() -> None:
    html = harmless_html(
        "## Why\n\n*Because* $a_1 < b$ in `x < 3`.\n\n| a |\n|---|\n| 1 |\n\n[more](https://example.org)"
    )
    assert "Why" in html
    assert "<em>Because</em> $a_1 &lt; b$" in html
    assert "<code>x &lt; 3</code>" in html
    assert "<td>1</td>" in html
    assert '<a href="https://example.org">more</a>' in html
