"""What `deploy/` schedules runs, and says 75 where another build is running."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support import PROJECT, Commands

DEPLOY = PROJECT / "deploy"
PLACE = "/srv/benchmart"


@pytest.fixture
def installed(small: Commands) -> Commands:
    """A home as `/srv/benchmart` would be: settings, a virtual environment, a published build."""
    (small.home / ".venv").symlink_to(Path(sys.executable).parent.parent)
    settings = {"raw": ["raw"], "metrics": ["throughput", "latency_ms"]}
    settings |= {"warehouse": "warehouse", "mlruns": "mlruns"}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
    (small.home / "benchmart.toml").write_text("".join(lines))
    return small


def run_in(home: Path, command: list[object], **environment: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENCHMART_")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=home,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def by_cron(home: Path) -> subprocess.CompletedProcess:
    """The command of the line, by the shell that the file names."""
    text = (DEPLOY / "benchmart.cron").read_text()
    settings: Mapping[str, str] = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    (command,) = re.findall(r"^(?:\S+ ){5}benchmart (.*)$", text, re.MULTILINE)
    return run_in(Path("/"), [settings["SHELL"], "-c", command], BENCHMART_HOME=str(home))


def by_systemd(home: Path) -> subprocess.CompletedProcess:
    """The command of the unit, in its directory."""
    text = (DEPLOY / "benchmart.service").read_text().replace(PLACE, str(home))
    unit = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))
    assert unit["SuccessExitStatus"] == "75"
    return run_in(Path(unit["WorkingDirectory"]), unit["ExecStart"].split())


def by_dagster(home: Path) -> subprocess.CompletedProcess:
    pytest.importorskip("dagster_dbt")
    (home / "dagster").mkdir(exist_ok=True)
    shutil.copy(DEPLOY / "dagster.yaml", home / "dagster")
    program = [sys.executable, DEPLOY / "dagster_definitions.py"]
    return run_in(home, program, DAGSTER_HOME=str(home / "dagster"))


@pytest.mark.parametrize("scheduled", [by_cron, by_systemd, by_dagster])
def test_a_scheduled_build_runs_and_gives_way_to_another(
    installed: Commands, scheduled: Callable[[Path], subprocess.CompletedProcess]
):
    published = installed.current
    done = scheduled(installed.home)
    assert done.returncode == 0, done.stderr
    if scheduled is not by_dagster:
        assert f"nothing changed since build {published.name}" in done.stderr
    with FileLock(installed.warehouse / "build.lock", mode=0o600):
        done = scheduled(installed.home)
    assert done.returncode == 75, done.stderr
    assert "another build is running" in done.stderr


def test_units_are_valid_and_sandboxed(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not there")
    for name in ("benchmart.service", "benchmart.timer"):
        text = (DEPLOY / name).read_text()
        assert f"{PLACE}/.venv/bin/benchmart build" in text or name == "benchmart.timer"
        changed = text.replace(f"{PLACE}/.venv/bin/benchmart", "/bin/true")
        (tmp_path / name).write_text(changed)
    units = [str(tmp_path / name) for name in ("benchmart.service", "benchmart.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
