"""`benchmart integrate`, `predict` and `backtest`: what to test next, and what to expect."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli_completion import named
from pipelines.cli_options import (
    available_option,
    engine_option,
    json_option,
    output_option,
    scheduler_option,
    warehouse_option,
    write,
)
from pipelines.terminal import printable


@click.command()
@warehouse_option
@click.option("--budget", type=int, help="How many tests to plan, at most.")
@click.option(
    "--metric",
    shell_complete=named("metric"),
    help="Objective or metric to optimise for; several, separated by commas.",
)
@available_option
@click.option("--max-minutes", type=click.FloatRange(0, min_open=True), help="What they may take.")
@click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="What they may cost.")
@click.option(
    "--max-per-hardware",
    multiple=True,
    metavar="DEVICE=N",
    help="At most N tests on a device; may be given several times.",
)
@click.option(
    "--minimum-distance",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Least diversity of a test when it is chosen, 0 to 1.",
)
@click.option("--focus", metavar="KIND=NAME", help="First tests of hardware=NAME or model=NAME.")
@output_option("Where to write the plan; standard output by default.")
def integrate(
    warehouse,
    budget,
    metric,
    available,
    max_minutes,
    max_cost,
    max_per_hardware,
    minimum_distance,
    focus,
    output,
) -> None:
    """Plan the next tests together with the recommended hardware (JSON).

    \b
    benchmart integrate --budget 5 --output plan.json
    benchmart integrate --metric throughput,latency --budget 6
    benchmart integrate --available h100,a100 --max-minutes 240
    benchmart integrate --focus hardware=my-accelerator --budget 5
    """
    from pipelines.integrate import Today, in_words
    from pipelines.integrate import integrate as plan_tests
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse, budget=budget, objective=metric)
    names = None if available is None else tuple(name.strip() for name in available.split(","))
    caps = dict(map(_cap, max_per_hardware))
    today = Today(names, max_minutes, max_cost, caps, minimum_distance, focus)
    if today == Today():
        plan = plan_tests(settings.warehouse, settings.objective, settings.budget)
    else:
        from pipelines.today import integrate_today

        plan = integrate_today(settings, settings.budget, today)
    write(json.dumps(plan, indent=2) + "\n", output)
    if output is not None:
        for line in in_words(plan):
            click.echo(printable(line))
        click.echo(f"written: {output}")


@click.command()
@warehouse_option
@click.option(
    "--input",
    "source",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV file of configurations: model_name, hardware, batch_size and what else you know.",
)
@output_option("CSV file to write; standard output by default.")
@click.option(
    "--metric",
    multiple=True,
    shell_complete=named("metric"),
    help="Objective or metric; may be given several times.",
)
def predict(warehouse, source, output, metric) -> None:
    """Predict metrics of configurations: rows in, rows out, in the same order.

    \b
    benchmart predict --input configs.csv --output predicted.csv
    benchmart predict --input configs.csv --metric latency --metric memory
    """
    from pipelines.predict_file import predict_file
    from pipelines.settings import load_settings

    settings = load_settings(warehouse=warehouse)
    table = predict_file(settings.warehouse, source, metric or (settings.objective,))
    write(table.to_csv(index=False), output)


@click.command()
@warehouse_option
@click.option(
    "--metric",
    shell_complete=named("metric"),
    help="Objective or metric to replay [default: the objective].",
)
@click.option(
    "--policy",
    multiple=True,
    help="accuracy, mostly-accuracy, balanced, mostly-decisions or decisions; may be given several"
    " times [default: balanced].",
)
@click.option("--tune", is_flag=True, help="Replay all strategies that a build chooses between.")
@click.option(
    "--seeds", type=click.IntRange(2), default=5, show_default=True, help="Replays of each."
)
@engine_option
@scheduler_option
@json_option
def backtest(warehouse, metric, policy, tune, seeds, engine, scheduler, as_json) -> None:
    """Replay selection on your own measurements: tests saved against random, error and regret.

    \b
    benchmart backtest
    benchmart backtest --metric latency --policy balanced --policy accuracy --seeds 3
    benchmart backtest --tune                        for the strategies that builds choose between
    """
    from models_py.strategies import BALANCED, DECISION_SHARES
    from pipelines.backtest import backtest as run_backtest
    from pipelines.backtest import in_words
    from pipelines.console import Reporter
    from pipelines.settings import load_settings

    settings = load_settings(
        warehouse=warehouse,
        objective=metric,
        engine=engine,
        scheduler=scheduler,
    )
    policies = (*policy, *(DECISION_SHARES if tune else ())) or (BALANCED,)
    found = run_backtest(settings, settings.objective, policies, seeds, Reporter())
    if as_json:
        click.echo(found.savings.to_json(orient="records", indent=2))
        return
    for line in in_words(found):
        click.echo(printable(line))
    click.echo(f"drawn: {found.picture}")
    click.echo("the next build publishes the curves as analytics.learning_curve")
    if tune:
        click.echo("and takes them into account when it chooses a strategy: analytics.strategies")


def _cap(text: str) -> tuple[str, int]:
    name, _, count = text.rpartition("=")
    if not name or not count.isdecimal():
        raise click.BadParameter(f"--max-per-hardware: expected DEVICE=N, got {text!r}")
    return name, int(count)
