"""What every child would do for the first time, done once before they are forked: they find it loaded and looked up."""

import sys
from contextlib import suppress

from llmcourse.grading.sandbox import rehearse_lock
from llmcourse.grading.split.shell import Shell

# the second one's error loads what shows errors, which takes longer than a whole exercise
CELLS = ("import math\n\nmath.pi", "math.sqrt('no number')")


def rehearse(shell: Shell) -> None:
    """Run a few cells, and leave the shell as it was. No gradients: after some here, a forked child could have none."""
    rehearse_lock()
    for source in CELLS:
        shell.run(source, 1000)
    shell.reset()
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        with suppress(AttributeError):
            delattr(sys, name)
