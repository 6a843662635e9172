"""Build the web book: run what has to run, then let Sphinx write the pages and refuse any warning."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from llmcourse.book.contents import CACHES, TABLE_OF_CONTENTS, BookError, book_pages, write_draft_contents
from llmcourse.book.execute import CELL_TIMEOUT_SECONDS, Outcome, execute_missing, kernel_environment
from llmcourse.book.fingerprint import execution_fingerprint

TRACEBACK_LINES = 40
KEPT_CACHES = 3


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(line, flush=True)


def build_book(
    root: Path,
    *,
    workers: int = 2,
    timeout: int = CELL_TIMEOUT_SECONDS,
    only: str | None = None,
    report: Callable[[str], None] = say,
) -> Path:
    """The path of the built book's first page, `_build/html/index.html`.

    With `only`, a chapter's name such as "06-attention", the path of that chapter in a draft of the book made of it
    and the fixed pages, under `_build/draft-…`; there a warning does not fail the build, as other chapters are missing.

    Raises: BookError naming the chapter and its traceback where a cell fails, or where Sphinx warns of anything.
    """
    start = time.perf_counter()
    root = root.resolve()
    build_folder = root / "_build" / (f"draft-{only}" if only else "")
    contents = write_draft_contents(root, build_folder, only) if only else TABLE_OF_CONTENTS
    pages = book_pages(root, contents)
    cache_folder = root / "_build" / CACHES / execution_fingerprint(root)
    prune_caches(cache_folder)
    report(f"Building the book: {len(pages)} pages; outputs are kept in {cache_folder}")
    outcomes = execute_missing(pages, cache_folder, workers=workers, timeout=timeout, report=report)
    failed = [outcome for outcome in outcomes if outcome.traceback]
    if failed:
        raise BookError("\n\n".join(_explain(outcome, root) for outcome in failed))
    report("writing the pages")
    _write_pages(root, build_folder, cache_folder, contents, strict=only is None)
    index = build_folder / "html" / (f"chapters/{only}.html" if only else "index.html")
    report(f"The book is built in {time.perf_counter() - start:.0f} s. Open {index}")
    return index


def _write_pages(root: Path, build_folder: Path, cache_folder: Path, contents: str, *, strict: bool) -> None:
    # Sphinx takes half a second to import: not for those who only ask for help
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    if not sys.stderr.isatty():
        nocolor()
    doctrees = build_folder / ".doctrees"
    overrides = {
        "nitpicky": True,
        "nb_execution_cache_path": str(cache_folder),
        "external_toc_path": contents,
        "latex_individualpages": False,
    }
    with kernel_environment():
        status = build_sphinx(
            str(root),
            str(build_folder / "html"),
            doctreedir=str(doctrees),
            path_config=str(root / "_config.yml"),
            confoverrides=overrides,
            noconfig=True,
            warningiserror=strict,
            keep_going=strict,
            quiet=True,
        )
    if status != 0:
        # without this, a second build would find the same pages unchanged, warn of nothing and pass
        shutil.rmtree(doctrees, ignore_errors=True)
        raise BookError("The pages above have warnings, and a warning fails the build. Mend them and build again.")


def _explain(outcome: Outcome, root: Path) -> str:
    lines = outcome.traceback.splitlines()
    kept = lines if len(lines) <= TRACEBACK_LINES else ["…", *lines[-TRACEBACK_LINES:]]
    return "\n".join([f"{outcome.path.relative_to(root)} failed:", *kept])


def prune_caches(current: Path) -> None:
    """Delete the caches that neither this build nor the last few used; their age is when a build last used them."""
    current.mkdir(parents=True, exist_ok=True)
    current.touch()
    by_age = sorted(current.parent.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in by_age[KEPT_CACHES:]:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the book of the current folder; `--only 06-attention` makes a draft of that chapter."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path())
    parser.add_argument("--only", help="a chapter's name, such as 06-attention")
    chosen = parser.parse_args(arguments)
    try:
        build_book(chosen.root, only=chosen.only)
    except BookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
