"""Where a variant comes from, in words."""

from __future__ import annotations

from workbench.api.errors import InvalidInput
from workbench.api.lineage import Lineage
from workbench.api.text import Text, say, verbatim
from workbench.api.variant import Variant
from workbench.results.verdict_words import short
from workbench.techniques import technique

_AFTER = " › "
"""Between a variant and what was made from it: arrows stand within names."""


def step_title(variant: Variant) -> Text | None:
    """The technique that made a variant; None for the baseline."""
    if variant.technique is None:
        return None
    try:
        return say(technique(variant.technique).title)
    except InvalidInput:  # it is not installed here
        return verbatim(variant.technique)


def ancestors_words(lineage: Lineage, variant: Variant) -> str:
    """What a variant was made from, the baseline first; empty for the baseline."""
    return _AFTER.join(short(one.name) for one in lineage.of(variant)[:-1])


def origin_words(lineage: Lineage, variant: Variant) -> str:
    """The variants from the baseline to one, each with the technique that made it."""
    return _AFTER.join(
        short(one.name) if (title := step_title(one)) is None else f"{short(one.name)} ({title})"
        for one in lineage.of(variant)
    )
