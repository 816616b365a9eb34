"""Steps on top of each other: which order makes sense, and what a later step left of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.api.errors import InvalidInput
from workbench.api.lineage import Lineage
from workbench.api.technique import AnyTechnique, Effect, Reporter
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.techniques import technique as find_technique

if TYPE_CHECKING:
    from workbench.measure.weights import WeightEffects

_WORDS: dict[Effect, Text] = {
    "sparsity": say("the zeros"),
    "clusters": say("the shared values"),
    "trained ranges": say("the weights trained for quantization"),
}


def order_obstacle(technique: AnyTechnique, earlier: Sequence[tuple[str, str]]) -> Text | None:
    """Why a technique should not come after the steps before it, with the better order; or None.

    Args:
        technique: What is to be applied.
        earlier: The steps so far as (technique, name of what it was applied to), oldest first.
            Techniques that are not installed here are passed over.
    """
    for name, start in earlier:
        try:
            step = find_technique(name)
        except InvalidInput:
            continue
        for effect in sorted(technique.loses & step.brings):
            return say(
                "It would destroy {effect} that {step} has left. The other order keeps them: apply it to "
                "{start}, and {step} after that.",
                effect=_WORDS[effect],
                step=say(step.title),
                start=start,
            )
    return None


def steps_before(variant: Variant, variants: Sequence[Variant]) -> list[tuple[str, str]]:
    """The steps that made a variant, as :func:`order_obstacle` takes them."""
    line = Lineage(variants).of(variant)
    return [(after.technique, before.name) for before, after in pairwise(line) if after.technique is not None]


def look_at_weights(report: Reporter, variant: Variant) -> WeightEffects:
    """Measures zeros, shared values and element types of a variant's file; runs in a light worker."""
    from workbench.measure.weights import weight_effects

    return weight_effects(variant.path, variant.format, report.check)


def lost_effects(
    variant: Variant, variants: Mapping[str, Variant], weights: Mapping[str, WeightEffects]
) -> tuple[Text, ...]:
    """What the step that made a variant has lost of the effects of earlier steps, from its file.

    Args:
        variant: The variant.
        variants: All variants by identifier.
        weights: What was found in the files, by variant.
    """
    from workbench.measure.weights import losses

    parent = variants.get(variant.parent or "")
    if parent is None or variant.id not in weights or parent.id not in weights:
        return ()
    brought: set[Effect] = set()
    for name, _ in steps_before(parent, list(variants.values())):
        try:
            brought |= find_technique(name).brings
        except InvalidInput:
            continue
    # Weights that nobody made sparse may have a few zeros by chance.
    if not brought:
        return ()
    per_channel = variant.parameters.get("per_channel") is True
    return losses(weights[parent.id], weights[variant.id], per_channel=per_channel)
