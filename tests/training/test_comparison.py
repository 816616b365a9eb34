from __future__ import annotations

from tests.training.test_loop import TestResult as Curves
from workbench.api.text import say
from workbench.training import TrainingResult
from workbench.training.comparison import (
    best_run,
    common_level,
    compared,
    curves_table,
    runs_table,
    seeds_notes,
)
from workbench.training.runs import RunReporter


def run(*scores: float) -> TrainingResult:
    """Validation F1 of each epoch; an epoch takes two seconds and 100 samples, the last one is kept."""
    return Curves.result(*scores)


def test_one_run_has_no_interval():
    assert seeds_notes([0], [run(0.9)]) == ()


def test_the_level_is_one_that_every_run_reached():
    assert common_level([run(0.6, 0.96), run(0.91, 0.93)]) == 0.9
    assert common_level([run(0.6, 0.96), run(0.2)]) is None


def test_the_run_of_the_highest_f1_is_kept():
    assert best_run([run(0.7), run(0.5, 0.9), run(0.9)]) == 1


def test_tables():
    runs = [run(0.6, 0.92), run(0.91, 0.93, 0.94)]
    table = runs_table([3, 4], runs)
    assert [str(column) for column in table.columns[-2:]] == ["Time to F1 0.9, s", "Samples to F1 0.9"]
    assert table.rows[0] == ("3", 0.92, 0.5, 2, 9.0, 4.0, 200)
    assert table.rows[1][-2:] == (2.0, 100)
    curves = curves_table([3, 4], runs)
    assert curves.picture == "line"
    assert curves.rows == ((2.0, 0.6, 0.91), (4.0, 0.92, 0.93), (6.0, None, 0.94))
    assert all(len(row) == len(curves.columns) for row in curves.rows)
    unreached = runs_table([3], [run(0.1)])
    assert unreached.rows[0][-2:] == (None, None)


def test_notes_have_intervals():
    notes = [str(note) for note in seeds_notes([3, 4], [run(0.6, 0.92), run(0.6, 0.91)])]
    assert notes[0].startswith("Over 2 seeds the validation F1 was 0.9150 [0.8515, 0.9785]")
    assert notes[1] == "Time to F1 0.9: median 4.0 s, mean 4.0 s [4.0, 4.0] (95% interval)."
    assert notes[2] == "Kept: seed 3, the highest F1 on the validation split."


class TestAgainstPlain:
    def test_pairs_of_seeds(self):
        ours = [run(0.91, 0.95), run(0.92, 0.951), run(0.93, 0.953)]
        plain = [run(0.4, 0.92), run(0.4, 0.921), run(0.4, 0.92)]
        change, time = (str(note) for note in compared(ours, plain))
        assert "+3.10 points [+2.67, +3.53]" in change
        assert "F1 0.9 was reached 2.00× as fast [2.00, 2.00]" in time

    def test_an_interval_around_zero_shows_nothing(self):
        notes = compared([run(0.91), run(0.93)], [run(0.92), run(0.92)])
        assert "no difference shown" in str(notes[0])

    def test_one_seed_proves_nothing(self):
        change, time = (str(note) for note in compared([run(0.4, 0.95)], [run(0.91)]))
        assert "on one seed" in change
        assert "2.00× the time" in time

    def test_without_runs_or_a_common_level(self):
        assert compared([], []) == ()
        assert len(compared([run(0.2)], [run(0.9)])) == 1


class TestErrors:
    """Of numbers a smaller one is better, changes are per cent of the other's, and no level says anything."""

    @staticmethod
    def run(*errors: float) -> TrainingResult:
        return run(*errors).model_copy(update={"task": "regression"})

    def test_the_run_of_the_lowest_error_is_kept(self):
        runs = [self.run(40.0, 38.0), self.run(45.0, 36.0)]
        assert best_run(runs) == 1
        assert common_level(runs) is None
        notes = [str(note) for note in seeds_notes([3, 4], runs)]
        assert notes[0].startswith("Over 2 seeds the validation MAE was 37.0 [")
        assert notes[-1] == "Kept: seed 4, the lowest MAE on the validation split."
        table = runs_table([3, 4], runs)
        assert [str(column) for column in table.columns][1] == "Validation MAE"
        assert all(len(row) == len(table.columns) == 5 for row in table.rows)
        assert "Time to MAE: 36 on the validation split" in str(runs[1].notes()[1])

    def test_a_smaller_error_has_a_minus(self):
        ours = [self.run(38.0), self.run(37.0), self.run(38.1)]
        plain = [self.run(40.0), self.run(39.0), self.run(40.0)]
        (change,) = (str(note) for note in compared(ours, plain))
        assert "validation MAE -4.96 % [-5." in change
        assert "no difference" not in change
        assert "no difference shown" in str(compared([self.run(40.0), self.run(38.0)], plain[:2])[0])


def test_a_later_run_goes_on_where_the_one_before_ended(recorder):
    report = RunReporter(recorder, 2, 3, epochs=4, seconds=10.0)
    report.metric("validation F1", 1, 0.5)
    report.metric("validation F1 over seconds", 2.5, 0.5)
    report.stage(say("Training"))
    report.progress(0.5)
    report.log(say("A line."))
    report.check()
    assert recorder.curves == {"validation F1": [(5, 0.5)], "validation F1 over seconds": [(12.5, 0.5)]}
    assert recorder.stages == ["Run 2 of 3. Training"]
    assert (recorder.fractions, recorder.lines, recorder.checks) == ([0.5], ["A line."], 1)
    RunReporter(recorder, 1, 1, epochs=0, seconds=0.0).stage(say("Training"))
    assert recorder.stages[-1] == "Training"
