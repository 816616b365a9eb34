"""``python -m tests.benchmarks [NAME ...]``: all of them by default."""

from __future__ import annotations

import sys
from importlib import import_module

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
    "drift",
    "lessons",
)


def main(names: list[str]) -> None:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}.")
    for name in names or BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        import_module(f"tests.benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
