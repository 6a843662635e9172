"""Ways out that a locked child must not have: sockets, and the kernel's wider surface."""

import ctypes
import socket

from tests.grading.sandbox.register import Facts, forbidden, numbers, syscall


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
