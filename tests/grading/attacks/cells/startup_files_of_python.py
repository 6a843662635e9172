"""Write what every Python runs when it starts: sitecustomize, usercustomize and .pth files."""

import site
import sys
from pathlib import Path

for folder in {*sys.path, *site.getsitepackages(), site.getusersitepackages(), "."}:
    for name in ("sitecustomize.py", "usercustomize.py", "llmcourse-attack-left-this.pth"):
        try:
            (Path(folder or ".") / name).open("x").write("import os; os.environ['CHEATED'] = '1'")
        except OSError as error:
            print(error)
