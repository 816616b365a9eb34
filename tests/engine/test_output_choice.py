"""A model with several outputs through the whole engine: asked about, judged, followed to other runtimes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from workbench.api.errors import InvalidInput
from workbench.jobs.executor import Executor
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow


def test_the_judged_output_is_asked_for_and_followed(tmp_path: Path, executor: Executor) -> None:
    import keras
    from keras import initializers, layers

    samples = np.random.default_rng(0).normal(size=(400, 4)).astype(np.float32)
    labels = samples[:, :3].argmax(axis=1)
    x = keras.Input((4,), name="x")

    def head(order: list[int], activation: str | None) -> keras.KerasTensor:
        kernel = initializers.Constant(np.eye(4)[:, order])
        return layers.Dense(3, activation=activation, kernel_initializer=kernel)(x)

    model = keras.Model(
        x, {"aux": head([3, 1, 2], "softmax"), "main": head([0, 1, 2], None), "amount": layers.Dense(1)(x)}
    )
    with Workbench(tmp_path / "workbench", executor=executor) as workbench:
        with pytest.raises(
            InvalidInput, match=r"3 outputs: amount \(1\), aux \(3\), main \(3\). 2 of them fit"
        ):
            workbench.open(model, (samples, labels)).wait(300)
        assert workbench.variants == ()

        workbench.open(model, (samples, labels), output="aux").wait(300)
        workbench.apply("inference.runtime", runtime="onnxruntime").wait(300)
        test = workbench._queries.dataset
        outputs = model.predict(np.asarray(test.x("test")), verbose=0)
        right = f1_score(test.y("test"), outputs["aux"].argmax(axis=1), average="macro")
        assert 0.2 < right < 0.7
        rows = workbench.results()
        assert [row.variant.runtime for row in rows] == ["keras.function", "onnxruntime"]
        for row in rows:
            assert row.quality is not None
            assert row.quality.f1_macro.value == pytest.approx(right)
            assert "The output aux is judged, one of 3" in " ".join(map(str, row.variant.report.notes))
            assert not row.variant.description.from_logits
            (doubt,) = row.quality.warnings
            assert "The output main is right on 100%" in str(doubt)
            assert 'say output="main"' in str(doubt)
