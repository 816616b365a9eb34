"""Errors travel from one process to another as JSON."""

import json

import pytest

from workbench.api.errors import (
    InvalidInput,
    JobFailed,
    Refused,
    TensorFlowCrashed,
    Unavailable,
    error_from_json,
)
from workbench.api.text import say

FILE = say("{name} is damaged.", name="a.onnx")


@pytest.mark.parametrize("kind", [InvalidInput, Refused, Unavailable, JobFailed, TensorFlowCrashed])
@pytest.mark.parametrize("action", [None, say("Save it again.")])
def test_what_arrives_is_what_was_raised(kind, action):
    arrived = error_from_json(json.loads(json.dumps(kind(FILE, action).as_json())))
    assert (type(arrived), arrived.problem, arrived.action) == (kind, FILE, action)


def test_a_kind_that_is_not_known_is_a_failure():
    assert type(error_from_json(InvalidInput(FILE).as_json() | {"kind": "Exception"})) is JobFailed
