"""Which output of a model is judged, and the refusals where none can be."""

import numpy as np
import pytest

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import Text
from workbench.api.variant import JudgedOutput, ModelDescription, TensorSpec
from workbench.data.batches import chosen_output
from workbench.data.outputs import judged_model, output_wish, require_classes, with_wish
from workbench.data.prepare import prepare


def model(*outputs, meanings=()):
    return ModelDescription(
        inputs=(TensorSpec(name="x", shape=(4,)),),
        outputs=tuple(TensorSpec(name=name, shape=shape) for name, shape in outputs),
        meanings=meanings or ("unknown",) * len(outputs),
    )


def data(classes, label=None):
    return DatasetInfo(
        name="made",
        input_shapes={"": (4,)},
        classes=tuple(map(str, range(classes))),
        counts={"train": 70, "validation": 10, "test": 20},
        class_counts={"train": (1,), "validation": (1,), "test": (1,)},
        scaling=Text(template="none"),
        minimum=0,
        maximum=1,
        is_image=False,
        seed=0,
        sha256="",
        target=label,
    )


HEADS = (("amount", (1,)), ("kind", (3,)))
TWINS = (("aux", (3,)), ("main", (3,)))


def test_the_only_output_that_fits_is_judged():
    judged = judged_model(model(*HEADS, meanings=("scores", "probabilities")), data(3))
    assert judged.judged.name == "kind"
    assert judged.judged_output == JudgedOutput(name="kind", position=1)
    assert not judged.from_logits


def test_answers_for_each_step_are_no_classes():
    with pytest.raises(
        InvalidInput, match=r"output steps has the shape \(9, 3\): it gives an answer for each"
    ):
        judged_model(model(("steps", (9, 3))), data(27))
    both = judged_model(model(("steps", (9, 3)), ("whole", (1, 27))), data(27))
    assert both.judged.name == "whole"


def test_of_two_that_fit_the_label_s_name_decides():
    assert judged_model(model(*TWINS), data(3, label="Main")).judged.name == "main"


def test_of_two_that_fit_without_a_name_the_user_is_asked():
    with pytest.raises(InvalidInput, match=r"2 outputs: aux \(3\), main \(3\). 2 of them fit") as refusal:
        judged_model(model(*TWINS), data(3))
    assert 'output="aux"' in str(refusal.value)


def test_an_output_is_asked_for_by_name_or_position():
    for said in ("main", 1, "1"):
        asked = with_wish(model(*TWINS), output_wish(output=said))
        assert judged_model(asked, data(3)).judged.name == "main"


def test_an_output_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(InvalidInput, match=r"no output other. It has: aux \(3\), main \(3\)"):
        with_wish(model(*TWINS), output_wish(output="other"))


def test_no_output_that_fits_is_refused_with_all_widths():
    with pytest.raises(
        InvalidInput, match=r"2 outputs: amount \(1\), kind \(3\). None of them fits .* 5 classes"
    ):
        judged_model(model(*HEADS), data(5))


def test_the_one_that_was_asked_for_must_fit():
    asked = with_wish(model(*HEADS), output_wish(output="amount"))
    with pytest.raises(InvalidInput, match="One linear output, amount, and 3 different label values"):
        judged_model(asked, data(3))


def test_a_count_of_values_is_no_count_of_outputs():
    with pytest.raises(InvalidInput, match="gives 10 values of a sample and the data has 3 classes"):
        judged_model(model(("probabilities", (10,))), data(3))


def test_a_single_probability_and_many_classes():
    with pytest.raises(
        InvalidInput, match=r"single probability, which tells two classes apart, .* 5 different"
    ):
        judged_model(model(("yes", (1,)), meanings=("probabilities",)), data(5))


def test_one_linear_output_and_many_label_values_is_regression():
    with pytest.raises(
        InvalidInput, match="One linear output, price, and 300 different label values: that is"
    ):
        require_classes(model(("price", (1,)), meanings=("scores",)), 300)
    require_classes(model(("kind", (300,))), 300)
    require_classes(model(("yes", (1,)), meanings=("scores",)), 2)


def test_an_output_of_class_numbers_is_no_output_of_scores():
    label = TensorSpec(name="label", shape=(), dtype="int64")
    scores = TensorSpec(name="scores", shape=(2,))
    both = model().model_copy(update={"outputs": (label, scores), "meanings": ("unknown", "probabilities")})
    assert judged_model(both, data(2)).judged.name == "scores"
    alone = both.model_copy(update={"outputs": (label,), "meanings": ("unknown",)})
    with pytest.raises(
        InvalidInput, match="single value of type int64 of a sample, and the data has 3 classes"
    ):
        judged_model(alone, data(3))


def test_values_are_counted_over_all_axes():
    assert judged_model(model(("map", (1, 1, 3))), data(3)).output is None
    assert judged_model(model(("flag", ())), data(2)).output is None


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"task": "detection"}, "no task 'detection'. Choose from: classification, regression"),
        ({"from_logits": "yes"}, "True, False or None. Received: 'yes'"),
        ({"output": 1.5}, "named, or given by its position. Received: 1.5"),
    ],
)
def test_what_cannot_be_meant_is_refused(wish, said):
    with pytest.raises(InvalidInput, match=said):
        output_wish(**wish)


def test_converters_rename_and_reorder_outputs():
    main = JudgedOutput(name="main", position=1)
    assert chosen_output(["aux", "main"], main) == 1
    assert chosen_output(["serving_default_main:0", "serving_default_aux:0"], main) == 0
    assert chosen_output(["output_1", "output_0"], main) == 0
    assert chosen_output(["StatefulPartitionedCall_1:1", "StatefulPartitionedCall_1:0"], main) == 0
    assert chosen_output(["Identity:0", "Identity_1:0"], main) == 1
    with pytest.raises(InvalidInput, match="output main is judged, and this file has only 1: other"):
        chosen_output(["other"], main)


@pytest.mark.parametrize("labels", [np.arange(600) % 300, np.linspace(0, 1, 600)])
def test_numbers_to_be_predicted_are_refused_before_anything_is_written(labels, tmp_path):
    samples = np.random.default_rng(0).random((600, 4), np.float32)
    wanted = model(("price", (1,)), meanings=("scores",))
    with pytest.raises(InvalidInput, match=r"One linear output, price, and \d00 different label values"):
        prepare((samples, labels), tmp_path / "data", model=wanted)
    assert not list(tmp_path.iterdir())
