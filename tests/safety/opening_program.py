"""Opens each file named on the command line, and writes one line of JSON on each."""

import json
import sys
import tempfile
import warnings
from pathlib import Path

from tests.safety.hostile import Quiet, leftovers
from workbench.api.errors import WorkbenchError
from workbench.jobs.child_process import limit_this_process
from workbench.models.intake.intake import open_model


def line(path):
    with tempfile.TemporaryDirectory() as folder:
        try:
            open_model(Quiet(), Path(path), Path(folder))
        except WorkbenchError as error:
            return {"outcome": "error", "words": str(error), "left": leftovers(folder)}
        except BaseException as error:
            return {"outcome": "escaped", "words": repr(error), "left": leftovers(folder)}
        return {"outcome": "fine", "words": "", "left": []}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in limit_this_process(sys.argv[1:]):
        sys.stdout.write(json.dumps(line(name)) + "\n")
        sys.stdout.flush()
