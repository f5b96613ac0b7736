"""Workloads that are asked about, known or not, and the platforms that may run them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import duckdb
import pandas as pd

from models_py.ranking import WORKLOAD
from pipelines.configurations import as_configurations, describe
from pipelines.errors import InputError
from pipelines.published import as_features
from pipelines.suggest import did_you_mean

MOST_WORKLOADS = 200
# of a workload that nobody measured: what is not said is what models like it were measured with most
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
ALONG_THE_LOAD = """
with loads as (

    select distinct comparable_group, batch_size, concurrency from features.training_features

)

select distinct asked.* exclude (batch_size, concurrency), loads.batch_size, loads.concurrency
from asked_workloads as asked
inner join loads using (comparable_group)
order by all
"""


class Asked(NamedTuple):
    """Workloads that a request is about, and what had to be assumed."""

    workloads: pd.DataFrame
    notes: list[str]


def find_workloads(con: duckdb.DuckDBPyConnection, said: Mapping[str, object]) -> Asked:
    """Known workloads that fit what is said, or else the one that it describes.

    Raises
    ------
    InputError
        For a model of which not even the type is known, and where too many fit.
    """
    facts = describe(con, as_configurations([{"hardware": "", **said}])).iloc[0]
    said = dict(said)
    if "precision" in said:
        said["precision"] = facts["precision"]  # as the warehouse spells it
    model_type = said.get("model_type") or _model_type(con, str(said["model_name"]), facts)
    like_it = con.execute(
        LIKE_IT, {"model_type": model_type, "model_name": said["model_name"]}
    ).df()
    if like_it.empty:
        known = con.sql("select distinct model_type from features.training_features").fetchall()
        names = [row[0] for row in known]
        hint = did_you_mean(str(model_type), names, 20)
        raise InputError(f"--model-type: nothing of type '{model_type}' was measured{hint}")
    _require_precision(like_it, said)
    fitting = _fitting(like_it, said)
    if not fitting.empty:
        if len(fitting) > MOST_WORKLOADS:
            raise InputError(
                f"--model {said['model_name']}: {len(fitting)} workloads fit, {MOST_WORKLOADS} at"
                f" most are answered at once; say more of it (--batch-size, --precision, ...)"
            )
        return Asked(fitting.drop(columns="runs"), [])
    return _described(like_it, said)


def _require_precision(like_it: pd.DataFrame, said: Mapping[str, object]) -> None:
    known = set(like_it["precision"])
    if said.get("precision", next(iter(known))) not in known:
        hint = did_you_mean(str(said["precision"]), known, 20)
        raise InputError(
            f"--precision: nothing like it was measured in '{said['precision']}'{hint}"
        )


def _fitting(workloads: pd.DataFrame, said: Mapping[str, object]) -> pd.DataFrame:
    for name, value in said.items():
        workloads = workloads[workloads[name] == value]
    return workloads


def _described(like_it: pd.DataFrame, said: Mapping[str, object]) -> Asked:
    """A workload that was never measured: as it is said, the rest as most that are like it."""
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
    return Asked(workload, [note])


def _model_type(con: duckdb.DuckDBPyConnection, name: str, facts: pd.Series) -> str:
    rows = con.execute(
        "select model_type from features.training_features where model_name = ?"
        " group by model_type order by count(*) desc limit 1",
        [name],
    ).fetchall()
    if rows:
        return rows[0][0]
    if facts["model_known"]:
        return facts["model_type"]
    known = con.sql(
        "select distinct model_name from features.training_features"
        " union select distinct model_name from core.models"
    ).fetchall()
    hint = did_you_mean(name, [row[0] for row in known])
    raise InputError(
        f"--model: nothing is known of '{name}'{hint}; state --model-type, or add it to models.csv"
    )


def along_the_load(
    con: duckdb.DuckDBPyConnection, workloads: pd.DataFrame, said: Mapping[str, object]
) -> pd.DataFrame:
    """Workloads at every batch and concurrency that was seen in their comparable group.

    What is said of them stays as it is.
    """
    con.register("asked_workloads", workloads)
    curves = con.execute(ALONG_THE_LOAD).df()
    return _fitting(curves, {name: said[name] for name in LOAD if name in said})


def options_of(con: duckdb.DuckDBPyConnection, workloads: pd.DataFrame) -> pd.DataFrame:
    """Feature rows of workloads: measured runs, and the other platforms that may run them."""
    con.register("asked_workloads", workloads)
    possible = con.sql("select * from features.options_of('asked_workloads')").df()
    con.register("possible_options", possible[["workload_id"]].drop_duplicates())
    measured = con.sql(
        "select training.* from features.training_features as training"
        " semi join possible_options using (workload_id) order by measurement_id"
    ).df()
    others = possible[~possible["config_id"].isin(measured["config_id"])]
    if measured.empty and others.empty:
        raise InputError("no platform was seen to run anything like this workload")
    return as_features(pd.concat([measured, others], ignore_index=True))
