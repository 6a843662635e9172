from pathlib import Path

import pytest
from bs4 import BeautifulSoup

pytestmark = pytest.mark.book


def test_the_first_page_has_a_card_for_each_chapter_that_leads_there(built_book: Path) -> None:
    page = BeautifulSoup((built_book / "index.html").read_text(), "html.parser")
    links = {link["href"] for link in page.select(".sd-card a[href]")}
    chapters = {f"chapters/{path.name}" for path in (built_book / "chapters").glob("*.html")}
    assert links == chapters != set()


def test_each_chapter_offers_its_notebook(built_book: Path) -> None:
    for path in (built_book / "chapters").glob("*.html"):
        page = BeautifulSoup(path.read_text(), "html.parser")
        offered = [link["href"] for link in page.select("a[href$='.ipynb']") if "_sources" in link["href"]]
        assert offered == [f"../_sources/chapters/{path.stem}.ipynb"]
        assert (path.parent / offered[0]).exists()
