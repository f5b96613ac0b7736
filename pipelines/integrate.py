"""`benchmart integrate`: the plan, read from the published build."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import duckdb
import jsonschema

from models_py.objectives import main_metric, short_name
from models_py.plan import build_plan, merge_plans
from pipelines.errors import InputError
from pipelines.objective import objective_metric
from pipelines.published import connect_published, metric_directions


@dataclass(frozen=True)
class Today:
    """What can be run now.

    Attributes
    ----------
    available
        Devices that tests can run on; all where it is None.
    max_minutes, max_cost
        What the tests may take in all.
    per_hardware
        Most tests on a device.
    minimum_distance
        See `models_py.limits.Limits`.
    focus
        What the tests are to be of, as KIND=NAME: hardware or model.
    """

    available: tuple[str, ...] | None = None
    max_minutes: float | None = None
    max_cost: float | None = None
    per_hardware: Mapping[str, int] = field(default_factory=dict)
    minimum_distance: float = 0.0
    focus: str | None = None


def integrate(warehouse: Path, objective: str, budget: int) -> dict:
    """The next `budget` tests with the recommended hardware of their workloads.

    The build ordered its batch so that every first k of it is a plan. Plans of several objectives,
    separated by commas, are merged.

    Raises
    ------
    InputError
        For an unknown or unlearned metric, or a budget beyond what the build ordered.
    """
    asked = [name.strip() for name in objective.split(",") if name.strip()]
    names = list({main_metric(name): name for name in reversed(asked)}.values())[::-1]
    with connect_published(warehouse) as con:
        plans = [_plan(con, name, budget) for name in names or [objective]]
    return valid_plan(plans[0] if len(plans) == 1 else merge_plans(plans, budget))


def _plan(con: duckdb.DuckDBPyConnection, objective: str, budget: int) -> dict:
    """The plan of one objective."""
    directions = metric_directions(con)
    metric = objective_metric(objective, directions, "--metric")
    name = short_name(metric)
    ordered, total = con.execute(
        "select count(batch_order), count(*) from ml.scored_candidates where objective = ?",
        [name],
    ).fetchall()[0]
    learned = [
        row[0]
        for row in con.sql("select distinct metric from ml.predictions order by 1").fetchall()
    ]
    require_learned(objective, metric, learned)
    if budget > ordered and ordered < total:
        raise InputError(
            f"--budget {budget}: this build ordered {ordered} tests; "
            f"rebuild with BENCHMART_PLAN_DEPTH={budget}"
        )
    chosen = con.execute(
        "select configurations.*, scored.*, predicted.* exclude (config_id, metric)"
        " from ml.scored_candidates as scored"
        " join features.configurations as configurations using (config_id)"
        " join ml.predictions as predicted using (config_id, metric)"
        " where scored.objective = ? and scored.batch_order <= ? order by scored.batch_order",
        [name, budget],
    ).df()
    options = con.execute(
        "select options.workload_id, hardware, hardware_score, rank"
        " from analytics.hardware_recommendations as options"
        " where objective = ? and workload_id in (select unnest(?::varchar[]))",
        [name, chosen["workload_id"].unique().tolist()],
    ).df()
    if "serves" not in chosen:
        raise InputError("built by an older version; run `benchmart build`")
    return build_plan(chosen, options, name, total)


def in_words(plan: dict) -> list[str]:
    """Lines for a person: each test, and why."""
    lines = [f"note: {note}" for note in plan.get("notes", [])]
    for number, test in enumerate(plan["recommendations"], start=1):
        lines += [f"{number}. {test['configuration']}", f"   {test['reason']}"]
    return lines


def require_learned(objective: str, metric: str, learned: Sequence[str]) -> None:
    """Raise an `InputError` for a metric that the build did not learn."""
    if metric not in learned:
        names = ", ".join(learned)
        raise InputError(f"--metric: '{objective}' was not learned by this build; learned: {names}")


def valid_plan(plan: dict) -> dict:
    """The plan, checked against the packaged schema."""
    jsonschema.validate(plan, plan_schema())
    return plan


def plan_schema() -> dict:
    """The packaged JSON Schema of plans."""
    text = files("pipelines").joinpath("schemas/plan.schema.json").read_text(encoding="utf-8")
    return json.loads(text)
