"""The data in the type and rank that the model's inputs take."""

import numpy as np
import pytest

from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.api.variant import ModelDescription, TensorSpec
from workbench.data.prepare import prepare

Y = np.arange(200) % 2
IDS = 1_560_000_000 + np.arange(200)[:, None] % 60


def model(dtype, role, shape=(1,), **more):
    return ModelDescription(
        inputs=(TensorSpec(name="x", shape=shape, dtype=dtype, role=role, **more),), outputs=()
    )


def whole(dataset):
    return np.concatenate([dataset.x(split) for split in ("train", "validation", "test")])


@pytest.mark.parametrize("given", ["int64", "int32", "float64", "uint32"])
@pytest.mark.parametrize("wanted", ["int64", "int32"])
def test_identifiers_stay_what_they_are(tmp_path, given, wanted):
    dataset = prepare((IDS.astype(given), Y), tmp_path / "out", model=model(wanted, "ids"))
    assert dataset.x("train").dtype == wanted
    np.testing.assert_array_equal(np.unique(whole(dataset)), np.unique(IDS))
    assert len(dataset.info.notes) == 1  # how it was split
    with np.load(dataset.save_npz(tmp_path / "data.npz"), allow_pickle=False) as taken:
        assert taken["x_train"].dtype == wanted


@pytest.mark.parametrize("role", ["numbers", "ids"])
@pytest.mark.parametrize("given", ["int64", "float64"])
def test_rounded_identifiers_are_counted(tmp_path, role, given):
    dataset = prepare((IDS.astype(given), Y), tmp_path / "out", model=model("float32", role))
    distinct, changed = len(np.unique(IDS)), int((IDS.astype(np.float32) != IDS).sum())
    assert len(np.unique(whole(dataset))) == 1
    assert str(dataset.info.notes[-1]) == (
        f"{changed} of 200 values in x are whole numbers that float32 cannot hold, and become others: "
        f"{distinct - 1} different ones become 1. Give the model an input of the type int64, or number the "
        "values from 0."
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (IDS + 2**40, "from 1,101,071,627,776 to 1,101,071,627,835; the model's input takes int32"),
        (IDS + 0.5, "200 of 200 values in x_train are no whole numbers"),
    ],
)
def test_what_whole_numbers_cannot_hold_is_refused(tmp_path, values, said):
    with pytest.raises(InvalidInput) as caught:
        prepare((values, Y), tmp_path / "out", model=model("int32", "ids"))
    assert said.replace("200 of 200", "140 of 140") in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_columns_that_float32_hardly_tells_apart(tmp_path):
    seconds = 1.56e9 + np.random.default_rng(0).random((200, 2)) * [100, 1e7]
    dataset = prepare((seconds, Y), tmp_path / "out", model=model("float32", "numbers", (2,)))
    assert str(dataset.info.notes[-1]) == (
        "In 1 columns of x the values lie so close together, so far from zero, that float32 hardly tells "
        "them apart. Subtract an offset from them, or standardize them."
    )
    # standardized in float64 first, nothing is lost
    dataset = prepare((seconds, Y), tmp_path / "scaled", scaling="standardize")
    assert len(dataset.info.notes) == 1
    with pytest.raises(InvalidInput, match="The model takes float64"):
        prepare((seconds, Y), tmp_path / "exact", model=model("float32", "numbers", (2,), made_for="float64"))


def test_ordinary_float64_needs_no_word(tmp_path):
    dataset = prepare((np.random.default_rng(0).normal(size=(200, 3)), Y), tmp_path / "out")
    assert len(dataset.info.notes) == 1


@pytest.mark.parametrize(
    ("dtype", "role", "stored"),
    [("float32", "raw numbers", "float32"), ("float32", "ids", "float32"), ("uint8", "raw numbers", "uint8")],
)
@pytest.mark.parametrize("shape", [(8, 8, 1), (64,)])
def test_bytes_are_not_divided_in_front_of_a_layer_that_scales_or_looks_up(
    tmp_path, dtype, role, stored, shape
):
    x = np.random.default_rng(0).integers(0, 256, (200, *shape)).astype(np.uint8)
    dataset = prepare((x, Y), tmp_path / "out", model=model(dtype, role, shape))
    assert dataset.x("train").dtype == stored
    np.testing.assert_array_equal(np.sort(whole(dataset), axis=None), np.sort(x, axis=None))


def test_a_scaling_that_was_asked_for_leaves_identifiers_alone(tmp_path):
    both = ModelDescription(
        inputs=(
            TensorSpec(name="ids", shape=(1,), dtype="int64", role="ids"),
            TensorSpec(name="table", shape=(2,)),
        ),
        outputs=(),
    )
    table = np.random.default_rng(0).normal(5, 3, (200, 2))
    dataset = prepare(
        {"x.ids": IDS, "x.table": table, "y": Y}, tmp_path / "out", model=both, scaling="standardize"
    )
    assert dataset.info.scalings == {"ids": "none", "table": "standardize"}
    assert dataset.x("train")["ids"].dtype == np.int64
    assert abs(dataset.x("train")["table"].mean()) < 1e-6
    assert str(dataset.info.notes[-1]) == (
        'The scaling "standardize" was not applied to x.ids: the model looks its values up by number.'
    )


WORDS = np.array(["good day", "schöner Tag", "差", ""])[np.arange(200) % 4]
TEXT = {
    "unicode": WORDS[:, None],
    "objects": WORDS[:, None].astype(object),
    "bytes": np.char.encode(WORDS, "utf-8")[:, None],
    "a list": WORDS.tolist(),
}


@pytest.mark.parametrize("form", TEXT)
@pytest.mark.parametrize("shape", [(1,), ()])
def test_text_reaches_a_model_that_takes_it(tmp_path, form, shape):
    dataset = prepare((TEXT[form], Y), tmp_path / "out", model=model("string", "text", shape))
    assert dataset.x("train").dtype.kind == "U"
    assert dataset.x("train").shape == (140, *shape)
    assert set(whole(dataset).ravel()) == set(WORDS)
    assert (dataset.info.minimum, dataset.info.maximum) == (0, 0)
    # what is on disk needs no pickle
    assert Dataset(dataset.folder).x("test").shape == (40, *shape)
    with np.load(dataset.save_npz(tmp_path / "data.npz"), allow_pickle=False) as taken:
        np.testing.assert_array_equal(taken["x_test"], dataset.x("test"))


def test_text_and_numbers_do_not_take_each_other_s_place(tmp_path):
    with pytest.raises(InvalidInput, match="x holds text, and the model's input x takes float32"):
        prepare((TEXT["unicode"], Y), tmp_path / "out", model=model("float32", "numbers"))
    with pytest.raises(InvalidInput, match="x holds int64 values, and the model takes text"):
        prepare((IDS, Y), tmp_path / "out", model=model("string", "text"))
    broken = TEXT["objects"].copy()
    broken[3] = None
    with pytest.raises(InvalidInput, match="1 of 200 values in x are no text, such as None"):
        prepare((broken, Y), tmp_path / "out", model=model("string", "text"))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [((8, 8), (8, 8, 1)), ((8, 8, 1), (8, 8)), ((), (1,)), ((5, 1), (5,)), ((5,), (None, 1))],
)
def test_an_axis_of_length_1_is_fitted_and_said(tmp_path, given, wanted):
    x = np.random.default_rng(0).random((200, *given))
    dataset = prepare((x, Y), tmp_path / "out", model=model("float32", "numbers", wanted))
    fitted = tuple(5 if size is None else size for size in wanted)
    assert dataset.info.input_shapes == {"": fitted}
    assert "as the model takes them" in str(dataset.info.notes[0])
