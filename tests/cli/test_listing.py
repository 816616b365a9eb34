"""Commands that tell what there is."""

from __future__ import annotations

import platform

import pytest

COMMANDS = ("cluster", "dashboard", "doctor", "lab", "measure", "run", "runtimes", "techniques")


def test_help_lists_every_command(run):
    told = run("--help")
    assert told.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in told.out
    assert max(map(len, told.out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(run, name):
    told = run(name, "-h")
    assert told.code == 0
    assert told.out.startswith(f"Usage: workbench {name} [OPTIONS]")
    assert told.err == ""


def test_version_is_that_of_the_package(run):
    from workbench import __version__

    assert __version__ in run("--version").out


def test_techniques_as_json(run):
    told = run("techniques", "--json")
    assert (told.code, told.err) == (0, "")
    found = {row["name"]: row for row in told.json()}
    int8 = found["quantization.int8"]
    assert int8["family"] == "quantization"
    assert int8["available"] is True
    assert int8["unavailable"] is None
    assert int8["parameters"]["samples"]["default"] == 200
    assert {"structure.width", "inference.runtime", "quantization.float16"} <= found.keys()
    assert all(row["title"] and row["help"] and row["family"] for row in found.values())


def test_runtimes_as_json(run):
    told = run("runtimes", "--json")
    assert (told.code, told.err) == (0, "")
    found = {row["name"]: row for row in told.json()}
    assert {"keras.eager", "keras.function", "keras.xla", "litert", "onnxruntime", "openvino"} <= found.keys()
    assert found["litert"]["formats"] == ["tflite"]
    assert found["litert"]["available"] is True


def test_doctor_as_json(run):
    told = run("doctor", "--json")
    assert (told.code, told.err) == (0, "")
    found = told.json()
    assert found["environment"]["python"] == platform.python_version()
    assert found["environment"]["cores"] >= 1
    assert found["environment"]["libraries"]["tensorflow"].startswith("2.")
    assert found["runtimes"]["litert"] == "✓"
    assert found["data"]["digits"] == "✓"
    assert "quantization.int8" in found["techniques"]


@pytest.mark.parametrize("name", ["techniques", "runtimes"])
def test_tables_fit_eighty_columns(run, name):
    told = run(name, COLUMNS="80")
    assert told.code == 0
    assert max(map(len, told.out.splitlines())) <= 80
    for row in run(name, "--json").json():
        assert row["name"] in told.out


def test_unknown_command_and_option(run):
    wrong = run("optimise")
    assert wrong.code == 2
    assert "No such command 'optimise'" in wrong.err
    assert run("doctor", "--yaml").code == 2
