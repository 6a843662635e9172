"""Define functions and raise errors whose names hold tags, quotes, escapes and halves of characters."""

name = "</pre><script>alert(1)</script>\ud800\x1b[31m"


def attention_scores(query, key):
    raise type(name.encode("utf-8", "replace").decode(), (Exception,), {})(name * 100)


attention_scores.__name__ = name
