"""Charts of the report as SVG that takes the colour of the text around it."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

INK = "#010203"  # stands for the colour of the text, which is dark or light
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8a7d00", "#808080")
NAMED = len(COLOURS) - 1
OTHERS = "others"
WIDTH, HEIGHT = 300, 240


def predicted_against_measured(held_out: pd.DataFrame) -> str:
    """Held-out medians over measured values of one metric; hollow where the interval missed."""
    rows = held_out.assign(device=_most_frequent(held_out["hardware"]))
    both = [held_out[["actual", "p50"]].min().min(), held_out[["actual", "p50"]].max().max()]
    unit = ", ".join(sorted(set(held_out["unit"].dropna())))
    measured = alt.X("actual:Q").scale(type="log").title(f"measured, {unit}")
    predicted = alt.Y("p50:Q").scale(type="log").title("predicted without it")
    line = alt.Chart(pd.DataFrame({"actual": both, "p50": both})).mark_line(color=INK, size=1)
    points = (
        alt.Chart(rows)
        .mark_point(size=22, opacity=0.7)
        .encode(
            color=_colour("device"),
            fillOpacity=alt.condition("datum.covered", alt.value(0.7), alt.value(0)),
            fill=_colour("device"),
        )
    )
    return _svg(
        (line + points).encode(x=measured, y=predicted).properties(width=WIDTH, height=HEIGHT)
    )


def coverage(found: pd.DataFrame) -> str:
    """Held-out coverage of the 90 % interval of one metric by device, with what chance explains."""
    spread = 196 * np.sqrt(0.9 * 0.1 / found["n"])
    rows = found.assign(
        name=found["device"] + " (" + found["n"].astype(str) + ")",
        low=found["coverage"] - spread,
        high=np.minimum(found["coverage"] + spread, 100),
    )
    names = alt.Y("name:N").sort(None).title(None).axis(labelLimit=260)
    promised = alt.Chart(pd.DataFrame({"at": [90]})).mark_rule(color=INK).encode(x="at:Q")
    ranges = (
        alt.Chart(rows).mark_rule(color=COLOURS[0], size=2).encode(x="low:Q", x2="high:Q", y=names)
    )
    points = (
        alt.Chart(rows)
        .mark_circle(color=COLOURS[0], size=60)
        .encode(
            x=alt.X("coverage:Q").scale(zero=False).title("coverage of the 90 % interval, percent"),
            y=names,
        )
    )
    return _svg((promised + ranges + points).properties(width=WIDTH))


def learning_curve(found: pd.DataFrame) -> str:
    """Regret of recommendations by the number of tests, of every policy that was replayed."""
    chart = (
        alt.Chart(found)
        .mark_line(point=True)
        .encode(
            x=alt.X("tests:Q").title("tests"),
            y=alt.Y("regret:Q").title("regret of the recommended hardware, percent"),
            color=_colour("policy"),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return _svg(chart)


def front(options: pd.DataFrame, across: str, upwards: str, units: dict[str, str]) -> str:
    """Platforms of one workload that no other beats, by two objectives."""
    options = options.assign(device=_most_frequent(options["device"]))
    chart = (
        alt.Chart(options)
        .mark_point(filled=True, opacity=0.9)
        .encode(
            x=alt.X("across:Q").scale(zero=False, padding=12).title(_with_unit(across, units)),
            y=alt.Y("upwards:Q").scale(zero=False, padding=12).title(_with_unit(upwards, units)),
            size=alt.Size("prob_on_front:Q").scale(domain=[0, 1]).legend(None),
            color=_colour("device"),
            shape=alt.Shape("software:N").title(None),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    return _svg(chart)


def _with_unit(objective: str, units: dict[str, str]) -> str:
    unit = units.get(objective)
    return f"{objective}, {unit}" if unit else objective


def _most_frequent(names: pd.Series) -> pd.Series:
    """Names as they are, but for the rarer ones of many."""
    often = names.value_counts().index
    return names.where(names.isin(often[:NAMED]), OTHERS) if len(often) > len(COLOURS) else names


def _colour(column: str) -> alt.Color:
    return alt.Color(f"{column}:N").scale(range=COLOURS).title(None)


def _svg(chart: alt.Chart | alt.LayerChart) -> str:
    styled = chart.configure(background="transparent", font="inherit").configure_view(stroke=None)
    parts = ("labelColor", "titleColor", "tickColor", "domainColor")
    styled = styled.configure_axis(**dict.fromkeys(parts, INK), gridColor=INK, gridOpacity=0.12)
    styled = styled.configure_legend(
        orient="bottom",
        direction="vertical",
        labelLimit=WIDTH,
        **dict.fromkeys(
            ("labelColor", "titleColor", "symbolBaseFillColor", "symbolBaseStrokeColor"), INK
        ),
    )
    return vl_convert.vegalite_to_svg(styled.to_json()).replace(INK, "currentColor")
