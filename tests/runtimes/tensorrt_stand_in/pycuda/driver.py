"""Stands in for PyCUDA: the device's memory is the process's, and a stream works when it is waited for.

So what is read before the stream was waited for, freed too early or left at the end shows here, not on a GPU.
"""

import atexit
import itertools
import os

import numpy as np


class Error(Exception):
    pass


contexts = []
memory = {}
streams = {}
_addresses = itertools.count(1 << 20, 1 << 10)


def init():
    pass


@atexit.register
def _nothing_is_left():
    if contexts or memory:
        os.write(2, b"PyCUDA would abort: a context or memory was left\n")
        os._exit(70)


class Device:
    def __init__(self, number):
        assert number == 0

    def name(self):
        return "Stand-in"

    def compute_capability(self):
        return 9, 0

    def retain_primary_context(self):
        return _Context()


class _Context:
    def push(self):
        contexts.append(self)

    def pop(self):
        contexts.pop()


class Stream:
    def __init__(self):
        assert contexts
        self.handle = next(_addresses)
        self.work = streams[self.handle] = []

    def synchronize(self):
        for step in self.work:
            step()
        self.work.clear()


class _Memory:
    def __init__(self, count):
        self._address = next(_addresses)
        memory[self._address] = bytearray(count)

    def __int__(self):
        return self._address

    def free(self):
        assert contexts
        del memory[self._address]


def mem_alloc(count):
    assert contexts
    assert count > 0
    return _Memory(count)


def pagelocked_empty(shape, dtype):
    return np.full(shape, 77, dtype)


def memcpy_htod_async(to, array, stream):
    assert array.flags.c_contiguous

    def copy():
        assert len(memory[int(to)]) == array.nbytes
        memory[int(to)][:] = array.tobytes()

    stream.work.append(copy)


def memcpy_dtoh_async(array, source, stream):
    def copy():
        assert len(memory[int(source)]) == array.nbytes
        array[...] = np.frombuffer(bytes(memory[int(source)]), array.dtype).reshape(array.shape)

    stream.work.append(copy)
