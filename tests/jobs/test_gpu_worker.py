"""Work for a GPU goes to the worker that has the resource, like any other kind."""

from __future__ import annotations

import os

from tests.jobs import work
from workbench.runtimes import runtime


def test_it_has_a_process_of_its_own(start):
    light = start(work.process_id).result()
    on_gpu = start(work.process_id, worker="gpu").result()
    assert on_gpu not in (light, os.getpid())
    assert start(work.process_id, worker="gpu").result() == on_gpu


def test_who_predicts():
    kinds = {name: runtime(name).worker for name in ("tensorrt", "litert", "keras.function")}
    assert kinds == {"tensorrt": "gpu", "litert": "light", "keras.function": "tensorflow"}
