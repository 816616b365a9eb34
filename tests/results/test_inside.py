"""What is known of the layers of two variants, put together."""

from __future__ import annotations

from pathlib import Path

from tests.widgets.result_rows import variant
from workbench.api.variant import Edge, Layer, Variant
from workbench.measure.inside.records import Between, LayerMatch, LayerMatches, LayerTimes
from workbench.measure.records import Interval, SizeMeasurement
from workbench.results.inside import MATCHES, TIMES, inside, match_obstacle, stand_in
from workbench.results.inside_words import error_words, inside_summary, time_words
from workbench.results.layer_names import counterparts_by_name
from workbench.store import Store


def layers(names: dict[str, int], kind: str = "Dense") -> tuple[Layer, ...]:
    return tuple(
        Layer(name=name, kind=kind, parameters=size, size_bytes=4 * size, macs=size)
        for name, size in names.items()
    )


def with_layers(one: Variant, given: tuple[Layer, ...], **changes: object) -> Variant:
    return one.model_copy(
        update={"description": one.description.model_copy(update={"layers": given}), **changes}
    )


def interval(value: float, half: float = 0.1) -> Interval:
    return Interval(value=value, low=value - half, high=value + half)


def test_names_put_layers_beside_their_own_and_no_other() -> None:
    keras = layers({"conv": 100, "conv_2": 40, "softmax": 0})
    converted = layers({"model_1/conv_1/BiasAdd": 25, "model_1/conv_2_1/MatMul": 10, "model_1/softmax_1": 0})
    assert counterparts_by_name(converted, keras) == [*keras[:2], None]
    assert counterparts_by_name(keras, keras) == [*keras]
    assert counterparts_by_name(layers({"something": 25, "else": 10}), keras) == [None, None]


def test_what_became_of_each_layer_and_where_the_error_arises(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = layers({"stem": 10, "gone": 20, "head": 30})
    after = layers({"stem": 10, "new": 5, "head": 15})
    kept = []
    for one, given in ((variant("a", "model"), before), (variant("b", "pruned"), after)):
        file = store.staging() / "model.keras"
        file.write_bytes(b"x")
        parent = kept[0].id if kept else None
        changes = {"path": Path(file.name), "format": "keras", "runtime": "keras.function", "parent": parent}
        kept.append(store.add_variant(with_layers(one, given, **changes), file))
    model, pruned = kept
    alone = inside(store, pruned, None)
    assert [layer.change for layer in alone.layers] == [None] * 3
    named = inside(store, pruned, model)  # before anybody has looked
    assert [layer.before and layer.before.name for layer in named.layers] == ["stem", None, "head"]
    store.add_measurement(
        MATCHES,
        [pruned.id],
        LayerMatches(
            variant=pruned.id,
            reference=model.id,
            beside=model.id,
            layers=before,
            edges=(Edge(giver=-1, taker=0), Edge(giver=0, taker=1), Edge(giver=1, taker=2)),
            matches=(
                LayerMatch(counterpart=0, agreement="equal"),
                LayerMatch(),
                LayerMatch(counterpart=2, agreement="measured", snr_db=12.0, own_db=13.0),
            ),
            samples=32,
        ),
    )
    times = LayerTimes(
        environment="e",
        variant=pruned.id,
        method="cuts",
        times_ms=(interval(1.0), None, interval(0.05)),
        runs_in=(None, 0, None),
        between=(Between(name="", time_ms=interval(0.2)),),
        sum_ms=interval(1.25),
        whole_ms=interval(1.3),
        floor=0.01,
        rounds=8,
    )
    store.add_measurement(TIMES, [pruned.id], times)
    store.add_measurement("size", [pruned.id], SizeMeasurement(parameters=30, file_bytes=200, gzip_bytes=100))
    found = inside(store, pruned, model)
    assert [layer.change for layer in found.layers] == ["kept", "added", "changed"]
    assert [layer.name for layer in found.removed] == ["gone"]
    # What was removed stands behind the rest, between what it stood between.
    assert [(edge.giver, edge.taker) for edge in found.before_edges] == [(-1, 0), (0, 3), (3, 2)]
    assert [layer.runs_in for layer in found.layers] == [None, "stem", None]
    assert found.worst is found.layers[2]
    assert found.overhead_bytes == 200 - 4 * 30
    assert [error_words(layer) for layer in found.layers] == ["equal", "", "12.0 dB"]
    assert [time_words(layer.time_ms) for layer in found.layers] == ["1.00 ms", "", "< 0.150 ms"]
    words = [str(line) for line in inside_summary(found)]
    assert "1 unchanged, 1 changed, 1 added, 1 removed" in words[0]
    assert "head" in words[1]
    assert "they agree" in words[2]  # the whole lies in the interval of the sum
    assert not times.model_copy(update={"whole_ms": interval(2.0)}).adds_up
    assert times.model_copy(update={"whole_ms": interval(2.0), "floor": 0.2}).adds_up
    # The file of the same format stands for what it is held against.
    assert stand_in(kept, pruned, model) is model
    assert match_obstacle(kept, pruned, model) is None
    assert "itself" in str(match_obstacle(kept, model, model))
    lite = pruned.model_copy(update={"format": "tflite", "id": "c"})
    onnx = pruned.model_copy(update={"format": "onnx", "id": "d", "name": "other"})
    assert match_obstacle([*kept, lite, onnx], lite, model) is None
    assert "one format" in str(match_obstacle([*kept, lite, onnx], lite, onnx))
    store.close()
