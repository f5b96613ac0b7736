"""`analytics.builds`: what each build was made of, and what came of it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa

from pipelines.facts import BuildFacts
from pipelines.ingest import InputFile
from pipelines.learn import Learned
from pipelines.settings import PROJECT, Settings
from pipelines.sql import identifier
from pipelines.write_back import append

SCHEMA = pa.schema(
    {
        "build_id": pa.string(),
        "started_at": pa.timestamp("us", "UTC"),
        "fingerprint": pa.string(),
        "git_commit": pa.string(),
        "inputs": pa.map_(pa.string(), pa.string()),
        "raw_files": pa.int64(),
        "raw_rows": pa.int64(),
        "objective": pa.string(),
        "metrics": pa.list_(pa.string()),
        "refused": pa.map_(pa.string(), pa.string()),
        "mlflow_runs": pa.map_(pa.string(), pa.string()),
        "serving": pa.map_(pa.string(), pa.string()),
        "row_counts": pa.map_(pa.string(), pa.int64()),
        "seconds": pa.map_(pa.string(), pa.float64()),
        "warnings": pa.list_(pa.string()),
    }
)
COUNTED = ("core", "features", "analytics")


def append_build(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    facts: BuildFacts,
    files: Sequence[InputFile],
    learned: Learned,
    warnings: Sequence[str],
) -> None:
    """Add the row of a build whose tables are still to be made."""
    ((raw_files, raw_rows),) = con.sql("select count(*), sum(rows_read) from raw.files").fetchall()
    row = {
        "build_id": facts.build_id,
        "started_at": facts.started_at,
        "fingerprint": facts.fingerprint,
        "git_commit": git_commit(),
        "inputs": [(file.name, file.hash) for file in files],
        "raw_files": raw_files,
        "raw_rows": int(raw_rows),
        "objective": settings.objective,
        "metrics": list(learned.metrics),
        "refused": list(learned.refused.items()),
        "mlflow_runs": list(learned.runs.items()),
        "serving": list(learned.serving.items()),
        "row_counts": None,
        "seconds": None,
        "warnings": list(warnings),
    }
    append(con, "builds", pa.Table.from_pylist([row], SCHEMA))


def complete_build(
    con: duckdb.DuckDBPyConnection, build_id: str, seconds: Mapping[str, float]
) -> None:
    """Add to its row how many rows the tables of a build have, and what its stages took."""
    row = {
        "build_id": build_id,
        "row_counts": list(_row_counts(con).items()),
        "seconds": [(name, round(value, 2)) for name, value in seconds.items()],
    }
    known = pa.schema([SCHEMA.field(name) for name in row])
    con.register("completed", pa.Table.from_pylist([row], known))
    for table in ("ml.builds", "analytics.builds"):
        con.execute(
            f"update {table} as builds"
            " set row_counts = completed.row_counts, seconds = completed.seconds"
            " from completed where builds.build_id = completed.build_id"
        )
    con.unregister("completed")


def _row_counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where list_contains(?, schema_name) order by all",
        [list(COUNTED)],
    ).fetchall()
    counts = {}
    for schema, name in tables:
        table = f"{identifier(schema)}.{identifier(name)}"
        counts[f"{schema}.{name}"] = con.table(table).count("*").fetchall()[0][0]
    return counts


def git_commit() -> str | None:
    """The commit of this program, `-dirty` where files differ from it; None outside a repository."""
    if not (PROJECT / ".git").exists():
        return None
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        told = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip() or None
