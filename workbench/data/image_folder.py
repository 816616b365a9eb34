"""A folder of pictures, one folder for each class, with train and test folders around them or not."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.data.dataset import SPLITS, SplitName
from workbench.data.labels import numbering
from workbench.data.raw import RawData, Samples, check_limit
from workbench.errors import InvalidInput, Refused
from workbench.text import Text, say

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
MOST_PIXELS = 2**26
"""A picture with more pixels is not decoded: a few kilobytes can declare gigabytes."""

_SPLIT_FOLDERS: dict[str, SplitName] = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


@dataclass
class _Found:
    """Pictures of one split, before they are decoded."""

    files: list[Path] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def read_images(folder: Path, *, limit_bytes: int) -> RawData:
    """Reads pictures as 8-bit grey (if all are grey) or colour values.

    Classes are numbered in the order of their folder names, as Keras's ``image_dataset_from_directory``
    does. Pictures of another size than the most common one are resized; that is stated.

    Args:
        folder: ``<class>/<picture>``, or ``train/<class>/<picture>`` with ``test`` and ``validation`` or
            ``val`` beside it.
        limit_bytes: The most memory that the pictures may take, as float32.

    Raises:
        InvalidInput: If there are no classes, or many pictures cannot be read.
        Refused: If the pictures take more than the limit.
    """
    skipped: Counter[str] = Counter()
    found = _scan(folder, skipped)
    classes = sorted({name for split in found.values() for name in split.classes})
    if "train" not in found or not classes:
        raise InvalidInput(
            say("{folder} holds no folders of pictures.", folder=folder.name),
            say(
                "Put the pictures ({suffixes}) of each class into a folder named after it.",
                suffixes=", ".join(SUFFIXES),
            ),
        )
    everything = [path for split in found.values() for path in split.files]
    sizes, grey, broken = _inspect(everything)
    if len(broken) * 10 > len(everything) or not sizes:
        raise InvalidInput(
            say(
                "{broken} of {count} pictures cannot be read, such as {file}.",
                broken=len(broken),
                count=len(everything),
                file=str(next(iter(broken)).relative_to(folder))[:100],
            ),
            say("Remove or replace them."),
        )
    (width, height), _ = sizes.most_common(1)[0]
    channels = 1 if grey else 3
    count = sum(sizes.values())
    check_limit(count * width * height * channels * 4, limit_bytes, folder.name)

    number = {name: index for index, name in enumerate(classes)}
    splits: dict[SplitName, Samples] = {}
    for split in SPLITS:
        if split not in found:
            continue
        kept = [
            (path, name)
            for path, name in zip(found[split].files, found[split].classes, strict=True)
            if path not in broken
        ]
        splits[split] = Samples(
            {"": _decode([path for path, _ in kept], width, height, grey)},
            np.array([number[name] for _, name in kept], np.int64),
            split if len(found) > 1 else "",
        )
    notes = [numbering(classes)]
    resized = count - sizes[width, height]
    if resized:
        notes.append(
            say(
                "{resized} of {count} pictures were resized to the most common size, {width}x{height}.",
                resized=resized,
                count=count,
                width=width,
                height=height,
            )
        )
    notes += _skip_notes(skipped, len(broken))
    return RawData(name=folder.name, splits=splits, classes=tuple(classes), is_image=True, notes=tuple(notes))


def _scan(folder: Path, skipped: Counter[str]) -> dict[SplitName, _Found]:
    with_splits = {split: folder / name for name, split in _SPLIT_FOLDERS.items() if (folder / name).is_dir()}
    roots: dict[SplitName, Path] = with_splits if "train" in with_splits else {"train": folder}
    found: dict[SplitName, _Found] = {}
    for split, root in roots.items():
        pictures = _Found()
        for group in _entries(root):
            if group.is_symlink():
                skipped["links"] += 1
            elif group.is_dir():
                for entry in _entries(Path(group.path)):
                    # Links could lead out of the folder; devices and pipes would block.
                    if entry.is_symlink():
                        skipped["links"] += 1
                    elif not entry.is_file() or not entry.name.lower().endswith(SUFFIXES):
                        skipped["others"] += 1
                    else:
                        pictures.files.append(Path(entry.path))
                        pictures.classes.append(os.fsencode(group.name).decode("utf-8", "replace"))
        if pictures.files:
            found[split] = pictures
    return found


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(
            (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
        )


def _inspect(paths: list[Path]) -> tuple[Counter[tuple[int, int]], bool, set[Path]]:
    """Sizes of all pictures, whether all are grey, and those that cannot be opened; decodes nothing."""
    from PIL import Image

    sizes: Counter[tuple[int, int]] = Counter()
    broken: set[Path] = set()
    grey = True
    for path in paths:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is ours
                with Image.open(path) as image:
                    size, mode = image.size, image.mode
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            broken.add(path)
            continue
        if size[0] * size[1] > MOST_PIXELS:
            raise Refused(
                say(
                    "The picture {file} has {width}x{height} pixels; the limit is {limit} in all.",
                    file=path.name[:100],
                    width=size[0],
                    height=size[1],
                    limit=MOST_PIXELS,
                ),
                say("Make it smaller."),
            )
        if mode[:1] in ("I", "F"):
            raise InvalidInput(
                say("The picture {file} has more than 8 bits for each value.", file=path.name[:100]),
                say("Save pictures with 8 bits, or give the values as an .npz file."),
            )
        sizes[size] += 1
        grey = grey and mode in ("1", "L", "LA")
    return sizes, grey, broken


def _decode(paths: list[Path], width: int, height: int, grey: bool) -> npt.NDArray[np.uint8]:
    from PIL import Image

    values = np.empty((len(paths), height, width, 1 if grey else 3), np.uint8)
    for position, path in enumerate(paths):
        try:
            with Image.open(path) as image:
                pixels = image.convert("L" if grey else "RGB")
        except (OSError, ValueError, SyntaxError, EOFError) as error:
            raise InvalidInput(
                say("The picture {file} is damaged or incomplete.", file=path.name[:100]),
                say("Remove or replace it."),
            ) from error
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
        values[position] = np.asarray(pixels).reshape(values.shape[1:])
    return values


def _skip_notes(skipped: Counter[str], broken: int) -> list[Text]:
    notes = []
    if broken:
        notes.append(say("{count} pictures could not be read and were left out.", count=broken))
    if skipped["links"]:
        notes.append(say("{count} symbolic links were left out.", count=skipped["links"]))
    if skipped["others"]:
        notes.append(say("{count} files that are not pictures were left out.", count=skipped["others"]))
    return notes
