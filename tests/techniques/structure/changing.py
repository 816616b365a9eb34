"""Models, and how techniques that change a trained model are applied to them and run as plain code."""

from datetime import UTC, datetime

import numpy as np

from tests.techniques.applying import write_bundle
from tests.techniques.plain_process import run_scripts
from workbench.api.technique import CodePaths, Context
from workbench.api.variant import Variant
from workbench.models.reading.description import describe_keras


def parent_of(model, folder):
    """A saved model as a variant."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.keras"
    model.save(path)
    return Variant(
        id="1",
        name="baseline",
        format="keras",
        path=path,
        sha256="",
        runtime="keras.function",
        description=describe_keras(model),
        created=datetime.now(UTC),
    )


def apply(technique, parent, dataset, folder, reporter, **parameters):
    """Applies a technique, an instance, and loads what it made."""
    import keras

    values = technique.parameters_type.model_validate(parameters)
    assert technique.obstacle(parent, dataset.info, values) is None
    folder.mkdir()
    applied = technique.apply(
        Context(parent=parent, dataset=dataset, folder=folder, report=reporter, seed=0), values
    )
    assert reporter.fractions == sorted(reporter.fractions)
    assert reporter.fractions[-1] == 1.0
    return applied, keras.models.load_model(applied.path, compile=False)


def twin(technique, parent, dataset, folder, **parameters):
    """Runs the plain code in a fresh process and loads what it made."""
    return twins([(technique, parent, parameters)], dataset, folder)[0]


def twins(scripts, dataset, folder):
    """Runs plain code of (technique, parent, parameters), one after the other, in one fresh process."""
    import keras

    folder.mkdir()
    dataset.save_npz(folder / "data.npz")
    files = []
    for number, (technique, parent, parameters) in enumerate(scripts):
        values = technique.parameters_type.model_validate(parameters)
        paths = CodePaths(model=str(parent.path), output=f"optimized{number}")
        script = technique.code(parent, values, paths)
        files.append(write_bundle(script, folder, f"script{number}.py"))
    done = run_scripts(files, folder, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")
    assert done.returncode == 0, done.stderr[-3000:]
    return [
        keras.models.load_model(folder / f"optimized{number}.keras", compile=False)
        for number in range(len(scripts))
    ]


def assert_same_weights(mine, theirs, rtol=1e-3, atol=1e-4):
    for ours, plain in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=rtol, atol=atol)


def accuracy(model, dataset, split="test"):
    scores = np.asarray(model(np.array(dataset.x(split)), training=False))
    return float((scores.argmax(-1) == dataset.y(split)).mean())


def train(model, dataset, epochs=8, rate=2e-3):
    """Trains a model on the digits."""
    import keras

    keras.utils.set_random_seed(3)
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.array(dataset.x("train")), np.array(dataset.y("train")), epochs=epochs, verbose=0)
    return model
