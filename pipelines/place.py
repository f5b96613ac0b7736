"""`benchmart place`: which workloads run on which nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from models_py.constraints import Unsatisfied
from models_py.hardware_recommender import SHAPE, HardwareRecommender
from models_py.placement import (
    SECONDS,
    Placement,
    TooManyReplicasError,
    place,
    place_with_headroom,
)
from models_py.predict import PerformancePredictor
from models_py.requirements import require_learned
from models_py.sizing import CONFIDENCE
from pipelines.demand import Wanted, read_demand, read_inventory
from pipelines.errors import FieldError, InputError
from pipelines.published import connect, metric_directions, published_build
from pipelines.settings import Settings
from pipelines.warehouse import DATABASE
from pipelines.workloads import along_the_load, find_workloads, options_of

COST, HEADROOM = "cost", "headroom"
MEMORY_UTILISATION = 0.9
ISOLATION = (
    "workloads that share devices are taken not to disturb each other: no co-runs were measured"
)


@dataclass(frozen=True)
class Plan:
    """A placement with what belongs to it.

    Attributes
    ----------
    points
        How workloads may run, with `workload`, a position in `wanted`; `placement.copies` refer to them.
    inventory
        Kinds of nodes, with prices as they were weighed.
    priced
        Whether prices are known; a device weighs one where they are not.
    unsatisfied
        By position in `wanted`, why nothing carries a workload, whatever there is of it.
    """

    wanted: list[Wanted]
    points: pd.DataFrame
    inventory: pd.DataFrame
    priced: bool
    objective: str
    placement: Placement
    unsatisfied: Mapping[int, Unsatisfied]
    currency: str
    notes: list[str]


def place_file(
    settings: Settings,
    demand: Path,
    inventory: Path,
    objective: str = COST,
    confidence: float | None = None,
    utilisation: float = 1.0,
    memory_utilisation: float = MEMORY_UTILISATION,
    seconds: float = SECONDS,
    what_if: bool = True,
) -> Plan:
    """Place the workloads of a file on the nodes of another, by the published build.

    Parameters
    ----------
    objective
        `cost` or `headroom`.
    memory_utilisation
        Share of a group's memory that workloads which share it may fill.
    seconds
        For the search; each what-if gets half as long at the most.
    what_if
        Whether to say what one node more or fewer would change, for the objective `cost`.

    Raises
    ------
    InputError
        Naming file, line and column.
    """
    wanted = read_demand(demand, utilisation, confidence or CONFIDENCE)
    build = published_build(settings.warehouse)
    with connect(build / DATABASE, read_only=True) as con:
        kinds = read_inventory(inventory, con, settings.offers)
        if objective == HEADROOM and np.isinf(kinds["nodes"]).any():
            raise InputError(f"{inventory}, column nodes: headroom needs a number for each kind")
        points, unsatisfied, notes = _curves(con, build, settings, wanted, kinds)
    priced = bool(kinds["price_per_hour"].notna().all())
    if not priced:
        kinds["price_per_hour"] = kinds["device_count"].astype(float)
        notes.append("no price is known: the fewest devices are sought")
    notes.append(ISOLATION)
    search = {"seconds": seconds, "seed": settings.seed}
    if objective == HEADROOM:
        best = partial(place_with_headroom, **search)
    else:
        best = partial(place, **search, what_if=what_if)
    placement = _placed(best, points, wanted, kinds, memory_utilisation)
    return Plan(
        wanted,
        points,
        kinds,
        priced,
        objective,
        placement,
        unsatisfied,
        settings.currency,
        list(dict.fromkeys(notes)),
    )


def _curves(
    con: duckdb.DuckDBPyConnection,
    build: Path,
    settings: Settings,
    wanted: list[Wanted],
    kinds: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[int, Unsatisfied], list[str]]:
    """What replicas carry on the hardware that there is, why workloads have none, what is assumed."""
    predictor = PerformancePredictor.load(build / "models")
    recommending = partial(
        HardwareRecommender,
        predictor,
        kinds["hardware"].unique().tolist(),
        directions=metric_directions(con),
        seed=settings.seed,
        minimum_feasibility=settings.minimum_feasibility,
    )
    most_devices = int(kinds["device_count"].max())
    points, unsatisfied, notes = [pd.DataFrame({"workload": []})], {}, []
    for position, each in enumerate(wanted):
        try:
            require_learned(each.constraints.requirements, predictor.models)
        except LookupError as error:
            raise InputError(f"{each.where}, column slo: {error}") from None
        try:
            found = _curve(con, recommending, each, most_devices, notes)
        except FieldError as error:
            raise InputError(f"{each.where}, column {error.field}: {error.reason}") from None
        except (InputError, LookupError) as error:
            if isinstance(error, (KeyError, IndexError)):  # ours
                raise
            raise InputError(f"{each.where}: {error}") from None
        if isinstance(found, Unsatisfied):
            unsatisfied[position] = found
        else:
            points.append(found.assign(workload=position))
    return pd.concat(points[len(points) > 1 :], ignore_index=True), unsatisfied, notes


def _curve(
    con: duckdb.DuckDBPyConnection,
    recommending: Callable[..., HardwareRecommender],
    wanted: Wanted,
    most_devices: int,
    notes: list[str],
) -> pd.DataFrame | Unsatisfied:
    """What replicas of a workload carry; what is assumed goes to notes."""
    asked = find_workloads(con, wanted.said)
    notes += [f"{wanted.name}: {note}" for note in asked.notes]
    options = options_of(con, along_the_load(con, asked.workloads, wanted.said))
    curves = recommending(options=options).load_curves(
        wanted.demand,
        replace(wanted.constraints, max_device_count=most_devices),
        model_name=options["model_name"].iloc[0],
    )
    able = [curve for curve in curves if not isinstance(curve, Unsatisfied)]
    if not able:
        return curves[0]
    points = pd.concat(able, ignore_index=True)
    for name in SHAPE:
        values = sorted(points[name].dropna().unique())
        if len(values) > 1 and name != "precision":
            told = ", ".join(f"{each:g}" if isinstance(each, float) else each for each in values)
            raise FieldError(name, f"state one of {told}")
    return points


def _placed(
    best: Callable[..., Placement],
    points: pd.DataFrame,
    wanted: list[Wanted],
    kinds: pd.DataFrame,
    memory_utilisation: float,
) -> Placement:
    """The placement of what can be placed; positions as in `wanted`."""
    codes, able = pd.factorize(points["workload"], sort=True)
    if not len(able):
        return Placement(pd.DataFrame(), np.zeros(len(kinds), int), [], 0.0, None, None)
    # a replica whose memory is not known shares with none
    filled = (points["memory"] / memory_utilisation).fillna(1).clip(1e-6, 1)
    given = points.assign(workload=codes, memory=filled)
    demands = [wanted[w].demand.requests_per_second or wanted[w].demand.in_flight for w in able]
    try:
        found = best(given, demands, kinds)
    except TooManyReplicasError as error:
        raise InputError(f"{wanted[able[error.workload]].where}: {error}") from None
    copies = found.copies.assign(workload=able[found.copies["workload"].to_numpy(int)])
    return replace(found, copies=copies, unserved=[int(able[w]) for w in found.unserved])
