"""What a teacher fixes for a class, as a file beside the lessons: ``class.json``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from workbench.api.errors import InvalidInput
from workbench.api.records import Record
from workbench.api.text import LANGUAGES, Text, say, verbatim
from workbench.techniques import techniques

SETTINGS = "class.json"
"""The file's name."""

CLASS_VARIABLE = "WORKBENCH_CLASS"
"""Names the file, or its folder."""

_LARGEST_BYTES = 100_000
_FAR_UP = 3


class Demands(Record):
    """What a variant has to meet in the challenge.

    Attributes:
        size: The largest share of the baseline's bytes that its file may take.
        may_fall: How much F1 may fall, as a fraction: the lower end of the interval counts.
        speedup: How many times faster than the learner's own baseline it has to be, by the lower end of the
            interval; None where speed decides only between those that meet the rest.
    """

    size: float = Field(0.25, gt=0, le=1)
    may_fall: float = Field(0.01, ge=0, le=1)
    speedup: float | None = Field(None, gt=0, le=1000)


class ClassSettings(Record):
    """What holds for everybody in a class.

    Attributes:
        title: Of the class.
        lessons: Names of the lessons that are handed out.
        language: In which the panels speak; None for that of the notebook.
        seed: Of splits and training, so that everybody starts from the same numbers; None for the usual one.
        hidden: Names of panels that are not shown.
        fixed: By technique: parameters that cannot be changed in its form, and their values.
        projector: Whether type is large and one panel is shown at a time.
        demands: Of the challenge.
        room: The folder in which what is handed in is gathered; relative to the file.
    """

    title: str = Field("", max_length=200)
    lessons: tuple[str, ...] = ()
    language: str | None = None
    seed: int | None = Field(None, ge=0, lt=2**31)
    hidden: frozenset[str] = frozenset()
    fixed: dict[str, dict[str, Any]] = Field(default_factory=dict)
    projector: bool = False
    demands: Demands = Demands()
    room: str | None = None

    @field_validator("language")
    @classmethod
    def _spoken(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"language must be one of {sorted(LANGUAGES)}. Received: {language!r}")
        return language

    @field_validator("fixed")
    @classmethod
    def _of_techniques(cls, fixed: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        known = techniques()
        for name, values in fixed.items():
            if name not in known:
                raise ValueError(f"there is no technique {name!r}")
            fields = known[name].parameters_type.model_fields
            for parameter, value in values.items():
                if parameter not in fields:
                    raise ValueError(f"{name} has no parameter {parameter!r}; it has {sorted(fields)}")
                known[name].parameters_type.__pydantic_validator__.validate_assignment(
                    known[name].parameters_type.model_construct(), parameter, value
                )
        return fixed


def read_settings(file: Path) -> ClassSettings:
    """What a teacher has fixed.

    Args:
        file: The file, or the folder that it lies in.

    Raises:
        InvalidInput: If it cannot be used, with the field that is wrong.
    """
    path = file / SETTINGS if file.is_dir() else file
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise _wrong(path, say("it is larger than {limit} kB", limit=_LARGEST_BYTES // 1000))
        return ClassSettings.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise _wrong(path, _first(error)) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(path, verbatim(str(error)[:200])) from error


def parse_settings(values: Mapping[str, Any]) -> ClassSettings:
    """Settings from what somebody has said.

    Raises:
        InvalidInput: With the field that is wrong.
    """
    try:
        return ClassSettings.model_validate(values)
    except ValidationError as error:
        raise InvalidInput(
            say("These are no settings of a class: {reason}.", reason=_first(error))
        ) from error


def find_settings(start: Path) -> Path | None:
    """The file that holds for a notebook: the one that ``WORKBENCH_CLASS`` names, else the nearest.

    Args:
        start: The folder of the notebook; looked for there and in the folders around it.
    """
    named = os.environ.get(CLASS_VARIABLE)
    if named:
        path = Path(named)
        return path / SETTINGS if path.is_dir() else path
    around = [start, *start.parents][: _FAR_UP + 1]
    return next((folder / SETTINGS for folder in around if (folder / SETTINGS).is_file()), None)


def _first(error: ValidationError) -> Text:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))[:80]
    return say("{where}: {reason}", where=where, reason=first["msg"].removeprefix("Value error, ")[:300])


def _wrong(file: Path, reason: Text) -> InvalidInput:
    return InvalidInput(say("{path} holds no settings of a class: {reason}.", path=str(file), reason=reason))
