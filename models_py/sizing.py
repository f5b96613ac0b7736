"""How many replicas of which platform carry a demand, at which batch, and what that costs.

Every platform is taken along its load curve: batches it may run, with throughput and latency as
functions of them. The number of replicas is the smallest that carries the demand, and keeps what was
promised, in a stated share of joint draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.requirements import Requirement

CONFIDENCE = 0.6
MOST = 10**12
LATENCIES = ("latency_ms", "ttft_ms", "itl_ms", "latency_p90_ms", "latency_p99_ms")


class Demand(NamedTuple):
    """What has to be carried.

    Attributes
    ----------
    requests_per_second
        Arrivals, or None.
    in_flight
        Requests that are served at the same time, or None.
    utilisation
        Share of what a replica can do that is planned for; the rest is headroom for peaks and queues.
    """

    requests_per_second: float | None = None
    in_flight: float | None = None
    utilisation: float = 1.0


def size_platforms(
    points: pd.DataFrame,
    log_metrics: Mapping[str, np.ndarray],
    demand: Demand,
    requirements: Sequence[Requirement] = (),
    confidence: float = CONFIDENCE,
    offers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The cheapest point of each platform's load curve that carries a demand.

    Parameters
    ----------
    points
        Feature rows of one model and length, one per platform and batch: `platform_id, hardware,
        device_count, batch_size, concurrency, batch_work, prob_feasible`.
    log_metrics
        Joint draws of the points, shape (points, draws): `throughput` where arrivals are demanded, and
        the metrics of the requirements.
    confidence
        Probability with which demand and requirements are kept.
    offers
        `hardware, device_count, price_per_hour`: what can be rented. Without it nothing has a price.

    Returns
    -------
    pandas.DataFrame
        Rows of `points`, one per platform that can do it, cheapest first (fewest devices, where
        nothing has a price): `replicas`, `devices`, `cost_per_hour` (NaN without an offer) and
        `prob_carried`.
    """
    if demand.requests_per_second is None and demand.in_flight is None:
        raise ValueError("a demand is arrivals or requests in flight: neither is given")
    carried, least = carried_rates(points, log_metrics, demand, requirements, confidence)
    wanted = demand.requests_per_second or demand.in_flight
    with np.errstate(divide="ignore"):
        replicas = np.ceil(wanted / least - 1e-9)
    feasible = points["prob_feasible"].fillna(1).to_numpy(float)
    able = np.isfinite(replicas)
    enough = carried[able] * replicas[able, None] >= wanted - 1e-9
    sized = points[able].assign(
        replicas=np.minimum(replicas[able], MOST).astype(int),
        devices=np.minimum(replicas[able] * points.loc[able, "device_count"], MOST).astype(int),
        prob_carried=enough.mean(axis=1) * feasible[able],
    )
    sized["cost_per_hour"] = [
        rent(hardware, count, replicas, offers)
        for hardware, count, replicas in zip(
            sized["hardware"], sized["device_count"], sized["replicas"], strict=True
        )
    ]
    order = ["cost_per_hour", "devices", "prob_carried"]
    ranked = sized.sort_values(order, ascending=[True, True, False], kind="stable")
    return ranked.drop_duplicates("platform_id").reset_index(drop=True)


def carried_rates(
    points: pd.DataFrame,
    log_metrics: Mapping[str, np.ndarray],
    demand: Demand,
    requirements: Sequence[Requirement],
    confidence: float,
) -> tuple[np.ndarray, np.ndarray]:
    """What a replica carries while it keeps the requirements; see `size_platforms`.

    Returns
    -------
    tuple of numpy.ndarray
        By draw, shape (points, draws), and with the confidence, shape (points,); zero where nothing.
    """
    rate = requests_per_second(points, log_metrics, demand)
    met = _promised(points, log_metrics, requirements)
    carried = np.where(met, rate * demand.utilisation, 0.0)
    feasible = points["prob_feasible"].fillna(1).to_numpy(float)
    least = np.zeros(len(points))
    for row in np.flatnonzero(feasible >= confidence):
        # the draws may fail in all but this share, given that it runs
        least[row] = np.quantile(carried[row], 1 - confidence / feasible[row], method="lower")
    return carried, least


def requests_per_second(
    points: pd.DataFrame, log_metrics: Mapping[str, np.ndarray], demand: Demand
) -> np.ndarray:
    """What one replica serves: arrivals, or requests in flight; shape (points, draws).

    A batch is `batch_work` units of throughput, and as many requests as it is large.
    """
    batch = points["batch_size"].to_numpy(float)[:, None]
    if demand.requests_per_second is None:
        draws = next(iter(log_metrics.values())).shape[1] if log_metrics else 1
        in_flight = batch * points["concurrency"].fillna(1).to_numpy(float)[:, None]
        return np.repeat(in_flight, draws, axis=1)
    work = points["batch_work"].to_numpy(float, na_value=np.nan)[:, None]
    rate = np.exp(log_metrics["throughput"]) * batch / work
    return np.nan_to_num(rate)  # where the work of a batch is not known nothing is carried


def _promised(
    points: pd.DataFrame, log_metrics: Mapping[str, np.ndarray], requirements: Sequence[Requirement]
) -> np.ndarray:
    """Whether requirements are kept, shape (points, draws)."""
    drawn = along_the_curve(points, log_metrics)
    kept = [each.met(drawn[each.metric]) for each in requirements]
    return np.logical_and.reduce(np.broadcast_arrays(np.array(True), *kept))


def along_the_curve(
    points: pd.DataFrame, log_metrics: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Draws in which latency does not fall with the load of a platform.

    Where a smaller batch is slower, a larger one counts with that.
    """
    load = (points["batch_size"] * points["concurrency"].fillna(1)).to_numpy(float)
    result = dict(log_metrics)
    for metric in result.keys() & set(LATENCIES):
        result[metric] = result[metric].copy()
        for rows in points.groupby("platform_id").indices.values():
            along = rows[np.argsort(load[rows], kind="stable")]
            result[metric][along] = np.maximum.accumulate(log_metrics[metric][along], axis=0)
    return result


def rent(hardware: str, device_count: int, replicas: int, offers: pd.DataFrame | None) -> float:
    """What so many replicas cost an hour: of the cheapest offer, as many as they fill; NaN without one.

    Examples
    --------
    >>> offers = pd.DataFrame(
    ...     {"hardware": ["h100", "h100"], "device_count": [1, 8], "price_per_hour": [4.0, 24.0]}
    ... )
    >>> rent("h100", 1, 3, offers), rent("h100", 1, 7, offers), rent("h100", 2, 5, offers)
    (12.0, 24.0, 48.0)
    """
    if offers is None:
        return np.nan
    enough = offers[(offers["hardware"] == hardware) & (offers["device_count"] >= device_count)]
    if enough.empty:
        return np.nan
    shared = enough["device_count"] // device_count
    return float((np.ceil(replicas / shared) * enough["price_per_hour"]).min())
