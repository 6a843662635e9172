"""Run the chapters whose outputs are not in the cache yet, a few at a time."""

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.main import JupyterCacheBase
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_TIMEOUT_SECONDS = 300
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: its seconds, and the traceback where it failed."""

    path: Path
    seconds: float
    traceback: str = ""


def read_chapter(path: Path) -> nbformat.NotebookNode | None:
    """The chapter's notebook, read as MyST-NB reads it so that cache keys agree; None for a page without code."""
    text = path.read_text(encoding="utf-8")
    return read_myst_markdown_notebook(text, path=path) if is_myst_markdown_notebook(text) else None


def execute_missing(
    paths: Sequence[Path],
    cache_folder: Path,
    *,
    workers: int = 2,
    timeout: int = CELL_TIMEOUT_SECONDS,
    report: Callable[[str], None] = lambda line: None,
) -> list[Outcome]:
    """What became of each chapter that had to run; those found in the cache are not in the list."""
    with opened_cache(cache_folder) as cache:
        missing = _missing_from(cache, paths)
        if not missing:
            report("every chapter's outputs are in the cache")
            return []
        names = ", ".join(path.stem for path in missing)
        report(f"running {len(missing)} of {len(paths)} pages, {workers} at a time: {names}")
        outcomes = []
        with kernel_environment(), ThreadPoolExecutor(workers) as pool:
            # from the end: later chapters train for longer, and none of them should be left to run alone
            last_first = list(missing.items())[::-1]
            jobs = {pool.submit(_run, notebook, path, timeout): path for path, notebook in last_first}
            for job in as_completed(jobs):
                outcome = job.result()
                outcomes.append(outcome)
                report(f"  {outcome.path.stem}: {'FAILED' if outcome.traceback else 'done'} in {outcome.seconds:.1f} s")
                if not outcome.traceback:
                    data = {"execution_seconds": outcome.seconds}
                    bundle = CacheBundleIn(missing[outcome.path], str(outcome.path), data=data)
                    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        return outcomes


@contextlib.contextmanager
def opened_cache(folder: Path) -> Iterator[JupyterCacheBase]:
    """The cache of outputs; its database is closed afterwards, which the cache would leave to the garbage collector."""
    cache = get_cache(folder)
    try:
        yield cache
    finally:
        cache.db.dispose()


def _missing_from(cache: JupyterCacheBase, paths: Sequence[Path]) -> dict[Path, nbformat.NotebookNode]:
    """The chapters whose outputs the cache does not hold."""
    missing = {}
    for path in paths:
        notebook = read_chapter(path)
        if notebook is None:
            continue
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            missing[path] = notebook
    return missing


def _run(notebook: nbformat.NotebookNode, path: Path, timeout: int) -> Outcome:
    start = time.perf_counter()
    client = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,  # timings would go into the cells' metadata, which is part of the cache key
        store_widget_state=False,  # explorers carry their state in their own HTML
        resources={"metadata": {"path": str(path.parent)}},
    )
    trouble = ""
    with tempfile.TemporaryFile() as kernel_log:
        try:
            client.execute(stderr=kernel_log)
        except CellTimeoutError as error:
            trouble = f"A cell ran longer than {timeout} s.\n{error}"
        except CellExecutionError as error:
            trouble = ANSI.sub("", str(error))
        except DeadKernelError as error:
            kernel_log.seek(0)
            trouble = f"{error}\n{kernel_log.read().decode(errors='replace')}"
    return Outcome(path, time.perf_counter() - start, trouble)


@contextlib.contextmanager
def kernel_environment() -> Iterator[None]:
    """Inside, kernels see one thread each, no user's start-up files, and this Python's own kernel."""
    scratch = tempfile.mkdtemp(prefix="llmcourse-book-")
    settings = {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": scratch,
    }
    try:
        with changed_environment(settings):
            yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def changed_environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Inside, the process has these environment variables; afterwards, those it had before."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
