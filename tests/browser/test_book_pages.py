"""What a reader's browser sees on every page: from a disk and from a server, by day and by night, on a phone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.book, pytest.mark.browser]

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def page_names(folder: Path) -> list[str]:
    """Every page of the book, by its path."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html") if "_static" not in path.parts)


@contextmanager
def reader(browser: Any, size: dict[str, int], scheme: str = "light") -> Iterator[Any]:
    """A fresh tab of a reader with this screen and this taste in colours."""
    context = browser.new_context(viewport=size, color_scheme=scheme)
    context.set_default_timeout(120_000)  # a page may take long to come while other tests keep every core busy
    try:
        yield context.new_page()
    finally:
        context.close()


def watch(page: Any, home: str) -> list[str]:
    """A list that fills with everything wrong that the page does: errors, failed loads, calls to other hosts."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status}: {answer.url}") if answer.status > 399 else None
    )

    def check_host(request: Any) -> None:
        if not request.url.startswith((home, "data:", "blob:", "about:")):
            troubles.append(f"another host: {request.url}")

    page.on("request", check_host)
    return troubles


@pytest.mark.parametrize("source", ["disk", "server"])
def test_no_page_asks_another_host_or_logs_an_error(
    browser: Any, built_book: Path, served_book: str, source: str
) -> None:
    home = built_book.as_uri() if source == "disk" else served_book
    found = {}
    with reader(browser, WIDE) as page:
        troubles = watch(page, home)
        for name in page_names(built_book):
            page.goto(f"{home}/{name}")
            page.mouse.wheel(0, 20_000)
            page.wait_for_load_state("networkidle")
            if troubles:
                found[name] = list(troubles)
                troubles.clear()
    assert found == {}


def test_the_watcher_sees_errors_and_other_hosts(browser: Any, tmp_path: Path) -> None:
    broken = (
        '<img src="gone.png" alt=""><script>throw new Error("oops")</script><img src="http://127.0.0.1:9/x.png" alt="">'
    )
    (tmp_path / "page.html").write_text(broken)
    with reader(browser, WIDE) as page:
        troubles = watch(page, tmp_path.as_uri())
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_load_state("networkidle")
    for sign in ("gone.png", "oops", "another host: http://127.0.0.1:9/x.png"):
        assert any(sign in trouble for trouble in troubles), sign


def measure(browser: Any, folder: Path, size: dict[str, int], script: str) -> dict[str, Any]:
    """What the script returns on each page, where it is anything but empty."""
    found = {}
    with reader(browser, size) as page:
        for name in page_names(folder):
            page.goto(f"{folder.as_uri()}/{name}")
            if answer := page.evaluate(script):
                found[name] = answer
    return found


@pytest.mark.parametrize("size", [PHONE, WIDE], ids=["phone", "wide"])
def test_no_page_scrolls_sideways(browser: Any, built_book: Path, size: dict[str, int]) -> None:
    script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert measure(browser, built_book, size, script) == {}


def test_every_image_has_alt_text_and_loads(browser: Any, built_book: Path) -> None:
    script = """[...document.images]
      .filter(image => !image.alt.trim() || (image.complete && image.naturalWidth === 0 && image.offsetParent))
      .map(image => image.outerHTML.slice(0, 200))"""
    assert measure(browser, built_book, WIDE, script) == {}


def test_every_link_inside_the_book_leads_somewhere(browser: Any, built_book: Path) -> None:
    script = (
        """[...document.querySelectorAll('a[href]')].map(link => link.href).filter(link => link.startsWith('file:'))"""
    )
    for name, links in measure(browser, built_book, WIDE, script).items():
        for link in links:
            address, _, anchor = link.partition("#")
            target = Path(address.removeprefix("file://").partition("?")[0])
            assert target.exists(), f"{name} links to {link}"
            if anchor and target.suffix == ".html":
                assert f'id="{anchor}"' in target.read_text(), f"{name} links to {link}"


def test_no_page_shows_markup_that_should_have_become_something_else(browser: Any, built_book: Path) -> None:
    # a table's rule, a link, emphasis, a role or a directive of Markdown, in a paragraph instead of a code block
    script = """[...document.querySelectorAll('main p')].map(each => {
        const copy = each.cloneNode(true);
        copy.querySelectorAll('code, math').forEach(part => part.remove());
        return copy.textContent;
      }).filter(text => /[|] *:?(-{3,}|—)|\\]\\(|[*]{2}|\\{[a-z:-]+\\}`|:{3}/.test(text))"""
    assert measure(browser, built_book, WIDE, script) == {}


def visible(page: Any, selector: str) -> int:
    """How many elements match and are shown."""
    return page.evaluate(
        "selector => [...document.querySelectorAll(selector)].filter(each => each.offsetParent !== null).length",
        selector,
    )


def test_dark_mode_follows_the_system_and_the_button_and_swaps_the_figures(browser: Any, built_book: Path) -> None:
    start = f"{built_book.as_uri()}/index.html"
    shade = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => +a + +b, 0)"
    with reader(browser, WIDE, "dark") as page:
        page.goto(start)
        assert page.evaluate(shade) < 150
        assert visible(page, "img.llmc-dark") == visible(page, "img.dark-light") > 0
    with reader(browser, WIDE) as page:
        page.goto(start)
        assert page.evaluate(shade) > 600
        assert visible(page, "img.llmc-light") == visible(page, "img.dark-light") > 0
        for _ in range(3):
            if page.evaluate("document.documentElement.dataset.theme") == "dark":
                break
            page.locator("button.theme-switch-button:visible").click()
        assert page.evaluate(shade) < 150


@pytest.mark.parametrize("source", ["disk", "server"])
def test_search_finds_a_chapter(browser: Any, built_book: Path, served_book: str, source: str) -> None:
    home = built_book.as_uri() if source == "disk" else served_book
    with reader(browser, WIDE) as page:
        troubles = watch(page, home)
        page.goto(f"{home}/search.html?q=village")
        page.wait_for_selector("#search-results li a", timeout=20_000)
        links = page.evaluate("[...document.querySelectorAll('#search-results li a')].map(link => link.textContent)")
    assert any("understood" in link for link in links), links
    assert troubles == []


def test_mathematics_is_drawn_and_needs_no_script(browser: Any, built_book: Path) -> None:
    pages = [name for name in page_names(built_book) if "<math" in (built_book / name).read_text()]
    assert pages, "no page holds mathematics"
    context = browser.new_context(viewport=WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{built_book.as_uri()}/{pages[0]}")
    assert not any("MathJax" in script.get_attribute("src") for script in page.locator("script[src]").all())
    sizes = [formula.bounding_box() for formula in page.locator("math").all()]
    context.close()
    assert all(size and size["width"] > 3 and size["height"] > 3 for size in sizes)
