"""Run commands of the shell through IPython's exclamation mark, subprocess, os.system, and a pseudo-terminal."""

import os
import pty
import subprocess

print(os.system("cd /tmp; touch llmcourse-attack-left-this"))
for act in (
    lambda: get_ipython().system("cd /tmp; touch llmcourse-attack-left-this"),
    lambda: subprocess.run("cat /etc/passwd", shell=True),
    lambda: pty.spawn(["sh", "-c", "cd /tmp; touch llmcourse-attack-left-this"]),
    lambda: get_ipython().run_cell_magic("bash", "", "cd /tmp; touch llmcourse-attack-left-this"),
):
    try:
        print(act())
    except Exception as error:
        print(type(error), error)
