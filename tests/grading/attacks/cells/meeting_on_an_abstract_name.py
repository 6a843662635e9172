"""Meet another submission on an abstract socket, on a named pipe, or through a lock on a shared file."""

import fcntl
import os
import socket

import llmcourse

for act in (
    lambda: socket.socket(socket.AF_UNIX).bind("\0llmcourse-meeting"),
    lambda: os.mkfifo("/tmp" + "/llmcourse-attack-left-this"),
    lambda: os.memfd_create("llmcourse-meeting"),
):
    try:
        print("met", act())
    except OSError as error:
        print(error)
