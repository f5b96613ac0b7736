"""Which options a request leaves, and what to say where it leaves none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from models_py.requirements import Requirement

CONFIDENCE = 0.9


@dataclass(frozen=True)
class Constraints:
    """What a recommended platform has to keep.

    Attributes
    ----------
    available_hardware
        Devices to choose from; all where it is None.
    requirements
        Service-level objectives and caps on metrics, to be kept together.
    confidence
        Probability of that; None for the default of what is asked.
    max_price_per_hour
        Of the cheapest offer with enough devices; options of unknown price do not keep it.
    max_rated_power_w, max_device_count
        Of all devices together.
    """

    available_hardware: Sequence[str] | None = None
    requirements: Sequence[Requirement] = ()
    confidence: float | None = None
    max_price_per_hour: float | None = None
    max_rated_power_w: float | None = None
    max_device_count: int | None = None


class Screen(NamedTuple):
    """One constraint on options.

    Attributes
    ----------
    demand
        The constraint in words.
    kept
        Which options keep it, boolean, shape (options,).
    shortfall
        How far options are from keeping it; less is nearer, shape (options,).
    tell
        How an option (a position) fares, in words.
    """

    demand: str
    kept: np.ndarray
    shortfall: np.ndarray
    tell: Callable[[int], str]


class Unsatisfied(NamedTuple):
    """Why no option of a workload is left.

    Attributes
    ----------
    binding
        The constraint without which some would be, or the first that left none.
    text
        It, and the option that comes nearest to it of those that keep the others, in words.
    """

    binding: str
    text: str


def screens(
    options: pd.DataFrame, constraints: Constraints, minimum_feasibility: float
) -> list[Screen]:
    """The constraints that apply to options of one workload.

    Parameters
    ----------
    options
        Columns `hardware, device_count, fits_in_memory, prob_feasible, prob_meets, price_per_hour`
        (where a price is asked for), `bound_power_w` (where power is) and `stated` (whether the facts
        of the objective are known; by default they are); for each requirement the probability that
        it is met where the option runs, and the median of its metric, named `prob REQUIREMENT` and
        `median REQUIREMENT`.
    """

    def column(name: str) -> np.ndarray:
        if name not in options:
            return np.full(len(options), np.nan)
        return options[name].to_numpy(float, na_value=np.nan)

    def at_most(demand: str, name: str, limit: float, unit: str) -> Screen:
        value = column(name)
        unknown = np.isnan(value)
        return Screen(
            demand,
            ~unknown & (value <= limit),
            np.where(unknown, np.inf, value),
            lambda row: f"{unit.format(value[row])}" if not unknown[row] else "not known",
        )

    fits = ~options["fits_in_memory"].eq(False).to_numpy(bool, na_value=False)
    feasible, filled = column("prob_feasible"), column("memory_share")
    found = [
        Screen(
            "it has to fit in memory, and nothing smaller may have run out of it",
            fits,
            np.nan_to_num(filled, nan=np.inf),
            lambda row: (
                "its memory is not known"
                if np.isnan(filled[row])
                else f"weights and cache take {100 * filled[row]:.0f} % of its memory"
            ),
        ),
        Screen(
            f"it has to run with a probability of {100 * minimum_feasibility:.0f} %",
            ~(feasible < minimum_feasibility),
            -feasible,
            lambda row: f"{100 * feasible[row]:.0f} %",
        ),
    ]
    if "stated" in options:
        stated = options["stated"].to_numpy(bool)
        demand = "its price has to be known (prices.csv)"
        found.append(Screen(demand, stated, ~stated * 1.0, lambda row: "not known"))
    if constraints.available_hardware is not None:
        names = list(constraints.available_hardware)
        there = options["hardware"].isin(names).to_numpy()
        demand = f"available: {', '.join(names) or 'no hardware at all'}"
        found.append(Screen(demand, there, ~there * 1.0, lambda row: "not available"))
    if constraints.max_device_count is not None:
        limit = constraints.max_device_count
        found.append(at_most(f"devices<={limit}", "device_count", limit, "{:.0f} devices"))
    if constraints.max_price_per_hour is not None:
        limit = constraints.max_price_per_hour
        found.append(at_most(f"price an hour<={limit:g}", "price_per_hour", limit, "{:g} an hour"))
    if constraints.max_rated_power_w is not None:
        limit = constraints.max_rated_power_w
        found.append(at_most(f"rated power<={limit:g} W", "bound_power_w", limit, "{:g} W"))
    return found + _promises(options, constraints)


def _promises(options: pd.DataFrame, constraints: Constraints) -> list[Screen]:
    """A screen for each requirement, and one for all together: so that the one that binds is named."""

    def promise(
        text: str, probability: np.ndarray, away: np.ndarray, tell: Callable[[int], str]
    ) -> Screen:
        demand = f"{text} with a probability of {100 * constraints.confidence:.0f} %"
        shortfall = np.lexsort((away, -probability)).argsort().astype(float)
        return Screen(demand, probability >= constraints.confidence, shortfall, tell)

    def alone(requirement: Requirement) -> Screen:
        probability, median = (
            options[f"{kind} {requirement}"].to_numpy(float) for kind in ("prob", "median")
        )
        # of options that are as unlikely to keep it, the nearest is the one with the nearest median
        away = np.nan_to_num(np.abs(np.log(median / requirement.limit)), nan=np.inf)
        return promise(
            str(requirement),
            probability,
            away,
            lambda row: f"{100 * probability[row]:.0f} % (median {median[row]:.4g})",
        )

    found = [alone(requirement) for requirement in constraints.requirements]
    if found:
        together = options["prob_meets"].to_numpy(float)
        text = "run and keep " + " and ".join(map(str, constraints.requirements))
        found.append(
            promise(
                text, together, np.zeros(len(options)), lambda row: f"{100 * together[row]:.0f} %"
            )
        )
    return found


def keeping(found: Sequence[Screen]) -> np.ndarray:
    """Which options keep all constraints, boolean."""
    return np.logical_and.reduce([screen.kept for screen in found])


def why_none(found: Sequence[Screen], platforms: Sequence[str]) -> Unsatisfied:
    """The binding constraint of a workload without an option, and the option nearest to it."""
    for screen in found:
        others = keeping([other for other in found if other is not screen])
        if others.any():
            return _unsatisfied(screen, others, platforms)
    left = np.ones(len(platforms), bool)
    for screen in found:
        if not (left & screen.kept).any():
            return _unsatisfied(screen, left, platforms)
        left &= screen.kept
    raise ValueError("some option keeps them all")


def _unsatisfied(screen: Screen, among: np.ndarray, platforms: Sequence[str]) -> Unsatisfied:
    nearest = int(np.argmin(np.where(among, screen.shortfall, np.inf)))
    if not among[nearest]:  # nothing is known of any
        nearest = int(np.flatnonzero(among)[0])
    text = f"{screen.demand}: no option; nearest is {platforms[nearest]}, {screen.tell(nearest)}"
    return Unsatisfied(screen.demand, text)
