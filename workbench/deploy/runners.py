"""Plain ``predict`` functions for each runtime; see :mod:`workbench.deploy.deployment`."""

from __future__ import annotations

import json

from workbench.api.bundle import import_code
from workbench.api.variant import TensorSpec, Variant
from workbench.plain.outputs import plain_name
from workbench.techniques.inference.runtime_code import RUNNING, loading_code

_LOADED = '''\
run = {load}


def predict(samples):
    """The model's output, float32."""
    return run({arrays})
'''


def runner(variant: Variant, file: str, *further: str) -> tuple[str, str] | None:
    """The imports and the body that defines ``predict``; None for a runtime without such code.

    Args:
        variant: What is deployed.
        file: The name of its file there.
        *further: Import statements of what is done with the predictions.
    """
    settings = variant.settings
    if variant.runtime in RUNNING:
        trusts = settings.trusted and variant.runtime.startswith("keras.")
        trust = "safe_mode=False" if trusts else ""
        load = loading_code(variant, variant.runtime, "FILE", settings.threads, further=trust)
        folder = RUNNING[variant.runtime]
        return (
            import_code("import sys", "import numpy as np", f"from plain.{folder}.run import load", *further),
            _LOADED.format(load=load, arrays=_arrays(variant)),
        )
    return None


def _arrays(variant: Variant) -> str:
    """The samples as a dict by the names of the model's inputs."""
    whole = variant.runtime.startswith(("keras", "onnx", "openvino"))
    pairs = []
    for spec in variant.description.inputs:
        # These converters write names their own way, and the files' own are shortened when they are run.
        name = plain_name(spec.name) if variant.runtime in ("litert", "openvino") else spec.name
        if spec.role == "text":
            array = f"np.asarray({_chosen(variant, spec)}, str)"
        else:
            dtype = spec.dtype if whole or spec.takes_whole_numbers else "float32"
            array = f"np.ascontiguousarray({_chosen(variant, spec)}, {json.dumps(dtype)})"
        pairs.append(f"{json.dumps(name)}: {array}")
    return "{" + ", ".join(pairs) + "}"


def _chosen(variant: Variant, spec: TensorSpec) -> str:
    if len(variant.description.inputs) == 1:
        return "samples"
    return f"samples[{json.dumps(plain_name(spec.name))}]"
