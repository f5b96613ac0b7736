"""A home with the bundled measurements, for benchmarks that run the command. Loads nothing large."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from pathlib import Path

COMMAND = Path(sys.executable).with_name("benchmart")
BUNDLED = Path(__file__).parents[1] / "raw" / "benchmart"
ONE_MACHINE = BUNDLED / "amd-epyc-genoa.csv"


def environment(home: Path) -> dict[str, str]:
    """Variables under which the command keeps everything in a home."""
    places = {"WAREHOUSE": "warehouse", "MLRUNS": "mlruns", "RAW": "raw"}
    return os.environ | {f"BENCHMART_{name}": str(home / place) for name, place in places.items()}


def write_rows(home: Path, held_back: int) -> None:
    """Write the bundled measurements to `raw/` of a home, without the last ones."""
    raw = home / "raw" / "benchmart"
    raw.mkdir(parents=True, exist_ok=True)
    for path in BUNDLED.glob("*.csv"):
        shutil.copy(path, raw)
    with ONE_MACHINE.open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    with (raw / ONE_MACHINE.name).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *rows[: len(rows) - held_back]])
