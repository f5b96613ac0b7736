"""The first tests of a device or model: what could be run with it, also where nothing is known of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import duckdb
import pandas as pd
from duckdb import ColumnExpression, ConstantExpression

from pipelines.configurations import as_configurations, describe
from pipelines.errors import InputError
from pipelines.published import as_features
from pipelines.suggest import did_you_mean

# known workloads, with what was seen to run them on devices of its kind
ON_DEVICE = """
with seen as (

    select * from features.training_features
    where $kind is null or hardware_kind = $kind

),

frameworks as (

    select comparable_group, framework, precision,
        max_by(framework_version, framework_version_number) as framework_version
    from seen
    group by all

),

workloads as (

    select distinct comparable_group, model_name, model_type, task, throughput_unit, precision,
        batch_size, input_length, output_length, image_size, concurrency
    from features.training_features

)

select * exclude (comparable_group), $name as hardware, 1 as device_count, '' as options
from workloads
inner join frameworks using (comparable_group, precision)
"""

# what is run of models of its type, wherever it is run
OF_MODEL = """
with seen as (

    select * from features.training_features
    where model_type = $model_type

),

platforms as (

    select comparable_group, hardware, device_count, framework, options,
        max_by(framework_version, framework_version_number) as framework_version
    from seen
    group by all

)

select distinct
    $name as model_name, model_type, task, throughput_unit, precision, batch_size, input_length,
    output_length, image_size, concurrency, platforms.* exclude (comparable_group)
from seen
inner join platforms using (comparable_group, hardware, device_count, framework, options)
"""


class Focus(NamedTuple):
    """What the next tests are to be of."""

    kind: Literal["hardware", "model"]
    name: str


def read_focus(text: str) -> Focus:
    """Read KIND=NAME.

    Raises
    ------
    InputError
        Where it is of no kind that is known, or of no name.
    """
    kind, _, name = (part.strip() for part in text.partition("="))
    if kind not in ("hardware", "model") or not name:
        raise InputError(f"--focus: expected hardware=NAME or model=NAME, got '{text}'")
    return Focus(kind, name)


class Focused(NamedTuple):
    """Candidates of the focus, and what had to be assumed."""

    candidates: pd.DataFrame
    notes: list[str]


def focus_on(
    con: duckdb.DuckDBPyConnection,
    focus: Focus,
    measured: pd.DataFrame,
    candidates: pd.DataFrame,
) -> Focused:
    """Candidates of the focus: those of the build, and what runs of its like suggest.

    Raises
    ------
    InputError
        Where nothing suggests what to run.
    """
    column = "hardware" if focus.kind == "hardware" else "model_name"
    asked = as_configurations([{"model_name": "", "hardware": "", column: focus.name}])
    facts = describe(con, asked).iloc[0]
    name = facts[column]
    suggest = _on_device if focus.kind == "hardware" else _of_model
    suggested, notes = suggest(con, name, facts, measured)
    described = as_features(describe(con, suggested))
    described = described[described["fits_in_memory"]]
    own = candidates[candidates[column] == name]
    ran = con.sql("select config_id from features.feasibility_features").fetchall()
    known = {*own["config_id"], *measured["config_id"], *(row[0] for row in ran)}
    new = described[~described["config_id"].isin(known)].drop_duplicates("config_id")
    found = pd.concat([own, new], ignore_index=True)[list(candidates)]
    if found.empty:
        raise InputError(f"--focus {focus.kind}={name}: all that is known to run has been run")
    its_runs = ColumnExpression(column) == ConstantExpression(name)
    runs = con.table("features.training_features").filter(its_runs).count("*").fetchall()[0][0]
    if runs:
        notes.append(f"{name} has {runs} measurements already")
    return Focused(found, notes)


def _on_device(
    con: duckdb.DuckDBPyConnection, name: str, facts: pd.Series, measured: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    kind, notes = facts["hardware_kind"], []
    if not facts["hardware_known"]:
        kind = None
        described = con.sql("select hardware from core.hardware").fetchall()
        hint = did_you_mean(name, {*measured["hardware"], *(row[0] for row in described)})
        notes.append(
            f"{name}: nothing is known of this device; it is predicted as one of those that were"
            f" measured, and a row in hardware.csv would say more{hint}"
        )
    found = con.execute(ON_DEVICE, {"name": name, "kind": kind}).df()
    if found.empty:
        notes.append(f"no device of its kind, {kind}, was measured")
        found = con.execute(ON_DEVICE, {"name": name, "kind": None}).df()
    if name not in set(measured["hardware"]):
        frameworks = ", ".join(sorted(found["framework"].unique()))
        notes.append(f"assumed to run on {name}: {frameworks}")
    return found, notes


def _of_model(
    con: duckdb.DuckDBPyConnection, name: str, facts: pd.Series, measured: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    types, model_type, notes = sorted(measured["model_type"].unique()), facts["model_type"], []
    of_runs = measured.loc[measured["model_name"] == name, "model_type"]
    if len(of_runs):
        model_type = of_runs.iloc[-1]
    elif not facts["model_known"]:
        described = con.sql("select distinct model_name from core.models").fetchall()
        hint = did_you_mean(name, [row[0] for row in described])
        if len(types) > 1:
            raise InputError(
                f"--focus model={name}: its model_type is not known; add a row to models.csv{hint}"
            )
        (model_type,) = types
        notes.append(f"{name}: nothing is known of this model; taken for {model_type}{hint}")
    if model_type not in types:
        raise InputError(
            f"--focus model={name}: its model_type is {model_type}, of which nothing was measured;"
            f" list what to run in candidates.csv"
        )
    return con.execute(OF_MODEL, {"name": name, "model_type": model_type}).df(), notes
