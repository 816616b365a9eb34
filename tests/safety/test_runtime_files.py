"""Hostile .tflite and .onnx files: each runs in a process of its own, which may die; ours may not."""

from collections import Counter

import pytest

from tests.safety.hostile import Quiet, mutants
from workbench.api.errors import WorkbenchError
from workbench.jobs.child_process import ChildLimits, run_limited
from workbench.models.intake.intake import open_model
from workbench.models.intake.trial import from_line

MUTANTS = 1000
AGAIN = "Copy or export it again."
SINGLE = "Save it as one file: onnx.save_model(model, path, save_as_external_data=False)."


@pytest.fixture(scope="session")
def converted(keras, tmp_path_factory):
    """A folder with small.tflite, small_int8.tflite and small.onnx of one convolutional model."""
    import contextlib
    import io
    import warnings

    import numpy as np
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("converted")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1), name="picture", batch_size=1),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    samples = np.random.default_rng(0).random((8, 1, 6, 6, 1), dtype=np.float32)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the converters' own, while the good files are made
        model.export(folder / "saved", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
        (folder / "small.tflite").write_bytes(converter.convert())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        (folder / "small_int8.tflite").write_bytes(converter.convert())
        model(samples[0])
        model.export(folder / "small.onnx", format="onnx", verbose=False)
    return folder


def outcomes(folder, form, contents):
    """How each file ended: ``fine``, ``error``, or the signal that killed the process it ran in."""
    paths = []
    for number, content in enumerate(contents):
        paths.append(folder / f"{number}.{form}")
        paths[-1].write_bytes(content)
    limits = ChildLimits(address_space_bytes=4 << 30, cpu_seconds=60, wall_seconds=1500)
    found = []
    while len(found) < len(paths):
        rest = [str(path) for path in paths[len(found) :]]
        ended = run_limited("workbench.models.intake.trial", [form, *rest], limits, Quiet())
        found += [outcome(line) for line in ended.output.splitlines() if line.startswith('{"')]
        if len(found) < len(paths):
            # the process ended on the next file: contained, and counted as such
            assert ended.signal_name or ended.code, "the process ended well before its last file"
            found.append(ended.signal_name or f"status {ended.code}")
    return found


def outcome(line):
    try:
        from_line(line)
    except WorkbenchError as error:
        words = str(error)
        assert words
        assert "Traceback" not in words
        assert len(words) < 600
        return "error"
    return "fine"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small.tflite", "small_int8.tflite", "small.onnx"])
def test_mutants_are_contained(name, converted, tmp_path):
    good = (converted / name).read_bytes()
    found = outcomes(tmp_path, name.rpartition(".")[2], [good, *mutants(good, MUTANTS, seed=20)])
    assert len(found) == MUTANTS + 1
    assert found[0] == "fine"
    counts = Counter(found)
    assert counts["error"] > 0
    # a changed weight still runs
    assert counts["fine"] > MUTANTS // 10


@pytest.mark.parametrize("name", ["small.tflite", "small.onnx"])
def test_good_files_open_for_measuring(name, converted, tmp_path):
    opened = open_model(Quiet(), converted / name, tmp_path / "store")
    form = name.rpartition(".")[2]
    assert opened.path == tmp_path / "store" / f"model.{form}"
    assert opened.path.read_bytes() == (converted / name).read_bytes()
    assert (opened.format, opened.needs_tensorflow) == (form, False)
    assert opened.description.inputs[0].shape == (6, 6, 1)
    # 4 x 9 + 4, 16 x 100 + 100, 300 + 3; a converter may drop a bias that is zero
    assert 1936 <= opened.description.parameters <= 2043
    assert not opened.description.from_logits


def test_a_crash_of_the_runtime_is_one_clear_error(tmp_path, said, monkeypatch):
    """A file that kills the interpreter; here the kill is certain, in the mutants it is by chance."""
    from workbench.models.intake import trial

    real = trial.run_limited
    monkeypatch.setattr(
        trial,
        "run_limited",
        lambda module, arguments, limits, report: real(
            "tests.safety.crashing_program", arguments, limits, report
        ),
    )
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(100))
    assert said(path) == (
        "InvalidInput: LiteRT crashed on bad.tflite (SIGFPE); the crash was contained. "
        "It is damaged or hostile: do not use it."
    )


def test_truncated_files_at_every_tenth(converted, tmp_path):
    for name in ("small.tflite", "small.onnx"):
        good = (converted / name).read_bytes()
        cuts = [good[: len(good) * tenth // 10] for tenth in range(1, 10)]
        assert set(outcomes(tmp_path, name.rpartition(".")[2], cuts)) == {"error"}, name


def external(converted, location):
    import onnx

    model = onnx.load(converted / "small.onnx")
    tensor = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model.SerializeToString()


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd", "link.bin"])
def test_external_data_is_refused(location, converted, tmp_path, said):
    (tmp_path / "weights.bin").write_bytes(bytes(10_000))
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    path = tmp_path / "bad.onnx"
    path.write_bytes(external(converted, location))
    refused = f"Refused: bad.onnx keeps weights in other files (ONNX external data). {SINGLE}"
    assert said(path, trust=True) == refused


def test_external_data_in_a_constant_node_is_refused(converted, tmp_path, said):
    import onnx

    model = onnx.load(converted / "small.onnx")
    value = onnx.TensorProto(data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
    value.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["stolen"], value=value))
    path = tmp_path / "bad.onnx"
    path.write_bytes(model.SerializeToString())
    assert said(path) == f"Refused: bad.onnx keeps weights in other files (ONNX external data). {SINGLE}"


def test_an_onnx_operator_that_nobody_has(converted, tmp_path, said):
    import onnx

    model = onnx.load(converted / "small.onnx")
    model.graph.node[0].op_type = "RunProgram"
    model.graph.node[0].domain = "evil"
    model.opset_import.add(domain="evil", version=1)
    path = tmp_path / "bad.onnx"
    path.write_bytes(model.SerializeToString())
    words = said(path)
    assert words.startswith("InvalidInput: ONNX Runtime cannot run bad.onnx: ")
    assert "evil" in words
    assert words.endswith("If it ran elsewhere, copy or export it again.")


def test_an_onnx_file_that_is_something_else(tmp_path, said):
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"\x0a" * 100)
    assert said(path) == (
        "InvalidInput: bad.onnx cannot be read as an ONNX model: the file is damaged or of another kind. "
        f"{AGAIN}"
    )


def test_an_onnx_activation_bomb(tmp_path, said):
    """A tiny file whose one operator makes 64 GiB."""
    import onnx
    from onnx import TensorProto, helper

    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [1 << 17, 1 << 17])
    graph = helper.make_graph(
        [helper.make_node("Expand", ["x", "shape"], ["wide"]), helper.make_node("Identity", ["wide"], ["y"])],
        "bomb",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [shape],
    )
    path = tmp_path / "bomb.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    words = said(path)
    assert words.startswith("InvalidInput: ONNX Runtime cannot run bomb.onnx: ")
    assert words.endswith("If it ran elsewhere, copy or export it again.")
