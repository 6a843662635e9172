"""Build the web book: run what has to run, then let Sphinx write the pages and refuse any warning."""

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from llmcourse.book.contents import CACHES, BookError, book_pages
from llmcourse.book.execute import CELL_TIMEOUT_SECONDS, Outcome, execute_missing, kernel_environment
from llmcourse.book.fingerprint import execution_fingerprint

TRACEBACK_LINES = 40


def say(line: str) -> None:
    """Print one line of progress at once."""
    print(line, flush=True)


def build_book(
    root: Path,
    *,
    workers: int = 2,
    timeout: int = CELL_TIMEOUT_SECONDS,
    output: Path | None = None,
    report: Callable[[str], None] = say,
) -> Path:
    """The path of the built book's first page, `_build/html/index.html`.

    Raises: BookError naming the chapter and its traceback where a cell fails, or where Sphinx warns of anything.
    """
    start = time.perf_counter()
    root = root.resolve()
    build_folder = (output or root / "_build").resolve()
    pages = book_pages(root)
    cache_folder = build_folder / CACHES / execution_fingerprint(root)
    _prune(cache_folder)
    report(f"Building the book: {len(pages)} pages; outputs are kept in {cache_folder}")
    outcomes = execute_missing(pages, cache_folder, workers=workers, timeout=timeout, report=report)
    failed = [outcome for outcome in outcomes if outcome.traceback]
    if failed:
        raise BookError("\n\n".join(_explain(outcome, root) for outcome in failed))
    report("writing the pages")
    _write_pages(root, build_folder, cache_folder)
    index = build_folder / "html" / "index.html"
    report(f"The book is built in {time.perf_counter() - start:.0f} s. Open {index}")
    return index


def _write_pages(root: Path, build_folder: Path, cache_folder: Path) -> None:
    # Sphinx takes half a second to import: not for those who only ask for help
    from jupyter_book.sphinx import build_sphinx

    doctrees = build_folder / ".doctrees"
    overrides = {
        "nitpicky": True,
        "nb_execution_cache_path": str(cache_folder),
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
            warningiserror=True,
            keep_going=True,
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


def _prune(cache_folder: Path) -> None:
    """Delete the caches of earlier versions of the package: they can never be right again."""
    if cache_folder.parent.exists():
        for folder in cache_folder.parent.iterdir():
            if folder != cache_folder:
                shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Build the book of the folder given on the command line, or of the current one."""
    try:
        build_book(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
    except BookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
