"""HDF5 files that point elsewhere, point to themselves, or are no models."""

import h5py
import numpy as np
import pytest

from tests.safety.hostile import hdf5

OUTSIDE = "Keras never writes that: do not open this file."


def external_link(file):
    file["layers"] = h5py.ExternalLink("/etc/secret.h5", "/data")


def soft_link(file):
    file["layers"] = h5py.SoftLink("/somewhere")


def external_storage(file):
    file.create_dataset("layers", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual_dataset(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "data", (4,))
    file.create_virtual_dataset("layers", layout)


@pytest.mark.parametrize(
    ("build", "what"),
    [
        (external_link, "an external link"),
        (soft_link, "a soft link"),
        (external_storage, "external storage"),
        (virtual_dataset, "a virtual dataset"),
    ],
)
def test_what_points_outside_is_refused(build, what, tmp_path, said):
    path = hdf5(build, tmp_path / "bad.h5")
    assert said(path) == f"Refused: /layers in bad.h5 points outside of its place: {what}. {OUTSIDE}"


def test_objects_are_refused(tmp_path, said):
    path = hdf5(
        lambda file: file.create_dataset("names", data=["a", "b"], dtype=h5py.string_dtype()),
        tmp_path / "bad.h5",
    )
    assert said(path) == (
        "Refused: /names in bad.h5 holds objects instead of numbers. Save the model again with model.save."
    )


def test_a_group_inside_itself_ends(tmp_path, said):
    def build(file):
        group = file.create_group("a")
        group["again"] = group
        file["weights"] = np.zeros(3, "f4")

    words = said(hdf5(build, tmp_path / "loop.h5"))
    assert words == (
        "InvalidInput: loop.h5 holds weights only; the architecture is missing. Build the model in Python, "
        "call model.load_weights('loop.h5'), and save it whole with model.save('model.keras')."
    )


@pytest.mark.parametrize("name", ["some.weights.h5", "weights_of_keras_2.h5"])
def test_weights_only(name, good, keras, tmp_path, said):
    if name == "some.weights.h5":
        keras.saving.load_model(good / "good.keras", compile=False).save_weights(tmp_path / name)
    else:
        with h5py.File(good / "good.h5") as whole, h5py.File(tmp_path / name, "w") as only:
            for group in whole["model_weights"]:
                whole["model_weights"].copy(group, only)
    assert said(tmp_path / name) == (
        f"InvalidInput: {name} holds weights only; the architecture is missing. Build the model in Python, "
        f"call model.load_weights('{name}'), and save it whole with model.save('model.keras')."
    )


def test_an_empty_hdf5_file(tmp_path, said):
    path = hdf5(lambda file: None, tmp_path / "empty.h5")
    assert said(path) == (
        "InvalidInput: empty.h5 is an HDF5 file without a Keras model in it. "
        "Save the whole model with model.save."
    )


def test_a_bomb_in_h5(good, tmp_path, said):
    path = tmp_path / "bomb.h5"
    path.write_bytes((good / "good.h5").read_bytes())
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/more", (2**29,), "f4")
    held = f"{path.stat().st_size / 1024:.1f} KiB"
    assert said(path) == (
        f"Refused: bomb.h5 declares 2.0 GiB of weights and holds only {held}. "
        "Reading it would fill the memory: do not open this file."
    )


def test_a_large_attribute(tmp_path, said):
    def build(file):
        space = h5py.h5s.create_simple((40_000_000,))
        h5py.h5a.create(file.id, b"model_config", h5py.h5t.NATIVE_INT8, space)

    path = tmp_path / "big.h5"
    with h5py.File(path, "w", libver="latest") as file:
        build(file)
    assert said(path) == (
        "Refused: /@model_config in big.h5 takes 38.1 MiB; the limit is 32.0 MiB. "
        "No model needs that: do not open this file."
    )
