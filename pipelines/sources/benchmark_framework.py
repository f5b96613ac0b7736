"""DuckDB files of the test framework that this project started from."""

from __future__ import annotations

from pipelines.readers.tables import Raw
from pipelines.sources.source import Landed, Source

TABLES = {
    "performance_results": "benchmark_framework_results",
    "hardware_platforms": "benchmark_framework_hardware",
    "models": "benchmark_framework_models",
    "test_runs": "benchmark_framework_runs",
}


def recognise(raw: Raw) -> Landed | None:
    """A database with its table of results; the other tables may be missing."""
    found = {table.name: table for table in raw.tables}
    results = found.get("performance_results")
    if results is None or not {"model_id", "hardware_id", "is_simulated"} <= set(results.columns):
        return None
    return {landing: found[name] for name, landing in TABLES.items() if name in found}


SOURCE = Source(
    name="benchmark_framework",
    runs=("benchmark_framework_results",),
    facts=(
        "benchmark_framework_hardware",
        "benchmark_framework_models",
        "benchmark_framework_runs",
    ),
    recognise=recognise,
)
