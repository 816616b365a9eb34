"""Hostile .keras and .h5 files: the exact words that the user sees, and nothing stored."""

import json
import stat
import zipfile

import h5py
import pytest

from tests.safety.hostile import (
    LAMBDA,
    Quiet,
    archive,
    bomb,
    changed,
    hard_link_field,
    reconfigured,
    with_member,
)
from workbench.models.intake.intake import open_model

TRUST = "If you made this file or know who did, open it again and say that you trust it."
NO_LAMBDA = "Replace them by built-in layers or keras.ops, and save the model again."


def lambda_on_top(config):
    config["config"]["layers"].append(LAMBDA)


def lambda_in_nested_model(config):
    inner = {"module": "keras", "class_name": "Sequential", "config": {"name": "inner", "layers": [LAMBDA]}}
    config["config"]["layers"].insert(1, inner)


def lambda_in_time_distributed(config):
    wrapper = {
        "module": "keras.layers",
        "class_name": "TimeDistributed",
        "config": {"name": "each", "layer": LAMBDA},
    }
    config["config"]["layers"].insert(1, wrapper)


def lambda_as_activation(config):
    config["config"]["layers"][1]["config"].update(
        name="sneaky", activation={"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}
    )


def lambda_in_nested_compile_state(config):
    inner = {"module": "keras", "class_name": "Sequential", "config": {"name": "sneaky", "layers": []}}
    inner["compile_config"] = {"loss": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}}
    config["config"]["layers"].insert(1, inner)


@pytest.mark.parametrize(
    "edit",
    [
        lambda_on_top,
        lambda_in_nested_model,
        lambda_in_time_distributed,
        lambda_as_activation,
        lambda_in_nested_compile_state,
    ],
)
def test_lambda_is_refused_wherever_it_hides(edit, good, tmp_path, said):
    path = reconfigured(good / "good.keras", tmp_path / "bad.keras", edit)
    refused = f"Refused: bad.keras has Lambda layers, which carry Python code: sneaky. {NO_LAMBDA}"
    assert said(path) == f"{refused} {TRUST}"
    # a shared page has no such switch, and does not mention it
    assert said(path, shared=True, trust=True) == refused


def test_lambda_in_h5_is_refused(good, tmp_path, said):
    path = tmp_path / "bad.h5"
    path.write_bytes((good / "good.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        lambda_in_nested_model(config)
        file.attrs["model_config"] = json.dumps(config)
    assert (
        said(path)
        == f"Refused: bad.h5 has Lambda layers, which carry Python code: sneaky. {NO_LAMBDA} {TRUST}"
    )


def test_a_trusted_lambda_opens_and_is_named_as_what_it_is(keras, tmp_path):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2.0), keras.layers.Dense(2)]
    )
    model.save(tmp_path / "own.keras")
    opened = open_model(Quiet(), tmp_path / "own.keras", tmp_path / "store", trust=True)
    assert [layer.kind for layer in opened.description.layers] == ["Lambda", "Dense"]
    assert (
        str(opened.notes[0])
        == "Read by Keras 3, which may run code of this file: you said that you trust it."
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"module": "os", "class_name": "system", "config": {"name": "x"}, "registered_name": None},
            "needs classes or functions of your own, which cannot be imported here: system. Replace them by "
            "built-in layers or keras.ops in a functional model, and save it again.",
        ),
        (
            {"module": None, "class_name": "Mine", "config": {"name": "x"}, "registered_name": "my>Mine"},
            "needs classes or functions of your own, which cannot be imported here: my>Mine. Replace them by "
            "built-in layers or keras.ops in a functional model, and save it again.",
        ),
        (
            {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
            "needs classes or functions of your own, which cannot be imported here: eval. Replace them by "
            "built-in layers or keras.ops in a functional model, and save it again.",
        ),
        (
            {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}},
            "needs classes or functions of your own, which cannot be imported here: get_file. "
            "Replace them by built-in layers or keras.ops in a functional model, and save it again.",
        ),
        (
            {
                "module": "keras.layers",
                "class_name": "TFOpLambda",
                "config": {"name": "written", "function": "io.write_file"},
            },
            "has layers that run code from outside Keras: written (TFOpLambda). Rebuild the model from Keras "
            "layers and keras.ops, and save it again.",
        ),
        (
            {
                "module": "antigravity",
                "class_name": "TFOpLambda",
                "config": {"name": "added", "function": "math.add"},
            },
            "has layers that run code from outside Keras: added (TFOpLambda). Rebuild the model from Keras "
            "layers and keras.ops, and save it again.",
        ),
        (
            {
                "module": "keras.layers",
                "class_name": "TFSMLayer",
                "config": {"name": "graph", "filepath": "/x"},
            },
            "has layers that run code from outside Keras: graph (TFSMLayer). Rebuild the model from Keras "
            "layers and keras.ops, and save it again.",
        ),
    ],
)
def test_foreign_classes_are_named(entry, words, good, tmp_path, said):
    path = reconfigured(
        good / "good.keras", tmp_path / "bad.keras", lambda config: config["config"]["layers"].append(entry)
    )
    if "of your own" in words:
        words += " Or give the Python file that defines them: --code layers.py, or code='layers.py'."
    assert said(path) == f"Refused: bad.keras {words}"
    assert said(path, trust=True) == f"Refused: bad.keras {words}"


def test_a_vocabulary_from_a_file_is_refused(good, tmp_path, said):
    lookup = {
        "module": "keras.layers",
        "class_name": "StringLookup",
        "config": {"name": "words", "vocabulary": "/etc/passwd"},
    }
    path = reconfigured(
        good / "good.keras", tmp_path / "bad.keras", lambda config: config["config"]["layers"].append(lookup)
    )
    assert said(path) == (
        "Refused: Layer words in bad.keras reads its vocabulary from a file. "
        "Pass the vocabulary as a list and save the model again."
    )


@pytest.mark.parametrize(
    ("side", "words"),
    [
        (
            16384,
            "declares 1.0 GiB of weights and holds only {held}. "
            "Reading it would fill the memory: do not open this file.",
        ),
        (46341, "declares 8.0 GiB of weights; the limit is 4.0 GiB."),
    ],
)
def test_shape_bombs_are_refused_unread(side, words, good, tmp_path, said):
    content = bomb(side)
    path = changed(good / "good.keras", tmp_path / "bomb.keras", compress=True, weights=content)
    assert path.stat().st_size < 12_000
    held = f"{min(path.stat().st_size, len(content)) / 1024:.1f} KiB"
    assert said(path) == f"Refused: model.weights.h5 in bomb.keras {words.format(held=held)}"


@pytest.mark.parametrize(
    ("name", "mode", "extra", "shown", "reason"),
    [
        ("../evil.py", 0o100644, b"", "'../evil.py'", "a path out of the archive"),
        ("assets/../../evil.py", 0o100644, b"", "'assets/../../evil.py'", "a path out of the archive"),
        ("/etc/cron.d/evil", 0o100644, b"", "'/etc/cron.d/evil'", "an absolute path"),
        ("C:/evil.exe", 0o100644, b"", "'C:/evil.exe'", "an absolute path"),
        ("..\\evil.py", 0o100644, b"", "'..\\\\evil.py'", "a backslash in its name"),
        ("assets/link", stat.S_IFLNK | 0o777, b"", "'assets/link'", "a symbolic link"),
        ("assets/link", 0o100644, hard_link_field(), "'assets/link'", "a hard link"),
        ("assets/pipe", stat.S_IFIFO | 0o644, b"", "'assets/pipe'", "no regular file"),
    ],
)
def test_archive_members_that_reach_outside(name, mode, extra, shown, reason, good, tmp_path, said):
    path = with_member(good / "good.keras", tmp_path / "bad.keras", name, mode, extra)
    assert said(path) == (
        f"Refused: The archive bad.keras has a member that Keras never writes: {shown} ({reason}). "
        "Do not open this file."
    )


def test_two_members_of_one_name(good, tmp_path, said):
    path = tmp_path / "bad.keras"
    path.write_bytes((good / "good.keras").read_bytes())
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("config.json", "{}")
    assert said(path) == "Refused: The archive bad.keras holds two files of one name. Do not open this file."


def test_300_mb_of_spaces(good, tmp_path, said):
    path = changed(good / "good.keras", tmp_path / "big.keras", compress=True, config=b" " * 300_000_000)
    assert path.stat().st_size < 400_000
    assert said(path) == (
        "Refused: config.json in big.keras takes 286.1 MiB; the limit is 32.0 MiB. "
        "No model needs that: do not open this file."
    )


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_json(start, end, depth, good, tmp_path, said):
    deep = (start * depth + "1" + end * depth).encode()
    path = changed(good / "good.keras", tmp_path / "deep.keras", config=deep)
    assert said(path) == (
        "Refused: config.json in deep.keras is nested deeper than 200 levels. "
        "No model needs that: do not open this file."
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            None,
            "The archive bad.keras has no config.json, so the architecture is missing. "
            "Save the whole model with model.save('model.keras').",
        ),
        (b"{", "config.json in bad.keras is no valid JSON. Save the model again with model.save."),
        (b"\xff\xfe\x00", "config.json in bad.keras is no valid JSON. Save the model again with model.save."),
        (
            b"[" + b"9" * 5000 + b"]",
            "config.json in bad.keras is no valid JSON. Save the model again with model.save.",
        ),
        (b"[]", "bad.keras holds no model configuration. Save the whole model with model.save."),
        (b"{}", "bad.keras holds no model configuration. Save the whole model with model.save."),
    ],
)
def test_missing_or_broken_configuration(config, words, good, tmp_path, said):
    path = changed(good / "good.keras", tmp_path / "bad.keras", config=config)
    assert said(path) == f"InvalidInput: {words}"


def test_missing_weights(good, tmp_path, said):
    path = changed(good / "good.keras", tmp_path / "bad.keras", weights=None)
    assert said(path) == (
        "InvalidInput: The archive bad.keras has no model.weights.h5, so the weights are missing. "
        "Save the whole model with model.save('model.keras')."
    )


@pytest.mark.parametrize(("units", "shown"), [(2e9, "2,000,000,000.0"), (2_000_000_000, "2,000,000,000")])
def test_two_billion_units(units, shown, good, tmp_path, said):
    def edit(config):
        config["config"]["layers"][1]["config"]["units"] = units

    path = reconfigured(good / "good.keras", tmp_path / "wide.keras", edit)
    assert said(path) == (
        f"Refused: Layer hidden in wide.keras declares units = {shown}, but the longest axis of any stored "
        "weight is 8 and all of them hold 83 numbers. "
        "Building it would fill the memory: do not open this file."
    )


def test_many_units_that_each_would_pass(good, tmp_path, said):
    def edit(config):
        layers = config["config"]["layers"]
        layers[1]["config"]["units"] = 4096
        layers[2]["config"]["units"] = 4096
        layers[2]["build_config"] = {"input_shape": [None, 4096]}

    path = reconfigured(good / "good.keras", tmp_path / "wide.keras", edit)
    assert said(path).startswith("Refused: Layer hidden in wide.keras declares units = 4,096, but")


def test_activations_that_would_fill_the_memory(keras, tmp_path, said):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.RepeatVector(2**27, name="again"), keras.layers.GlobalMaxPooling1D()]
    )
    model.save(tmp_path / "wide.keras")
    assert said(tmp_path / "wide.keras") == (
        "Refused: Layer again in wide.keras makes 536,870,912 numbers of a sample; the limit is 268,435,456. "
        "Running it would fill the memory."
    )


@pytest.mark.parametrize("name", ["good.keras", "good.h5"])
@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated_at_every_tenth(name, tenth, good, tmp_path, said):
    content = (good / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: len(content) * tenth // 10])
    assert said(path) == f"InvalidInput: {name} is damaged or cut short. Copy, download or save it again."


def test_an_archive_of_something_else(tmp_path, said):
    numpy = archive(tmp_path / "a.keras", {"x_train.npy": b"", "y_train.npy": b""})
    assert (
        said(numpy)
        == "InvalidInput: a.keras is a NumPy archive (.npz), not a model. Open it as data instead."
    )
    torch = archive(tmp_path / "b.keras", {"archive/data.pkl": b"", "archive/version": b"3"})
    assert (
        said(torch) == "InvalidInput: b.keras is a PyTorch file. Export the model to ONNX and open that file."
    )
    other = archive(tmp_path / "c.keras", {"photo.jpg": b""})
    assert said(other) == (
        "InvalidInput: c.keras is a zip archive without a Keras model in it. "
        "Open a .keras, .h5, .tflite or .onnx file."
    )


def test_weights_that_do_not_fit_the_architecture(good, tmp_path, said):
    def edit(config):
        config["config"]["layers"][2]["config"]["units"] = 4

    path = reconfigured(good / "good.keras", tmp_path / "odd.keras", edit)
    words = said(path)
    assert words.startswith("InvalidInput: Keras cannot read odd.keras: ")
    assert "save it there with model.save('model.h5'), and open that" in words
