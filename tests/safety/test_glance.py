"""What is refused at once, in the process that answers clicks: no worker, a few kilobytes read."""

import zipfile

import pytest

from workbench.api.errors import InvalidInput, Refused
from workbench.engine.sources import require_data, require_model
from workbench.models.demo.demo import DEMO_MODELS
from workbench.models.intake.inspection import glance


def keras_file(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_demo_models_pass():
    for model in DEMO_MODELS.values():
        assert glance(model.path) is None
        require_model(model.name)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"this is no model", "is no model file"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (b"\x80\x04pickle", "pickle"),
    ],
)
def test_what_is_no_model_is_said_at_once(tmp_path, content, said):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises((InvalidInput, Refused), match=said):
        require_model(path)


def test_sizes_that_are_declared_count(tmp_path):
    bomb = keras_file(tmp_path / "bomb.keras", {"config.json": b"{}", "model.weights.h5": bytes(2**28)})
    with pytest.raises(Refused, match="declares"):
        require_model(bomb)
    with pytest.raises(InvalidInput, match=r"no config\.json"):
        require_model(keras_file(tmp_path / "half.keras", {"metadata.json": b"{}"}))


def test_a_directory_of_members_that_is_large_itself_is_left_to_a_worker(tmp_path):
    path = keras_file(tmp_path / "many.keras", {f"{number:0200}": b"" for number in range(20_000)})
    assert glance(path) is None


def test_data_that_are_none_are_said_at_once(tmp_path):
    for name, content, said in (
        ("empty.csv", b"", "is empty"),
        ("binary.csv", b"a,b\n\0", "not a text file"),
        ("broken.npz", b"junk", "damaged"),
        ("model.keras", b"x", "not a kind of file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidInput, match=said):
            require_data(tmp_path / name)
    keras_file(tmp_path / "empty.npz", {"readme.npy": b""})
    with pytest.raises(InvalidInput, match="no training samples"):
        require_data(tmp_path / "empty.npz")
    with pytest.raises(InvalidInput, match="There is no data"):
        require_data("/nowhere/at\0all")
