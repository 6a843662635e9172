"""Explorers in a page opened from a disk: no kernel, no network, no server."""

import numpy as np
import pytest
import torch

from llmcourse.decoding import compose, min_p, temperature, top_k, top_p
from tests.browser.explorer_page import write_page
from tests.widgets.examples import TOKENS, attention, sampling, weights

pytestmark = [pytest.mark.browser]

SETTINGS = [
    {"temperature": t, "top_k": k, "top_p": p, "min_p": m}
    for t in (0, 0.35, 1.7)
    for k in (0, 7, 1000)
    for p in (0.15, 0.73, 1)
    for m in (0, 0.06, 0.5)
]


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    return write_page(tmp_path_factory.mktemp("page"), [sampling(3), attention()])


@pytest.fixture
def page(browser, address):
    opened = browser.new_page(viewport={"width": 900, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda r: complaints.append(r.url) if not r.url.startswith("file://") else None)
    opened.goto(address)
    yield opened
    opened.close()
    assert complaints == []


def run(page, expression: str, argument: object) -> object:
    """What the sampling module's functions return for the argument."""
    script = "(given) => { const m = window.llmcourseExplorers.sampling; return (" + expression + ")(given); }"
    return page.evaluate(script, argument)


def in_python(logits: np.ndarray, settings: dict) -> torch.Tensor:
    """The probabilities that the package's own transforms give."""
    steps = [temperature(settings["temperature"])]
    steps += [top_k(settings["top_k"])] if settings["top_k"] else []
    steps += [top_p(settings["top_p"])] if settings["top_p"] < 1 else []
    steps += [min_p(settings["min_p"])] if settings["min_p"] else []
    ids = torch.zeros(1, 1, dtype=torch.long)
    return compose(*steps)(torch.tensor(logits)[None], ids)[0].softmax(-1)


def test_the_page_transforms_logits_exactly_as_the_package_does(page):
    logits = np.random.default_rng(1).normal(0, 2.5, (3, 61))
    given = {"rows": logits.tolist(), "settings": SETTINGS}
    found = run(page, "(g) => g.settings.map((s) => g.rows.map((row) => m.softmax(m.transform(row, s))))", given)
    expected = torch.stack([torch.stack([in_python(row, settings) for row in logits]) for settings in SETTINGS])
    assert np.abs(np.array(found) - expected.numpy()).max() < 1e-6
    removed = expected.eq(0)
    assert 0.2 < removed.double().mean() < 0.98  # the settings do cut
    assert (np.array(found) == 0).tolist() == removed.tolist()


def test_of_equal_logits_the_smaller_id_stays(page):
    kept = run(
        page, "(g) => m.transform(g, {temperature: 1, top_k: 2, top_p: 1, min_p: 0}).map(Number.isFinite)", [1.0] * 4
    )
    assert kept == [True, True, False, False]


def test_the_measures_are_those_of_information_theory(page):
    draw = np.random.default_rng(2)
    logits, truth = draw.normal(size=9), np.append(draw.dirichlet(np.ones(7)), [0, 0])
    settings = {"temperature": 0.8, "top_k": 0, "top_p": 1, "min_p": 0}
    given = {"logits": logits.tolist(), "truth": truth.tolist(), "settings": settings}
    found = run(page, "(g) => m.measure(g.logits, g.truth, g.settings)", given)
    probs = np.exp(logits / 0.8) / np.exp(logits / 0.8).sum()
    assert found["entropy"] == pytest.approx(-(probs * np.log(probs)).sum())
    assert found["true_entropy"] == pytest.approx(-(truth[:7] * np.log(truth[:7])).sum())
    assert found["divergence"] == pytest.approx((truth[:7] * np.log(truth[:7] / probs[:7])).sum())
    assert found["impossible_mass"] == pytest.approx(probs[7:].sum())
    cut = run(page, "(g) => m.measure(g.logits, g.truth, {...g.settings, top_k: 1})", given)
    assert cut["divergence"] == float("inf")
    assert cut["kept_mass"] == pytest.approx(probs.max())
    assert cut["true_mass_cut"] == pytest.approx(1 - truth[probs.argmax()])
    assert found["true_mass_cut"] == 0


def test_draws_follow_the_probabilities_and_repeat_with_their_seed(page):
    probs = [0.5, 0.0, 0.3, 0.15, 0.05]
    script = "(g) => { const r = m.randomNumbers(g.seed); return [...Array(20000)].map(() => m.draw(g.probs, r)); }"
    first = run(page, script, {"probs": probs, "seed": 7})
    assert first == run(page, script, {"probs": probs, "seed": 7})
    assert first != run(page, script, {"probs": probs, "seed": 8})
    shares = np.bincount(first, minlength=5) / len(first)
    spread = np.sqrt(np.array(probs) * (1 - np.array(probs)) / len(first))
    assert (np.abs(shares - probs) <= 5 * spread).all()  # none for the impossible token: its spread is 0


def column(page, number: int) -> list[float]:
    """The numbers of one column of the bars, as the reader sees them."""
    cells = page.locator(f".llmc-bars tbody tr td:nth-child({number})").all_text_contents()
    return [float(cell) for cell in cells]


def test_the_bars_show_the_models_probabilities_and_the_truth(page):
    logits = np.array(sampling(3).steps[0]["logits"])
    probs = np.exp(logits) / np.exp(logits).sum()
    rows = page.locator(".llmc-bars tbody tr th").all_text_contents()
    for row, shown in zip(rows[:-1], column(page, 3)[:-1], strict=True):
        name = row.replace("·", " ").replace("↵", "\n")
        assert shown == pytest.approx(probs[TOKENS.index(name)], abs=6e-4)
    assert sum(column(page, 3)) == pytest.approx(1, abs=0.01)
    assert sum(column(page, 4)) == pytest.approx(1, abs=0.01)


def test_sliders_work_from_the_keyboard_and_the_numbers_follow(page):
    before = column(page, 3)
    page.get_by_label("Temperature").focus()
    page.keyboard.press("Home")
    assert page.locator(".llmc-value").first.text_content() == "0 (greedy)"
    greedy = column(page, 3)
    assert sorted(greedy)[-2:] == [0.0, 1.0]
    assert greedy.index(1.0) == before.index(max(before[:-1]))
    assert page.locator("dl.llmc-measures dd").first.text_content() == "1"
    assert page.locator("tr.llmc-cut").count() == len(before) - 2
    page.get_by_role("button", name="Undo all cuts").click()
    assert column(page, 3) == before


def test_buttons_walk_through_the_texts(page):
    texts = []
    for _ in range(4):
        texts.append(page.locator(".llmc-context").text_content())
        page.get_by_role("button", name="Next").click()
    assert texts[0] == texts[3]
    assert len(set(texts)) == 3
    assert "<b>cat</b>" in texts[0]  # text, not a tag
    page.get_by_label("Text so far").select_option("2")
    assert page.locator(".llmc-context").text_content() == texts[2]


def test_draws_are_shown_and_cleared(page):
    page.get_by_role("button", name="Draw 100").click()
    page.get_by_role("button", name="Draw 1", exact=True).click()
    assert "101 drawn" in page.locator(".llmc-history").text_content()
    assert page.locator(".llmc-bars .llmc-drawn").count() > 3
    page.get_by_role("button", name="Clear draws").click()
    assert page.locator(".llmc-history").text_content() == ""


def test_a_head_and_a_token_are_chosen_with_the_keyboard_alone(page):
    full = weights()
    page.get_by_role("button", name="Layer 1, head 2").focus()
    page.keyboard.press("Enter")
    page.locator(".llmc-strip button").last.focus()
    page.keyboard.press("ArrowLeft")
    title = page.locator(".llmc-readout-title").text_content()
    assert title == "Layer 1, head 2: ·ran reads"
    names = page.locator(".llmc-read-token").all_text_contents()
    order = np.argsort(-full[1, 2, 3])[: len(names)]
    assert names == [["<|end|>", "The", "·dog", "·ran", "."][i] for i in order]
    shown = [int(text.split()[0]) for text in page.locator(".llmc-reads .llmc-number").all_text_contents()]
    assert np.abs(np.array(shown) - 100 * full[1, 2, 3][order]).max() <= 0.75


def test_the_strip_is_shaded_by_the_weights(page):
    page.locator(".llmc-strip button").nth(2).hover()
    script = "(all) => all.map((e) => Number(e.style.getPropertyValue('--llmc-weight')))"
    shades = page.locator(".llmc-strip button").evaluate_all(script)
    assert np.abs(np.array(shades) - weights()[0, 0, 2]).max() <= 0.003


def test_the_heat_map_paints_row_by_reader(page):
    script = """(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 5, 5).data].filter((_, i) => i % 4 === 3)"""
    alpha = np.array(page.locator(".llmc-grid canvas").evaluate(script)).reshape(5, 5)
    assert np.abs(alpha / 255 - weights()[0, 0]).max() <= 0.003


def test_every_control_has_a_name_and_every_class_our_prefix(page):
    unnamed = """() => [...document.querySelectorAll('.llmc-root :is(button, input, select)')].filter(
        (e) => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).length"""
    assert page.evaluate(unnamed) == 0
    classes = page.evaluate("() => [...document.querySelectorAll('.llmc-explorer *')].flatMap((e) => [...e.classList])")
    assert len(classes) > 100
    assert all(each.startswith("llmc-") for each in classes)


def test_the_table_stays_reachable_behind_the_explorer(page):
    assert page.locator(".llmc-fallback table").count() == 4
    assert not page.locator(".llmc-fallback").first.is_visible()
    page.locator("summary").first.click()
    assert page.locator(".llmc-fallback table").first.is_visible()


def test_without_scripts_the_table_is_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("table").first.is_visible()
    assert "The dog & <b>cat</b> 0" in page.locator("caption").first.text_content()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone_and_its_text_contrasts(browser, tmp_path, theme):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(write_page(tmp_path, [sampling(), attention()], theme))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    colours = page.locator(".llmc-root").first.evaluate(
        "(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    )
    dark, light = "rgb(18, 18, 18)", "rgb(255, 255, 255)"
    assert colours == (["rgb(232, 234, 237)", dark] if theme == "dark" else ["rgb(29, 33, 38)", light])
    page.close()
