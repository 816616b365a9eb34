import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss

from workbench.measure.scores import to_scores

keras = pytest.importorskip("keras")


def test_it_is_the_f1_and_loss_of_scikit_learn_for_several_inputs():
    from workbench.plain.keras.validation import validator

    keras.utils.set_random_seed(0)
    left, right = keras.Input((3,), name="left"), keras.Input((2,), name="right")
    scores = keras.layers.Dense(4, name="scores")(keras.layers.Concatenate()([left, right]))
    model = keras.Model({"left": left, "right": right}, scores)
    rng = np.random.default_rng(0)
    x = {"left": rng.normal(size=(600, 3)), "right": rng.normal(size=(600, 2))}
    x = {name: array.astype(np.float32) for name, array in x.items()}
    labels = rng.integers(0, 4, 600)
    checks, seen = [], []
    validate = validator(
        model, x, labels, from_logits=True, check=lambda: checks.append(1), inspect=seen.append
    )
    for weights in (model.get_weights(), [2 * array for array in model.get_weights()]):
        model.set_weights(weights)
        found, outputs = validate(), np.asarray(model(x))
        expected, _ = to_scores(outputs, 4, from_logits=True)
        assert found.score == pytest.approx(f1_score(labels, outputs.argmax(-1), average="macro"))
        assert found.loss == pytest.approx(log_loss(labels, expected), rel=1e-5)
        np.testing.assert_allclose(seen[-1], outputs, atol=1e-5)
    assert len(checks) == 2 * 3


@pytest.mark.parametrize("from_logits", [True, False])
def test_one_output_is_the_second_of_two_classes(from_logits):
    from workbench.plain.keras.validation import validator

    activation = None if from_logits else "sigmoid"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation, use_bias=False)])
    model.set_weights([np.array([[1.0], [0.0]], np.float32)])
    x = np.array([[3, 0], [-2, 0], [0.5, 1]], np.float32)
    found = validator(model, x, [1, 0, 0], from_logits=from_logits)()
    second = 1 / (1 + np.exp(-x[:, 0]))
    assert found.loss == pytest.approx(log_loss([1, 0, 0], second), rel=1e-5)
    assert found.score == pytest.approx(2 / 3)
