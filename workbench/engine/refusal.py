"""Why a technique cannot be applied here and now, and what would help instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.api.dataset import DatasetInfo
from workbench.api.lineage import Lineage
from workbench.api.records import Record
from workbench.api.technique import AnyTechnique, Parameters
from workbench.api.text import Text
from workbench.api.variant import Variant
from workbench.results.step_order import order_obstacle, steps_before
from workbench.runtimes import runtimes
from workbench.runtimes.tensorrt import has_gpu

RefusalKind = Literal["software", "hardware", "model", "order", "instead"]


class Refusal(Record):
    """A technique that cannot be applied to a variant.

    Attributes:
        kind: ``software`` or ``hardware`` where this machine lacks something; ``order`` where it has to
            come before steps that were made already, and ``instead`` where it takes their place;
            ``model`` where it fits neither this variant nor any that it was made from.
        reason: Why, in a sentence.
        start: Identifier of the variant that it can be applied to instead, the nearest before this one.
        after: Identifiers of the variants after that one, whose steps can follow (``order``) or are left
            out (``instead``).
    """

    kind: RefusalKind
    reason: Text
    start: str | None = None
    after: tuple[str, ...] = ()


def refusal(
    technique: AnyTechnique,
    variant: Variant,
    dataset: DatasetInfo,
    parameters: Parameters,
    variants: Sequence[Variant],
) -> Refusal | None:
    """Why a technique cannot be applied here and now, or None.

    Args:
        technique: What is to be applied.
        variant: To what.
        dataset: The data.
        parameters: The technique's.
        variants: All variants: some orders of steps make no sense.
    """
    lack = _lack(technique, variant, parameters)
    if lack is not None:
        return lack
    reason = _reason(technique, variant, dataset, parameters, variants)
    if reason is None:
        return None
    line = Lineage(variants).of(variant)
    for place in range(len(line) - 2, -1, -1):
        start, after = line[place], line[place + 1 :]
        if _reason(technique, start, dataset, parameters, variants) is not None:
            continue
        return Refusal(
            kind="order" if _may_follow(technique, start) else "instead",
            reason=reason,
            start=start.id,
            after=tuple(one.id for one in after),
        )
    return Refusal(kind="model", reason=reason)


def _lack(technique: AnyTechnique, variant: Variant, parameters: Parameters) -> Refusal | None:
    """What this machine lacks."""
    reason = technique.lacks(variant, parameters)
    if reason is None:
        return None
    chosen = runtimes().get(str(getattr(parameters, "runtime", "")))
    needs_gpu = technique.needs_gpu or (chosen is not None and chosen.needs_gpu)
    return Refusal(kind="hardware" if needs_gpu and not has_gpu() else "software", reason=reason)


def _reason(
    technique: AnyTechnique,
    variant: Variant,
    dataset: DatasetInfo,
    parameters: Parameters,
    variants: Sequence[Variant],
) -> Text | None:
    return order_obstacle(technique, steps_before(variant, variants)) or technique.obstacle(
        variant, dataset, parameters
    )


def _may_follow(technique: AnyTechnique, start: Variant) -> bool:
    """Whether what was applied to a variant can also be applied to what the technique makes of it."""
    # What is rounded once is not rounded again.
    return technique.family != "quantization" and technique.produces == start.format
