"""Which strategy and weights each objective uses: pinned in the settings, or chosen from evidence."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from models_py.active_learning import FIXED_WEIGHTS
from models_py.objectives import short_name
from models_py.shortlist import Tactic
from models_py.strategies import Strategy, choose_strategy, replayed_worth
from pipelines.errors import InputError
from pipelines.settings import Settings, Weights
from pipelines.write_back import replace, tables

PINNED = "pinned"
STRATEGIES = pa.schema(
    {
        "metric": pa.string(),
        "objective": pa.string(),
        "strategy": pa.string(),
        "decision_share": pa.float64(),
        "prior": pa.float64(),
        "rounds": pa.int64(),
        "worth": pa.float64(),
        "bound": pa.float64(),
        "chosen": pa.bool_(),
        "reason": pa.string(),
        "information_gain_weight": pa.float64(),
        "hardware_weight": pa.float64(),
        "weights_reason": pa.string(),
    }
)


def choose_strategies(
    con: duckdb.DuckDBPyConnection, metrics: Sequence[str], settings: Settings
) -> dict[str, Tactic]:
    """What to use for each metric; all that is known of it goes to `ml.strategies`."""
    tactics, rows = {}, []
    for metric in metrics:
        curves = con.execute("from ml.learning_curve where metric = ?", [metric]).df()
        rewards = con.execute(
            "select strategy, reward from ml.strategy_rewards where objective = ?",
            [short_name(metric)],
        ).fetchall()
        prior = replayed_worth(curves)
        known = choose_strategy(prior, rewards)
        strategies = _pinned(known, settings)
        weights, why = _weights(known, bool(prior), settings.weights)
        chosen = next(entry for entry in strategies if entry.chosen)
        tactics[metric] = Tactic(weights, chosen.decision_share)
        named = {
            "metric": metric,
            "objective": short_name(metric),
            "information_gain_weight": weights["information_gain"],
            "hardware_weight": weights["hardware"],
            "weights_reason": why,
        }
        rows += [named | entry._asdict() for entry in strategies]
    replace(con, "strategies", pa.Table.from_pylist(rows, STRATEGIES))
    return tactics


def published_tactic(con: duckdb.DuckDBPyConnection, metric: str, settings: Settings) -> Tactic:
    """What the published build used, where the settings leave it open.

    Raises
    ------
    InputError
        For a build of an older version.
    """
    if "strategies" not in tables(con):
        raise InputError("the warehouse was built by an older version; run `benchmart build`")
    information, hardware, share = con.execute(
        "select information_gain_weight, hardware_weight, decision_share"
        " from ml.strategies where metric = ? and chosen",
        [metric],
    ).fetchall()[0]
    weights = _stated(settings.weights) or {"information_gain": information, "hardware": hardware}
    return Tactic(weights, share if settings.decision_share == "auto" else settings.decision_share)


def _pinned(known: list[Strategy], settings: Settings) -> list[Strategy]:
    share = settings.decision_share
    if share == "auto":
        return known
    pinned = Strategy(PINNED, share, None, 0, None, None, True, "")
    own = next((entry for entry in known if entry.decision_share == share), pinned)
    others = [entry._replace(chosen=False) for entry in known if entry is not own]
    return [*others, own._replace(chosen=True, reason=f"decision_share is set to {share:g}")]


def _stated(asked: Weights | str) -> dict[str, float] | None:
    """Weights that the settings state; none where they are to be chosen."""
    if asked == "auto":
        return None
    return FIXED_WEIGHTS if asked == "fixed" else asked.model_dump()


def _weights(
    known: list[Strategy], replayed: bool, asked: Weights | str
) -> tuple[dict[str, float], str]:
    stated = _stated(asked)
    if stated is not None:
        return stated, "fixed" if asked == "fixed" else "set"
    if not replayed:
        return FIXED_WEIGHTS, "fixed: `benchmart backtest --tune` has not been run"
    best = max(known, key=lambda entry: entry.worth)
    weights = {"information_gain": 1 - best.decision_share, "hardware": best.decision_share}
    return weights, f"as the shares of {best.strategy}: {best.reason}"
