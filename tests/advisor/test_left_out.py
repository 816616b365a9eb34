from workbench.advisor.ledger import Outlook, Row
from workbench.advisor.left_out import failed, ruled_out
from workbench.api.text import say, verbatim
from workbench.measure.records import Interval


def interval(value):
    return Interval(value=value, low=value, high=value)


def row(key, status, reason, *, demand=None, file_bytes=1000.0):
    foreseen = Outlook(
        file_bytes=interval(file_bytes), ms=interval(1.0), change=interval(0.0), chance=0.9, meets=0.5
    )
    return Row(
        key=key,
        title=verbatim(key),
        steps=("quantization.int8",),
        runtime="litert",
        threads=1,
        trains=False,
        status=status,
        foreseen=foreseen,
        reason=reason,
        demand=demand,
    )


def test_one_sentence_for_each_demand_however_its_reason_is_worded():
    rows = [
        row("large", "ruled out", say("It is {size}.", size="9 kB"), demand="size", file_bytes=9000),
        row("larger", "ruled out", say("Far too large."), demand="size", file_bytes=20000),
        row("slow", "ruled out", say("It is {size}.", size="7 ms"), demand="latency"),
        row("fast", "not tried", None),
    ]
    first, second = ruled_out(rows)
    assert first.rows == ("large", "larger")
    assert "large" in str(first.text)
    assert "9 kB" in str(first.text)
    assert second.rows == ("slow",)


def test_what_failed_for_the_same_reason_is_said_once():
    rows = [
        row("a", "failed", say("{name} is missing.", name="tf2onnx")),
        row("b", "failed", say("{name} is missing.", name="tf2onnx")),
        row("c", "failed", say("{name} is missing.", name="nncf")),
    ]
    assert [sentence.rows for sentence in failed(rows)] == [("a", "b"), ("c",)]
