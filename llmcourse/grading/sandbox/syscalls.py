"""The system calls that a student's code may make, and on which terms; every other one is refused."""

from dataclasses import dataclass

# name, number on x86_64, number on aarch64 (a dash: that machine has no such call)
PLAIN = """
# reading and writing what is open
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69, pwritev 296 70,
preadv2 327 286, pwritev2 328 287, lseek 8 62, close 3 57, close_range 436 436, dup 32 23, dup2 33 -, dup3 292 24,
pipe 22 -, pipe2 293 59, flock 73 32, fsync 74 82, fdatasync 75 83, ftruncate 77 46, fallocate 285 47,
fadvise64 221 223, sendfile 40 71, copy_file_range 326 285
# files by name, which Landlock judges
open 2 -, openat 257 56, creat 85 -, truncate 76 45, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -,
unlinkat 263 35, rename 82 -, renameat 264 38, renameat2 316 276, getdents 78 -, getdents64 217 61
# looking at files; what is there, and how large, no filter can hide
stat 4 -, lstat 6 -, fstat 5 80, newfstatat 262 79, statx 332 291, access 21 -, faccessat 269 48, faccessat2 439 439,
readlink 89 -, readlinkat 267 78, statfs 137 43, fstatfs 138 44, getcwd 79 17, chdir 80 49, fchdir 81 50,
umask 95 166
# memory
mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, madvise 28 233, msync 26 227, brk 12 214,
membarrier 324 283
# waiting and clocks
poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20, epoll_ctl 233 21,
epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -, eventfd2 290 19, nanosleep 35 101,
clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169, time 201 -, times 100 153,
alarm 37 -, pause 34 -, setitimer 38 103, getitimer 36 102, timerfd_create 283 85, timerfd_settime 286 86,
timerfd_gettime 287 87
# threads of its own
futex 202 98, futex_waitv 449 449, set_robust_list 273 99, set_tid_address 218 96,
rseq 334 293, sched_yield 24 124, sched_getaffinity 204 123, sched_getparam 143 121, sched_getscheduler 145 120,
sched_get_priority_max 146 125, sched_get_priority_min 147 126, getcpu 309 168, exit 60 93, exit_group 231 94,
arch_prctl 158 -, restart_syscall 219 128
# its own signals
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136, rt_sigtimedwait 128 137,
rt_sigsuspend 130 133, sigaltstack 131 132
# who and where it is
getpid 39 172, getppid 110 173, gettid 186 178, getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177,
getgroups 115 158, getresuid 118 148, getresgid 120 150, getpgrp 111 -, getpgid 121 155, getsid 124 156,
getpriority 140 141, getrusage 98 165, getrlimit 97 163, sysinfo 99 179, uname 63 160, getrandom 318 278,
capget 125 90, wait4 61 260, waitid 247 95
# the sockets that it was given; none can be made, bound, connected or told to hand over a file
recvfrom 45 207, shutdown 48 210, getsockname 51 204, getpeername 52 205, getsockopt 55 209
"""


@dataclass(frozen=True)
class Argument:
    """What one argument has to be: its low 32 bits, which are all that the kernel reads of a number that is an int."""

    index: int
    value: int
    mask: int = 0xFFFFFFFF


@dataclass(frozen=True)
class Call:
    """A call that is allowed where one of the alternatives holds in full."""

    x86_64: int
    aarch64: int
    alternatives: tuple[tuple[Argument, ...], ...]

    def number(self, machine: str) -> int:
        """The call's number on this machine."""
        return self.x86_64 if machine == "x86_64" else self.aarch64


# the flags with which the C library starts a thread, and the one that musl adds; a process has no CLONE_THREAD, and a
# namespace has other flags still
THREAD, MUSL = 0x3D0F00, 0x400000
CLONE3 = 435  # its flags lie in memory, where no filter reads: "no such call" sends the C library back to clone
UNIX, STREAM, TYPE_OF_SOCKET = 1, 1, 0xF


def plain(machine: str) -> set[int]:
    """The numbers of the calls that are always allowed on this machine."""
    column = 1 if machine == "x86_64" else 2
    lines = [line for line in PLAIN.strip().splitlines() if not line.startswith("#")]
    words = [entry.split() for line in lines for entry in line.split(",") if entry.strip()]
    return {int(word[column]) for word in words if word[column] != "-"}


def judged(own_pid: int) -> list[Call]:
    """The calls whose arguments decide."""

    def one_of(index: int, *values: int) -> tuple[tuple[Argument, ...], ...]:
        return tuple((Argument(index, value),) for value in values)

    return [
        Call(56, 220, ((Argument(0, THREAD, ~MUSL & 0xFFFFFFFF),),)),  # clone
        Call(62, 129, one_of(0, own_pid)),  # kill
        Call(234, 131, one_of(0, own_pid)),  # tgkill
        Call(302, 261, one_of(0, 0, own_pid)),  # prlimit64
        Call(203, 122, one_of(0, 0)),  # sched_setaffinity
        # fcntl: copies of handles, their flags and locks; not F_SETOWN, which sends signals to others
        Call(72, 25, one_of(1, 0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)),
        # ioctl: is it a terminal, its size, close on exec or not, how much is there to read, wait or not
        Call(16, 29, one_of(1, 0x5401, 0x5413, 0x5450, 0x5451, 0x541B, 0x5421)),
        # prctl: the names of threads and of memory, and questions; not what takes the death signal away
        Call(157, 167, one_of(0, 3, 15, 16, 23, 0x53564D41)),
        # socketpair: two ends of one stream, as event loops want; a datagram's end could send to any address
        Call(53, 199, ((Argument(0, UNIX), Argument(1, STREAM, TYPE_OF_SOCKET)),)),
        # sendto: without an address
        Call(44, 206, ((Argument(4, 0), Argument(5, 0)),)),
    ]
