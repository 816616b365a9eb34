"""A folder of pictures, one folder for each class, with train and test folders around them or not."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from workbench.api.dataset import SPLITS, SplitName
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.api.variant import ModelDescription
from workbench.data.class_names import numbering
from workbench.data.fitting import judged_outputs
from workbench.data.picture_inspection import inspect, target_of
from workbench.data.raw import Disk, RawData, Samples

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_SPLIT_FOLDERS: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}

_OF_ARCHIVES = frozenset({"__MACOSX"})
"""Folders that programs put into archives beside what was packed."""


@dataclass
class _Found:
    """Pictures of one split, before they are decoded."""

    files: list[Path] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)


def read_images(
    folder: Path, *, limit_bytes: int, model: ModelDescription | None = None, disk: Disk | None = None
) -> RawData:
    """Finds pictures, which are decoded in the size and colours that the model takes when they are asked for.

    Classes are numbered in the order of their folder names and pictures resized with bilinear
    interpolation, as Keras's ``image_dataset_from_directory`` does; both is stated. Where the model takes
    any size, it is the most common one; where it takes any number of channels, or is not known, pictures are
    grey if all are.

    Args:
        folder: ``<class>/<picture>``, or ``train/<class>/<picture>`` with ``test`` and ``validation`` or
            ``val`` beside it; pictures may lie deeper where it is clear which folders are the classes. A
            folder around all that, as archives have it, is looked into.
        limit_bytes: The most that the pictures may take where there is no disk for them; and with fractions,
            which resized ones have.
        model: The model that they are for, where it is known.
        disk: Where they are kept.

    Raises:
        InvalidInput: If there are no classes, or many pictures cannot be read.
        Refused: If the pictures take more than the limit.
    """
    skipped: Counter[str] = Counter()
    found = _scan(folder, skipped, judged_outputs(model, None))
    classes = sorted({name for split in found.values() for name in split.classes})
    if "train" not in found or not classes:
        raise _no_classes(folder)
    everything = [path for split in found.values() for path in split.files]
    inspected = inspect(everything)
    broken = {everything[position] for position in inspected.broken}
    if len(broken) * 10 > len(everything) or not inspected.sizes:
        raise InvalidInput(
            say(
                "{broken} of {count} pictures cannot be read, such as {file}.",
                broken=len(broken),
                count=len(everything),
                file=str(next(iter(broken)).relative_to(folder))[:100],
            ),
            say("Remove or replace them."),
        )
    target = target_of(inspected, folder.name, limit_bytes=limit_bytes, model=model, disk=disk)
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
            {"": target.of(partial(_those, [path for path, _ in kept]), len(kept))},
            np.array([number[name] for _, name in kept], np.int64),
            split if len(found) > 1 else "",
        )
    return RawData(
        name=folder.name,
        splits=splits,
        classes=tuple(classes),
        scaling="divide by 255",
        is_image=True,
        numbered=numbering(classes),
        notes=(*target.notes, *_skip_notes(skipped, len(broken))),
    )


def _those(paths: list[Path], positions: Sequence[int]) -> list[Path]:
    return [paths[position] for position in positions]


def pictures_of(folder: Path) -> list[tuple[Path, str]]:
    """The pictures in a folder, each with its class; none is read.

    Raises:
        InvalidInput: If there are none in folders.
    """
    found = _scan(folder, Counter(), None)
    if "train" not in found:
        raise _no_classes(folder)
    return [
        pair for pictures in found.values() for pair in zip(pictures.files, pictures.classes, strict=True)
    ]


def _no_classes(folder: Path) -> InvalidInput:
    return InvalidInput(
        say("{folder} holds no folders of pictures.", folder=folder.name),
        say(
            "Put the pictures ({suffixes}) of each class into a folder named after it.",
            suffixes=tuple(SUFFIXES),
        ),
    )


def _scan(folder: Path, skipped: Counter[str], outputs: int | None) -> dict[SplitName, _Found]:
    found: dict[SplitName, _Found] = {}
    for split, root in _roots(folder).items():
        groups = []
        for group in _entries(root):
            if group.is_symlink():
                skipped["links"] += 1
            elif group.is_dir():
                groups.append(group)
        # Folders in folders: the outer ones are the classes where pictures lie in them, or the model has an
        # output for each. Else they may be days or splits, with the classes inside.
        known = outputs is not None and len(groups) == max(outputs, 2)
        deep = known or any(_pictures(Path(group.path), Counter(), deep=False) for group in groups)
        pictures = _Found()
        for group in groups:
            files = _pictures(Path(group.path), skipped, deep=deep)
            pictures.files += files
            pictures.classes += [os.fsencode(group.name).decode("utf-8", "replace")] * len(files)
        if pictures.files:
            found[split] = pictures
    return found


def _roots(folder: Path) -> dict[SplitName, Path]:
    """The folder of each split, whose folders are the classes."""
    entries = _entries(folder)
    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    folders = [entry for entry in folders if entry.name not in _OF_ARCHIVES]
    splits: dict[SplitName, Path] = {}
    for entry in folders:
        split = _SPLIT_FOLDERS.get(entry.name.casefold())
        if split is not None:
            splits.setdefault(split, Path(entry.path))
    if "train" in splits:
        return splits
    if len(folders) == 1 and not any(_is_picture(entry) for entry in _entries(Path(folders[0].path))):
        return _roots(Path(folders[0].path))
    return {"train": folder}


def _pictures(folder: Path, skipped: Counter[str], *, deep: bool) -> list[Path]:
    files: list[Path] = []
    for entry in _entries(folder):
        # Links could lead out of the folder; devices and pipes would block.
        if entry.is_symlink():
            skipped["links"] += 1
        elif deep and entry.is_dir():
            files += _pictures(Path(entry.path), skipped, deep=True)
        elif _is_picture(entry):
            files.append(Path(entry.path))
        else:
            skipped["others"] += 1
    return files


def _is_picture(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(SUFFIXES)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(
            (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
        )


def _skip_notes(skipped: Counter[str], broken: int) -> list[Text]:
    notes = []
    if broken:
        notes.append(
            say(
                "{count} picture could not be read and was left out.",
                "{count} pictures could not be read and were left out.",
                count=broken,
            )
        )
    if skipped["links"]:
        notes.append(
            say(
                "{count} symbolic link was left out.",
                "{count} symbolic links were left out.",
                count=skipped["links"],
            )
        )
    if skipped["others"]:
        notes.append(
            say(
                "{count} file that is not a picture was left out.",
                "{count} files that are not pictures were left out.",
                count=skipped["others"],
            )
        )
    return notes
