"""`benchmart predict`: configurations in, quantiles out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from models_py.plan import COUNTS
from models_py.predict import PerformancePredictor
from pipelines.configurations import TEXTS, as_configurations, describe
from pipelines.errors import InputError
from pipelines.objective import objective_metric
from pipelines.published import connect, published_build
from pipelines.readers import TABULAR, open_raw
from pipelines.readers.tables import PROBLEM
from pipelines.sources.benchmart import REQUIRED, require
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
    if not source.is_file():
        raise InputError(f"{source}: no such file")
    if source.suffix not in TABULAR:
        raise InputError(f"{source}: expected one of {', '.join(TABULAR)}")
    (table,) = open_raw(source, str(source)).tables
    require(str(source), table.columns, REQUIRED)
    read = list(table.rows)
    if not read:
        raise InputError(f"{source}: the file has a header but no rows")
    typed = []
    for row in read:
        if PROBLEM in row.payload:
            raise InputError(f"{source}: line {row.line}: {row.payload[PROBLEM]}")
        typed.append(_typed(row.payload, f"{source}: line {row.line}"))
    rows = pd.DataFrame([row.payload for row in read], columns=table.columns)
    return rows, as_configurations(typed)


def _typed(payload: dict[str, str | None], where: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for name in (*TEXTS, *COUNTS):
        text = (payload.get(name) or "").strip()
        if not text:
            if name in REQUIRED:
                raise InputError(f"{where}, column {name}: a value is required")
            values[name] = None
        else:
            values[name] = text if name in TEXTS else _count(text, name, where)
    return values


def _count(text: str, name: str, where: str) -> int:
    lowest = 0 if name == "output_length" else 1
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (value.is_integer() and lowest <= value < 2**53):
        raise InputError(
            f"{where}, column {name}: expected a whole number of at least {lowest}, got {text!r}"
        )
    return int(value)
