"""How prepared samples come to the disk: in blocks, as they came or as float32, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from workbench.api.dataset import SplitName
from workbench.api.errors import InvalidInput
from workbench.api.row_array import BLOCK_BYTES
from workbench.api.text import Text, say
from workbench.api.variant import TensorSpec
from workbench.data.durable import sync_file
from workbench.data.labels import EncodedLabels
from workbench.data.model_inputs import kept_type, stored_type
from workbench.data.raw import Array, RawData
from workbench.data.rounding import Rounding
from workbench.data.scaling import Scaler
from workbench.data.splits import SplitSource


def stored_bytes(raw: RawData, specs: dict[str, TensorSpec | None]) -> int:
    """Bytes of all samples of all splits as they are stored."""
    return sum(
        array.size * kept_type(stored_type(specs.get(name), array), array).itemsize
        for samples in raw.samples()
        for name, array in samples.x.items()
    )


def check_space(folder: Path, needed: int) -> None:
    """Raises where the disk has no room for so many bytes."""
    parent = next(parent for parent in folder.absolute().parents if parent.exists())
    free = shutil.disk_usage(parent).free
    if needed > free:
        raise InvalidInput(
            say(
                "The prepared data take {needed:.1f} MB and {free:.1f} MB are free in {folder}.",
                needed=needed / 1e6,
                free=free / 1e6,
                folder=str(parent),
            ),
            say("Free some space or choose another folder."),
        )


def write_arrays(
    draft: Path,
    raw: RawData,
    encoded: EncodedLabels,
    parts: dict[SplitName, SplitSource],
    scalers: dict[str, Scaler],
    specs: dict[str, TensorSpec | None],
    weights: Mapping[SplitName, Array],
    further: Mapping[str, Array],
    watch: Callable[[float], None] = lambda share: None,
) -> tuple[str, float, float, tuple[Text, ...]]:
    """Writes all arrays.

    Args:
        draft: An empty folder.
        raw: The data as read.
        encoded: Their labels.
        parts: Which samples each split has.
        scalers: What becomes of each input.
        specs: The model's inputs, where they are known.
        weights: How much each sample counts, of the splits that have weights.
        further: Labels and weights of further outputs, by the start of their file's name.
        watch: Hears which share of the samples is written.

    Returns:
        Their digest, the smallest and the largest number that the model is given (0 and 0 where all is text),
        and what float32 could not hold.
    """
    digest = hashlib.sha256()
    minimum, maximum = np.inf, -np.inf
    written, whole = 0, sum(len(part.index) for part in parts.values()) * len(raw.inputs)

    def wrote(samples: int) -> None:
        nonlocal written
        written += samples
        watch(written / whole)

    roundings = {key: Rounding() for key in raw.inputs}
    for split, part in parts.items():
        for key, values in raw.splits[part.source].x.items():
            kept = kept_type(scalers[key].dtype, values)
            start, end = "x" if kept == scalers[key].dtype else "raw", f".{key}.npy" if key else ".npy"
            file_name = f"{start}_{split}{end}"
            digest.update(f"{file_name} {(len(part.index), *values.shape[1:])}".encode())
            if kept != np.float32:
                digest.update(kept.str.encode())
            if kept != scalers[key].dtype:
                digest.update(_write_scaling(draft / f"scaling{end}", scalers[key]))
            with (draft / file_name).open("wb") as file:
                low, high = _write_samples(
                    file, values, part, scalers[key], kept, digest, f"x_{split}{end}", roundings[key], wrote
                )
                sync_file(file)
            minimum, maximum = min(minimum, low), max(maximum, high)
        labels = encoded.y[part.source][part.index]
        digest.update(f"y_{split}".encode())
        digest.update(labels.astype("<i8" if encoded.task == "classification" else labels.dtype).tobytes())
        with (draft / f"y_{split}.npy").open("wb") as file:
            np.save(file, labels, allow_pickle=False)
            sync_file(file)
        if split in weights:
            digest.update(f"w_{split}".encode() + weights[split].astype("<f4").tobytes())
            with (draft / f"w_{split}.npy").open("wb") as file:
                np.save(file, weights[split], allow_pickle=False)
                sync_file(file)
    for name, values in further.items():
        digest.update(name.encode() + values.tobytes())
        with (draft / f"{name}.npy").open("wb") as file:
            np.save(file, values, allow_pickle=False)
            sync_file(file)
    if minimum > maximum:
        minimum = maximum = 0.0
    rounded = _rounded(raw, roundings, specs)
    return digest.hexdigest(), float(minimum), float(maximum), rounded


def _rounded(
    raw: RawData, roundings: dict[str, Rounding], specs: dict[str, TensorSpec | None]
) -> tuple[Text, ...]:
    """What float32 could not hold; a reason to stop where the model was made for more."""
    notes = []
    for key, rounding in roundings.items():
        problem = rounding.problem(raw.splits["train"].called("x", key))
        if problem is None:
            continue
        spec = specs[key]
        if spec is not None and "float64" in (spec.dtype, spec.made_for):
            raise InvalidInput(
                problem,
                say(
                    "The model takes float64, and everything here computes in float32: subtract an offset "
                    "from the data, or number the values from 0, and train the model on that."
                ),
            )
        action = (
            say("Give the model an input of the type int64, or number the values from 0.")
            if rounding.changed
            else say("Subtract an offset from them, or standardize them.")
        )
        notes.append(say("{problem} {action}", problem=problem, action=action))
    return tuple(notes)


def _write_scaling(path: Path, scaler: Scaler) -> bytes:
    """Writes what :meth:`workbench.api.dataset.Dataset.x` does with values that are kept as they came."""
    numbers = np.stack([scaler.offset, scaler.divisor])
    with path.open("wb") as file:
        np.save(file, numbers, allow_pickle=False)
        sync_file(file)
    return numbers.astype("<f8").tobytes()


def _write_samples(
    file: BinaryIO,
    values: Array,
    part: SplitSource,
    scaler: Scaler,
    kept: np.dtype[np.generic],
    digest: hashlib._Hash,
    called: str,
    rounding: Rounding,
    wrote: Callable[[int], None],
) -> tuple[float, float]:
    """Writes samples block by block, so that no second copy of the data is ever in memory."""
    shape = (len(part.index), *values.shape[1:])
    header = {"descr": np.lib.format.dtype_to_descr(kept), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    minimum, maximum = np.inf, -np.inf
    name = called.removesuffix(".npy")
    step = max(1, BLOCK_BYTES // max(1, scaler.dtype.itemsize * prod(values.shape[1:])))
    for start in range(0, len(part.index), step):
        chosen = values[part.index[start : start + step]]
        # A value beyond float32 becomes infinite here and is reported below.
        with np.errstate(over="ignore"):
            if kept == scaler.dtype:
                block = np.ascontiguousarray(scaler(chosen, name))
                seen = block
            else:
                block = np.ascontiguousarray(chosen, kept)
                # scaling keeps the order: the smallest value becomes the smallest
                seen = scaler(np.stack([block.min(axis=0), block.max(axis=0)]), name)
        if scaler.dtype.kind != "U":
            minimum, maximum = min(minimum, float(seen.min())), max(maximum, float(seen.max()))
            if not np.isfinite(minimum) or not np.isfinite(maximum):
                raise InvalidInput(
                    say("{name} holds values too large for float32.", name=name),
                    say("Scale or clip them below 3.4e38 first."),
                )
        if kept == np.float32 and not scaler.changes:
            rounding.watch(chosen, block)
        content = block.tobytes() if scaler.dtype.kind == "U" else block.data
        digest.update(content)
        file.write(content)
        wrote(len(block))
    return minimum, maximum
