"""`llmcourse lab` and `llmcourse serve` start what they say, on this machine only."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from llmcourse.commands.errors import CommandError
from llmcourse.commands.places import environment
from llmcourse.commands.serve import serve_book

HEADER = """\
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}"""


def wait_for(process, pattern, seconds=90):
    """The first match of `pattern` in what the process prints."""
    deadline = time.monotonic() + seconds
    lines = []
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        lines.append(line)
        match = re.search(pattern, line)
        if match:
            return match
        if not line and process.poll() is not None:
            break
    pytest.fail(f"no {pattern!r} in:\n{''.join(lines)}")


@pytest.fixture
def started(root):
    """Start `llmcourse` with some words; whatever still runs is stopped afterwards."""
    running = []

    def start(*words, folder=root):
        command = [sys.executable, "-m", "llmcourse.cli", *words]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL, "text": True}
        process = subprocess.Popen(command, cwd=folder, env=environment(PYTHONUNBUFFERED="1"), **pipe)
        running.append(process)
        return process

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def small_course(root, tmp_path):
    """A course with one chapter and one exercise."""
    (tmp_path / "llmcourse").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "exercises").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nparts:\n- chapters:\n  - file: chapters/01-one\n")
    (tmp_path / "index.md").write_text("# A course\n")
    head = f"---\n{HEADER}\n---\n"
    (tmp_path / "chapters" / "01-one.md").write_text(f"{head}# 1 One\n\n```{{code-cell}} python3\n1 + 1\n```\n")
    return tmp_path


def read(address, seconds=30):
    """What a server answers; it may have printed its address before it listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address) as answer:
                return answer.read()
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_lab_serves_the_chapters_as_notebooks(started, small_course):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--no-browser", f"--ServerApp.port={port}", "--IdentityProvider.token="]
    process = started("lab", *options, folder=small_course)
    address = wait_for(process, r"http://(?:127\.0\.0\.1|localhost):\d+/")[0]
    cells = json.loads(read(f"{address}api/contents/chapters/01-one.ipynb"))["content"]["cells"]
    assert "1 + 1" in [cell["source"] for cell in cells]


@pytest.mark.slow
def test_serve_shows_the_book_and_ends_quietly_on_ctrl_c(started, small_course):
    page = small_course / "_build" / "html" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("a page")
    process = started("serve", "--port", "0", folder=small_course)
    address = wait_for(process, r"http://127\.0\.0\.1:\d+/")[0]
    assert read(address) == b"a page"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


def test_serve_without_a_book_says_how_to_build_it(tmp_path):
    with pytest.raises(CommandError, match="llmcourse book"):
        serve_book(tmp_path, 0)


def test_a_taken_port_is_told(tmp_path):
    page = tmp_path / "_build" / "html" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("a page")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"Port {port} cannot be used"):
            serve_book(tmp_path, port)
