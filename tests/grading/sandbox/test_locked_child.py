"""Every forbidden act is tried in a real locked child, in every tier, and every needed one works there."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmcourse.grading.sandbox import Tier, bubblewrap_command, probe, python_places, warm_environment
from tests.grading.sandbox import acts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
REFUSALS = {"OSError", "PermissionError", "FileNotFoundError", "ProcessLookupError", "MemoryError", "RuntimeError"}
MINE = "for the teacher alone"


@dataclass
class World:
    """What lies outside a child's scratch folder, and what became of it."""

    folder: Path
    said: dict[str, str] = field(default_factory=dict)
    status: int = -1
    left_running: bool = False
    victim_lives: bool = False
    visits: list[str] = field(default_factory=list)

    def facts(self, **more: Any) -> str:
        """What the child is told, as JSON: an attacker knows every name."""
        paths = {"outside": self.outside, "neighbour": self.neighbour, "socket": self.folder / "door"}
        return json.dumps({**{name: str(path) for name, path in paths.items()}, **more})

    @property
    def outside(self) -> Path:
        return self.folder / "gradebook.db"

    @property
    def neighbour(self) -> Path:
        return self.folder / "scratch" / "neighbour"


@pytest.fixture(scope="module", params=[Tier.ONE, Tier.TWO], ids=["tier-one", "tier-two"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, root: Path) -> World:
    """One child that has tried everything, and the world after it."""
    made = World(tmp_path_factory.mktemp("world").resolve())
    made.outside.write_text(MINE, encoding="utf-8")
    own = made.folder / "scratch" / "own"
    for folder in (own, made.neighbour):
        folder.mkdir(parents=True)
    (made.neighbour / "answer.py").write_text(MINE, encoding="utf-8")
    abstract = f"llmcourse-{os.getpid()}"
    with ExitStack() as stack:
        addresses = (("127.0.0.1", 0), str(made.folder / "door"), f"\0{abstract}")
        doors = [stack.enter_context(_door(address)) for address in addresses]
        victim = stack.enter_context(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        stack.callback(victim.kill)
        facts = made.facts(port=doors[0].getsockname()[1], abstract=abstract, victim=victim.pid)
        answer = _run(request.param, root, made.folder / "scratch", [str(own), facts])
        made.status, made.said, made.victim_lives = answer["status"], answer["said"], victim.poll() is None
        made.visits = [str(door.getsockname()) for door in doors if _has_visitor(door)]
        made.left_running = _anyone_in(own)
    return made


def _run(tier: Tier, root: Path, scratch: Path, arguments: list[str]) -> dict[str, Any]:
    """What a warm parent in that tier says of its locked child."""
    command = [sys.executable, "-m", "tests.grading.sandbox.child", tier.value, *arguments]
    environment = {**warm_environment(), "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "SECRET": MINE}
    if tier is Tier.ONE:
        readable = [*python_places(), root / "tests"]
        command = bubblewrap_command(
            command, readable=readable, scratch=scratch, environment=environment, bubble=probe().bubble
        )
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _door(address: Any) -> socket.socket:
    """A socket that listens there."""
    door = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    door.bind(address)
    door.listen()
    door.setblocking(False)
    return door


def _has_visitor(door: socket.socket) -> bool:
    try:
        visitor, _ = door.accept()
    except BlockingIOError:
        return False
    visitor.close()
    return True


def _anyone_in(folder: Path) -> bool:
    """Whether a process still works in that folder."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                return True
        except OSError:
            continue
    return False


@pytest.mark.parametrize("name", acts.FORBIDDEN)
def test_a_forbidden_act_is_refused(world: World, name: str) -> None:
    assert world.said.get(name, "").split(":")[0] in REFUSALS, world.said


@pytest.mark.parametrize("name", acts.NEEDED)
def test_a_needed_act_works(world: World, name: str) -> None:
    assert world.said.get(name) == "done"


def test_the_child_ends_by_itself_and_leaves_nothing_running(world: World) -> None:
    assert (world.status, world.left_running) == (0, False)


def test_the_world_outside_is_as_it_was(world: World) -> None:
    assert world.outside.read_text(encoding="utf-8") == MINE
    assert world.outside.stat().st_mtime > 0
    assert sorted(path.name for path in world.folder.iterdir()) == ["door", "gradebook.db", "scratch"]
    assert {path.name: path.read_text(encoding="utf-8") for path in world.neighbour.iterdir()} == {"answer.py": MINE}
    assert sorted(path.name for path in (world.folder / "scratch").iterdir()) == ["neighbour", "own"]
    assert world.victim_lives
    assert world.visits == []
    assert not Path("/dev/shm/left-behind").exists()
