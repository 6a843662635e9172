"""Take all rights from one's own folder, so that nobody can clear it up."""

import os
from pathlib import Path

Path("inner").mkdir()
(Path("inner") / "llmcourse-attack-left-this").write_text("stays")
for path in ("inner", "."):
    try:
        os.chmod(path, 0)
    except OSError as error:
        print(error)
os.umask(0o777)
