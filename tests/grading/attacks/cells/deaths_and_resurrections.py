"""Tell the other side that its objects are dead, that graphs are freed, and then use them all the same."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")


def attention_scores(query, key):
    peer.channel.send(
        {"ok": None, "lent": [], "dead": list(range(1000)), "changes": [], "freed": [0, 1, 2], "printed": ""}, [], None
    )
    return query @ key.mT
