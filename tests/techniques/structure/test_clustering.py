import numpy as np
import pytest

from tests.techniques.structure.changing import (
    accuracy,
    apply,
    assert_same_weights,
    parent_of,
    train,
    twins,
)
from tests.techniques.structure.test_sparsity import conv_model, kernels_of
from workbench.api.errors import Refused
from workbench.techniques.structure.clustering import Clustering, ClusteringParameters
from workbench.techniques.structure.sparsity import Sparsity

keras = pytest.importorskip("keras")


@pytest.fixture(scope="module")
def trained(digits, tmp_path_factory):
    return parent_of(train(conv_model(), digits), tmp_path_factory.mktemp("clusters"))


@pytest.mark.slow
def test_dense_and_sparse_parents_and_their_plain_code(digits, trained, recorder, tmp_path):
    parameters = {"clusters": 8, "epochs": 3, "seed": 5}
    applied, model = apply(Clustering(), trained, digits, tmp_path / "dense", recorder, **parameters)
    counts = {name: len(np.unique(np.asarray(kernel))) for name, kernel in kernels_of(model).items()}
    assert set(counts.values()) == {8}
    assert accuracy(model, digits) > 0.9
    (table,) = applied.report.tables
    assert {row[0]: row[2] for row in table.rows} == counts
    assert any("gzip" in str(note) for note in applied.report.notes)

    recorder.fractions.clear()
    _, sparse = apply(Sparsity(), trained, digits, tmp_path / "pruned", recorder, epochs=0, share=0.6)
    parent = parent_of(sparse, tmp_path / "parent")
    recorder.fractions.clear()
    of_sparse = {
        "clusters": 16,
        "initialization": "k-means++",
        "epochs": 1,
        "leave": "scores",
        "moving": False,
        "distill": 0.5,
    }
    _, again = apply(Clustering(), parent, digits, tmp_path / "sparse", recorder, **of_sparse)
    for name, kernel in kernels_of(again).items():
        was, now = np.asarray(kernels_of(sparse)[name]), np.asarray(kernel)
        # The layer that is left alone keeps its zeros in training as well.
        assert ((was == 0) == (now == 0)).all()
        assert (len(np.unique(now)) <= 16) == (name != "scores")

    # The plain code: without training the same weights, with it what is promised.
    ways = [(trained, parameters), (parent, of_sparse)]
    scripts = [(Clustering(), one, given | {"epochs": epochs}) for epochs in (0, 1) for one, given in ways]
    *untrained, moved, stayed = twins(scripts, digits, tmp_path / "code")
    for (one, given), theirs in zip(ways, untrained, strict=True):
        recorder.fractions.clear()
        folder = tmp_path / f"untrained {one.path.parent.name}"
        _, mine = apply(Clustering(), one, digits, folder, recorder, **given | {"epochs": 0})
        assert_same_weights(mine, theirs, rtol=0, atol=0)
    for name, kernel in kernels_of(moved).items():
        assert len(np.unique(np.asarray(kernel))) == 8
        was, now = np.asarray(kernels_of(sparse)[name]), np.asarray(kernels_of(stayed)[name])
        assert ((was == 0) == (now == 0)).all()
        assert (len(np.unique(now)) <= 16) == (name != "scores")


def test_small_layers_get_fewer_clusters_and_clustered_ones_are_refused(digits, trained, recorder, tmp_path):
    applied, model = apply(
        Clustering(),
        trained,
        digits,
        tmp_path / "out",
        recorder,
        clusters=64,
        epochs=0,
        initialization="density",
    )
    counts = {name: len(np.unique(np.asarray(kernel))) for name, kernel in kernels_of(model).items()}
    assert counts["first"] <= 144 // 4
    assert counts["hidden"] == 64
    assert applied.report.notes
    parent = parent_of(model, tmp_path / "parent")
    with pytest.raises(Refused, match=r"hidden: It has only 64 distinct values already"):
        apply(Clustering(), parent, digits, tmp_path / "again", recorder, clusters=64, epochs=0)


def test_weights_change_their_cluster_only_where_they_may(digits, trained, recorder, tmp_path):
    def partition(values):
        return np.unique(np.asarray(values), return_inverse=True)[1].ravel()

    start = {}
    for moving in (True, False):
        parameters = {"clusters": 8, "learning_rate": 2e-3, "moving": moving, "seed": 1}
        for epochs in (0, 2):
            recorder.fractions.clear()
            folder = tmp_path / f"{moving}-{epochs}"
            _, model = apply(Clustering(), trained, digits, folder, recorder, epochs=epochs, **parameters)
            parts = {name: partition(kernel) for name, kernel in kernels_of(model).items()}
            assert all(len(np.unique(part)) <= 8 for part in parts.values())
            if epochs == 0:
                start = parts
        assert any(not np.array_equal(parts[name], start[name]) for name in parts) == moving


def test_zeros_stay_when_weights_change_their_cluster():
    from workbench.plain.keras.reclustering import ClusterConstraint

    own = np.array([[0.0, -0.9, -1.1], [0.4, 0.6, 1.2]], "float32")
    variable = keras.Variable(np.array([[0, -1, -1], [0.5, 0.5, 1.2]], "float32"))
    kept = ClusterConstraint(variable, own)
    moved = np.array([[5, -1, -1], [0.5, 1.0, 1.2]], "float32")  # a step: one zero and one weight
    found = np.asarray(kept(keras.ops.convert_to_tensor(moved)))
    # 0.6 + 0.5 = 1.1 is now nearer to 1.2 than to 0.5
    np.testing.assert_allclose(found, [[0, -1, -1], [0.4, 1.15, 1.15]], rtol=1e-6)
    kept.release()
    assert variable.constraint is None


def test_before_applying(digits, trained):
    technique = Clustering()
    few = technique.estimate(trained, digits.info, ClusteringParameters(clusters=4))
    many = technique.estimate(trained, digits.info, ClusteringParameters(clusters=256, epochs=50))
    assert few.size_ratio == 1
    assert few.seconds < many.seconds
    assert few.expectation != many.expectation
    assert technique.variant_name(ClusteringParameters()) == "16 clusters"
    lite = trained.model_copy(update={"format": "tflite"})
    assert "Keras" in str(technique.obstacle(lite, digits.info, ClusteringParameters()))
    bare = trained.model_copy(update={"description": trained.description.model_copy(update={"layers": ()})})
    assert "no layer" in str(technique.obstacle(bare, digits.info, ClusteringParameters()))
