"""Write bytes to the wire that are no message."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")


def attention_scores(query, key):
    peer.channel.socket.sendall(bytes(range(256)) * 100)
    return query @ key.mT
