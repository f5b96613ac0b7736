"""`benchmart hardware`: which platform a workload should run on, under constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter

import duckdb
import pandas as pd

from models_py.constraints import Constraints
from models_py.hardware_recommender import HardwareRecommender
from models_py.odds import odds
from models_py.predict import PerformancePredictor
from models_py.recommendation import Recommendation
from models_py.requirements import Requirement, parse_requirements
from models_py.worth import NotLearned
from pipelines.costs import counted_offers, with_prices
from pipelines.errors import InputError
from pipelines.objective import require_objective, unit_of
from pipelines.offers import Offers
from pipelines.published import connect, metric_directions, published_build
from pipelines.settings import Settings
from pipelines.suggest import did_you_mean
from pipelines.warehouse import DATABASE
from pipelines.workloads import along_the_load, find_workloads, options_of, require_devices


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes
    ----------
    workload
        What is said of it, by column of a workload; `model_name` at least.
    objective
        What platforms are compared by.
    slo
        Requirements as they are written; see `parse_requirements`.
    available, max_price_per_hour, max_rated_power_w, max_device_count, confidence
        See `Constraints`.
    """

    workload: Mapping[str, object]
    objective: str
    slo: str | None = None
    available: tuple[str, ...] | None = None
    confidence: float | None = None
    max_price_per_hour: float | None = None
    max_rated_power_w: float | None = None
    max_device_count: int | None = None


@dataclass(frozen=True)
class Answer:
    """A recommendation with what belongs to it.

    Attributes
    ----------
    names, units
        Workloads in words and units of the objective, by `workload_id`.
    notes
        What had to be assumed.
    """

    recommendation: Recommendation
    names: Mapping[str, str]
    units: Mapping[str, str]
    notes: list[str]


@dataclass(frozen=True)
class Opened:
    """What the published build has for a request.

    Attributes
    ----------
    names, throughput_units
        By `workload_id`.
    units
        By metric.
    offers
        What can be rented, None where no offer counts.
    """

    recommender: HardwareRecommender
    constraints: Constraints
    model_name: str
    names: Mapping[str, str]
    throughput_units: Mapping[str, str]
    units: Mapping[str, str]
    offers: pd.DataFrame | None
    notes: list[str]


def opened(settings: Settings, request: Request, whole_curve: bool = False) -> Opened:
    """Read what a request needs.

    Parameters
    ----------
    whole_curve
        Whether batch and concurrency, where they are left open, are all that were seen.

    Raises
    ------
    InputError
        For what is unknown or contradictory, with the nearest valid name.
    """
    constraints = _constraints(request)
    build = published_build(settings.warehouse)
    with connect(build / DATABASE, read_only=True) as con:
        directions = metric_directions(con)
        units = dict(con.sql("select metric, unit from core.metric_definitions").fetchall())
        require_objective(request.objective, directions, "--metric")
        for name in settings.balance:
            require_objective(name, directions, "balance")
        require_devices(con, constraints.available_hardware or (), repeat("--available"))
        asked = find_workloads(con, request.workload)
        workloads = asked.workloads
        if whole_curve:
            workloads = along_the_load(con, workloads, request.workload)
        options = with_prices(con, options_of(con, workloads), settings.offers)
        offers = counted_offers(con, settings.offers)
        _require_offers(con, settings.offers, offers)
    _require_prices(options, request)
    recommender = HardwareRecommender(
        PerformancePredictor.load(build / "models"),
        options=options,
        directions=directions,
        seed=settings.seed,
        minimum_feasibility=settings.minimum_feasibility,
        balance=settings.balance,
    )
    each = options.drop_duplicates("workload_id").set_index("workload_id")
    return Opened(
        recommender,
        constraints,
        options["model_name"].iloc[0],
        each["workload"].to_dict(),
        each["throughput_unit"].to_dict(),
        units,
        None if offers.empty else offers,
        asked.notes,
    )


def recommend(settings: Settings, request: Request) -> Answer:
    """Answer from the published build.

    Raises
    ------
    InputError
        For what is unknown or contradictory, with the nearest valid name.
    """
    asked = opened(settings, request)
    try:
        found = asked.recommender.recommend_hardware(
            request.objective, asked.constraints, model_name=asked.model_name
        )
    except NotLearned as error:
        learned = ", ".join(asked.recommender.predictor.models)
        raise InputError(f"--metric: {error}; learned by this build: {learned}") from None
    except LookupError as error:
        raise InputError(str(error)) from None
    units = {
        workload: unit_of(found.objective, unit, asked.units, settings.currency)
        for workload, unit in asked.throughput_units.items()
    }
    return Answer(found, asked.names, units, asked.notes)


def requirements_of(slo: str | None, where: str) -> list[Requirement]:
    """Requirements as they are written, or an `InputError` that says where."""
    try:
        return parse_requirements(slo) if slo is not None else []
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None


def _constraints(request: Request) -> Constraints:
    return Constraints(
        request.available,
        requirements_of(request.slo, "--slo"),
        request.confidence,
        request.max_price_per_hour,
        request.max_rated_power_w,
        request.max_device_count,
    )


def _require_offers(con: duckdb.DuckDBPyConnection, wanted: Offers, found: pd.DataFrame) -> None:
    for name in ("provider", "region"):
        value = getattr(wanted, name)
        if value is not None and found.empty:
            rows = con.sql(f"select distinct {name} from core.prices").fetchall()
            hint = did_you_mean(value, [row[0] for row in rows if row[0]], 20)
            raise InputError(f"--{name}: no price in {wanted.currency} of '{value}' is known{hint}")


def _require_prices(options: pd.DataFrame, request: Request) -> None:
    limit = request.max_price_per_hour
    if limit is not None and options["price_per_hour"].isna().all():
        raise InputError(
            f"--max-cost-per-hour {limit:g}: no price of these devices is known (prices.csv)"
        )


def as_json(answer: Answer) -> dict:
    """For machines: one entry per workload."""
    found = answer.recommendation
    rows = found.options.astype(object).where(found.options.notna(), None)
    alternatives = set(found.alternatives()["config_id"])
    workloads = []
    for workload_id, name in answer.names.items():
        own = rows[rows["workload_id"] == workload_id]
        reason = found.unsatisfied.get(workload_id)
        entry = {
            "workload_id": workload_id,
            "workload": name,
            "unit": answer.units[workload_id],
            "options": own.drop(columns="workload_id").to_dict("records"),
            "alternatives": own.loc[own["config_id"].isin(alternatives), "platform"].tolist(),
            "unsatisfied": None
            if reason is None
            else {"binding": reason.binding, "text": reason.text},
        }
        if len(own) or reason is not None:
            workloads.append(entry)
    return {
        "objective": found.objective.name,
        "workloads": workloads,
        "notes": answer.notes,
    }


def in_words(answer: Answer, listed: int = 5) -> list[str]:
    """Lines for a person: the first options of each workload."""
    found, lines = answer.recommendation, [f"note: {note}" for note in answer.notes]
    for workload_id, name in sorted(answer.names.items(), key=itemgetter(1)):
        own = found.options[found.options["workload_id"] == workload_id]
        if workload_id in found.unsatisfied:
            lines += [name, f"  {found.unsatisfied[workload_id].text}"]
        elif len(own):
            lines.append(f"{name}, {found.objective.name} in {answer.units[workload_id]}")
            shown = listed if len(own) > listed + 1 else len(own)
            for _, row in own.head(shown).iterrows():
                lines.append(_line(row))
                if pd.notna(row["explanation"]):
                    lines.append(f"     {row['explanation']}")
            if len(own) > shown:
                lines.append(f"  and {len(own) - shown} more (--json)")
    return lines


def _line(row: pd.Series) -> str:
    measured = pd.notna(row["measured_value"])
    value = f"{row['measured_value'] if measured else row['p50']:.4g}"
    value += f" ({row['p05']:.4g} to {row['p95']:.4g}){', measured' if measured else ''}"
    parts = [f"  {row['rank']}. {row['platform']}: {value}"]
    parts.append(f"best with {odds(row['prob_best'])} probability")
    if "prob_meets" in row:
        parts.append(f"keeps the requirements with {odds(row['prob_meets'])}")
    if pd.notna(row.get("price_per_hour")):
        parts.append(f"{row['price_per_hour']:.4g} an hour")
    if not row["in_domain"]:
        parts.append("interval not promised")
    return ", ".join(parts)
