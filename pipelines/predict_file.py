"""`benchmart predict`: configurations in, quantiles out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from models_py.plan import COUNTS
from models_py.predict import PerformancePredictor
from pipelines.configurations import TEXTS, as_configurations, describe
from pipelines.errors import InputError
from pipelines.input_table import InputRow, read_input
from pipelines.objective import objective_metric
from pipelines.published import connect, published_build
from pipelines.sources.benchmart import REQUIRED
from pipelines.warehouse import DATABASE

OUTPUT = ("p05", "p10", "p50", "p90", "p95", "epistemic", "in_domain", "prob_feasible")


def predict_file(warehouse: Path, source: Path, objectives: Sequence[str]) -> pd.DataFrame:
    """Predict every row of a file; metric by metric, rows in the order of the file.

    Returns
    -------
    pandas.DataFrame
        The columns of the file, then `metric, unit, p05, p10, p50, p90, p95, epistemic, in_domain,
        prob_feasible`.

    Raises
    ------
    InputError
        For a file that cannot be read, naming row and column, or an unknown metric.
    """
    rows, configurations = read_configurations(source)
    build = published_build(warehouse)
    predictor = PerformancePredictor.load(build / "models")
    with connect(build / DATABASE, read_only=True) as con:
        units = dict(con.sql("select metric, unit from core.metric_definitions").fetchall())
        metrics = [objective_metric(name, units, "--metric") for name in objectives]
        described = describe(con, configurations)
    prob_feasible = predictor.prob_feasible(described)
    tables = []
    for metric in metrics:
        if metric not in predictor.models:
            reason = predictor.refused.get(metric, f"learned: {', '.join(predictor.models)}")
            raise InputError(f"--metric: '{metric}' was not learned by this build; {reason}")
        quantiles = predictor.predict(described, metric).assign(prob_feasible=prob_feasible)
        unit = units[metric]
        if unit == "throughput_unit":
            unit = described["throughput_unit"].to_numpy()
        tables.append(rows.assign(metric=metric, unit=unit, **quantiles[list(OUTPUT)]))
    return pd.concat(tables, ignore_index=True)


def read_configurations(source: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows as they were written, and the same with the types of a configuration.

    Raises
    ------
    InputError
        Naming file, row and column.
    """
    columns, read = read_input(source, REQUIRED)
    rows = pd.DataFrame([row.payload for row in read], columns=columns)
    return rows, as_configurations([_typed(row) for row in read])


def _typed(row: InputRow) -> dict[str, object]:
    for name in REQUIRED:
        row.text(name, required=True)
    return {name: row.text(name) for name in TEXTS} | row.counts(COUNTS)
