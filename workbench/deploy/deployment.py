"""The file beside a deployed model that loads and runs it: plain code for its runtime."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

from workbench.api.dataset import DatasetInfo
from workbench.api.errors import Unavailable
from workbench.api.file_format import file_format
from workbench.api.text import Text, say
from workbench.api.variant import TensorSpec, Variant
from workbench.deploy.runners import runner
from workbench.models.intake.own_code import BY_VALUE
from workbench.plain.outputs import plain_name
from workbench.runtimes import runtime

_CLASSIFY = '''

def classify(samples):
    """The name of the most likely class of each sample, and its probability."""
    found = probabilities(predict(samples), from_logits={from_logits})
    best = found.argmax(axis=1)
    return [(CLASSES[k] if k < len(CLASSES) else int(k), float(row[k])) for k, row in zip(best, found)]


if __name__ == "__main__":
    # python predict.py samples.npy
    for name, probability in classify({example}):
        print(f"{{probability:.3f}}  {{name}}")
'''

_NUMBERS = """

if __name__ == "__main__":
    # python predict.py samples.npy
    for row in np.asarray(predict({example}), "float64").reshape(-1, {columns}):
        print("  ".join(f"{{name}} {{value:g}}" for name, value in zip(TARGETS, row)))
"""

_VALUES = """

if __name__ == "__main__":
    # python predict.py samples.npy
    for answer in np.asarray(predict({example})):
        print(answer)
"""


def deployment_file(variant: Variant) -> str:
    """The name that the model's file (a folder for ``openvino``) has beside the code."""
    return file_format(variant.format).file_name


def deployment_code(variant: Variant, dataset: DatasetInfo | None = None) -> str:
    """A script that loads a variant's file and predicts with it; see :class:`workbench.api.bundle.Bundle`.

    It defines ``predict(samples)``, which takes samples as the data hold them (a dict by input name where
    there are several) and gives the output that is judged as float32, and ``classify(samples)``. What a file
    wants in 8 bits is converted there and back with the scales that are in it.

    Args:
        variant: Any variant; its file is called :func:`deployment_file` there.
        dataset: For the names of the classes and how samples are scaled; left open if None.

    Raises:
        Unavailable: If its runtime has no such code.
    """
    task = variant.description.task
    classifies = task == "classification"
    pieces = runner(
        variant,
        deployment_file(variant),
        *(["from plain.probabilities import probabilities"] if classifies else []),
    )
    if pieces is None:
        raise Unavailable(
            say("There is no deployment code for {runtime}.", runtime=runtime(variant.runtime).title),
            say("Choose another runtime."),
        )
    imports, body = pieces
    start = f'"""{_header(variant, dataset)}"""\n\n{imports}FILE = {json.dumps(deployment_file(variant))}\n'
    example = _example(variant)
    if task == "regression" and dataset is not None:
        names = f"TARGETS = {json.dumps(list(dataset.targets))}\n"
        return f"{start}{names}\n{body}" + _NUMBERS.format(example=example, columns=len(dataset.targets))
    if not classifies:
        return f"{start}\n{body}" + _VALUES.format(example=example)
    classes = list(dataset.classes) if dataset is not None else []
    return f"{start}CLASSES = {json.dumps(classes)}\n\n{body}" + _CLASSIFY.format(
        from_logits=variant.description.from_logits, example=example
    )


def requirements(variant: Variant) -> tuple[str, ...]:
    """The distributions that the code needs, with the versions that were measured with."""
    carried = variant.path.with_name(BY_VALUE).is_file()
    names = (*runtime(variant.runtime).packages, "numpy", *(["cloudpickle"] if carried else []))
    return tuple(_pinned(name) for name in dict.fromkeys(names))


def _pinned(name: str) -> str:
    try:
        return f"{name}=={version(name)}"
    except PackageNotFoundError:
        return name


def _header(variant: Variant, dataset: DatasetInfo | None) -> str:
    title = say(
        "Runs {name} ({precision}) in {runtime}.",
        name=variant.name,
        precision=variant.description.precision,
        runtime=runtime(variant.runtime).title,
    )
    lines = [
        str(title),
        "",
        str(say("Needs: {packages}", packages=f"pip install {' '.join(requirements(variant))}")),
    ]
    for spec in variant.description.inputs:
        shape = ", ".join("any" if size is None else str(size) for size in spec.shape)
        lines.append(
            str(
                say(
                    "Input {name}: {dtype}, shape (samples, {shape}).",
                    name=plain_name(spec.name),
                    dtype=_taken(spec),
                    shape=shape,
                )
            )
        )
    if dataset is not None:
        lines.append(str(say("Scale samples as the training data were: {scaling}.", scaling=dataset.scaling)))
        if dataset.task == "regression":
            lines.append(str(say("Output: {names}.", names=dataset.targets)))
        if dataset.task == "classification" and len(dataset.classes) > 0:
            lines.append(
                str(say("Output: one value for each of {count} classes.", count=len(dataset.classes)))
            )
    lines.append(str(_meaning(variant)))
    # Names come from strangers: nothing in them may end the docstring.
    return "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''").rstrip('"') + "\n"


def _taken(spec: TensorSpec) -> str:
    """What a caller passes: what a file wants in 8 bits or in 16 is converted."""
    if spec.role == "text":
        return "text"
    return spec.dtype if spec.takes_whole_numbers else "float32"


def _meaning(variant: Variant) -> Text:
    if variant.description.task != "classification":
        return say("predict gives the values of the output as they are.")
    if variant.description.from_logits:
        return say("predict gives raw scores; classify turns them into probabilities.")
    return say("predict gives probabilities.")


def _example(variant: Variant) -> str:
    if len(variant.description.inputs) == 1:
        return "np.load(sys.argv[1])"
    return "dict(np.load(sys.argv[1]))"
