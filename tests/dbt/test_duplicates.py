"""Duplicates are found by groups of rows; here by their definition, pair by pair, on random rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect
from pipelines.stages import build_marts, land_files

RUNS = """\
model_name,model_type,hardware,framework,precision,batch_size,throughput
plain,vision,abacus,vllm,fp16,1,90
"""
# as a row says it, with what the random one says instead
ROWS = """
create or replace table intermediate.int_runs__described as
select described.* replace (
    drawn.measurement_id as measurement_id, drawn.file as file, drawn.line as line,
    drawn.run_id as run_id, drawn.repeated_key as repeated_key, drawn.status as status,
    map_from_entries(list_filter(
        [{'k': 'throughput', 'v': drawn.throughput}, {'k': 'memory_mb', 'v': drawn.memory_mb},
         {'k': 'power_w', 'v': drawn.power_w}],
        lambda entry: entry.v is not null
    )) as metrics
)
from intermediate.int_runs__described as described cross join drawn
"""
METRICS = ["throughput", "memory_mb", "power_w"]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, parsed: Path):
    """Verdicts of rows by the model's own SQL."""
    root = tmp_path_factory.mktemp("duplicates")
    raw = root / "raw"
    raw.mkdir()
    (raw / "runs.csv").write_text(RUNS, encoding="utf-8")
    dbt = Dbt(root, parsed)
    land_files(dbt, find_files([raw]), Reporter(quiet=True))
    build_marts(dbt, Reporter(quiet=True))
    compiled = dbt.invoke("compile", "--select", "int_runs__judged").results
    (sql,) = (each.node.compiled_code for each in compiled if each.node.name == "int_runs__judged")

    def verdicts(rows: pd.DataFrame) -> pd.Series:
        copy = shutil.copy(dbt.database, root / "copy" / dbt.database.name)
        with connect(copy) as con:
            con.register("drawn", rows)
            con.execute(ROWS)
            found = con.sql(sql).df().set_index("measurement_id")
        return found["verdict"].reindex(rows["measurement_id"])

    (root / "copy").mkdir()
    return verdicts


def drawn_rows(seed: int, count: int) -> pd.DataFrame:
    """Rows of few configurations and few values, some of a named run, some failed."""
    generator = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "measurement_id": [f"m{number}" for number in generator.permutation(count)],
            "file": generator.choice(["a.csv", "b.csv"], count),
            "line": generator.permutation(count),
            "run_id": generator.choice(["", "first", "second"], count, p=[0.6, 0.2, 0.2]),
            "repeated_key": generator.choice([f"key {number}" for number in range(12)], count),
            "status": generator.choice(["ok", "oom"], count, p=[0.8, 0.2]),
            "throughput": generator.choice([90.0, 91.0], count),
            "memory_mb": generator.choice([70.0, 71.0, np.nan], count),
            "power_w": generator.choice([50.0, np.nan], count),
        }
    )
    rows["run_id"] = rows["run_id"].astype("string").replace("", pd.NA)
    rows.loc[rows["status"] == "oom", "throughput"] = np.nan
    return rows


def repeats_another(rows: pd.DataFrame) -> list[bool]:
    """Whether another row of the same states all numbers of a row, and more of them or earlier."""
    stated = [
        {name: value for name, value in zip(METRICS, values, strict=True) if value == value}
        for values in rows[METRICS].itertuples(index=False)
    ]
    said = list(zip(rows["repeated_key"], rows["status"], strict=True))
    runs = [None if pd.isna(run) else run for run in rows["run_id"]]
    places = list(zip(rows["file"], rows["line"], strict=True))

    def repeats(ours: int, theirs: int) -> bool:
        return (
            ours != theirs
            and said[ours] == said[theirs]
            and (None in (runs[ours], runs[theirs]) or runs[ours] == runs[theirs])
            and stated[ours].items() <= stated[theirs].items()
            and (len(stated[theirs]) > len(stated[ours]) or places[theirs] < places[ours])
        )

    return [any(repeats(ours, theirs) for theirs in range(len(rows))) for ours in range(len(rows))]


@pytest.mark.parametrize("seed", range(3))
def test_duplicates_are_what_their_definition_says(judge, seed):
    rows = drawn_rows(seed, 150)
    expected = repeats_another(rows)
    assert 20 < sum(expected) < 130
    assert (judge(rows) == "duplicate").tolist() == expected


@pytest.mark.parametrize("named", [False, True])
def test_a_number_published_many_times_is_no_work_for_each_pair(judge, named):
    """A quarter of a billion pairs share a number, and the key: hours, were each looked at."""
    count = 20_000
    rows = drawn_rows(0, count).assign(
        repeated_key="key",
        status="ok",
        run_id=pd.Series([f"run {n}" if named else pd.NA for n in range(count)], dtype="string"),
        throughput=90.0 + np.arange(count) if named else 90.0,
        memory_mb=70.0,
        power_w=np.where(np.arange(count) % 2, 50.0, np.nan),
    )
    verdicts = judge(rows).value_counts().to_dict()
    assert verdicts == ({"accepted": count} if named else {"duplicate": count - 1, "accepted": 1})
