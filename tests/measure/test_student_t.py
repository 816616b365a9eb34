import math

import numpy as np
import pytest
from scipy import stats

from workbench.measure.student_t import mean_interval, t_975


def test_quantiles():
    found = [t_975(freedom) for freedom in range(1, 21)]
    np.testing.assert_allclose(found, stats.t.ppf(0.975, np.arange(1, 21)), atol=6e-4)
    for freedom in (21, 30, 60, 1000):
        assert 0 <= stats.t.ppf(0.975, freedom) - t_975(freedom) < 0.01


@pytest.mark.parametrize("count", [2, 3, 5, 21, 60])
def test_interval_is_that_of_scipy(count):
    values = np.random.default_rng(count).normal(5, 2, count)
    mean, low, high = mean_interval(list(values))
    wanted = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx(wanted, rel=1e-3)


def test_one_run_has_no_interval():
    mean, low, high = mean_interval([0.5])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)
