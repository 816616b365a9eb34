"""``workbench run`` and ``workbench measure`` on real models."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import Finished, recipe, workbench

pytestmark = pytest.mark.slow
DIGITS = ("--model", "dense-digits", "--data", "digits")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def onnx(folder) -> Finished:
    """A recipe that works, printed as JSON; its files are in ``onnx``."""
    (folder / "onnx.yaml").write_text(recipe("quantization.onnx_int8"), "utf-8")
    return workbench("run", "onnx.yaml", *DIGITS, "--out", "onnx", "--json", folder=folder)


@pytest.fixture(scope="module")
def refused(folder, scheduler) -> Finished:
    """A recipe whose second step does not fit, printed as a table; its files are in ``tflite``."""
    steps = recipe("quantization.int8", "quantization.float16")
    (folder / "refused.yaml").write_text(steps, "utf-8")
    return workbench(
        "run",
        "refused.yaml",
        *DIGITS,
        "--out",
        "tflite",
        folder=folder,
        COLUMNS="80",
        WORKBENCH_SCHEDULER=scheduler,
    )


def test_run_prints_every_variant_with_all_its_numbers(onnx):
    assert (onnx.code, onnx.err) == (0, "")
    rows = {row["variant"]: row for row in onnx.json()}
    baseline, *others = rows.values()
    assert baseline["technique"] is None
    assert {row["format"] for row in others} == {"onnx"}
    for row in rows.values():
        assert 0 < row["size"]["gzip_bytes"] < row["size"]["file_bytes"]
        assert row["size"]["parameters"] == 6_570
        p50 = row["latency"]["p50_ms"]
        assert 0 < p50["low"] <= p50["value"] <= p50["high"]
        f1 = row["quality"]["f1_macro"]
        assert 0.9 < f1["low"] <= f1["value"] <= f1["high"] <= 1
    for row in others:
        assert row["quality_change"]["word"] in {"kept", "lost", "not proven"}
        assert row["total_speedup"]["low"] <= row["total_speedup"]["value"] <= row["total_speedup"]["high"]
        assert row["compared"]
    (int8,) = (row for row in others if not row["automatic"])
    assert int8["technique"] == "quantization.onnx_int8"
    assert int8["speed"]["word"] in {"faster", "slower", "no measurable change"}
    assert int8["size"]["file_bytes"] < baseline["size"]["file_bytes"]
    assert int8["size_change"]["word"] == "smaller"
    assert int8["size_change"]["ratio"] == baseline["size"]["file_bytes"] / int8["size"]["file_bytes"]
    assert int8["size_change_alike"]["ratio"] < int8["size_change"]["ratio"]


def test_run_writes_the_files_that_it_measured_and_says_where(onnx, folder):
    rows = onnx.json()
    assert {Path(row["file"]) for row in rows} == set((folder / "onnx").iterdir())
    for row in rows:
        assert hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest() == row["sha256"]


def test_what_making_cost_and_on_which_machine_it_was_measured_is_printed(onnx):
    baseline, *others = onnx.json()
    for row in (baseline, *others):
        assert row["machine"]["cores"] >= 1
        assert row["machine"]["libraries"]["onnxruntime"]
        assert row["energy"] is None  # only the final protocol reads a meter
    assert baseline["made_in_s"] == 0
    for row in others:
        assert row["made_in_s"] > 0
        faster = row["speed"]["word"] == "faster" and row["distrust"] is None
        assert (row["break_even"] is not None) == faster


def test_step_that_does_not_fit_ends_with_3_and_keeps_what_was_made(refused, folder):
    assert refused.code == 3
    assert refused.err.startswith("quantization.float16 does not fit int8: ")
    assert "Traceback" not in refused.err
    assert {file.suffix for file in (folder / "tflite").iterdir()} == {".keras", ".tflite"}


def test_results_fit_eighty_columns_without_broken_words(refused):
    table, _, _ = refused.out.partition("\n\n\n")
    lines = refused.out.splitlines()
    heading = lines[0]
    assert heading.split("  ")[0].strip() == "variant"
    rows = [
        line for line in lines if line.startswith(("dense-digits ", "int8 ", "LiteRT ", "keras.", "litert "))
    ]
    assert {line.split()[0] for line in rows} == {
        "dense-digits",
        "int8",
        "LiteRT",
        "keras.function",
        "litert",
    }
    for words in ("6,570 weights", "× smaller", " gzip", "%", "not proven"):
        assert words in refused.out
    notes = table.splitlines()[1:]
    assert all(len(line) <= 80 for line in notes if not line.partition(": ")[2])


def test_measure_compares_formats_in_one_run(onnx, refused, folder, scheduler):
    files = ["tflite/int8.tflite", *sorted(str(file) for file in (folder / "onnx").glob("*.onnx"))]
    measured = workbench(
        "measure",
        *files,
        "--data",
        "digits",
        "--quick",
        "--json",
        folder=folder,
        WORKBENCH_SCHEDULER=scheduler,
    )
    assert (measured.code, measured.err) == (0, "")
    rows = measured.json()
    assert [row["format"] for row in rows] == ["tflite", *["onnx"] * (len(files) - 1)]
    assert {row["runtime"] for row in rows} == {"litert", "onnxruntime"}
    assert rows[0]["speed"] is None
    for row in rows[1:]:
        # One run with one reference: what can be compared at all.
        assert row["speed"]["word"] in {"faster", "slower", "no measurable change"}
        assert row["speed"]["reference"] == rows[1]["speed"]["reference"]
        assert row["quality_change"]["word"] in {"kept", "lost", "not proven"}
        assert row["latency"]["p50_ms"]["value"] > 0


def test_measure_names_a_file_that_cannot_be_loaded_and_measures_the_others(refused, folder, scheduler):
    (folder / "broken.tflite").write_bytes(b"no model at all")
    files = ["tflite/int8.tflite", "none.onnx", "broken.tflite"]
    measured = workbench(
        "measure", *files, "--data", "digits", "--quick", folder=folder, WORKBENCH_SCHEDULER=scheduler
    )
    assert measured.code == 2
    assert "Not measured: none.onnx. There is no model none.onnx." in measured.err
    assert "Not measured: broken.tflite. " in measured.err
    assert measured.out.partition("\n")[2].startswith("int8")
    assert "made in" not in measured.out
