"""What a variant looks at, on real small files and where it can be reckoned by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import spearmanr

from workbench.api.dataset import Dataset, DatasetInfo
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.jobs.reporter import SilentReporter
from workbench.measure.forgotten.explaining import compare_maps, perturbed_answers
from workbench.measure.forgotten.methods import method_of, plan_perturbations
from workbench.measure.forgotten.perturbing import perturbed_features, perturbing
from workbench.measure.forgotten.ranks import rank_correlation
from workbench.measure.forgotten.records import Perturbations
from workbench.measure.latency import Candidate

SIDE, PATCH = 24, 8
RUNTIMES = {"keras": "keras.function", "tflite": "litert", "onnx": "onnxruntime", "openvino": "openvino"}


def write(folder, splits, *, task="classification", classes=("none", "rows", "columns"), is_image=False):
    """A prepared data set; ``splits``: samples and labels by name."""
    folder.mkdir(parents=True)
    for split, (x, y) in splits.items():
        np.save(folder / f"x_{split}.npy", x)
        np.save(folder / f"y_{split}.npy", y)
    x = splits["test"][0]
    numbers = x if x.dtype.kind != "U" else np.zeros(1)
    info = DatasetInfo(
        name="written",
        input_shapes={"": x.shape[1:]},
        classes=classes,
        counts={split: len(y) for split, (_, y) in splits.items()},
        class_counts={split: (1,) * len(classes) for split in splits},
        scaling=say("none"),
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
        is_image=is_image,
        seed=0,
        sha256="0" * 64,
        task=task,
    )
    (folder / "dataset.json").write_text(json.dumps(info.model_dump(mode="json")))
    return Dataset(folder)


def planted(count, seed):
    """Noise with a striped patch somewhere: in rows, in columns, or none. Also where the patches are."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.05, (count, SIDE, SIDE, 1)).astype(np.float32)
    labels = rng.integers(0, 3, count)
    corners = rng.integers(0, SIDE - PATCH + 1, (count, 2))
    stripes = np.repeat((np.arange(PATCH) // 2 % 2)[:, None], PATCH, axis=1).astype(np.float32)
    for picture, label, (top, left) in zip(x, labels, corners, strict=True):
        if label:
            picture[top : top + PATCH, left : left + PATCH, 0] += stripes if label == 1 else stripes.T
    return x, labels.astype(np.int64), corners


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A small CNN that finds the patch, in four formats, with its data."""
    import keras
    from keras import layers

    from workbench.models.converting.conversion import to_onnx, to_openvino, to_tflite

    folder = tmp_path_factory.mktemp("planted")
    splits = {
        name: planted(count, seed)
        for seed, (name, count) in enumerate({"train": 600, "validation": 60, "test": 60}.items())
    }
    data = write(folder / "data", {name: found[:2] for name, found in splits.items()}, is_image=True)
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Conv2D(12, 3, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(*splits["train"][:2], epochs=12, batch_size=32, verbose=0)
    model.save(folder / "model.keras")
    files = {
        "keras": folder / "model.keras",
        "tflite": to_tflite(model, folder / "model.tflite"),
        "onnx": to_onnx(model, folder / "model.onnx"),
        "openvino": to_openvino(model, folder / "model"),
    }
    answers = model.predict(splits["test"][0], verbose=0)
    assert (answers.argmax(axis=1) == splits["test"][1]).mean() > 0.9
    plan = plan_perturbations("masks", data.info, answers, seed=0)
    return SimpleNamespace(
        data=data, model=model, files=files, plan=plan, corners=splits["test"][2], answers=answers
    )


def scores_of(predict, plan, data):
    """What a model in this process answers to perturbed samples."""
    outputs = predict(np.asarray(perturbed_features(plan, data)))
    forms = perturbing(plan, data).per_sample
    return outputs[np.arange(len(outputs)), np.repeat(plan.targets, forms)].reshape(-1, forms)


def test_four_formats_of_one_model_look_at_the_same_and_a_file_at_exactly_the_same(pictures):
    plan = pictures.plan.model_copy(
        update={"samples": pictures.plan.samples[:12], "targets": pictures.plan.targets[:12]}
    )

    def answers(kind, plan=plan):
        file = Candidate(variant=kind, path=pictures.files[kind], runtime=RUNTIMES[kind])
        return perturbed_answers(SilentReporter(), file, pictures.data.folder, False, plan)

    reference = answers("keras")
    again = {
        "reference": reference,
        "again": answers("keras"),
        "otherwise": answers("keras", plan.otherwise()),
    }
    for kind in ("tflite", "onnx", "openvino"):
        drift, maps = compare_maps(
            SilentReporter(), kind, "keras", pictures.data.folder, plan, {**again, "variant": answers(kind)}
        )
        assert drift.correlation.value == pytest.approx(1, abs=1e-3)
        assert drift.itself.value == drift.itself.low == drift.itself.high == 1
        assert drift.otherwise.high < drift.correlation.low
        assert maps["before"].shape == maps["after"].shape == (len(drift.drifted), SIDE, SIDE)
        assert all(one.correlation < 1 for one in drift.drifted)
    tflite = answers("tflite")
    drift, _ = compare_maps(
        SilentReporter(),
        "a",
        "b",
        pictures.data.folder,
        plan,
        {"reference": tflite, "variant": answers("tflite"), "again": tflite},
    )
    assert drift.correlation.value == 1
    assert not drift.drifted
    assert drift.otherwise is None
    constant = np.full_like(tflite, 0.5)
    collapsed, _ = compare_maps(
        SilentReporter(),
        "a",
        "b",
        pictures.data.folder,
        plan,
        {"reference": tflite, "variant": constant, "again": tflite},
    )
    assert (collapsed.correlation.value, collapsed.samples, collapsed.flat) == (0, 12, 0)


def test_more_noise_is_more_drift(pictures):
    plan, data = pictures.plan, pictures.data
    before = perturbing(plan, data).maps(scores_of(pictures.model.predict_on_batch, plan, data))
    weights = pictures.model.get_weights()
    rng = np.random.default_rng(0)
    directions = [rng.normal(size=array.shape) * array.std() for array in weights]
    found = []
    try:
        for level in (0.0, 0.05, 0.15, 0.4, 1.0):
            pictures.model.set_weights([a + level * d for a, d in zip(weights, directions, strict=True)])
            after = perturbing(plan, data).maps(scores_of(pictures.model.predict_on_batch, plan, data))
            found.append(np.mean([rank_correlation(a, b) or 0 for a, b in zip(before, after, strict=True)]))
    finally:
        pictures.model.set_weights(weights)
    assert found[0] == 1
    assert all(np.diff(found) < 0), found


def test_the_map_is_highest_where_the_patch_is(pictures):
    plan, data = pictures.plan, pictures.data
    found = np.flatnonzero((pictures.answers.argmax(axis=1) == data.y("test")) & (data.y("test") > 0))
    plan = plan.model_copy(
        update={
            "samples": tuple(map(int, found)),
            "targets": tuple(map(int, data.y("test")[found])),
            "count": 1000,
        }
    )
    maps = perturbing(plan, data).maps(scores_of(pictures.model.predict_on_batch, plan, data))
    peaks = np.array([np.unravel_index(one.argmax(), one.shape) for one in maps])
    inside = ((peaks >= pictures.corners[found]) & (peaks < pictures.corners[found] + PATCH)).all(axis=1)
    assert len(found) >= 20
    assert inside.mean() >= 0.95, inside


def test_rank_correlation_is_scipy_s():
    rng = np.random.default_rng(1)
    for levels in (3, 20, 10_000):
        one, other = rng.integers(0, levels, (2, 7, 30)).astype(float)
        one[0, 0] = np.nan
        known = ~np.isnan(one)
        expected = spearmanr(one[known], other[known]).statistic
        assert rank_correlation(one, other) == pytest.approx(expected, abs=1e-12)
        assert rank_correlation(one, one) == 1
    assert rank_correlation(np.ones(5), np.arange(5)) is None


def test_a_linear_model_of_a_table_has_the_closed_form(tmp_path):
    rng = np.random.default_rng(2)
    weights, x = rng.normal(size=6), rng.normal(size=(20, 6)).astype(np.float32)
    background = np.tile(rng.normal(size=6).astype(np.float32), (5, 1))
    y = np.zeros((20, 1), np.float32)
    same = write(
        tmp_path / "same",
        {"test": (x, y), "validation": (background, y[:5]), "train": (x, y)},
        task="regression",
        classes=(),
    )
    mixed = write(
        tmp_path / "mixed",
        {"test": (x, y), "validation": (x[::-1] * 2, y), "train": (x, y)},
        task="regression",
        classes=(),
    )
    plan = plan_perturbations("permutations", same.info, x @ weights, seed=0)

    def predict(rows):
        return (rows.astype(float) @ weights)[:, None]

    maps = perturbing(plan, same).maps(scores_of(predict, plan, same))
    np.testing.assert_allclose(maps, weights * (x[list(plan.samples)] - background[0]), atol=1e-5)
    # Whatever the background: what all values add is what the answer differs by.
    scores = scores_of(predict, plan, mixed)
    starts = scores.reshape(20, plan.count, 7)[:, :, 0].mean(axis=1)
    whole = predict(x[list(plan.samples)])[:, 0]
    np.testing.assert_allclose(perturbing(plan, mixed).maps(scores).sum(axis=1), whole - starts, atol=1e-5)


def test_series_tokens_and_words_are_found_where_they_matter(tmp_path):
    rng = np.random.default_rng(3)
    y = np.zeros((9, 1), np.float32)
    series = rng.normal(3, 1, (9, 40, 2)).astype(np.float32)
    ids = np.array([[4, 1, 3, 0, 0], [2, 2, 5, 1, 0], [1, 2, 3, 4, 5]], np.int32)
    texts = np.array([["a fine good day"], ["good good"], ["day"]])
    worth = {"a": 1.0, "fine": 2.0, "good": 4.0, "day": 8.0}
    cases = {
        "windows": (series, lambda rows: rows[:, 10:14].sum(axis=(1, 2))),
        "tokens": (ids, lambda rows: (rows * np.array([1, 1, 1, 1, 1])).sum(axis=1).astype(float)),
        "words": (texts, lambda rows: np.array([sum(worth[w] for w in t.split()) for t in rows[:, 0]])),
    }
    maps = {}
    for method, (x, value) in cases.items():
        labels = y[: len(x)]
        data = write(
            tmp_path / method,
            dict.fromkeys(("train", "validation", "test"), (x, labels)),
            task="regression",
            classes=(),
        )
        plan = plan_perturbations(method, data.info, labels, seed=0)
        assert isinstance(plan, Perturbations)
        maps[method] = perturbing(plan, data).maps(
            scores_of(lambda rows, v=value: v(rows)[:, None], plan, data)
        )
    strong = np.abs(maps["windows"]).argmax(axis=1)
    assert ((strong >= 8) & (strong < 16)).all(), strong
    np.testing.assert_array_equal(maps["tokens"], np.where(ids == 0, np.nan, ids))
    np.testing.assert_array_equal(
        maps["words"], [[1, 2, 4, 8], [4, 4, np.nan, np.nan], [8, np.nan, np.nan, np.nan]]
    )


def description(*roles):
    inputs = tuple(TensorSpec(name=f"i{n}", shape=(3,), role=role) for n, role in enumerate(roles))
    return ModelDescription(inputs=inputs, outputs=(TensorSpec(name="y", shape=(3,)),))


def test_what_cannot_be_perturbed_is_refused_with_the_reason(tmp_path):
    x, y = np.zeros((4, 3, 3, 7), np.float32), np.zeros(4, np.int64)
    info = write(tmp_path / "d", dict.fromkeys(("train", "validation", "test"), (x, y))).info
    volumes = method_of(description("numbers"), info)
    assert isinstance(volumes, Text)
    assert "axes" in str(volumes)
    places = method_of(description("numbers"), info.model_copy(update={"task": "per position"}))
    assert "every position" in str(places)
    both = info.model_copy(update={"input_shapes": {"a": (4,), "b": (8, 8, 1)}})
    assert "2 inputs" in str(method_of(description("numbers", "numbers"), both))
    masked = info.model_copy(update={"input_shapes": {"ids": (6,), "mask": (6,)}})
    assert method_of(description("ids", "raw numbers"), masked) == "tokens"
    columns = info.model_copy(update={"input_shapes": {"a": (1,), "b": (1,)}})
    assert method_of(description("numbers", "raw numbers"), columns) == "permutations"
    vectors = info.model_copy(update={"task": "agreement", "input_shapes": {"": (3,)}})
    assert "no classes" in str(plan_perturbations("permutations", vectors, np.full((4, 3), 5.0), 0))
