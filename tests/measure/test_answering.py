import json
import threading
import time

import numpy as np
import pytest

from tests.measure.conftest import write_dataset
from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput
from workbench.jobs.reporter import SilentReporter
from workbench.jobs.slot import exclusive_slot
from workbench.measure.answering import Answering, Question
from workbench.measure.drawing import features_of, pad_side, pixels_of


def pictures(folder, *, low=0.0, high=1.0, dtype=np.float32, shape=(8, 8, 1)):
    rng = np.random.default_rng(3)
    raw = rng.integers(0, 17, (40, *shape))
    raw[0] = raw[1] = 0
    raw[0].flat[0] = 16  # both ends occur, as in any set of pictures
    x = (low + raw / 16 * (high - low)).astype(dtype)
    write_dataset(folder, x, np.arange(40) % 3, 3)
    for split in ("train", "validation", "test"):
        np.save(folder / f"x_{split}.npy", x)
    told = json.loads((folder / "dataset.json").read_text())
    told |= {"is_image": True, "minimum": float(x.min()), "maximum": float(x.max())}
    (folder / "dataset.json").write_text(json.dumps(told))
    return Dataset(folder)


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"low": -1.0},
        {"low": -0.42, "high": 2.8},
        {"high": 16, "dtype": np.uint8},
        {"shape": (1, 8, 8)},
        {"shape": (8, 8)},
    ],
    ids=str,
)
def test_a_sample_drawn_pixel_by_pixel_is_the_sample(tmp_path, kind):
    dataset = pictures(tmp_path / "data", **kind)
    assert pad_side(dataset.info) == 8
    x = dataset.x("test")
    for index in range(40):
        pixels = pixels_of(dataset, index)
        assert len(pixels) == 64
        assert 0 <= min(pixels) <= max(pixels) <= 1
        # As it travels to another process.
        again = features_of(dataset, json.loads(json.dumps(pixels)))
        assert again.dtype == x.dtype
        assert again.shape == (1, *x.shape[1:])
        np.testing.assert_allclose(again[0], x[index], rtol=1e-6, atol=1e-7)


def test_what_is_no_drawing_is_refused(tmp_path, dataset_folder):
    dataset = pictures(tmp_path / "data")
    for wrong in ([0.5] * 63, [float("nan")] * 64, ["a"] * 64, [[0.5] * 8] * 8):
        with pytest.raises(InvalidInput):
            features_of(dataset, wrong)
    with pytest.raises(InvalidInput, match="no sample 40"):
        pixels_of(dataset, 40)
    blobs = Dataset(dataset_folder)
    assert pad_side(blobs.info) is None
    with pytest.raises(InvalidInput, match="cannot be drawn"):
        pixels_of(blobs, 0)


class Heard:
    def __init__(self):
        self.answers, self.waits, self.changed = [], [], threading.Condition()

    def answer(self, answer):
        with self.changed:
            self.answers.append(answer)
            self.changed.notify_all()

    def wait(self, reason):
        with self.changed:
            self.waits.append(reason)
            self.changed.notify_all()

    def until(self, condition):
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self), 60)


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def answering(heard):
    made = Answering(heard.answer, heard.wait)
    yield made
    made.close()
    if made._thread is not None:
        made._thread.join(30)


def question(dataset, number, candidates, index=0):
    return Question(
        number=number,
        dataset=dataset.folder,
        pixels=tuple(pixels_of(dataset, index)),
        from_logits=(True,) * len(candidates),
        candidates=tuple(candidates),
    )


def weights(seed):
    return {"weights": np.random.default_rng(seed).normal(size=(64, 3)), "bias": np.zeros(3)}


def test_variants_answer_as_they_predict_and_the_newest_question_wins(tmp_path, tiny, heard, answering):
    dataset = pictures(tmp_path / "data")
    candidates = [tiny("a", **weights(1)), tiny("b", **weights(2), sleep_s=0.02)]
    for number in range(40):
        answering.ask(question(dataset, number, candidates, number))
    heard.until(lambda it: len([one for one in it.answers if one.number == 39]) == 2)
    assert len(heard.answers) < 40  # most drawings were followed by a newer one before their turn
    for answer in heard.answers:
        x = np.asarray(dataset.x("test"))[answer.number].reshape(1, -1)
        logits = (x @ weights({"a": 1, "b": 2}[answer.variant])["weights"])[0]
        assert answer.label == logits.argmax()
        chances = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert answer.probability == pytest.approx(chances.max(), rel=1e-4)


def test_a_file_that_crashes_or_fails_says_so_and_the_others_answer(tmp_path, tiny, heard, answering):
    dataset = pictures(tmp_path / "data")
    candidates = [
        tiny("error", **weights(1), fault="error"),
        tiny("crash", **weights(1), fault="crash"),
        tiny("good", **weights(1)),
    ]
    answering.ask(question(dataset, 1, candidates))
    heard.until(lambda it: any(one.variant == "good" for one in it.answers))
    by_name = {one.variant: one for one in heard.answers}
    assert "dimension mismatch" in str(by_name["error"].problem)
    assert "crash" in str(by_name["crash"].problem)
    assert by_name["good"].label is not None
    answering.ask(question(dataset, 2, candidates))
    heard.until(lambda it: any((one.variant, one.number) == ("good", 2) for one in it.answers))
    assert not any((one.variant, one.number) == ("crash", 2) for one in heard.answers)


def test_it_never_answers_beside_a_measurement(tmp_path, tiny, heard, answering):
    dataset = pictures(tmp_path / "data")
    with exclusive_slot(SilentReporter()):
        answering.ask(question(dataset, 1, [tiny("a", **weights(1))]))
        heard.until(lambda it: any(it.waits))
        time.sleep(0.2)
        assert heard.answers == []
    heard.until(lambda it: it.answers)
    assert heard.waits[-1] is None
