"""The base of every immutable record that crosses a process or is written to disk."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value with typed fields; unknown fields are an error.

    Records are written as JSON into the store and sent between processes, so every field must
    survive ``model_dump(mode="json")`` and ``model_validate``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
