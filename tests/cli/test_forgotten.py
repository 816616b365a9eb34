"""``workbench forgotten`` on real files."""

from __future__ import annotations

import pytest

from tests import small_models
from tests.cli.conftest import workbench

pytestmark = pytest.mark.slow


def test_two_files_are_told_apart_by_what_they_forgot(tmp_path, scheduler):
    import numpy as np

    from workbench.models.converting.conversion import to_onnx

    model = small_models.train(small_models.build("dense"), "dense")
    to_onnx(model, tmp_path / "model.onnx")
    kernel, bias = model.get_layer("wide").get_weights()
    kernel[:8] = 0  # forgets these columns
    model.get_layer("wide").set_weights([kernel, bias])
    to_onnx(model, tmp_path / "broken.onnx")
    x, y = small_models.features("dense", 200)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    words = ("forgotten", "broken.onnx", "--data", "data.npz", "--against", "model.onnx")
    ended = workbench(*words, "--json", folder=tmp_path, WORKBENCH_SCHEDULER=scheduler)
    assert ended.code == 0, ended.err
    known = ended.json()
    drift, lost = known["drift"], known["losses"]
    assert drift["perturbations"]["method"] == "permutations"
    assert drift["itself"]["low"] == drift["itself"]["high"] == 1
    assert drift["correlation"]["high"] < 1
    assert {one["peaks"][1][0] >= 8 for one in drift["drifted"]} == {True}
    assert (
        lost["lost"]
        == sum(one["lost"] for one in lost["classes"])
        == sum(one["lost"] for one in lost["confidence"])
    )
    shown = workbench(*words, folder=tmp_path, WORKBENCH_SCHEDULER=scheduler)
    assert shown.code == 0, shown.err
    assert "Calibration error" in shown.out
    assert "against itself, same perturbations" in shown.out
    assert "Most important column" in shown.out
