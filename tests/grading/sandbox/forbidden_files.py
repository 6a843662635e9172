"""Files and handles that a locked child must not reach."""

import ctypes
import os
from pathlib import Path

from tests.grading.sandbox.register import Facts, forbidden, numbers, syscall


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
