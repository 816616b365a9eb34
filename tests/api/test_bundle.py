import ast
import doctest
from pathlib import Path

import pytest

import workbench
from tests.techniques.plain_process import run_scripts
from workbench.api import bundle as module
from workbench.api.bundle import Bundle, import_code

PLAIN = Path(workbench.__file__).with_name("plain")


def test_a_script_brings_what_it_imports_and_what_that_imports():
    bundle = Bundle(
        "import keras\n\nfrom plain.litert.biases import round_biases\nfrom plain.openvino import strip\n"
    )
    files = bundle.files()
    assert next(iter(files)) == "optimize.py"
    assert set(files) == {
        "optimize.py",
        *("plain/__init__.py", "plain/litert/__init__.py", "plain/openvino/__init__.py"),
        *("plain/litert/biases.py", "plain/litert/buffers.py", "plain/litert/strip.py"),
        "plain/openvino/strip.py",
    }
    for name, text in files.items():
        if name != "optimize.py":
            assert text == (PLAIN.parent / name).read_text("utf-8")
    assert Bundle("import keras\n").files() == {"optimize.py": "import keras\n"}
    assert str(bundle) == bundle.script
    shown = bundle._repr_html_()
    assert "plain/litert/buffers.py" in shown
    assert "<Rounds" not in shown


def test_a_folder_above_is_followed():
    helpers = Bundle("from plain.onnx.export import export_onnx\n").helpers
    assert list(helpers) == ["plain/onnx/export.py", "plain/keras/export.py"]


def test_imports_are_grouped_and_stand_once():
    assert import_code(
        "from plain.b import y",
        "import keras",
        "",
        "from plain.b import x",
        "import os",
        "import keras",
        "from onnx import helper as h",
    ) == ("import os\n\nimport keras\nfrom onnx import helper as h\n\nfrom plain.b import x, y\n\n")


@pytest.mark.parametrize("file", sorted(PLAIN.rglob("*.py")), ids=lambda file: str(file.relative_to(PLAIN)))
def test_plain_code_knows_nothing_of_the_project(file):
    depth = len(file.relative_to(PLAIN).parts)
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= depth, "it leaves the package that is copied"
            names = [] if node.level else [node.module]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not {name.partition(".")[0] for name in names} & {"workbench", "widgets", "plain"}


def test_written_it_runs_without_this_package(tmp_path):
    """The smallest helper, and that nothing of the project can be imported beside it."""
    bundle = Bundle("from plain.calibration import drawn\n\nprint(*drawn(5, 9))\n")
    done = run_scripts([bundle.write(tmp_path / "new")], tmp_path / "new")
    assert (done.stdout.split(), done.returncode) == (["0", "1", "2", "3", "4"], 0)
    done = run_scripts([Bundle("import workbench\n").write(tmp_path)], tmp_path)
    assert done.returncode != 0
    assert "plain code imports workbench" in done.stderr


def test_the_example_is_right():
    assert doctest.testmod(module) == (0, 2)
