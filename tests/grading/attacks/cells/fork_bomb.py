"""Fork for as long as the machine lets it."""

import os

try:
    while True:
        os.fork()
except OSError as error:
    print(error)
