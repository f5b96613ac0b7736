"""Hostile cells, from the file to the marts: every row gets a verdict, and only good numbers pass."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.dbt import Dbt
from pipelines.ingest import find_files, land
from pipelines.published import connect
from tests.hostile.strategies import TEXTS, hostile_rows
from tests.support import Commands, bundled_rows, write_csv

# a failing example is not made smaller: each takes a build
ONCE = {"suppress_health_check": list(HealthCheck), "phases": [Phase.generate]}


def require_judged(folder: Path, parsed: Path, rows: list[dict[str, str]]) -> None:
    """Every row gets one verdict; what is accepted are finite numbers above zero."""
    shutil.rmtree(folder, ignore_errors=True)
    path = folder / "raw" / "runs.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dbt = Dbt(folder, parsed)
    with connect(dbt.database) as con:
        land(con, find_files([folder / "raw"]))
    dbt.build(["+int_runs__judged"])
    with connect(dbt.database, read_only=True) as con:
        judged = con.sql("select verdict, metrics from intermediate.int_runs__judged").fetchall()
    assert len(judged) == len(rows)
    assert {verdict for verdict, _ in judged} <= {"accepted", "rejected", "duplicate"}
    accepted = [metrics for verdict, metrics in judged if verdict == "accepted"]
    values = [value for metrics in accepted for value in (metrics or {}).values()]
    assert all(math.isfinite(value) and value > 0 for value in values)


@given(st.lists(hostile_rows(), min_size=150, max_size=150))
@settings(max_examples=1, **ONCE)
def test_every_row_gets_a_verdict(tmp_path, parsed, rows):
    require_judged(tmp_path / "home", parsed, rows)


@pytest.mark.slow
@given(st.lists(hostile_rows(), min_size=400, max_size=400))
@settings(max_examples=6, **ONCE)
def test_every_row_of_many_gets_a_verdict(tmp_path, parsed, rows):
    require_judged(tmp_path / "home", parsed, rows)


@pytest.mark.slow
def test_hostile_names_are_shown_as_they_are_and_obeyed_by_nothing(small: Commands):
    """A build with them, and every command that prints names."""
    rows = [
        row | {"model_name": f"{text}-{number}", "framework": text}
        for number, text in enumerate(TEXTS[:-1])
        for row in list(bundled_rows(model_name="bert-mini"))[:6]
        if "\0" not in text
    ]
    write_csv(small.home / "raw" / "hostile.csv", rows)
    said = [small.build()]
    said.append(small.succeed("status"))
    said.append(small.succeed("integrate", "--budget", 20))
    said.append(small.succeed("hardware", "--model", "<script>alert(1)</script>-5"))
    for done in said:
        for text in (done.stdout, done.stderr):
            assert not {c for c in text if not c.isprintable()} - {"\n"}
    page = (small.warehouse / "current" / "lineage.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    names = small.query("select distinct model_name from analytics.measurements")["model_name"]
    assert sum("alert(1)" in name for name in names) == 1
    assert small.query("select count(*) as n from raw.files")["n"].item() > 0
