"""Public tables, split by configuration: what every benchmark trains on and asks for."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from pipelines.console import Reporter
from pipelines.dbt import Dbt
from pipelines.ingest import find_files
from pipelines.published import connect, outcome_frame, training_frame
from pipelines.settings import PROJECT
from pipelines.stages import build_marts, land_files

DATA = Path(__file__).parents[2] / "shared" / "data"
SEEDS = (900, 901, 902, 903, 904)
LARGEST_TEST = 4_000


class Table(NamedTuple):
    """One metric of one public table, and the shares of its configurations to train on."""

    source: str
    metric: str
    shares: tuple[float, ...]

    @property
    def title(self) -> str:
        """How it is called in what is printed."""
        return f"{self.source} {self.metric}"


TABLES = (
    Table("llm_inference_bench", "throughput", (0.02, 0.05, 0.20)),
    Table("timm", "throughput", (0.02, 0.05, 0.20)),
    Table("timm", "latency_ms", (0.05, 0.20)),
    Table("qualcomm_ai_hub", "throughput", (0.05, 0.20)),
    Table("qualcomm_ai_hub", "profiled_memory_mb", (0.05, 0.20)),
    Table("ml_energy", "energy_per_sample_j", (0.05, 0.20)),
    Table("ml_energy", "throughput", (0.05, 0.20)),
    Table("ml_energy", "latency_ms", (0.20,)),
    Table("ml_energy", "itl_ms", (0.20,)),
    Table("mlperf_inference", "throughput", (0.05, 0.20)),
    Table("mlperf_inference", "latency_p90_ms", (0.20,)),
    Table("mlperf_inference", "latency_p99_ms", (0.20,)),
    Table("rknn_model_zoo", "throughput", (0.20,)),
    Table("aws_neuron", "throughput", (0.20,)),
)

LLM_THROUGHPUT = TABLES[0]


def read_rows(folder: Path) -> pd.DataFrame:
    """Accepted rows of all public tables, as the warehouse describes them."""
    with described([folder]) as con:
        return training_frame(con, sys.maxsize)


def read_outcomes(folder: Path) -> pd.DataFrame:
    """What ran and what failed in the public tables and among the bundled measurements."""
    with described([folder, PROJECT / "raw"]) as con:
        return outcome_frame(con)


@contextlib.contextmanager
def described(folders: list[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory() as place:
        dbt = Dbt(Path(place), Path(place) / "dbt")
        land_files(dbt, find_files(folders), Reporter())
        build_marts(dbt, Reporter())
        with connect(dbt.database, read_only=True) as con:
            yield con


def rows_of(rows: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Rows of a table where its metric was measured."""
    return rows[(rows["source"] == table.source) & rows[table.metric].notna()]


def split(
    frame: pd.DataFrame, share: float, seed: int, largest_test: int = LARGEST_TEST
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training rows of a share of the configurations, and test rows of the others."""
    generator = np.random.default_rng(seed)
    known = generator.permutation(frame["config_id"].unique())
    chosen = frame["config_id"].isin(known[: round(share * len(known))])
    others = frame[~chosen]
    return frame[chosen], others.sample(min(len(others), largest_test), random_state=seed)
