"""Removal of units that never fire."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field
from typing_extensions import override

from workbench.api.bundle import import_code
from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Refused
from workbench.api.technique import (
    Applied,
    CodePaths,
    Context,
    Estimate,
    Parameters,
    Shortfall,
    Technique,
)
from workbench.api.text import Text, say
from workbench.api.variant import Report, Skip, Variant
from workbench.graph.channel_removal import without_channels
from workbench.graph.channels_code import ChannelsCode, channels_names
from workbench.graph.units import UNREADABLE, Group, Removed, Units, units_of
from workbench.plain.keras.channels import ModelChannels
from workbench.training.fine_tuning import (
    change_of_predictions,
    fine_tuning_obstacle,
    finish,
    load_parent,
    saving_code,
)
from workbench.training.parameter_types import BatchSize, RoundTo
from workbench.training.script import features_code

if TYPE_CHECKING:
    from workbench.plain.keras.unit_activity import UnitActivity

_CHECKED_SAMPLES = 512
_LARGEST_CHANGE, _LARGEST_CHANGE_OF_HALF = 1e-4, 2e-2
"""Of the largest output, in float32 and in 16 bits: more is no rounding."""
_MACS_PER_SECOND = 5e9


class DeadUnitsParameters(Parameters):
    """How the layers become narrower."""

    round_to: RoundTo = Field(
        1,
        description="Widths become multiples of this, where enough units are dead: processors work on 8 or "
        "16 values at once. 1 removes every dead unit.",
        json_schema_extra={"advanced": False},
    )
    batch_size: BatchSize = Field(
        64,
        description="Samples that are looked at in one call. More take more memory.",
        json_schema_extra={"unit": "samples", "advanced": True},
    )


class DeadUnits(Technique[DeadUnitsParameters]):
    """Removes filters and units that never fire on the training split. Nothing is trained.

    Behind a ReLU some units end up zero for every sample, and training cannot bring them back. The model runs
    over the whole training split, and a unit goes if it is zero wherever a layer reads it, so predictions on
    that split stay the same up to rounding, whatever activation or normalization lies in between. A unit that
    always gives the same value but not zero stays, since that value counts.

    The layers become narrower and stay dense: smaller and faster in every runtime, by as much as the model
    has dead units. On other samples a removed unit might have fired; the report says how much that changes on
    the validation split.

    Source: Hu et al., Network Trimming, 2016 (arXiv:1607.03250), for units that are zero on all samples.
    """

    name = "structure.dead_units"
    title = "Remove dead units"
    aims = frozenset({"faster", "smaller"})
    trains = False
    produces = "keras"
    loses = frozenset({"trained ranges"})

    @override
    def refusals(self) -> tuple[Text, ...]:
        return (_nothing_dead([]),)

    @override
    def obstacle(
        self, variant: Variant, dataset: DatasetInfo, parameters: DeadUnitsParameters
    ) -> Text | None:
        if (reason := fine_tuning_obstacle(variant, dataset, epochs=0)) is not None:
            return reason
        try:
            units = units_of(variant.path)
        except Refused as refused:
            return refused.text
        except UNREADABLE:
            return None  # told when it is applied, by what reads the file in full
        if (reason := units.obstacle()) is not None:
            return reason
        return None if any(map(units.is_visible, units.groups)) else _nothing_visible()

    @override
    def estimate(self, variant: Variant, dataset: DatasetInfo, parameters: DeadUnitsParameters) -> Estimate:
        samples = dataset.counts["train"]
        calls = samples / parameters.batch_size
        macs = variant.description.macs or 1e6
        return Estimate(
            seconds=4.0 + 0.01 * calls + samples * macs / _MACS_PER_SECOND,
            expectation=say(
                "How many units are dead is known when the model has run over the training split. Many are "
                "after long training with a high learning rate or strong regularization, often none in a "
                "small model. Predictions stay the same on the training split."
            ),
        )

    @override
    def apply(self, context: Context, parameters: DeadUnitsParameters) -> Applied:
        model = load_parent(context)
        units = units_of(context.parent.path)
        seen, removed = _dead(model, units, context, parameters)
        stays = _stays(units, seen, removed, parameters)
        if not removed.any():
            raise Refused(
                _nothing_dead(stays), say("Channel pruning removes what matters least, and trains the rest.")
            )
        context.report.stage(say("Removing channels"))
        context.report.check()
        smaller = without_channels(model, units.channels, removed, trust=context.parent.settings.trusted)
        context.report.progress(0.8)
        changes = _changes(model, smaller, context)
        return finish(
            smaller,
            context,
            Report(
                touched=units.touched(removed),
                skipped=(*units.fixed, *stays),
                notes=(
                    say(
                        "{before} weights became {after}.",
                        before=f"{model.count_params():,}",
                        after=f"{smaller.count_params():,}",
                    ),
                    *changes,
                ),
                tables=(units.table(removed),),
            ),
        )

    @override
    def code(self, variant: Variant, parameters: DeadUnitsParameters, paths: CodePaths) -> str:
        channels = _channels(units_of(variant.path), parameters)
        imports = import_code(
            "import keras",
            "import numpy as np",
            "from plain.keras.channel_removal import remove_channels",
            f"from plain.keras.channels import {', '.join(channels_names(channels, reads=True))}",
            "from plain.keras.observing import largest_change",
            "from plain.keras.unit_activity import unit_activity",
        )
        start = f"""\
{imports}\
model = keras.models.load_model({json.dumps(paths.model)}, compile=False)
data = np.load({json.dumps(paths.data)})
x = {features_code(variant, "train")}
"""
        end = f"""\
# A unit that is zero wherever a layer reads it, for every sample, can go.
seen = unit_activity(model, channels, x, batch_size={parameters.batch_size})
dead = channels.removable(~seen.fires)
smaller = remove_channels(model, channels, dead)
print(f"{{model.count_params():,}} weights became {{smaller.count_params():,}}")
print(f"outputs change by {{largest_change(model, smaller, x):.1e}} of the largest one")
{saving_code("smaller", paths, epochs=0)}"""
        data = ChannelsCode(channels, reads=True, taken=re.findall(r"\w+", start + end))
        return f"""\
{start}
# Channels that must go together, since an addition or one kernel ties them, are one unit. Of each weight:
# the unit at each position of each axis, or just its length; and which axes of its inputs a layer reads.
{data}
{end}"""

    @override
    def advice(self, shortfall: Shortfall, variant: Variant) -> Text | None:
        if shortfall == "lost F1":
            return say(
                "Units that never fired on the training split fire on the test split. What usually helps: "
                "more, or more varied, training samples."
            )
        if shortfall == "not faster":
            return say(
                "Only what never fires is gone, and odd widths can be slow: let widths be multiples of 8. "
                "Channel pruning removes more."
            )
        return None

    @override
    def variant_name(self, parameters: DeadUnitsParameters) -> str:
        return "without dead units"


def _channels(units: Units, parameters: DeadUnitsParameters) -> ModelChannels:
    """The channels of a model, with those groups of which it can be seen whether they are dead."""
    return replace(
        units.channels,
        groups=[
            replace(plain, multiple=group.multiple(parameters.round_to))
            for plain, group in zip(units.channels.groups, units.groups, strict=True)
            if units.is_visible(group)
        ],
    )


def _dead(
    model: Any, units: Units, context: Context, parameters: DeadUnitsParameters
) -> tuple[UnitActivity, Removed]:
    """What fires on the training split, and what is removed."""
    from workbench.plain.keras.unit_activity import unit_activity

    batches = math.ceil(context.dataset.info.counts["train"] / parameters.batch_size)
    done = itertools.count()

    def check() -> None:
        context.report.check()
        context.report.progress(0.1 + 0.6 * min(1.0, next(done) / batches))

    context.report.stage(
        say("Looking at what fires on {count} samples", count=context.dataset.info.counts["train"])
    )
    channels = _channels(units, parameters)
    samples = context.dataset.x("train")
    seen = unit_activity(model, channels, samples, batch_size=parameters.batch_size, check=check)
    return seen, channels.removable(~seen.fires)


def _stays(
    units: Units, seen: UnitActivity, removed: Removed, parameters: DeadUnitsParameters
) -> tuple[Skip, ...]:
    """Why units that could be removed are still there, by their group."""
    return tuple(
        Skip(name=group.name, reason=reason)
        for group in units.groups
        for reason in (
            _why_they_stay(group, seen, removed, parameters)
            if units.is_visible(group)
            else [say("It is summed over inside the layer, where it cannot be seen whether it is zero.")]
        )
    )


def _why_they_stay(
    group: Group, seen: UnitActivity, removed: Removed, parameters: DeadUnitsParameters
) -> Iterator[Text]:
    fires, varies = seen.fires[group.units], seen.varies[group.units]
    dead_there = int(np.count_nonzero(~fires & ~removed[group.units]))
    constant = int(np.count_nonzero(fires & ~varies))
    if fires.all() and not constant:
        yield say("All {count} channels fire.", count=len(group.units) * group.channels)
    if constant:
        yield say(
            "{count} channel always gives the same value, which is not zero: without it what follows would "
            "change.",
            "{count} channels always give the same value, which is not zero: without it what follows would "
            "change.",
            count=constant * group.channels,
        )
    if not fires.any():
        yield say(
            "None of its channels ever fires. {count} stays: a layer needs one.",
            "None of its channels ever fires. {count} stay: a layer needs one.",
            count=dead_there * group.channels,
        )
    elif dead_there:
        yield say(
            "{count} channel that never fires stays, so that the width is a multiple of {number}.",
            "{count} channels that never fire stay, so that the width is a multiple of {number}.",
            count=dead_there * group.channels,
            number=group.multiple(parameters.round_to) * group.channels,
        )


def _nothing_dead(stays: Sequence[Skip]) -> Text:
    reasons = " ".join(f"{skip.name}: {skip.reason}" for skip in stays[:5])
    return say("The training split shows no dead unit that could go. {reasons}", reasons=reasons)


def _nothing_visible() -> Text:
    return say(
        "All units of this model are summed over inside their layers, as by attention and recurrent "
        "layers: it cannot be seen which are dead."
    )


def _changes(before: Any, after: Any, context: Context) -> tuple[Text, Text]:
    """How much predictions differ.

    Raises:
        Refused: If they do by more than rounding on the training split.
    """
    change, note = change_of_predictions(before, after, context, "train", _CHECKED_SAMPLES)
    exact = context.parent.description.precision in ("float32", "float64")
    if not change <= (_LARGEST_CHANGE if exact else _LARGEST_CHANGE_OF_HALF):
        raise Refused(
            say(
                "Without the dead units the model predicts otherwise: outputs change by {change:.1e} of the "
                "largest one.",
                change=change,
            ),
            say("Please report this model: its channels are followed wrongly."),
        )
    return note, change_of_predictions(before, after, context, "validation", _CHECKED_SAMPLES)[1]
