"""What is offered where a number leaves a question open."""

from __future__ import annotations

import pytest

from tests.results.test_doctor import size, speed, variant
from workbench.api.text import say
from workbench.api.variant import ModelDescription, Variant
from workbench.results.doctor import notes
from workbench.results.offers import offers
from workbench.results.rows import ResultRow


def made(id_: str, parent: str | None, technique: str | None, macs: int | None, **changes: object) -> Variant:
    description = ModelDescription(inputs=(), outputs=(), macs=macs)
    return variant(id_, technique=technique).model_copy(
        update={
            "parent": parent,
            "format": "keras",
            "runtime": "keras.function",
            "description": description,
            **changes,
        }
    )


def pruned_beside_baseline(ratio: float, macs: int) -> tuple[ResultRow, ResultRow]:
    baseline = ResultRow(variant=made("baseline", None, None, 1000), size=size(1000))
    pruned = made("pruned", "baseline", "structure.pruning", macs)
    return baseline, ResultRow(variant=pruned, size=size(500), speed=speed("no measurable change", ratio))


def test_a_gain_that_keras_hides_is_looked_for_in_litert() -> None:
    rows = pruned_beside_baseline(1.03, 490)
    (offer,) = offers(rows[1], rows)
    assert (offer.technique, offer.parent, offer.parameters) == (
        "inference.runtime",
        "pruned",
        {"runtime": "litert"},
    )
    assert str(offer.label) == "Try it in LiteRT"
    assert "try this variant in LiteRT" in " ".join(map(str, notes(rows[1], rows, {})))
    assert offers(rows[0], rows) == ()
    lite = made("lite", "pruned", "inference.runtime", None, format="tflite", runtime="litert")
    taken = (*rows, ResultRow(variant=lite, size=size(400), speed=speed("faster", 1.57)))
    assert offers(rows[1], taken) == ()
    said = " ".join(map(str, notes(rows[1], taken, {})))
    assert "1.57 times the speed of the baseline in LiteRT: see lite." in said


@pytest.mark.parametrize(("ratio", "macs"), [(2.0, 490), (1.0, 950)])
def test_nothing_is_offered_where_nothing_is_hidden(ratio: float, macs: int) -> None:
    rows = pruned_beside_baseline(ratio, macs)
    assert offers(rows[1], rows) == ()


def test_nothing_is_concluded_from_a_time_that_is_not_believed() -> None:
    baseline, pruned = pruned_beside_baseline(1.03, 490)
    doubted = pruned.model_copy(update={"distrust": say("The processor was busy.")})
    assert offers(doubted, (baseline, doubted)) == ()
    assert [str(note) for note in notes(doubted, (baseline, doubted), {})] == ["The processor was busy."]
