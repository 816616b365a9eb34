"""Where a variant comes from, in words, on the page and in the report."""

from __future__ import annotations

from tests.widgets.result_rows import variant
from workbench.api.lineage import Lineage
from workbench.results.origin import ancestors_words, origin_words, step_title

MODEL = variant("a", "model")
PRUNED = variant("b", "pruned 50%", "structure.pruning", "a")
BOTH = variant("c", "pruned 50% → int8", "quantization.int8", "b")
FOREIGN = variant("d", "mine", "plugin.gone", "c")


def test_the_way_from_the_baseline_with_what_was_done() -> None:
    lineage = Lineage([MODEL, PRUNED, BOTH, FOREIGN])
    assert origin_words(lineage, MODEL) == "model"
    assert ancestors_words(lineage, MODEL) == ""
    assert ancestors_words(lineage, BOTH) == "model › pruned 50%"
    assert (
        origin_words(lineage, BOTH) == "model › pruned 50% (Channel pruning) › pruned 50% → int8 (Full int8)"
    )
    # A technique that is not installed here is called what it was called.
    assert str(step_title(FOREIGN)) == "plugin.gone"
    assert step_title(MODEL) is None
