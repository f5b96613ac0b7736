"""Workloads that are asked about, known or not, and the platforms that may run them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import duckdb
import pandas as pd

from models_py.ranking import WORKLOAD
from pipelines.configurations import as_configurations, describe
from pipelines.errors import FieldError, InputError
from pipelines.published import as_features
from pipelines.suggest import did_you_mean

MOST_WORKLOADS = 200
# what is like a workload that nobody measured, the most measured first
COLUMNS = "comparable_group, model_name, model_type, task, throughput_unit, precision, batch_size,"
COLUMNS += " input_length, output_length, image_size, concurrency"
LIKE_IT = f"""
with seen as (

    select {COLUMNS}, count(*) as runs
    from features.training_features
    where model_type = $model_type
    group by all

)

select * from seen
where model_name = $model_name or $model_name not in (select model_name from seen)
order by runs desc, {COLUMNS}
"""
LOAD = ("batch_size", "concurrency")


class Asked(NamedTuple):
    """Workloads that a request is about, and what had to be assumed."""

    workloads: pd.DataFrame
    notes: list[str]


def find_workloads(con: duckdb.DuckDBPyConnection, said: Mapping[str, object]) -> Asked:
    """Known workloads that fit what is said, or else the one that it describes.

    Raises
    ------
    FieldError
        For a model of which not even the type is known, and where too many fit.
    """
    facts = describe(con, as_configurations([{"hardware": "", **said}])).iloc[0]
    said = dict(said)
    if "precision" in said:
        said["precision"] = facts["precision"]  # as the warehouse spells it
    types = [said["model_type"]] if "model_type" in said else _model_types(con, said, facts)
    model_type, notes = types[0], []
    if len(types) > 1:
        notes.append(
            f"{said['model_name']} was measured as {' and '.join(types)}: answered as {model_type}"
        )
    like_it = con.execute(
        LIKE_IT, {"model_type": model_type, "model_name": said["model_name"]}
    ).df()
    if like_it.empty:
        known = con.sql("select distinct model_type from features.training_features").fetchall()
        names = [row[0] for row in known]
        hint = did_you_mean(str(model_type), names, 20)
        raise FieldError("model_type", f"nothing of type '{model_type}' was measured{hint}")
    for name in ("precision", "task"):
        _require_seen(like_it, said, name)
    fitting = _fitting(like_it, said)
    if not fitting.empty:
        if len(fitting) > MOST_WORKLOADS:
            raise FieldError(
                "model_name",
                f"{len(fitting)} workloads of '{said['model_name']}' fit, {MOST_WORKLOADS} at most"
                " are answered at once; say more of it (batch size, precision, ...)",
            )
        return Asked(fitting.drop(columns="runs"), notes)
    workload, note = _described(like_it, said)
    return Asked(workload, [*notes, note])


def _require_seen(like_it: pd.DataFrame, said: Mapping[str, object], name: str) -> None:
    known = set(like_it[name])
    if name in said and said[name] not in known:
        hint = did_you_mean(str(said[name]), known, 20)
        raise FieldError(name, f"nothing like it was measured as '{said[name]}'{hint}")


def _fitting(workloads: pd.DataFrame, said: Mapping[str, object]) -> pd.DataFrame:
    for name, value in said.items():
        workloads = workloads[workloads[name] == value]
    return workloads


def _described(like_it: pd.DataFrame, said: Mapping[str, object]) -> tuple[pd.DataFrame, str]:
    """A workload that was never measured: as it is said, the rest as the most measured one like it."""
    nearest = like_it
    for name in ("model_name", "task", "precision", "batch_size", "concurrency"):
        if name in said and (nearest[name] == said[name]).any():
            nearest = nearest[nearest[name] == said[name]]
    workload = nearest.drop(columns="runs").head(1).assign(**said)
    taken = [
        f"{name} {workload[name].iloc[0]:.0f}"
        if isinstance(workload[name].iloc[0], float)
        else f"{name} {workload[name].iloc[0]}"
        for name in WORKLOAD[2:]
        if name not in said and pd.notna(workload[name].iloc[0])
    ]
    note = f"{said['model_name']}: never measured so; taken for {', '.join(taken)}"
    return workload, note


def _model_types(
    con: duckdb.DuckDBPyConnection, said: Mapping[str, object], facts: pd.Series
) -> list[str]:
    """Types that a model was measured as, the most measured first, or is known to be of."""
    name = str(said["model_name"])
    rows = con.execute(
        "select model_type from features.training_features where model_name = ?"
        " group by model_type order by count(*) desc, model_type",
        [name],
    ).fetchall()
    if rows:
        return [row[0] for row in rows]
    if facts["model_known"]:
        return [facts["model_type"]]
    known = con.sql(
        "select distinct model_name from features.training_features"
        " union select distinct model_name from core.models"
    ).fetchall()
    hint = did_you_mean(name, [row[0] for row in known])
    raise FieldError(
        "model_name",
        f"nothing is known of '{name}'; state its model type, or add it to models.csv{hint}",
    )


def along_the_load(
    con: duckdb.DuckDBPyConnection, workloads: pd.DataFrame, said: Mapping[str, object]
) -> pd.DataFrame:
    """Workloads at every batch and concurrency that was seen in their comparable group.

    What is said of them stays as it is.
    """
    open_columns = [name for name in LOAD if name not in said]
    if not open_columns:
        return workloads
    seen = con.sql(
        f"select distinct comparable_group, {', '.join(open_columns)}"
        " from features.training_features order by all"
    ).df()
    curves = workloads.drop(columns=open_columns).drop_duplicates().merge(seen)
    return curves[list(workloads)]


def require_devices(
    con: duckdb.DuckDBPyConnection, asked: Iterable[str], where: Iterable[str]
) -> None:
    """Raise an `InputError` for a device that nothing was measured on; `where` it is asked for."""
    devices = con.sql("select distinct hardware from features.training_features").fetchall()
    known = [row[0] for row in devices]
    for name, place in zip(asked, where, strict=False):
        if name not in known:
            hint = did_you_mean(name, known, 20)
            raise InputError(f"{place}: nothing was measured on '{name}'{hint}")


def options_of(con: duckdb.DuckDBPyConnection, workloads: pd.DataFrame) -> pd.DataFrame:
    """Feature rows of workloads: measured runs, and the other platforms that may run them."""
    con.register("asked_workloads", workloads)
    possible = con.sql("select * from features.options_of('asked_workloads')").df()
    con.register("possible_options", possible[["workload_id"]].drop_duplicates())
    measured = con.sql(
        "select measured.* from features.measured_configurations as measured"
        " semi join possible_options using (workload_id) order by measurement_id"
    ).df()
    others = possible[~possible["config_id"].isin(measured["config_id"])]
    if measured.empty and others.empty:
        raise InputError("no platform was seen to run anything like this workload")
    return as_features(pd.concat([measured, others], ignore_index=True))
