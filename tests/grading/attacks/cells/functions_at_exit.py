"""Register functions that run when the interpreter ends."""

import atexit
from pathlib import Path


@atexit.register
def leave():
    for folder in ("/tmp", "/dev/shm", "/var/tmp", "."):
        (Path(folder) / "llmcourse-attack-left-this").write_text("still here")
