"""What a notebook shows of the engine's records, and what a closed workbench answers."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from tests.widgets.result_rows import HOSTILE, ROWS
from workbench.api.errors import Unavailable
from workbench.api.text import say
from workbench.engine.display import technique_html
from workbench.engine.origin import content_digest
from workbench.jobs.common_executor import executor_of, give_back
from workbench.jobs.executor import Executor
from workbench.results.notebook import results_cells, variant_html
from workbench.results.table import Results
from workbench.store import Store
from workbench.techniques import techniques

RESULTS = Results(ROWS)
BUSY = RESULTS[1].model_copy(update={"distrust": say("The machine was busy.")})


def test_results_are_rows_as_before_and_a_table_with_one_line_each():
    assert RESULTS == ROWS
    assert RESULTS[1].variant.name == "int8"
    assert [row.variant.id for row in RESULTS] == ["b", "q", "w", "u"]
    head, *lines = repr(RESULTS).splitlines()
    assert head.split() == ["Variant", "Made", "from", "Runtime", "Size", "Latency", "F1"]
    assert len(lines) == len(ROWS)
    assert "baseline" in lines[1]
    assert "1.10 kB" in lines[1]
    assert "2.00× faster [1.90, 2.10]" in lines[1]
    assert "kept: −0.2 pt [−0.6, +0.2]" in lines[1]
    assert lines[3].split()[-3:] == ["–", "–", "–"]
    assert repr(Results()) == "Results()"
    assert str(ROWS[1].variant) == "Variant('int8', litert, quantization.int8, id='q')"


def test_no_name_becomes_markup():
    for page in (RESULTS._repr_html_(), variant_html(ROWS[2].variant), ROWS[2]._repr_html_()):
        assert "<script" not in page
        assert "<a " not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert HOSTILE not in page
    assert RESULTS._repr_html_().count("<tr>") == 1 + len(ROWS)


def test_what_is_not_believed_has_no_verdict():
    assert "faster" not in "".join(results_cells((BUSY,))[1])
    frame = Results((ROWS[0], BUSY)).to_frame()
    assert frame.speed.isna()[1]
    assert frame.distrust[1] == "The machine was busy."


def test_a_frame_has_a_line_for_each_variant_with_numbers_to_compute_with():
    frame = RESULTS.to_frame()
    assert list(frame.columns[:5]) == ["name", "parent", "technique", "runtime", "file_bytes"]
    int8 = frame.set_index("name").loc["int8"]
    assert int8.parent == "baseline"
    assert int8.technique == "quantization.int8"
    assert int8.file_bytes == 1100
    assert (int8.speedup_low, int8.speedup, int8.speedup_high) == pytest.approx((1.9, 2.0, 2.1))
    assert int8.speed == "faster"
    assert int8.p50_ms == pytest.approx(0.05)
    assert int8.f1_low < int8.f1 == pytest.approx(0.94)
    assert int8.f1_change == pytest.approx(-0.002)
    assert int8.quality == "kept"
    assert bool(int8.on_front) is True
    assert frame[frame.quality == "kept"].file_bytes.min() == 1100
    assert list(Results().to_frame().columns) == list(frame.columns)


def test_a_spreadsheet_gets_the_same_columns_and_computes_nothing_from_a_name():
    named = ROWS[1].variant.model_copy(update={"name": "=HYPERLINK(1)"})
    rows = Results((ROWS[0], ROWS[1].model_copy(update={"variant": named})))
    head, _, line = rows.to_csv().splitlines()
    assert head.split(",") == list(rows.to_frame().columns)
    assert line.startswith("'=HYPERLINK(1),baseline,")


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Unavailable, match="pip install pandas"):
        RESULTS.to_frame()


def test_a_technique_explains_itself():
    int8 = techniques()["quantization.int8"]
    assert repr(int8) == "<quantization.int8: Full int8>"
    page = technique_html(int8)
    assert "Stores weights and activations in 8 bits" in page
    assert "Calibration samples." in page
    assert "&#x27;validation&#x27;" in page


def test_a_closed_workbench_says_so_whatever_is_asked(tmp_path: Path):
    store = Store(tmp_path / "mine")
    store.close()
    for ask in (store.variants, store.jobs, lambda: store.set_fact("a", "b")):
        with pytest.raises(Unavailable, match=r"This workbench is closed\. .*Workbench\('.*mine'\)"):
            ask()


def test_workbenches_of_one_folder_share_their_worker_processes(tmp_path: Path):
    first, second, other = (executor_of(tmp_path / name) for name in ("a", "a", "b"))
    assert first is second
    assert first is not other
    for executor in (other, first):
        give_back(executor)
    assert first.status().state == "new"
    give_back(second)
    assert first.status().state == "closed"
    third = executor_of(tmp_path / "a")
    assert third is not first
    give_back(third)
    assert isinstance(third, Executor)


def test_a_model_that_is_saved_again_is_the_same_though_its_objects_lie_elsewhere(tmp_path: Path):
    def saved(name: str, first: int, second: int) -> str:
        file = tmp_path / f"{name}.keras"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("metadata.json", name)
            archive.writestr(
                "config.json",
                f'{{"a": {{"shared_object_id": {first}}}, "b": {{"shared_object_id": {second}}}}}',
            )
        return content_digest(file)

    assert saved("one", 140_000, 150_000) == saved("again", 99_000, 98_000)
    assert saved("one", 140_000, 150_000) != saved("shared", 140_000, 140_000)
