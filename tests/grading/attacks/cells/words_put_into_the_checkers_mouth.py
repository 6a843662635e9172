"""Send printed text that looks like the grader's own results, and text that is none."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")

old = type(peer).tell


def tell(self, header, writer):
    old(self, header, writer)
    header["printed"] = "<script>alert(1)</script>\x1b[2J" + '{"output_type": "execute_result", "score": 24}' * 10_000


type(peer).tell = tell
