"""The report as one HTML file that asks nothing of any other place; whatever a student wrote is text in it."""

from collections.abc import Iterable, Sequence
from html import escape
from statistics import mean, median

from llmcourse.grading.report.facts import Facts
from llmcourse.plots import Picture, bars, histogram
from llmcourse.plots.style import to_svg

# nothing runs and nothing is fetched, even if some text should get past the escaping
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
body { color: #1d2126; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid #d9dde2; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; vertical-align: top; }
th { border-bottom: 2px solid #5b636e; } td { border-bottom: 1px solid #d9dde2; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; } figure { margin: 1rem 0; } .none { color: #5b636e; }
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
body { color: #e6e8eb; background: #14171a; } .none { color: #a3abb5; }
svg { background: #fff; border-radius: 6px; padding: .5rem; box-sizing: border-box; }
h2 { border-color: #3a4149; } th { border-color: #a3abb5; } td { border-color: #3a4149; }
}
"""
SHOWN = 25  # bars in a figure: more are not read


def page(facts: Facts) -> str:
    """The whole page. The same facts give the same bytes."""
    title = f"{facts.assignment}: report"
    parts = [*_scores(facts), *_tests(facts), *_mistakes(facts), *_by_hand(facts), *_times(facts)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</main></body></html>\n",
        ]
    )


def _scores(facts: Facts) -> list[str]:
    handed_in = [each for each in facts.scores if each.handed_in]
    known = [each.points for each in handed_in if each.points is not None]
    top = max((each.max_points for each in facts.scores), default=0.0)
    lines = ["<h2>Scores</h2>"]
    lines.append(
        f"<p>{len(handed_in)} of {len(facts.scores)} students handed in; {len(handed_in) - len(known)} wait for points "
        f"that a person gives. At most {top:g} points can be had.</p>"
    )
    if known:
        lines.append(f"<p>Mean {mean(known):.2f}, median {median(known):.2f}, after late penalties.</p>")
        drawn = histogram(
            {"scores": known}, x_label="points", y_label="students", bins=10, marks={"median": median(known)}
        )
        lines.append(
            _figure(drawn, f"Histogram of the scores of {len(known)} students; the median is {median(known):.2f}.")
        )
    else:
        lines.append(_nothing("No score is complete yet."))
    rows = [
        [each.student, f"{each.last_name} {each.first_name}".strip(), _points(each.points), f"{each.penalty:g}"]
        for each in handed_in
    ]
    return [*lines, _table(["student", "name", "points", "late"], rows)]


def _points(points: float | None) -> str:
    return "waits" if points is None else f"{points:g}"


def _tests(facts: Facts) -> list[str]:
    if not facts.passed:
        return []
    names = list(facts.passed)[:SHOWN]
    shares = [facts.passed[name] for name in names]
    drawn = bars(_labels(names), {"share": shares}, value_label="share of the points", item_label="test", numbers=".2f")
    worst = min(names, key=lambda name: facts.passed[name])
    text = f"Share of the points reached in each test; the lowest is {worst} with {facts.passed[worst]:.2f}."
    return ["<h2>Tests</h2>", _figure(drawn, text)]


def _mistakes(facts: Facts) -> list[str]:
    lines = ["<h2>Mistakes, by the check's code</h2>"]
    if not facts.mistakes:
        return [*lines, _nothing("No check named a mistake.")]
    codes = list(facts.mistakes)[:SHOWN]
    counts = [len(facts.mistakes[code]) for code in codes]
    drawn = bars(_labels(codes), {"students": counts}, value_label="students", item_label="mistake", numbers=".0f")
    text = f"How many students made each mistake; most often {codes[0]}, {counts[0]} times."
    rows = [[code, str(len(who)), ", ".join(who)] for code, who in facts.mistakes.items()]
    return [*lines, _figure(drawn, text), _table(["code", "students", "who"], rows)]


def _by_hand(facts: Facts) -> list[str]:
    broken = [[who, each.code, each.text] for who, found in sorted(facts.problems.items()) for each in found]
    failed = [[who, "grader failed", reason] for who, reason in sorted(facts.failed.items())]
    waits = [[each.student] for each in facts.scores if each.handed_in and each.points is None]
    flags = [[each.student, each.where, each.what] for each in facts.flags]
    pairs = [[pair.first, pair.second, f"{pair.share:.0%}"] for pair in facts.pairs]
    return [
        "<h2>To look at by hand</h2>",
        "<h3>Withheld names and other things to explain</h3>",
        _table(["student", "where", "what"], flags) if flags else _nothing("Nothing was flagged."),
        "<h3>Nearly the same code</h3>",
        "<p>A share of fingerprints, no verdict: short tasks have few solutions.</p>",
        _table(["student", "student", "in common"], pairs) if pairs else _nothing("No pair stands out."),
        "<h3>Notebooks that were broken, repaired or could not be graded</h3>",
        _table(["student", "what", "in words"], failed + broken) if failed or broken else _nothing("None."),
        "<h3>Waiting for points that a person gives</h3>",
        _table(["student"], waits) if waits else _nothing("Nobody."),
    ]


def _times(facts: Facts) -> list[str]:
    lines = ["<h2>Time to grade</h2>"]
    seconds = sorted(facts.seconds.values())
    if not seconds:
        return [*lines, _nothing("The last run noted no times.")]
    slowest = sorted(facts.seconds, key=lambda who: -facts.seconds[who])[:5]
    named = ", ".join(f"{who} ({facts.seconds[who]:.1f} s)" for who in slowest)
    lines.append(f"<p>Median {median(seconds):.2f} s for each submission. The slowest: {escape(named)}.</p>")
    if facts.task_seconds:
        names = list(facts.task_seconds)[:SHOWN]
        medians = [median(facts.task_seconds[name]) for name in names]
        drawn = bars(
            _labels(names), {"seconds": medians}, value_label="median seconds", item_label="cell", numbers=".2f"
        )
        lines.append(_figure(drawn, f"Median seconds of each cell; the longest is {max(medians):.2f}."))
    return lines


def _labels(names: Sequence[str]) -> list[str]:
    # a longer label would leave no room for its bar
    return [name if len(name) <= 28 else f"{name[:27]}…" for name in names]


def _figure(picture: Picture, text: str) -> str:
    svg = to_svg(picture)
    drawing = svg[svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(text)}"', 1)
    return f"<figure>{drawing}<figcaption>{escape(text)}</figcaption></figure>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _nothing(text: str) -> str:
    return f'<p class="none">{escape(text)}</p>'
