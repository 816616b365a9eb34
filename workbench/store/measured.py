"""What a measurement is before it is stored."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.api.records import Record


@dataclass(frozen=True)
class Measured:
    """Something that was found out about variants.

    Attributes:
        kind: Such as ``latency``.
        record: The measurement.
        environment: Identifier of the machine's environment.
        arrays: Raw samples or predictions, kept with it.
    """

    kind: str
    record: Record
    environment: str | None = None
    arrays: Mapping[str, npt.NDArray[np.generic]] | None = None

    def row(self, variant: str) -> tuple[str, str, str, bytes | None, str | None]:
        """Its row in the table of measurements, under one variant."""
        packed = None
        if self.arrays is not None:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, allow_pickle=False, **dict(self.arrays))
            packed = buffer.getvalue()
        return self.kind, variant, self.record.model_dump_json(), packed, self.environment


@dataclass(frozen=True)
class Stored:
    """A measurement as it lies in a store: what is handed on is not read and written again.

    Attributes:
        kind: Such as ``latency``.
        record: The measurement, as JSON.
        arrays: Raw samples or predictions, packed.
        environment: Identifier of the machine's environment.
    """

    kind: str
    record: str
    arrays: bytes | None = None
    environment: str | None = None

    def row(self, variant: str) -> tuple[str, str, str, bytes | None, str | None]:
        """Its row in the table of measurements, under one variant."""
        return self.kind, variant, self.record, self.arrays, self.environment
