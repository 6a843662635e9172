"""What a locked child must not do to other processes, nor to the machine by their number."""

import ctypes
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.grading.sandbox.register import Facts, forbidden, numbers, syscall


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
