"""What a full disk, a read-only or damaged warehouse and an unusable MLflow do to builds and readers."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from pipelines.attempt import last_attempt
from pipelines.warehouse import Warehouse
from tests.support import COMMAND, Commands, bundled_rows, write_csv

SETPRIV = shutil.which("setpriv")


@pytest.fixture
def changed(small: Commands) -> Commands:
    """A published build, and a raw file that it does not know yet."""
    write_csv(small.home / "raw" / "more.csv", list(bundled_rows(model_name="vit-tiny"))[:20])
    return small


def failing_build(commands: Commands, **options: object) -> str:
    """The line of a build that fails and leaves what is published as it was."""
    before = commands.current
    line = commands.refused("build", "--raw", commands.home / "raw", exit_code=1, **options)
    assert commands.current == before
    assert commands.query("select count(*) as n from analytics.measurements")["n"].item() > 0
    return line


@pytest.mark.parametrize("kib", [pytest.param(64, marks=pytest.mark.slow), 2048])
def test_a_full_disk(changed: Commands, kib):
    limited = ("bash", "-c", f'ulimit -f {kib}; exec "$0" "$@"', COMMAND)
    line = failing_build(changed, program=limited)
    assert "File too large" in line
    assert last_attempt(Warehouse(changed.warehouse)).error in line


@pytest.mark.skipif(SETPRIV is None, reason="setpriv is not there")
def test_a_read_only_warehouse(changed: Commands):
    for folder in (changed.warehouse, changed.warehouse / "builds"):
        folder.chmod(0o555)
    plain = (SETPRIV, "--bounding-set", "-dac_override,-dac_read_search", COMMAND)
    program = plain if os.geteuid() == 0 else (COMMAND,)
    try:
        assert "Permission denied" in failing_build(changed, program=program)
        assert "Next 5 tests" in changed.succeed("status", program=program).stdout
    finally:
        for folder in (changed.warehouse, changed.warehouse / "builds"):
            folder.chmod(0o755)


def test_a_locked_mlflow_database(changed: Commands):
    with sqlite3.connect(changed.home / "mlruns" / "mlflow.db", isolation_level=None) as con:
        con.execute("begin exclusive")
        line = failing_build(changed)
        con.execute("rollback")
    assert line == f"benchmart: MLflow in {changed.home / 'mlruns'}: database is locked"


@pytest.mark.slow
def test_aliases_that_mlflow_does_not_take_are_a_warning(changed: Commands):
    """What is published does not depend on them."""
    first = changed.current
    changed.build()
    with sqlite3.connect(changed.home / "mlruns" / "mlflow.db", isolation_level=None) as con:
        con.execute("begin exclusive")
        said = changed.succeed("rollback").stderr
        con.execute("rollback")
    assert "warning: the aliases in MLflow are as they were: MLflow in " in said
    assert "database is locked" in said
    assert changed.current == first


def test_an_mlflow_database_of_an_older_schema(changed: Commands):
    with sqlite3.connect(changed.home / "mlruns" / "mlflow.db") as con:
        con.execute("update alembic_version set version_num = '451aebb31d03'")
    line = failing_build(changed)
    assert "its database is of another version of MLflow; keep a copy of it, then run" in line
    assert f"mlflow db upgrade sqlite:///{changed.home / 'mlruns'}/mlflow.db" in line


@pytest.mark.slow
def test_a_garbled_mlflow_database(changed: Commands):
    (changed.home / "mlruns" / "mlflow.db").write_bytes(b"no database" * 1000)
    assert "file is not a database" in failing_build(changed)


@pytest.mark.slow
def test_without_its_mlflow_database_a_build_starts_another(changed: Commands):
    shutil.rmtree(changed.home / "mlruns")
    before = changed.current
    changed.build()
    assert changed.current != before
    assert (changed.home / "mlruns" / "mlflow.db").is_file()
    # versions are counted anew: no prediction is another model's of the same number
    predicted = "select metric, config_id, p05, p50, p95 from ml.predictions order by all"
    found = changed.query(predicted)
    changed.build("--full-refresh")
    pd.testing.assert_frame_equal(changed.query(predicted), found, rtol=1e-9)


def damaged(warehouse: Path) -> Iterator[Path]:
    """The published database, for the time of the damage writable."""
    database = (warehouse / "current" / "benchmart.duckdb").resolve()
    database.chmod(0o644)
    yield database
    database.chmod(0o444)


def overwrite_middle(warehouse: Path) -> None:
    for database in damaged(warehouse):
        with database.open("r+b") as handle:
            handle.seek(4096)
            handle.write(b"\xff" * (database.stat().st_size - 8192))


def truncate(warehouse: Path) -> None:
    for database in damaged(warehouse):
        os.truncate(database, database.stat().st_size // 2)


def empty(warehouse: Path) -> None:
    for database in damaged(warehouse):
        database.write_bytes(b"")


@pytest.mark.parametrize("damage", [overwrite_middle, truncate, empty])
def test_a_damaged_database_is_named(published: Commands, tmp_path, damage):
    shutil.copytree(published.warehouse, tmp_path / "warehouse", symlinks=True)
    commands = Commands(tmp_path)
    damage(commands.warehouse)
    for request in (["status"], ["integrate"], ["hardware", "--model", "bert-mini"]):
        line = commands.refused(*request, exit_code=1)
        assert line.startswith("benchmart: database: ")


@pytest.mark.slow
def test_a_damaged_database_is_built_anew(small: Commands):
    overwrite_middle(small.warehouse)
    done = small.build()
    assert "benchmart.duckdb is not what was published; " in done.stderr
    assert "building from the raw files alone" in done.stderr
    assert "Next 5 tests" in small.succeed("status").stdout


def test_what_else_lies_in_a_warehouse_does_no_harm(published: Commands, tmp_path):
    """A stale write-ahead log, a dangling link and leftovers of killed processes."""
    shutil.copytree(published.warehouse, tmp_path / "warehouse", symlinks=True)
    commands = Commands(tmp_path)
    log = commands.current / "benchmart.duckdb.wal"
    log.write_bytes(b"\x00stale" * 100)
    (commands.warehouse / "current.new").symlink_to("builds/never")
    (commands.warehouse / ".attempt.json.part").write_text("{")
    (commands.warehouse / "builds" / "20200101T000000.000000.staging").mkdir()
    assert "Next 5 tests" in commands.succeed("status").stdout
    assert log.exists()
    (commands.warehouse / "pins.json").write_text('["throughput"]')
    said = commands.refused("models", "compare")
    assert said.endswith(
        "pins.json: expected versions by metric; remove it to let builds choose again"
    )
    manifest = commands.current / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text("[]")
    (commands.warehouse / "rolled_back.json").write_text("[[]]")
    assert "Next 5 tests" in commands.succeed("status").stdout
    (commands.warehouse / "current").unlink()
    (commands.warehouse / "current").symlink_to("builds/gone")
    assert "no published build here" in commands.refused("status")


def test_a_clock_that_was_set_back(small: Commands, tmp_path):
    """The newest build is the newest also where its name says that it is of a later year."""
    warehouse, future = Warehouse(small.warehouse), "29991231T235959.000000"
    small.current.rename(warehouse.builds / future)
    warehouse._point_to(warehouse.builds / future)
    staging = warehouse.stage()
    assert staging.name > future
    shutil.copy(warehouse.current / "benchmart.duckdb", staging)
    build = warehouse.publish(staging, keep=1)
    assert warehouse.finished() == [build]


@pytest.mark.skipif(
    os.geteuid() != 0 or SETPRIV is None, reason="needs root to become another user"
)
def test_readers_without_permission_to_write_can_read_all_and_change_nothing(
    published: Commands, tmp_path_factory
):
    place = Path("/tmp") / tmp_path_factory.mktemp("analysts").name
    shutil.copytree(published.warehouse, place, symlinks=True)
    place.chmod(0o755)
    analyst = (SETPRIV, "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable)
    if subprocess.run([*analyst, "-c", "import duckdb"], cwd="/").returncode:
        shutil.rmtree(place)
        pytest.skip("another user cannot run this Python")
    try:
        done = subprocess.run(
            [*analyst, Path(__file__).with_name("analyst.py"), place],
            capture_output=True,
            text=True,
            cwd="/",
            env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]},
        )
        assert done.returncode == 0, done.stderr
        tables, refused = done.stdout.split()
        assert int(tables) > 40 and int(refused) == 6
    finally:
        shutil.rmtree(place)
