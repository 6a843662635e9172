"""Send the secret out by every kind of socket: TCP, UDP, raw, name look-ups, and Unix sockets by path and by name."""

import socket
import urllib.request

for family, kind in (
    (socket.AF_INET, socket.SOCK_STREAM),
    (socket.AF_INET, socket.SOCK_DGRAM),
    (socket.AF_INET6, socket.SOCK_STREAM),
    (socket.AF_INET, socket.SOCK_RAW),
    (socket.AF_UNIX, socket.SOCK_STREAM),
):
    try:
        door = socket.socket(family, kind)
        print("socket", family, kind)
        door.connect(("127.0.0.1", 8888) if family == socket.AF_INET else "/var/run/docker.sock")
    except OSError as error:
        print(error)
for act in (
    lambda: socket.gethostbyname("localhost"),
    lambda: urllib.request.urlopen("http://127.0.0.1:8888/", timeout=1),
    lambda: socket.create_server(("", 0)),
):
    try:
        print("reached", act())
    except OSError as error:
        print(error)
