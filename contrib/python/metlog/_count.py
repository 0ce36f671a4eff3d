"""_count - counts to which threads and signal handlers may add at the same time, without a lock."""
# SPDX-License-Identifier: MPL-2.0
import itertools


class Counter:
    __slots__ = ("_counter",)

    def __init__(self) -> None:
        self._counter = itertools.count()

    def add(self) -> None:
        next(self._counter)   # one step of C code, where "+= 1" is three of Python

    def value(self) -> int:
        return int(repr(self._counter)[6:-1])
