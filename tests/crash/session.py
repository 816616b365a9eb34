"""A session that makes variants until it is killed: run as a process by the crash tests.

``python -m tests.crash.session FOLDER`` prints one line for every variant that it was told is
stored, so that the test knows what must still be there.
"""

from __future__ import annotations

import sys

from workbench import Workbench

TECHNIQUES = ("quantization.float16", "quantization.dynamic_range", "inference.runtime")


def main() -> None:
    workbench = Workbench(sys.argv[1])
    told: set[str] = set()

    def tell(_: object) -> None:
        for variant in workbench.variants:
            if variant.id not in told:
                told.add(variant.id)
                print(f"stored {variant.id} {variant.sha256}", flush=True)

    workbench.observe(tell)
    if workbench.baseline is None:
        workbench.open("dense-digits", "digits").wait()
    print("open", flush=True)
    number = 0
    while True:
        job = workbench.apply(TECHNIQUES[number % len(TECHNIQUES)], again=True)
        number += 1
        try:
            job.wait()
        except Exception as error:
            print(f"failed {job.state.status} {error}", flush=True)


if __name__ == "__main__":
    main()
