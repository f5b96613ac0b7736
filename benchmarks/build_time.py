"""What commands take as whole processes: CPU seconds, wall time and peak memory.

    python benchmarks/build_time.py [--rounds 3]

Every round starts from an empty directory and builds the bundled measurements: all but 60 of them, the
same again, 60 more, and everything afresh; beside them `--help` and `status`. Prints the median over
rounds with the smallest and the largest CPU time. How fast the machine was meanwhile says a loop of ten
million additions.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

# little is loaded here: a process counts the peak of the one that starts it as its own
from apart import memory_of
from bundled import COMMAND, environment, write_rows

HELD_BACK = 60
LOOP = [sys.executable, "-c", "x = 0\nfor i in range(10_000_000): x += i"]


class Cost(NamedTuple):
    """What a process took: seconds, seconds, MiB."""

    cpu: float
    wall: float
    peak: float


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    costs: defaultdict[str, list[Cost]] = defaultdict(list)
    for number in range(rounds):
        for name, cost in one_round():
            print(f"round {number + 1}: {name}: {cost.cpu:.1f} CPU s", file=sys.stderr)
            costs[name].append(cost)
    print("| command | CPU s | wall s | peak MiB |\n|---|---|---|---|")
    for name, found in costs.items():
        cpu, wall, peak = zip(*found, strict=True)
        spread = f"{median(cpu):.2f} ({min(cpu):.2f} to {max(cpu):.2f})"
        print(f"| {name} | {spread} | {median(wall):.2f} | {median(peak):.0f} |")


def one_round() -> list[tuple[str, Cost]]:
    """Every command once, on a warehouse of its own."""
    with TemporaryDirectory() as folder:
        home = Path(folder)

        def benchmart(*arguments: str) -> Cost:
            return timed([COMMAND, *arguments], home)

        write_rows(home, held_back=HELD_BACK)
        found = [("ten million additions", timed(LOOP, home)), ("--help", benchmart("--help"))]
        found.append(("build, the first", benchmart("build")))
        found.append(("build, nothing changed", benchmart("build")))
        write_rows(home, held_back=0)
        found.append((f"build, {HELD_BACK} rows more", benchmart("build")))
        found.append(("build --full-refresh", benchmart("build", "--full-refresh")))
        found.append(("status", benchmart("status")))
        return found


def timed(command: list, home: Path) -> Cost:
    """Run a command; its children count, also their memory beside its own."""
    started = time.perf_counter()
    with (home / "stderr").open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    with memory_of(process.pid) as sampled:
        _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"{command}: {(home / 'stderr').read_text()}")
    return Cost(used.ru_utime + used.ru_stime, wall, max(used.ru_maxrss / 1024, *sampled))


if __name__ == "__main__":
    main()
