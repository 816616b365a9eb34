"""Stands in for a runtime that misbehaves on its file, in a way that is certain."""

import os
import signal
import sys
import time

from workbench.jobs.child_process import limit_this_process

if __name__ == "__main__":
    how = limit_this_process(sys.argv[1:])[0]
    if how == "sleep":
        time.sleep(600)
    while how == "spin":
        pass
    if how == "fill":
        print(len(bytearray(64 << 30)))
    if how == "secrets":
        print(sorted(os.environ))
    os.kill(os.getpid(), signal.SIGFPE)
