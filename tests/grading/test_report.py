"""The report: right numbers, nothing fetched, and a student's text is only ever text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from llmcourse.grading.export import Score
from llmcourse.grading.intake.limits import Problem
from llmcourse.grading.report import Facts, Pair, page, read_facts, similar_pairs
from llmcourse.grading.report.facts import Flag, mistakes
from llmcourse.grading.report.similar import tokens
from llmcourse.grading.schedule import read_settings
from tests.grading.classes import WORK, cell, hand_in
from tests.grading.test_schedule import run

EVIL = '</table><script>alert(1)</script><img src=https://example.org/x onerror=alert(1)>" onload="x'
PROGRAM = """
def weights(query, key, mask=None):
    # the scores, scaled
    scores = query @ key.transpose(-2, -1) / key.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    top = scores.max(dim=-1, keepdim=True).values
    exponents = (scores - top).exp()
    return exponents / exponents.sum(dim=-1, keepdim=True)
"""
OTHER = """
def weights(query, key, mask=None):
    width = key.size(-1)
    logits = torch.einsum("bhtk,bhsk->bhts", query, key)
    logits = logits * width ** -0.5
    if mask is None:
        return torch.softmax(logits, -1)
    blocked = torch.where(mask, 0.0, -torch.inf)
    return torch.softmax(logits + blocked, -1)
"""


class Outline(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def hostile_facts() -> Facts:
    score = Score(EVIL, EVIL, EVIL, EVIL, handed_in=True, points=1.0, max_points=2.0)
    return Facts(
        EVIL,
        [score, Score("ben", handed_in=True, points=None)],
        {EVIL: 0.5, "$x^2$ test": 1.0},
        {EVIL: [EVIL], "area.wrong": ["ben"]},
        {EVIL: 1.0},
        {EVIL: [0.5, 1.5]},
        [Flag(EVIL, EVIL, EVIL)],
        [Pair(EVIL, EVIL, 0.9)],
        {EVIL: [Problem(EVIL, EVIL)]},
        {EVIL: EVIL},
    )


def test_a_students_text_is_only_text_and_nothing_is_fetched() -> None:
    text = page(hostile_facts())
    outline = Outline(text)
    names = {tag for tag, _ in outline.tags}
    assert names & {"script", "img", "iframe", "link", "object", "embed", "form", "a", "base"} == set()
    for _, attributes in outline.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    assert "default-src" in text
    assert "url(http" not in text


def test_the_same_facts_give_the_same_page() -> None:
    assert page(hostile_facts()) == page(hostile_facts())


def test_every_figure_says_in_words_what_it_shows() -> None:
    figures = [attributes for tag, attributes in Outline(page(hostile_facts())).tags if tag == "svg"]
    assert len(figures) == 4
    assert all(len(attributes["aria-label"] or "") > 20 for attributes in figures)


def test_an_empty_class_has_a_report_too() -> None:
    text = page(Facts("area", [], {}, {}, {}, {}, [], [], {}, {}))
    assert "0 of 0 students" in text
    assert "<svg" not in text


def test_codes_are_counted_once_a_student_from_either_way_of_showing_them() -> None:
    def graded(*values: str) -> nbformat.NotebookNode:
        cells = [cell(f"t{n}", "", grade=True) for n in range(len(values))]
        for each, value in zip(cells, values, strict=True):
            trace = value.splitlines()
            each.outputs = [nbformat.v4.new_output("error", ename="CheckFailed", evalue=value, traceback=trace)]
        return nbformat.v4.new_notebook(cells=cells)

    own = cell("f", "", solution=True)
    own.outputs = [nbformat.v4.new_output("stream", text="(code: area.forged)")]
    books = {
        "ada": graded("Wrong [area.one]", "Wrong\n(code: area.one)"),
        "ben": graded("Wrong\n(code: area.two)", "x[a.b] is no code here", "Wrong [area.one]"),
        "cem": nbformat.v4.new_notebook(cells=[own]),
    }
    assert mistakes(books) == {"area.one": ["ada", "ben"], "area.two": ["ben"]}


def test_the_facts_of_a_class_are_those_of_its_gradebook(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    hand_in(course, "ben", "wrong = 1")
    hand_in(course, "cem", "raise")
    run(course)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "llmcourse") as gradebook:
        mark = gradebook.find_grade("why", WORK, WORK, "ada")
        mark.manual_score, mark.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    facts = read_facts(read_settings(course), WORK)
    assert {each.student: each.points for each in facts.scores} == {"ada": 4.5, "ben": None, "cem": None}
    assert facts.passed == {"area_check": 0.5, "area_test": 0.5, "why": 0.5}
    assert facts.mistakes == {"area.wrong": ["ben"]}
    assert facts.failed == {"cem": "RuntimeError: this submission raises"}
    assert sorted(facts.seconds) == ["ada", "ben", "cem"]
    text = page(facts)
    assert "Mean 4.50" in text
    assert re.search(r"<td>cem</td><td>grader failed</td>", text)


def test_flags_of_the_split_checker_reach_the_page(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    run(course)
    path = course / "autograded" / "ada" / WORK / f"{WORK}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["llmcourse"]["flags"] = [{"cell": "area", "line": 3, "name": "<attend>", "why": "write it"}]
    nbformat.write(notebook, path)
    text = page(read_facts(read_settings(course), WORK))
    assert "<td>area, line 3</td><td>&lt;attend&gt;: write it</td>" in text


# nearly the same code


def test_a_copy_with_other_names_and_comments_is_found_and_another_solution_is_not() -> None:
    copied = PROGRAM.replace("scores", "logits").replace("# the scores, scaled", "# my own idea").replace("top", "m")
    pairs = similar_pairs({"ada": PROGRAM, "ben": copied, "cem": OTHER})
    assert [(pair.first, pair.second) for pair in pairs] == [("ada", "ben")]
    assert pairs[0].share == pytest.approx(1.0)


def test_what_everybody_was_given_or_many_share_makes_no_pair() -> None:
    assert similar_pairs({"ada": PROGRAM, "ben": PROGRAM}, given=[PROGRAM]) == []
    assert similar_pairs(dict.fromkeys("abcdef", PROGRAM)) == []
    assert similar_pairs({"ada": "x = 1", "ben": "x = 1"}) == []


def test_code_that_cannot_be_read_is_compared_as_far_as_it_goes() -> None:
    assert tokens("a = (1,\n  '") == ["n", "=", "(", "1", ","]
    assert similar_pairs({"ada": PROGRAM + "\n(((", "ben": PROGRAM + "\n'''"})
    assert tokens("\0") == []
