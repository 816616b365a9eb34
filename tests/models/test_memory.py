"""What cannot fit in memory is refused before it starts, with the numbers."""

import sys

import psutil
import pytest

from tests import small_models
from workbench.api.errors import Refused
from workbench.api.text import say
from workbench.jobs.limits import Limits
from workbench.models.converting.conversion import to_onnx, to_tflite
from workbench.models.converting.memory import free_bytes, require_memory


def test_what_fits_is_let_through_and_what_does_not_is_told_with_both_numbers():
    free = free_bytes()
    assert 0 < free <= psutil.virtual_memory().total
    require_memory(0.1 * free, say("The conversion to ONNX"))
    with pytest.raises(Refused) as refused:
        require_memory(5000 * 2**30, say("The conversion to ONNX"))
    problem = str(refused.value.problem)
    assert problem.startswith("The conversion to ONNX would take about 5000.0 GiB of memory, and ")
    assert problem.endswith(" GiB are free.")


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_a_limit_of_the_process_counts(tmp_path):
    model = small_models.build("dense")
    allowance = 64 << 20
    with Limits(address_space_bytes=allowance).applied():
        assert free_bytes() <= allowance
        with pytest.raises(Refused, match=r"to ONNX would take about 0\.2 GiB"):
            to_onnx(model, tmp_path / "model.onnx")
        with pytest.raises(Refused, match=r"to LiteRT would take about 0\.2 GiB"):
            to_tflite(model, tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())
