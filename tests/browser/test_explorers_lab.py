"""Explorers in JupyterLab: the same source as in the book, now with a kernel behind it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = """import sys
sys.path.insert(0, {root!r})
from tests.widgets.examples import attention, sampling
explorer = sampling(temperature=0.5)
explorer"""
SECOND = """heads = attention()
heads"""
THIRD = 'print("SEEN", explorer.temperature, explorer.top_k, explorer.step, heads.layer, heads.head)'
FOURTH = "explorer.temperature = 1.5"


@pytest.fixture(scope="module")
def lab(tmp_path_factory, root) -> Iterator[str]:
    """The address of a JupyterLab with one notebook, on a free port, with settings of its own."""
    home = tmp_path_factory.mktemp("lab")
    work = home / "work"
    work.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in (FIRST.format(root=str(root)), SECOND, THIRD, FOURTH)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), work / "try.ipynb")
    folders = {
        name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
    }
    environment = {**os.environ, **folders, "HOME": str(home), "IPYTHONDIR": str(home / "ipython")}
    options = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.port=0",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={work}",
    ]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--ServerApp.ip=127.0.0.1"]
    log = (home / "log.txt").open("w")
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield _address(server, home)
    finally:
        _stop(server)
        log.close()


def _stop(server: subprocess.Popen) -> None:
    """End the server and its kernels, all of them in one process group of ours."""
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(5)


def _address(server: subprocess.Popen, home: Path) -> str:
    for _ in range(600):
        for found in (home / "jupyter_runtime_dir").glob("jpserver-*.json"):
            text = found.read_text()
            if text.endswith("}"):
                return json.loads(text)["url"]
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{(home / 'log.txt').read_text()[-2000:]}")


@pytest.fixture(scope="module")
def notebook(browser, lab):
    """The notebook, opened, with its first two cells run."""
    page = browser.new_page(viewport={"width": 1300, "height": 1400})
    strangers: list[str] = []
    page.on("request", lambda r: strangers.append(r.url) if re.match(r"https?://(?!127\.0\.0\.1)", r.url) else None)
    page.goto(f"{lab}lab/tree/try.ipynb")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    page.get_by_text("| Idle").wait_for(timeout=60_000)
    run(page, 0)
    page.locator(".llmc-sampling").wait_for(timeout=60_000)
    run(page, 1)
    page.locator(".llmc-attention").wait_for(timeout=30_000)
    yield page
    page.close()
    assert strangers == []


def run(page, cell: int) -> None:
    """Run that cell, from the keyboard."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-InputArea .cm-content").click()
    page.keyboard.press("Control+Enter")


def seen_by_the_kernel(page) -> str:
    """What the third cell prints: the values on the Python side."""
    output = page.locator(".jp-Notebook .jp-CodeCell").nth(2).locator(".jp-OutputArea-output pre")
    if output.count():
        output.evaluate_all("(all) => all.forEach((each) => (each.textContent = ''))")
    run(page, 2)
    output.filter(has_text="SEEN").wait_for(timeout=30_000)
    return output.text_content().strip()


def test_sliders_and_heads_reach_python_and_python_reaches_the_sliders(notebook):
    temperature = notebook.get_by_role("slider", name="Temperature")
    assert temperature.input_value() == "0.5"
    first = notebook.locator(".llmc-bars").inner_text()
    temperature.focus()
    notebook.keyboard.press("ArrowRight")
    assert notebook.locator(".llmc-bars").inner_text() != first
    top_k = notebook.get_by_role("slider", name="Top-k")
    top_k.focus()
    notebook.keyboard.press("Home")
    notebook.get_by_role("button", name="Next").click()
    notebook.get_by_role("button", name="Layer 1, head 2").click()
    notebook.locator(".llmc-strip button").first.focus()
    notebook.keyboard.press("ArrowRight")
    assert notebook.locator(".llmc-readout-title b").text_content() == "The"
    assert seen_by_the_kernel(notebook) == "SEEN 0.55 1 1 1 2"
    run(notebook, 3)
    notebook.wait_for_function("document.querySelector('.llmc-sampling input[name=temperature]').value === '1.5'")
    assert seen_by_the_kernel(notebook) == "SEEN 1.5 1 1 1 2"


def test_the_explorer_follows_jupyterlabs_dark_theme(notebook):
    ink = "(e) => getComputedStyle(e).color"
    explorer = notebook.locator(".llmc-sampling")
    assert explorer.evaluate(ink) == "rgb(29, 33, 38)"
    notebook.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert explorer.evaluate(ink) == "rgb(232, 234, 237)"
    notebook.evaluate("document.body.dataset.jpThemeLight = 'true'")
