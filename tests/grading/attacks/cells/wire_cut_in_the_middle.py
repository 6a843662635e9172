"""Begin an answer, and close the wire before it is complete."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")


def attention_scores(query, key):
    peer.channel.socket.sendall(b"LLMC" + (100).to_bytes(4) + bytes(8) + b'{"ok": ')
    peer.channel.socket.close()
