"""Techniques as methods, and what was meant by a name that is not there."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from typing import Literal

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from pydantic import Field

from tests.techniques.test_registry import Nothing
from workbench import techniques
from workbench.api.errors import InvalidInput
from workbench.api.suggestions import meant
from workbench.api.technique import Parameters
from workbench.data.streams import Bounds
from workbench.engine.compatibility import parse_parameters
from workbench.engine.families import Quantization, Structure
from workbench.engine.sources import hand_over_data, hand_over_model
from workbench.engine.technique_calls import TechniqueCall

REPOSITORY = Path(__file__).parents[2]


class Asked:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.calls = []

    def __call__(self, *words, **parameters):
        self.calls.append((words, parameters))


def test_a_technique_is_a_method_with_its_parameters_and_says_what_they_mean():
    asked = Asked()
    int8 = Quantization(asked).int8
    parameters = inspect.signature(int8).parameters
    assert list(parameters)[:3] == ["parent", "again", "samples"]
    assert parameters["samples"].default == 200
    assert parameters["samples"].annotation is int
    assert parameters["io"].annotation == Literal["float32", "int8"]
    assert "Stores weights and activations in 8 bits" in int8.__doc__
    assert "In samples. At least 16. At most 10000." in int8.__doc__
    int8("pruned", samples=100)
    assert asked.calls == [(("quantization.int8", "pruned"), {"again": False, "samples": 100})]


def test_a_technique_of_a_notebook_is_there_at_once(monkeypatch):
    class Share(Parameters):
        share: float = Field(0.25, title="Share", description="How much.")

    class Mine(Nothing):
        """Does what I want."""

        name = "structure.mine"
        parameters_type = Share

    structure = Structure(Asked())
    assert "mine" not in dir(structure)
    monkeypatch.setattr(techniques._registry, "registered", {})
    techniques.register(Mine)
    assert "mine" in dir(structure)
    assert inspect.signature(structure.mine).parameters["share"].default == 0.25
    assert structure.mine.__doc__.startswith("Does what I want.")


@pytest.mark.parametrize("name", techniques.techniques())
def test_the_defaults_in_a_signature_are_those_that_are_taken(name):
    technique = techniques.technique(name)
    parameters = inspect.signature(TechniqueCall(technique, Asked())).parameters
    written = {key: one.default for key, one in parameters.items() if key not in ("parent", "again")}
    assert parse_parameters(technique, written) == parse_parameters(technique, {})


def test_jupyter_completes_techniques_and_parameters():
    shell = InteractiveShell.instance()
    shell.user_ns["quantization"] = Quantization(Asked())

    def completed(text):
        with provisionalcompleter():
            return {one.text for one in shell.Completer.completions(text, len(text))}

    assert {"int8", "int16x8", "int8_weights"} <= completed("quantization.i")
    assert "samples=" in completed("quantization.int8(sa")


def test_static_tools_know_every_technique_and_parameter():
    spec = importlib.util.spec_from_file_location("family_stubs", REPOSITORY / "scripts/family_stubs.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, content in script.stubs().items():
        assert (REPOSITORY / "workbench" / "engine" / name).read_text("utf-8") == content, "run make stubs"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("int8", "quantization.int8"),
        ("quantisation.int8", "quantization.int8"),
        ("quantization.INT8-weights", "quantization.int8_weights"),
        ("prunning", "structure.pruning"),
        ("weather", None),
        ("", None),
        (3, None),
    ],
)
def test_what_was_meant(name, expected):
    assert meant(name, techniques.techniques()) == expected


def test_a_wrong_name_is_answered_with_the_one_that_was_meant():
    with pytest.raises(InvalidInput, match=r"Did you mean quantization\.int8\? Choose one of: "):
        techniques.technique("int8")
    with pytest.raises(InvalidInput, match=r"Did you mean samples\? Its parameters are: "):
        parse_parameters(techniques.technique("quantization.int8"), {"sample": 100})
    with pytest.raises(AttributeError, match=r"Did you mean int8\? Choose one of: .*float16"):
        _ = Quantization(Asked()).int9
    with pytest.raises(InvalidInput, match=r"Did you mean dense-digits\? Name a file"):
        hand_over_model("dense_digit", Path())
    with pytest.raises(InvalidInput, match=r"Did you mean mnist-5k\? Name a file"):
        hand_over_data("mnist5k", Path(), None, None, Bounds(None, None))
