"""Plain code that measures a grid of runtimes, precisions, threads and batches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from workbench.api.bundle import import_code
from workbench.api.file_format import file_format
from workbench.api.task import Task, measure_of
from workbench.api.technique import CodePaths
from workbench.api.variant import Format, Variant
from workbench.models.converting.conversion import OPSET
from workbench.runtimes import runtime
from workbench.techniques.inference.grid.cells import Cell, FileRecipe, Model
from workbench.techniques.inference.grid.parameters import GridParameters
from workbench.techniques.inference.runtime import format_for
from workbench.techniques.inference.runtime_code import RUNNING, conversion_code, loading_code
from workbench.training.judging_code import MEASURE_NAMES

_DERIVED = {
    ("onnxruntime", "float16"): """\
from plain.onnx.precision import to_float16

to_float16({source}, {target})
""",
    ("onnxruntime", "dynamic int8"): """\
from plain.onnx.precision import to_dynamic_int8

to_dynamic_int8({source}, {target})
""",
    ("openvino", "float16"): """\
import openvino

float32 = openvino.Core().read_model({source} + "/model.xml")
openvino.save_model(float32, {target} + "/model.xml", compress_to_fp16=True)
""",
}

_MEASURING = """\
import numpy as np
from plain.batches import in_batches
from plain.measures import {measure}
from plain.timing import median_ms
"""

_MEASURE = """\
runs, score = {{}}, {{}}
for name, runtime, file, threads, batch in cells:
    predict = start[runtime](file, threads)
    runs[name, threads, batch] = predict, batch
    if name not in score:
        outputs = in_batches(predict, validation, 32)
        score[name] = {measure}.of(outputs, {labels}, from_logits={from_logits}{counted})
p50_ms = median_ms(runs, validation)
"""


def grid_code(
    variant: Variant,
    ways: Mapping[Model, FileRecipe],
    parameters: GridParameters,
    cells: Sequence[Cell],
    paths: CodePaths,
) -> str:
    """The script; it writes every file, measures, and copies the best one.

    Args:
        variant: The parent.
        ways: How each file is made.
        parameters: Goal and limits.
        cells: Every combination.
        paths: File names.
    """
    measure = MEASURE_NAMES[variant.description.task]
    files = {model: _file(variant, model, way, paths) for model, way in ways.items()}
    # What needs a GPU is tuned for a batch, and built again for each; the script stays on the processor.
    known = {
        model: file
        for model, file in files.items()
        if model.runtime in RUNNING and not runtime(model.runtime).needs_gpu
    }
    kept = [cell for cell in cells if cell.model in known and _one_number_of_threads(cell, cells)]
    written = set[str]()
    sections = [
        _section(variant, model, way, paths, written)
        for model, way in ways.items()
        if model in known and way.technique is not None
    ]
    names = dict.fromkeys(cell.model.runtime for cell in kept)
    threads = next((cell.threads for cell in kept if runtime(cell.model.runtime).imports_tensorflow), None)
    imports, bodies = _hoisted(
        [
            "import os\nimport shutil\nimport sys\n" + _MEASURING.format(measure=measure),
            # The line that lets a trusted file run its own code follows the import of Keras.
            "" if threads is None else "import keras\nimport tensorflow as tf\n",
            *(f"from plain.{RUNNING[name]} import run as run_{RUNNING[name]}\n" for name in names),
            *sections,
        ]
    )
    limit = (
        ""
        if threads is None
        else f"""\
# TensorFlow takes its number of threads once in a process: its cells with others are left out here.
tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads({threads})

"""
    )
    starts = "".join(
        f"    {json.dumps(name)}: lambda file, threads: "
        f"{loading_code(variant, name, 'file', 'threads', f'run_{RUNNING[name]}.load')},\n"
        for name in names
    )
    rows = ""
    for model in dict.fromkeys(cell.model for cell in kept):
        own = [cell for cell in kept if cell.model == model]
        numbers, sizes = ({getattr(cell, each): None for cell in own} for each in ("threads", "batch"))
        row = [model.label, model.runtime, known[model], list(numbers), list(sizes)]
        rows += f"    {json.dumps(row)},\n"
    return f"""\
{imports}
{limit}{"".join(bodies)}\
start = {{
{starts}}}
# What runs in which runtime, with how many threads and samples at once.
files = [
{rows}]
cells = [
    (name, runtime, file, threads, batch)
    for name, runtime, file, numbers, sizes in files
    for threads in numbers
    for batch in sizes
]
{_data(variant, paths)}
{
        _MEASURE.format(
            measure=measure,
            labels="labels.setdefault(0, outputs)" if variant.description.task == "agreement" else "labels",
            from_logits=variant.description.from_logits,
            counted=', weights=data["w_validation"]' if "validation" in variant.description.weighted else "",
        )
    }
{_choose(parameters, variant.description.task)}
{_keep(paths)}"""


def _one_number_of_threads(cell: Cell, cells: Sequence[Cell]) -> bool:
    if not runtime(cell.model.runtime).imports_tensorflow:
        return True
    return cell.threads == cells[0].threads


def _data(variant: Variant, paths: CodePaths) -> str:
    names = [spec.name for spec in variant.description.inputs]
    single = len(names) == 1
    pairs = ", ".join(
        f"{json.dumps(name)}: data[{json.dumps('x_validation' if single else f'x_validation.{name}')}]"
        for name in names
    )
    labels = 'labels = data["y_validation"]\n'
    if variant.description.task == "agreement":
        labels = "labels = {}  # there are none: all have to agree with the first file\n"
    return f"""\
data = np.load({json.dumps(paths.data)})
validation = {{{pairs}}}
{labels}"""


def _choose(parameters: GridParameters, task: Task) -> str:
    measure, best = MEASURE_NAMES[task], "max" if measure_of(task).higher_is_better else "min"
    limit = parameters.limit_ms or "float('inf')"
    if parameters.goal == "latency":
        choice = "best = min(fit, key=lambda cell: p50_ms[cell])"
    else:
        choice = "best = max(fit, key=lambda cell: cell[2] / p50_ms[cell])"
    return f"""\
for (name, threads, batch), ms in sorted(p50_ms.items(), key=lambda item: item[1]):
    rate = 1000 * batch / ms
    judged = f"{{{measure}.name}} {{score[name]:.4g}}"
    print(f"{{name}}, {{threads}} / {{batch}}: {{ms:.3f}} ms, {{rate:.0f}} a second, {{judged}}")
most = {best}(score.values())
lost = {{name: -{measure}.gain(most, one) for name, one in score.items()}}
fit = [cell for cell, ms in p50_ms.items() if lost[cell[0]] <= {parameters.tolerance / 100} and ms <= {limit}]
{choice}
print("best:", *best)
"""


def _keep(paths: CodePaths) -> str:
    return f"""\
file = next(file for name, _, file, _, _ in cells if name == best[0])
output = {json.dumps(paths.output)} + os.path.splitext(file)[1]
if os.path.isdir(file):
    shutil.copytree(file, output, dirs_exist_ok=True)
else:
    shutil.copyfile(file, output)
"""


def _slug(model: Model) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{model.runtime}-{model.precision}")


def _format(variant: Variant, model: Model, way: FileRecipe) -> Format:
    if way.technique is None:
        return variant.format
    if way.technique.produces is not None:
        return way.technique.result_format(variant)
    return format_for(variant.format, model.runtime) or variant.format


def _file(variant: Variant, model: Model, way: FileRecipe, paths: CodePaths) -> str:
    if way.technique is None:
        return paths.model
    return f"{paths.output}-{_slug(model)}{file_format(_format(variant, model, way)).suffix}"


def _section(variant: Variant, model: Model, way: FileRecipe, paths: CodePaths, written: set[str]) -> str:
    """What makes a file.

    Args:
        variant: The parent.
        model: What the file is.
        way: How it is made.
        paths: File names.
        written: Files that are there already; what this one writes is added.
    """
    assert way.technique is not None
    made, file = _format(variant, model, way), _file(variant, model, way, paths)
    written.add(file)
    if way.derived:
        source = f"{paths.output}-{_slug(Model(model.runtime, 'float32'))}{file_format(made).suffix}"
        body = _DERIVED[model.runtime, model.precision].format(
            source=json.dumps(source), target=json.dumps(file)
        )
        first = "" if source in written else conversion_code(variant, made, paths.model, source, OPSET)
        written.add(source)
        return f"\n# {model.label}\n{first}\n{body}"
    if way.technique.name == "inference.runtime":
        return f"\n# {model.label}\n{conversion_code(variant, made, paths.model, file, OPSET)}"
    own = CodePaths(model=paths.model, data=paths.data, output=file)
    return f"\n# {model.label}\n{way.technique.code(variant, way.parameters, own)}"


def _hoisted(scripts: Iterable[str]) -> tuple[str, list[str]]:
    """All import statements of some scripts, once, and what is left of each."""
    before, imports, bodies = set[str](), list[str](), []
    loaded = set[str]()
    for script in scripts:
        left = []
        for line in script.splitlines():
            if re.match(r"(os\.environ|sys\.modules)\[", line):
                before.add(line.partition("  #")[0])
            elif re.match(r"(import|from) ", line):
                imports.append(line)
            elif re.match(r"(model|data) = (keras\.models|np)\.load", line):
                # What is loaded already is not loaded again, unless its name stands for something else now.
                if line not in loaded:
                    left.append(line)
                loaded.add(line)
            else:
                if (assigned := re.match(r"(model|data) = ", line)) is not None:
                    loaded = {known for known in loaded if not known.startswith(assigned[0])}
                left.append(line)
        # What stood between the imports is gone as well.
        body = re.sub(r"\n{4,}", "\n\n\n", re.sub(r"^(\n*# .*)\n+", r"\1\n", "\n".join(left))).strip("\n")
        if body:
            bodies.append(f"{body}\n\n")
    standard = {line for line in imports if line.split()[1] in ("os", "sys", "shutil")}
    rest = import_code(*(line for line in imports if line not in standard))
    first = "".join(f"{line}\n" for line in sorted(standard))
    settings = "".join(f"{line}\n" for line in sorted(before))
    return "\n".join(part for part in (first, settings, rest.rstrip("\n") + "\n") if part), bodies
