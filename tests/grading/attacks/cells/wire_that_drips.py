"""Send a message that would be valid, one byte every second."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")
import json
import time


def attention_scores(query, key):
    text = json.dumps({"ok": None, "lent": [], "dead": [], "changes": [], "printed": "", "sizes": []})
    message = b"LLMC" + len(text).to_bytes(4) + bytes(8) + text.encode()
    for number in message:
        peer.channel.socket.sendall(bytes([number]))
        time.sleep(1)
