import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from workbench.measure.student_t import mean_interval, t_975


def test_quantiles_are_those_of_the_tables():
    """Abramowitz and Stegun, table 26.10."""
    assert [round(t_975(freedom), 3) for freedom in (1, 2, 5, 10, 20, 30, 120)] == [
        12.706,
        4.303,
        2.571,
        2.228,
        2.086,
        2.042,
        1.980,
    ]


@pytest.mark.parametrize("count", [2, 3, 5, 21, 60])
def test_interval_is_that_of_scipy(count):
    values = np.random.default_rng(count).normal(5, 2, count)
    mean, low, high = mean_interval(list(values))
    wanted = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(wanted)


def test_one_run_has_no_interval():
    mean, low, high = mean_interval([0.5])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_page_starts_without_scipy():
    code = "import sys, workbench.workbench, widgets; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
