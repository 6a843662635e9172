"""Print the environment, one's own and that of every process, and each word in it that looks like a secret."""

import ctypes
import os
from pathlib import Path

print(dict(os.environ))
for path in ["/proc/self/environ", *Path("/proc").glob("[0-9]*/environ")]:
    try:
        print(Path(path).read_bytes())
    except OSError as error:
        print(error)
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
place = 0
while environ[place] is not None:
    print(environ[place])
    place += 1
