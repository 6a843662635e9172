"""Return a function, a generator, a class and a module in place of numbers, to be called by the other side."""

import itertools
import math

kinds = itertools.cycle([lambda: exec, lambda: (n for n in itertools.count()), lambda: type, lambda: math])


def attention_scores(query, key):
    return next(kinds)()
