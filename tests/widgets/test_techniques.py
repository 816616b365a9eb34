"""The panel of all techniques: its order, search, filters, where variants start, and the click that helps."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.engine.test_refusal import INFO, INT8, LINE, SPARSE
from tests.widgets.test_panels import Reader, entry
from widgets import QuantizationPanel, TechniquesPanel
from widgets.session import session_of
from workbench.api.text import use_language
from workbench.jobs.executor import Executor
from workbench.store import Store
from workbench.techniques import techniques
from workbench.workbench import Workbench

CONFIG = {
    "layers": [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 8]}},
        *(
            {
                "class_name": "Dense",
                "config": {"name": f"layer{n}", "units": 8, "use_bias": True},
                "build_config": {"input_shape": [None, 8]},
            }
            for n in range(3)
        ),
    ]
}
"""Three Dense layers, as Keras writes them: pruning plans with it."""


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory, executor: Executor) -> Iterator[Workbench]:
    """A workbench with net -> sparse -> int8, as a store keeps it; nothing is ever run."""
    folder = tmp_path_factory.mktemp("stacked")
    (folder / "data").mkdir()
    (folder / "data" / "dataset.json").write_text(INFO.model_dump_json())
    store = Store(folder)
    for one in LINE:
        file = store.staging() / one.path.name
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("config.json", json.dumps({"config": CONFIG}))
        store.add_variant(
            one.model_copy(update={"path": Path(file.name), "created": datetime.now(UTC)}),
            file,
            facts={"dataset": "data"},
        )
    store.close()
    with Workbench(folder, executor=executor) as workbench:
        yield workbench
        for thread in (*threading.enumerate(), *threading.enumerate()):
            if isinstance(thread, threading.Timer):
                thread.join(60)  # a redraw that is under way reads the store


@pytest.fixture
def panel(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Reader:
    session_of(workbench).parent = None
    return Reader(TechniquesPanel(workbench), monkeypatch)


def names(state: dict[str, Any]) -> list[str]:
    return [one["name"] for one in state["techniques"]]


def test_families_come_by_use_each_with_what_it_is_for(panel: Reader) -> None:
    shown = panel.shown
    assert [one["name"] for one in shown["families"]] == [
        "quantization",
        "inference",
        "structure",
        "distillation",
        "training",
    ]
    assert all(one["about"] for one in shown["families"])
    assert names(shown)[0] == "quantization.int8"
    assert len(names(shown)) == len(techniques())
    assert shown["found"] is None


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        ("prun", "en", "structure.pruning"),
        ("INT8 onnx", "en", "quantization.onnx_int8"),
        ("剪枝", "zh_CN", "structure.pruning"),
        ("quantization-aware", "zh_CN", "quantization.qat"),
        ("arXiv:1712.05877", "en", "quantization.int8"),
    ],
)
def test_search_finds_titles_names_and_words_of_the_help(
    panel: Reader, words: str, language: str, expected: str
) -> None:
    use_language(language)
    try:
        shown = panel.click("search", text=words)
        assert expected in names(shown)
        assert len(names(shown)) < 24
        assert str(len(names(shown))) in shown["found"]
    finally:
        use_language("en")
    assert names(panel.click("search", text="no such thing")) == []
    assert len(names(panel.click("search", text=""))) == len(techniques())


def test_filters_are_all_met_at_once(panel: Reader) -> None:
    shown = panel.click("filter", filter="untrained", on=True)
    assert "quantization.int8" in names(shown)
    assert {"structure.pruning", "quantization.qat"} & set(names(shown)) == set()
    shown = panel.click("filter", filter="smaller", on=True)
    assert all("↘" in [aim["sign"] for aim in one["aims"]] for one in shown["techniques"])
    assert "inference.runtime" not in names(shown)
    assert [one["name"] for one in shown["filters"] if one["on"]] == ["smaller", "untrained"]
    both = set(names(panel.click("filter", filter="seconds", on=True)))
    assert both
    assert not both & set(names(panel.click("filter", filter="minutes", on=True)))
    panel.click("filter", filter={"no": 1}, on=True)
    panel.click("search", text=["no"])
    # What was asked for elsewhere is shown, whatever was looked for before.
    session_of(panel.component.session.workbench).show_technique("structure.pruning")
    shown = panel.shown
    assert (shown["open"], shown["found"]) == ("structure.pruning", None)


def test_it_says_when_variants_start_from_another_one(
    panel: Reader, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Reader(QuantizationPanel(workbench), monkeypatch)
    assert panel.shown["answer"] is None
    shown = panel.click("parent", variant=SPARSE.id)
    assert shown["answer"] == "New variants start from sparse now."
    assert shown["opener"] == "Techniques, from sparse"
    assert alone.click("open")["parent"] == SPARSE.id
    assert not alone.shown["whole"]
    assert panel.click("parent", variant=shown["baseline"])["opener"] == "Techniques"


def test_what_is_refused_says_of_which_kind_and_offers_the_click_that_helps(
    panel: Reader, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        workbench, "apply_before", lambda *one, **parameters: asked.append((*one, parameters))
    )
    shown = panel.click("parent", variant=INT8.id)
    assert entry(shown, "structure.pruning")["refusal"] == {
        "kind": "order",
        "word": "before int8",
        "lead": "Comes earlier:",
        "help": "Apply to sparse, then int8 again",
    }
    assert entry(shown, "structure.width")["refusal"]["help"] == "Apply to net, then sparse, int8 again"
    float16 = entry(shown, "quantization.float16")["refusal"]
    assert (float16["word"], float16["help"]) == ("instead of int8", "Apply to sparse instead")
    assert entry(shown, "inference.tensorrt")["refusal"]["help"] is None
    panel.click("check", technique="structure.pruning", values={"remove": "0.25"})
    panel.click("before", technique="structure.pruning")
    assert asked == [("structure.pruning", INT8.id, {"remove": "0.25"})]
    # "+" means the defaults, whatever the form says.
    panel.click("add", technique="structure.pruning")
    assert asked[1][2]["remove"] == 0.5


def test_what_is_there_already_is_offered_beside_another_one(
    panel: Reader, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(workbench, "apply", lambda *_, **parameters: asked.append(parameters))
    shown = entry(panel.click("open", technique="structure.sparsity"), "structure.sparsity")
    assert shown["existing"] == {"variant": SPARSE.id, "text": "This is there already: sparse."}
    panel.click("show", variant=SPARSE.id)
    assert session_of(workbench).selected == SPARSE.id
    panel.click("apply", technique="structure.sparsity", again=True)
    assert asked[-1]["again"] is True
    changed = panel.click("check", technique="structure.sparsity", values={"share": "0.5"})
    assert entry(changed, "structure.sparsity")["existing"] is None
    panel.click("apply", technique="structure.sparsity", values={"share": "0.5"})
    assert asked[-1] == {"again": False, "share": "0.5"}


def test_what_to_expect_says_what_this_processor_has(panel: Reader, workbench: Workbench) -> None:
    said = entry(panel.click("open", technique="quantization.int8"), "quantization.int8")["expectation"]
    assert "This processor has" in said


def test_a_failed_plus_opens_the_form_with_the_reason(panel: Reader) -> None:
    panel.click("parent", variant=SPARSE.id)
    shown = panel.click("add", technique="inference.tensorrt")
    assert shown["open"] == "inference.tensorrt"
    assert "TensorRT needs" in entry(shown, "inference.tensorrt")["message"]
    assert len(panel.component.session.workbench.jobs) == 0
