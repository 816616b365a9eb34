import numpy as np
import pytest

from workbench.plain.litert.activation_ranges import observed_ranges


def all_values(path, samples):
    """Every computed tensor, by an interpreter of its own."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    runner = interpreter.get_signature_runner()
    values = {}
    for sample in samples:
        runner(**sample)
        for detail in interpreter.get_tensor_details():
            if detail["dtype"] == np.float32 and detail["name"] in sample_names(interpreter):
                values.setdefault(detail["name"], []).append(interpreter.get_tensor(detail["index"]).ravel())
    return {name: np.concatenate(parts) for name, parts in values.items()}


def sample_names(interpreter):
    return {detail["name"] for detail in interpreter.get_output_details() + interpreter.get_input_details()}


@pytest.fixture(scope="module")
def observed(parents, made):
    path = made("inference.runtime", "conv", runtime="litert").path
    x = parents("conv")[1].x("validation")

    def samples():
        return ({"image": np.asarray(x[i : i + 1])} for i in range(24))

    return path, samples, all_values(path, samples())


def test_extremes(observed):
    path, samples, values = observed
    ranges = observed_ranges(path, samples)
    assert len(ranges) >= 6
    for name, value in values.items():
        assert ranges[name] == pytest.approx((value.min(), value.max()))


def test_percentiles_are_those_of_numpy(observed):
    path, samples, values = observed
    ranges = observed_ranges(path, samples, "percentile", 98.0)
    for name, value in values.items():
        width = (value.max() - value.min()) / 2048
        expected = np.percentile(value, [1.0, 99.0])
        # within two bins, or where few values are, between two of them
        near = np.sort(value)
        gap = np.diff(near)[[int(0.01 * len(near)), int(0.99 * len(near)) - 1]].max()
        np.testing.assert_allclose(ranges[name], expected, atol=2 * width + 2 * gap)


def test_least_error_is_no_worse_than_the_extremes(observed):
    path, samples, values = observed
    chosen, extremes = observed_ranges(path, samples, "mse"), observed_ranges(path, samples)

    def error(value, low, high):
        low, high = min(low, 0), max(high, 0)
        step = (high - low) / 255
        return ((np.clip(np.round((value - low) / step), 0, 255) * step + low - value) ** 2).mean()

    for name, value in values.items():
        assert error(value, *chosen[name]) <= 1.02 * error(value, *extremes[name])
        assert chosen[name][0] >= min(extremes[name][0], 0) - 1e-6


def test_an_outlier_is_clipped():
    from workbench.plain.litert.activation_ranges import BINS, _least_error, _percentile

    counts = np.zeros(BINS, np.int64)
    counts[:200], counts[-1] = 5000, 1
    assert _percentile(counts, 0.0, 10.0, 99.9)[1] == pytest.approx(200 / BINS * 10, abs=0.01)
    assert 1 < _least_error(counts, 0.0, 10.0)[1] < 6


@pytest.mark.parametrize("method", ["percentile", "mse"])
@pytest.mark.parametrize("value", [0.0, 5.0, -3e6])
def test_a_constant_activation_has_its_own_value_for_a_range(method, value, tmp_path):
    import keras

    from workbench.models.converting.conversion import to_tflite

    inputs = keras.Input((3,), name="x")
    constant = keras.layers.Dense(2, kernel_initializer="zeros", name="same")
    whole = keras.layers.Concatenate()([constant(inputs), keras.layers.Dense(2, name="other")(inputs)])
    constant.bias.assign([value, value])
    path = to_tflite(keras.Model(inputs, whole), tmp_path / "constant.tflite")
    x = np.random.default_rng(0).normal(size=(20, 1, 3)).astype(np.float32)
    ranges = observed_ranges(path, lambda: ({"x": row} for row in x), method, 99.0)
    assert (value, value) in ranges.values()
    assert any(low < high for low, high in ranges.values())
