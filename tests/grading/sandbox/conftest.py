"""Landlock and seccomp are Linux's: elsewhere only what says so is tested."""

import sys

collect_ignore = [] if sys.platform == "linux" else ["test_locked_child.py"]
