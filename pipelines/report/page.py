"""The page: what a build found, section by section."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import pandas as pd
from markupsafe import Markup

from models_py.objectives import main_metric, short_name
from pipelines.errors import InputError
from pipelines.published import connect, records
from pipelines.report import charts
from pipelines.report.tables import table
from pipelines.suggest import did_you_mean
from pipelines.tracking import registered
from pipelines.warehouse import DATABASE, replace_file

HERE = Path(__file__).parent
MOST_ROWS, POINTS, MAPPED_WORKLOADS = 100, 500, 5_000
MOST_MODELS, MOST_DEVICES, MOST_METRICS = 60, 20, 4
INTERVAL = {"p05": "5 %", "p50": "median", "p95": "95 %", "unit": "unit"}


def write_report(
    con: duckdb.DuckDBPyConnection, objective: str, path: Path, beside_tables: bool
) -> None:
    """Write the page of the newest build of a database.

    Parameters
    ----------
    objective
        What tests and platforms are shown for.
    beside_tables
        Whether the page will lie beside the database and its lineage.
    """
    path.write_text(Report(con, objective, beside_tables).page(), encoding="utf-8")


def write_report_of(build: Path, objective: str, path: Path) -> None:
    """Write the page of a published build elsewhere, whole or not at all.

    Raises
    ------
    InputError
        For an objective that the build knows nothing of, with those that it knows.
    """
    with connect(build / DATABASE, read_only=True) as con:
        known = con.sql("select distinct metric from analytics.calibration").fetchall()
        learned = [metric for (metric,) in known]
        if main_metric(objective) not in learned:
            hint = did_you_mean(objective, map(short_name, learned), listed=20)
            raise InputError(f"--objective: no model of '{objective}'{hint}")
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda part: write_report(con, objective, part, False))


class Report:
    """Sections of the page, as the template asks for them."""

    def __init__(self, con: duckdb.DuckDBPyConnection, objective: str, beside_tables: bool) -> None:
        self._con, self.beside_tables = con, beside_tables
        self.objective = short_name(main_metric(objective))
        self.metric = main_metric(objective)
        asked = {"objective": self.objective}
        [self.build] = records(con, _query("build"), asked)
        [self.losses] = records(con, _query("losses"), asked)

    def page(self) -> str:
        """The whole page."""
        loader = jinja2.FileSystemLoader(HERE)
        environment = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
        )
        inline = {
            name: Markup((HERE / name).read_text("utf-8")) for name in ("page.css", "page.js")
        }
        return environment.get_template("page.html").render(
            report=self, style=inline["page.css"], script=inline["page.js"]
        )

    def diagnostics(self) -> list[dict]:
        """What is raised."""
        return records(self._con, _query("diagnostics"), {"objective": self.objective})

    def next_tests(self) -> Markup | None:
        """The plan."""
        labels = {"rank": "#", "configuration": "test", "serves": "serves", **INTERVAL}
        labels |= {"combined_score": "score", "reason": "why"}
        asked = {"objective": self.objective}
        return self._table("next_tests", labels, asked, {"combined_score": 2})

    def heat_map(self) -> dict | None:
        """Shares of what the recommendation is worth, by model and device; None without workloads."""
        asked = {"objective": self.objective, "workloads": MAPPED_WORKLOADS}
        found = self._frame("heat_map", asked)
        if found.empty:
            return None
        often = found.groupby("device")["workloads"].sum().nlargest(MOST_DEVICES).index
        devices = [device for device in sorted(found["device"].unique()) if device in often]
        models = {
            f"{model} ({kind})": rows.set_index("device").to_dict(orient="index")
            for (kind, model), rows in found.groupby(["model_type", "model_name"])
        }
        shown = dict(list(models.items())[:MOST_MODELS])
        left = len(models) - len(shown), found["device"].nunique() - len(devices)
        workloads = min(self.build["workloads"], MAPPED_WORKLOADS)
        return {"devices": devices, "models": shown, "left_out": left, "workloads": workloads}

    def recommendations(self) -> Markup | None:
        """Platforms of workloads, the least certain first."""
        labels = {"workload": "workload", "platform": "run it on", **INTERVAL}
        labels |= {"measured": "measured", "prob_best": "chance of being best"}
        labels |= {"second_platform": "second", "second_loss_percent": "it loses, %"}
        asked = {"objective": self.objective}
        return self._table(
            "recommendations", labels, asked, {"prob_best": 2, "second_loss_percent": 1}
        )

    def deployments(self) -> Markup | None:
        """Deployments that lose."""
        labels = {
            "configuration": "runs today",
            "objective": "by",
            "recommended_configuration": "better",
        }
        labels |= {
            "loss_percent_p05": "loss, 5 %",
            "loss_percent_p50": "median",
            "loss_percent_p95": "95 %",
        }
        labels |= {"money_per_hour_p50": "money an hour"}
        decimals = {f"loss_percent_{level}": 1 for level in ("p05", "p50", "p95")}
        return self._table("deployments", labels, decimals=decimals)

    def changes(self) -> Markup | None:
        """Recommendations that this build changed."""
        labels = {
            "workload": "workload",
            "objective": "by",
            "previous_platform": "before",
            "platform": "now",
        }
        labels |= {
            "prob_best": "chance of being best",
            "regret_avoided_percent": "staying would lose, %",
        }
        return self._table(
            "changes", labels, decimals={"prob_best": 2, "regret_avoided_percent": 1}
        )

    def fronts(self) -> list[dict]:
        """A chart for each of some workloads."""
        found = self._frame("fronts")
        return [
            self._front(workload, rows) for workload, rows in found.groupby("workload", sort=False)
        ]

    def _front(self, workload: str, rows: pd.DataFrame) -> dict:
        objectives = list(rows["objectives"].iloc[0])
        across = self.objective if self.objective in objectives else objectives[0]
        # throughput and latency tell the same of one request at a time
        others = [name for name in objectives if name != across]
        upwards = next((name for name in others if name != "latency"), others[0])
        medians = pd.DataFrame(list(map(dict, rows["medians"])))
        options = rows[["device", "software", "prob_on_front"]].reset_index(drop=True)
        options = options.assign(across=medians[across], upwards=medians[upwards])
        chart = charts.front(options, across, upwards, dict(rows["units"].iloc[0]))
        return {"title": workload, "chart": Markup(chart)}

    def accuracy(self) -> list[dict]:
        """Held-out predictions beside what was measured, by metric."""
        found = self._frame("held_out", {"points": POINTS})
        return [
            {
                "title": _in_words(metric, rows),
                "chart": Markup(charts.predicted_against_measured(rows)),
            }
            for metric, rows in self._by_metric(found)
        ]

    def coverage(self) -> list[dict]:
        """Coverage by device, by metric."""
        return [
            {"title": metric, "chart": Markup(charts.coverage(rows))}
            for metric, rows in self._by_metric(self._frame("coverage"))
        ]

    def _by_metric(self, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
        """That of the objective first, and no more than a page takes."""
        every = dict(list(rows.groupby("metric")))
        first = sorted(every, key=lambda metric: (metric != self.metric, metric))
        return [(metric, every[metric]) for metric in first[:MOST_METRICS]]

    def learning(self) -> list[dict]:
        """Curves of replays, by comparable group; empty before the first backtest."""
        found = self._frame("learning_curve", {"metric": self.metric})
        return [
            {"title": group, "chart": Markup(charts.learning_curve(rows))}
            for group, rows in found.groupby("comparable_group")
        ]

    def data_quality(self) -> Markup | None:
        """What became of rows, file by file."""
        labels = {
            "source": "source",
            "file": "file",
            "rows_read": "rows",
            "rows_accepted": "accepted",
        }
        labels |= {"rows_rejected": "rejected", "rows_duplicate": "duplicate"}
        labels |= {"unknown_names": "unknown names", "loaded_at": "loaded"}
        return self._table("data_quality", labels)

    def devices(self) -> Markup | None:
        """What is known of devices, and how old it is."""
        labels = {
            "hardware": "device",
            "measurements": "runs",
            "configurations_measured": "configurations",
        }
        labels |= {"models_measured": "models", "configurations_open": "still open"}
        labels |= {"last_measured_at": "newest run"}
        return self._table("devices", labels)

    def models(self) -> list[dict]:
        """Models trained, newest first, with their place in MLflow's registry."""
        found = records(self._con, _query("models"))
        return [model | {"registered": registered(model["metric"])} for model in found]

    def _table(
        self, name: str, labels: dict, asked: dict | None = None, decimals: dict | None = None
    ) -> Markup | None:
        rows = self._frame(name, (asked or {}) | {"most": MOST_ROWS + 1})
        if rows.empty:
            return None
        shown = table(rows.head(MOST_ROWS), name, labels, decimals)
        more = Markup("<p>The first {}, there are more.</p>").format(MOST_ROWS)
        return shown + more if len(rows) > MOST_ROWS else shown

    def _frame(self, name: str, asked: dict | None = None) -> pd.DataFrame:
        rows = self._con.execute(_query(name), asked or {}).df()
        times = rows.select_dtypes("datetimetz")
        return rows.assign(
            **{column: times[column].dt.strftime("%Y-%m-%d %H:%M") for column in times}
        )


def _in_words(metric: str, held_out: pd.DataFrame) -> str:
    every, covered = held_out[["held_out", "covered_percent"]].iloc[0]
    shown = f", {len(held_out)} of them shown" if len(held_out) < every else ""
    return f"{metric}: {covered:.1f} % of {every:,.0f} measurements inside their interval{shown}"


def _query(name: str) -> str:
    return (HERE / "queries" / f"{name}.sql").read_text(encoding="utf-8")
