"""The picture of a backtest: figures by number of tests, for every policy."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t

SHOWN = {"rmse": ("error (RMSE of the log)", 1), "regret": ("regret, %", 100)}
LEVEL = 0.9


def learning_figure(curves: pd.DataFrame) -> Figure:
    """Error and regret of held-out configurations by tests that were paid for.

    Parameters
    ----------
    curves
        See `models_py.replay.replay`, with `comparable_group`, `policy` and `seed`. Mean over seeds,
        and its 90 % interval (Student's t).
    """
    groups = list(dict.fromkeys(curves["comparable_group"]))
    figure = Figure(figsize=(10, 3.6 * len(groups)), layout="constrained")
    panels = figure.subplots(len(groups), len(SHOWN), squeeze=False)
    for group, row in zip(groups, panels, strict=True):
        here = curves[curves["comparable_group"] == group]
        for (name, (label, scale)), axes in zip(SHOWN.items(), row, strict=True):
            for policy, own in here.groupby("policy", sort=False):
                _draw(axes, own, name, scale, str(policy))
            axes.set(xlabel="tests paid for", ylabel=label, ylim=(0, None), title=group)
            axes.title.set_size("small")
    panels[0, 0].legend(title="policy", frameon=False, fontsize="small")
    return figure


def _draw(axes, own: pd.DataFrame, name: str, scale: float, policy: str) -> None:
    found = (scale * own[name]).groupby(own["tests"]).agg(["mean", "sem", "count"])
    if found["mean"].isna().all():
        return  # no workload with a choice: there is no regret
    half = found["sem"] * t.ppf((1 + LEVEL) / 2, np.maximum(found["count"] - 1, 1))
    (line,) = axes.plot(found.index, found["mean"], label=policy)
    axes.fill_between(
        found.index,
        np.maximum(found["mean"] - half, 0),
        found["mean"] + half,
        color=line.get_color(),
        alpha=0.15,
        linewidth=0,
    )
