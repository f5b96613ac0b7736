"""The gate before publishing, what a build says of itself, status and rollback."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import duckdb
import pytest

from pipelines.attempt import ATTEMPT, Journal, last_attempt
from pipelines.build_row import git_commit
from pipelines.errors import BenchmartError, InputError
from pipelines.gate import audit
from pipelines.published import why_damaged
from pipelines.settings import Gate
from pipelines.warehouse import Warehouse
from tests.support import BUNDLED, Commands, write_csv


def test_lost_measurements_are_published_only_if_that_is_meant_and_can_be_taken_back(
    small: Commands,
):
    first, runs = small.current, small.home / "raw" / "benchmart" / "runs.csv"
    with runs.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    write_csv(runs, rows[: len(rows) // 2])

    refused = small.run("build", "--raw", small.home / "raw")
    assert refused.returncode == 1
    last = refused.stderr.strip().splitlines()[-1]
    lost = f"benchmart: {len(rows) // 2} measurements, {len(rows)} in the published build"
    assert lost in last and "--accept-shrinkage" in last
    (staging,) = small.warehouse.glob("builds/*.staging")
    assert str(staging) in last and (staging / "benchmart.duckdb").is_file()
    assert small.current == first
    attempt = json.loads(small.succeed("status", "--json").stdout)["attempt"]
    assert (attempt["state"], attempt["stage"]) == ("failed", "audit")
    assert lost in attempt["error"]
    assert "in stage audit: not published: " in small.succeed("status").stdout

    small.build("--accept-shrinkage")
    second = small.current
    assert second.name > first.name
    assert not list(small.warehouse.glob("builds/*.staging"))
    said = small.succeed("status").stdout
    assert f"`benchmart rollback` would publish {first.name} again" in said
    assert "build failed" not in said

    assert f"published again: build {first.name}" in small.succeed("rollback").stdout
    assert small.current == first
    again = small.build().stderr
    assert f"nothing changed since build {second.name}, which was rolled back" in again
    assert small.current == first
    assert "no build before" in small.refused("rollback")
    assert f"there are {first.name}, {second.name}" in small.refused("rollback", "never")
    small.succeed("rollback", second.name)
    assert small.current == second
    taken_back = small.warehouse / "rolled_back.json"
    taken_back.write_text('{"half')
    assert "rolled_back.json: " in small.refused("rollback", first.name)
    assert "rolled_back.json: " in small.refused("build", "--full-refresh")
    assert {first, second} <= set(Warehouse(small.warehouse).finished())


def test_intervals_that_do_not_keep_their_promise_are_not_published(published: Commands):
    audit(published.current, published.current, Gate(), accept_shrinkage=False)
    with pytest.raises(BenchmartError, match=r"throughput: 90 % intervals cover \d\d\.\d % of"):
        audit(published.current, None, Gate(coverage=(0.97, 0.99)), accept_shrinkage=False)
    with pytest.raises(BenchmartError, match=r"where gate\.coverage asks for 10 to 20 %"):
        audit(published.current, None, Gate(coverage=(0.1, 0.2)), accept_shrinkage=False)


def test_a_build_says_what_it_was_made_of(bundled: Commands):
    (row,) = bundled.query("select * from analytics.builds").to_dict("records")
    assert row["build_id"] == bundled.current.name
    if git_commit():  # a checkout, and git is there
        assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", row["git_commit"])
    hashes = {
        f"benchmart/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in BUNDLED.glob("*.csv")
    }
    inputs = {name.removeprefix("raw/"): found for name, found in row["inputs"].items()}
    assert hashes.items() <= inputs.items()
    metrics = {"throughput", "latency_ms", "memory_mb"}
    assert set(row["mlflow_runs"]) == set(row["serving"]) == metrics
    assert {"landing", "training", "scoring", "analytics"} <= set(row["seconds"])
    for table in ("analytics.predictions", "core.runs", "features.training_features"):
        number = bundled.query(f"select count(*) as n from {table}")["n"].item()
        assert row["row_counts"][table] == number


def test_every_table_is_there_as_parquet_too(published: Commands):
    counted = published.query(
        "select unnest(map_entries(row_counts), recursive := true) from analytics.builds"
    )
    tables = counted[counted["key"].str.startswith("analytics.")]
    assert len(tables) > 20
    with duckdb.connect() as con:
        for name, rows in zip(tables["key"], tables["value"], strict=True):
            path = published.current / "parquet" / f"{name.removeprefix('analytics.')}.parquet"
            read = con.read_parquet(str(path)).count("*").fetchall()[0][0]
            assert read == rows


def test_readers_keep_the_build_that_they_opened(small: Commands):
    query = "select max(build_id) from analytics.builds"
    with duckdb.connect(
        str(small.warehouse / "current" / "benchmart.duckdb"), read_only=True
    ) as con:
        before = con.sql(query).fetchall()
        (small.warehouse / "current").unlink()
        for path in sorted(small.current.parent.rglob("*"), reverse=True):
            if path.name == "benchmart.duckdb":
                path.unlink()
        assert con.sql(query).fetchall() == before


def test_what_a_build_is_doing_and_how_it_ended_is_kept(tmp_path):
    warehouse = Warehouse(tmp_path)
    with Journal(warehouse).kept() as journal:
        journal.enter("training")
        found = last_attempt(warehouse)
        assert (found.state, found.stage, found.pid) == ("building", "training", os.getpid())
        assert found.begun or sys.platform != "linux"
    assert last_attempt(warehouse) is None
    (tmp_path / ATTEMPT).write_text(json.dumps(asdict(replace(found, begun="0"))))
    assert last_attempt(warehouse).state == "killed"  # the number is another process's by now
    with pytest.raises(InputError), Journal(warehouse).kept():
        raise InputError("raw/x.csv: line 7: no")
    found = last_attempt(warehouse)
    assert (found.state, found.error) == ("failed", "raw/x.csv: line 7: no")
    with pytest.raises(KeyboardInterrupt), Journal(warehouse).kept():
        raise KeyboardInterrupt
    assert last_attempt(warehouse).error == "interrupted (KeyboardInterrupt)"
    (tmp_path / ATTEMPT).write_text("{")
    assert last_attempt(warehouse) is None


def test_status_without_a_build_says_why_there_is_none(commands: Commands):
    assert "run `benchmart build` first" in commands.refused("status")
    commands.warehouse.mkdir()
    commands.refused("build", "--raw", commands.home / "nowhere")
    said = commands.refused("status")
    assert "no published build here; a build failed at" in said
    assert "nowhere: no such file or directory" in said


def test_a_build_that_was_killed_before_the_link_moved_is_no_rollback(
    published: Commands, tmp_path
):
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.builds.mkdir(parents=True)
    for _ in range(2):
        staging = warehouse.stage()
        shutil.copytree(published.current, staging, dirs_exist_ok=True)
        warehouse.publish(staging, keep=5)
    first, second = warehouse.finished()
    warehouse._point_to(first)  # as if the process had died just before
    staging = warehouse.stage()
    assert warehouse.finished() == [first] and not second.exists()
    staging.rmdir()
    with pytest.raises(InputError, match=f"no build before {first.name} is kept"):
        warehouse.earlier()


def test_what_was_taken_back_takes_no_place_of_what_serves(published: Commands, tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.builds.mkdir(parents=True)

    def publish() -> Path:
        staging = warehouse.stage()
        shutil.copytree(published.current, staging, dirs_exist_ok=True)
        return warehouse.publish(staging, keep=2)

    good, bad = publish(), publish()
    warehouse.roll_back_to(good)
    newest = publish()
    assert warehouse.finished() == [good, bad, newest]
    assert warehouse.earlier() == good
    for _ in range(2):
        publish()
        warehouse.roll_back_to(newest)
    publish()
    assert (
        len([build for build in warehouse.finished() if build.name in warehouse.rolled_back()]) == 2
    )
    assert good not in warehouse.finished()
    bad = warehouse.finished()[-2]
    (bad / "benchmart.duckdb").unlink()
    with pytest.raises(InputError, match=f"no build '{bad.name}' is kept"):
        warehouse.earlier(bad.name)


def test_every_changed_byte_of_a_database_is_noticed(published: Commands, tmp_path):
    build = shutil.copytree(published.current, tmp_path / "build")
    assert why_damaged(build) is None
    database = build / "benchmart.duckdb"
    database.chmod(0o644)
    with database.open("r+b") as handle:
        handle.seek(database.stat().st_size * 3 // 4)
        byte = handle.read(1)
        handle.seek(-1, 1)
        handle.write(bytes([byte[0] ^ 1]))
    assert "is not what was published" in why_damaged(build)
