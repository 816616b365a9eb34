"""Wrong input ends with 2 and a plain reason, before any time is spent."""

from __future__ import annotations

import click
import pytest

from workbench.cli import workbench
from workbench.cli._data import opening_options

DIGITS = ("--model", "dense-digits", "--data", "digits")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("steps: [", "The recipe is not YAML"),
        ("- quantization.int8\n", "A recipe is a mapping with 'steps'"),
        ("steps: []\n", "The recipe is wrong at steps"),
        ("workbench: 99\nsteps:\n- technique: quantization.int8\n", "The recipe is wrong at workbench"),
        ("steps:\n- technique: quantization.int9\n", "There is no technique 'quantization.int9'"),
        ("steps:\n- technique: quantization.int8\n  parameters: {samples: -1}\n", "samples"),
        ("steps:\n- technique: quantization.int8\n  parameters: {sample: 9}\n", "sample"),
        ("advise: {size_kb: small}\n", "size_kb cannot be demanded like this: 'small'"),
    ],
)
def test_wrong_recipe(run, write_recipe, text, reason):
    ended = run("run", write_recipe(text=text), *DIGITS)
    assert ended.code == 2
    assert reason in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("--runtime", "none"), "The runtimes are:"), (("--size-kb", "-3"), "size_kb cannot be demanded")],
)
def test_wrong_demand(run, words, reason):
    ended = run("advise", "dense-digits", "digits", *words)
    assert ended.code == 2
    assert reason in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    "words", [("advise", "dense-digits", "digits"), ("measure", "dense-digits", "--data", "digits")]
)
def test_a_package_that_is_not_installed_cannot_be_trusted(run, words):
    ended = run(*words, "--trust-packages", "not_a_package_of_anybody")
    assert ended.code == 2
    assert "not_a_package_of_anybody" in ended.err


@pytest.mark.parametrize("name", ["advise", "find", "forgotten", "inside", "measure", "run"])
def test_every_command_that_opens_a_model_can_open_all(name):
    command = workbench.get_command(click.Context(workbench), name)
    opening = {option.name for option in opening_options(lambda: None).__click_params__}
    assert {"trust", "code", "trust_packages", "task", "label"} <= opening
    assert opening <= {option.name for option in command.params}


def test_missing_recipe(run):
    ended = run("run", "none.yaml", *DIGITS)
    assert ended.code == 2
    assert ended.err.startswith("The recipe none.yaml cannot be read")


def test_recipe_that_is_no_text(run, tmp_path):
    (tmp_path / "recipe.yaml").write_bytes(b"\xff\xfe\x00steps")
    ended = run("run", "recipe.yaml", *DIGITS)
    assert ended.code == 2
    assert "cannot be read" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--model", "none.keras", "--data", "digits"), "There is no model none.keras."),
        (("--model", "dense-digits", "--data", "none.npz"), "There is no data none.npz."),
    ],
)
def test_missing_model_or_data(run, write_recipe, scheduler, words, reason):
    ended = run("run", write_recipe("quantization.int8"), *words, WORKBENCH_SCHEDULER=scheduler)
    assert ended.code == 2
    assert ended.err.startswith(reason)
    assert "Traceback" not in ended.err


def test_missing_option(run, write_recipe):
    ended = run("run", write_recipe("quantization.int8"), "--data", "digits")
    assert ended.code == 2
    assert "Missing option '--model'" in ended.err
    assert run("measure", "--data", "digits").code == 2


@pytest.mark.slow
def test_missing_file_to_measure(run, scheduler):
    ended = run("measure", "none.tflite", "--data", "digits", "--json", WORKBENCH_SCHEDULER=scheduler)
    assert ended.code == 2
    assert ended.err.startswith("There is no model none.tflite.")
    assert ended.out == ""
