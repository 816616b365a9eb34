from __future__ import annotations

import numpy as np
import pytest

from tests.techniques.applying import apply, run_code

NAME = "training.retrain"

RECIPES = {
    "smooth": (
        "dense",
        {
            "start": "new weights",
            "optimizer": "AdamW",
            "schedule": "warm-up and cosine",
            "find_learning_rate": True,
            "label_smoothing": 0.1,
            "class_weights": "balanced",
            "clip_norm": 1.0,
            "noise": 0.1,
            "mixup": 0.2,
            "epochs": 2,
        },
    ),
    "pictures": (
        "conv",
        {
            "optimizer": "SGD",
            "schedule": "one-cycle",
            "momentum": 0.8,
            "learning_rate": 0.01,
            "flip": "horizontal",
            "shift": 0.1,
            "rotation": 10.0,
            "cutout": 0.3,
            "ema": 0.9,
            "accumulation": 2,
            "epochs": 2,
        },
    ),
    "half": (
        "dense",
        {
            "optimizer": "Muon",
            "schedule": "step",
            "learning_rate": 0.01,
            "weight_decay": 0.01,
            "precision": "mixed_float16",
            "epochs": 2,
        },
    ),
    "seeds": (
        "dense",
        {
            "start": "new weights",
            "optimizer": "Lion",
            "schedule": "cosine",
            "seeds": 2,
            "steps_per_call": 2,
            "input_pipeline": "from file",
            "epochs": 2,
        },
    ),
}


@pytest.fixture(scope="module")
def twins(parents, tmp_path_factory):
    """What each recipe's plain code writes; all run in one process."""
    folder = tmp_path_factory.mktemp("twins")
    run_code(
        [(NAME, *parents(kind), values, name) for name, (kind, values) in RECIPES.items()], folder / "run"
    )
    return folder / "run"


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_plain_code_gives_the_same_weights(name, twins, parents, tmp_path):
    import keras

    kind, values = RECIPES[name]
    applied = apply(NAME, *parents(kind), tmp_path / "out", **values)
    ours = keras.models.load_model(applied.path, compile=False)
    theirs = keras.models.load_model(twins / f"{name}.keras", compile=False)
    before = keras.models.load_model(parents(kind)[0].path, compile=False)
    pairs = list(zip(ours.get_weights(), theirs.get_weights(), before.get_weights(), strict=True))
    assert {mine.dtype for mine, _, _ in pairs} == {np.dtype(np.float32)}
    moved = max(np.abs(mine - old).max() for mine, _, old in pairs)
    apart = max(np.abs(mine - other).max() for mine, other, _ in pairs)
    # The averages and 16-bit sums are rounded at other places.
    assert apart < (0.05 if "precision" in values else 1e-3) * moved
    assert {layer.dtype_policy.name for layer in ours.layers} == {"float32"}
