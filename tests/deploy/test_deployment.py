import ast
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests import small_models
from tests.runtimes.tensorrt_bindings import STAND_IN
from tests.techniques import conftest
from tests.techniques.applying import write_bundle
from workbench.api.errors import Unavailable
from workbench.api.variant import RuntimeSettings
from workbench.deploy.deployment import deployment_code, deployment_file, requirements
from workbench.runtimes import runtime

parents, made = conftest.parents, conftest.made
pytestmark = pytest.mark.filterwarnings("ignore:In the future `np.object` will be defined:FutureWarning")

RUN = """\
import runpy, sys, os
import numpy as np
for number in sys.argv[1:]:
    os.chdir(number)
    for name in [name for name in sys.modules if name.partition(".")[0] == "plain"]:
        del sys.modules[name]  # each folder has the files that it needs
    names = runpy.run_path("predict.py")
    samples = np.load("samples.npz")
    samples = samples["x"] if list(samples) == ["x"] else dict(samples)
    np.save("found.npy", names["predict"](samples))
    np.save("best.npy", [name for name, probability in names["classify"](samples)])
    os.chdir("..")
"""


def cases(parents, made):
    """Variants in every runtime and format, with quantized inputs and several inputs."""
    runtimes = ("litert", "onnxruntime", "openvino", "keras.function")
    found = [
        (kind, "inference.runtime", {"runtime": name})
        for kind in ("conv", "two_inputs")
        for name in runtimes[:3]
    ]
    found += [
        ("two_inputs", "quantization.int8", {"io": "int8", "allow_float": False}),
        ("conv", "quantization.int8", {"io": "int8"}),
        ("dense", "quantization.dynamic_range", {}),
        ("conv", "quantization.onnx_int8", {}),
        ("two_inputs", "quantization.openvino_int8", {}),
    ]
    variants = [
        (kind, small_models.child(made(name, kind, **parameters), parents(kind)[0]))
        for kind, name, parameters in found
    ]
    for kind in ("dense", "two_inputs"):
        variants += [
            (kind, parents(kind)[0].model_copy(update={"runtime": name}))
            for name in ("keras.function", "keras.eager")
        ]
    lite = small_models.child(
        made("inference.runtime", "two_inputs", runtime="litert"), parents("two_inputs")[0]
    )
    variants.append(("two_inputs", lite.model_copy(update={"runtime": "openvino"})))
    # for which a stand-in computes
    converted = small_models.child(
        made("inference.runtime", "two_inputs", runtime="onnxruntime"), parents("two_inputs")[0]
    )
    variants.append(("two_inputs", converted.model_copy(update={"runtime": "tensorrt"})))
    return variants


@pytest.mark.slow
def test_the_code_predicts_what_the_runtime_does(parents, made, tmp_path):
    variants = cases(parents, made)
    for number, (kind, variant) in enumerate(variants):
        dataset = parents(kind)[1]
        folder = tmp_path / str(number)
        folder.mkdir()
        copy = shutil.copytree if variant.path.is_dir() else shutil.copyfile
        copy(variant.path, folder / deployment_file(variant))
        code = deployment_code(variant, dataset.info)
        assert "workbench" not in code
        write_bundle(code, folder, "predict.py")
        x = dataset.x("test")
        np.savez(folder / "samples.npz", **(x if isinstance(x, dict) else {"x": x}))
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, range(len(variants)))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(STAND_IN)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for number, (kind, variant) in enumerate(variants):
        dataset = parents(kind)[1]
        name = "onnxruntime" if variant.runtime == "tensorrt" else variant.runtime
        session = runtime(name).load(variant.path, RuntimeSettings())
        expected = session.predict(dataset.x("test"))
        label = f"{variant.runtime} {variant.format} {kind}"
        found = np.load(tmp_path / str(number) / "found.npy")
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5, err_msg=label)
        best = np.load(tmp_path / str(number) / "best.npy")
        assert list(best) == [f"class {k}" for k in expected.argmax(-1)], label


def test_what_is_stated(parents, made):
    parent, dataset = parents("conv")
    variant = small_models.child(made("quantization.int8", "conv", io="int8"), parent)
    code = deployment_code(variant, dataset.info)
    words = ast.get_docstring(ast.parse(code))
    assert "pip install ai-edge-litert==" in words
    assert "Input image: float32, shape (samples, 12, 12, 3)" in words
    assert "Scale samples as the training data were: none" in words
    assert "raw scores" in words
    assert 'CLASSES = ["class 0"' in code
    assert requirements(variant)[-1].startswith("numpy==")


def test_hostile_names_stay_text(parents):
    parent, dataset = parents("dense")
    evil = '"""\nimport os\nraise SystemExit(1)\n"""\\'
    variant = parent.model_copy(update={"name": evil})
    info = dataset.info.model_copy(update={"classes": (evil, "]", "\u202e", "d")})
    tree = ast.parse(deployment_code(variant, info))
    assert not any(isinstance(node, ast.Raise) for node in ast.walk(tree))
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "CLASSES"
    }
    assert assigned["CLASSES"][0] == evil


def test_a_runtime_without_code_says_so(parents, monkeypatch):
    from workbench import runtimes

    class Other(type(runtime("litert"))):
        name = "other"

    monkeypatch.setattr(runtimes._registry, "registered", {"other": Other()})
    with pytest.raises(Unavailable, match="Choose another runtime"):
        deployment_code(parents("dense")[0].model_copy(update={"runtime": "other"}))
