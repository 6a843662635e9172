"""Messages on a socket: a JSON header and raw buffers, each of a size that is checked before anything is kept."""

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

PREFIX = struct.Struct(">4sIQ")
MAGIC = b"LLMC"
MOST_BUFFERS = 100_000
WRITE = json.JSONEncoder(separators=(",", ":")).encode
MOST_ORDER = 1 << 20  # bytes of an order to a warm parent


class PeerFailed(RuntimeError):
    """The other side is gone, too slow, or sent what is no message."""


class Channel:
    """One end of a socket that carries messages; after a failure it is closed for good."""

    def __init__(self, end: socket.socket, header_bytes: int, body_bytes: int) -> None:
        self.socket, self.header_bytes, self.body_bytes = end, header_bytes, body_bytes
        self.broken: str | None = None
        self.waiting = bytearray()  # what has come and is not read yet

    def fail(self, reason: str) -> PeerFailed:
        """Close the channel; every later message fails with this same reason."""
        if self.broken is None:
            self.broken = reason
            self.socket.close()
        return PeerFailed(self.broken)

    def send(self, header: dict[str, Any], buffers: Sequence[bytes | memoryview], deadline: float | None) -> None:
        """Send one message.

        Raises: PeerFailed when the other side does not take it in time; ValueError, with nothing sent, when the
        message is larger than one may be.
        """
        sizes = [len(buffer) for buffer in buffers]
        text = WRITE({**header, "sizes": sizes}).encode()
        for name, size, most in (("text", len(text), self.header_bytes), ("numbers", sum(sizes), self.body_bytes)):
            if size > most:
                raise ValueError(f"{size} bytes of {name} do not fit into one message of at most {most}.")
        if self.broken is not None:
            raise PeerFailed(self.broken)
        try:
            self.socket.settimeout(left(deadline))
            self.socket.sendall(b"".join([PREFIX.pack(MAGIC, len(text), sum(sizes)), text, *buffers]))
        except TimeoutError:
            raise self.fail("it did not listen in time") from None
        except OSError:
            raise self.fail("it has ended") from None

    def receive(self, deadline: float | None) -> tuple[dict[str, Any], list[memoryview]]:
        """The next message.

        Raises: PeerFailed when none comes in time, or what comes is none.
        """
        if self.broken is not None:
            raise PeerFailed(self.broken)
        magic, n_header, n_body = PREFIX.unpack(self._read(PREFIX.size, deadline))
        if magic != MAGIC or n_header > self.header_bytes or n_body > self.body_bytes:
            raise self.fail("it sent what is no message, or one that is too large")
        try:
            header = json.loads(str(self._read(n_header, deadline), "utf-8"))
            sizes = header.pop("sizes")
            if type(sizes) is not list or len(sizes) > MOST_BUFFERS or any(type(n) is not int or n < 0 for n in sizes):
                raise ValueError("sizes are numbers of bytes")
        except PeerFailed:
            raise
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
            raise self.fail("it sent what is no message") from None
        if sum(sizes) != n_body:
            raise self.fail("it sent a message whose sizes do not add up")
        body, buffers, start = memoryview(self._read(n_body, deadline)), [], 0
        for size in sizes:
            buffers.append(body[start : start + size])
            start += size
        return header, buffers

    def _read(self, size: int, deadline: float | None) -> bytearray:
        """Exactly that many bytes; room is made as they come."""
        while len(self.waiting) < size:
            try:
                self.socket.settimeout(left(deadline))
                data = self.socket.recv(max(1 << 16, min(size - len(self.waiting), 1 << 20)))
            except TimeoutError:
                raise self.fail("it did not answer in time") from None
            except OSError:
                raise self.fail("it has ended") from None
            if not data:
                raise self.fail("it has ended")
            self.waiting += data
        found = self.waiting[:size]
        del self.waiting[:size]
        return found


def left(deadline: float | None) -> float | None:
    """Seconds until then; a moment at least, as 0 would mean not to wait at all."""
    return None if deadline is None else max(0.001, deadline - time.monotonic())


def say(control: socket.socket, data: dict[str, Any], ends: list[int] | None = None) -> None:
    """Send one message, with ends of sockets where there are any."""
    socket.send_fds(control, [json.dumps(data).encode()], ends or [])


def hear(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message; an empty one where there is none to come."""
    data, ends, _, _ = socket.recv_fds(control, MOST_ORDER, 2)
    return (json.loads(data) if data else {}), list(ends)
