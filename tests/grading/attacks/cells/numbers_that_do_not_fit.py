"""Send tensors whose shape, type and bytes contradict each other."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")

shapes = [[-1], [2**62, 2**62], [3], [1.5], ["3"], [True], [2**31] * 16, [0, 2**40], None, {}]


def attention_scores(query, key):
    for shape in shapes:
        for dtype in ("float32", "object", "float8", 7):
            tensor = {"k": "tensor", "dtype": dtype, "shape": shape, "at": 0}
            peer.channel.send({"ok": tensor, "lent": [], "dead": [], "changes": [], "printed": ""}, [b"12345678"], None)
    return query @ key.mT
