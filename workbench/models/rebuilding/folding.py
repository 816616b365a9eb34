"""Which layers of a Keras model can be computed into the weights of others, read without Keras.

BatchNormalization, Normalization and Rescaling multiply each channel by a number and add another.
Beside a layer that is linear, that is part of its weights: nothing is rounded but the last digit.
Layers that do nothing when a model predicts are left out. :mod:`workbench.plain.keras.folding` does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.api.text import Text, say
from workbench.api.variant import Skip
from workbench.graph.calls import Call
from workbench.graph.thinned import ThinnedGraph, gives_floats
from workbench.plain.keras.channel_factors import LINEAR, TRANSPOSED
from workbench.plain.keras.folding import Fold, Place

IDENTITIES = frozenset(
    {
        *("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout"),
        *("GaussianDropout", "GaussianNoise", "ActivityRegularization", "Identity"),
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation"),
        *("RandomContrast", "RandomBrightness"),
    }
)
"""Layers that hand their input on unchanged when a model predicts."""

MODELS = frozenset({"Functional", "Sequential", "Model"})


@dataclass
class FoldingPlan:
    """What can be left out of a model without changing what it predicts.

    Attributes:
        folds: In the order in which they must be computed.
        removed: Layers that do nothing, with their class.
        skipped: What could not be folded, and why.
    """

    folds: list[Fold] = field(default_factory=list)
    removed: dict[Place, str] = field(default_factory=dict)
    skipped: list[Skip] = field(default_factory=list)

    @property
    def gone(self) -> frozenset[Place]:
        """Every layer that the new model lacks."""
        return frozenset(fold.layer for fold in self.folds) | frozenset(self.removed)


def plan_folding(
    config: dict[str, Any], *, normalization: bool = True, inputs: bool = True, identities: bool = True
) -> FoldingPlan:
    """Finds what can be folded.

    Args:
        config: ``model.get_config()`` of a Sequential or functional model; nested models are searched.
        normalization: Fold BatchNormalization.
        inputs: Fold Normalization and Rescaling.
        identities: Leave out what does nothing when the model predicts.
    """
    wanted = frozenset({"BatchNormalization"} if normalization else ()) | frozenset(
        {"Normalization", "Rescaling"} if inputs else ()
    )
    plan = FoldingPlan()
    _Model(config, (), plan, wanted, identities).search()
    return plan


class _Model:
    """The search through one model of a nest."""

    def __init__(
        self, config: dict[str, Any], path: Place, plan: FoldingPlan, wanted: frozenset[str], identities: bool
    ) -> None:
        self._graph = ThinnedGraph(config)
        self._path, self._plan = path, plan
        self._wanted, self._identities = wanted, identities

    def search(self) -> bool:
        """Plans this model; tells whether nothing of it is left but its input."""
        for call in self._graph.calls:
            self._look_at(call)
        pending = [call for call in self._graph.calls if call.kind in self._wanted and call.number == 0]
        reasons: dict[str, Text] = {}
        while pending:
            for call in pending:
                found = self._fold(call)
                if isinstance(found, Fold):
                    self._plan.folds.append(found)
                    self._graph.pass_over(call)
                    pending.remove(call)
                    break
                reasons[call.name] = found
            else:
                break
        for call in pending:
            name = "/".join((*self._path, call.name))
            self._plan.skipped.append(Skip(name=f"{name} ({call.kind})", reason=reasons[call.name]))
        return self._graph.is_empty

    def _look_at(self, call: Call) -> None:
        if call.number:
            return
        place = (*self._path, call.name)
        if call.kind in MODELS and "layers" in call.config:
            inner = FoldingPlan()
            empty = _Model(call.config, place, inner, self._wanted, self._identities).search()
            if empty and not inner.folds and self._graph.can_pass_over(call, nested=bool(self._path)):
                self._plan.removed[place] = call.kind
                self._graph.pass_over(call)
                return
            if empty:  # a model cannot be built of nothing: its last layer stays
                last = next(reversed(inner.removed))
                del inner.removed[last]
            self._plan.folds += inner.folds
            self._plan.removed.update(inner.removed)
            self._plan.skipped += inner.skipped
        elif self._identities and not _is_foreign(call) and _does_nothing(call):
            if self._graph.can_pass_over(call, nested=bool(self._path)):
                self._plan.removed[place] = call.kind
                self._graph.pass_over(call)
            else:
                reason = say("Without it the model's output would be its input, or have another type.")
                self._plan.skipped.append(Skip(name=f"{'/'.join(place)} ({call.kind})", reason=reason))

    def _fold(self, call: Call) -> Fold | Text:
        if (reason := self._obstacle(call)) is not None:
            return reason
        before = self._graph.source(call.inputs[0])
        behind = self._behind(call, before)
        if behind is None:
            assert before is not None
            return Fold((*self._path, call.name), call.kind, (*self._path, before.name), after=True)
        after = list(self._graph.readers(call))
        if len(after) == 1 and after[0] is not None and after[0].kind in LINEAR:
            in_front = self._in_front(call, after[0])
            if in_front is None:
                return Fold((*self._path, call.name), call.kind, (*self._path, after[0].name), after=False)
            return say("{first} {second}", first=behind, second=in_front)
        return behind

    def _obstacle(self, call: Call) -> Text | None:
        if _is_foreign(call):
            return say("It is a class of its own, whose arithmetic is not known.")
        if call.calls > 1:
            return say("It is called {count} times.", count=call.calls)
        if len(call.inputs) != 1 or not call.positional:
            return say("It is called with more than one tensor.")
        if not _computes_float32(call):
            return say("It computes in {precision}, where folding would round.", precision=_policy(call))
        source = self._graph.source(call.inputs[0])
        if source is not None and source.kind == "InputLayer" and not gives_floats(source):
            return say("It also turns whole numbers into real ones.")
        return None

    def _behind(self, call: Call, before: Call | None) -> Text | None:
        """Why a layer cannot go into the one before it, or None."""
        if before is None or before.kind == "InputLayer":
            return say("There is no layer before it.")
        if before.kind not in LINEAR:
            return say("It comes after {name} ({kind}), not after a linear layer.", **_named(before))
        if (reason := self._target_obstacle(before)) is not None:
            return reason
        activation = before.config.get("activation") or "linear"
        if activation != "linear":
            return say(
                "{name} applies an activation ({activation}) before it.",
                name=before.name,
                activation=activation if isinstance(activation, str) else "",
            )
        if len(list(self._graph.readers(before))) != 1:
            return say("The output of {name} is also used without it.", name=before.name)
        if not _on_channels(call, before):
            return say("It does not work on the channels of {name}.", name=before.name)
        return None

    def _in_front(self, call: Call, after: Call) -> Text | None:
        """Why a layer cannot go into the one behind it, or None."""
        if (reason := self._target_obstacle(after)) is not None:
            return reason
        if not after.positional or len(after.inputs) != 1:
            return say("{name} is called with more than one tensor.", name=after.name)
        if after.config.get("groups", 1) != 1:
            return say("{name} is a grouped convolution.", name=after.name)
        shifts = call.kind != "Rescaling" or call.config.get("offset", 0.0) != 0.0
        borders = after.kind in TRANSPOSED or after.config.get("padding", "valid") != "valid"
        if shifts and borders:
            return say("{name} pads with zeros, which an offset before it would not reach.", name=after.name)
        if not _on_channels(call, after):
            return say("It does not work on the channels of {name}.", name=after.name)
        return None

    def _target_obstacle(self, call: Call) -> Text | None:
        if _is_foreign(call):
            return say("{name} is a class of its own, whose arithmetic is not known.", name=call.name)
        if call.calls > 1:
            return say("{name} is called {count} times.", name=call.name, count=call.calls)
        if not _computes_float32(call) or call.config.get("lora_rank") is not None:
            return say("{name} computes in {precision}.", name=call.name, precision=_policy(call))
        return None


def _does_nothing(call: Call) -> bool:
    return call.kind in IDENTITIES or (
        call.kind == "Activation" and call.config.get("activation") == "linear"
    )


def _is_foreign(call: Call) -> bool:
    return not call.module.startswith("keras.")


def _named(call: Call) -> dict[str, str]:
    return {"name": call.name, "kind": call.kind}


def _policy(call: Call) -> str:
    policy = call.config.get("dtype") or "float32"
    if isinstance(policy, dict):
        return str(policy.get("config", {}).get("name", policy.get("class_name")))
    return str(policy)


def _computes_float32(call: Call) -> bool:
    return _policy(call) == "float32"


def _on_channels(call: Call, linear: Call) -> bool:
    """Whether an affine layer has one factor per channel of a linear layer, or one for all."""
    if call.kind == "Rescaling":
        return not isinstance(call.config.get("scale"), list | dict) or _channels(linear, call.rank) == {-1}
    axis = call.config.get("axis", -1)
    if axis is None:
        return True
    axes = list(axis) if isinstance(axis, list | tuple) else [axis]
    if call.rank > 1:
        axes = [index - call.rank if index >= 0 else index for index in axes]
    return set(axes) == _channels(linear, call.rank)


def _channels(linear: Call, rank: int) -> set[int]:
    """The channel axis of a linear layer, counted from the end."""
    return {1 - rank} if linear.config.get("data_format") == "channels_first" else {-1}
