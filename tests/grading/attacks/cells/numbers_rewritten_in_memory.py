"""Overwrite the integers 0 and 1 of the interpreter, so that points and lengths come out wrong."""

import ctypes
import sys

size = sys.getsizeof(1)
ctypes.memmove(id(0) + 24, id(2) + 24, 4)
ctypes.memmove(id(1) + 24, id(2) + 24, 4)
