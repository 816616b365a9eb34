"""A small real runtime: a linear model in an ``.npz`` file, run by NumPy."""

import os
import signal
import sys
import time

import numpy as np

from workbench.api.errors import InvalidInput
from workbench.api.runtime import Runtime, Session
from workbench.api.text import say


class TinySession(Session):
    def __init__(self, path):
        with np.load(path, allow_pickle=False) as file:
            self.weights, self.bias = file["weights"], file["bias"]
            self.sleep_s, self.fault = float(file["sleep_s"]), str(file["fault"])
        self.ballast = np.ones(40_000_000, np.uint8) if self.fault == "large" else None

    def prepare(self, features):
        return np.asarray(features).reshape(len(features), -1)

    def infer(self, prepared):
        if self.fault == "crash":
            os.kill(os.getpid(), signal.SIGFPE)
        if self.fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.fault == "exit":
            os._exit(3)
        if self.fault == "out of memory":
            np.ones(1 << 50, np.uint8)
        if self.fault == "hang":
            time.sleep(600)
        if self.fault == "print":
            os.write(1, b"a library prints to standard output\n")
        if self.fault == "modules":
            raise ValueError("modules: " + " ".join(name for name in sys.modules if "." not in name))
        if self.fault == "error":
            raise ValueError("Cannot set tensor: dimension mismatch")
        if self.sleep_s:
            time.sleep(self.sleep_s)
        outputs = (prepared @ self.weights + self.bias).astype(np.float32)
        return outputs * np.nan if self.fault == "nan" else outputs


class TinyRuntime(Runtime):
    """NumPy."""

    name = "tiny"
    title = "Tiny"
    formats = frozenset({"onnx"})
    packages = ("numpy",)

    def unavailable(self):
        return None

    def load(self, path, settings):
        try:
            return TinySession(path)
        except (OSError, ValueError) as error:
            raise InvalidInput(say("{file} is no tiny model.", file=path.name)) from error


class TinyTensorFlow(TinyRuntime):
    """NumPy, as if TensorFlow ran it; where its oneDNN kernels are off, nothing crashes."""

    name = "tiny.tensorflow"
    imports_tensorflow = True

    def load(self, path, settings):
        session = super().load(path, settings)
        if session.fault == "crash with oneDNN" and os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0":
            session.fault = "crash"
        return session
