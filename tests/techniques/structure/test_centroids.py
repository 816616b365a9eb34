import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from workbench.plain.keras.clusters import clustered, k_means, nearest


def inertia(values, centers):
    return float(np.min((values[:, None] - centers[None, :]) ** 2, axis=1).sum())


@pytest.mark.parametrize("count", [2, 5, 16])
def test_it_is_as_good_as_another_implementation(count):
    values = np.random.default_rng(count).normal(size=2000).astype(np.float32)
    start = np.linspace(values.min(), values.max(), count)[:, None]
    other = KMeans(count, init=start, n_init=1, tol=0, max_iter=300).fit(values[:, None])
    centers = k_means(values, count, "linear", 0)
    np.testing.assert_allclose(centers, np.sort(other.cluster_centers_[:, 0]), rtol=1e-4, atol=1e-5)
    for initialization in ("density", "k-means++"):
        ours = inertia(values, k_means(values, count, initialization, 1))
        assert ours <= 1.5 * other.inertia_


@given(st.integers(1, 60), st.integers(1, 20), st.sampled_from(["linear", "density", "k-means++"]))
def test_centers_are_means_of_what_is_nearest(size, count, initialization):
    values = np.random.default_rng(size).normal(size=size).round(1).astype(np.float32)
    centers = k_means(values, count, initialization, 3)
    assert 1 <= len(centers) <= count
    assert (np.diff(centers) > 0).all()
    shared = nearest(values, centers)
    for center in centers:
        assert values[shared == center].mean() == pytest.approx(center, abs=1e-5)
    best = np.min(np.abs(values[:, None] - centers[None, :]), axis=1)
    np.testing.assert_allclose(np.abs(values - shared), best, atol=1e-6)


def test_zeros_stay_a_cluster_of_their_own():
    values = np.random.default_rng(0).normal(size=(30, 20)).astype(np.float32)
    values[np.abs(values) < 0.7] = 0
    shared = clustered(values, 8, "linear", 0, keep_zeros=True)
    assert ((shared == 0) == (values == 0)).all()
    assert len(np.unique(shared)) <= 8
    assert len(np.unique(clustered(values, 8, "linear", 0, keep_zeros=False))) <= 8
