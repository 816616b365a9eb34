"""What opens: every kind of model that people bring, and what each family of techniques makes of it.

Each is opened as the page opens it. Each technique is applied to it, and what it makes is run on the test
samples; times are not measured. A cell says that all of them work, or which do not and why.
``python -m tests.benchmarks.what_opens keras-hub`` looks at the kinds with a word in their name.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import table
from tests.kinds import KINDS, Brought
from tests.local_reporter import LocalReporter
from workbench.api.dataset import Dataset
from workbench.api.errors import WorkbenchError
from workbench.api.file_format import file_format
from workbench.api.text import Text
from workbench.api.variant import Variant
from workbench.data.options import reading_options
from workbench.data.outputs import OutputWish, judged_model, with_wish
from workbench.data.prepare import prepare
from workbench.data.streams import Bounds
from workbench.engine import worker_functions
from workbench.engine.compatibility import parse_parameters, technique_obstacle
from workbench.engine.output_steps import opened_settings
from workbench.engine.sources import hand_over_data, hand_over_model
from workbench.models.intake.own_inputs import samples_in
from workbench.runtimes import runtime
from workbench.techniques import technique as find_technique

_EPOCH = {"epochs": 1, "batch_size": 64}
FAMILIES: dict[str, dict[str, dict[str, Any]]] = {
    "structure": {
        "structure.pruning": {
            "target": "parameters",
            "remove": 0.3,
            "epochs_between": 0,
            "round_to": 4,
            **_EPOCH,
        },
        "structure.sparsity": {"every": 1, **_EPOCH},
        "structure.low_rank": {"choose": "weights", "weights": 0.9, **_EPOCH},
    },
    "training": {"training.retrain": _EPOCH},
    "inference": {
        f"inference.runtime {name}": {"runtime": name} for name in ("litert", "onnxruntime", "openvino")
    },
    "quantization": {
        "quantization.int8": {"samples": 32},
        "quantization.dynamic_range": {},
        "quantization.onnx_int8": {"samples": 32},
        "quantization.qat": _EPOCH,
    },
    "distillation": {"distillation.distill": {"compare_seeds": 1, **_EPOCH}},
}
"""A few techniques of each family, with parameters that take seconds."""


def main(words: list[str] | None = None) -> None:
    """Prints the table, each row from a process of its own: their libraries do not live long together."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    table.heads("What is brought", "opens", *FAMILIES)
    for name in KINDS:
        if not words or any(word in name for word in words):
            table.row(name, *_row_of_a_process(name))


def _row_of_a_process(name: str) -> list[str]:
    with tempfile.NamedTemporaryFile("r", suffix=".json") as kept:
        code = "import sys; from tests.benchmarks import what_opens; what_opens.keep_row(*sys.argv[1:])"
        ended = subprocess.run(
            [sys.executable, "-c", code, name, kept.name], capture_output=True, text=True, check=False
        )
        cells = kept.read()
    if not cells:
        last = (ended.stderr.strip().splitlines() or ["no word"])[-1]
        return [f"the process ended with {ended.returncode}: {last}", *["–"] * len(FAMILIES)]
    return list(json.loads(cells))


def keep_row(name: str, path: str) -> None:
    """Writes the cells of a kind into a file."""
    Path(path).write_text(json.dumps(row(name)), encoding="utf-8")


def row(name: str) -> list[str]:
    """How a kind opens, and a cell for each family."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            way, variant, dataset = opened(KINDS[name](Path(folder)), Path(folder))
        except WorkbenchError as error:
            return [f"no: {_short(error.text)}", *["–"] * len(FAMILIES)]
        return [way, *(_cell(family, variant, dataset, Path(folder)) for family in FAMILIES.values())]


def opened(brought: Brought, folder: Path) -> tuple[str, Variant, Dataset]:
    """The way in which it was opened, the baseline and the data."""
    options, staging = brought.options, folder / "staging"
    staging.mkdir()
    packages = tuple(options.get("trust_packages", ()))
    trust = bool(options.get("trust"))
    handed = hand_over_model(
        brought.model,
        staging,
        trust=trust,
        samples=samples_in(brought.data),
        code=options.get("code"),
        packages=packages,
    )
    model = worker_functions.open_model(
        LocalReporter(), handed.path, folder / "baseline", trust, False, handed.code, handed.packages
    )
    source = hand_over_data(brought.data, staging, None, None, Bounds(None, None))
    assert isinstance(source, str | Path)
    how = {"label": None, "classes": None, "output": None, "test_fraction": None, "validation_fraction": None}
    reading = reading_options(scaling="none", limit_gib=None, **how)
    dataset = prepare(source, folder / "data", model=model.description, seed=0, **reading)
    wish = OutputWish(output=options.get("output"))
    described = judged_model(with_wish(model.description, wish), dataset.info, None)
    model = replace(model, description=described)
    home = file_format(model.format).home_runtime
    read = worker_functions.read_output(
        LocalReporter(),
        model.path,
        home,
        opened_settings(model),
        model.description,
        dataset.folder,
        wish,
    )
    if read.refusal is not None:
        raise read.refusal
    found = handed.opened_up or model.description.opened_up
    way = "yes"
    if found is not None and found.graph_only is not None:
        way = "as a graph alone"
    elif found is not None:
        way = f"closed: {', '.join(found.closed)}" if found.closed else "as its layers"
    variant = Variant(
        id="baseline",
        name="baseline",
        format=model.format,
        path=model.path,
        sha256="",
        runtime=home,
        settings=opened_settings(model),
        description=described.model_copy(update={"from_logits": read.from_logits}),
        created=datetime.now(UTC),
        is_reference=True,
    )
    return way, variant, dataset


def _cell(family: dict[str, dict[str, Any]], variant: Variant, dataset: Dataset, folder: Path) -> str:
    works: list[str] = []
    reasons: dict[str, list[str]] = {}
    for title, given in family.items():
        technique = find_technique(title.split()[0])
        what = title.split()[-1].rpartition(".")[2].replace("_", " ")
        parameters = parse_parameters(technique, given)
        reason = technique_obstacle(technique, variant, dataset.info, parameters, (variant,))
        if reason is None:
            try:
                made = folder / title.replace(" ", "-")
                made.mkdir()
                others = dict.fromkeys(technique.others(parameters), variant)
                applied, _, _ = worker_functions.apply_technique(
                    LocalReporter(), technique, parameters, variant, dataset.folder, made, 0, others
                )
                _run(applied, dataset)
                works.append(what)
                continue
            except WorkbenchError as error:
                reason = error.text
        reasons.setdefault(_short(reason), []).append(what)
    if not reasons:
        return "works"
    refused = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    if not works:
        return refused if len(reasons) > 1 else next(iter(reasons))
    return f"{', '.join(works)} work; {refused}"


def _run(applied: Any, dataset: Dataset) -> None:
    """Raises where what was made does not answer for every test sample; in a process, as measuring."""
    given = pickle.dumps((applied.runtime, applied.path, applied.settings, dataset.folder))
    code = "from tests.benchmarks import what_opens; what_opens.run_given()"
    ended = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=False)
    last = (ended.stderr.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
    assert ended.returncode == 0, f"{applied.runtime}: {ended.returncode}: {last}"


def run_given() -> None:
    """Runs the file that standard input names on the test samples."""
    name, path, settings, folder = pickle.load(sys.stdin.buffer)
    dataset = Dataset(folder)
    session = runtime(name).load(path, settings)
    try:
        scores = session.predict(dataset.x("test"))
    finally:
        session.close()
    assert len(scores) == len(dataset.y("test"))
    assert np.isfinite(scores).all()


def _short(reason: Text) -> str:
    """The first sentence."""
    return str(reason).replace("|", "/").split(". ")[0].rstrip(".")


if __name__ == "__main__":
    main(sys.argv[1:])
