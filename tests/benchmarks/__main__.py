"""``python -m tests.benchmarks [NAME ...] [--write]``: all of them by default; to keep what they print."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib import import_module

from tests.benchmarks.written import Tee, write

BENCHMARKS = (
    "shown_lines",
    "start",
    "training",
    "page",
    "fashion",
    "distillation",
    "qat",
    "architectures",
    "peers",
    "tutorial",
    "macs",
    "coverage",
    "memory",
    "data_size",
    "narrowing",
    "what_opens",
    "minilm",
    "advisor",
    "predicted",
    "processor",
    "room",
    "inside",
    "graph",
    "drift",
    "lessons",
)


def main(arguments: list[str]) -> None:
    keep = "--write" in arguments
    names = [one for one in arguments if one != "--write"]
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}.")
    for name in names or BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        benchmark = import_module(f"tests.benchmarks.{name}")
        printed = Tee(sys.stdout)
        with redirect_stdout(printed):
            benchmark.main()
        if keep:
            title = (benchmark.__doc__ or name).partition("\n")[0].rstrip(".")
            print(f"  written into {write(name, title, printed.kept)}")


if __name__ == "__main__":
    main(sys.argv[1:])
