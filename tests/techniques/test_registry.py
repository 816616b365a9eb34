import subprocess
import sys
from typing import Generic, TypeVar, get_args

import pytest

from workbench import techniques
from workbench.api import discovery
from workbench.api.errors import InvalidInput
from workbench.api.technique import FAMILIES, Aim, Estimate, Parameters, Technique
from workbench.api.text import say

P = TypeVar("P", bound=Parameters)

OURS = {
    "inference.runtime",
    "quantization.float16",
    "quantization.dynamic_range",
    "quantization.int8",
    "quantization.int16x8",
}


class Nothing(Technique[Parameters]):
    """Leaves the model as it is."""

    name = "structure.nothing"
    title = "Nothing"
    produces = None

    def obstacle(self, variant, dataset, parameters):
        return None

    def estimate(self, variant, dataset, parameters):
        return Estimate(seconds=0, expectation=say("Nothing happens."))

    def apply(self, context, parameters):
        raise NotImplementedError

    def code(self, variant, parameters, paths):
        return ""


@pytest.fixture
def clean(monkeypatch):
    monkeypatch.setattr(techniques._registry, "registered", {})


def test_every_file_is_found_in_the_order_of_the_families():
    found = techniques.techniques()
    assert set(found) >= OURS
    families = [FAMILIES.index(item.family) for item in found.values()]
    assert families == sorted(families)
    assert techniques.broken() == {}
    for name, item in found.items():
        assert item.name == name
        assert name.startswith(item.family + ".")
        assert item.title
        assert type(item).__doc__
        item.parameters_type()  # every parameter has a default


def test_every_technique_declares_what_it_is_for_and_whether_it_trains():
    for item in techniques.techniques().values():
        declared = {name for base in type(item).__mro__ if base is not Technique for name in vars(base)}
        assert {"aims", "trains"} <= declared, item.name
        assert item.aims, item.name
        assert item.aims <= set(get_args(Aim)), item.name
        assert item.trains == ("epochs" in item.parameters_type.model_fields), item.name


def test_the_family_is_in_the_name_and_the_parameter_model_in_the_base():
    class Halved(Parameters):
        pass

    class Between(Nothing, Generic[P]):
        pass

    class Own(Between[Halved]):
        name = "quantization.own"

    class Declared(Technique[Halved]):
        name = "training.declared"
        parameters_type = Parameters

    assert (Nothing.family, Nothing.parameters_type) == ("structure", Parameters)
    assert (Own.family, Own.parameters_type) == ("quantization", Halved)
    assert (Declared.family, Declared.parameters_type) == ("training", Parameters)


def test_one_is_added_while_running(clean):
    assert "structure.nothing" not in techniques.techniques()
    techniques.register(Nothing)
    assert isinstance(techniques.technique("structure.nothing"), Nothing)
    assert "structure.nothing" in techniques.techniques()
    techniques.unregister("structure.nothing")
    assert "structure.nothing" not in techniques.techniques()


def test_a_name_outside_the_families_is_refused(clean):
    class Odd(Nothing):
        name = "elsewhere.nothing"

    with pytest.raises(ValueError, match="family"):
        techniques.register(Odd)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InvalidInput, match=r"quantization\.int8"):
        techniques.technique("quantization.int7")


def test_entry_points_add_and_broken_ones_are_reported(monkeypatch):
    class Point:
        def __init__(self, name, value, load):
            self.name, self.value, self.load = name, value, load

    def fail():
        raise ImportError("no module named gone")

    points = [
        Point("good", "pack:Nothing", lambda: Nothing),
        Point("gone", "pack:Gone", fail),
        Point("odd", "pack:odd", lambda: 3),
    ]
    monkeypatch.setattr(discovery, "entry_points", lambda group: points)
    found, broken = discovery.classes_of_entry_points("workbench.techniques", Technique)
    assert found == [Nothing]
    assert set(broken) == {"gone", "odd"}
    assert "no module named gone" in str(broken["gone"])


def test_a_file_in_a_family_folder_is_enough(tmp_path, monkeypatch):
    package = tmp_path / "techpack"
    (package / "structure").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "structure" / "copy.py").write_text(
        "from workbench.api.technique import Technique\n"
        "class Copy(Technique):\n"
        "    name = 'structure.copy'\n"
        "    def obstacle(self, variant, dataset, parameters): return None\n"
        "    def estimate(self, variant, dataset, parameters): raise NotImplementedError\n"
        "    def apply(self, context, parameters): raise NotImplementedError\n"
        "    def code(self, variant, parameters, paths): return ''\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import techpack

    assert [item.name for item in discovery.classes_below(techpack, Technique)] == ["structure.copy"]


def test_listing_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from workbench.techniques import techniques\n"
        "for item in techniques().values():\n"
        "    item.unavailable(); item.parameters_type.model_json_schema()\n"
        "heavy = {'tensorflow', 'keras', 'onnx', 'onnxruntime', 'openvino', 'nncf', 'sklearn', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
