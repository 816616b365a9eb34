"""Stands in for a runtime that crashes on its file."""

import os
import signal
import sys

from workbench.models.confined import confine_this_process

if __name__ == "__main__":
    confine_this_process(sys.argv[1:])
    os.kill(os.getpid(), signal.SIGFPE)
