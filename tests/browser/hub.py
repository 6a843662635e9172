"""A real JupyterHub with users of its own, for the tests: nothing of the machine's accounts is changed.

In a mount namespace of its own the hub sees another list of users, and homes that only it has. That needs root.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TEACHER, STUDENTS = "teacher", ("ada", "ben")
FIRST_ID = 61_001
PASSWORDS = {
    TEACHER: "for the instructor, 32 characters at the least",
    **dict.fromkeys(STUDENTS, "for all the students"),
}
START = 90  # seconds


@dataclass(frozen=True)
class Hub:
    """A running hub: where it answers, and where its users' homes are."""

    address: str
    folder: Path
    root: Path
    process: int

    def home(self, user: str) -> Path:
        return self.folder / "home" / user

    def run(self, user: str, *command: str, cwd: Path | None = None) -> str:
        """What a command prints that a user types in a terminal of their server."""
        role = "instructor" if user == TEACHER else "student"
        number = str(number_of(user))
        environment = {
            "HOME": str(self.home(user)),
            "USER": user,
            "LOGNAME": user,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "LLMCOURSE_EXCHANGE": str(self.folder / "exchange"),
            "JUPYTER_CONFIG_PATH": str(self.root / "deploy" / "jupyterhub" / role),
            "OMP_NUM_THREADS": "1",
        }
        enter = ["nsenter", "--target", str(self.process), "--mount", "setpriv", "--reuid", number, "--regid", number]
        whole = [*enter, "--clear-groups", "env", "-i", *[f"{k}={v}" for k, v in environment.items()]]
        inside = f"cd {shlex.quote(str(cwd or self.home(user)))} && exec {shlex.join(command)}"
        done = subprocess.run([*whole, "sh", "-c", inside], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def number_of(user: str) -> int:
    return FIRST_ID + (TEACHER, *STUDENTS).index(user)


def free_ports(n: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


@contextmanager
def running_hub(folder: Path, root: Path) -> Iterator[Hub]:
    """A hub on free ports of this machine that goes by `deploy/jupyterhub`, and ends with the block."""
    port, hub_port, proxy_port = free_ports(3)
    script = folder / "start.sh"
    script.write_text(_script(folder, root, port, hub_port, proxy_port), encoding="utf-8")
    with (folder / "hub.log").open("w") as log:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-eu", str(script)]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, cwd=folder)
    try:
        _await(process, folder / "hub.log")
        yield Hub(f"http://127.0.0.1:{port}", folder, root, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _script(folder: Path, root: Path, port: int, hub_port: int, proxy_port: int) -> str:
    """Shell commands that make the namespace's users and homes, and become the hub."""
    lines = ["cp /etc/passwd passwd", "cp /etc/group group", "mkdir hub exchange"]
    for user in (TEACHER, *STUDENTS):
        home, number = shlex.quote(str(folder / "home" / user)), number_of(user)
        lines += [
            f"echo {user}:x:{number}:{number}::{home}:/bin/sh >>passwd",
            f"echo {user}:x:{number}: >>group",
            f"mkdir -p {home} && chown {number}:{number} {home} && chmod 700 {home}",
        ]
    lines += [*_open_ways(folder, root), "mount --bind passwd /etc/passwd", "mount --bind group /etc/group", "cd hub"]
    environment: Mapping[str, object] = {
        "LLMCOURSE_EXCHANGE": folder / "exchange",
        "LLMCOURSE_HUB": f"http://127.0.0.1:{port}",
    }
    lines += [f"export {name}={shlex.quote(str(value))}" for name, value in environment.items()]
    options = [
        f"--config={root / 'deploy' / 'jupyterhub' / 'jupyterhub_config.py'}",
        "--JupyterHub.authenticator_class=shared-password",
        f"--SharedPasswordAuthenticator.admin_password={PASSWORDS[TEACHER]}",
        f"--SharedPasswordAuthenticator.user_password={PASSWORDS[STUDENTS[0]]}",
        f"--JupyterHub.hub_port={hub_port}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy_port}",
    ]
    return "\n".join([*lines, f"exec {shlex.join([sys.executable, '-m', 'jupyterhub', *options])}"]) + "\n"


def _open_ways(folder: Path, root: Path) -> list[str]:
    """Let the users reach Python, the course and their homes where these lie below a folder that is closed to others.

    Within the namespace such a folder is covered by an empty open one that holds only the way down.
    """
    ways: dict[Path, list[Path]] = {}
    for place in (Path(sys.base_prefix).resolve(), root.resolve()):
        closed = next((each for each in reversed(place.parents) if not each.stat().st_mode & 0o001), None)
        if closed is not None:
            ways.setdefault(closed, []).append(place)
    lines: list[str] = []
    for index, (closed, places) in enumerate(ways.items()):
        cover = folder / f"cover-{index}"
        for place in places:
            inner = shlex.quote(str(cover / place.relative_to(closed)))
            lines += [f"mkdir -p {inner}", f"mount --rbind {shlex.quote(str(place))} {inner}"]
        lines += [f"chmod 755 {shlex.quote(str(cover))}", f"mount --rbind {shlex.quote(str(cover))} {closed}"]
    return lines


def _await(process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        if "JupyterHub is now running" in log.read_text(encoding="utf-8"):
            return
        time.sleep(0.2)
    raise AssertionError(f"The hub did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")
