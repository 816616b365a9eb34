"""Which variant was made from which."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.api.variant import Variant


class Lineage:
    """The variants of a workbench, and how they come from each other.

    Args:
        variants: All of them, in the order of their making.

    Example:
        >>> variant = workbench.quantization.float16().wait()
        >>> [one.name for one in Lineage(workbench.variants).of(variant)]
        ['dense-digits', 'float16']
    """

    def __init__(self, variants: Iterable[Variant]) -> None:
        self._by_id = {variant.id: variant for variant in variants}

    @property
    def baseline(self) -> Variant | None:
        """The model that was opened, from which all others come; None before one is open."""
        return next((variant for variant in self._by_id.values() if variant.is_baseline), None)

    def parent(self, variant: Variant) -> Variant | None:
        """What a variant was made from; None for the baseline, and where it is not among these."""
        return self._by_id.get(variant.parent or "")

    def of(self, variant: Variant) -> tuple[Variant, ...]:
        """The variants from the baseline to this one, both included."""
        found = [variant]
        while (parent := self.parent(found[0])) is not None:
            found.insert(0, parent)
        return tuple(found)

    def descendants(self, variant: Variant) -> tuple[Variant, ...]:
        """What was made from a variant, directly or over others, in the order of their making."""
        return tuple(one for one in self._by_id.values() if variant.id in {up.id for up in self.of(one)[:-1]})

    def reference(self, runtime: str) -> Variant | None:
        """The float32 form of the baseline in a runtime, with default settings; None if nobody made it."""
        return next((one for one in self.references() if one.runtime == runtime), None)

    def references(self) -> list[Variant]:
        """The float32 forms of the baseline in all runtimes, the baseline itself first."""
        found = [variant for variant in self._by_id.values() if variant.is_reference]
        return sorted(found, key=lambda variant: not variant.is_baseline)
