import os
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dense"], indirect=True)
def test_conversions_write_nothing_into_the_home_folder_for_their_makers(files, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from workbench.models.converting.conversion import load_keras, to_onnx, to_openvino\n"
        f"model = load_keras(Path({str(files['keras'])!r}))\n"
        f"to_openvino(model, Path({str(tmp_path / 'ov')!r}))\n"
        f"to_onnx(model, Path({str(tmp_path / 'm.onnx')!r}))\n"
        "import nncf\n"
        "import onnxruntime\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(home), "CI": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""  # the converters' own printing is kept from the user
    written = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    # Keras writes its own settings; nothing of Intel's or Microsoft's is there
    assert not (home / "intel").exists()
    assert not list(home.rglob("*icrosoft*"))
    assert written <= {".keras", ".cache", ".config"}
