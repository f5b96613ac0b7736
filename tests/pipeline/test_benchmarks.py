"""Benchmarks that call what builds are made of: they run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import PROJECT

STAGES = ["features", "columns", "quantiles", "tests chosen", "scores"]


@pytest.mark.slow
def test_stages_are_measured_in_both_ways(shared_data, tmp_path):
    script = PROJECT / "benchmarks" / "speed.py"
    command = [sys.executable, script, "--sizes", "1000", "--repeats", "1", "--stages", *STAGES]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 6
