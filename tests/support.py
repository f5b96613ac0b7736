"""The command as a user runs it, and rows of the bundled measurements."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from pipelines.measure.runner import NEEDED
from pipelines.published import connect_published

PROJECT = Path(__file__).resolve().parents[1]
BUNDLED = PROJECT / "raw" / "benchmart"
ONE_MACHINE = "amd-epyc-genoa.csv"  # of several that are bundled
needs_torch = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED),
    reason="the extra `measure` is not installed",
)
DEADLINE = 120  # seconds until a test gives up
COMMAND = Path(sys.executable).with_name("benchmart")


@dataclass
class Commands:
    """Runs `benchmart` in a directory of its own, as a user would."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse"

    @property
    def current(self) -> Path:
        """Directory of the published build."""
        return (self.warehouse / "current").resolve()

    def build(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
        """Build from `raw/` of the home."""
        return self.succeed("build", "--raw", self.home / "raw", *arguments, **environment)

    def start(
        self, *arguments: object, program: Sequence[object] = (COMMAND,), **environment: str
    ) -> subprocess.Popen:
        """Start the command, or another program in its place."""
        command = [*map(str, program), *map(str, arguments)]
        settings = {
            "BENCHMART_WAREHOUSE": str(self.warehouse),
            "BENCHMART_MLRUNS": str(self.home / "mlruns"),
            "BENCHMART_REPORT": "false",  # takes seconds; tests of it ask for it
            **self.environment,
            **environment,
        }
        return subprocess.Popen(
            command,
            cwd=self.home,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: object, timeout: float = 600, **options: object
    ) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def succeed(self, *arguments: object, **options: object) -> subprocess.CompletedProcess:
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done

    def refused(self, *arguments: object, exit_code: int = 2, **options: object) -> str:
        """The one line that a bad request is answered with, or what cannot be done."""
        done = self.run(*arguments, **options)
        lines = done.stderr.strip().splitlines()
        assert done.returncode == exit_code, done.stderr
        assert lines[-1].startswith("benchmart: ")
        assert "Traceback" not in done.stderr
        return lines[-1]

    def query(self, sql: str) -> pd.DataFrame:
        with connect_published(self.warehouse) as con:
            return con.sql(sql).df()


def wait_for(ready: Callable[[], object]) -> object:
    """What a condition gives once it holds."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def bundled_rows(**wanted: str) -> Iterator[dict[str, str]]:
    """Bundled measurements of one machine whose columns have the wanted values."""
    for row in _rows_of(ONE_MACHINE):
        if all(row[name] == value for name, value in wanted.items()):
            yield row


def all_bundled_rows() -> Iterator[dict[str, str]]:
    """Bundled measurements of all machines."""
    for path in sorted(BUNDLED.glob("amd-*.csv")):
        yield from _rows_of(path.name)


def _rows_of(name: str) -> Iterator[dict[str, str]]:
    with (BUNDLED / name).open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
