"""Only some classes are measured: labels of the others are left out, and averages are over these."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from tests.widgets.result_rows import variant
from widgets.charts.classes import class_chart, class_figure
from workbench.api.dataset import SPLITS, DatasetInfo
from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.data.prepare import prepare
from workbench.measure.judges import judge_of
from workbench.measure.records import Interval
from workbench.measure.scores import to_predictions
from workbench.results.forgotten import forgotten, stored_losses
from workbench.results.own_metric import MetricRow, MetricTable
from workbench.store import Store
from workbench.training.loop import of_all_classes

JUDGED = (1, 3)


def info_of(task, counts, judged=JUDGED):
    return DatasetInfo(
        name="some",
        input_shapes={"": (2,)},
        classes=("ant", "bee", "cat", "dog"),
        counts=dict.fromkeys(SPLITS, 10),
        class_counts=dict.fromkeys(SPLITS, counts),
        scaling=say("none"),
        minimum=0,
        maximum=1,
        is_image=False,
        seed=0,
        sha256="3" * 64,
        task=task,
        judged=judged,
    )


def guesses(labels, right, seed):
    """Answers that are right as often as asked for, and any class else."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 4, labels.shape)
    return np.where(rng.random(labels.shape) < right, labels, said)


def scores_of(answers):
    return np.where(np.arange(4) == answers[..., None], 0.7, 0.1).astype(np.float32)


def measured(judge, answers, name="v"):
    return judge.measured(answers, variant=name, runtime="litert", environment="machine")


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_are_those_of_the_samples_of_these_classes(weighted):
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 400)
    weights = rng.random(400).astype(np.float32) if weighted else None
    before, after = (guesses(labels, right, seed) for right, seed in ((0.9, 1), (0.6, 2)))
    judge = judge_of(info_of("classification", (100,) * 4), labels, weights=weights)
    kept = np.isin(labels, JUDGED)
    own = None if weights is None else weights[kept]

    def f1(answers):
        given = {"labels": list(JUDGED), "average": "macro", "sample_weight": own}
        return metrics.f1_score(labels[kept], answers[kept], **given)

    found = measured(judge, scores_of(after))
    assert found.f1_macro.value == pytest.approx(f1(after), abs=1e-6)
    assert found.f1_macro.low < found.f1_macro.value < found.f1_macro.high
    assert found.accuracy.value == pytest.approx(np.average((after == labels)[kept], weights=own), abs=1e-6)
    assert (found.samples, found.classes) == (kept.sum(), ("bee", "dog"))
    assert found.shown == f"{found.f1_macro.value:.3f} (of 2 classes)"
    verdict = judge.compared("v", "b", scores_of(after), scores_of(before))
    assert verdict.change.value == pytest.approx(f1(after) - f1(before), abs=1e-6)
    assert verdict.word == "lost"
    same = judge.compared("v", "b", scores_of(before), scores_of(before))
    assert same.change.low < 0 == same.change.value
    # what a sample is, is found again by its place among all
    flips = judge.details("v", "b", scores_of(after), scores_of(before)).flips
    assert {flip.index for flip in flips} == set(np.flatnonzero(kept & (before != after)))
    running = judge.running()
    for start in range(0, 400, 32):
        value, _ = running.add(scores_of(after)[start : start + 32])
    assert value == pytest.approx(f1(after), abs=1e-6)


def test_the_interval_covers_what_more_samples_would_show():
    rng = np.random.default_rng(9)
    everything = rng.integers(0, 4, 200_000)
    said = guesses(everything, 0.8, 3)
    kept = np.isin(everything, JUDGED)
    truth = metrics.f1_score(everything[kept], said[kept], labels=list(JUDGED), average="macro")
    covered = 0
    for draw in range(60):
        rows = np.random.default_rng(draw).integers(0, len(everything), 250)
        judge = judge_of(info_of("classification", (100,) * 4), everything[rows])
        found = measured(judge, scores_of(said[rows])).f1_macro
        covered += found.low <= truth <= found.high
    assert covered >= 53  # 57 are expected


def test_a_class_that_occurs_nowhere_is_in_no_average():
    labels = np.random.default_rng(3).integers(0, 3, 300)
    answers = np.minimum(guesses(labels, 0.8, 1), 2)
    found = measured(judge_of(info_of("classification", (100, 100, 100, 0)), labels), scores_of(answers))
    kept = labels == 1
    wanted = metrics.precision_recall_fscore_support(labels[kept], answers[kept], labels=[1], average="macro")
    assert (found.precision_macro, found.recall_macro, found.f1_macro.value) == pytest.approx(wanted[:3])


def test_samples_that_do_not_count_are_none_of_a_class_that_is_measured():
    labels = np.arange(100) % 4
    weights = np.where(np.isin(labels, JUDGED), 0, 1).astype(np.float32)
    with pytest.raises(InvalidInput, match="None of 100 samples that count is of a class that is measured"):
        judge_of(info_of("classification", (25,) * 4), labels, weights=weights)


def test_classes_that_are_not_measured_are_in_no_chart():
    labels = np.random.default_rng(3).integers(0, 4, 300)
    judge = judge_of(info_of("classification", (100,) * 4), labels)
    found = judge.details("v", "r", *(scores_of(guesses(labels, right, 1)) for right in (0.6, 0.9)))
    drawn = class_chart(found)
    assert [row[0] for row in drawn["table"]["rows"]] == ["bee", "dog"]
    assert class_figure(found)["layout"]["yaxis"]["ticktext"] == ["bee", "dog"]
    assert class_figure(found)["data"][2]["x"] == [found.f1_after[one] for one in JUDGED]


def test_a_single_class_is_no_guess_because_always_answering_it_were_right():
    labels = np.random.default_rng(4).integers(0, 4, 400)
    labels[labels == 3] = 0  # so that of two chosen classes one is left
    for judged in ((2,), (2, 3)):
        judge = judge_of(info_of("classification", (200, 100, 100, 0), judged), labels)
        for right, near_chance in ((0.9, False), (0.0, True)):
            assert measured(judge, scores_of(guesses(labels, right, 2))).near_chance is near_chance


def test_positions_of_other_classes_do_not_count():
    labels = np.random.default_rng(7).integers(-1, 4, (40, 5, 5))
    answers = guesses(np.maximum(labels, 0), 0.7, 4).astype(np.int16)
    judge = judge_of(info_of("per position", (1,) * 4), labels)
    kept = np.isin(labels, JUDGED)
    wanted = metrics.jaccard_score(labels[kept], answers[kept], labels=list(JUDGED), average="macro")
    found = measured(judge, answers)
    assert found.value.value == pytest.approx(wanted)
    assert found.value.low < wanted < found.value.high
    assert found.figure("accuracy").value == pytest.approx((labels == answers)[kept].mean())
    assert [one.key for one in found.figures if one.key.startswith("iou")] == ["iou bee", "iou dog"]
    running = judge.running()
    assert running.add(answers)[0] == pytest.approx(wanted)


def test_classes_are_chosen_by_name_and_nonsense_is_refused(tmp_path):
    x = np.random.default_rng(0).normal(size=(90, 2)).astype(np.float32)
    y = np.array(["ant", "bee", "cat"] * 30)
    data = prepare((x, y), tmp_path / "some", only_classes=("cat", "ant"))
    assert data.info.judged_classes == ("ant", "cat")
    assert data.info.counts["train"] + data.info.counts["test"] + data.info.counts["validation"] == 90
    said = " ".join(map(str, data.info.notes))
    assert "Only the classes cat, ant are measured" in said.replace(" and ", ", ")
    assert "Trainings learn all classes" in said
    assert prepare((x, y), tmp_path / "all", only_classes=("cat", "ant", "bee")).info.judged == ()
    with pytest.raises(InvalidInput, match="no class dog") as refused:
        prepare((x, y), tmp_path / "none", only_classes=("dog",))
    assert "--only-classes" in str(refused.value)
    with pytest.raises(InvalidInput, match="where each sample, or each position, has one class"):
        prepare((x, x[:, :1]), tmp_path / "numbers", only_classes=("1",), task="regression")


def test_what_was_forgotten_is_of_samples_of_these_classes(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    data = prepare(
        (x, np.array(["ant", "bee", "cat", "dog"] * 30)), tmp_path / "data", only_classes=("dog", "bee")
    )
    labels = np.asarray(data.y("test"))
    base, made = variant("a", "a"), variant("b", "b", "quantization.int8", "a")
    given = {"a": scores_of(guesses(labels, 0.9, 1)), "b": scores_of(guesses(labels, 0.3, 2))}
    judge, store = judge_of(data.info, labels), Store(tmp_path / "store")
    for name, scores in given.items():
        store.add_measurement("quality", [name], measured(judge, scores, name), arrays={"scores": scores})
    found = stored_losses(store, data, made, base, 0)
    before, after = (to_predictions(given[name]) == labels for name in "ab")
    kept = np.isin(labels, JUDGED)
    assert (found.samples, found.lost) == (kept.sum(), (before & ~after & kept).sum())
    assert found.lost < (before & ~after).sum()
    assert {one.label for one in found.classes} == set(JUDGED)
    notes = forgotten(store, data, made, base, found, 0).notes
    assert "of the classes bee, dog alone" in str(notes[0]).replace(" and ", ", ")
    store.close()


def test_numbers_of_some_classes_alone_say_so_and_those_of_all_do_too():
    info = info_of("classification", (1,) * 4)
    (note,) = of_all_classes(info)
    assert "of all classes; the results are of the classes bee, dog alone" in str(note).replace(" and ", ", ")
    assert of_all_classes(info.model_copy(update={"judged": ()})) == ()
    row = MetricRow(variant="v", name="v", value=Interval(value=0.5, low=0.4, high=0.6))
    shown = repr(MetricTable([row], "top 3", classes=info.judged_classes)).replace(" and ", ", ")
    assert "of the classes bee, dog alone" in shown
    assert "alone" not in repr(MetricTable([row], "top 3"))
