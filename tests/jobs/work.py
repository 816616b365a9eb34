"""What the tests let workers do."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.jobs.slot import exclusive_slot, shared_slot, slot_folder


def add(report, left, right):
    return left + right


def talk(report, count):
    for number in range(count):
        report.progress((number + 1) / count)
        report.metric("loss", number, 1 / (number + 1))
        report.metric("F1", number, number / count)
        report.log(say("line {number}", number=number))
    report.stage(say("finished"))


def whisper(report, release):
    """Says one thing right after another, then is silent until it is told to end."""
    report.stage(say("first"))
    report.stage(say("second"))
    return wait_for_file(report, release)


def wait_for_file(report, path):
    while not Path(path).exists():
        report.check()
        time.sleep(0.01)
    return "released"


def note(report, path, word):
    with Path(path).open("a") as file:
        file.write(f"{word}\n")


def process_id(report):
    return os.getpid()


def environment(report, name):
    return os.environ.get(name)


def leave_a_file(report):
    descriptor, path = tempfile.mkstemp()
    os.close(descriptor)
    return path, str(slot_folder())


def modules(report):
    return sorted(sys.modules)


def imports_tensorflow(report):
    return "tensorflow" in sys.modules and "keras" in sys.modules


def busy(report):
    """Native code that never gives the GIL back."""
    report.stage(say("busy"))
    time.sleep(0.1)
    sum(range(10**12))


def stubborn(report, path):
    """Ignores that it was cancelled, but gives the GIL back; starts a child."""
    import subprocess

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(path).write_text(f"{os.getpid()} {child.pid}")
    while True:
        time.sleep(0.1)


def refuse(report):
    raise InvalidInput(say("Received {value}.", value=3), say("Give 4."))


class Strange(Exception):
    def __init__(self, one, two):
        super().__init__("strange things")


def fail(report):
    raise Strange(1, 2)


def unpicklable(report):
    return threading.Lock()


def die(report, number):
    os.kill(os.getpid(), number)
    time.sleep(600)


def exit_with(report, code):
    os._exit(code)


def allocate(report, size):
    return len(bytearray(size))


def grow(report):
    """Takes memory, touched, until somebody stops it."""
    kept = []
    while True:
        kept.append(b"x" * (16 << 20))
        time.sleep(0.005)


def burn(report):
    while True:
        sum(range(10**6))


def sleep(report, seconds):
    time.sleep(seconds)


def hold(report, exclusive, log, release):
    with (exclusive_slot if exclusive else shared_slot)(report, say("training a net")):
        note(report, log, "in")
        wait_for_file(report, release)
        note(report, log, "out")


def measure(report, log):
    """Measures, beside other work if it is told to."""
    with exclusive_slot(report, may_go_on=True) as alone:
        note(report, log, f"alone: {alone}")
    report.stage(say("measured"))


SIGKILL, SIGSEGV, SIGFPE = signal.SIGKILL, signal.SIGSEGV, signal.SIGFPE
