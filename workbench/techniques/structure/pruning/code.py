"""Channel pruning as plain Keras code, with the channels of this one model written out as data."""

from __future__ import annotations

import json
import re
import textwrap

from workbench.api.bundle import import_code
from workbench.api.technique import CodePaths
from workbench.api.variant import Variant
from workbench.graph.channels_code import ChannelsCode, channels_names
from workbench.techniques.structure.pruning.parameters import PruningParameters
from workbench.techniques.structure.pruning.plan import PruningPlan, plan_of
from workbench.training import TrainingSettings
from workbench.training.fine_tuning import saving_code
from workbench.training.objectives import Objectives
from workbench.training.preserving import needs_preserving
from workbench.training.script import features_code, training_imports
from workbench.training.self_distillation import TEACHING_IMPORT, loaded, taught_code, teaching_code

_JUDGES = {
    "l1": ("magnitude", "magnitude(model, channels, {gone})"),
    "l2": ("magnitude", "magnitude(model, channels, {gone}, order=2)"),
    "batchnorm": ("batchnorm_scale", "batchnorm_scale(model, channels, {gone})"),
}
_ROLES = {
    "l1": {"kernel"},
    "l2": {"kernel"},
    "batchnorm": {"kernel", "scale"},
    "taylor": {"kernel", "bias", "scale", "shift", "other"},
    "random": set[str](),
}

_REMOVE = """\
gone = channels.removing({keep}, scores)
keras.utils.set_random_seed({seed})
model = remove_channels(model, channels, gone)
"""
_REMOVE_MORE = """\
before, gone = gone, channels.removing({keep}, scores, gone)
keras.utils.set_random_seed({seed})
model = remove_channels(model, channels, gone, before)
"""


def pruning_code(variant: Variant, parameters: PruningParameters, paths: CodePaths) -> str:
    """A script that does what ``structure.pruning`` does to one model.

    The script finds no dependencies: they are in it as data, the same that is worked on here. How many
    channels stay is data too where that follows from the shapes alone, and is searched for by the script
    where it depends on weights (global ranking) or on time (latency).

    Raises:
        OSError, ValueError, KeyError, zipfile.BadZipFile: If the variant's file cannot be read.
        workbench.api.errors.Refused: If the target cannot be reached.
    """
    plan = plan_of(variant, parameters.round_to, parameters.least)
    steps, several, measured = parameters.steps, parameters.steps > 1, parameters.target == "latency"
    searched = parameters.ranking == "global" or measured
    wanted = "evenly" if parameters.ranking == "local" else "ranked"
    between = parameters.model_copy(update={"epochs": parameters.epochs_between if steps > 1 else 0})
    trains = bool(parameters.epochs or between.epochs)
    judge, scores = _judge(variant, parameters)
    imports = import_code(
        "import keras",
        "import numpy as np",
        TEACHING_IMPORT if parameters.distill and trains else "",
        *(training_imports(variant) if trains else ()),
        *(_judge_imports(variant) if judge == "taylor" else ()),
        f"from plain.keras.channel_importance import {judge}",
        "from plain.keras.channel_removal import remove_channels",
        f"from plain.keras.channel_search import {wanted}, search" if searched else "",
        "from plain.keras.channel_search import search_measured" if measured else "",
        f"from plain.keras.channels import {', '.join(channels_names(plan.channels))}",
        "from plain.keras.preserving import preserve" if trains and needs_preserving(variant) else "",
        "from plain.litert.time_ratio import TimeRatio" if measured else "",
    )
    keep = "keep" if searched else "keep[step]" if several else _counts(plan, parameters)[0]
    remove = _REMOVE_MORE if several else _REMOVE
    body = f"""\
scores = {scores}
{_search(parameters, wanted) if searched else ""}\
{remove.format(keep=keep, seed=parameters.seed)}"""
    if several:
        if between.epochs:
            training = textwrap.indent(_training(variant, between), " " * 4)
            body += f"if step < {steps - 1}:\n{training}\n"
        body = f"for step in range({steps}):\n{textwrap.indent(body, ' ' * 4)}"
    start = f"""\
{imports}\
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})
"""
    end = f"""\
{teaching_code(variant, parameters, "model") if trains else ""}
{"gone = channels.nothing()" + chr(10) if several else ""}\
{_preparation(plan, variant, parameters, scores, wanted) if searched else _kept(plan, parameters)}\
{body}\
{chr(10) + _training(variant, parameters) + chr(10) if parameters.epochs else ""}
{saving_code("model", paths, max(parameters.epochs, between.epochs))}"""
    channels = ChannelsCode(
        plan.channels,
        roles=_ROLES[parameters.importance],
        searched=searched,
        taken=re.findall(r"\w+", start + end),
    )
    return f"""\
{start}
# Channels that must go together, since an addition or one kernel ties them, are one unit. Units of a group
# run through the same layers. Of each weight: the unit at each position of each axis, or just its length.
{channels}{end}"""


def _training(variant: Variant, parameters: PruningParameters) -> str:
    """Code that trains ``model`` further, with its teacher if it has one."""
    callbacks = ["preserve(model)"] if needs_preserving(variant) else []
    return taught_code(variant, parameters, callbacks=callbacks)


def _judge(variant: Variant, parameters: PruningParameters) -> tuple[str, str]:
    """The function that judges units, and the call of it."""
    gone = "gone" if parameters.steps > 1 else "channels.nothing()"
    if parameters.importance == "random":
        return "random", f"random(channels, seed={parameters.seed})"
    if parameters.importance != "taylor":
        name, call = _JUDGES[parameters.importance]
        return name, call.format(gone=gone)
    objectives = Objectives.of(variant.description, TrainingSettings.of(parameters))
    counted = f"    weights={weights},\n" if (weights := objectives.weights_code("train")) else ""
    counted += f"    outputs={json.dumps(list(objectives.names))},\n" if objectives.names else ""
    return (
        "taylor",
        f"""\
taylor(
    model,
    channels,
    {gone},
    {features_code(variant, "train")},
    {objectives.targets_code("train")},
    {objectives.loss_code()},
    batch_size={parameters.batch_size},
    seed={parameters.seed},
{counted})""",
    )


def _judge_imports(variant: Variant) -> tuple[str, ...]:
    return Objectives.of(variant.description).imports(trained=False)


def _counts(plan: PruningPlan, parameters: PruningParameters) -> list[list[int]]:
    """Units that stay of each group after each step, where the shapes alone tell."""
    part, counts, found = 1 - parameters.remove, plan.all, []
    for step in range(1, parameters.steps + 1):
        share = part ** (step / parameters.steps)
        counts = plan.meeting(parameters.target, share, plan.evenly, counts)
        found.append(list(counts))
    return found


def _kept(plan: PruningPlan, parameters: PruningParameters) -> str:
    if parameters.steps == 1:
        return ""
    rows = "".join(f"    {row},\n" for row in _counts(plan, parameters))
    return f"# Units that stay of each group after each step.\nkeep = [\n{rows}]\n"


def _preparation(
    plan: PruningPlan, variant: Variant, parameters: PruningParameters, scores: str, wanted: str
) -> str:
    """What a search needs: what is left of the target, and for latency how much of it may be left."""
    part, measured = 1 - parameters.remove, parameters.target == "latency"
    code = f"""\
keep = channels.whole
part = {part!r}  # of the target that may be left


def left(keep):
    return {_left(plan, parameters)}


"""
    if not measured:
        return code
    settings = variant.settings
    return (
        code
        + f"""\
samples = {_first(features_code(variant, "train"), settings.batch)}
time = TimeRatio(model, samples, threads={settings.threads})
scores = {scores}


def measured(keep):
    return time.of(remove_channels(model, channels, channels.removing(keep, scores)))


fastest, ratio = search_measured(channels.groups, measured, part, {_wanted(wanted, parameters)})
assert ratio <= part, "not even the smallest model is so fast"
part = left(fastest)  # operations stand for the time from here on
"""
    )


def _first(features: str, batch: int) -> str:
    """The first samples of an array, or of a dict of them."""
    if features.startswith("{"):
        return f"{{name: array[:{batch}] for name, array in {features}.items()}}"
    return f"{features}[:{batch}]"


def _wanted(name: str, parameters: PruningParameters) -> str:
    if name == "evenly":
        return "evenly(channels.groups)"
    return (
        "ranked(channels.groups, scores, gone)" if parameters.steps > 1 else "ranked(channels.groups, scores)"
    )


def _search(parameters: PruningParameters, wanted: str) -> str:
    power = f" ** ((step + 1) / {parameters.steps})" if parameters.steps > 1 else ""
    return f"keep = search(channels.groups, left, part{power}, {_wanted(wanted, parameters)}, keep)\n"


def _left(plan: PruningPlan, parameters: PruningParameters) -> str:
    if parameters.target == "channels":
        return "channels.part_of_channels(keep)"
    whole, each = plan.whole(parameters.target)
    counted = parameters.target == "macs" or (
        parameters.target == "latency" and plan.remains(plan.all).macs is not None
    )
    gone = f"channels.saved(keep).{'macs' if counted else 'parameters'}"
    return f"1 - {gone} * {each!r} / {whole!r}" if parameters.target == "bytes" else f"1 - {gone} / {whole!r}"
