"""``workbench inside`` on a real file."""

from __future__ import annotations

import pytest

from tests import small_models
from tests.cli.conftest import workbench

pytestmark = pytest.mark.slow


def test_two_files_are_looked_into(tmp_path, scheduler):
    import numpy as np

    from workbench.models.converting.conversion import to_onnx

    model = small_models.build("dense")
    to_onnx(model, tmp_path / "model.onnx")
    kernel, bias = model.get_layer("narrow").get_weights()
    model.get_layer("narrow").set_weights([kernel[::-1], bias])
    to_onnx(model, tmp_path / "broken.onnx")
    x, y = small_models.features("dense", 200)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    words = ("--data", "data.npz", "--against", "model.onnx")
    ended = workbench(
        "inside", "broken.onnx", *words, "--json", folder=tmp_path, WORKBENCH_SCHEDULER=scheduler
    )
    assert ended.code == 0, ended.err
    known = ended.json()
    layers = {layer["name"].partition("/")[2]: layer for layer in known["layers"]}
    assert {layer["change"] for layer in known["layers"]} == {"kept"}
    assert layers["wide_1/MatMul"]["agreement"] == "equal"
    assert layers["narrow_1/MatMul"]["snr_db"] < 10
    assert known["times"]["method"] == "profiler"
    shown = workbench("inside", "broken.onnx", *words, folder=tmp_path, WORKBENCH_SCHEDULER=scheduler)
    assert shown.code == 0, shown.err
    assert "narrow/MatMul" in shown.out
    assert "Most error arises in narrow/MatMul" in shown.out
    assert "add up to" in shown.out
