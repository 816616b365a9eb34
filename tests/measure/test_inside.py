"""The inside of files: which layer is which, where error arises, and times that belong to layers."""

from __future__ import annotations

import numpy as np
import pytest

from tests import small_models
from tests.local_reporter import LocalReporter
from tests.techniques.applying import apply
from widgets.panels.inside_colors import deepest, error_cell
from workbench.api.errors import Refused
from workbench.api.variant import Layer, RuntimeSettings
from workbench.measure.inside.litert_cuts import plan_cuts, write_cuts
from workbench.measure.inside.matching import Side, match_layers
from workbench.measure.inside.names import counterparts, readable, step_of_each_layer, steps_of
from workbench.measure.inside.operations import layers_of_operations
from workbench.measure.inside.profiles import HALF_A_TICK_MS, middle_half, operation_times
from workbench.measure.inside.records import InsideLayer
from workbench.measure.inside.times import time_layers, times_obstacle
from workbench.measure.intermediate_tensors import LiteRTFile, Step
from workbench.measure.latency import Candidate
from workbench.models.reading.description import describe
from workbench.plain.litert.cutting import cut, operation_count
from workbench.runtimes import runtime

keras = pytest.importorskip("keras")
from workbench.models.converting.conversion import to_onnx, to_openvino, to_tflite
from workbench.plain.keras.batchnorm_folding import folded

FORMATS = {"keras": ".keras", "tflite": ".tflite", "onnx": ".onnx", "openvino": ""}
RUNTIMES = {"litert": "tflite", "onnxruntime": "onnx", "openvino": "openvino"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, and the same with a layer damaged, in all formats."""
    folder = tmp_path_factory.mktemp("inside")
    model = small_models.build("conv")
    broken = keras.models.clone_model(model)
    broken.set_weights(model.get_weights())
    layer = broken.get_layer("block")
    kernel, bias = layer.get_weights()
    layer.set_weights([np.random.default_rng(0).normal(size=kernel.shape) * kernel.std() * 3, bias])
    models = {"exact": model, "broken": broken}
    for name, one in models.items():
        one.save(folder / f"{name}.keras")
        to_tflite(one, folder / f"{name}.tflite")
        to_onnx(one, folder / f"{name}.onnx")
        to_openvino(one, folder / name)
    return folder, models


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return small_models.write_dataset("conv", tmp_path_factory.mktemp("data") / "d")


def side(folder, name, kind):
    path = folder / f"{name}{FORMATS[kind]}"
    return Side(path=path, layers=describe(path, kind).layers)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_layer_is_the_worst(files, dataset, kind):
    folder, models = files
    mine, theirs = side(folder, "broken", kind), side(folder, "exact", kind)
    given = (models["broken"], models["exact"]) if kind == "keras" else (None, None)
    matches, samples, unseen = match_layers(LocalReporter(), mine, theirs, dataset.folder, given)
    assert unseen is None
    assert samples == 32
    assert all(match.counterpart == row for row, match in enumerate(matches))
    worst = min(
        (row for row, one in enumerate(matches) if one.own_db is not None),
        key=lambda row: matches[row].own_db,
    )
    before = [row for row, one in enumerate(matches) if one.agreement == "equal"]
    assert before, "nothing was changed before it"
    assert max(before) < worst or kind != "keras"
    assert worst == min(row for row, one in enumerate(matches) if one.agreement == "measured")
    # On the page, where nobody reads decibels, it is the reddest, and no other one is as red.
    told = [
        InsideLayer(**{**layer.model_dump(), **match.model_dump(exclude={"counterpart"})})
        for layer, match in zip(mine.layers, matches, strict=True)
    ]
    heats = [error_cell(layer, deepest(told))["heat"] for layer in told]
    assert heats[worst] == max(heats)
    assert heats.count(heats[worst]) == 1
    assert error_cell(told[worst], deepest(told))["paint"] == "heat-4"
    if kind != "openvino":  # whose converter makes up the names of convolutions
        assert "block" in mine.layers[worst].name


@pytest.mark.parametrize("kind", FORMATS)
def test_the_bytes_of_the_layers_are_in_the_file(files, kind):
    folder, models = files
    one = side(folder, "exact", kind)
    weights = sum(layer.size_bytes for layer in one.layers)
    path = one.path
    held = sum(file.stat().st_size for file in path.rglob("*")) if path.is_dir() else path.stat().st_size
    assert 0 < held - weights < 60_000
    parameters = sum(layer.parameters for layer in one.layers)
    assert weights == 4 * parameters
    # Folding a normalization takes parameters away, and nothing adds any.
    assert 0.9 * models["exact"].count_params() < parameters <= models["exact"].count_params()


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_layer_has_a_time_or_runs_within_one_that_has(files, dataset, name):
    folder, _ = files
    one = side(folder, "exact", RUNTIMES[name])
    candidate = Candidate(variant="v", path=one.path, runtime=name, settings=RuntimeSettings())
    times = time_layers(LocalReporter(), candidate, one.layers, dataset.folder, 0)
    assert len(times.times_ms) == len(times.runs_in) == len(one.layers)
    for took, within in zip(times.times_ms, times.runs_in, strict=True):
        if within is not None:
            assert took is None
            assert times.times_ms[within] is not None
        if took is not None:
            assert took.low <= took.value <= took.high
    heavy = [row for row, layer in enumerate(one.layers) if layer.macs]
    assert heavy
    assert all(times.times_ms[row] is not None or times.runs_in[row] is not None for row in heavy)
    assert [one.name for one in times.between][:1] == [""]  # the call itself
    assert times.sum_ms.value > 0 < times.whole_ms.value
    assert times.method == {"litert": "cuts", "onnxruntime": "profiler", "openvino": "counters"}[name]


def test_a_cut_file_gives_what_the_whole_one_has_there(files, dataset, tmp_path):
    folder, _ = files
    file = (folder / "exact.tflite").read_bytes()
    whole = LiteRTFile(folder / "exact.tflite")
    sample = np.asarray(dataset.x("test")[:1])
    tensors = whole.run(sample)
    for count in (0, 1, operation_count(file) // 2, operation_count(file)):
        path = tmp_path / f"{count}.tflite"
        path.write_bytes(cut(file, count))
        session = runtime("litert").load(path, RuntimeSettings())
        given = session.infer(session.prepare(sample))
        made = {step.output for step in whole.steps[:count]}
        if not count:
            np.testing.assert_array_equal(given, sample)
        else:
            assert any(
                given.shape == value.shape and np.allclose(given, value, atol=1e-5)
                for name, value in tensors.items()
                if name in made
            )
        session.close()


def test_a_long_file_is_cut_where_little_is_computed(files, monkeypatch):
    folder, _ = files
    one = side(folder, "exact", "tflite")
    file = one.path.read_bytes()
    every = plan_cuts(file, one.layers)
    assert every.ends == (0, *range(1, operation_count(file) + 1))
    monkeypatch.setattr("workbench.measure.inside.litert_cuts.MOST_CUTS", 3)
    few = plan_cuts(file, one.layers)
    assert len(few.rows) == 3
    assert sorted(row for rows in few.rows for row in rows) == list(range(len(one.layers)))
    assert few.ends[-1] == operation_count(file)
    for rows in few.rows:
        assert (one.layers[rows[0]].macs or 0) == max(one.layers[row].macs or 0 for row in rows)
    with pytest.raises(Refused, match="description"):
        plan_cuts(file, one.layers[1:])


def test_a_normalization_that_was_folded_is_held_against_what_it_gave(files, dataset, tmp_path):
    _, models = files
    without, _, _ = folded(models["exact"])
    without.save(tmp_path / "folded.keras")
    models["exact"].save(tmp_path / "exact.keras")
    sides = [
        Side(path=tmp_path / f"{name}.keras", layers=describe(tmp_path / f"{name}.keras", "keras").layers)
        for name in ("folded", "exact")
    ]
    matches, _, unseen = match_layers(
        LocalReporter(), sides[0], sides[1], dataset.folder, (without, models["exact"])
    )
    assert unseen is None
    gone = {layer.name for layer in sides[1].layers} - {layer.name for layer in sides[0].layers}
    assert gone, "a normalization was folded"
    for match in matches:
        assert match.agreement in ("equal", "measured", None)
        if match.agreement == "measured":
            assert match.snr_db > 80  # rounding alone


@pytest.mark.parametrize(
    ("technique", "kind", "parameters"),
    [
        ("quantization.int8", "tflite", {"samples": 16}),
        ("quantization.float16", "tflite", {}),
        ("quantization.onnx_int8", "onnx", {"samples": 16}),
    ],
)
def test_the_layers_of_a_quantized_file_are_found(files, dataset, tmp_path, technique, kind, parameters):
    folder, models = files
    parent = small_models.baseline(models["exact"], folder / "exact.keras")
    applied = apply(technique, parent, dataset, tmp_path / "made", **parameters)
    mine = Side(path=applied.path, layers=describe(applied.path, kind).layers)
    matches, _, unseen = match_layers(LocalReporter(), mine, side(folder, "exact", kind), dataset.folder)
    assert unseen is None
    exact = side(folder, "exact", kind).layers
    heavy = [row for row, layer in enumerate(mine.layers) if layer.macs]
    assert len(heavy) == sum(1 for layer in exact if layer.macs)
    for row in heavy:
        counterpart = matches[row].counterpart
        assert counterpart is not None, mine.layers[row].name
        assert exact[counterpart].macs == mine.layers[row].macs
    seen = [one.snr_db for one in matches if one.agreement == "measured"]
    assert len(seen) >= 4
    assert min(seen) > 10  # rounding, and nothing that is another layer's
    if kind == "tflite":  # also the last part of a file whose weights are widened before their use
        file = applied.path.read_bytes()
        assert cut(file, 0) != cut(file, operation_count(file))
        cuts = plan_cuts(file, mine.layers)
        for path in write_cuts(file, cuts, tmp_path):
            session = runtime("litert").load(path, RuntimeSettings())
            assert session.infer(session.prepare(np.asarray(dataset.x("test")[:1]))).size
            session.close()


def test_names_of_a_quantized_file_and_of_another_conversion():
    exact = [
        Step("CONV_2D", ("x", "m_1/conv_1/convolution"), "m_1/relu_1/Relu;m_1/conv_1/BiasAdd"),
        Step("FULLY_CONNECTED", ("a", "m_1/dense_1/MatMul"), "m_1/dense_1/BiasAdd"),
        Step("SOFTMAX", ("b",), "StatefulPartitionedCall_1:0"),
    ]
    quantized = [
        Step("QUANTIZE", ("x",), "tfl.quantize"),
        Step("CONV_2D", ("tfl.quantize", "0"), "m_1/relu_1/Relu;m_1/conv_1/BiasAdd"),
        Step("FULLY_CONNECTED", ("a", "1"), "m_1/dense_1/BiasAdd"),
        Step("SOFTMAX", ("b",), "StatefulPartitionedCall_1:01"),
        Step("DEQUANTIZE", ("c",), "StatefulPartitionedCall_1:0"),
    ]
    assert counterparts(quantized, exact) == [None, 0, 1, 2, None]
    again = [
        Step("CONV_2D", ("x", "y"), "pruned_2/relu_2/Relu;pruned_2/conv_2/BiasAdd"),
        Step("FULLY_CONNECTED", ("a", "b"), "pruned_2/dense_2/BiasAdd"),
        Step("SOFTMAX", ("b",), "StatefulPartitionedCall_1:0"),
    ]
    assert counterparts(again, exact) == [0, 1, 2]
    # What two layers could stand for is put beside neither.
    twice = [again[0], Step("CONV_2D", (), "other_1/relu_1/Relu;x")]
    assert counterparts(twice, exact) == [None, None]
    # A convolution from which an activation was taken out gives what is called after that.
    plain = [
        Step("Conv", ("x", "m/stem_1/convolution/r:0"), "Conv__3:0", "Conv__3"),
        Step("Relu", ("Conv__3:0",), "m/relu_1/Relu:0", "m/relu_1/Relu"),
    ]
    for weights in ("m/stem_1/convolution/r:0_DequantizeLinear_Output", "31"):
        merged = [Step("Conv", ("x", weights), "m/relu_1/Relu:0_QuantizeLinear_Input", "Conv__3")]
        assert counterparts(merged, plain) == [0]
    # Numbers that a converter made up mean nothing, but their order does.
    numbered = [
        Step("Conv", ("x", "m/stem_1/convolution/r:0"), "Conv__7:0", "Conv__7"),
        Step("Transpose", ("x",), "Transpose__8:0", "Transpose__8"),
    ]
    others = [
        Step("Conv", ("x", "m/stem_1/convolution/r:0"), "Conv__3:0", "Conv__3"),
        Step("Transpose", ("x",), "Transpose__4:0", "Transpose__4"),
    ]
    assert counterparts(numbered, others) == [0, 1]
    assert counterparts(numbered, others[:1]) == [0, None]
    assert readable("m_1/conv_2_1/Relu;rest") == "conv_2/Relu"
    assert readable("StatefulPartitionedCall_1:0") == "output"
    assert readable("conv_2") == "conv_2"


def test_operations_are_put_to_the_layers_that_they_do(files):
    folder, _ = files
    one = side(folder, "exact", "onnx")
    steps = steps_of(one.path, one.layers)
    places = step_of_each_layer(one.layers, steps)
    assert None not in places
    conv = next(row for row, layer in enumerate(one.layers) if layer.kind == "Conv")
    after = next(row for row, step in enumerate(steps) if steps[places[conv]].output in step.inputs)
    # A convolution that was made one with what follows is called after that; nothing is lost.
    done = layers_of_operations(one.path, one.layers, {"fused": (steps[after].output,)})
    assert {conv, after} <= set(done["fused"])
    assert layers_of_operations(one.path, one.layers, {"Reorder": ("token",)}) == {"Reorder": ()}


def test_calls_of_the_profiler_are_told_apart():
    events = [
        {"cat": "Session", "name": "model_loading", "dur": 9},
        {"cat": "Node", "name": "a_kernel_time", "dur": 3},
        {"cat": "Node", "name": "a_fence_before", "dur": 8},
        {"cat": "Node", "name": "b_kernel_time", "dur": 1},
        {"cat": "Session", "name": "model_run", "dur": 9},
        {"cat": "Node", "name": "a_kernel_time", "dur": 5},
        {"cat": "Session", "name": "model_run", "dur": 9},
    ]
    calls = operation_times(events)
    assert calls == [
        {"a": 0.003 + HALF_A_TICK_MS, "b": 0.001 + HALF_A_TICK_MS},
        {"a": 0.005 + HALF_A_TICK_MS},
    ]
    slow = [{"a": 1.0, "b": 1.0}, {"a": 2.0, "b": 1.0}, {"a": 3.0, "b": 1.0}, {"a": 90.0, "b": 9.0}]
    assert middle_half(slow) == {"a": 2.5, "b": 1.0}


def test_who_tells_no_times_says_so():
    assert times_obstacle("litert", "tflite") is None
    assert times_obstacle("onnxruntime", "onnx") is None
    assert "one function" in str(times_obstacle("keras.function", "keras"))
    assert "other names" in str(times_obstacle("openvino", "tflite"))
    assert "tensorrt" in str(times_obstacle("tensorrt", "onnx"))


def test_the_edges_are_those_of_the_file(files):
    """As its own library tells them, not our reader."""
    folder, models = files

    def found(name, kind):
        description = describe(folder / f"{name}{FORMATS[kind]}", kind)
        places = {-1 - at: one.name for at, one in enumerate(description.inputs)}
        places |= {at: layer.name for at, layer in enumerate(description.layers)}
        return {(places[edge.giver], places[edge.taker]) for edge in description.edges}, description

    model = models["exact"]
    nodes = {layer.name: layer._inbound_nodes[0] for layer in model.layers}
    expected = {(parent.operation.name, name) for name, node in nodes.items() for parent in node.parent_nodes}
    assert found("exact", "keras")[0] == expected

    onnx = pytest.importorskip("onnx")
    graph = onnx.load(folder / "exact.onnx").graph
    givers = {name: node.name for node in graph.node for name in node.output}
    givers |= {value.name: value.name for value in graph.input}
    expected = {(givers[name], node.name) for node in graph.node for name in node.input if name in givers}
    assert found("exact", "onnx")[0] == expected

    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(folder / "exact.tflite"),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    steps = interpreter._get_ops_details()
    named = {one["index"]: one["name"].rpartition(";")[2] for one in interpreter.get_tensor_details()}
    made = {index for step in steps for index in step["outputs"]}
    expected = {
        (named[index], named[step["outputs"][0]])
        for step in steps
        for index in step["inputs"]
        if index in made
    }
    edges, description = found("exact", "tflite")
    given = {edge for edge in edges if edge[0] == description.inputs[0].name}
    assert edges - given == expected
    assert len(given) == 1

    openvino = pytest.importorskip("openvino")
    described, description = found("exact", "openvino")
    read = openvino.Core().read_model(folder / "exact" / "model.xml")
    layers = {layer.name for layer in description.layers}
    assert {taker for _, taker in described} == layers  # none hangs in the air
    direct = {
        (port.get_source_output().get_node().get_friendly_name(), node.get_friendly_name())
        for node in read.get_ordered_ops()
        for port in node.inputs()
    }
    assert {edge for edge in direct if set(edge) <= layers} <= described
    assert all(edge.shape for edge in description.edges)


def test_edges_of_models_within_models_and_of_layers_that_run_twice():
    from workbench.models.reading.description import describe_keras

    layers = keras.layers
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, name="in"), layers.Dense(8, name="out")])
    shared = layers.Dense(8, name="shared")
    first, second = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    joined = layers.Concatenate(name="join")([shared(inner(first)), shared(second)])
    outputs = layers.Dense(2, name="end")(keras.ops.abs(joined))  # an operation that is no layer
    description = describe_keras(keras.Model([first, second], outputs))
    names = [layer.name for layer in description.layers]

    def name(place):
        return names[place] if place >= 0 else description.inputs[-1 - place].name

    edges = {(name(edge.giver), name(edge.taker)) for edge in description.edges}
    assert edges == {
        ("a", f"{inner.name}/in"),
        (f"{inner.name}/in", f"{inner.name}/out"),
        (f"{inner.name}/out", "shared"),
        ("b", "shared"),
        ("shared", "join"),
        ("join", "end"),
    }


def test_a_layer_that_is_not_in_the_file_is_no_operation():
    assert step_of_each_layer([Layer(name="a", kind="B", parameters=0, size_bytes=0)], []) == [None]
