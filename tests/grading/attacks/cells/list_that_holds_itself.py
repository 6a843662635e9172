"""Return a list that holds itself, and a dictionary nested a hundred thousand deep."""


def attention_scores(query, key):
    deep = {}
    for _ in range(100_000):
        deep = {"in": deep}
    held = [deep]
    held.append(held)
    return held
