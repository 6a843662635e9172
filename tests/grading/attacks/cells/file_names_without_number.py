"""Make a hundred thousand folders, each in the one before, that no simple clean-up gets out of."""

import os

try:
    for number in range(2000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
except OSError as error:
    print(number, error)
