"""Serve the built book to this machine's own browser."""

import functools
import http.server
from pathlib import Path

from llmcourse.commands.errors import CommandError


def serve_book(root: Path, port: int) -> None:
    """Serve `_build/html` on this machine only, until stopped.

    Raises: CommandError where the book is not built yet or the port is taken.
    """
    folder = root / "_build" / "html"
    if not (folder / "index.html").is_file():
        raise CommandError(f"There is no book in {folder} yet. Build it with: llmcourse book")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise CommandError(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.") from error
    print(f"The book is at http://127.0.0.1:{server.server_port}/ until you press Ctrl-C.", flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
