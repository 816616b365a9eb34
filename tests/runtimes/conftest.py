import pytest

from tests import small_models
from workbench.models.converting.conversion import load_keras, to_onnx, to_openvino, to_tflite


@pytest.fixture(scope="session", params=small_models.KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def model(kind):
    return small_models.build(kind)


@pytest.fixture(scope="session")
def files(model, tmp_path_factory):
    """The same model in every format, by format."""
    folder = tmp_path_factory.mktemp(model.name)
    model.save(folder / "model.keras")
    return {
        "keras": folder / "model.keras",
        "tflite": to_tflite(model, folder / "model.tflite"),
        "onnx": to_onnx(model, folder / "model.onnx"),
        "openvino": to_openvino(model, folder / "model"),
    }


@pytest.fixture(scope="session")
def loaded_files(files, tmp_path_factory):
    """Converted from the file instead of from the model that was built."""
    folder = tmp_path_factory.mktemp("loaded")
    return {
        "onnx": to_onnx(load_keras(files["keras"]), folder / "model.onnx"),
        "openvino": to_openvino(load_keras(files["keras"]), folder / "model", batch=2),
    }
