"""What a message tells the reader to do exists where it says."""

import inspect

import pytest

from widgets.panels.top_bar import TopBar
from workbench import Workbench
from workbench.api.errors import InvalidInput
from workbench.cli.measure import command as measure
from workbench.cli.run import command as run
from workbench.data.options import names_in, reading_options
from workbench.data.where import COMMAND_LINE, PAGE, Choice, where


@pytest.mark.parametrize("choice", Choice.__args__)
def test_a_choice_is_made_where_it_is_said_to_be(choice, tmp_path):
    assert choice in inspect.signature(Workbench.open).parameters
    assert f"{choice}=... in Python" in str(where(choice))
    if choice in COMMAND_LINE:
        for command in (run, measure):
            assert COMMAND_LINE[choice] in [name for option in command.params for name in option.opts]
    if choice in PAGE:
        with Workbench(tmp_path / "w") as workbench:
            assert str(PAGE[choice]) in TopBar(workbench).view()["labels"].values()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"test_fraction": 0}, "test_fraction is 0. It is a number above 0 and below 1: a share of the "
         "training samples."),
        ({"validation_fraction": "0.2"}, "validation_fraction is '0.2'. It is a number above 0 and below 1: "
         "a share of the training samples."),
        ({"limit_gib": -1}, "limit_gib is -1. It is a number above 0."),
        ({"classes": "a,b"}, "The names of the classes came as str. Give a list of names in the order of the "
         "model's outputs."),
    ],
)  # fmt: skip
def test_options_of_no_use_are_refused_before_any_work(options, text):
    usual = inspect.signature(reading_options).parameters
    with pytest.raises(InvalidInput) as caught:
        reading_options(**(dict.fromkeys(usual) | options))
    assert str(caught.value) == text


def test_names_are_separated_by_commas():
    assert names_in("cat, dog ,eel,") == ["cat", "dog", "eel"]
    assert names_in("") is None
    assert names_in(3) is None
