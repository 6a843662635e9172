"""Open other processes' files, memory and folders through /proc."""

from pathlib import Path

for process in Path("/proc").glob("[0-9]*"):
    for name in ("mem", "maps", "cmdline", "cwd", "root", "fd/3", "fd/4", "fd/5", "fd/6"):
        try:
            place = process / name
            print(place, [*place.iterdir()][:5] if place.is_dir() else place.read_bytes()[:500])
        except OSError:
            continue
