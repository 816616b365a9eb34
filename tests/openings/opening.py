"""Opens a case with ``Workbench.open`` itself, its steps run in this process, up to the baseline's quality.

What worker processes would do is done here, one step after the other, by the same functions: three
hundred openings in processes of their own would take hours. What follows the quality (memory and latency,
which need a process of their own) is not run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.local_reporter import LocalReporter
from tests.openings.cases import Case
from workbench import Workbench
from workbench.api.dataset import Dataset
from workbench.api.errors import InvalidInput, Refused, Unavailable, WorkbenchError
from workbench.jobs.executor import Executor
from workbench.measure import tasks

_EXACT = 1e-6


class _Enough(WorkbenchError):
    """The quality is there."""


class InThisProcess(Executor):
    """Runs the steps of an opening here; keeps the quality, and ends the job where more would be measured."""

    def __init__(self) -> None:
        super().__init__()
        self.quality: Any = None
        self.failure: Exception | None = None
        self._decided = asyncio.Event()
        self.judged: tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int64]] | None = None

    async def _connect_early(self) -> None:
        """There is no cluster to connect to."""

    async def run(self, function: Callable[..., Any], *args: Any, **how: Any) -> Any:
        if function is tasks.measure_quality:
            try:
                result = function(LocalReporter(), *args)
            except Exception as error:
                self.failure = error
                raise
            finally:
                self._decided.set()
            dataset = Dataset(args[1])
            features = dataset.x("test")
            arrays = features if isinstance(features, dict) else {"": features}
            self.judged = (
                {name: np.array(values) for name, values in arrays.items()},
                np.array(dataset.y("test")),
            )
            self.quality = result[0]
            return result
        if function.__module__ == tasks.__name__:
            await self._decided.wait()
            raise _Enough(None)
        return function(LocalReporter(), *args)


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes:
        case: What was opened.
        f1: Macro F1 of the baseline on the test split; None if it was not opened.
        right: The same from plain Keras, by scikit-learn.
        said: Why it was not opened.
        clear: Whether that was a refusal in words, and not a crash.
        left: What is in the folder though nothing was opened.
        warnings: What was said beside the number.
    """

    case: Case
    f1: float | None = None
    right: float | None = None
    said: str = ""
    clear: bool = True
    left: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """Whether the number is right, or the case was refused before anything was stored."""
        if self.f1 is None:
            return self.clear and not self.left
        return self.right is not None and abs(self.f1 - self.right) < _EXACT and not self.case.asked

    def __str__(self) -> str:
        if self.f1 is not None:
            return f"{self.case.title}: F1 {self.f1:.4f}, plain Keras {self.right:.4f}"
        return f"{self.case.title}: {'refused' if self.clear else 'CRASHED'}: {self.said} {self.left or ''}"


def try_opening(case: Case, folder: Path) -> Outcome:
    """Opens a case in a fresh folder and compares its F1 with plain Keras on the same samples."""
    executor = InThisProcess()
    with Workbench(folder, executor=executor) as workbench:
        try:
            workbench.open(case.model, case.given.data, **case.given.options).wait()
            raise AssertionError("nothing was measured")
        except Exception as error:
            if executor.quality is None:
                error = executor.failure or error
                left = tuple(variant.name for variant in workbench.variants)
                clear = isinstance(error, InvalidInput | Refused | Unavailable)
                return Outcome(case, said=f"{type(error).__name__}: {error}", left=left, clear=clear)
    executor.close()
    assert executor.judged is not None
    picked = _find(case, *executor.judged)
    if picked is None:
        said = "the test split holds samples that were not given"
        return Outcome(case, said=said, clear=False)
    return Outcome(
        case,
        f1=executor.quality.f1_macro.value,
        right=case.plain_f1(picked),
        warnings=tuple(str(text) for text in executor.quality.warnings),
    )


def _find(
    case: Case, features: dict[str, npt.NDArray[Any]], labels: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64] | None:
    """Which raw samples are those of the test split: by their values, as they came or divided by 255."""
    names = list(case.samples)
    wanted = [features.get(name, features.get("")) for name in names]
    if any(values is None for values in wanted):  # stored under other names, in the model's order
        wanted = list(features.values())
    keys = [_key(values, 1.0) for values in zip(*wanted, strict=True)]
    for divisor in (1.0, 255.0):
        known: dict[tuple[Any, ...], list[int]] = {}
        for index, values in enumerate(zip(*case.samples.values(), strict=True)):
            known.setdefault(_key(values, divisor), []).append(index)
        if all(key in known for key in keys):
            break
    else:
        return None
    found = []
    for key, label in zip(keys, labels, strict=True):
        # equal samples with other labels: any with this label, each once
        candidates = known[key]
        index = next((one for one in candidates if case.truth[one] == label), candidates[0])
        candidates.remove(index) if len(candidates) > 1 else None
        found.append(index)
    return np.array(found)


def _key(values: tuple[Any, ...], divisor: float) -> tuple[Any, ...]:
    parts: list[Any] = []
    for value in values:
        array = np.asarray(value)
        if array.dtype.kind in "US":
            parts.append(tuple(str(text) for text in array.ravel()))
        elif divisor == 1.0 and array.dtype.kind in "iub":
            parts.append(tuple(array.ravel().tolist()))
        else:
            scaled = (array.astype(np.float64) / divisor).astype(np.float32)
            parts.append(tuple(scaled.ravel().tolist()))
    return tuple(parts)
