"""Channel pruning as plain Keras code, with the groups of this one model written out as data."""

from __future__ import annotations

import json
import textwrap

from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.techniques.structure.pruning.data_code import PlanSource
from workbench.techniques.structure.pruning.importance_code import importance_code
from workbench.techniques.structure.pruning.parameters import PruningParameters
from workbench.techniques.structure.pruning.plan import PruningPlan, plan_of
from workbench.techniques.structure.pruning.search_code import search_code
from workbench.training.fine_tuning import saving_code
from workbench.training.parent_teaching import TEACHING_IMPORT, taught_code, teaching_code
from workbench.training.preserving import needs_preserving


def pruning_code(variant: Variant, parameters: PruningParameters, paths: CodePaths) -> str:
    """A script that does what ``structure.pruning`` does to one model.

    The script finds no dependencies: they are in it as data. Importance is computed from the weights that
    it loads. How many channels stay is data too where that follows from the shapes alone, and is searched
    for by the script where it depends on weights (global ranking) or on time (latency).

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If the variant's file cannot be read.
        workbench.api.errors.Refused: If the target cannot be reached.
    """
    plan = plan_of(variant, parameters.round_to, parameters.least)
    data = PlanSource(plan)
    epochs_between = parameters.epochs_between if parameters.steps > 1 else 0
    between = parameters.model_copy(update={"epochs": epochs_between})
    train_between = _training(variant, between) if epochs_between else ""
    train_after = _training(variant, parameters) if parameters.epochs else ""
    searched = parameters.ranking == "global" or parameters.target == "latency"
    distilled = bool(parameters.distill and (train_between or train_after))
    imports = ["math"] * bool(data.rescaled or searched) + ["time"] * (parameters.target == "latency")
    parts = [
        f"""\
{"".join(f"import {name}{chr(10)}" for name in imports)}{chr(10) if imports else ""}\
import keras
import numpy as np
{chr(10) + TEACHING_IMPORT + chr(10) if distilled else ""}
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})


def units(first, last):
    return np.arange(first, last)


# Channels that must go together, since an addition or one kernel ties them, are one unit. The units of a
# group run through the same layers, so any of them can stand for another.
groups = {{
{data.groups()}}}
count = {data.count}

# For every weight of a layer, in the order of layer.weights, the unit at each position of each axis;
# a number is the length of an axis that stays, and -1 a position that stays.
layers = {{
{data.layers()}}}

# Values in the configuration of a layer that say how long an axis is: where they stand, the axis, and how
# many positions of it count as one.
settings = {{
{data.settings()}}}
""",
        f"""
def staying(axis, gone):
    return np.flatnonzero(~gone[axis])


def layer_at(model, name):
    for part in name.split("/"):
        model = model.get_layer(part)
    return model


def flat(model, prefix=""):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from flat(layer, prefix + layer.name + "/")
        else:
            yield prefix + layer.name, layer


def narrow(config, gone, prefix=""):
    for layer in config["layers"]:
        name = prefix + layer["config"].get("name", "")
{data.skip_closed()}\
        forget_shapes(layer)
        if "layers" in layer["config"]:
            layer["config"].pop("build_input_shape", None)
            narrow(layer["config"], gone, name + "/")
        for keys, axis, each in settings.get(name, []):
            place = layer["config"]
            for key in keys[:-1]:
                place[key] = list(place[key]) if isinstance(place[key], tuple) else place[key]
                place = place[key]
            place[keys[-1]] = len(staying(axis, gone)) // each


def forget_shapes(layer):
    # The shapes that it was built with; it is built anew when the smaller model calls it.
    layer.pop("build_config", None)
    for key in ("layer", "backward_layer"):
        if isinstance(layer["config"].get(key), dict):
            forget_shapes(layer["config"][key])


def without(model, gone, before):
    \"\"\"A smaller model. Of every unit: is it gone there, and was it missing here before?\"\"\"
    description = keras.saving.serialize_keras_object(model)
    description.pop("build_config", None)
    description.pop("compile_config", None)
    narrow(description["config"], gone)
    keras.utils.set_random_seed({parameters.seed})
    smaller = keras.saving.deserialize_keras_object(description)
    for name, layer in flat(model):
        weights = layer.get_weights()
        for number, axes in enumerate(layers.get(name, [])):
            for at, axis in enumerate(axes):
                if not isinstance(axis, int):
                    here = axis[~before[axis]]
                    weights[number] = np.take(weights[number], staying(here, gone), axis=at)
{data.rescaling()}\
        if weights:
            layer_at(smaller, name).set_weights(weights)
        if hasattr(layer, "finalize_state"):
            layer_at(smaller, name).finalize_state()
    return smaller


def choose(keep, scores, before):
    \"\"\"Marks the units of lowest score, so that ``keep`` of each group are left.\"\"\"
    gone = before.copy()
    for name, group in groups.items():
        here = group[~before[group]]
        gone[here[np.argsort(scores[here], kind="stable")][: len(here) - keep[name]]] = True
    return gone

""",
        importance_code(plan, data.axis, data.numbers, variant, parameters),
        f"\n\n{teaching_code(variant, parameters, 'model')}" if distilled else "",
        "\n\nfrom plain.keras.preserving import preserve\n" if needs_preserving(variant) else "",
        "\n\n# Nothing is missing yet. The last entry is for positions that stay: their number is -1.\n",
        "before = np.zeros(count + 1, bool)\n",
    ]
    if searched:
        parts.insert(2, search_code(plan, data.axis, variant, parameters))
        measured = "part, _ = fast_enough(part, importance(model, before))\n"
        parts.append(
            f"""\
part = {1 - parameters.remove!r}
{measured if parameters.target == "latency" else ""}\
keep = {{name: len(group) for name, group in groups.items()}}
for step in range(1, {parameters.steps} + 1):
    scores = importance(model, before)
    keep = meeting(part ** (step / {parameters.steps}), keep, scores, before)
"""
        )
    else:
        parts.append(f"# Units kept of each group after each step.\nplan = [\n{_steps(plan, parameters)}]\n")
        parts.append("for step, keep in enumerate(plan, start=1):\n    scores = importance(model, before)\n")
    parts.append(
        """\
    gone = choose(keep, scores, before)
    model, before = without(model, gone, before), gone
"""
    )
    if train_between:
        parts.append(f"    if step < {parameters.steps}:\n" + textwrap.indent(train_between, " " * 8) + "\n")
    parts.append("\n" + train_after + "\n" if train_after else "\n")
    parts.append(saving_code("model", paths, max(parameters.epochs, epochs_between)))
    return "".join(parts)


def _training(variant: Variant, parameters: PruningParameters) -> str:
    """Code that trains ``model`` further, with its teacher if it has one."""
    preserved = needs_preserving(variant)
    return taught_code(variant, parameters, callbacks=["preserve(model)"] if preserved else [])


def _steps(plan: PruningPlan, parameters: PruningParameters) -> str:
    part, counts, lines = 1 - parameters.remove, plan.all, []
    for step in range(1, parameters.steps + 1):
        share = part ** (step / parameters.steps)
        counts = plan.meeting(parameters.target, share, plan.evenly, counts)
        inside = "".join(
            f"        {json.dumps(name)}: {count},\n" for name, count in plan.named(counts).items()
        )
        lines.append(f"    {{\n{inside}    }},\n")
    return "".join(lines)
