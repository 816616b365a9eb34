"""Things that are no model files at all."""

import os
import sys

import numpy as np
import pytest

from tests.safety.hostile import Quiet
from workbench.models.intake.inspection import inspect
from workbench.models.intake.intake import open_model

USE = "Open a .keras, .h5, .tflite or .onnx file."


def test_inspection_imports_nothing_heavy():
    import subprocess

    code = (
        "import sys; from pathlib import Path; from workbench.models.intake.inspection import inspect;"
        "inspect(Path(sys.argv[1]));"
        "print({'tensorflow', 'keras', 'onnx', 'ai_edge_litert'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, __file__], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "InvalidInput: file.keras is empty (0 bytes). Save the model again."),
        (
            b"hello world",
            f"InvalidInput: file.keras is no model file: it starts with 68 65 6c 6c 6f 20 77 6f. {USE}",
        ),
        (b"\x08", f"InvalidInput: file.keras is no model file: it starts with 08. {USE}"),
        (
            b"\x80\x04\x95abc",
            f"InvalidInput: file.keras is a Python pickle, which can run any code: it is never opened. {USE}",
        ),
        (
            b"\x93NUMPY\x01\x00",
            "InvalidInput: file.keras is a NumPy array, not a model. Open it as data instead.",
        ),
        (b"\x1f\x8b\x08\x00", "InvalidInput: file.keras is compressed with gzip. Unpack it first."),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "InvalidInput: file.keras is a Git LFS pointer, not the file itself. Run git lfs pull.",
        ),
    ],
)
def test_wrong_magic(content, words, tmp_path, said):
    path = tmp_path / "file.keras"
    path.write_bytes(content)
    assert said(path) == words


def test_a_file_that_is_not_there(tmp_path, said):
    path = tmp_path / "none.keras"
    assert said(path) == f"InvalidInput: {path} cannot be read: No such file or directory. Check the path."


def test_a_folder(tmp_path, said):
    (tmp_path / "folder").mkdir()
    assert said(tmp_path / "folder") == f"InvalidInput: folder is a folder, not a model file. {USE}"


@pytest.mark.parametrize(
    ("mark", "what"), [("_CHECKPOINT_METADATA", "Orbax checkpoint"), ("checkpoint", "TensorFlow checkpoint")]
)
def test_checkpoint_folders_are_refused(mark, what, tmp_path, said):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / mark).write_text("{}")
    assert said(tmp_path / "folder", trust=True) == (
        f"Refused: folder is a folder with a {what}, which is not opened. "
        "Save the whole model with model.save('model.keras') and open that file."
    )


def test_a_pipe_does_not_block(tmp_path, said):
    os.mkfifo(tmp_path / "pipe.keras")
    assert said(tmp_path / "pipe.keras") == (
        "InvalidInput: pipe.keras is no regular file but a pipe, socket or device."
    )


def test_a_device_does_not_block(said):
    from pathlib import Path

    assert said(Path("/dev/zero")) == "InvalidInput: zero is no regular file but a pipe, socket or device."


def test_a_file_above_the_limit(tmp_path, said):
    path = tmp_path / "huge.keras"
    with path.open("wb") as file:
        file.truncate(5 << 30)  # holds nothing on disk
    assert said(path) == "InvalidInput: huge.keras takes 5.0 GiB; the limit is 4.0 GiB."


def test_a_saved_model_is_refused_unless_trusted_and_never_on_a_shared_page(tmp_path, said):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01")
    (tmp_path / "saved" / "keras_metadata.pb").write_bytes(b"")
    refused = (
        "Refused: saved is a SavedModel folder: it holds a program, not only weights. "
        "Save the model as a .keras file and open that."
    )
    assert said(tmp_path / "saved") == (
        f"{refused} If you made this file or know who did, open it again and say that you trust it."
    )
    assert said(tmp_path / "saved", trust=True, shared=True) == refused


def test_content_decides_not_the_name(good, tmp_path):
    path = tmp_path / "model.h5"
    path.write_bytes((good / "good.keras").read_bytes())
    opened = open_model(Quiet(), path, tmp_path / "store")
    assert opened.format == "keras"
    assert str(opened.notes[0]) == "model.h5 was read as .keras, which is what it holds."


def test_a_hostile_name_stays_a_name(good, tmp_path):
    path = tmp_path / "<script>{0}%{x}\u202e.keras"
    path.write_bytes((good / "good.keras").read_bytes())
    opened = open_model(Quiet(), path, tmp_path / "store")
    assert opened.path == tmp_path / "store" / "model.keras"
    bad = tmp_path / "{0.__class__}.keras"
    bad.write_bytes(b"")
    assert (
        str(inspect(bad).problems[0].error())
        == "{0.__class__}.keras is empty (0 bytes). Save the model again."
    )


def test_random_bytes_never_raise(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.onnx"
    for start in (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"", b"\x00\x00\x00\x00TFL3", b"\x80"):
        for _ in range(20):
            path.write_bytes(start + rng.bytes(200))
            for problem in inspect(path).problems:
                assert "Traceback" not in str(problem.error())
