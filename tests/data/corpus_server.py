"""A web server on this machine that serves made files, and breaks in every way that a real one does."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server holds and does: `cut` breaks that many transfers after half of what they should send."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    cut: int = 0
    statuses: list[int] = field(default_factory=list)  # answers to give before the real ones
    ranges: bool = True
    content_type: str = "application/octet-stream"
    requests: list[tuple[str, str | None, int]] = field(default_factory=list)  # path, Range, status


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site, body, wanted = self.site, self.site.files.get(self.path), self.headers.get("Range")
        status = site.statuses.pop(0) if site.statuses else 200 if body is not None else 404
        first, after = 0, len(body or b"")
        fresh = self.headers.get("If-Range") in (None, site.etag)
        if status == 200 and wanted and site.ranges and fresh:
            start, end = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted).groups()
            first, after = int(start), min(after, int(end) + 1 if end else after)
            status = 206 if first < after else 416
        site.requests.append((self.path, wanted, status))
        part = body[first:after] if status in (200, 206) else b""
        self.send_response(status)
        self.send_header("Content-Type", site.content_type)
        self.send_header("Content-Length", str(len(part)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{after - 1}/{len(body)}")
        if site.etag:
            self.send_header("ETag", site.etag)
        self.end_headers()
        if site.cut and part:
            site.cut -= 1
            part = part[: len(part) // 2]
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def serving() -> Iterator[Site]:
    """A site on a free port, until the block ends."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:  # a test that fails inside the block must not leave a thread that never ends
            server.shutdown()
            thread.join()
