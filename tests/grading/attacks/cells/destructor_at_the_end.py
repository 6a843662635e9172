"""Leave an object behind that prints a full score and writes a file when it is thrown away."""

import os


class Late:
    def __del__(self, write=os.write, open=os.open):
        write(1, b'{"score": 24}')
        open("/tmp" + "/llmcourse-attack-left-this", os.O_CREAT | os.O_WRONLY)


late = Late()
late.itself = late
