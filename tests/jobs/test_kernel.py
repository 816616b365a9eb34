"""Waiting in a cell of a real kernel: its event loop goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

pytestmark = pytest.mark.slow

MAKE = """
import asyncio, concurrent.futures, threading, time
import ipywidgets
from workbench.jobs.kernel import in_cell, kernel_loop, run_until_done

heard = []
field = ipywidgets.IntText()
field.observe(lambda change: heard.append(change["new"]), "value")

def wait(seconds, timeout=None):
    outcome = concurrent.futures.Future()
    threading.Timer(seconds, outcome.set_result, [1]).start()
    return run_until_done(kernel_loop(), outcome, timeout)

print(field.comm.comm_id)
"""


@pytest.fixture
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(startup_timeout=600)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def answer(client: BlockingKernelClient, message: str) -> str:
    """What a cell has printed, or its error."""
    words = ""
    while True:
        said = client.get_iopub_msg(timeout=600)
        if said["parent_header"].get("msg_id") != message:
            continue
        if said["msg_type"] == "stream" and said["content"]["name"] == "stdout":
            words += said["content"]["text"]
        elif said["msg_type"] == "error":
            words += said["content"]["ename"]
        elif said["content"].get("execution_state") == "idle":
            return words.strip()


def until_begun(client: BlockingKernelClient, message: str) -> None:
    """Reads what is published until the kernel works on a cell."""
    while True:
        said = client.get_iopub_msg(timeout=600)
        if said["parent_header"].get("msg_id") == message and said["msg_type"] == "execute_input":
            return


def test_widgets_are_heard_and_other_cells_come_after(kernel):
    manager, client = kernel
    field = answer(client, client.execute(MAKE))
    waiting = client.execute("print(in_cell(), wait(3), heard)")
    later = client.execute("print('later', heard)")
    time.sleep(1)
    for value in (1, 2, 3):
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": field, "data": data}))
    assert answer(client, waiting) == "True True [1, 2, 3]"
    assert answer(client, later) == "later [1, 2, 3]"

    assert answer(client, client.execute("print(wait(60, timeout=0.2))")) == "False"
    task = "asyncio.get_running_loop().create_task(asyncio.sleep(0.1, heard.append(4)))"
    assert answer(client, client.execute(f"done = {task}; print(wait(1), heard, done.done())")) == (
        "True [1, 2, 3, 4] True"
    )

    interrupted = client.execute("wait(600)")
    until_begun(client, interrupted)
    time.sleep(1)  # it is told that its cell begins before the cell waits
    manager.interrupt_kernel()
    assert answer(client, interrupted) == "KeyboardInterrupt"
    assert answer(client, client.execute("await asyncio.sleep(0); print(wait(0.1))")) == "True"
