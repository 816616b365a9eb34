import numpy as np
import pytest

from workbench.plain.keras.kernels import kernels, summed_axes

keras = pytest.importorskip("keras")
from workbench.plain.keras.preserving import WeightConstraint, preserve
from workbench.training.preserving import preserving_notes

layers = keras.layers

RATE, STEPS = 0.05, 6


def linear_model(values):
    model = keras.Sequential([keras.Input((values.shape[0],)), layers.Dense(values.shape[1], use_bias=False)])
    model.layers[0].set_weights([values])
    return model


def clustered_matrix(rng, zeros):
    centers = rng.normal(size=5).astype(np.float32)
    if zeros:
        centers[0] = 0
    return centers[rng.integers(0, 5, (12, 8))]


class Adam:
    """Adam as its paper states it (arXiv:1412.6980), in float64; Keras puts epsilon where the paper's
    second form does."""

    def __init__(self, rate):
        self.rate, self.m, self.v, self.t = rate, 0.0, 0.0, 0

    def step(self, values, gradient):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        rate = self.rate * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        return values - rate * self.m / (np.sqrt(self.v) + 1e-7)


class Sgd:
    def __init__(self, rate):
        self.rate = rate

    def step(self, values, gradient):
        return values - self.rate * gradient


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_shared_values_are_trained_as_single_weights(kind, zeros):
    rng = np.random.default_rng(2)
    start = clustered_matrix(rng, zeros)
    x = rng.normal(size=(20, 12)).astype(np.float32)
    y = rng.normal(size=(20, 8)).astype(np.float32)

    # By hand: the loss as a function of the five centroids only.
    centers, ids = np.unique(start, return_inverse=True)
    ids = ids.reshape(start.shape)
    centers, free = centers.astype(np.float64), centers != 0
    optimizer = Adam(RATE) if kind == "adam" else Sgd(RATE)
    for _ in range(STEPS):
        gradient = 2 * x.T @ (x @ centers[ids] - y) / y.size
        summed = np.array([gradient[ids == number].sum() for number in range(len(centers))])
        centers = np.where(free, optimizer.step(centers, summed * free), 0)

    model = linear_model(start)
    model.compile(
        keras.optimizers.Adam(RATE) if kind == "adam" else keras.optimizers.SGD(RATE), "mean_squared_error"
    )
    preserving = preserve(model)
    assert preserving.clustered == ("dense",) or len(preserving.clustered) == 1
    assert bool(preserving.sparse) == zeros
    model.fit(x, y, epochs=STEPS, batch_size=20, verbose=0, callbacks=[preserving])
    np.testing.assert_allclose(model.get_weights()[0], centers[ids], rtol=2e-4, atol=2e-5)
    assert len(np.unique(model.get_weights()[0])) == len(centers)


def test_zeros_stay_and_the_others_train_as_they_would():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(12, 8)).astype(np.float32)
    start[np.abs(start) < 0.5] = 0
    x = rng.normal(size=(20, 12)).astype(np.float32)
    y = rng.normal(size=(20, 8)).astype(np.float32)
    weights = start.astype(np.float64)
    for _ in range(STEPS):
        weights -= RATE * 2 * x.T @ (x @ weights - y) / y.size
        weights[start == 0] = 0
    model = linear_model(start)
    model.compile(keras.optimizers.SGD(RATE), "mean_squared_error")
    preserving = preserve(model)
    assert not preserving.clustered
    model.fit(x, y, epochs=STEPS, batch_size=20, verbose=0, callbacks=[preserving])
    np.testing.assert_allclose(model.get_weights()[0], weights, rtol=1e-4, atol=1e-5)
    assert "Zeros were kept" in str(preserving_notes(preserving)[0])

    preserving.release()
    model.compile(keras.optimizers.SGD(RATE), "mean_squared_error")
    model.fit(x, y, epochs=1, verbose=0)
    assert (model.get_weights()[0] != 0).all()


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.AdamW(0.01, clipnorm=1.0),
        lambda: keras.optimizers.Muon(0.01),
        lambda: keras.optimizers.SGD(0.01, use_ema=True, gradient_accumulation_steps=2),
    ],
)
def test_any_optimizer(optimizer):
    rng = np.random.default_rng(0)
    inputs = keras.Input((6,), dtype="int32")
    x = layers.Embedding(10, 8, name="words")(inputs)
    x = layers.LSTM(8, kernel_constraint=keras.constraints.MaxNorm(3), name="lstm")(x)
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8, name="shared")], name="inner")
    model = keras.Model(inputs, layers.Dense(3)(inner(inner(x))))
    sparse, few = model.get_layer("lstm").cell.kernel, inner.get_layer("shared").kernel
    sparse.assign(np.where(rng.random(sparse.shape) < 0.5, 0, sparse.numpy()))
    few.assign(rng.choice([-0.3, 0.1, 0.4, 0.0], few.shape))
    words = model.get_layer("words").embeddings
    words.assign(rng.choice([-0.3, 0.1, 0.4], words.shape))
    before = [np.asarray(one) for one in (sparse, few, words)]
    preserving = preserve(model)
    assert len(preserving.kept) == 3
    assert preserve(model).kept == ()  # kept already
    model.compile(optimizer(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        rng.integers(0, 10, (64, 6)), rng.integers(0, 3, 64), epochs=2, verbose=0, callbacks=[preserving]
    )
    after = [np.asarray(one) for one in (sparse, few, words)]
    for one, other in zip(before, after, strict=True):
        assert not np.array_equal(one, other)
        assert ((one == 0) == (other == 0)).all()
    for one, other in zip(before[1:], after[1:], strict=True):
        for value in np.unique(one):
            assert len(np.unique(other[one == value])) == 1
    assert isinstance(sparse.constraint.before, keras.constraints.MaxNorm)
    preserving.release()
    assert isinstance(sparse.constraint, keras.constraints.MaxNorm)
    assert few.constraint is None


def test_what_is_new_or_dense_is_not_kept():
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(16),
            layers.Dense(16, kernel_initializer="zeros"),
            layers.Dense(16, kernel_initializer="ones"),
            layers.BatchNormalization(),
        ]
    )
    assert preserve(model).kept == ()
    assert preserving_notes(preserve(model)) == ()


def test_it_can_follow_changes():
    values = np.random.default_rng(0).choice([1.0, 2.0, 3.0, 0.0], (8, 8)).astype(np.float32)
    model = linear_model(values)
    preserving = preserve(model)
    (kept,) = preserving.kept
    assert isinstance(kept, WeightConstraint)
    kernel = model.layers[0].kernel
    kernel.assign(np.where(values == 2, 0, values))
    preserving.refresh()
    restored = np.asarray(kept(kernel + 1.0))
    np.testing.assert_array_equal(np.unique(restored), [0, 2, 4])


def test_every_weight_matrix_is_found_once():
    inputs = keras.Input((4, 8))
    attention = layers.MultiHeadAttention(2, 4, name="attention")
    x = attention(inputs, inputs)
    shared = layers.Dense(8, name="shared")
    x = shared(shared(x))
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), name="einsum")(x)
    x = layers.Bidirectional(layers.GRU(4), name="both")(x)
    x = layers.Reshape((8, 1, 1))(x)
    x = layers.Conv2DTranspose(3, (2, 1), name="transposed")(x)
    x = layers.DepthwiseConv2D((2, 1), name="depthwise")(x)
    model = keras.Model(inputs, x)
    model.get_layer("einsum").trainable = False
    found = {kernel.name: kernel for kernel in kernels(model)}
    assert len({id(kernel.variable) for kernel in found.values()}) == len(found) == 11
    assert found["shared"].reduced == (0,)
    assert found["einsum"].reduced == (0,)
    assert found["einsum"].frozen
    assert found["transposed"].reduced == (3,)
    assert found["transposed"].convolution
    of_attention = {name: kernel.reduced for name, kernel in found.items() if name.startswith("attention")}
    assert sorted(of_attention.values()) == [(0,), (0,), (0,), (0, 1)]
    assert "attention query/kernel" in of_attention
    assert len([name for name in found if name.startswith("both")]) == 4


def test_summed_axes():
    assert summed_axes("abc, cd -> abd") == (0,)
    assert summed_axes("...hv,hvd->...d") == (0, 1)
    assert summed_axes("abc,bcd->abd") == (1,)
