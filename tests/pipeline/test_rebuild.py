"""`benchmart build` again and again: changes, faults, other builds."""

from __future__ import annotations

import csv
import signal

import pandas as pd
import pytest

from tests.support import Commands, bundled_rows, write_csv


def test_rebuilding_from_scratch_gives_the_same_tables(small: Commands):
    first = small.current
    names = ["predictions", "scored_candidates", "hardware_recommendations", "measurements"]
    before = {name: small.query(f"select * from analytics.{name} order by all") for name in names}
    small.build("--full-refresh")
    assert small.current != first
    for name, table in before.items():
        again = small.query(f"select * from analytics.{name} order by all")
        pd.testing.assert_frame_equal(table, again)


def test_a_changed_file_replaces_its_rows_and_bad_rows_are_quarantined(small: Commands):
    path = small.home / "raw" / "benchmart" / "runs.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[0]["batch_size"] = "-1"
    write_csv(path, rows[:-1])
    small.build()
    quality = small.query("select * from analytics.data_quality order by build_id")
    assert quality["rows_read"].tolist() == [len(rows), len(rows) - 1]
    assert quality["rows_rejected"].tolist() == [0, 1]
    assert quality["build_id"].tolist()[-1] == small.current.name
    rejected = small.query("select line, rule from analytics.rejected_measurements")
    assert rejected.values.tolist() == [[2, "out_of_range"]]
    assert len(small.query("select * from analytics.builds")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["core and features", "training"])
def test_a_killed_build_leaves_the_published_one(small: Commands, stage):
    published = small.current
    write_csv(small.home / "raw" / "more.csv", list(bundled_rows(model_name="vit-tiny")))
    process = small.start("build", "--raw", small.home / "raw")
    for line in process.stderr:
        if f"{stage}:" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert list(small.warehouse.glob("builds/*.staging"))
    assert small.current == published
    models = "select distinct model_name from analytics.measurements"
    assert len(small.query(models)) == 1
    small.build()
    assert not list(small.warehouse.glob("builds/*.staging"))
    assert len(small.query(models)) == 2


def test_a_failed_build_leaves_the_published_one(small: Commands):
    published = small.current
    (small.home / "raw" / "benchmart" / "more.csv").write_text("model_name,hardware\nx,y\n")
    said = small.refused("build", "--raw", small.home / "raw")
    assert "raw/benchmart/more.csv: header lacks the required column 'batch_size'" in said
    assert small.current == published


@pytest.mark.slow
def test_a_file_of_the_same_name_from_elsewhere_is_no_new_version(small: Commands):
    rows = list(bundled_rows(model_name="vit-tiny"))
    write_csv(small.home / "raw" / "more.csv", rows[:5])
    small.build()
    other = small.home / "other" / "raw"
    write_csv(other / "more.csv", rows)
    said = small.refused("build", "--raw", other)
    assert "raw/more.csv: the warehouse holds another file of this name" in said


@pytest.mark.slow
def test_old_builds_are_removed(small: Commands):
    first = small.current.name
    for _ in range(2):
        small.build("--full-refresh", BENCHMART_KEEP_BUILDS="2")
    kept = [path.name for path in (small.warehouse / "builds").iterdir()]
    assert len(kept) == 2
    assert small.current.name in kept and first not in kept
