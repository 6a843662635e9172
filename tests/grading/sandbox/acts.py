"""What a locked child tries, and what it must still be able to do: plain functions of what it knows of the world."""

import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

Facts = SimpleNamespace  # paths, process numbers and addresses outside
Act = Callable[[Facts], object]
FORBIDDEN: dict[str, Act] = {}
NEEDED: dict[str, Act] = {}


def forbidden(act: Act) -> Act:
    """Register what has to raise."""
    FORBIDDEN[act.__name__] = act
    return act


def needed(act: Act) -> Act:
    """Register what has to return something true."""
    NEEDED[act.__name__] = act
    return act


def syscall(number: int, *arguments: object) -> int:
    """What the kernel answers to a bare call, past every library."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def numbers(**by_machine: int) -> int:
    """The number of a call on this machine."""
    return by_machine[os.uname().machine]


# ---- files


@forbidden
def read_a_file_outside(facts: Facts) -> object:
    return Path(facts.outside).read_text()


@forbidden
def read_the_password_file(facts: Facts) -> object:
    return Path("/etc/passwd").read_text()


@forbidden
def read_another_students_work(facts: Facts) -> object:
    return (Path(facts.neighbour) / "answer.py").read_text()


@forbidden
def list_another_students_folder(facts: Facts) -> object:
    return [*Path(facts.neighbour).iterdir()]


@forbidden
def list_the_folder_above(facts: Facts) -> object:
    return [*Path("..").iterdir()]


@forbidden
def write_a_file_outside(facts: Facts) -> object:
    return Path(facts.outside).write_text("overwritten")


@forbidden
def write_a_new_file_beside_the_scratch_folder(facts: Facts) -> object:
    return Path("../left-behind").write_text("here")


@forbidden
def write_into_shared_memory(facts: Facts) -> object:
    return Path("/dev/shm/left-behind").write_text("here")


@forbidden
def write_into_the_packages(facts: Facts) -> object:
    return (Path(ctypes.__file__).parent / "left_behind.pth").write_text("import this")


@forbidden
def write_compiled_code_for_a_library(facts: Facts) -> object:
    folder = Path(ctypes.__file__).parent / "__pycache__"
    return next(folder.glob("*.pyc")).open("r+b")


@forbidden
def cut_a_file_short(facts: Facts) -> object:
    os.truncate(facts.outside, 0)


@forbidden
def delete_a_file_outside(facts: Facts) -> object:
    Path(facts.outside).unlink()


@forbidden
def move_a_file_in(facts: Facts) -> object:
    Path(facts.outside).rename("mine")


@forbidden
def move_a_file_out(facts: Facts) -> object:
    Path("note").write_text("x")
    Path("note").rename(Path(facts.neighbour) / "answer.py")


@forbidden
def swap_two_files(facts: Facts) -> object:
    Path("note").write_text("x")
    path = str(Path(facts.neighbour) / "answer.py").encode()
    return syscall(numbers(x86_64=316, aarch64=276), -100, b"note", -100, path, 2)


@forbidden
def make_a_symlink_to_a_file_outside(facts: Facts) -> object:
    Path("shortcut").symlink_to(facts.outside)


@forbidden
def make_a_hard_link_to_a_file_outside(facts: Facts) -> object:
    os.link(facts.outside, "shortcut")


@forbidden
def make_a_named_pipe(facts: Facts) -> object:
    os.mkfifo("pipe")


@forbidden
def make_a_device(facts: Facts) -> object:
    os.mknod("disk", 0o660 | 0o060000, os.makedev(8, 0))


@forbidden
def change_the_rights_of_a_file_outside(facts: Facts) -> object:
    Path(facts.outside).chmod(0o777)


@forbidden
def change_the_time_of_a_file_outside(facts: Facts) -> object:
    os.utime(facts.outside, (0, 0))


@forbidden
def change_the_owner_of_a_file_outside(facts: Facts) -> object:
    os.chown(facts.outside, 1000, 1000)


@forbidden
def mark_a_file_outside(facts: Facts) -> object:
    os.setxattr(facts.outside, "user.note", b"x")


@forbidden
def make_a_program_that_runs_as_its_owner(facts: Facts) -> object:
    Path("tool").write_text("x")
    Path("tool").chmod(0o4755)


@forbidden
def open_a_file_by_its_handle(facts: Facts) -> object:
    handle = ctypes.create_string_buffer(136)
    return syscall(numbers(x86_64=303, aarch64=264), -100, b".", handle, handle, 0)


@forbidden
def open_the_terminal(facts: Facts) -> object:
    return os.open("/dev/tty", os.O_RDWR)


@forbidden
def change_the_root(facts: Facts) -> object:
    os.chroot(".")


@forbidden
def mount_a_folder(facts: Facts) -> object:
    return syscall(numbers(x86_64=165, aarch64=40), b"/", b".", None, 4096, None)


@forbidden
def write_a_huge_file(facts: Facts) -> object:
    with Path("huge").open("wb") as file:
        file.seek(1 << 32)
        file.write(b"x")


# ---- handles that were open in the parent


@forbidden
def read_an_inherited_handle(facts: Facts) -> object:
    return os.pread(facts.inherited, 10, 0)


@forbidden
def reopen_the_parents_handles(facts: Facts) -> object:
    return Path(f"/proc/{facts.parent}/fd/{facts.inherited}").read_text()


@forbidden
def read_the_parents_environment(facts: Facts) -> object:
    return Path(f"/proc/{facts.parent}/environ").read_bytes()


@forbidden
def read_its_own_first_environment(facts: Facts) -> object:
    return Path("/proc/self/environ").read_bytes()


@forbidden
def follow_the_parents_root(facts: Facts) -> object:
    return Path(f"/proc/{facts.parent}/root{facts.outside}").read_text()


@forbidden
def open_too_many_files(facts: Facts) -> object:
    return [os.open("/dev/null", os.O_RDONLY) for _ in range(5000)]


# ---- other processes


@forbidden
def kill_the_parent(facts: Facts) -> object:
    os.kill(os.getppid(), signal.SIGKILL)


@forbidden
def kill_a_process_outside(facts: Facts) -> object:
    os.kill(facts.victim, signal.SIGKILL)


@forbidden
def kill_everything(facts: Facts) -> object:
    os.kill(-1, signal.SIGKILL)


@forbidden
def kill_the_group(facts: Facts) -> object:
    os.kill(0, signal.SIGKILL)


@forbidden
def signal_the_parents_thread(facts: Facts) -> object:
    return syscall(numbers(x86_64=234, aarch64=131), os.getppid(), os.getppid(), 9)


@forbidden
def signal_a_bare_thread(facts: Facts) -> object:
    return syscall(numbers(x86_64=200, aarch64=130), os.getppid(), 9)


@forbidden
def queue_a_signal(facts: Facts) -> object:
    return syscall(numbers(x86_64=129, aarch64=138), os.getppid(), 9, ctypes.create_string_buffer(128))


@forbidden
def have_the_kernel_signal_the_parent(facts: Facts) -> object:
    import fcntl

    ours, _ = socket.socketpair()
    return fcntl.fcntl(ours, fcntl.F_SETOWN, os.getppid())


@forbidden
def take_hold_of_the_parent(facts: Facts) -> object:
    return os.pidfd_open(os.getppid())


@forbidden
def trace_the_parent(facts: Facts) -> object:
    return syscall(numbers(x86_64=101, aarch64=117), 16, os.getppid(), None, None)


@forbidden
def read_the_parents_memory(facts: Facts) -> object:
    return Path(f"/proc/{os.getppid()}/mem").open("rb")


@forbidden
def copy_the_parents_memory(facts: Facts) -> object:
    return syscall(numbers(x86_64=310, aarch64=270), os.getppid(), None, 0, None, 0, 0)


@forbidden
def fork(facts: Facts) -> object:
    return os.fork() or os._exit(0)


@forbidden
def fork_past_the_library(facts: Facts) -> object:
    child = syscall(numbers(x86_64=56, aarch64=220), signal.SIGCHLD, None, None, None, None)
    return child or os._exit(0)


@forbidden
def fork_with_the_newer_call(facts: Facts) -> object:
    child = syscall(435, (ctypes.c_uint64 * 11)(0, 0, 0, 0, signal.SIGCHLD), 88)
    return child or os._exit(0)


@forbidden
def make_a_user_namespace(facts: Facts) -> object:
    return syscall(numbers(x86_64=272, aarch64=97), 0x10000000)


@forbidden
def start_a_program(facts: Facts) -> object:
    return subprocess.run([sys.executable, "-c", "pass"], check=True)


@forbidden
def become_another_program(facts: Facts) -> object:
    os.execv(sys.executable, [sys.executable, "-c", "pass"])


@forbidden
def start_a_program_in_the_background(facts: Facts) -> object:
    return os.posix_spawn("/bin/sh", ["sh", "-c", "sleep 60"], {})


@forbidden
def raise_its_own_limits(facts: Facts) -> object:
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
    except ValueError as error:  # Python's word for the kernel's refusal
        raise PermissionError from error


@forbidden
def change_the_parents_limits(facts: Facts) -> object:
    return resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))


@forbidden
def pin_the_parent_to_a_processor(facts: Facts) -> object:
    os.sched_setaffinity(os.getppid(), {0})


@forbidden
def outlive_the_parent(facts: Facts) -> object:
    return syscall(numbers(x86_64=157, aarch64=167), 1, 0, 0, 0, 0)


@forbidden
def become_the_administrator(facts: Facts) -> object:
    os.setuid(0)


@forbidden
def take_all_the_memory(facts: Facts) -> object:
    return mmap.mmap(-1, 64 << 30)


@forbidden
def take_memory_bit_by_bit(facts: Facts) -> object:
    return [mmap.mmap(-1, 256 << 20) for _ in range(1000)]


@forbidden
def start_thousands_of_threads(facts: Facts) -> object:
    go = threading.Event()
    threading.stack_size(32768)
    try:
        for _ in range(2000):
            threading.Thread(target=go.wait, daemon=True).start()
    finally:
        go.set()
        threading.stack_size(0)
        deadline = time.monotonic() + 5
        while threading.active_count() > 1 and time.monotonic() < deadline:
            time.sleep(0.01)


@forbidden
def keep_memory_in_a_nameless_file(facts: Facts) -> object:
    return os.memfd_create("hoard")


@forbidden
def leave_shared_memory_of_the_old_kind(facts: Facts) -> object:
    return syscall(numbers(x86_64=29, aarch64=194), 4711, 4096, 0o1600)


# ---- the network and its like


@forbidden
def connect_to_the_network(facts: Facts) -> object:
    return socket.create_connection(("127.0.0.1", facts.port), timeout=2)


@forbidden
def listen_on_a_port(facts: Facts) -> object:
    return socket.create_server(("127.0.0.1", 0))


@forbidden
def send_a_datagram(facts: Facts) -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", facts.port))


@forbidden
def talk_to_the_kernels_tables(facts: Facts) -> object:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


@forbidden
def connect_to_a_socket_in_a_folder(facts: Facts) -> object:
    return socket.socket(socket.AF_UNIX).connect(facts.socket)


@forbidden
def connect_to_an_abstract_socket(facts: Facts) -> object:
    return socket.socket(socket.AF_UNIX).connect("\0" + facts.abstract)


@forbidden
def make_a_pair_that_sends_to_any_address(facts: Facts) -> object:
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return ours.sendto(b"x", facts.socket)


@forbidden
def connect_one_end_of_a_pair_elsewhere(facts: Facts) -> object:
    ours, _ = socket.socketpair()
    ours.connect(facts.socket)


@forbidden
def hand_a_file_over_a_socket(facts: Facts) -> object:
    ours, _ = socket.socketpair()
    return socket.send_fds(ours, [b"x"], [0])


# ---- the kernel's wider surface


@forbidden
def load_a_program_into_the_kernel(facts: Facts) -> object:
    return syscall(numbers(x86_64=321, aarch64=280), 0, None, 0)


@forbidden
def read_the_performance_counters(facts: Facts) -> object:
    return syscall(numbers(x86_64=298, aarch64=241), ctypes.create_string_buffer(128), 0, -1, -1, 0)


@forbidden
def handle_page_faults(facts: Facts) -> object:
    return syscall(numbers(x86_64=323, aarch64=282), 0)


@forbidden
def set_up_a_ring(facts: Facts) -> object:
    return syscall(425, 4, ctypes.create_string_buffer(120))


@forbidden
def read_the_keyring(facts: Facts) -> object:
    return syscall(numbers(x86_64=250, aarch64=219), 0, -3, 0)


@forbidden
def push_text_into_a_terminal(facts: Facts) -> object:
    import fcntl

    return fcntl.ioctl(0, 0x5412, b"x")


@forbidden
def read_the_kernels_messages(facts: Facts) -> object:
    return syscall(numbers(x86_64=103, aarch64=116), 3, ctypes.create_string_buffer(64), 64)


@forbidden
def rename_the_machine(facts: Facts) -> object:
    socket.sethostname("mine")


# ---- what honest work needs


@needed
def compute_with_torch(facts: Facts) -> object:
    import torch

    layer = torch.nn.Linear(8, 8)
    layer(torch.randn(4, 8)).softmax(-1).square().sum().backward()
    return layer.weight.grad is not None


@needed
def compute_with_two_threads(facts: Facts) -> object:
    import torch

    torch.set_num_threads(2)
    product = torch.ones(600, 600) @ torch.ones(600, 600)
    torch.set_num_threads(1)
    return product[0, 0] == 600


@needed
def draw_random_numbers(facts: Facts) -> object:
    import torch

    same = torch.rand(3, generator=torch.Generator().manual_seed(1)).tolist()
    return same == torch.rand(3, generator=torch.Generator().manual_seed(1)).tolist() and os.urandom(4)


@needed
def compute_with_numpy(facts: Facts) -> object:
    import numpy as np

    return np.linalg.svd(np.eye(50))[1].sum() == 50


@needed
def draw_a_figure(facts: Facts) -> object:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2, 1])
    axes.set_title("A title")
    figure.savefig("figure.png")
    plt.close(figure)
    return Path("figure.png").stat().st_size > 1000


@needed
def keep_a_file(facts: Facts) -> object:
    Path("kept").mkdir()
    (Path("kept") / "note.txt").write_text("mine", encoding="utf-8")
    (Path("kept") / "note.txt").rename("note.txt")
    return Path("note.txt").read_text(encoding="utf-8") == "mine"


@needed
def keep_a_temporary_file(facts: Facts) -> object:
    with tempfile.NamedTemporaryFile() as file, tempfile.TemporaryDirectory() as folder:
        file.write(b"x")
        return Path(folder).is_dir()


@needed
def save_and_load_weights(facts: Facts) -> object:
    import torch

    torch.save({"weight": torch.ones(3)}, "weights.pt")
    return torch.load("weights.pt")["weight"].sum() == 3


@needed
def run_threads(facts: Facts) -> object:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(abs, [-1, -2])) == 3


@needed
def run_an_event_loop(facts: Facts) -> object:
    import asyncio

    return asyncio.run(asyncio.sleep(0.01, True))


@needed
def import_another_library(facts: Facts) -> object:
    import colorsys
    import sqlite3

    return colorsys and sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)


@needed
def import_the_package(facts: Facts) -> object:
    from llmcourse.hub import bundled

    return bundled().tokenizer.encode("a")


@needed
def show_a_progress_bar(facts: Facts) -> object:
    import io

    from tqdm import tqdm

    return list(tqdm([1, 2], file=io.StringIO()))


@needed
def stop_itself_with_an_alarm(facts: Facts) -> object:
    rang: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    time.sleep(0.2)
    return rang


@needed
def signal_itself(facts: Facts) -> object:
    rang: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: rang.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    return rang
