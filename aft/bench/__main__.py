"""Measure one ``BenchConfig``, given as JSON, and write the report as JSON to standard output."""

import os
import sys
from typing import Final

from aft.config.bench import BenchConfig

ENVIRONMENT: Final = {
    # glibc returns large blocks to the system at once, and the page faults of taking them again would be measured.
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "268435456",
}
"""The worker's settings; both sides of every comparison run under them. Read by the C library as a process starts."""


def main(arguments: list[str]) -> int:
    """Start again with the right environment where it differs, then measure."""
    if len(arguments) != 1:
        sys.stderr.write("Give one configuration as JSON, or use `aft bench`.\n")
        return 2
    config = BenchConfig.model_validate_json(arguments[0])
    threads = {name: str(config.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    wanted = {**ENVIRONMENT, **threads}
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, "-m", "aft.bench", *arguments], {**os.environ, **wanted})
    import torch

    from aft.bench.measuring import MEASURES

    torch.set_num_threads(config.threads)
    try:
        report = MEASURES[config.name](config)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(report.as_json() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
