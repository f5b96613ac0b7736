"""Builds that are killed, at every move of publishing and all along, while analysts read."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.attempt import last_attempt
from pipelines.models import relocate
from pipelines.warehouse import Warehouse
from tests.faults.killed import Killer
from tests.support import PROJECT, Commands, bundled_rows, write_csv

FAULTS = Path(__file__).parent
READERS = 2
POINTS = 24


@contextlib.contextmanager
def analysts(warehouse: Path, stop: Path) -> Iterator[None]:
    """Read all the while; nothing that was read may be wrong."""
    command = [sys.executable, FAULTS / "reader.py", warehouse, stop]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    try:
        yield
    finally:
        stop.touch()
        read = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    for found in read:
        assert found["reads"] > POINTS
        assert (found["errors"], found["mixed"]) == ([], [])


def publish_killed(warehouse: Warehouse, source: Path, point: int) -> bool:
    """Stage a copy of a build and publish it, in a process that is killed; whether it was."""
    child = os.fork()
    if child == 0:
        killer = Killer(0, warehouse.root)
        with warehouse.locked():
            staging = warehouse.stage()
            shutil.copytree(source, staging, dirs_exist_ok=True, copy_function=os.link)
            killer.moves, killer.point = 0, point
            warehouse.publish(staging, keep=2)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_publishing_is_killed_at_each_of_its_moves(published: Commands, tmp_path):
    warehouse, source = Warehouse(tmp_path / "warehouse"), published.current
    for _ in range(2):
        assert not publish_killed(warehouse, source, 0)
    survived, seen = 0, {warehouse.published.name}
    with analysts(warehouse.root, tmp_path / "stop"):
        for point in range(1, 1000):
            if not publish_killed(warehouse, source, point):
                break
            survived += 1
            current = warehouse.published
            assert current is not None
            assert {path.name for path in current.rglob("*")} == {
                path.name for path in source.rglob("*")
            }
            seen.add(current.name)
    assert survived >= 20
    assert 1 < len(seen) <= survived
    assert not list(warehouse.builds.glob("*.staging"))
    assert len(warehouse.finished()) == 2


@pytest.mark.slow
def test_builds_are_killed_all_along(small: Commands):
    first = small.current
    write_csv(small.home / "raw" / "more.csv", list(bundled_rows(model_name="vit-tiny")))
    other = small.home / "other"
    shutil.copytree(small.home / "warehouse", other / "warehouse", symlinks=True)
    shutil.copytree(small.home / "raw", other / "raw")
    shutil.copytree(small.home / "mlruns", other / "mlruns")
    relocate(other / "mlruns")
    counted = build_killed(Commands(other, small.environment), 0)
    assert counted.returncode == 0, counted.stderr
    moves = int(re.search(r"moves: (\d+)", counted.stderr)[1])
    assert moves > POINTS
    stages = set()
    with analysts(small.warehouse, small.home / "stop"):
        for number in range(POINTS):
            done = build_killed(small, 1 + number * (moves - 1) // POINTS)
            assert done.returncode == -signal.SIGKILL, done.stderr
            assert small.current == first
            if attempt := last_attempt(Warehouse(small.warehouse)):
                assert attempt.state == "killed"
                assert "was killed in stage" in small.succeed("status").stdout
                stages.add(attempt.stage)
        small.build()
    assert len(stages) >= 4
    assert small.current != first
    assert last_attempt(Warehouse(small.warehouse)) is None
    assert len(small.query("select distinct model_name from analytics.measurements")) == 2


@pytest.mark.slow
def test_recording_is_killed_and_done_again(small: Commands):
    results = write_csv(small.home / "night.csv", list(bundled_rows(model_name="vit-tiny"))[:12])
    before = small.current
    for point in (2, 8, 20, 40, 60, 80):
        program = (sys.executable, FAULTS / "killed.py", point, small.warehouse)
        done = small.run("record", results, program=program, PYTHONPATH=str(PROJECT))
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert small.current == before
    assert "12 results: " in small.succeed("record", results).stdout
    assert "recorded before" in small.succeed("record", results).stdout
    brought = "select count(*) as n from analytics.measurements where file like 'recorded/night%'"
    assert small.query(brought)["n"].item() > 12
    assert len(list((small.warehouse / "recorded").iterdir())) == 1


def build_killed(commands: Commands, point: int) -> subprocess.CompletedProcess:
    program = (sys.executable, FAULTS / "killed.py", point, commands.warehouse)
    raw = commands.home / "raw"
    return commands.run("build", "--raw", raw, program=program, PYTHONPATH=str(PROJECT))


def test_of_two_builds_at_once_one_waits_for_another_day(small: Commands):
    write_csv(small.home / "raw" / "more.csv", list(bundled_rows(model_name="vit-tiny")))
    first = small.start("build", "--raw", small.home / "raw")
    for line in first.stderr:
        if "landing:" in line:
            break
    second = small.run("build", "--raw", small.home / "raw")
    assert second.returncode == 75
    assert second.stderr.strip() == f"benchmart: {small.warehouse}: another build is running"
    assert "a build is running since" in small.succeed("status").stdout
    first.kill()
    first.communicate()
    assert "was killed in stage" in small.succeed("status").stdout
