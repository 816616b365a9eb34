"""Weight clustering as plain Keras code."""

from __future__ import annotations

import json

from workbench.bundle import import_code
from workbench.plain.keras.clusters import Initialization
from workbench.plain.keras.weight_values import WEIGHTS_PER_CLUSTER
from workbench.technique import CodePaths
from workbench.techniques.structure.fine_tuning import saving_code
from workbench.techniques.structure.parent_teaching import (
    TaughtParameters,
    loaded,
    taught_code,
    teaching_code,
)
from workbench.techniques.structure.sparsity_code import weight_matrices_code
from workbench.training.preserving_code import KEPT, keeping_code, needs_preserving
from workbench.variant import Variant

_FIRST: dict[Initialization, str] = {
    "linear": """\
    centers = np.linspace(ordered[0], ordered[-1], count)
""",
    "density": """\
    centers = np.quantile(ordered, (np.arange(count) + 0.5) / count)
""",
    "k-means++": """\
    random = np.random.default_rng({seed})
    centers = [random.choice(ordered)]
    apart = (ordered - centers[0]) ** 2
    while len(centers) < count and apart.sum() > 0:
        centers.append(random.choice(ordered, p=apart / apart.sum()))
        apart = np.minimum(apart, (ordered - centers[-1]) ** 2)
""",
}

_CLUSTERS = """\
def k_means(values, count):
    ordered = np.sort(values.ravel().astype("float64"))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
{first}\
    centers = np.unique(centers)
    for _ in range(300):
        ends = np.searchsorted(ordered, (centers[1:] + centers[:-1]) / 2, side="right")
        ends = np.concatenate([[0], ends, [ordered.size]])
        members = np.diff(ends)
        means = np.diff(sums[ends])[members > 0] / members[members > 0]
        if np.array_equal(means, centers):
            break
        centers = means
    return np.unique(centers.astype("float32"))


for kernel in kernels:
    weights = kernel.numpy()
    count = min({clusters}, weights.size // {weights_per_cluster})
    if count < 2 or len(np.unique(weights)) <= count:
        continue
    sparse = 0.05 <= np.mean(weights == 0) < 1
    chosen = weights != 0 if sparse else np.ones(weights.shape, bool)  # zeros stay a cluster of their own
    centers = k_means(weights[chosen], count - sparse)
    middles = (centers[1:].astype("float64") + centers[:-1]) / 2
    weights[chosen] = centers[np.searchsorted(middles, weights[chosen])]
    {assign}
"""
_ASSIGN = "kernel.assign(weights)"
_ASSIGN_MOVING = """\
own = kernel.numpy()
    kernel.assign(weights)
    Reclustered(kernel, own)"""


def clustering_code(
    variant: Variant,
    parameters: TaughtParameters,
    paths: CodePaths,
    *,
    clusters: int,
    initialization: Initialization,
    moving: bool,
    layers: str,
    leave: tuple[str, ...],
) -> str:
    """Plain Keras code that clusters the weights of a model.

    Args:
        variant: The parent.
        parameters: Of fine-tuning.
        paths: The files.
        clusters: Distinct values of each layer.
        initialization: Of k-means.
        moving: Whether weights may change their cluster while training.
        layers: ``all``, ``dense`` or ``convolutions``.
        leave: Names of layers that are left alone.
    """
    first = _FIRST[initialization].replace("{seed}", str(parameters.seed))
    moves = moving and parameters.epochs > 0
    # Where all that is clustered may move, there is something to keep only if the parent had it.
    keeps = not moves or needs_preserving(variant)
    found = (
        _CLUSTERS.replace("{first}", first)
        .replace("{assign}", _ASSIGN_MOVING if moves else _ASSIGN)
        .replace("{clusters}", str(clusters))
        .replace("{weights_per_cluster}", str(WEIGHTS_PER_CLUSTER))
    )
    training = ""
    if parameters.epochs:
        fit = taught_code(variant, parameters, callbacks=["Preserving()"] if keeps else [])
        teaching = teaching_code(variant, parameters, loaded(paths.model))
        left_out = "isinstance(kernel.constraint, Reclustered)" if moves else ""
        kept = f"\n{KEPT}\n\n{keeping_code('model', left_out=left_out)}" if keeps else ""
        training = f"\n{kept}{teaching}\n{fit}\n"
    helper = "from plain.keras.reclustering import Reclustered" if moves else ""
    return f"""\
{
        import_code(
            "import keras",
            "import numpy as np",
            "from keras import ops" if parameters.distill and parameters.epochs else "",
            helper,
        )
    }\
model = {loaded(paths.model)}
data = np.load({json.dumps(paths.data)})


{weight_matrices_code(layers, leave)}

{found}{training}\
{saving_code("model", paths, parameters.epochs)}"""
