"""What is known of each format of model files."""

from typing import get_args

import pytest

from workbench.api.file_format import file_format
from workbench.api.variant import Format
from workbench.runtimes import runtime


@pytest.mark.parametrize("name", get_args(Format))
def test_a_format_is_run_where_its_files_are_read_and_keeps_the_suffix_that_a_name_has(name):
    known = file_format(name)
    assert known.name == name
    assert name in runtime(known.home_runtime).formats
    assert known.named("smaller") == "smaller" + known.suffix == known.named(known.named("smaller"))
    assert known.file_name == "model" + known.suffix
