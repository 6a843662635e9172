"""Which folders a course's Python reads while it grades, and which devices any program needs."""

import os
import sys
import sysconfig
from pathlib import Path

# what is only ever read: the system's libraries, time zones and fonts, and how many processors there are
SYSTEM = (
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/fonts",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/proc/cpuinfo",
    "/proc/meminfo",
)
DEVICES = tuple(Path(each) for each in ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"))
# how large the process is and where its stack lies, which libraries ask; not its environment, nor its handles
OWN_FACTS = tuple(Path("/proc/self") / each for each in ("maps", "status", "stat", "statm"))


def python_places() -> list[Path]:
    """Where this Python's libraries and this package lie, and the system's: all that a child has to read.

    Not the whole of an environment: its `etc` and `share` may hold the settings of a course.
    """
    package = Path(__file__).parents[2]
    found = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found |= {Path(each) for each in sys.path if Path(each).name in ("site-packages", "dist-packages")}
    for prefix in (Path(sys.prefix), Path(sys.base_prefix)):
        found |= {prefix / "lib", prefix / "lib64", prefix / "pyvenv.cfg"}
    found |= {package, *(Path(each) for each in SYSTEM)}
    return sorted(path for path in {*found, *(path.resolve() for path in found)} if os.path.lexists(path))


def programs() -> list[Path]:
    """This Python's program, with each link on the way to it: what a sandbox that starts it needs on top."""
    path, found = Path(sys.executable), []
    while path not in found:
        found.append(path)
        path = path.parent / path.readlink() if path.is_symlink() else path
    return [*found, Path(sys.executable).resolve()]
