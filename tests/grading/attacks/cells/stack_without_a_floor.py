"""Recurse for ever, with the limit on recursion lifted."""

import sys


def attention_scores(query, key):
    sys.setrecursionlimit(2**31 - 1)
    return attention_scores(query, key)
